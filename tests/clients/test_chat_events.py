"""chat.completions.parse and .stream, on deployments of every API."""

from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses import AsyncAzureResponses, LengthFinishReasonError, pydantic_function_tool
from azure_responses.emulator import Emulator
from tests.clients.both import run


class Animal(BaseModel):
    """An output type."""

    name: str
    legs: int


class GetWeather(BaseModel):
    """The arguments of a function."""

    city: str


_MESSAGES: Any = [{"role": "user", "content": "Describe a cat."}]
_MODELS = ("gpt-4o", "Llama-3.3-70B-Instruct")


@pytest.mark.parametrize("model", _MODELS)
def test_an_answer_is_read_whole_and_streamed(runner: str, emulator: Emulator, model: str) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        for completions in (client.chat.completions, client.beta.chat.completions):
            parsed = await completions.parse(
                model=model, messages=_MESSAGES, response_format=Animal
            )
            assert isinstance(parsed.choices[0].message.parsed, Animal)
            assert parsed.request_id
        stream = client.chat.completions.stream(
            model=model, messages=_MESSAGES, response_format=Animal
        )
        assert stream.request_id is None
        async with stream:
            seen = [event async for event in stream]
            assert stream.current_completion_snapshot.choices[0].message.content
            final = await stream.get_final_completion()
        assert [event.type for event in seen if event.type != "chunk"][-1] == "content.done"
        assert isinstance(final.choices[0].message.parsed, Animal)
        assert stream.request_id

    run(runner, emulator, scenario)


def test_a_stream_is_read_to_its_end_without_a_loop(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        stream = client.chat.completions.stream(model="gpt-4o", messages=_MESSAGES)
        await stream.aclose()
        await stream.until_done()
        final = await stream.get_final_completion()
        assert final.choices[0].message.content

    run(runner, emulator, scenario)


def test_tools_may_come_from_a_generator(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        made = (pydantic_function_tool(kind) for kind in (GetWeather,))
        parsed = await client.chat.completions.parse(
            model="gpt-4o",
            messages=[{"role": "user", "content": "What is the weather in Oslo?"}],
            tools=made,
        )
        calls = parsed.choices[0].message.tool_calls or []
        assert calls[0].function.parsed_arguments == GetWeather(city="Oslo")

    run(runner, emulator, scenario)


def test_an_answer_that_is_cut_short_is_an_error(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        asked: Any = [{"role": "user", "content": "[[azure:incomplete]] Describe a cat."}]
        with pytest.raises(LengthFinishReasonError) as raised:
            await client.chat.completions.parse(
                model="gpt-4o", messages=asked, response_format=Animal
            )
        assert raised.value.completion.choices[0].finish_reason == "length"
        stream = client.chat.completions.stream(
            model="gpt-4o", messages=asked, response_format=Animal
        )
        with pytest.raises(LengthFinishReasonError):
            async with stream:
                await stream.get_final_completion()

    run(runner, emulator, scenario)
