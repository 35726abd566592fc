"""The same for `openai.AsyncAzureOpenAI`: what is awaited, entered, iterated and closed."""

import json
from collections.abc import AsyncIterator
from typing import Any

from openai import APIStatusError, AsyncAzureOpenAI
from pydantic import BaseModel

MODEL = "gpt-4o"
Lines = AsyncIterator[Any]


class Animal(BaseModel):
    """An output type."""

    name: str
    legs: int


MESSAGES: list[Any] = [{"role": "user", "content": "Reply with exactly: one two"}]
ANIMAL: list[Any] = [{"role": "user", "content": "Describe a cat."}]


async def responses(client: AsyncAzureOpenAI) -> Lines:
    """Responses, whole, streamed and of a type."""
    response = await client.responses.create(model=MODEL, input="Reply with exactly: pong")
    yield response.output_text, (await client.responses.retrieve(response.id)).status
    yield [item.type async for item in client.responses.input_items.list(response.id)]
    events = await client.responses.create(model=MODEL, input="Say hello", stream=True)
    async for event in events:
        yield event.type
    await events.close()
    async with client.responses.stream(
        model=MODEL, input="Describe a cat.", text_format=Animal
    ) as typed:
        async for one in typed:
            if one.type == "response.output_text.delta":
                yield one.delta
        yield (await typed.get_final_response()).output_parsed
    parsed = await client.responses.parse(model=MODEL, input="Describe a cat.", text_format=Animal)
    yield parsed.output_parsed


async def chat(client: AsyncAzureOpenAI) -> Lines:
    """Chat completions, whole, streamed and of a type."""
    completion = await client.chat.completions.create(model=MODEL, messages=MESSAGES)
    yield completion.choices[0].message.content
    chunks = await client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    yield [one.choices[0].delta.content or "" async for one in chunks if one.choices]
    parsed = await client.chat.completions.parse(
        model=MODEL, messages=ANIMAL, response_format=Animal
    )
    yield parsed.choices[0].message.parsed
    async with client.beta.chat.completions.stream(
        model=MODEL, messages=ANIMAL, response_format=Animal
    ) as events:
        async for event in events:
            if event.type == "content.done":
                yield event.parsed
        yield (await events.get_final_completion()).choices[0].message.parsed


async def raw(client: AsyncAzureOpenAI) -> Lines:
    """Replies with their status and headers, and as they arrive."""
    reply = await client.responses.with_raw_response.create(model=MODEL, input="Say hello")
    yield reply.status_code, reply.headers["Content-Type"], reply.parse().status
    chatted = await client.chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES)
    yield chatted.status_code, chatted.parse().choices[0].message.content
    async with client.responses.with_streaming_response.create(
        model=MODEL, input="Say hello", stream=True
    ) as streamed:
        lines = [line async for line in streamed.iter_lines() if line.startswith("event: ")]
        yield streamed.status_code, lines[0], lines[-1]
    async with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=MESSAGES
    ) as whole:
        yield (await whole.parse()).choices[0].message.content
    async with client.responses.with_streaming_response.create(
        model=MODEL, input="Say hello"
    ) as read:
        yield json.loads(await read.text())["status"]


async def others(client: AsyncAzureOpenAI) -> Lines:
    """Errors, copies, models and files."""
    try:
        await client.copy(api_key="wrong" * 8).responses.create(model=MODEL, input="x")
    except APIStatusError as error:
        yield error.status_code, error.response.json()["error"]["code"], error.request.method
    page = await client.models.list()
    yield [one.id for one in page.data] == [one.id async for one in page]
    yield [one.id for one in page.data] == [one.id async for one in client.models.list()]
    file = await client.files.create(file=("a.jsonl", b'{"a": 1}'), purpose="batch")
    yield (await client.files.content(file.id)).read()
    yield [one.id async for one in client.files.list()] == [file.id]
    yield (await client.files.with_raw_response.delete(file.id)).parse().deleted


PARTS = (responses, chat, raw, others)


async def main(endpoint: str, api_key: str, **arguments: Any) -> dict[str, list[Any]]:
    """What each part sees; the last line of one that fails is how."""
    found: dict[str, list[Any]] = {}
    client = AsyncAzureOpenAI(azure_endpoint=endpoint, api_key=api_key, **arguments)
    for part in PARTS:
        lines = found[part.__name__] = []
        try:
            async for line in part(client):
                lines.append(line)
        except Exception as error:
            lines.append(f"{type(error).__name__}: {error}")
    await client.close()
    found["closed"] = [client.is_closed()]
    return found
