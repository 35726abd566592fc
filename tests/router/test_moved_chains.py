"""Chains over a connection that go on at another deployment than they began at."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from azure_responses import Router
from azure_responses.emulator import Clock, Emulator, Fault
from azure_responses.errors import RateLimitError
from tests.router.both import emulate, rows_of
from tests.router.turn_upstream import TurnUpstream

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=[True, False], ids=["native", "HTTP-backed"])
def is_native(request: pytest.FixtureRequest) -> bool:
    """Whether the deployments have WebSockets."""
    return bool(request.param)


@asynccontextmanager
async def _closed(emulator: Emulator) -> AsyncIterator[None]:
    try:
        yield
    finally:
        emulator.close()


class _Chain:
    """Turns of one connection that follow one another."""

    def __init__(self, connection: Any, before: Any, **settings: Any) -> None:
        self.settings = settings
        self.connection = connection
        self.latest = before

    async def turn(self, text: str, **more: Any) -> Any:
        stream = self.connection.create(
            input=text,
            previous_response_id=self.latest and self.latest.id,
            store=False,
            **self.settings,
            **more,
        )
        self.latest = await stream.get_final_response()
        return self.latest


# The reasoning of one resource is left out at the other one.
@pytest.mark.filterwarnings("ignore:Encrypted reasoning was left out:UserWarning")
async def test_a_chain_behind_a_stored_response_is_replayed_where_its_resource_is_down(
    is_native: bool, clock: Clock, request: pytest.FixtureRequest
) -> None:
    if not is_native:
        # With it a handshake would be late at once.
        request.getfixturevalue("naps")
    emulator = emulate(clock=clock)
    rows = rows_of(emulator, websocket=is_native)
    async with (
        _closed(emulator),
        httpx.AsyncClient(transport=emulator.httpx_transport()) as http_client,
        Router(rows, async_http_client=http_client, affinity_secret="s" * 32) as router,
    ):
        first: Any = await router.aresponses(model="gpt", input="My name is Ann.")
        home = first.route.deployment
        async with router.aconnect("gpt", timeout=5) as connection:
            chain = _Chain(connection, first, reasoning={"effort": "high"})
            assert (await chain.turn("I like tea.")).route.deployment == home
            fault = Fault("http-429", operation="create", resource=home, retry_after=500)
            emulator.faults.add(fault)
            for _ in range(2):
                moved = await chain.turn("What is my name?", on_origin_down="replay")
                assert "Ann" in moved.output_text
                assert moved.route.replays
                assert moved.route.deployment != home
            emulator.faults.clear()
            if is_native:
                return
            clock.advance(600)
            for _ in range(2):
                back = await chain.turn("What is my name?")
                assert "Ann" in back.output_text
                assert (back.route.deployment, back.route.replays) == (home, False)


async def test_without_replay_a_chain_behind_a_stored_response_waits_for_its_resource(
    is_native: bool,
) -> None:
    emulator = emulate()
    rows = rows_of(emulator, websocket=is_native)
    async with (
        _closed(emulator),
        httpx.AsyncClient(transport=emulator.httpx_transport()) as http_client,
        Router(rows, async_http_client=http_client, affinity_secret="s" * 32) as router,
    ):
        first: Any = await router.aresponses(model="gpt", input="My name is Ann.")
        home = first.route.deployment
        async with router.aconnect("gpt", timeout=5) as connection:
            chain = _Chain(connection, first)
            await chain.turn("I like tea.")
            fault = Fault("http-429", operation="create", resource=home, retry_after=500)
            emulator.faults.add(fault)
            with pytest.raises(RateLimitError, match="500 seconds") as caught:
                await chain.turn("What is my name?")
            assert caught.value.retry_after == pytest.approx(500, abs=5)
        assert {one.resource for one in emulator.requests} == {home}


async def test_a_chain_goes_from_a_socket_to_chat_and_back_with_all_its_items(
    clock: Clock, naps: list[float]
) -> None:
    refusal = {"error": {"code": "rate_limit_exceeded", "message": "later"}}
    with TurnUpstream() as native, TurnUpstream() as chat:
        rows = [
            _row(native, "native", websocket=True, order=1),
            _row(chat, "chat", api="chat", order=2),
        ]
        async with Router(rows) as router, router.aconnect("gpt") as connection:
            chain = _Chain(connection, None)
            assert (await chain.turn("one")).route.deployment == "native"
            native.faults.append({"status": 429, **refusal, "headers": {"retry-after": "60"}})
            assert (await chain.turn("two")).route.deployment == "chat"
            assert (await chain.turn("three")).route.deployment == "chat"
            clock.advance(100)
            chat.http_faults.append((429, refusal))
            assert (await chain.turn("four")).route.deployment == "native"
            assert (await chain.turn("five")).route.deployment == "native"
    asked = ["one", "two", "three", "four", "five"]
    begun, refused, back, after = (one.body for one in native.requests)
    assert (begun["input"], refused["input"], after["input"]) == ("one", "two", "five")
    for count, body in ((2, chat.requests[0].body), (3, chat.requests[1].body)):
        said = [one["content"] for one in body["messages"] if one["role"] == "user"]
        assert said == asked[:count]
        answers = [one for one in body["messages"] if one["role"] == "assistant"]
        assert len(answers) == count - 1
    assert [one["content"] for one in back["input"] if one["role"] == "user"] == asked[:4]
    assert len([one for one in back["input"] if one["role"] == "assistant"]) == 3
    assert "previous_response_id" not in back


def _row(upstream: TurnUpstream, name: str, **params: Any) -> dict[str, Any]:
    given = {"model": "azure/gpt-4o", "api_base": upstream.url, "api_key": "key"}
    return {
        "model_name": "gpt",
        "params": {**given, "allow_insecure": True, **params},
        "model_info": {"id": name},
    }
