"""The anthropic package against the served emulator: the proof that it passes for Foundry."""

from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from azure_responses.emulator import Emulator, Fault
from azure_responses.emulator.server import RunningServer

anthropic = pytest.importorskip("anthropic", reason="the anthropic package is not installed")

MODEL = "claude-opus-4-6"
WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
ADAPTIVE = {"type": "adaptive"}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with Emulator().serve() as running:
        yield running


def options(server: RunningServer, kind: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {"base_url": f"{server.url}/anthropic", "max_retries": 0}
    if kind == "token":
        credential = server.emulator.token_credential()
        scope = "https://ai.azure.com/.default"
        chosen["azure_ad_token_provider"] = lambda: credential.get_token(scope).token
    else:
        chosen["api_key"] = server.emulator.api_key
    return chosen


@pytest.fixture(params=["plain", "foundry", "token"])
def client(server: RunningServer, request: pytest.FixtureRequest) -> Iterator[Any]:
    server.emulator.reset()
    make = anthropic.Anthropic if request.param == "plain" else anthropic.AnthropicFoundry
    with make(**options(server, request.param)) as opened:
        yield opened


def hello(text: str = "what is 2+3") -> dict[str, Any]:
    return {
        "model": MODEL,
        "max_tokens": 2048,
        "messages": [{"role": "user", "content": text}],
    }


def test_a_message_is_created(client: Any) -> None:
    message = client.messages.create(**hello())
    assert message.content[0].text == "2 + 3 = 5"
    assert message.stop_reason == "end_turn"
    assert message._request_id.startswith("req_")


def test_a_stream_adds_up_to_the_message(client: Any) -> None:
    with client.messages.stream(**hello(), thinking=ADAPTIVE) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == "2 + 3 = 5"
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[0].signature
    assert final.usage.output_tokens_details.thinking_tokens > 0


def test_a_loop_of_tools_with_thinking(client: Any) -> None:
    messages: list[Any] = [{"role": "user", "content": "weather in Rome and Paris"}]
    given = {"model": MODEL, "max_tokens": 2048, "tools": [WEATHER], "thinking": ADAPTIVE}
    called = client.messages.create(messages=messages, **given)
    calls = [block for block in called.content if block.type == "tool_use"]
    assert [call.input for call in calls] == [{"city": "Rome"}, {"city": "Paris"}]
    results = [
        {"type": "tool_result", "tool_use_id": call.id, "content": f"{call.input['city']}: sunny"}
        for call in calls
    ]
    messages += [called.to_param(), {"role": "user", "content": results}]
    with client.messages.stream(messages=messages, **given) as stream:
        answered = stream.get_final_message()
    assert "Paris: sunny" in answered.content[-1].text


def test_tokens_are_counted(client: Any) -> None:
    messages = [{"role": "user", "content": "Hello"}]
    assert client.messages.count_tokens(model=MODEL, messages=messages).input_tokens > 0


def test_the_beta_surface_works(client: Any) -> None:
    message = client.beta.messages.create(**hello(), betas=["interleaved-thinking-2025-05-14"])
    assert message.content[0].text == "2 + 3 = 5"


def test_output_is_parsed_into_a_model(client: Any) -> None:
    from pydantic import BaseModel

    class Answer(BaseModel):
        city: str

    message = client.messages.parse(**hello("Paris"), output_format=Answer)
    assert isinstance(message.parsed_output, Answer)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("http-429", "RateLimitError"),
        ("http-500", "InternalServerError"),
        ("http-529", "OverloadedError"),
    ],
)
def test_errors_are_those_of_the_package(
    server: RunningServer, client: Any, fault: str, error: str
) -> None:
    server.emulator.faults.add(Fault(fault))
    expected = getattr(anthropic, error, anthropic.APIStatusError)
    with pytest.raises(expected) as caught:
        client.messages.create(**hello())
    assert caught.value.body["type"] == "error"
    assert caught.value.request_id == caught.value.body["request_id"]


def test_an_error_in_a_stream_is_raised(server: RunningServer, client: Any) -> None:
    server.emulator.faults.add(Fault("stream-529", after_events=3))
    with pytest.raises(anthropic.APIStatusError), client.messages.stream(**hello()) as stream:
        stream.get_final_message()


def test_validation_is_a_bad_request(client: Any) -> None:
    with pytest.raises(anthropic.BadRequestError, match="first message must use"):
        client.messages.create(
            model=MODEL, max_tokens=5, messages=[{"role": "assistant", "content": "x"}]
        )


@pytest.mark.parametrize("kind", ["plain", "foundry"])
def test_the_asynchronous_clients_work(server: RunningServer, kind: str) -> None:
    make = anthropic.AsyncAnthropic if kind == "plain" else anthropic.AsyncAnthropicFoundry

    async def run() -> tuple[Any, Any]:
        async with make(**options(server, kind)) as client:
            message = await client.messages.create(**hello())
            async with client.messages.stream(**hello(), thinking=ADAPTIVE) as stream:
                return message, await stream.get_final_message()

    message, streamed = anyio.run(run)
    assert message.content[0].text == streamed.content[1].text == "2 + 3 = 5"
