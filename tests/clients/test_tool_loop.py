"""`client.responses.run_tools`, on the sync client, asyncio and trio."""

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from azure_responses import (
    AsyncAzureResponses,
    ConfigurationError,
    MaxTurnsError,
    ToolCheckpoint,
)
from azure_responses.emulator import Emulator, Fault
from tests.clients.both import run, run_served

MCP = {"type": "mcp", "server_label": "docs", "server_url": "https://mcp.example.com"}


class Place(BaseModel):
    city: str


class Answer(BaseModel):
    text: str


class Weather:
    """A function with a memory of its calls."""

    def __init__(self) -> None:
        self.cities: list[str] = []

    def get_weather(self, place: Place) -> dict[str, Any]:
        """The weather of a place."""
        self.cities.append(place.city)
        return {"celsius": 21}


def ask(rounds: int) -> str:
    return f"get_weather in Paris [[azure:rounds:{rounds}]]"


@pytest.mark.parametrize("store", [None, False])
@pytest.mark.parametrize("model", ["gpt-5-mini", "gpt-4o", "kimi-k2.5", "claude-sonnet-4-5"])
def test_a_loop_of_twenty_turns_ends_with_the_answer(
    runner: str, emulator: Emulator, model: str, store: bool | None
) -> None:
    weather = Weather()

    async def scenario(client: Any) -> None:
        response = await client.responses.run_tools(
            model=model, input=ask(19), tools=[weather.get_weather], store=store, max_turns=20
        )
        assert '"celsius"' in response.output_text
        assert weather.cities == ["Paris"] * 19

    run(runner, emulator, scenario)


def test_a_loop_that_does_not_end_raises_with_its_last_response(
    runner: str, emulator: Emulator
) -> None:
    weather = Weather()

    async def scenario(client: Any) -> None:
        arguments: dict[str, Any] = {"model": "gpt-5-mini", "tools": [weather.get_weather]}
        with pytest.raises(MaxTurnsError) as caught:
            await client.responses.run_tools(input=ask(3), max_turns=2, **arguments)
        assert caught.value.response.output[-1].name == "get_weather"
        # The calls of the last response were not carried out: only going on does.
        assert len(weather.cities) == 1
        response = await client.responses.run_tools(resume=caught.value.checkpoint, **arguments)
        assert response.output_text
        assert len(weather.cities) == 3

    run(runner, emulator, scenario)


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("stop", range(7))
def test_every_checkpoint_goes_on_without_calling_or_asking_twice(
    emulator: Emulator, store: bool, stop: int
) -> None:
    weather = Weather()
    texts: list[str] = []

    class Crash(Exception):
        pass

    def keep(checkpoint: ToolCheckpoint) -> None:
        texts.append(checkpoint.to_json())
        if len(texts) == stop + 1:
            raise Crash

    async def scenario(client: Any) -> None:
        arguments = {"model": "gpt-5", "tools": [weather.get_weather], "store": store}
        with pytest.raises(Crash):
            await client.responses.run_tools(input=ask(3), on_checkpoint=keep, **arguments)
        response = await client.responses.run_tools(
            resume=ToolCheckpoint.from_json(texts[-1]), text_format=None, **arguments
        )
        assert response.output_text
        assert len(weather.cities) == 3
        asked = [each for each in emulator.requests if each.path.endswith("/responses")]
        assert len([each for each in asked if each.status == 200]) == 4

    run("sync", emulator, scenario)


def test_a_finished_checkpoint_gives_the_typed_answer_again(
    runner: str, emulator: Emulator
) -> None:
    kept: list[ToolCheckpoint] = []

    async def scenario(client: Any) -> None:
        arguments = {"model": "gpt-5", "text_format": Place}
        first = await client.responses.run_tools(
            input="city: Rome", on_checkpoint=kept.append, **arguments
        )
        again = await client.responses.run_tools(resume=kept[-1], **arguments)
        assert again.output_parsed == first.output_parsed
        assert isinstance(again.output_parsed, Place)
        assert len(emulator.requests) == 1

    run(runner, emulator, scenario)


