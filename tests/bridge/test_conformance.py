"""Nothing of recorded traffic is lost on its way into a chat completion."""

import json
from collections import Counter
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    accumulate_chunks,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.errors import RateLimitError, StreamInterruptedError
from azure_responses.types import ChatCompletion, ChatCompletionChunk, Response, StreamEvent

from .conservation import count_completion, count_response
from .recorded import TRIMMED, bodies, streams
from .schemas import validator

REQUEST = BridgedRequest({}, include_usage=True)
# A refused call and a stream that hand-made lines break off: neither ends in a completion.
ENDS_IN_ERROR = {"openai-error.1.chunks.txt", "parallel-tool-call-wrapper.1.chunks.txt"}
# Their answers are told in deltas alone; the final responses have no output.
EMPTY_AT_THE_END = {"stream.json", "stream-refusal.json"}


def _name(source: str) -> str:
    return source.rpartition("/")[2].partition("#")[0]


def _convert(
    events: tuple[StreamEvent, ...], request: BridgedRequest = REQUEST
) -> tuple[list[ChatCompletionChunk], ChatCompletion]:
    stream = ChatStream(request, created=7)
    chunks = [chunk for event in events for chunk in stream.feed(event)]
    chunks += stream.finish()
    assert stream.final is not None
    return chunks, stream.final


def _completed() -> list[tuple[str, tuple[StreamEvent, ...]]]:
    return [(source, events) for source, events in streams() if _name(source) not in ENDS_IN_ERROR]


def _final(events: tuple[StreamEvent, ...]) -> Response:
    response = getattr(events[-1], "response", None)
    assert isinstance(response, Response)
    return response


def test_every_recorded_response_becomes_a_completion_that_says_the_same() -> None:
    totals: Counter[str] = Counter()
    for source, response in bodies():
        completion = json.loads(to_chat_completion(response, REQUEST).to_json())
        expected = count_response(response.to_dict())
        assert count_completion(completion) == expected, source
        totals += expected
    print("conserved:", dict(totals))
    assert len(bodies()) > 200
    assert {"text", "calls", "reasoning", "ciphertext", "readable", "filters"} <= totals.keys()
    assert {"citation url_citation", "citation file_citation"} <= totals.keys()
    assert totals["hosted"] > 30


def test_every_recorded_stream_becomes_chunks_that_say_the_same() -> None:
    for source, events in _completed():
        chunks, _ = _convert(events)
        dumped = json.loads(accumulate_chunks(chunks).to_json())
        if _name(source) not in {TRIMMED, *EMPTY_AT_THE_END}:
            assert count_completion(dumped) == count_response(_final(events).to_dict()), source
    assert len(_completed()) > 130


def test_the_chunks_of_a_recorded_stream_add_up_to_the_conversion_of_its_final_response() -> None:
    for source, events in _completed():
        chunks, final = _convert(events)
        whole = to_chat_completion(_final(events), REQUEST, created=7)
        if _name(source) in EMPTY_AT_THE_END:
            assert len(_final(events).output) == 0
            whole = final
        assert final == whole, source
        if _name(source) != TRIMMED:
            assert accumulate_chunks(chunks).to_dict() == whole.to_dict(), source


def test_an_answer_that_only_deltas_tell_is_kept() -> None:
    found = {_name(source): _convert(events)[1] for source, events in _completed()}
    assert found["stream-refusal.json"].choices[0].message.refusal == "I cannot help with that."
    message = found["stream.json"].choices[0].message
    assert message.content
    assert message.tool_calls


def test_streams_that_fail_raise_what_their_code_says() -> None:
    failing = {_name(source): events for source, events in streams()}
    with pytest.raises(RateLimitError) as refused:
        _convert(failing["openai-error.1.chunks.txt"])
    assert refused.value.code == "insufficient_quota"
    with pytest.raises(StreamInterruptedError) as broken:
        _convert(failing["parallel-tool-call-wrapper.1.chunks.txt"])
    assert broken.value.partial.choices[0].message.tool_calls


