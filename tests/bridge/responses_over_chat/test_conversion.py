"""Whole calls of the Responses API over chat completions."""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError

from .cases import chunk, completion, convert, make, read, stream

_TOOLS = [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}]


def test_a_question_and_its_answer() -> None:
    conversion = make({"model": "group", "input": "Hi", "instructions": "Be brief."}, "kimi-k2.5")
    assert (conversion.caller, conversion.upstream) == ("responses", "chat")
    assert conversion.write() == {
        "model": "kimi-k2.5",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
    }
    assert conversion.input_items == [
        {
            "id": "msg_1",
            "type": "message",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_text", "text": "Hi"}],
        }
    ]
    response = conversion.read(completion({"content": "Hello."}))
    assert response["id"].startswith("resp_")
    assert (response["status"], response["model"]) == ("completed", "group")
    assert response["output"] == [
        {
            "id": "msg_3",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}
            ],
        }
    ]


def test_the_history_comes_before_the_input_and_the_instructions_before_both() -> None:
    history: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "One"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]
    parameters = {
        "previous_response_id": "resp_bridged_0",
        "instructions": "New.",
        "input": [{"type": "function_call_output", "call_id": "c1", "output": "1"}],
    }
    body, _ = convert(parameters, history=history)
    assert [message["role"] for message in body["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]


def test_instructions_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadRequestError, match="Invalid type for 'instructions'"):
        convert({"instructions": ["a"]})


def test_a_stream_ends_with_the_response_that_a_whole_reply_makes() -> None:
    calls = [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
    ]
    message: dict[str, Any] = {
        "reasoning_content": "Hmm.",
        "content": "I look.",
        "tool_calls": calls,
    }
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    whole = read(completion(message, "tool_calls", usage=usage), {"tools": _TOOLS})
    pieces = [
        chunk(role="assistant", content=""),
        chunk(reasoning_content="Hm"),
        chunk(reasoning_content="m."),
        chunk(content="I "),
        chunk(content="look."),
        chunk(tool_calls=[{"index": 0, **calls[0], "function": {"name": "f", "arguments": ""}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]),
        chunk(tool_calls=[{"index": 1, **calls[1]}]),
        chunk("tool_calls"),
        {"choices": [], "usage": usage},
    ]
    last = stream(pieces, {"tools": _TOOLS})[-1]
    assert (last["type"], last["response"]) == ("response.completed", whole)


def test_a_body_that_is_no_completion_is_an_error() -> None:
    bodies: list[Any] = [{}, {"choices": []}, {"choices": [{"index": 0}]}, {"choices": [3]}]
    for body in bodies:
        with pytest.raises(ValueError, match="no message"):
            read(body)
    messages: list[Any] = [{"tool_calls": [3]}, {"tool_calls": {"a": 1}}, {"content": "a"}]
    messages[-1]["annotations"] = [3]
    for message in messages:
        with pytest.raises(ValueError, match="not a chat completion"):
            read(completion(message))
