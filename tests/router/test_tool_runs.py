"""`router.run_tools`, over HTTP: each turn is a routed call."""

from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses import ConfigurationError, MaxTurnsError, ResponseNotFoundError, ToolCheckpoint
from azure_responses.emulator import EmulatedDeployment, Fault
from tests.router.both import emulate, rows_of, run


class Place(BaseModel):
    """Where."""

    city: str


class Answer(BaseModel):
    """The type of an answer."""

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
@pytest.mark.parametrize("model", ["gpt-5", "gpt-4o", "kimi-k2.5"])
def test_a_loop_over_two_resources_ends_with_the_answer(
    runner: str, model: str, store: bool | None
) -> None:
    emulator = emulate(2, EmulatedDeployment(model))
    weather = Weather()

    async def scenario(router: Any) -> None:
        response = await router.run_tools(
            model="gpt", input=ask(9), tools=[weather.get_weather], store=store
        )
        assert '"celsius"' in response.output_text
        assert weather.cities == ["Paris"] * 9
        assert response.route.deployment in ("east", "west")

    run(runner, emulator, scenario, rows_of(emulator, model=f"azure/{model}"))
    # A conversation that is stored, or whose reasoning is encrypted, stays where it began.
    served = {request.resource for request in emulator.requests if request.status == 200}
    assert len(served) == 1 or store is False


def test_a_turn_that_fails_on_one_resource_goes_to_another(runner: str) -> None:
    emulator = emulate(2, EmulatedDeployment("gpt-5", model="gpt-4o"))
    emulator.faults.add(Fault("http-503", nth=2, times=1))
    weather = Weather()

    async def scenario(router: Any) -> None:
        response = await router.run_tools(
            model="gpt", input=ask(3), tools=[weather.get_weather], store=False
        )
        assert '"celsius"' in response.output_text
        # A function is called once for each call of the model.
        assert weather.cities == ["Paris"] * 3

    run(runner, emulator, scenario, rows_of(emulator))


def test_the_events_of_every_turn_are_handed_on(runner: str) -> None:
    emulator = emulate(2)
    weather, seen = Weather(), list[str]()

    async def scenario(router: Any) -> None:
        response = await router.run_tools(
            model="gpt",
            input=ask(2),
            tools=[weather.get_weather],
            on_event=lambda event: seen.append(event.type),
            text_format=Answer,
        )
        assert isinstance(response.output_parsed, Answer)
        assert seen.count("response.completed") == 3

    run(runner, emulator, scenario, rows_of(emulator))


def test_the_answer_is_read_into_a_type(runner: str) -> None:
    emulator = emulate(2)
    weather = Weather()

    async def scenario(router: Any) -> None:
        response = await router.run_tools(
            model="gpt", input=ask(1), tools=[weather.get_weather], text_format=Answer
        )
        assert isinstance(response.output_parsed, Answer)

    run(runner, emulator, scenario, rows_of(emulator))


def test_a_checkpoint_goes_on_with_the_ids_of_the_router(runner: str) -> None:
    emulator = emulate(2)
    weather = Weather()

    async def scenario(router: Any) -> None:
        arguments: dict[str, Any] = {"model": "gpt", "tools": [weather.get_weather]}
        with pytest.raises(MaxTurnsError) as caught:
            await router.run_tools(input=ask(3), max_turns=2, owner="a", **arguments)
        kept = ToolCheckpoint.from_json(caught.value.checkpoint.to_json())
        with pytest.raises(ResponseNotFoundError):
            await router.run_tools(resume=kept, owner="b", **arguments)
        response = await router.run_tools(resume=kept, owner="a", **arguments)
        assert '"celsius"' in response.output_text

    run(runner, emulator, scenario, rows_of(emulator))


def test_a_background_turn_is_waited_for_as_its_owner(runner: str) -> None:
    emulator = emulate(2)
    weather = Weather()

    async def scenario(router: Any) -> None:
        response = await router.run_tools(
            model="gpt",
            input=ask(1),
            tools=[weather.get_weather],
            background=True,
            owner="a",
        )
        assert response.status == "completed"

    run(runner, emulator, scenario, rows_of(emulator))


def test_history_stands_for_the_response_before_the_first_turn_only(runner: str) -> None:
    emulator = emulate(2)
    weather = Weather()

    async def scenario(router: Any) -> None:
        first = await router.responses(model="gpt", input="My name is Ada.")
        response = await router.run_tools(
            model="gpt",
            input=ask(2),
            tools=[weather.get_weather],
            previous_response_id=first.id,
            history=[{"role": "user", "content": "My name is Ada."}],
            on_origin_down="replay",
        )
        assert '"celsius"' in response.output_text

    run(runner, emulator, scenario, rows_of(emulator))


def test_an_option_that_is_invalid_is_refused_before_anything_is_sent(runner: str) -> None:
    emulator = emulate(1)

    async def scenario(router: Any) -> None:
        for wrong in ({"max_turns": 0}, {"on_function_error": "ignore"}, {"owner": 1}):
            with pytest.raises(ConfigurationError):
                await router.run_tools(model="gpt", input="x", tools=[], **wrong)

    run(runner, emulator, scenario, rows_of(emulator, 1))
    assert len(emulator.requests) == 0