def test_exceptions_of_functions_go_to_the_model_or_to_the_caller(
    runner: str, emulator: Emulator
) -> None:
    def look_up(word: str) -> str:
        raise LookupError("no such word")

    async def scenario(client: Any) -> None:
        arguments: dict[str, Any] = {"model": "gpt-5", "input": "look_up it", "tools": [look_up]}
        response = await client.responses.run_tools(**arguments)
        assert "LookupError: no such word" in response.output_text
        with pytest.raises(LookupError, match="no such word"):
            await client.responses.run_tools(on_function_error="raise", **arguments)

    run(runner, emulator, scenario)


def test_parallel_calls_are_under_way_together(runner: str, emulator: Emulator) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def get_weather(city: str) -> str:
        meeting.wait()
        return "sunny"

    async def scenario(client: Any) -> None:
        response = await client.responses.run_tools(
            model="gpt-5", input="get_weather in Paris, Rome and Oslo", tools=[get_weather]
        )
        assert response.output_text.count("sunny") == 3

    run(runner, emulator, scenario)


def test_one_call_at_a_time_where_the_caller_asks_for_it(runner: str, emulator: Emulator) -> None:
    lock = threading.Lock()

    def get_weather(city: str) -> str:
        assert lock.acquire(blocking=False)
        lock.release()
        return "sunny"

    async def scenario(client: Any) -> None:
        response = await client.responses.run_tools(
            model="gpt-5",
            input="get_weather in Paris, Rome and Oslo",
            tools=[get_weather],
            max_concurrency=1,
            on_function_error="raise",
        )
        assert response.output_text.count("sunny") == 3

    run(runner, emulator, scenario)


@pytest.mark.parametrize(
    ("decision", "approved"), [(True, True), (False, False), ("not today", False)]
)
def test_calls_of_remote_tools_are_approved_by_a_callback(
    runner: str, emulator: Emulator, decision: Any, approved: bool
) -> None:
    asked: list[str] = []

    def decide(request: Any) -> Any:
        asked.append(request.server_label)
        return decision

    async def scenario(client: Any) -> None:
        weather = Weather()
        response = await client.responses.run_tools(
            model="gpt-5",
            input="use the docs mcp server",
            tools=[MCP, weather.get_weather],
            on_approval=decide,
        )
        assert asked == ["docs"]
        assert any(item.type == "mcp_call" for item in response.output) is approved
        assert response.output_text

    run(runner, emulator, scenario)


