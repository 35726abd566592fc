"""What a client's connection does, one scenario each, over a scripted resource."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from azure_responses import (
    APIConnectionError,
    AsyncAzureResponses,
    CallRecord,
    ConfigurationError,
    ResponseNotFoundError,
    SteeringError,
    StreamInterruptedError,
)
from azure_responses.types import ParsedResponse
from tests.clients.both import run_served
from tests.clients.conftest import read
from tests.soak.scripted_upstream import KEY, ScriptedUpstream, threaded_upstream

_SETTINGS: Any = {"api_key": KEY, "deployment": "gpt-5-mini"}


@pytest.fixture
def served() -> Iterator[tuple[str, ScriptedUpstream]]:
    with threaded_upstream() as found:
        yield found


Served = tuple[str, ScriptedUpstream]


def test_turns_of_a_connection_share_a_socket_and_continue_unstored_responses(
    runner: str, served: Served
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            async with connection.create(input="text deltas=2", store=False) as stream:
                events = [event async for event in stream]
            assert events[0].type == "response.created"
            assert events[-1].type == "response.completed"
            first = await stream.get_final_response()
            assert first.output_text == " word0 word1"
            assert first.store is False
            second = connection.create(
                input="text deltas=1", previous_response_id=first.id, store=False
            )
            assert (await second.get_final_response()).output_text == " word0"
            assert connection.is_websocket

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 1
    first, second = upstream.bodies
    assert first["model"] == "gpt-5-mini"
    assert second["previous_response_id"]
    assert second["input"] == "text deltas=1"
    assert "stream" not in first


def test_a_tool_loop_of_twenty_turns_keeps_reasoning_on_one_socket(
    runner: str, served: Served
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            await _loop(connection, turns=20)

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 1
    assert len(upstream.bodies) == 20
    assert all(len(body["input"]) == 1 for body in list(upstream.bodies)[1:])


async def _loop(connection: Any, *, turns: int, breaks: dict[int, str] | None = None) -> None:
    """A tool loop with store=False; `breaks` are further words of the scripts of some turns."""
    given: Any = "call" if turns > 1 else "text"
    previous = None
    for turn in range(1, turns + 1):
        stream = connection.create(input=given, previous_response_id=previous, store=False)
        response = await stream.get_final_response()
        previous = response.id
        if turn == turns:
            assert response.output_text
            return
        call = response.output[-1]
        assert response.output[0].type == "reasoning"
        kind = "call" if turn + 1 < turns else "text"
        said = f"{kind} turn {turn + 1} {(breaks or {}).get(turn + 1, '')}"
        given = [{"type": "function_call_output", "call_id": call.call_id, "output": said}]


def test_with_replay_a_tool_loop_survives_lost_sockets(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            await _loop(connection, turns=20, breaks={5: "reset@0", 11: "close@0", 17: "half@0"})

    run_served(runner, url, scenario, **_SETTINGS, max_retries=3)
    assert upstream.handshakes == 4
    replayed = [body for body in upstream.bodies if "call" in str(body["input"][0])]
    assert not any("previous_response_id" in b for b in replayed if len(b["input"]) > 2)
    whole = max(upstream.bodies, key=lambda body: len(body["input"]))
    kinds = [item["type"] for item in whole["input"]]
    assert kinds[:4] == ["message", "reasoning", "function_call", "function_call_output"]
    assert whole["input"][1]["encrypted_content"]


def test_without_replay_a_lost_socket_ends_an_unstored_chain_with_a_hint(
    runner: str, served: Served
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            first = await connection.create(input="text", store=False).get_final_response()
            with pytest.raises(ResponseNotFoundError, match=r"connect\(replay=True\)"):
                await connection.create(
                    input="text reset@0", previous_response_id=first.id, store=False
                ).get_final_response()
            # The connection itself is of use.
            assert await connection.create(input="text").get_final_response()

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.ended["text"] == 2


def test_a_stored_chain_survives_lost_sockets(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            first = await connection.create(input="text").get_final_response()
            second = connection.create(input="text reset@0", previous_response_id=first.id)
            assert (await second.get_final_response()).status == "completed"

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 2


def test_a_socket_lost_after_output_is_an_interruption_and_nothing_is_sent_again(
    runner: str, served: Served
) -> None:
    url, upstream = served
    seen: list[Any] = []

    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            stream = connection.create(input="text reset@6", store=False)
            with pytest.raises(StreamInterruptedError) as caught:
                await read(stream, seen)
            assert caught.value.partial.output_text
            later = await connection.create(input="text").get_final_response()
            assert later.status == "completed"

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.begun["text reset@6"] == 1
    assert [event.type for event in seen][-1] == "response.output_text.delta"


def test_a_warm_up_generates_nothing_and_is_continued(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            ready = await connection.warm_up(instructions="Be brief.", input="hello", store=False)
            assert ready.output == []
            final = connection.create(input="text", previous_response_id=ready.id, store=False)
            assert (await final.get_final_response()).output_text

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.bodies[0]["generate"] is False
    assert "generate" not in upstream.bodies[1]


class Place(BaseModel):
    name: str


def test_a_turn_has_a_parsed_answer_where_a_type_was_asked_for(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            stream = connection.create(input="call", text_format=Place)
            final = await stream.get_final_response()
            assert isinstance(final, ParsedResponse)
            assert final.output_parsed is None

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.bodies[0]["text"]["format"]["name"] == "Place"


def test_leaving_a_stream_early_ends_its_socket_and_the_next_turn_opens_another(
    runner: str, served: Served
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            async with connection.create(input="text deltas=500") as stream:
                async for event in stream:
                    if event.type == "response.output_text.delta":
                        break
            assert await connection.create(input="text").get_final_response()
            async for _event in connection.create(input="text deltas=400"):
                break
            assert await connection.create(input="text").get_final_response()

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 3


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_turn_that_is_cancelled_ends_its_socket_and_frees_its_lane(
    served: Served, backend: str
) -> None:
    url, upstream = served

    async def main() -> None:
        async with (
            AsyncAzureResponses(url, **_SETTINGS) as client,
            client.responses.connect() as connection,
        ):
            for place in (0, 6):
                with anyio.move_on_after(0.3) as scope:
                    await connection.create(input=f"text stall!@{place}").get_final_response()
                assert scope.cancelled_caught
                again = await connection.create(input="text").get_final_response()
                assert again.status == "completed"

    anyio.run(main, backend=backend)
    assert upstream.handshakes == 3
    assert upstream.overlaps == 0


def test_each_turn_is_one_call_for_those_who_watch_calls(runner: str, served: Served) -> None:
    url, _ = served
    told: list[CallRecord] = []

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            first = await connection.create(input="text").get_final_response()
            await connection.create(
                input="text", previous_response_id=first.id
            ).get_final_response()

    run_served(runner, url, scenario, on_response=told.append, **_SETTINGS)
    assert [record.response_id for record in told] == [f"resp_{n:048x}" for n in (1, 2)]
    assert all(record.usage is not None for record in told)


def test_a_lane_has_a_socket_of_its_own(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            left = await connection.create(input="text deltas=3").open()
            right = connection.create(input="text deltas=2", lane="right")
            assert (await right.get_final_response()).output_text == " word0 word1"
            assert (await left.get_final_response()).output_text == " word0 word1 word2"

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 2
    assert upstream.overlaps == 0


def test_a_fork_into_another_lane_is_replayed(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            first = await connection.create(input="reasoning", store=False).get_final_response()
            for lane in ("a", None):
                turn = connection.create(
                    input="text", previous_response_id=first.id, store=False, lane=lane
                )
                assert (await turn.get_final_response()).status == "completed"

    run_served(runner, url, scenario, **_SETTINGS)
    whole, short = list(upstream.bodies)[1:]
    kinds = [item["type"] for item in whole["input"]]
    assert kinds == ["message", "reasoning", "message", "message"]
    assert short["previous_response_id"]


def test_with_replay_a_turn_goes_on_from_an_earlier_response_of_its_lane(
    runner: str, served: Served
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect(replay=True) as connection:
            ids: list[str] = []
            for _ in range(3):
                previous = ids[-1] if ids else None
                stream = connection.create(input="text", previous_response_id=previous, store=False)
                ids.append((await stream.get_final_response()).id)
            fork = connection.create(input="text", previous_response_id=ids[0], store=False)
            final = await fork.get_final_response()
            assert final.status == "completed"
            on = connection.create(input="text", previous_response_id=final.id, store=False)
            assert (await on.get_final_response()).status == "completed"

    run_served(runner, url, scenario, **_SETTINGS)
    fork, on = list(upstream.bodies)[3:]
    assert "previous_response_id" not in fork
    assert [item["role"] for item in fork["input"]] == ["user", "assistant", "user"]
    # The socket has made the fork, so that new items are enough.
    assert on["input"] == "text"
    assert upstream.handshakes == 1


def test_a_turn_refused_leaves_the_connection_of_use(runner: str, served: Served) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            with pytest.raises(ResponseNotFoundError):
                await connection.create(
                    input="text", previous_response_id="resp_none"
                ).get_final_response()
            assert await connection.create(input="text").get_final_response()

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 1


def test_a_closed_connection_says_so(runner: str, served: Served) -> None:
    url, _ = served

    async def scenario(client: Any) -> None:
        connection = client.responses.connect()
        early = connection.create(input="text")
        async with connection:
            open_stream = await connection.create(input="text deltas=500", lane="x").open()
        with pytest.raises(APIConnectionError, match="The connection is closed"):
            await early.open()
        with pytest.raises((APIConnectionError, StreamInterruptedError)):
            await open_stream.get_final_response()
        with pytest.raises(APIConnectionError, match="The connection is closed"):
            connection.create(input="text")
        with pytest.raises(APIConnectionError, match="The connection is closed"):
            await connection.warm_up(input="text")
        with pytest.raises(APIConnectionError, match="The connection is closed"):
            await connection.steer("resp_1", "text")
        with pytest.raises(APIConnectionError, match="The connection is closed"):
            connection.successor()
        with pytest.raises(APIConnectionError, match="The connection is closed"):
            await connection.__aenter__()

    run_served(runner, url, scenario, **_SETTINGS)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"background": True}, ConfigurationError, "background"),
        ({"lane": ""}, ConfigurationError, "lane ''"),
        ({"lane": "a b"}, ConfigurationError, "lane 'a b'"),
        ({"lane": "x" * 257}, ConfigurationError, "is invalid"),
        ({"frobnicate": 1}, TypeError, "frobnicate"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(
    runner: str, served: Served, arguments: Any, error: Any, message: str
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            with pytest.raises(error, match=message):
                await connection.create(input="text", **arguments)

    run_served(runner, url, scenario, **_SETTINGS)
    assert upstream.handshakes == 0


def test_what_no_lane_makes_cannot_be_steered(runner: str, served: Served) -> None:
    url, _ = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            with pytest.raises(SteeringError) as caught:
                await connection.steer("resp_1", "Shorter.")
            assert caught.value.code == "response_not_found"
            assert caught.value.input == "Shorter."
            with pytest.raises(SteeringError, match="No response of this lane"):
                connection.successor()

    run_served(runner, url, scenario, **_SETTINGS)


def test_a_turn_that_draws_images_gets_a_handshake_that_names_the_image_deployment(
    runner: str, served: Served
) -> None:
    url, upstream = served

    async def scenario(client: Any) -> None:
        async with client.responses.connect() as connection:
            for tools in ([], [{"type": "image_generation"}], [], [{"type": "image_generation"}]):
                await connection.create(input="text", tools=tools).get_final_response()

    run_served(runner, url, scenario, **_SETTINGS, image_deployment="draws")
    assert upstream.handshakes == 2
    assert len(upstream.bodies) == 4


def test_headers_that_an_open_socket_cannot_send_are_named_in_a_warning(
    runner: str, served: Served
) -> None:
    url, _ = served

    async def scenario(client: Any) -> None:
        late: Any = {"extra_headers": {"x-team": "a"}, "extra_query": {"feature": "b"}}
        async with client.responses.connect() as connection:
            await connection.create(input="text").get_final_response()
            with pytest.warns(UserWarning, match=r"x-team, feature is not sent.*connect\(\)"):
                stream = connection.create(input="text", **late)
            await stream.get_final_response()

    run_served(runner, url, scenario, **_SETTINGS)