def test_every_recorded_stream_begins_with_the_role_and_finishes_once() -> None:
    for source, events in _completed():
        chunks, _ = _convert(events)
        reasons = [
            choice.finish_reason
            for chunk in chunks
            for choice in chunk.choices
            if choice.finish_reason is not None
        ]
        assert len(reasons) == 1, source
        assert chunks[0].choices[0].delta.role == "assistant", source
        # GitHub Copilot gives the response another id in every event.
        if "github-copilot-id-rotation" not in source:
            assert len({chunk.id for chunk in chunks}) == 1, source


def test_a_chunk_per_event_is_the_rule_and_the_split_does_not_matter() -> None:
    for _, events in _completed()[:40]:
        chunks, _ = _convert(events)
        again = ChatStream(REQUEST, created=7)
        halves = [again.feed(event) for event in events]
        assert [chunk for half in halves for chunk in half] == chunks
        assert len(chunks) <= len(events) + 2


# Chat completions' description knows one kind of annotation, and no custom calls in chunks.
def _strip(completion: dict[str, Any]) -> dict[str, Any]:
    for choice in completion["choices"]:
        said = choice.get("message") or choice.get("delta") or {}
        if "annotations" in said:
            said["annotations"] = [
                entry for entry in said["annotations"] if entry["type"] == "url_citation"
            ]
        if "delta" in choice:
            said["tool_calls"] = [
                call for call in said.get("tool_calls", []) if call.get("type") != "custom"
            ]
    return completion


def _check(schema: Draft202012Validator, value: Any, source: str) -> None:
    errors = [error.message for error in schema.iter_errors(value)]
    assert errors == [], source


def test_every_completion_fits_the_description_of_chat_completions() -> None:
    schema = validator("CreateChatCompletionResponse")
    for source, response in bodies():
        if response.status not in ("queued", "in_progress"):
            completion = to_chat_completion(response, REQUEST)
            _check(schema, _strip(json.loads(completion.to_json())), source)


def test_every_chunk_fits_the_description_of_chunks() -> None:
    schema = validator("CreateChatCompletionStreamResponse")
    seen: set[str] = set()
    for source, events in _completed():
        for chunk in _convert(events)[0]:
            value = _strip(json.loads(chunk.to_json()))
            # Chunks differ mostly in their text; one of each shape is enough.
            shape = json.dumps(_shape(value), sort_keys=True)
            if shape not in seen:
                seen.add(shape)
                _check(schema, value, source)
    assert len(seen) > 20


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_shape(member) for member in value]
    return type(value).__name__


def _as_service_wants(parameters: dict[str, Any]) -> dict[str, Any]:
    """The parameters with what the description demands of replays and the service refuses.

    It wants ids, statuses and empty lists on an assistant's parts, and the request id of an
    approval twice; Azure refuses statuses on replays (litellm #13484), and no SDK sends the rest.
    """
    for item in parameters["input"]:
        if item["type"] == "message" and isinstance(item["content"], list):
            if item["role"] == "assistant":
                item |= {"id": "msg_1", "status": "completed"}
            for part in item["content"]:
                if part["type"] == "output_text":
                    part |= {"annotations": part.get("annotations", []), "logprobs": []}
    return parameters


def test_every_recorded_answer_goes_back_as_a_valid_request_with_nothing_missing() -> None:
    schema = validator("CreateResponse")
    for source, response in bodies():
        message = to_chat_completion(response, REQUEST).choices[0].message
        history = [{"role": "user", "content": "?"}, json.loads(message.to_json())]
        request = to_responses_request({"model": "gpt-5", "messages": history, "store": True})
        kinds = [item["type"] for item in request.parameters["input"][1:]]
        expected = [item.type for item in response.output]
        if expected and not any(_is_empty(item) for item in response.output):
            assert kinds == expected, source
        assert request.warnings == (), source
        replay = [
            item for item in _as_service_wants(request.parameters)["input"] if _is_described(item)
        ]
        _check(schema, {**request.parameters, "input": replay}, source)


def _is_empty(item: Any) -> bool:
    return item.type == "message" and not any(
        getattr(part, "text", "") or getattr(part, "refusal", "") for part in item.content
    )


def _is_described(item: dict[str, Any]) -> bool:
    # Recorded hosted items leave out what the description requires of them, or say more. It
    # requires the id of reasoning in the clear too, which would only be looked up in vain.
    if item["type"] == "reasoning" and "id" not in item:
        return False
    return item["type"] in ("message", "function_call", "custom_tool_call", "reasoning")
