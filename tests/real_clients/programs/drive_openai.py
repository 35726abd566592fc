"""The openai package itself, 2.x or 3.x."""

import json
import time
from typing import Any

import openai
from pydantic import BaseModel

from tests.real_clients.programs.errand import Errand, run

_PONG = "Reply with exactly: pong"
_PARAMETERS: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_FUNCTION: Any = {"name": "get_weather", "parameters": _PARAMETERS, "strict": True}
_QUESTION = "What is the weather in Paris? Use get_weather."


class Person(BaseModel):
    """Who is to be found in a text."""

    name: str
    age: int


def create(errand: Errand) -> Any:
    response = errand.client().responses.create(model="gpt-5-mini", input=_PONG)
    usage = response.usage
    return {
        "version": openai.__version__,
        "text": response.output_text,
        "model": response.model,
        "usage": [usage.input_tokens, usage.output_tokens, usage.total_tokens],
        "request_id": response._request_id,
    }


async def create_async(errand: Errand) -> Any:
    client = errand.async_client()
    first = await client.responses.create(model="gpt-5-mini", input="My name is Ada.")
    then = await client.responses.create(
        model="gpt-5-mini", input="What is my name?", previous_response_id=first.id
    )
    events = await client.responses.create(model="gpt-5-mini", input=_PONG, stream=True)
    deltas = [e.delta async for e in events if e.type == "response.output_text.delta"]
    return {"text": then.output_text, "streamed": "".join(deltas)}


def follow_up(errand: Errand) -> Any:
    client = errand.client()
    response = client.responses.create(model="gpt-5-mini", input="My name is Ada.")
    texts = []
    for _ in range(4):
        response = client.responses.create(
            model="gpt-5-mini", input="What is my name?", previous_response_id=response.id
        )
        texts.append(response.output_text)
    return {"texts": texts}


def stream(errand: Errand) -> Any:
    client = errand.client()
    events = list(client.responses.create(model="gpt-5-mini", input=_PONG, stream=True))
    with client.responses.stream(model="gpt-5-mini", input=_PONG) as helper:
        for _ in helper:
            pass
        final = helper.get_final_response()
    return {
        "first": events[0].type,
        "last": events[-1].type,
        "numbers": [event.sequence_number for event in events],
        "ids": len({e.response.id for e in events if hasattr(e, "response")}),
        "final": final.output_text,
    }


def parse(errand: Errand) -> Any:
    response = errand.client().responses.parse(
        model="gpt-5-mini", input="Ada is 36 years old.", text_format=Person
    )
    return {"parsed": response.output_parsed.model_dump()}


def stored(errand: Errand) -> Any:
    responses = errand.client().responses
    created = responses.create(model="gpt-5-mini", input=_PONG)
    found = responses.retrieve(created.id)
    items = [item.content[0].text for item in responses.input_items.list(created.id)]
    again = [event.type for event in responses.retrieve(_streamed(responses), stream=True)]
    responses.delete(created.id)
    try:
        responses.retrieve(created.id)
    except openai.NotFoundError as error:
        gone = error.status_code
    return {
        "same": found.id == created.id,
        "text": found.output_text,
        "items": items,
        "again": again[-1],
        "gone": gone,
    }


def _streamed(responses: Any) -> str:
    """The id of a background response that was streamed when it was made, to be streamed again."""
    events = list(
        responses.create(model="gpt-5-mini", input=_PONG, background=True, store=True, stream=True)
    )
    return str(events[-1].response.id)


def background(errand: Errand) -> Any:
    responses = errand.client().responses
    response = responses.create(model="slow", input=_PONG, background=True)
    began = response.status
    for _ in range(100):
        if response.status not in ("queued", "in_progress"):
            break
        time.sleep(0.05)
        response = responses.retrieve(response.id)
    other = responses.create(model="slow", input=_PONG, background=True)
    cancelled = responses.cancel(other.id)
    return {"began": began, "text": response.output_text, "cancelled": cancelled.status}


