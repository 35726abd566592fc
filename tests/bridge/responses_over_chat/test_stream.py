"""Streams of chat deployments as events of a response."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.protocol.conversion import StreamConversion

from .cases import chunk, events_of, make, sse, stream


def _state(parameters: dict[str, Any] | None = None) -> StreamConversion:
    conversion = make(parameters or {})
    conversion.write()
    return conversion.stream()


def test_the_answer_is_over_when_usage_has_come_too() -> None:
    state = _state()
    data, finals = b"", []
    usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    for piece in (sse([chunk(content="Hi"), chunk("stop")], done=False), sse([usage], done=False)):
        data += state.receive(piece)
        finals.append(state.final)
    assert finals == [None, None]
    last = events_of(data + state.receive(b"data: [DONE]\n\n"))[-1]["response"]
    assert last == state.final
    assert last["usage"]["total_tokens"] == 3
    assert state.receive(sse([chunk(content="more")])) + state.end() == b""


def test_a_stream_may_end_without_done() -> None:
    events = stream([chunk(content="Hi"), chunk("stop")], done=False)
    assert events[-1]["type"] == "response.completed"


def test_the_last_event_may_lack_its_blank_line() -> None:
    state = _state()
    begun = state.receive(sse([chunk(content="Hi"), chunk("stop")], done=False)[:-2])
    assert begun != b""
    assert events_of(state.end())[-1]["type"] == "response.completed"


@pytest.mark.parametrize("done", [True, False])
def test_a_stream_that_breaks_off_has_no_terminal_event(done: bool) -> None:
    state = _state()
    events = events_of(state.receive(sse([chunk(content="Hi")], done=done)) + state.end())
    assert state.final is None
    assert events[-1]["type"] == "response.output_text.delta"
    assert events[-1]["delta"] == "Hi"


def test_an_empty_stream_has_no_events() -> None:
    state = _state()
    assert state.end() == b""
    assert state.final is None


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"error": {"message": "Slow down", "code": "429"}}, "rate_limit_exceeded", "Slow down"),
        ({"error": {"message": "a", "code": 500}}, "server_error", "a"),
        ({"error": {"message": "a", "type": "too_many_requests"}}, "rate_limit_exceeded", "a"),
        ({"error": {"message": "a", "code": "content_filter"}}, "content_filter", "a"),
        ({"error": "Bad", "code": "invalid-argument"}, "invalid-argument", "Bad"),
        ({"error": {}, "detail": "Off"}, "server_error", "Off"),
        ({"detail": [{"msg": "x"}]}, "server_error", "[{'msg': 'x'}]"),
        ({"error": {"code": None, "x": 1}}, "server_error", "The deployment reported an error."),
    ],
)
def test_an_error_inside_the_stream_is_a_failure(body: Any, code: str, message: str) -> None:
    events = stream([chunk(content="Hi"), body, chunk("stop")])
    assert events[-1]["type"] == "response.failed"
    assert events[-1]["response"]["error"] == {"code": code, "message": message}


@pytest.mark.parametrize(
    "body", [3, "x", [chunk()], {"choices": [3]}, {"choices": [{"delta": {"tool_calls": [3]}}]}]
)
def test_a_chunk_of_a_wrong_shape_is_a_failure(body: Any) -> None:
    assert stream([body, chunk("stop")])[-1]["type"] == "response.failed"


def test_a_chunk_that_is_no_json_is_a_failure() -> None:
    state = _state()
    events = events_of(state.receive(b"data: {oops\n\n"))
    assert events[-1]["response"]["error"]["code"] == "server_error"


def test_half_a_character_does_not_end_the_stream() -> None:
    state = _state()
    half = b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"}}]}\n\n'
    events = events_of(state.receive(half) + state.receive(sse([chunk("stop")])))
    assert events[-1]["type"] == "response.completed"
    assert events[4]["delta"] == "\ud83d"


def test_comments_and_empty_chunks_say_nothing() -> None:
    state = _state()
    data = state.receive(b": keep-alive\n\n")
    assert data == b""
    data = state.receive(sse([{}, {"choices": None}, {"choices": []}], done=False))
    assert [event["type"] for event in events_of(data)] == [
        "response.created",
        "response.in_progress",
    ]


def test_chunks_of_the_asynchronous_filter_only_add_verdicts() -> None:
    late = {
        "id": "",
        "model": "",
        "choices": [
            {
                "index": 0,
                "finish_reason": None,
                "content_filter_results": {"hate": {"filtered": False, "severity": "low"}},
                "content_filter_offsets": {"check_offset": 44, "start_offset": 44},
            }
        ],
    }
    events = stream([chunk(content="Hi"), chunk("stop"), late])
    assert events[-1]["type"] == "response.completed"
    (verdict,) = events[-1]["response"]["content_filters"]
    assert verdict["content_filter_offsets"]["check_offset"] == 44


_TOOLS = [
    {"type": "function", "name": "f", "strict": False},
    {"type": "custom", "name": "c"},
    {"type": "shell"},
]
_piece = st.one_of(
    st.text(max_size=5).map(lambda text: chunk(content=text)),
    st.text(max_size=5).map(lambda text: chunk(reasoning_content=text)),
    st.text(max_size=5).map(lambda text: chunk(refusal=text)),
    st.builds(
        lambda index, name, text: chunk(
            tool_calls=[{"index": index, "function": {"name": name, "arguments": text}}]
        ),
        st.integers(0, 2),
        st.sampled_from(["f", "c", "shell"]),
        st.sampled_from(["{", "}", '"a":1', '"input":"', '"commands":["ls"]', "", '"']),
    ),
)


@given(
    st.lists(_piece, max_size=12),
    st.sampled_from(["stop", "length", "content_filter", None]),
    st.lists(st.integers(0, 4000), max_size=8),
    st.booleans(),
)
def test_the_cuts_of_the_bytes_change_nothing_and_the_events_add_up(
    pieces: list[Any], reason: str | None, cuts: list[int], done: bool
) -> None:
    data = sse([*pieces, chunk(reason)], done=done)
    whole = _state({"tools": _TOOLS})
    expected = whole.receive(data) + whole.end()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    cut_state = _state({"tools": _TOOLS})
    received = b"".join(
        cut_state.receive(data[start:end]) for start, end in itertools.pairwise(places)
    )
    assert received + cut_state.end() == expected
    events = events_of(expected)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    if reason is None:
        assert whole.final is None
        return
    assert events[-1]["response"] == whole.final
    _check_items(events)


def _check_items(events: list[dict[str, Any]]) -> None:
    """Items begin once and end once, their deltas lie between and make up what they say."""
    added: dict[int, Any] = {}
    done: dict[int, Any] = {}
    texts: dict[tuple[Any, ...], str] = {}
    for event in events:
        kind, index = event["type"], event.get("output_index")
        if index is None:
            continue
        assert index not in done
        if kind == "response.output_item.added":
            assert index not in added
            added[index] = event["item"]
        assert index in added
        if kind == "response.output_item.done":
            done[index] = event["item"]
        _collect(event, texts)
    _check_output(events[-1], added, done)
    for (index, *_), text in texts.items():
        assert json.dumps(text)[1:-1] in json.dumps(done.get(index, text))


def _collect(event: dict[str, Any], texts: dict[tuple[Any, ...], str]) -> None:
    if event["type"].endswith(".delta"):
        place = (event["output_index"], event.get("content_index"), event["type"])
        texts[place] = texts.get(place, "") + event["delta"]


def _check_output(last: dict[str, Any], added: dict[int, Any], done: dict[int, Any]) -> None:
    if last["type"] == "response.failed":
        return
    assert last["response"]["output"] == [done[index] for index in sorted(added)]
    for index, item in added.items():
        assert (item["type"], item["id"]) == (done[index]["type"], done[index]["id"])
