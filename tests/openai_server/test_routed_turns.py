"""Turns of a served connection over a deployment with WebSockets, and over one without."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from azure_responses import Router
from tests.openai_server.connections import Caller, open_caller_of, perform_over
from tests.router.turn_upstream import TurnUpstream, message

pytestmark = pytest.mark.anyio

REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=[True, False], ids=["native", "HTTP-backed"])
def is_native(request: pytest.FixtureRequest) -> bool:
    """Whether the deployment has WebSockets."""
    return bool(request.param)


@asynccontextmanager
async def _open(
    upstream: TurnUpstream, is_native: bool, owner: str = "alice", **params: Any
) -> AsyncIterator[Caller]:
    row = {
        "model_name": "gpt",
        "params": {
            "model": "azure/gpt-5",
            "api_base": upstream.url,
            "api_key": "key",
            "allow_insecure": True,
            "websocket": is_native,
            **params,
        },
    }
    async with (
        Router([row], affinity_secret="s" * 32) as router,
        open_caller_of(router, perform_over(router, owner), owner=owner) as caller,
    ):
        yield caller


async def test_a_tool_loop_of_twenty_turns(is_native: bool) -> None:
    def answer(body: dict[str, Any], number: int) -> list[dict[str, Any]]:
        call = {"type": "function_call", "id": f"fc_{number}", "name": "f", "arguments": "{}"}
        return [dict(REASONING), {**call, "call_id": f"c{number}"}]

    with TurnUpstream(answer) as upstream:
        async with _open(upstream, is_native) as caller:
            previous, given = None, "begin"
            for _ in range(20):
                frames = await caller.turn(
                    model="gpt", input=given, store=False, previous_response_id=previous
                )
                assert "encrypted_content" not in str(frames)
                response = frames[-1]["response"]
                assert (response["status"], response["model"]) == ("completed", "gpt")
                assert response["previous_response_id"] == previous
                previous = response["id"]
                call_id = response["output"][1]["call_id"]
                given = [{"type": "function_call_output", "call_id": call_id, "output": "x"}]  # type: ignore[assignment]
        assert len(upstream.requests) == 20
        last = upstream.requests[-1]
        pair = ["reasoning", "function_call", "function_call_output"]
        assert last.kinds == (["function_call_output"] if is_native else ["message", *pair * 19])
        assert last.body["include"] == ["reasoning.encrypted_content"]
        assert upstream.handshakes == (1 if is_native else 0)


async def test_a_socket_that_is_lost_between_turns_is_not_noticed_by_the_caller() -> None:
    with TurnUpstream() as upstream:
        async with _open(upstream, True) as caller:
            (*_, first) = await caller.turn(model="gpt", input="a", store=False)
            upstream.faults.append("lost")
            previous = first["response"]["id"]
            frames = await caller.turn(input="b", store=False, previous_response_id=previous)
        assert [frame["type"] for frame in frames].count("response.created") == 1
        assert frames[-1]["type"] == "response.completed"
        assert upstream.requests[-1].kinds == ["message", "message", "message"]


@pytest.mark.parametrize("store", [True, False])
async def test_a_socket_that_is_cut_after_output_never_ends_in_completed(store: bool) -> None:
    with TurnUpstream() as upstream:
        async with _open(upstream, True) as caller:
            upstream.faults.append("cut")
            frames = await caller.turn(model="gpt", input="a", store=store)
            assert frames[-1]["type"] in ("error", "response.failed")
            assert "response.completed" not in [frame["type"] for frame in frames]
            assert len(upstream.requests) == 1
            # The connection goes on.
            (*_, after) = await caller.turn(model="gpt", input="b", store=store)
            assert after["type"] == "response.completed"


async def test_an_id_of_another_owner_is_refused_and_nothing_is_sent(is_native: bool) -> None:
    with TurnUpstream() as upstream:
        async with _open(upstream, is_native) as caller:
            (*_, made) = await caller.turn(model="gpt", input="a")
        async with _open(upstream, is_native, owner="bob") as caller:
            previous = made["response"]["id"]
            (refused,) = await caller.turn(model="gpt", input="b", previous_response_id=previous)
        assert refused["error"]["code"] == "previous_response_not_found"
        assert len(upstream.requests) == 1


async def test_a_warm_up_is_made_where_the_service_makes_it(is_native: bool) -> None:
    with TurnUpstream() as upstream:
        async with _open(upstream, is_native) as caller:
            frames = await caller.turn(model="gpt", input="a", generate=False)
            (*_, after) = await caller.turn(
                input="b", previous_response_id=frames[-1]["response"]["id"]
            )
        assert after["type"] == "response.completed"
        last = upstream.requests[-1].body
        if is_native:
            assert (upstream.requests[0].body["generate"], last["input"]) == (False, "b")
        else:
            assert [item["content"] for item in last["input"]] == ["a", "b"]
            assert "generate" not in last


async def test_a_steered_response_is_followed_by_its_successor() -> None:
    with TurnUpstream(lambda _, number: [message(str(number), number)]) as upstream:
        async with _open(upstream, True) as caller:
            upstream.waits_for_steer = True
            caller.create(model="gpt", input="a", store=False)
            created = await caller.receive()
            first = created["response"]["id"]
            caller.send({"type": "response.steer", "previous_response_id": first, "input": "Stop."})
            steered = await caller.rest()
            told = next(frame for frame in steered if frame["type"] == "response.steer.accepted")
            assert told["steer"]["previous_response_id"] == first
            assert steered[-1]["response"]["incomplete_details"]["reason"] == "steered"
            successor = await caller.rest()
            assert successor[0]["type"] == "response.created"
            assert successor[-1]["response"]["previous_response_id"] == first
            (*_, after) = await caller.turn(
                input="b", store=False, previous_response_id=successor[-1]["response"]["id"]
            )
            assert after["type"] == "response.completed"
        assert [one.body["input"] for one in upstream.requests] == ["a", "b"]
