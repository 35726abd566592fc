"""What type checkers see. Never run: `mypy` reads it with the rest of the tests."""

from typing import assert_type

from pydantic import BaseModel

import azure_responses
from azure_responses import (
    AsyncAzureResponses,
    AsyncStream,
    AzureResponses,
    ChatCompletionStream,
    RawResponse,
    Router,
    Stream,
)
from azure_responses.types import ChatCompletion, ParsedResponse, Response


class Animal(BaseModel):
    """An output type."""

    name: str


def sync_calls(client: AzureResponses) -> None:
    """The sync client's results."""
    assert_type(client.responses.create(model="m", input="x"), Response)
    assert_type(client.responses.create(model="m", input="x", stream=False), Response)
    assert_type(client.responses.create(model="m", input="x", stream=True), Stream[Response])
    assert_type(client.responses.stream(input="x").get_final_response(), Response)
    typed = client.responses.stream(input="x", text_format=Animal)
    assert_type(typed.get_final_response(), ParsedResponse[Animal])
    parsed = client.responses.parse(input="x", text_format=Animal)
    assert_type(parsed, ParsedResponse[Animal])
    assert_type(parsed.output_parsed, Animal | None)
    assert_type(client.responses.retrieve("resp_1"), Response)
    assert_type(client.responses.retrieve("resp_1", stream=True), Stream[Response])
    assert_type(client.responses.with_raw_response.create(input="x"), RawResponse[Response])
    assert_type(client.with_options(timeout=3), AzureResponses)
    assert_type(azure_responses.responses(model="azure/m", input="x"), Response)
    assert_type(azure_responses.responses(model="m", input="x", stream=True), Stream[Response])


async def async_calls(client: AsyncAzureResponses) -> None:
    """The async client's results."""
    assert_type(await client.responses.create(model="m", input="x"), Response)
    stream = await client.responses.create(model="m", input="x", stream=True)
    assert_type(stream, AsyncStream[Response])
    assert_type(await client.responses.stream(input="x").get_final_response(), Response)
    typed = client.responses.stream(input="x", text_format=Animal)
    assert_type(await typed.get_final_response(), ParsedResponse[Animal])
    parsed = await client.responses.parse(input="x", text_format=Animal)
    assert_type(parsed.output_parsed, Animal | None)
    assert_type(await azure_responses.aresponses(model="azure/m", input="x"), Response)


def router_calls(router: Router) -> None:
    """The router's results."""
    assert_type(router.responses(model="m", input="x"), Response)
    with router.stream(model="m", input="x", text_format=Animal) as stream:
        assert_type(stream.get_final_response(), ParsedResponse[Animal])


def chat_calls(client: AzureResponses, router: Router, stream: bool) -> None:
    """The results of chat completions."""
    create = client.chat.completions.create
    messages = [{"role": "user", "content": "x"}]
    assert_type(create(model="m", messages=messages, seed=1), ChatCompletion)
    assert_type(create(messages=messages, stream=True), ChatCompletionStream)
    assert_type(
        create(messages=messages, stream=stream, extra_body={"new": 1}),
        ChatCompletion | ChatCompletionStream,
    )
    assert_type(router.completion(model="m", messages=messages, owner="me"), ChatCompletion)
    assert_type(
        azure_responses.completion(model="azure/m", messages=messages, api_base="x"),
        ChatCompletion,
    )


def wrong_calls(client: AzureResponses) -> None:
    """What a type checker refuses."""
    client.responses.create(model=1)  # type: ignore[call-overload]
    client.responses.create(messages=[])  # type: ignore[call-overload]
    client.responses.compact(input="x", temperature=1)  # type: ignore[call-arg]
    client.chat.completions.create(messages=[], temprature=1)  # type: ignore[call-overload]
    client.chat.completions.create(messages=[], max_tokens="9")  # type: ignore[call-overload]
    azure_responses.completion(messages=[], api_bse="x")  # type: ignore[call-overload]
    AzureResponses(api_keyy="k")  # type: ignore[call-arg]
    AzureResponses(timeout="long")  # type: ignore[arg-type]
