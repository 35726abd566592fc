"""with_raw_response and with_streaming_response, on every resource."""

import json
from pathlib import Path
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from azure_responses import (
    AsyncAzureResponses,
    AuthenticationError,
    NotFoundError,
    pydantic_responses_function_tool,
)
from azure_responses.emulator import Emulator
from azure_responses.types import FunctionCall, OutputMessage, OutputText
from tests.clients.both import run


@pytest.fixture(params=["asyncio", "trio"])
def runner(request: pytest.FixtureRequest) -> str:
    """The programs of test_drop_in.py run the sync side."""
    return str(request.param)


class GetWeather(BaseModel):
    """The arguments of a function."""

    city: str


_MESSAGES: Any = [{"role": "user", "content": "Reply with exactly: hi"}]
_MODELS = ("gpt-4o", "Llama-3.3-70B-Instruct")


@pytest.mark.parametrize("model", _MODELS)
def test_a_raw_completion_has_the_body_of_a_completion(
    runner: str, emulator: Emulator, model: str
) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        raw = await client.chat.completions.with_raw_response.create(
            model=model, messages=_MESSAGES
        )
        assert raw.status_code == 200
        assert raw.headers["X-Ms-Region"]
        assert raw.request_id
        assert raw.json()["choices"][0]["message"]["content"] == "hi"
        assert raw.parse().choices[0].message.content == "hi"
        opened = await client.chat.completions.with_raw_response.create(
            model=model, messages=_MESSAGES, stream=True
        )
        assert (opened.is_stream, opened.content) == (True, b"")
        stream = opened.parse()
        assert stream.response.status_code == 200
        chunks = [chunk async for chunk in stream]
        assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == "hi"

    run(runner, emulator, scenario)


