"""A program written for `openai.AzureOpenAI`, which says what it sees line by line.

tests/clients/test_drop_in.py runs it as it is, and with `openai` replaced in its import.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureOpenAI,
    BadRequestError,
    ContentFilterFinishReasonError,
    LengthFinishReasonError,
    NotFoundError,
    OpenAIError,
    RateLimitError,
    Timeout,
    pydantic_function_tool,
)
from pydantic import BaseModel

MODEL = "gpt-4o"
Lines = Iterator[Any]


class Animal(BaseModel):
    """An output type."""

    name: str
    legs: int


class GetWeather(BaseModel):
    """The arguments of a function."""

    city: str


WEATHER: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CHAT_WEATHER: Any = {
    "type": "function",
    "function": {name: value for name, value in WEATHER.items() if name != "type"},
}
QUESTION: list[Any] = [{"role": "user", "content": "What is the weather in Oslo?"}]
ANIMAL: list[Any] = [{"role": "user", "content": "Describe a cat."}]


def say(text: str) -> list[Any]:
    """Messages that make the model say a text."""
    return [{"role": "user", "content": f"Reply with exactly: {text}"}]


def create(client: AzureOpenAI) -> Lines:
    """A response and its attributes."""
    response = client.responses.create(
        model=MODEL, input="Reply with exactly: pong", max_output_tokens=50, metadata={"a": "b"}
    )
    yield response.output_text, response.status, response.object, response.model
    yield response.id[:5], response.error, response.incomplete_details, response.metadata
    assert response.usage is not None
    yield response.usage.input_tokens > 0, response.usage.total_tokens > 0
    yield response.usage.output_tokens_details.reasoning_tokens
    for item in response.output:
        if item.type == "message":
            yield item.role, item.status, [part.type for part in item.content]
            for part in item.content:
                if part.type == "output_text":
                    yield part.text, part.annotations
    yield {"id", "output"} <= {*response.model_dump()}, response.to_dict()["object"]
    yield json.loads(response.model_dump_json())["status"], json.loads(response.to_json())["object"]
    yield type(response).__name__, isinstance(response, BaseModel), bool(response._request_id)
    again = client.responses.retrieve(response.id)
    yield again.output_text, [one.type for one in client.responses.input_items.list(response.id)]
    follow = client.responses.create(
        model=MODEL, input="And now say: bye", previous_response_id=response.id
    )
    yield follow.previous_response_id == response.id, follow.status
    client.responses.delete(response.id)


def stream(client: AzureOpenAI) -> Lines:
    """Events of a streamed response."""
    text = ""
    with client.responses.create(
        model=MODEL, input="Reply with exactly: one two three", stream=True
    ) as events:
        for event in events:
            yield event.type
            if event.type == "response.output_text.delta":
                text += event.delta
            elif event.type == "response.completed":
                yield event.response.output_text, event.response.status
    yield text
    with client.responses.stream(model=MODEL, input="Describe a cat.", text_format=Animal) as typed:
        for one in typed:
            if one.type == "response.output_text.done":
                yield one.text
        final = typed.get_final_response()
    yield type(final.output_parsed).__name__, final.output_parsed
    opened = client.responses.create(model=MODEL, input="x", stream=True)
    yield opened.response.status_code, opened.response.headers["content-type"][:17]
    opened.close()


def parse(client: AzureOpenAI) -> Lines:
    """An answer of a type."""
    parsed = client.responses.parse(model=MODEL, input="Describe a cat.", text_format=Animal)
    yield type(parsed.output_parsed).__name__, parsed.output_parsed
    for item in parsed.output:
        if item.type == "message":
            for part in item.content:
                if part.type == "output_text":
                    yield type(part.parsed).__name__, part.parsed
    refused = client.responses.parse(
        model=MODEL, input="[[azure:refuse]] Describe a cat.", text_format=Animal
    )
    yield refused.output_parsed


def tools(client: AzureOpenAI) -> Lines:
    """A tool loop by hand."""
    conversation: list[Any] = [*QUESTION]
    response = client.responses.create(model=MODEL, input=conversation, tools=[WEATHER])
    conversation += response.output
    for item in response.output:
        if item.type == "function_call":
            yield item.name, json.loads(item.arguments), item.status
            conversation.append(
                {"type": "function_call_output", "call_id": item.call_id, "output": "21 C"}
            )
    yield client.responses.create(model=MODEL, input=conversation, tools=[WEATHER]).status
    parsed = client.responses.parse(model=MODEL, input=QUESTION, tools=[WEATHER])
    for one in parsed.output:
        if one.type == "function_call":
            yield one.name, one.parsed_arguments
    schema: Any = {"type": "json_schema", "name": "animal", "schema": Animal.model_json_schema()}
    plain = client.responses.create(model=MODEL, input="Describe a cat.", text={"format": schema})
    yield sorted(json.loads(plain.output_text))


def chat(client: AzureOpenAI) -> Lines:
    """A chat completion and its attributes."""
    completion = client.chat.completions.create(model=MODEL, messages=say("pong"), max_tokens=50)
    choice = completion.choices[0]
    yield choice.message.content, choice.message.role, choice.finish_reason, choice.index
    yield choice.message.tool_calls, choice.message.refusal, completion.object
    assert completion.usage is not None
    yield completion.usage.prompt_tokens > 0, completion.usage.total_tokens > 0
    yield type(completion).__name__, type(choice.message).__name__, bool(completion._request_id)
    yield {"id", "choices"} <= {*completion.to_dict()}, completion.created > 1_600_000_000
    called = client.chat.completions.create(model=MODEL, messages=QUESTION, tools=[CHAT_WEATHER])
    for call in called.choices[0].message.tool_calls or []:
        if call.type == "function":
            yield call.function.name, json.loads(call.function.arguments), call.id[:5]
    history = [*QUESTION, called.choices[0].message]
    history += [
        {"role": "tool", "tool_call_id": call.id, "content": "21 C"}
        for call in called.choices[0].message.tool_calls or []
    ]
    more = client.chat.completions.create(model=MODEL, messages=history, tools=[CHAT_WEATHER])
    yield more.choices[0].finish_reason


def chat_stream(client: AzureOpenAI) -> Lines:
    """The chunks of a chat completion."""
    text, reasons = "", []
    chunks = client.chat.completions.create(
        model=MODEL,
        messages=say("one two three"),
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in chunks:
        if not chunk.choices and chunk.usage is None:
            continue  # Azure's verdict on the prompt.
        yield chunk.object, len(chunk.choices), chunk.usage is not None
        for choice in chunk.choices:
            text += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
    yield text, reasons
    with client.chat.completions.stream(model=MODEL, messages=say("one two")) as typed:
        for event in typed:
            if event.type == "content.delta" and event.delta:
                yield event.delta, event.snapshot
            elif event.type == "content.done":
                yield event.content
        yield typed.get_final_completion().choices[0].message.content


def chat_parse(client: AzureOpenAI) -> Lines:
    """Chat completions of a type, whole and streamed."""
    for completions in (client.chat.completions, client.beta.chat.completions):
        parsed = completions.parse(model=MODEL, messages=ANIMAL, response_format=Animal)
        yield parsed.choices[0].message.parsed, type(parsed.choices[0].message.parsed).__name__
        yield parsed.choices[0].message.content, parsed.choices[0].finish_reason
        with completions.stream(model=MODEL, messages=ANIMAL, response_format=Animal) as events:
            seen: list[Any] = [(event.type, event) for event in events if event.type != "chunk"]
            yield [kind for kind, _ in seen][-1], seen[-1][1].parsed
            yield events.get_final_completion().choices[0].message.parsed
    tool = pydantic_function_tool(GetWeather)
    called = client.chat.completions.parse(model=MODEL, messages=QUESTION, tools=[tool])
    for call in called.choices[0].message.tool_calls or []:
        yield call.function.name, call.function.parsed_arguments
    with client.chat.completions.stream(model=MODEL, messages=QUESTION, tools=[tool]) as events:
        for event in events:
            if event.type == "tool_calls.function.arguments.done":
                yield event.name, event.index, event.arguments, event.parsed_arguments
    for trigger in ("refuse", "incomplete", "block-output"):
        asked: list[Any] = [{"role": "user", "content": f"[[azure:{trigger}]] Describe a cat."}]
        try:
            got = client.chat.completions.parse(model=MODEL, messages=asked, response_format=Animal)
            yield got.choices[0].message.parsed, bool(got.choices[0].message.refusal)
        except (LengthFinishReasonError, ContentFilterFinishReasonError) as error:
            ended: Any = error.completion
            yield type(error).__name__, ended.choices[0].finish_reason


def raw(client: AzureOpenAI) -> Lines:
    """Replies with their status and headers."""
    reply = client.responses.with_raw_response.create(model=MODEL, input="Reply with exactly: hi")
    yield reply.status_code, reply.headers["Content-Type"], reply.headers.get("X-Ms-Region")
    yield reply.parse().output_text, json.loads(reply.text)["object"], bool(reply.request_id)
    yield json.loads(reply.content)["status"], reply.http_response.status_code, reply.method
    streamed = client.responses.with_raw_response.create(
        model=MODEL, input="Reply with exactly: hi", stream=True
    )
    yield [event.type for event in streamed.parse()][-1], streamed.status_code
    chatted = client.chat.completions.with_raw_response.create(model=MODEL, messages=say("hi"))
    yield chatted.status_code, chatted.parse().choices[0].message.content
    yield chatted.headers["content-type"], json.loads(chatted.text)["object"]
    chunks = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=say("hi"), stream=True
    ).parse()
    yield "".join(one.choices[0].delta.content or "" for one in chunks if one.choices)
    listed = client.models.with_raw_response.list()
    yield listed.status_code, len(listed.parse().data) > 0


def streaming(client: AzureOpenAI) -> Lines:
    """Replies that are read as they arrive."""
    with client.responses.with_streaming_response.create(
        model=MODEL, input="Reply with exactly: hi"
    ) as reply:
        yield reply.status_code, reply.headers.get("content-type"), reply.parse().output_text
    with client.responses.with_streaming_response.create(
        model=MODEL, input="Reply with exactly: hi", stream=True
    ) as reply:
        lines = [line for line in reply.iter_lines() if line.startswith("event: ")]
        yield lines[0], lines[-1]
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=say("hi")
    ) as reply:
        yield reply.status_code, json.loads(reply.read())["choices"][0]["message"]["content"]
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=say("hi"), stream=True
    ) as reply:
        texts = [line for line in reply.iter_lines() if line.startswith("data: ")]
        yield texts[-1], json.loads(texts[-2][6:])["object"]


def errors(client: AzureOpenAI) -> Lines:
    """Errors by their names and attributes."""
    calls: dict[str, Callable[[], Any]] = {
        "unknown": lambda: client.responses.retrieve("resp_" + "0" * 48),
        "key": lambda: client.with_options(api_key="wrong" * 8).responses.create(
            model=MODEL, input="x"
        ),
        "value": lambda: client.responses.create(model=MODEL, input="x", temperature=7),
        "filter": lambda: client.responses.create(model=MODEL, input="[[azure:block-prompt]]"),
        "chat value": lambda: client.chat.completions.create(
            model=MODEL, messages=say("x"), temperature=7
        ),
        "chat filter": lambda: client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "[[azure:block-prompt]]"}]
        ),
    }
    for name, call in calls.items():
        try:
            call()
        except APIStatusError as error:
            kinds = (AuthenticationError, BadRequestError, NotFoundError, RateLimitError)
            yield (
                name,
                error.status_code,
                [kind.__name__ for kind in kinds if isinstance(error, kind)],
            )
            yield (
                error.code,
                error.param,
                isinstance(error.type, str | None),
                isinstance(error, APIError | OpenAIError),
            )
            yield error.response.status_code, error.response.json()["error"]["code"]
            yield error.response.headers["Content-Type"], bool(error.response.text)
            yield error.request.method, error.request.url.host == client.base_url.host
            yield error.body["code"] if isinstance(error.body, dict) else error.body
            yield bool(error.message), isinstance(error.request_id, str | None)
            yield error.response.is_error, error.response.reason_phrase
    unreachable = client.with_options(base_url="http://127.0.0.1:9/openai", max_retries=0)
    try:
        unreachable.responses.create(model=MODEL, input="x")
    except APIConnectionError as broken:
        yield isinstance(broken, APITimeoutError), broken.request.method, broken.code, broken.body
    try:
        client.responses.create(model=MODEL, input="x", temprature=1)  # type: ignore[call-overload]
    except TypeError as error:
        yield "temprature" in str(error)


def options(client: AzureOpenAI) -> Lines:
    """Clients with other options."""
    copy = client.copy(max_retries=5, timeout=30, default_headers={"x-a": "b"})
    yield copy.max_retries, copy.timeout, copy.default_headers["x-a"], client.max_retries
    yield client.with_options(timeout=Timeout(20, connect=3)).timeout
    yield copy.responses.create(model=MODEL, input="Reply with exactly: hi").output_text
    yield (
        client.with_options(default_query={"a": "b"})
        .responses.create(
            model=MODEL,
            input="Reply with exactly: hi",
            extra_headers={"x-c": "d"},
            extra_query={"e": "f"},
            extra_body={"metadata": {"g": "h"}},
            timeout=20,
        )
        .metadata
    )
    yield client.base_url.host, client.api_key, client.is_closed()
    for inner in (client.copy(),):
        yield inner.responses.create(model=MODEL, input="Reply with exactly: hi").output_text


def objects(client: AzureOpenAI) -> Lines:
    """Models and files."""
    page = client.models.list()
    yield page.object, len(page.data) > 0, [one.id for one in page] == [one.id for one in page.data]
    yield client.models.retrieve(page.data[0].id).id == page.data[0].id
    file = client.files.create(file=("a.jsonl", b'{"a": 1}'), purpose="batch")
    yield file.object, file.filename, file.bytes, file.purpose
    yield client.files.content(file.id).read(), client.files.retrieve(file.id).id == file.id
    yield any(one.id == file.id for one in client.files.list())
    kept = client.files.with_raw_response.retrieve(file.id)
    yield kept.status_code, kept.parse().id == file.id
    yield client.files.delete(file.id).deleted


PARTS = (
    create, stream, parse, tools, chat, chat_stream, chat_parse, raw, streaming, errors, options,
    objects,
)  # fmt: skip


def main(endpoint: str, api_key: str, **arguments: Any) -> dict[str, list[Any]]:
    """What each part sees; the last line of one that fails is how."""
    found: dict[str, list[Any]] = {}
    with AzureOpenAI(azure_endpoint=endpoint, api_key=api_key, **arguments) as client:
        for part in PARTS:
            lines = found[part.__name__] = []
            try:
                lines.extend(part(client))
            except Exception as error:
                lines.append(f"{type(error).__name__}: {error}")
    return found
