"""Commentary and the final answer, whole and streamed, and back again."""

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    ReasoningCache,
    accumulate_chunks,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.bridge.chat_over_responses.text_stream import FinalParts, OrderedText, align
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


def test_text_of_the_open_part_goes_through_at_once() -> None:
    text = OrderedText()
    assert [text.add((0, 0), piece) for piece in ("a", "", "b")] == ["a", "", "b"]


def test_a_later_part_waits_until_the_one_before_is_complete() -> None:
    text = OrderedText(" ")
    assert text.add((0, 0), "one") == "one"
    assert text.add((1, 0), "tw") == ""
    assert text.close((0, 0), "one!") == "! tw"
    assert text.add((1, 0), "o") == "o"
    assert text.offset((1, 0)) == 5
    assert text.text() == "one! two"


def test_a_part_known_only_by_its_end_is_handed_on_then() -> None:
    text = OrderedText()
    assert text.close((0, 0), "whole") == "whole"
    assert text.close((0, 0), "whole") == ""
    assert text.close((0, 0), "whole and more") == " and more"


def test_an_end_that_contradicts_the_deltas_adds_nothing() -> None:
    text = OrderedText()
    text.add((0, 0), "abc")
    assert text.close((0, 0), "xyz") == ""


def test_empty_parts_take_no_place_and_no_separator() -> None:
    text = OrderedText("|")
    assert text.finish([((0,), ""), ((1,), "a"), ((2,), ""), ((3,), "b")]) == "a|b"
    assert text.offset((0,)) is None


def test_an_empty_first_delta_opens_nothing() -> None:
    text = OrderedText()
    assert text.add((0, 0), "") == ""
    assert text.add((0, 0), "a") == "a"
    assert text.texts_by_item() == {0: "a"}


def test_what_separates_items_does_not_separate_the_parts_of_one() -> None:
    text = OrderedText("|", joins_items=True)
    handed = "".join(
        text.add(place, piece) + text.close(place, piece)
        for place, piece in [((0, 0), "a"), ((0, 1), "b"), ((1, 0), ""), ((2, 0), "c")]
    )
    assert handed == text.text() == "ab|c"
    assert [text.offset(place) for place in [(0, 0), (0, 1), (2, 0)]] == [0, 1, 3]


def test_what_follows_lost_text_waits_for_the_whole_part() -> None:
    text = OrderedText("|")
    assert text.add((0,), "a") == "a"
    text.hold((0,))
    assert text.add((0,), "c") == ""
    assert text.add((1,), "d") == ""
    assert text.close((0,), "abc") == "bc|d"
    text.hold((2,))
    assert text.add((2,), "f") == ""
    assert text.close((2,), "ef") == ""
    assert text.close((1,), "d") == "|ef"


def test_parts_that_end_in_any_order_come_out_in_theirs() -> None:
    parts = [((0,), "a"), ((1,), "b"), ((2,), "c")]
    for order in permutations(parts[1:]):
        text = OrderedText("-")
        handed_on = text.add((0,), "a")
        handed_on += "".join(text.close(place, words) for place, words in order)
        handed_on += text.finish(parts)
        assert handed_on == "a-b-c"


@settings(deadline=None)
@given(st.lists(st.text(max_size=6), min_size=1, max_size=5), st.data())
def test_any_split_of_parts_comes_out_whole(texts: list[str], data: st.DataObject) -> None:
    lane = OrderedText("|")
    handed_on = []
    for index, words in enumerate(texts):
        cut = data.draw(st.integers(0, len(words)))
        # A part that says nothing before a later one begins cannot be waited for.
        arrived = words[: data.draw(st.integers(min(1, len(words)), len(words)))]
        handed_on += [lane.add((index,), arrived[:cut]), lane.add((index,), arrived[cut:])]
        if data.draw(st.booleans()):
            handed_on.append(lane.close((index,), words))
    handed_on.append(lane.finish(((index,), words) for index, words in enumerate(texts)))
    assert "".join(handed_on) == "|".join(words for words in texts if words)
    assert lane.text() == "".join(handed_on)


def _items(*output: dict[str, Any]) -> list[Any]:
    return list(Response.model_validate({"id": "r", "output": list(output)}).output)


REASONING = {
    "type": "reasoning",
    "summary": [{"type": "summary_text", "text": "s"}],
    "content": [{"type": "reasoning_text", "text": "raw"}, {"type": "hologram"}],
}
MESSAGE = {
    "type": "message",
    "id": "m",
    "role": "assistant",
    "content": [
        {"type": "output_text", "text": "t"},
        {"type": "refusal", "refusal": "no"},
        {"type": "hologram"},
    ],
}
EMPTY_CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""}
SEARCH = {"type": "web_search_call", "id": "ws"}


def test_every_part_has_its_place() -> None:
    parts = FinalParts(dict(enumerate(_items(REASONING, MESSAGE, EMPTY_CALL, SEARCH))))
    assert parts.texts() == [((1, 0), "t")]
    assert parts.refusals == [((1, 1), "no")]
    assert parts.reasoning == [((0, 0, 0), "raw"), ((0, 1, 0), "s")]
    assert [index for index, _ in parts.calls] == [2]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({}, [0, 1, 2]),
        ({0: "reasoning", 1: "message", 2: "function_call"}, [0, 1, 2]),
        ({0: "reasoning"}, [0, 1, 2]),
        # The stream had a search that the final response leaves out.
        ({0: "reasoning", 1: "web_search_call", 2: "message", 3: "function_call"}, [0, 2, 3]),
        # The final response has reasoning that the stream never told.
        ({0: "message", 1: "function_call"}, [2, 0, 1]),
    ],
)
def test_final_items_find_their_index_in_the_stream(
    kinds: dict[int, str], expected: list[int]
) -> None:
    items = _items(REASONING, MESSAGE, EMPTY_CALL)
    aligned = align(items, kinds)
    assert [index for item in items for index in aligned if aligned[index] is item] == expected