def test_without_a_callback_a_request_for_approval_ends_the_loop(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.run_tools(
            model="gpt-5", input="use the docs mcp server", tools=[MCP]
        )
        assert response.output[-1].type == "mcp_approval_request"

    run(runner, emulator, scenario)


def test_each_turn_is_streamed_where_events_are_wanted(runner: str, emulator: Emulator) -> None:
    kinds: list[str] = []

    async def scenario(client: Any) -> None:
        response = await client.responses.run_tools(
            model="gpt-5",
            input=ask(2),
            tools=[Weather().get_weather],
            on_event=lambda event: kinds.append(event.type),
            text_format=None,
        )
        assert kinds.count("response.created") == kinds.count("response.completed") == 3
        assert "response.output_text.delta" in kinds
        assert response.output_text

    run(runner, emulator, scenario)


def test_a_background_response_is_awaited(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        response = await client.responses.run_tools(
            model="gpt-5", input=ask(1), tools=[Weather().get_weather], background=True
        )
        assert response.status == "completed"
        assert response.output_text

    run(runner, emulator, scenario)


def test_functions_and_callbacks_may_be_async_where_the_client_awaits(emulator: Emulator) -> None:
    met = anyio.Event()
    noted: list[int] = []

    async def get_weather(city: str) -> str:
        """The weather."""
        # Only another call, under way at the same time, sets it.
        if city == "Paris":
            await met.wait()
        met.set()
        return "sunny"

    async def note(checkpoint: ToolCheckpoint) -> None:
        noted.append(checkpoint.turns)

    async def scenario(client: AsyncAzureResponses) -> None:
        response = await client.responses.run_tools(
            model="gpt-5",
            input="get_weather in Paris and Rome",
            tools=[get_weather],
            on_checkpoint=note,
        )
        assert response.output_text.count("sunny") == 2
        assert noted == [1, 1, 2]

    run("trio", emulator, scenario)


def test_the_sync_client_refuses_async_functions(emulator: Emulator) -> None:
    async def get_weather(city: str) -> str:
        return "sunny"

    async def note(checkpoint: ToolCheckpoint) -> None: ...

    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="get_weather is async"):
            await client.responses.run_tools(model="gpt-5", input="hi", tools=[get_weather])
        assert list(emulator.requests) == []
        with pytest.raises(ConfigurationError, match="async function"):
            await client.responses.run_tools(model="gpt-5", input="hi", on_checkpoint=note)

    run("sync", emulator, scenario)


@pytest.mark.parametrize(
    "option", [{"max_turns": 0}, {"max_concurrency": 0}, {"on_function_error": "ignore"}]
)
def test_invalid_options_are_refused_before_anything_is_sent(
    runner: str, emulator: Emulator, option: dict[str, Any]
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError):
            await client.responses.run_tools(model="gpt-5", input="hi", **option)
        assert list(emulator.requests) == []

    run(runner, emulator, scenario)


@pytest.fixture
def served(emulator: Emulator) -> Iterator[str]:
    """The emulator's URL."""
    with emulator.serve() as server:
        yield server.url


@pytest.mark.parametrize("store", [True, False])
def test_a_loop_of_twenty_turns_runs_over_one_websocket(
    runner: str, emulator: Emulator, served: str, store: bool
) -> None:
    weather = Weather()

    async def scenario(client: Any) -> None:
        async with client.responses.connect("gpt-5-mini") as connection:
            response = await connection.run_tools(
                input=ask(19), tools=[weather.get_weather], store=store, max_turns=20
            )
        assert '"celsius"' in response.output_text
        assert weather.cities == ["Paris"] * 19

    run_served(runner, served, scenario, api_key=emulator.api_key)
    first, *turns = emulator.requests
    assert first.operation == "connect"
    assert [turn.transport for turn in turns] == ["websocket"] * 20
    # After the first turn an output is all that is sent.
    assert all(len(turn.json()["input"]) == 1 for turn in turns[1:])


def test_a_loop_goes_on_in_full_where_the_connection_has_forgotten_it(
    runner: str, emulator: Emulator, served: str
) -> None:
    emulator.faults.add(Fault("websocket-forget", nth=3))
    weather = Weather()
    kinds: list[str] = []

    async def scenario(client: Any) -> None:
        async with client.responses.connect("gpt-5-mini") as connection:
            response = await connection.run_tools(
                input=ask(4),
                tools=[weather.get_weather],
                store=False,
                lane="other",
                on_event=lambda event: kinds.append(event.type),
                text_format=Answer,
            )
        assert isinstance(response.output_parsed, Answer)

    run_served(runner, served, scenario, api_key=emulator.api_key)
    assert weather.cities == ["Paris"] * 4
    assert kinds.count("response.completed") == 5
    # The second turn is refused, and sent again in full.
    lengths = [len(turn.json()["input"]) for turn in list(emulator.requests)[2:]]
    assert [length == 1 for length in lengths] == [True, False, True, True, True]


@pytest.mark.parametrize("model", ["kimi-k2.5", "claude-sonnet-4-5"])
def test_a_loop_over_a_connection_serves_deployments_of_other_apis(
    runner: str, emulator: Emulator, served: str, model: str
) -> None:
    weather = Weather()

    async def scenario(client: Any) -> None:
        async with client.responses.connect(model) as connection:
            response = await connection.run_tools(
                input=ask(19), tools=[weather.get_weather], store=False, max_turns=20
            )
        assert '"celsius"' in response.output_text

    run_served(runner, served, scenario, api_key=emulator.api_key)
    assert weather.cities == ["Paris"] * 19
