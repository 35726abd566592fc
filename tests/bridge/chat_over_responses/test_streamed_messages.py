"""Commentary and the final answer, whole and streamed, and back again."""

import json
from typing import Any

import pytest

from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    ReasoningCache,
    accumulate_chunks,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.errors import StreamInterruptedError, UnreadableResponseError
from azure_responses.types import ChatCompletionMessage, Response, parse_event
from tests.canned import message, response, stream_of

REQUEST = BridgedRequest({})
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
LOOK, CHECK, FOUND = "Let me look.", "Checking.", "Found it."


def _parts(phase: str | None, *texts: str) -> dict[str, Any]:
    parts = [{"type": "output_text", "text": text, "annotations": []} for text in texts]
    return {**message("", phase), "content": parts}


REFUSED = {**message("", "final_answer"), "content": [{"type": "refusal", "refusal": "No."}]}
CASES: list[tuple[list[dict[str, Any]], str | None, str | None]] = [
    ([message(LOOK, "commentary"), message(FOUND, "final_answer")], FOUND, LOOK),
    (
        [message(LOOK, "commentary"), message(CHECK, "commentary"), message(FOUND, "final_answer")],
        FOUND,
        f"{LOOK}\n\n{CHECK}",
    ),
    ([message(LOOK), message(FOUND)], f"{LOOK}\n\n{FOUND}", None),
    ([message(LOOK), message(""), message(FOUND)], f"{LOOK}\n\n{FOUND}", None),
    ([message(LOOK, "of_tomorrow"), message(FOUND, "final_answer")], f"{LOOK}\n\n{FOUND}", None),
    ([message(LOOK, "commentary"), message(FOUND)], FOUND, LOOK),
    ([message(LOOK, "commentary"), CALL], None, LOOK),
    ([message(LOOK, "commentary")], "", LOOK),
    ([_parts("commentary", "Let ", "me."), _parts("final_answer", "a", "b")], "ab", "Let me."),
    ([_parts(None, "a", "b"), _parts(None, "c")], "ab\n\nc", None),
    ([message(LOOK, "commentary"), REFUSED], None, LOOK),
    ([CALL, message(FOUND, "final_answer"), message(CHECK, "commentary")], FOUND, CHECK),
]


def _whole(output: list[dict[str, Any]]) -> ChatCompletionMessage:
    made = to_chat_completion(Response.model_validate(response(*output)), REQUEST)
    return made.choices[0].message


@pytest.mark.parametrize(("output", "content", "commentary"), CASES)
def test_the_content_is_the_final_answer_and_commentary_is_kept_apart(
    output: Any, content: str | None, commentary: str | None
) -> None:
    made = _whole(output)
    assert (made.content, made.commentary) == (content, commentary)


@pytest.mark.parametrize("output", [case[0] for case in CASES])
def test_chunks_add_up_to_the_same_message(output: Any) -> None:
    stream = ChatStream(REQUEST)
    chunks = []
    for event in stream_of(response(*output)):
        chunks += stream.feed(parse_event(json.dumps(event)))
    chunks += stream.finish()
    assert accumulate_chunks(chunks).choices[0].message.to_dict() == _whole(output).to_dict()


@pytest.mark.parametrize("output", [case[0] for case in CASES])
def test_a_message_sent_back_is_the_items_it_was_with_their_phases(output: Any) -> None:
    sent = json.loads(_whole(output).to_json())
    request = to_responses_request({"model": "m", "messages": [sent]})
    back = [(item["type"], item.get("phase"), _text(item)) for item in request.parameters["input"]]
    assert back == [(item["type"], item.get("phase"), _text(item)) for item in output]


def _text(item: dict[str, Any]) -> str:
    content = item.get("content", "")
    if isinstance(content, str):
        return content
    return "".join(part.get("text") or part.get("refusal") or "" for part in content)


