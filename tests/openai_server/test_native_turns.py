"""Turns of a served connection over deployments that have WebSockets themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from azure_responses.router import Router
from tests.openai_server.connections import Caller, open_caller_of, perform_over
from tests.router.turn_upstream import TurnUpstream

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@asynccontextmanager
async def open_over(upstream: TurnUpstream, **params: Any) -> AsyncIterator[Caller]:
    row = {
        "model_name": "gpt",
        "params": {
            "model": "azure/gpt-5",
            "api_base": upstream.url,
            "api_key": "key",
            "allow_insecure": True,
            "websocket": True,
            **params,
        },
    }
    async with Router([row]) as router, open_caller_of(router, perform_over(router)) as caller:
        yield caller


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


async def test_a_chain_goes_over_one_socket_with_new_items_only() -> None:
    with TurnUpstream() as upstream:
        async with open_over(upstream) as caller:
            previous = None
            for number in range(3):
                more: Any = {} if previous is None else {"previous_response_id": previous}
                frames = await caller.turn(model="gpt", input=f"{number}", store=False, **more)
                assert frames[-1]["type"] == "response.completed"
                assert kinds(frames).count("response.created") == 1
                previous = frames[-1]["response"]["id"]
        assert upstream.handshakes == 1
        assert [one.body["input"] for one in upstream.requests] == ["0", "1", "2"]


async def test_each_lane_has_a_socket_of_its_own() -> None:
    with TurnUpstream() as upstream:
        async with open_over(upstream) as caller:
            for lane in ("a", "b"):
                frames = await caller.turn(model="gpt", input=lane, stream_id=lane)
                assert {frame["stream_id"] for frame in frames} == {lane}
        assert upstream.handshakes == 2
        assert not any("stream_id" in one.body for one in upstream.requests)


async def test_a_warm_up_is_the_services_where_it_has_them() -> None:
    with TurnUpstream(lambda body, number: []) as upstream:
        async with open_over(upstream) as caller:
            frames = await caller.turn(model="gpt", input="x", generate=False)
            assert frames[-1]["type"] == "response.completed"
        assert [one.body.get("generate") for one in upstream.requests] == [False]


async def test_a_steered_response_is_followed_by_its_successor_in_the_lane() -> None:
    with TurnUpstream() as upstream:
        upstream.waits_for_steer = True
        async with open_over(upstream) as caller:
            caller.create(model="gpt", input="hi", store=False, stream_id="a")
            first = await caller.receive()
            steer = {"type": "response.steer", "input": "be short"}
            caller.send({**steer, "previous_response_id": first["response"]["id"]})
            frames = [first, *await caller.rest()]
            assert frames[-1]["type"] == "response.incomplete"
            after = await caller.rest()
            assert kinds(after)[0] == "response.created"
            assert after[-1]["type"] == "response.completed"
            assert after[-1]["response"]["previous_response_id"] == first["response"]["id"]
            assert {frame["stream_id"] for frame in [*frames, *after]} == {"a"}
            assert kinds([*frames, *after]).count("response.steer.accepted") == 1
            assert len(upstream.steered) == 1
            successor = after[-1]["response"]["id"]
            (*_, last) = await caller.turn(
                model="gpt", input="on", store=False, previous_response_id=successor, stream_id="a"
            )
            assert last["type"] == "response.completed"


async def test_a_socket_that_breaks_after_output_ends_the_turn_with_an_error() -> None:
    with TurnUpstream() as upstream:
        async with open_over(upstream) as caller:
            (*_, first) = await caller.turn(model="gpt", input="1", store=False)
            upstream.faults.append("cut")
            frames = await caller.turn(
                input="2", store=False, previous_response_id=first["response"]["id"]
            )
            assert "response.completed" not in kinds(frames)
            assert frames[-1]["type"] == "error"
            assert len(upstream.requests) == 2
            (refused,) = await caller.turn(
                input="2", store=False, previous_response_id=first["response"]["id"]
            )
            assert refused["error"]["code"] == "previous_response_not_found"
            assert (await caller.turn(input="3"))[-1]["type"] == "response.completed"


async def test_a_socket_that_is_lost_before_output_is_replaced_and_all_items_sent() -> None:
    with TurnUpstream() as upstream:
        async with open_over(upstream) as caller:
            (*_, first) = await caller.turn(model="gpt", input="1", store=False)
            upstream.faults.append("lost")
            frames = await caller.turn(
                input="2", store=False, previous_response_id=first["response"]["id"]
            )
            assert kinds(frames).count("response.created") == 1
            assert frames[-1]["type"] == "response.completed"
            assert upstream.requests[-1].kinds == ["message", "message", "message"]


@pytest.mark.filterwarnings("ignore:No WebSocket can be used")
async def test_a_warm_up_is_answered_although_the_service_offers_no_websocket() -> None:
    with TurnUpstream(offers_sockets=False) as upstream:
        async with open_over(upstream) as caller:
            warm = await caller.turn(model="gpt", input="x", generate=False)
            assert kinds(warm) == ["response.created", "response.completed"]
            assert not upstream.requests
            previous = warm[-1]["response"]["id"]
            await caller.turn(input="y", previous_response_id=previous)
            assert upstream.requests[-1].kinds == ["message", "message"]


@pytest.mark.parametrize(("status", "code"), [(429, "rate_limit_exceeded"), (503, "overloaded")])
async def test_a_continuation_that_is_refused_for_a_while_is_tried_again_with_all_items(
    status: int, code: str
) -> None:
    error = {"code": code, "message": "Not now.", "type": "error"}
    refusal = {"status": status, "error": error, "headers": {"retry-after": "0.01"}}
    with TurnUpstream() as upstream:
        async with open_over(upstream) as caller:
            first = await caller.turn(model="gpt", input="hi", store=False)
            previous = first[-1]["response"]["id"]
            upstream.faults.append(refusal)
            frames = await caller.turn(
                model="gpt", input="on", store=False, previous_response_id=previous
            )
        assert kinds(frames).count("response.created") == 1
        assert frames[-1]["type"] == "response.completed"
        assert frames[-1]["response"]["previous_response_id"] == previous
        _, refused, again = upstream.requests
    assert refused.body["input"] == "on"
    assert again.kinds == ["message", "message", "message"]
    assert "previous_response_id" not in again.body
