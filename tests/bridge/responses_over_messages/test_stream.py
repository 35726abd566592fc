"""A stream of Claude's that does not go as it should still ends as a response."""

import json
from typing import Any

import pytest

from tests.bridge.responses_over_messages.cases import (
    events_of,
    make,
    message,
    sse,
    stream,
    streamed,
)

_WEATHER = {"type": "function", "name": "weather"}


def _use(given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": given}


@pytest.mark.parametrize("kind", ["overloaded_error", "rate_limit_error", "api_error"])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_an_error_in_the_stream_is_a_failed_response_with_its_code(kind: str, place: int) -> None:
    error = {"type": "error", "error": {"type": kind, "message": "Overloaded"}}
    events = stream([*streamed(message("Hello"))[:place], error, *streamed(message("more"))])
    assert [events[0]["type"], events[-1]["type"]] == ["response.created", "response.failed"]
    failed = events[-1]["response"]
    assert failed["status"] == "failed"
    assert failed["error"] == {"code": kind, "message": "Overloaded"}


def test_an_error_without_details_is_a_failure_of_the_server() -> None:
    failed = stream([{"type": "error"}])[-1]["response"]
    assert failed["error"]["code"] == "server_error"


@pytest.mark.parametrize("place", range(5))
def test_a_stream_that_breaks_off_is_never_complete(place: int) -> None:
    events = stream(streamed(message("Hello"))[:place])
    assert not [event for event in events if "completed" in event["type"]]
    assert not [event for event in events if event["type"] == "response.failed"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))


def test_a_stream_without_its_very_last_event_is_complete() -> None:
    whole = streamed(message("Hello"))
    assert stream(whole[:-1])[-1]["type"] == "response.completed"
    data = sse(whole).rstrip(b"\n")
    conversion = make({})
    conversion.write()
    state = conversion.stream()
    assert events_of(state.receive(data) + state.end())[-1]["type"] == "response.completed"


def test_what_is_not_json_fails_the_response() -> None:
    conversion = make({})
    conversion.write()
    state = conversion.stream()
    start = sse(streamed(message("Hello"))[:3])
    events = events_of(state.receive(start + b"data: nonsense\n\ndata: []\n\n") + state.end())
    assert events[-1]["type"] == "response.failed"
    assert state.final is not None
    assert state.receive(start) == state.end() == b""
    assert state.receive(b"data: {") == b""
    assert state.end() == b""


def test_events_and_pieces_that_are_not_known_are_passed_over() -> None:
    events = streamed(message("Hello"))
    odd: list[dict[str, Any]] = [
        {"type": "event_of_tomorrow"},
        {
            "type": "content_block_delta",
            "index": 7,
            "delta": {"type": "text_delta", "text": "lost"},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "delta_of_tomorrow"}},
        {"type": "content_block_delta", "index": 0},
        {"type": "content_block_stop", "index": 7},
        {"type": "message_delta"},
    ]
    final = stream([*events[:3], *odd, *events[3:]])[-1]["response"]
    assert final["output"][0]["content"][0]["text"] == "Hello"
    assert final["status"] == "completed"


def test_a_block_that_never_stops_is_closed_at_the_end() -> None:
    events = [event for event in streamed(message("Hi")) if event["type"] != "content_block_stop"]
    assert stream(events)[-1]["response"]["output"][0]["status"] == "completed"


def test_arguments_stream_as_they_arrive() -> None:
    given = streamed(message(_use({"city": "Oslo"})), 4)
    # Claude begins with an empty piece.
    empty = {"type": "input_json_delta", "partial_json": ""}
    given.insert(3, {"type": "content_block_delta", "index": 0, "delta": empty})
    events = stream(given, {"tools": [_WEATHER]})
    kind = "response.function_call_arguments.delta"
    deltas = [event["delta"] for event in events if event["type"] == kind]
    assert deltas == ['{"ci', 'ty":', ' "Os', 'lo"}']


def test_a_call_without_arguments_has_an_empty_object() -> None:
    events = stream(streamed(message(_use({}))), {"tools": [_WEATHER]})
    assert events[-1]["response"]["output"][0]["arguments"] == "{}"


