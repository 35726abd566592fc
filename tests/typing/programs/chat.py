"""Chat completions of the openai package: texts, tool calls, chunks."""

from openai import AsyncAzureOpenAI, AzureOpenAI


def say(client: AzureOpenAI) -> str:
    """A text and its usage."""
    completion = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], max_completion_tokens=10
    )
    message = completion.choices[0].message
    if completion.usage is not None:
        print(completion.usage.total_tokens + 1)
    return message.content or message.refusal or ""


def call(client: AzureOpenAI) -> list[str]:
    """The calls of functions and of custom tools."""
    completion = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}]
    )
    found: list[str] = []
    for tool_call in completion.choices[0].message.tool_calls or []:
        if tool_call.type == "function":
            found.append(tool_call.id + tool_call.function.name + tool_call.function.arguments)
        elif tool_call.type == "custom":
            found.append(tool_call.id + tool_call.custom.name + tool_call.custom.input)
    return found


def stream(client: AzureOpenAI) -> str:
    """The text of the chunks."""
    text = ""
    chunks = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], stream=True
    )
    for chunk in chunks:
        if not chunk.choices:
            continue
        text += chunk.choices[0].delta.content or ""
        for piece in chunk.choices[0].delta.tool_calls or []:
            if piece.function and piece.function.arguments:
                text += piece.function.arguments
    return text


async def stream_async(client: AsyncAzureOpenAI) -> str:
    """The text of the chunks of the async client."""
    text = ""
    chunks = await client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], stream=True
    )
    async for chunk in chunks:
        text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    return text


async def respond(client: AsyncAzureOpenAI) -> str:
    """Events of the async client."""
    text = ""
    async for event in await client.responses.create(model="m", input="x", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
    async with client.responses.stream(model="m", input="x") as events:
        async for event in events:
            if event.type == "response.output_text.done":
                text += event.text
        final = await events.get_final_response()
    return text + final.output_text