def tools(errand: Errand) -> Any:
    client = errand.client()
    tool: Any = {"type": "function", **_FUNCTION}
    asked = client.responses.create(model="gpt-5-mini", input=_QUESTION, tools=[tool])
    call = next(item for item in asked.output if item.type == "function_call")
    result: Any = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": "12 degrees and rain",
    }
    answer = client.responses.create(
        model="gpt-5-mini", input=[result], tools=[tool], previous_response_id=asked.id
    )
    return {"call": call.name, "arguments": json.loads(call.arguments), "text": answer.output_text}


def reasoning(errand: Errand) -> Any:
    """Nothing is stored: the encrypted reasoning of every turn is sent again with the next."""
    client = errand.client()
    items: list[Any] = [{"role": "user", "content": "My name is Ada."}]
    texts = []
    for _ in range(4):
        response = client.responses.create(
            model="gpt-5-mini", input=items, store=False, include=["reasoning.encrypted_content"]
        )
        texts.append(response.output_text)
        items += [item.model_dump(exclude_none=True) for item in response.output]
        items.append({"role": "user", "content": "What is my name?"})
    sealed = [item for item in items if item.get("encrypted_content")]
    return {"texts": texts, "sealed": len(sealed)}


def chat(errand: Errand) -> Any:
    client = errand.client()
    messages: list[Any] = [{"role": "user", "content": _QUESTION}]
    tool: Any = {"type": "function", "function": _FUNCTION}
    asked = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=[tool])
    message = asked.choices[0].message
    messages += [
        message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "12 degrees"},
    ]
    answer = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=[tool])
    parsed = client.chat.completions.parse(
        model="gpt-5-mini",
        messages=[{"role": "user", "content": "Ada is 36 years old."}],
        response_format=Person,
    )
    return {
        "call": message.tool_calls[0].function.name,
        "finish": [asked.choices[0].finish_reason, answer.choices[0].finish_reason],
        "text": answer.choices[0].message.content,
        "parsed": parsed.choices[0].message.parsed.model_dump(),
        "tokens": answer.usage.total_tokens,
    }


def chat_stream(errand: Errand) -> Any:
    chunks = list(
        errand.client().chat.completions.create(
            model="gpt-5-mini",
            messages=[{"role": "user", "content": _PONG}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return {"text": text, "tokens": chunks[-1].usage.total_tokens}


def azure(errand: Errand) -> Any:
    client = errand.azure_client()
    response = client.responses.create(model="gpt-5-mini", input=_PONG)
    completion = client.chat.completions.create(
        model="gpt-5-mini", messages=[{"role": "user", "content": _PONG}]
    )
    found = client.responses.retrieve(response.id)
    return {
        "text": response.output_text,
        "chat": completion.choices[0].message.content,
        "retrieved": found.output_text,
    }


def models(errand: Errand) -> Any:
    client = errand.client()
    listed = [model.id for model in client.models.list()]
    return {"listed": listed, "one": client.models.retrieve("gpt-5-mini").id}


def errors(errand: Errand) -> Any:
    client = errand.client()
    seen: dict[str, Any] = {}
    calls: dict[str, Any] = {
        "model": {"model": "nobody", "input": _PONG},
        "parameter": {"model": "gpt-5-mini", "input": _PONG, "temperature": 7},
        "filter": {"model": "gpt-5-mini", "input": "[[azure:block-prompt]]"},
        "previous": {"model": "gpt-5-mini", "input": _PONG, "previous_response_id": "resp_nobody"},
    }
    for name, arguments in calls.items():
        try:
            client.responses.create(**arguments)
        except openai.APIStatusError as error:
            seen[name] = [type(error).__name__, error.status_code, error.code]
    if errand.mode == "gateway":
        try:
            client.with_options(api_key="sk-wrong").models.list()
        except openai.AuthenticationError as error:
            seen["key"] = error.status_code
    return seen


if __name__ == "__main__":
    run(
        create,
        create_async,
        follow_up,
        stream,
        parse,
        stored,
        background,
        tools,
        reasoning,
        chat,
        chat_stream,
        azure,
        models,
        errors,
    )
