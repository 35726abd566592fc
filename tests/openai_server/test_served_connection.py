"""One WebSocket connection of a caller: turns, lanes, chains, steering, and how it ends."""

import pytest

from tests.openai_server.connections import open_caller
from tests.openai_server.servers import make_emulator, rows

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_turn_brings_the_events_of_a_stream_and_stays_open_for_the_next() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        first = await caller.turn(model="chat", input="Say hello")
        assert first[0]["type"] == "response.created"
        assert first[-1]["type"] == "response.completed"
        assert not any("stream_id" in frame for frame in first)
        second = await caller.turn(model="chat", input="Say hello")
        assert second[-1]["type"] == "response.completed"
        assert first[-1]["response"]["id"] != second[-1]["response"]["id"]


async def test_frames_of_a_named_lane_carry_its_name() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        frames = await caller.turn(model="chat", input="Say hello", stream_id="a.b-c_1")
        assert {frame["stream_id"] for frame in frames} == {"a.b-c_1"}


async def test_a_chain_that_no_service_stores_is_kept_by_the_connection() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        (*_, first) = await caller.turn(model="chat", input="My name is Ada.", store=False)
        previous = first["response"]["id"]
        (*_, second) = await caller.turn(
            input="What is my name?", store=False, previous_response_id=previous
        )
        assert second["type"] == "response.completed"
        assert second["response"]["previous_response_id"] == previous
        assert "Ada" in str(second["response"]["output"])


async def test_a_binary_frame_ends_the_connection() -> None:
    async with open_caller(make_emulator(), rows("east")) as caller:
        caller.send(b"{}")
        assert (await caller.closed()).code == 1003