def test_a_raw_response_says_what_was_sent(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        raw = await client.responses.with_raw_response.create(model="gpt-4o", input="Say hello")
        assert (raw.method, raw.retries_taken) == ("POST", 0)
        assert raw.url.path == "/openai/v1/responses"
        assert raw.http_response.headers["content-type"] == "application/json"
        assert "api-key" not in raw.http_request.headers
        assert json.loads(raw.text) == raw.json() == raw.http_response.json()

    run(runner, emulator, scenario)


@pytest.mark.parametrize("model", _MODELS)
def test_the_lines_of_a_streamed_reply_are_its_events(
    runner: str, emulator: Emulator, model: str
) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        async with client.responses.with_streaming_response.create(
            model=model, input="Say hello", stream=True
        ) as reply:
            lines = [line async for line in reply.iter_lines()]
        assert lines[0] == "event: response.created"
        assert json.loads(lines[1].removeprefix("data: "))["type"] == "response.created"
        assert "data: [DONE]" not in lines
        async with client.chat.completions.with_streaming_response.create(
            model=model, messages=_MESSAGES, stream=True
        ) as reply:
            body = await reply.text()
        assert body.endswith("data: [DONE]\n\n")
        assert not body.startswith("event:")

    run(runner, emulator, scenario)


def test_a_reply_that_is_entered_is_read_in_every_way(
    runner: str, emulator: Emulator, tmp_path: Path
) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        responses = client.responses.with_streaming_response
        async with responses.create(model="gpt-4o", input="Say hello") as reply:
            assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
            parsed = await reply.parse()
            assert (await reply.json())["id"] == parsed.id
        async with responses.retrieve(parsed.id) as reply:
            await reply.stream_to_file(tmp_path / f"{runner}.json")
        assert json.loads((tmp_path / f"{runner}.json").read_bytes())["id"] == parsed.id
        async with responses.create(model="gpt-4o", input="Say hello", stream=True) as reply:
            stream = await reply.parse()
            assert (await stream.get_final_response()).status == "completed"

    run(runner, emulator, scenario)


def test_stored_objects_and_models_have_raw_results(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        raw = client.files.with_raw_response
        made = await raw.create(file=("a.jsonl", b"{}"), purpose="batch")
        file = made.parse()
        assert made.json()["id"] == file.id
        listed = await raw.list()
        assert [one["id"] for one in listed.json()["data"]] == [file.id]
        assert [one.id async for one in listed.parse()] == [file.id]
        assert (await raw.content(file.id)).content == b"{}"
        models = await client.models.with_raw_response.list()
        assert models.parse().data[0].id in models.text
        async with client.models.with_streaming_response.list() as reply:
            assert (await reply.json())["object"] == "list"

    run(runner, emulator, scenario)


def test_an_error_is_raised_by_the_call(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        wrong = client.copy(api_key="w" * 32)
        with pytest.raises(AuthenticationError):
            await wrong.chat.completions.with_raw_response.create(model="m", messages=_MESSAGES)
        with pytest.raises(AuthenticationError):
            async with wrong.responses.with_streaming_response.create(model="m", input="x"):
                pass

    run(runner, emulator, scenario)


def test_what_is_no_operation_has_no_raw_result() -> None:
    client = AsyncAzureResponses("https://r.openai.azure.com", api_key="k")
    for name in ("no_such", "_timeout", "with_raw_response"):
        with pytest.raises(AttributeError):
            getattr(client.models.with_raw_response, name)


def test_models_are_iterated_and_found_by_name(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        listed = await client.models.list()
        assert [one.id async for one in listed] == [one.id for one in listed.data]
        assert (await client.models.retrieve(listed.data[0].id)).id == listed.data[0].id
        with pytest.raises(NotFoundError, match="'none'") as raised:
            await client.models.retrieve("none")
        assert raised.value.response.status_code == 404

    run(runner, emulator, scenario)


def test_parts_and_calls_of_a_parsed_response_say_what_was_parsed(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        parsed = await client.responses.parse(
            model="gpt-4o", input="Describe a city.", text_format=GetWeather
        )
        parts = [
            part
            for item in parsed.output
            if isinstance(item, OutputMessage)
            for part in item.content
            if isinstance(part, OutputText)
        ]
        assert [part.parsed for part in parts] == [parsed.output_parsed]
        assert "parsed" not in parts[0].to_dict()
        called = await client.responses.parse(
            model="gpt-4o",
            input="What is the weather in Oslo?",
            tools=(pydantic_responses_function_tool(one) for one in (GetWeather,)),
        )
        assert called.output_parsed is None
        calls = [item for item in called.output if isinstance(item, FunctionCall)]
        assert calls[0].parsed_arguments == GetWeather(city="Oslo")
        assert "parsed_arguments" not in called.to_dict()["output"][0]
        cut = await client.responses.parse(
            model="gpt-4o",
            input="[[azure:incomplete]] What is the weather in Oslo?",
            tools=[pydantic_responses_function_tool(GetWeather)],
        )
        assert cut.status == "incomplete"
        plain = await client.responses.create(model="gpt-4o", input="Say hello")
        assert plain._request_id == plain.request_id

    run(runner, emulator, scenario)


def test_a_client_has_all_its_resources_with_raw_results(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        raw = client.with_raw_response
        chatted = await raw.chat.completions.create(model="gpt-4o", messages=_MESSAGES)
        assert chatted.parse().choices[0].message.content == "hi"
        answered = await raw.responses.create(model="gpt-4o", input="Say hello")
        assert answered.status_code == 200
        opened = client.with_streaming_response.chat.completions
        async with opened.create(model="gpt-4o", messages=_MESSAGES) as reply:
            assert (await reply.parse()).choices[0].message.content == "hi"

    run(runner, emulator, scenario)


def test_parameters_that_are_marked_as_not_given_are_left_out(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        omitted: dict[str, Any] = {
            "temperature": openai.NOT_GIVEN,
            "metadata": openai.omit,
            "timeout": openai.NOT_GIVEN,
        }
        response = await client.responses.create(model="gpt-4o", input="Say hello", **omitted)
        assert response.status == "completed"
        completion = await client.chat.completions.create(
            model="gpt-4o", messages=_MESSAGES, **{**omitted, "seed": openai.omit}
        )
        assert completion.choices[0].message.content == "hi"

    run(runner, emulator, scenario)


def test_a_background_response_is_streamed_again_by_its_id(runner: str, emulator: Emulator) -> None:
    async def scenario(client: AsyncAzureResponses) -> None:
        async with client.responses.stream(
            model="gpt-4o", input="Describe a city.", background=True, text_format=GetWeather
        ) as first:
            seen = [event async for event in first]
            final = await first.get_final_response()
        async with client.responses.stream(
            response_id=final.id, starting_after=1, text_format=GetWeather
        ) as again:
            rest = [event.type async for event in again]
            parsed = await again.get_final_response()
        assert rest == [event.type for event in seen][2:]
        assert parsed.output_parsed == final.output_parsed

    run(runner, emulator, scenario)