def test_commentary_comes_as_it_is_written() -> None:
    stream = ChatStream(REQUEST)
    told = []
    for event in stream_of(response(*CASES[0][0])):
        for chunk in stream.feed(parse_event(json.dumps(event))):
            delta = chunk.choices[0].delta
            told.append((delta.commentary, delta.content))
    texts = [pair for pair in told if any(pair)]
    assert texts == [("Let me", None), (" look.", None), (None, "Foun"), (None, "d it.")]


def test_what_arrived_before_a_break_is_told_apart_too() -> None:
    stream = ChatStream(REQUEST)
    for event in stream_of(response(*CASES[0][0]))[:-3]:
        stream.feed(parse_event(json.dumps(event)))
    with pytest.raises(StreamInterruptedError) as caught:
        stream.finish()
    partial = caught.value.partial.choices[0].message
    assert (partial.content, partial.commentary) == (FOUND, LOOK)


def test_an_end_without_output_is_made_up_from_what_was_streamed() -> None:
    output = CASES[0][0]
    events = stream_of(response(*output))
    events[-1] = {**events[-1], "response": {**response(), "output": None}}
    finished = [event for event in events if event["type"] != "response.output_item.done"]
    for told in (events, finished):
        stream = ChatStream(REQUEST)
        chunks = [chunk for event in told for chunk in stream.feed(parse_event(json.dumps(event)))]
        made = accumulate_chunks(chunks).choices[0].message
        assert (made.content, made.commentary) == (FOUND, LOOK)
        assert stream.final is not None
        assert stream.final.choices[0].message.content == FOUND


def test_the_cache_restores_commentary_that_a_client_dropped() -> None:
    cache = ReasoningCache()
    made = Response.model_validate(response(message(LOOK, "commentary"), CALL))
    to_chat_completion(made, BridgedRequest({}, reasoning_cache=cache))
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    kept = {"role": "assistant", "content": None, "tool_calls": [call]}
    request = to_responses_request({"model": "m", "messages": [kept]}, reasoning_cache=cache)
    first, second = request.parameters["input"]
    assert (first["content"], first["phase"], second["type"]) == (
        LOOK,
        "commentary",
        "function_call",
    )


def test_a_stream_whose_answer_cannot_be_read_is_an_error() -> None:
    stream = ChatStream(REQUEST)
    ended = {"type": "response.completed", "response": {**response(), "output": None}}
    with pytest.raises(UnreadableResponseError, match="output is null"):
        stream.feed(parse_event(json.dumps(ended)))


@pytest.mark.parametrize(
    ("kind", "done", "field"),
    [
        ("reasoning_summary_text", {"text": "abc"}, "reasoning_content"),
        ("reasoning_text", {"text": "abc"}, "reasoning_content"),
        ("refusal", {"refusal": "abc"}, "refusal"),
        ("function_call_arguments", {"arguments": "abc"}, "function_call"),
    ],
)
def test_what_follows_a_lost_delta_waits_for_the_whole(kind: str, done: Any, field: str) -> None:
    stream = ChatStream(BridgedRequest({}, legacy_functions=True))
    place = {"item_id": "m", "output_index": 0, "content_index": 0, "summary_index": 0}
    begun = {**CALL, "arguments": ""}
    events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": 0, "item": begun}
    ]
    events += [{"type": f"response.{kind}.delta", **place, "delta": d} for d in ("a", None, "c")]
    events.append({"type": f"response.{kind}.done", **place, **done})
    told = ""
    for event in events:
        for chunk in stream.feed(parse_event(json.dumps(event))):
            said = chunk.choices[0].delta[field]
            told += said if isinstance(said, str) else (said.arguments if said else "") or ""
    assert told == "abc"


def test_lost_arguments_of_an_unknown_call_are_no_news() -> None:
    stream = ChatStream(REQUEST)
    lost = {"type": "response.function_call_arguments.delta", "output_index": 4, "delta": None}
    assert stream.feed(parse_event(json.dumps(lost)))[-1].choices[0].delta.tool_calls is None
