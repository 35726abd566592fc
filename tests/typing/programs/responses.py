"""Responses of the openai package: items, events, tools, a conversation that grows."""

import json

from openai import APIStatusError, AzureOpenAI, RateLimitError
from openai.types.responses import Response, ResponseInputParam
from pydantic import BaseModel


class Animal(BaseModel):
    """An output type."""

    name: str
    legs: int


def read_messages(response: Response) -> list[str]:
    """The parts of messages."""
    found: list[str] = []
    for item in response.output:
        if item.type == "message":
            for part in item.content:
                found.append(part.text if part.type == "output_text" else part.type)
        elif item.type == "reasoning":
            found.append(item.encrypted_content or "")
    return found


def read_calls(response: Response) -> list[str]:
    """Calls of every kind."""
    found: list[str] = []
    for item in response.output:
        if item.type == "function_call":
            found.append(item.name + item.arguments + item.call_id)
        elif item.type == "custom_tool_call":
            found.append(item.name + item.input)
        elif item.type == "code_interpreter_call":
            found.append(item.code or "")
        elif item.type == "image_generation_call":
            found.append(item.result or "")
        elif item.type == "mcp_approval_request":
            found.append(item.server_label + item.arguments)
    return found


def read_events(client: AzureOpenAI) -> str:
    """Events by their type."""
    text = ""
    for event in client.responses.create(model="m", input="x", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
        elif event.type == "response.output_item.done" and event.item.type == "function_call":
            text += event.item.arguments
        elif event.type == "response.completed":
            text += event.response.output_text
        elif event.type == "error":
            text += event.message
    return text


def match_events(client: AzureOpenAI) -> str:
    """Events by their type, in a match statement."""
    text = ""
    for event in client.responses.create(model="m", input="x", stream=True):
        match event.type:
            case "response.created":
                text += event.response.id
            case "response.function_call_arguments.delta":
                text += event.delta
    return text


def answer_calls(client: AzureOpenAI) -> str:
    """A tool loop that sends the items back."""
    conversation: ResponseInputParam = [{"role": "user", "content": "How warm is it?"}]
    while True:
        response = client.responses.create(model="m", input=conversation, store=False)
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        for call in calls:
            arguments: dict[str, str] = json.loads(call.arguments)
            output = json.dumps({"city": arguments["city"], "celsius": 21})
            conversation.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": output}
            )


def parse(client: AzureOpenAI) -> Animal | None:
    """An answer of a type, whole and streamed."""
    parsed = client.responses.parse(model="m", input="x", text_format=Animal)
    with client.responses.stream(model="m", input="x", text_format=Animal) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                print(event.delta)
        final = stream.get_final_response()
    if final.output_parsed is not None:
        print(final.output_parsed.legs + 1)
    return parsed.output_parsed


def handle(client: AzureOpenAI) -> str:
    """Errors, usage and what else a program reads of a response."""
    try:
        response = client.responses.create(model="m", input="x", max_output_tokens=100)
    except RateLimitError as error:
        return f"{error.status_code} {error.message}"
    except APIStatusError as error:
        return f"{error.code} {error.request_id}"
    if response.usage is None:
        return "no usage"
    if response.status == "incomplete" and response.incomplete_details is not None:
        return str(response.incomplete_details.reason)
    tokens = response.usage.input_tokens + response.usage.output_tokens
    return f"{response.id} {tokens} {response.usage.output_tokens_details.reasoning_tokens}"