def test_a_call_that_is_cut_off_keeps_what_arrived() -> None:
    events = streamed(message(_use({"city": "Oslo"}), reason="max_tokens"), 4)
    del events[4:7]
    item = stream(events, {"tools": [_WEATHER]})[-1]["response"]["output"][0]
    assert (item["arguments"], item["status"]) == ('{"ci', "incomplete")


def test_a_call_without_an_id_gets_one_that_stays() -> None:
    use = {**_use({"a": 1}), "id": None}
    events = stream(streamed(message(use)), {"tools": [_WEATHER]})
    items = [event["item"] for event in events if "item" in event]
    assert {item["call_id"] for item in items} == {events[-1]["response"]["output"][0]["call_id"]}
    assert items[0]["call_id"].startswith("call_")


def test_usage_is_what_was_counted_last() -> None:
    events = streamed(message("Hi", usage={"input_tokens": 3, "output_tokens": 9}))
    events[-2]["usage"] = {"output_tokens": 11, "input_tokens": None}
    usage = stream(events)[-1]["response"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (3, 11)


# --- pauses ------------------------------------------------------------------------------------

_SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "q"}}
_THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}


def _paused(*blocks: Any) -> dict[str, Any]:
    return message(*blocks, reason="pause_turn")


def test_a_paused_turn_goes_on_as_one_response() -> None:
    first = _paused(_THOUGHT, "Let me look. ", _use({"a": "b"}), _SEARCH)
    conversion = make({"tools": [_WEATHER]})
    body = conversion.write()
    state = conversion.stream()
    begun = state.receive(sse(streamed(first))) + state.end()
    assert "response.completed" not in begun.decode()
    assert state.final is None
    assert conversion.continued == {
        **body,
        "messages": [*body["messages"], {"role": "assistant", "content": first["content"]}],
    }
    events = events_of(begun + state.receive(sse(streamed(message("Found.")))) + state.end())
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events].count("response.created") == 1
    final = events[-1]["response"]
    assert [item["type"] for item in final["output"]] == [
        "reasoning",
        "message",
        "function_call",
        "message",
    ]
    assert final["usage"]["input_tokens"] == 10
    assert final["usage"]["output_tokens_details"]["reasoning_tokens"] == 0


def test_a_whole_reply_that_paused_goes_on_too() -> None:
    conversion = make({})
    conversion.write()
    begun = conversion.read(_paused("Let me look. "))
    assert (begun["status"], begun["output"]) == ("in_progress", [])
    bodies = [conversion.continued]
    conversion.read(_paused(" Still. "))
    bodies.append(conversion.continued)
    final = conversion.read(message("Found."))
    roles = [[one["role"] for one in body["messages"]] for body in bodies if body is not None]
    assert roles == [["user", "assistant"], ["user", "assistant", "assistant"]]
    assert conversion.continued is None
    assert final["output"][0]["content"][0]["text"] == "Let me look.  Still. Found."
    assert final["usage"]["total_tokens"] == 36


@pytest.mark.parametrize("rest", [0, 1, 3])
def test_a_stream_that_breaks_off_after_a_pause_has_no_terminal_event(rest: int) -> None:
    conversion = make({})
    conversion.write()
    state = conversion.stream()
    state.receive(sse(streamed(_paused("a"))))
    assert state.end() == b""
    rest_of_it = sse(streamed(message("b"))[:rest])
    events = events_of(state.receive(rest_of_it) + state.end())
    assert not [event for event in events if event["type"] == "response.completed"]
    assert state.final is None


def test_a_turn_does_not_pause_for_ever() -> None:
    conversion = make({})
    conversion.write()
    responses = [conversion.read(_paused("x")) for _ in range(11)]
    assert conversion.continued is None
    response = responses[-1]
    assert (response["status"], response["incomplete_details"]) == (
        "incomplete",
        {"reason": "max_output_tokens"},
    )


def test_the_input_of_a_tool_that_anthropic_runs_is_sent_back() -> None:
    events = streamed(_paused({**_SEARCH, "input": {}}))
    piece = {"type": "input_json_delta", "partial_json": json.dumps(_SEARCH["input"])}
    events.insert(3, {"type": "content_block_delta", "index": 0, "delta": piece})
    conversion = make({})
    conversion.write()
    state = conversion.stream()
    state.receive(sse(events))
    assert conversion.continued is not None
    assert conversion.continued["messages"][-1]["content"] == [_SEARCH]
