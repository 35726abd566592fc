"""The chunks of a deployment that speaks chat completions."""

import json
from typing import Any

import pytest

from azure_responses.bridge.chat_chunks import ChatCall, ChatChunks
from azure_responses.errors import APIConnectionError, RateLimitError, StreamInterruptedError
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.types.chat import ChatCompletion


def make_chunks() -> ChatChunks:
    call = ChatCall(
        ChatCompletion, Request("POST", "https://r/chat", {}), RequestContext("chat"), RetryPolicy()
    )
    return ChatChunks(call)


def chunk(*choices: dict[str, Any], **fields: Any) -> bytes:
    value = {"id": "c1", "object": "chat.completion.chunk", "choices": list(choices), **fields}
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def said(text: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": {"content": text}, **fields}


DONE = b"data: [DONE]\n\n"


def test_chunks_add_up_to_the_completion_and_its_usage() -> None:
    chunks = make_chunks()
    assert [chunks.final, chunks.so_far(), chunks.partial_response] == [None, None, None]
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    data = chunk(said("a")) + chunk(said("b", finish_reason="stop")) + chunk(usage=usage) + DONE
    assert len(chunks.receive(data, 1.0)) == 3
    assert bool(chunks.is_over)
    assert chunks.events_seen == 3
    final = chunks.final
    assert final is not None
    assert final.choices[0].message.content == "ab"
    response = chunks.final_response
    assert response is not None
    assert response.usage is not None
    assert response.usage.input_tokens == 1
    assert chunks.partial_response is not None
    # Nothing follows the end.
    assert chunks.receive(chunk(said("c")), 1.0) == []


def test_several_choices_are_kept_apart() -> None:
    chunks = make_chunks()
    data = (
        chunk(said("a"), said("x", 1))
        + chunk(said("y", 1, finish_reason="stop"))
        + chunk(said("b", finish_reason="length"))
        + DONE
    )
    chunks.receive(data, 1.0)
    final = chunks.final
    assert final is not None
    assert [choice.message.content for choice in final.choices] == ["ab", "xy"]
    assert [choice.finish_reason for choice in final.choices] == ["length", "stop"]


def test_odd_fields_and_signs_of_life_lose_no_chunk() -> None:
    chunks = make_chunks()
    first = chunk(object="", prompt_filter_results=[], model="")
    data = first + b"data: ping\n\n" + b"data:\n\n" + chunk(said("a", finish_reason="stop"))
    assert len(chunks.receive(data, 1.0)) == 2
    # A gateway that sends no end mark.
    assert chunks.end(1.0) == []
    assert chunks.failure is None
    assert chunks.final is not None


def test_an_error_in_the_stream_is_raised_as_what_it_stands_for() -> None:
    chunks = make_chunks()
    error = b'data: {"error":{"code":"rate_limit_exceeded","message":"Slow down."}}\n\n'
    assert chunks.receive(error, 1.0) == []
    assert [type(chunks.failure), chunks.final, chunks.final_response] == [
        RateLimitError,
        None,
        None,
    ]
    chunks.begin_again()
    assert len(chunks.receive(chunk(said("a")), 1.0)) == 1


@pytest.mark.parametrize("end", [DONE, b""])
def test_a_stream_without_a_finish_reason_is_never_a_short_answer(end: bytes) -> None:
    chunks = make_chunks()
    chunks.receive(chunk(said("a")) + end, 1.0)
    chunks.end(1.0)
    assert isinstance(chunks.failure, StreamInterruptedError)
    partial: Any = chunks.failure.partial
    assert partial.choices[0].message.content == "a"


def test_a_connection_that_breaks_after_the_last_chunk_loses_nothing() -> None:
    chunks = make_chunks()
    chunks.receive(chunk(said("a", finish_reason="stop")), 1.0)
    chunks.break_off(APIConnectionError("gone"))
    assert chunks.failure is None
    assert chunks.final is not None
    assert not chunks.expects_reason


def test_those_who_watch_know_a_completion_as_a_response() -> None:
    call = make_chunks()._call
    assert isinstance(call, ChatCall)
    completion = ChatCompletion.model_validate(
        {
            "id": "c1",
            "choices": [{"message": {"content": "a"}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
        }
    )
    completion.attach({"x-ms-region": "here"}, None)
    response = call.watched(completion)
    assert response.status == "incomplete"
    assert response.usage is not None
    assert response.usage.output_tokens == 2


def test_only_a_stream_that_was_read_to_its_end_is_whole() -> None:
    chunks = make_chunks()
    chunks.receive(chunk(said("a")), 1.0)
    with pytest.raises(StreamInterruptedError) as caught:
        chunks.whole()
    assert caught.value.partial.choices[0].message.content == "a"
    chunks.receive(chunk(said("b", finish_reason="stop")) + DONE, 1.0)
    assert chunks.whole().choices[0].message.content == "ab"
