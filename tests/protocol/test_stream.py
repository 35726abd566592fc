"""One streamed response across its connections."""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.errors import (
    APIConnectionError,
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseFailedError,
    StreamInterruptedError,
    UnreadableResponseError,
)
from azure_responses.protocol.resumption import Step
from azure_responses.protocol.sse import TERMINAL_STATUSES
from azure_responses.protocol.stream import ResponseStream
from azure_responses.types.model import StreamEvent
from azure_responses.types.response import Response
from tests.protocol.recorded_streams import RecordedStream, recorded_streams
from tests.protocol.samples import frame, make_call, stream_bytes

_NOW = 1000.0
_CUT = APIConnectionError("connection reset")


def _stream(
    *,
    resumes: bool = False,
    starting_after: int | None = None,
    response_id: str | None = None,
    **policy: Any,
) -> ResponseStream:
    stream = ResponseStream(
        make_call(**policy), resumes=resumes, starting_after=starting_after, response_id=response_id
    )
    stream.open({}, _NOW)
    return stream


def _next(
    stream: ResponseStream, cause: AzureResponsesError | None = None, now: float = _NOW
) -> Step:
    return stream.next_step(cause, now, 0.0, 0.5)


def _is_over(stream: ResponseStream) -> bool:
    return stream.is_over


def _names(events: Sequence[StreamEvent]) -> list[str]:
    return [event.type.removeprefix("response.") for event in events]


def _event(name: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
    kind = name if name == "error" else f"response.{name}"
    numbered = {} if number is None else {"sequence_number": number}
    return {"type": kind, **fields, **numbered}


def _at(status: str, number: int | None = None, **fields: Any) -> dict[str, Any]:
    """An event that carries the response, named after its status."""
    name = "created" if status == "created" else status
    body = {"id": "resp_1", "status": "in_progress" if status == "created" else status, **fields}
    return _event(name, number, response=body)


def _text(delta: str, number: int | None = None) -> dict[str, Any]:
    return _event(
        "output_text.delta", number, item_id="m", output_index=0, content_index=0, delta=delta
    )


_ITEM = _event(
    "output_item.added",
    2,
    output_index=0,
    item={"type": "message", "id": "m", "role": "assistant", "content": []},
)
_OPENING = [_at("created", 0), _at("in_progress", 1)]
_ERROR = _event(
    "error",
    error={
        "type": "too_many_requests",
        "code": "rate_limit_exceeded",
        "headers": {"x-ms-fe-error": "true"},
        "message": "Your requests to d for m in r have exceeded token rate limit.",
        "param": None,
    },
)
_FAILED = _at(
    "failed", error={"code": "rate_limit_exceeded", "message": "exceeded token rate limit"}
)
_UNEXPLAINED = _at("failed", error=None, incomplete_details=None, output=[], usage=None)

_ORDERS = {
    "created, error, failed": [
        _at("created", 0),
        {**_ERROR, "sequence_number": 1},
        {**_FAILED, "sequence_number": 2},
    ],
    "created, failed, error": [
        _at("created", 0),
        {**_UNEXPLAINED, "sequence_number": 1},
        {**_ERROR, "sequence_number": 2},
    ],
    "failed, error": [{**_UNEXPLAINED, "sequence_number": 1}, {**_ERROR, "sequence_number": 2}],
    "failed": [_FAILED],
    "error": [_ERROR],
    "flat error": [
        _event("error", 3, code="too_many_requests", message="Too Many Requests", param=None)
    ],
}


# The ordinary way.


def test_the_opening_events_are_held_back_until_output_follows() -> None:
    stream = _stream()
    assert stream.receive(frame(_OPENING[0])) == []
    assert stream.receive(frame(_OPENING[1])) == []
    assert _names(stream.receive(frame(_ITEM))) == ["created", "in_progress", "output_item.added"]
    assert _names(stream.receive(frame(_text("Hi", 3)))) == ["output_text.delta"]


def test_a_terminal_event_finishes_the_stream() -> None:
    stream = _stream()
    events = stream.receive(stream_bytes(*_OPENING, _ITEM, _at("completed", 3)))
    assert _names(events)[-1] == "completed"
    assert stream.is_finished
    assert stream.end() == []
    assert _next(stream) == Step("finish")
    assert _next(stream, _CUT) == Step("finish")
    assert stream.final_response is not None
    assert stream.response_id == "resp_1"


@pytest.mark.parametrize("status", ["completed", "incomplete", "cancelled"])
def test_each_terminal_event_ends_properly(status: str) -> None:
    stream = _stream()
    assert _names(stream.receive(stream_bytes(_at("created", 0), _at(status, 1)))) == [
        "created",
        status,
    ]
    assert _next(stream).action == "finish"
    assert stream.final_response is not None
    assert stream.final_response.status == status
    assert status in TERMINAL_STATUSES


def test_a_terminal_event_without_output_is_filled_from_the_items() -> None:
    stream = _stream()
    item = {
        "type": "message",
        "id": "m",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hi"}],
    }
    done = _event("output_item.done", 2, output_index=0, item=item)
    stream.receive(stream_bytes(*_OPENING, done, _at("completed", 3, output=[])))
    assert stream.final_response is not None
    assert stream.final_response.output_text == "Hi"


def test_a_terminal_event_of_an_odd_shape_ends_the_stream_all_the_same() -> None:
    stream = _stream()
    stream.receive(stream_bytes(*_OPENING, _event("completed", 2, response={"no": "id"})))
    assert stream.is_finished
    assert stream.final_response is not None
    assert stream.final_response.id == "resp_1"


@pytest.mark.parametrize("tail", [b"data: [DONE]\n\n", b"data: [DONE] \n\n", b"data:\n\n", b"data"])
def test_what_gateways_send_besides_is_tolerated(tail: bytes) -> None:
    stream = _stream()
    stream.receive(stream_bytes(*_OPENING, _ITEM, _at("completed", 3)) + tail)
    assert stream.end() == []
    assert _next(stream).action == "finish"


def test_empty_data_before_any_event_breaks_nothing() -> None:
    stream = _stream()
    assert stream.receive(b"data:\n\n: ping\n\n") == []
    assert not stream.is_over


def test_an_end_whose_last_newline_was_trimmed_is_an_end() -> None:
    stream = _stream()
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    stream.receive(frame(_at("completed", 3)).rstrip())
    assert not stream.is_finished
    assert _names(stream.end()) == ["completed"]
    assert _next(stream).action == "finish"


def test_a_stream_without_sequence_numbers_is_read() -> None:
    stream = _stream()
    events = [_at("created"), _at("in_progress"), _text("a"), _text("b"), _at("completed")]
    assert len(stream.receive(stream_bytes(*events))) == 5
    assert stream.last_sequence_number is None
    assert _next(stream).action == "finish"


def test_numbers_that_do_not_grow_lose_no_event() -> None:
    stream = _stream()
    events = [_at("created", 0), _text("a", 0), _text("b", 0), _at("completed", 0)]
    assert len(stream.receive(stream_bytes(*events))) == 4
    assert _next(stream).action == "finish"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.something_new", "sequence_number": "7"},
        {"type": ["odd"], "sequence_number": 3},
        {"type": None},
        {"no": "type"},
        {"type": "response.created", "response": 7},
    ],
)
def test_an_event_of_an_odd_shape_is_handed_out_and_nothing_breaks(event: dict[str, Any]) -> None:
    stream = _stream()
    raw = frame({**event, "type": event.get("type")})
    handed = stream.receive(stream_bytes(*_OPENING, _ITEM) + raw + frame(_at("completed", 9)))
    assert len(handed) == 5
    assert _next(stream).action == "finish"


def test_a_stream_whose_only_text_cannot_be_read_is_an_error_that_carries_the_response() -> None:
    stream = _stream()
    stream.receive(stream_bytes(*_OPENING, _event("output_text.delta", 3), _at("completed", 9)))
    with pytest.raises(UnreadableResponseError, match=r"response\.output_text\.delta") as caught:
        _next(stream)
    assert caught.value.response is stream.final_response
    assert stream.final_response is not None


def test_headers_are_those_of_the_latest_connection() -> None:
    stream = _stream()
    stream.open({"apim-request-id": "2"}, _NOW)
    assert stream.headers == {"apim-request-id": "2"}


# Recordings, cut anywhere.


def test_a_stream_without_an_ending_has_nothing_unreadable_yet() -> None:
    stream = _stream()
    stream.receive(frame(_at("in_progress", 0)))
    stream.check()
    assert stream.final_response is None


def _read(recorded: RecordedStream, cuts: list[int]) -> tuple[ResponseStream, list[StreamEvent]]:
    stream = _stream()
    points = [0, *sorted(cut % (len(recorded.raw) + 1) for cut in cuts), len(recorded.raw)]
    handed: list[StreamEvent] = []
    for start, stop in itertools.pairwise(points):
        handed += stream.receive(recorded.raw[start:stop])
    return stream, handed + stream.end()


def test_every_recorded_stream_ends_finished_with_its_final_response() -> None:
    streams = recorded_streams()
    assert len(streams) > 100
    for recorded in streams:
        stream, handed = _read(recorded, [])
        assert [event.to_dict() for event in handed] == recorded.events, recorded.id
        assert _next(stream) == Step("finish"), recorded.id
        assert stream.final_response is not None
        expected = Response.model_validate(recorded.final)
        if expected.output:
            assert stream.final_response == expected, recorded.id


@settings(max_examples=60, deadline=None)
@given(st.data(), st.lists(st.integers(0, 10**6), max_size=40))
def test_a_recorded_stream_reads_alike_however_it_is_cut(
    data: st.DataObject, cuts: list[int]
) -> None:
    short = [recorded for recorded in recorded_streams() if len(recorded.raw) < 60_000]
    recorded = data.draw(st.sampled_from(short))
    stream, handed = _read(recorded, cuts)
    assert [event.to_dict() for event in handed] == recorded.events
    assert _next(stream).action == "finish"


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_recorded_stream_that_breaks_off_is_an_interruption_with_what_arrived(
    data: st.DataObject,
) -> None:
    short = [recorded for recorded in recorded_streams() if len(recorded.raw) < 60_000]
    recorded = data.draw(st.sampled_from(short))
    before_end = recorded.raw.rstrip().rindex(b"\ndata:")
    cut = data.draw(st.integers(0, before_end))
    stream = _stream(max_retries=0)
    handed = stream.receive(recorded.raw[:cut]) + stream.end()
    with pytest.raises(StreamInterruptedError) as caught:
        _next(stream)
    partial = caught.value.partial
    assert not caught.value.resumable
    if handed:
        assert isinstance(partial, Response)
        # The keepers of some recordings gave every mention of an id another name.
        told = [event["response"]["id"] for event in recorded.events if "response" in event]
        assert partial.id in told


# Rate limits and other failures inside the stream.


@pytest.mark.parametrize("order", _ORDERS)
@pytest.mark.parametrize("size", [1, 37, 10**6])
def test_a_streamed_rate_limit_is_retried_while_nothing_was_handed_out(
    order: str, size: int
) -> None:
    stream = _stream(max_retries=1)
    raw = stream_bytes(*_ORDERS[order])
    for start in range(0, len(raw), size):
        assert stream.receive(raw[start : start + size]) == []
    assert _is_over(stream)
    assert _next(stream) == Step("resend", 0.25)
    stream.open({}, _NOW)
    assert not _is_over(stream)
    events = stream.receive(stream_bytes(*_OPENING, _ITEM, _at("completed", 3)))
    assert _names(events) == ["created", "in_progress", "output_item.added", "completed"]
    assert _next(stream).action == "finish"


@pytest.mark.parametrize("order", _ORDERS)
def test_a_streamed_rate_limit_is_raised_once_retries_are_used_up(order: str) -> None:
    stream = _stream(max_retries=0)
    stream.receive(stream_bytes(*_ORDERS[order]))
    with pytest.raises(RateLimitError) as caught:
        _next(stream)
    assert caught.value.status_code == 429
    assert len(stream.release()) == len(_ORDERS[order])
    assert stream.release() == []


@pytest.mark.parametrize("order", _ORDERS)
def test_a_rate_limit_after_output_is_raised_and_never_retried(order: str) -> None:
    stream = _stream(max_retries=5)
    events = [event for event in _ORDERS[order] if event["type"] != "response.created"]
    late = [{**event, "sequence_number": 10 + n} for n, event in enumerate(events)]
    handed = stream.receive(stream_bytes(*_OPENING, _ITEM, *late))
    assert len(handed) == 3 + len(late)
    with pytest.raises(RateLimitError):
        _next(stream)
    assert stream.release() == []


def test_the_wait_is_what_the_header_of_the_200_asked() -> None:
    stream = ResponseStream(make_call())
    stream.open({"retry-after": "7"}, _NOW)
    stream.receive(stream_bytes(*_ORDERS["created, error, failed"]))
    assert _next(stream) == Step("resend", 7.0)


def test_a_wait_longer_than_the_callers_patience_is_raised() -> None:
    stream = ResponseStream(make_call(patience=5.0))
    stream.open({"retry-after": "7"}, _NOW)
    stream.receive(stream_bytes(_ERROR))
    with pytest.raises(RateLimitError) as caught:
        _next(stream)
    assert caught.value.retry_after == 7.0


def test_reading_stops_at_the_error_that_explains() -> None:
    stream = _stream()
    stream.receive(stream_bytes(_at("created", 0), _UNEXPLAINED))
    assert not stream.is_over
    stream.receive(stream_bytes(_ERROR))
    assert stream.is_over


@pytest.mark.parametrize("has_output", [True, False])
def test_reading_past_an_unexplained_failure_is_bounded(has_output: bool) -> None:
    stream = _stream(max_retries=0)
    stream.receive(stream_bytes(*_OPENING, *([_ITEM] if has_output else []), _UNEXPLAINED))
    for number in range(8):
        assert not stream.is_over
        stream.receive(frame(_text("x", 10 + number)))
    assert stream.is_over
    with pytest.raises(ResponseFailedError, match="no reason") as caught:
        _next(stream)
    assert isinstance(caught.value.response, Response)


def test_each_connection_reads_past_an_unexplained_failure_anew() -> None:
    stream = _stream(max_retries=1)
    ping = _at("in_progress")
    stream.receive(stream_bytes(_UNEXPLAINED, *[ping] * 5, _ERROR))
    assert _next(stream).action == "resend"
    stream.open({}, _NOW)
    stream.receive(stream_bytes(_UNEXPLAINED, *[ping] * 7))
    assert not _is_over(stream)
    stream.receive(frame(ping))
    assert _is_over(stream)


def test_a_failure_that_will_not_pass_is_raised_at_once() -> None:
    stream = _stream(max_retries=5)
    failed = _at("failed", error={"code": "bio_policy", "message": "No."})
    assert stream.receive(stream_bytes(_at("created"), failed)) == []
    with pytest.raises(ResponseFailedError, match="No") as caught:
        _next(stream)
    assert caught.value.code == "bio_policy"
    assert _names(stream.release()) == ["created", "failed"]


def test_an_error_is_raised_after_its_event_was_handed_out_and_nothing_follows() -> None:
    stream = _stream()
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    handed = stream.receive(frame(_event("error", 3, code="server_error", message="m")))
    assert _names(handed) == ["error"]
    assert stream.is_over
    for _ in range(2):
        with pytest.raises(InternalServerError):
            _next(stream)
    assert stream.release() == []


def test_a_failure_whose_error_is_text_says_it() -> None:
    stream = _stream(max_retries=0)
    stream.receive(frame(_at("failed", error="went wrong")))
    assert stream.is_over
    with pytest.raises(ResponseFailedError, match="went wrong"):
        _next(stream)


# Interruptions.


@pytest.mark.parametrize("cause", [None, _CUT, APITimeoutError("slow")])
@pytest.mark.parametrize("opening", [[], _OPENING[:1], _OPENING])
def test_a_break_before_output_is_retried(
    cause: AzureResponsesError | None, opening: list[dict[str, Any]]
) -> None:
    stream = _stream(max_retries=2)
    for delay in (0.25, 0.5):
        assert stream.receive(stream_bytes(*opening)) == []
        assert _next(stream, cause) == Step("resend", delay)
        stream.open({}, _NOW)
    stream.receive(stream_bytes(*opening))
    with pytest.raises(StreamInterruptedError) as caught:
        _next(stream, cause)
    assert caught.value.__cause__ is cause or cause is None
    assert (caught.value.partial is None) is (not opening)
    assert not caught.value.resumable
    assert len(stream.release()) == len(opening)


@pytest.mark.parametrize("cause", [None, _CUT])
def test_a_break_after_output_is_an_interruption_with_what_arrived(
    cause: AzureResponsesError | None,
) -> None:
    stream = _stream(max_retries=5)
    stream.receive(stream_bytes(*_OPENING, _ITEM, _text("Hel", 3)))
    assert stream.partial_response is not None
    with pytest.raises(StreamInterruptedError, match="broke off") as caught:
        _next(stream, cause)
    assert caught.value.partial.output_text == "Hel"
    assert caught.value.hint is None


def test_an_end_in_the_middle_of_an_event_is_called_an_end() -> None:
    stream = _stream(max_retries=0)
    stream.receive(stream_bytes(*_OPENING, _ITEM) + b'event: x\ndata: {"type": "resp')
    assert stream.end() == []
    with pytest.raises(StreamInterruptedError, match="before its terminal event"):
        _next(stream)


def test_data_that_is_not_json_breaks_the_stream_after_what_came_before_it() -> None:
    stream = _stream()
    raw = stream_bytes(*_OPENING, _ITEM) + b"data: {oops\n\n" + frame(_at("completed", 3))
    assert _names(stream.receive(raw)) == ["created", "in_progress", "output_item.added"]
    assert stream.is_over
    with pytest.raises(StreamInterruptedError, match="not JSON"):
        _next(stream)


@pytest.mark.parametrize("data", [b"null", b'"ping"', b"[1]", b"7"])
def test_json_that_is_no_event_breaks_nothing(data: bytes) -> None:
    stream = _stream()
    stream.receive(frame(_OPENING[0]) + b"data: " + data + b"\n\n")
    assert not stream.is_over
    events = stream.receive(frame(_text("a", 2)) + frame(_at("completed", 3)))
    assert _names(events) == ["created", "output_text.delta", "completed"]


def test_an_event_that_arrives_twice_in_a_row_is_handed_out_once() -> None:
    stream = _stream()
    sent = [_OPENING[0], _text("a", 2), _text("a", 2), _text("a", 3), _at("completed", 4)]
    events = stream.receive(b"".join(map(frame, sent)))
    assert _names(events) == ["created", "output_text.delta", "output_text.delta", "completed"]


@pytest.mark.parametrize("fields", [{}, {"type": None}, {"sequence_number": 3}, {"type": "error"}])
@pytest.mark.parametrize("as_list", [False, True])
def test_a_bare_error_of_a_proxy_is_the_failure_of_the_stream(
    fields: dict[str, Any], as_list: bool
) -> None:
    error: Any = {"code": "429", "message": "slow down"}
    stream = _stream()
    stream.receive(frame(_OPENING[0]) + frame(_text("a", 2)))
    body = {**fields, "error": [error] if as_list else error}
    stream.receive(f"data: {json.dumps(body)}\n\n".encode())
    assert stream.is_over
    with pytest.raises(RateLimitError, match="slow down") as caught:
        _next(stream)
    assert caught.value.partial.output_text == "a"


def test_data_that_is_not_json_before_output_is_retried() -> None:
    stream = _stream()
    stream.receive(frame(_OPENING[0]) + b"data: [1\n\n")
    assert stream.is_over
    assert _next(stream).action == "resend"
    stream.open({}, _NOW)
    assert not stream.is_over


def test_what_no_retry_helps_against_is_raised_as_it_is() -> None:
    with pytest.raises(ConfigurationError):
        _next(_stream(), ConfigurationError("m"))


def test_an_html_page_called_a_stream_is_an_interruption_without_a_response() -> None:
    stream = _stream(max_retries=0)
    assert stream.receive(b"<html>\n<body>Sign in</body>\n</html>\n\n") == []
    assert stream.end() == []
    with pytest.raises(StreamInterruptedError) as caught:
        _next(stream)
    assert caught.value.partial is None


# Background responses.


def _background(**arguments: Any) -> ResponseStream:
    return _stream(resumes=True, **arguments)


def test_a_background_response_is_shown_while_it_waits_in_its_queue() -> None:
    stream = _background()
    assert stream.receive(frame(_at("created", 0))) == []
    assert _names(stream.receive(frame(_at("queued", 1)))) == ["created", "queued"]
    assert stream.response_id == "resp_1"


def test_a_dropped_background_stream_is_resumed_after_its_last_event() -> None:
    stream = _background()
    stream.receive(stream_bytes(*_OPENING, _ITEM, _text("Hel", 3)))
    assert _next(stream, _CUT) == Step("resume", 0.25, starting_after=3)
    stream.open({}, _NOW)
    handed = stream.receive(stream_bytes(_text("lo", 4), _at("completed", 5)))
    assert _names(handed) == ["output_text.delta", "completed"]
    assert _next(stream).action == "finish"


def test_what_a_resumed_stream_repeats_is_handed_out_once() -> None:
    stream = _background()
    events = [*_OPENING, _ITEM, _text("Hel", 3), _text("lo", 4), _at("completed", 5)]
    first = stream.receive(stream_bytes(*events[:4]))
    _next(stream)
    stream.open({}, _NOW)
    second = stream.receive(stream_bytes(*events))
    assert [event.sequence_number for event in first + second] == [0, 1, 2, 3, 4, 5]
    assert stream.final_response is not None


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), max_size=6), st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_resuming_anywhere_neither_loses_nor_repeats_an_event(
    cuts: list[int], overlaps: list[int]
) -> None:
    events = [*_OPENING, _ITEM, *(_text(str(n), n) for n in range(3, 9)), _at("completed", 9)]
    stream = _background(max_retries=100)
    handed: list[StreamEvent] = []
    start = 0
    for cut, overlap in zip(sorted(cuts), overlaps, strict=False):
        handed += stream.receive(stream_bytes(*events[start : max(cut, start)]))
        step = _next(stream, _CUT)
        stream.open({}, _NOW)
        if step.action == "resend":
            handed = []
            start = 0
        else:
            assert step.starting_after is not None
            start = max(0, step.starting_after + 1 - overlap)
    handed += stream.receive(stream_bytes(*events[start:]))
    assert [event.sequence_number for event in handed] == list(range(10))
    assert _next(stream).action == "finish"


def test_an_error_on_a_resumed_stream_is_never_taken_for_a_repetition() -> None:
    stream = _background(max_retries=0)
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    _next(stream)
    stream.open({}, _NOW)
    handed = stream.receive(frame(_event("error", 0, code="server_error", message="m")))
    assert _names(handed) == ["error"]
    with pytest.raises(InternalServerError):
        _next(stream)


def test_a_background_stream_that_broke_before_its_id_came_is_sent_again() -> None:
    stream = _background()
    assert _next(stream, _CUT).action == "resend"


def test_a_background_stream_sent_again_does_not_resume_the_response_that_failed() -> None:
    stream = _background(max_retries=2)
    stream.receive(stream_bytes(*_ORDERS["created, error, failed"]))
    assert _next(stream).action == "resend"
    stream.open({}, _NOW)
    assert stream.response_id is None
    assert _next(stream, _CUT).action == "resend"


def test_resuming_gives_up_when_nothing_arrives_any_more() -> None:
    stream = _background(max_retries=2)
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    delays = []
    for _ in range(3):
        step = _next(stream, _CUT)
        assert (step.action, step.starting_after) == ("resume", 2)
        delays.append(step.delay)
    assert delays == [0.25, 0.5, 1.0]
    with pytest.raises(StreamInterruptedError) as caught:
        _next(stream, _CUT)
    assert caught.value.resumable
    assert "starting_after" in (caught.value.hint or "")
    assert caught.value.partial.id == "resp_1"


def test_progress_makes_resuming_patient_again() -> None:
    stream = _background(max_retries=0)
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    for number in range(3, 20):
        assert _next(stream, _CUT).action == "resume"
        stream.open({}, _NOW)
        stream.receive(frame(_text("x", number)))


def test_after_five_minutes_a_background_stream_is_polled() -> None:
    stream = _background()
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    assert _next(stream, _CUT, _NOW + 299.9).action == "resume"
    stream.open({}, _NOW + 299.9)
    assert _next(stream, _CUT, _NOW + 300.0) == Step("poll", 2.0)


def test_a_resumption_the_service_refuses_is_polled_instead() -> None:
    stream = _background()
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    refusal = NotFoundError("m", status_code=404)
    assert _next(stream, refusal).action == "poll"


def _polled(status: str, **fields: Any) -> Response:
    return Response.model_validate({"id": "resp_1", "status": status, **fields})


def test_polling_goes_on_until_the_response_has_ended_then_asks_for_what_is_missing() -> None:
    stream = _background()
    stream.receive(stream_bytes(*_OPENING, _ITEM))
    assert stream.after_poll(_polled("queued")) == Step("poll", 2.0)
    assert stream.after_poll(_polled("in_progress")) == Step("poll", 2.0)
    assert stream.after_poll(_polled("completed")) == Step("resume", 0.0, starting_after=2)
    stream.open({}, _NOW + 400.0)
    handed = stream.receive(stream_bytes(_text("x", 3), _at("completed", 4)))
    assert _names(handed) == ["output_text.delta", "completed"]
    assert _next(stream).action == "finish"


@pytest.mark.parametrize("status", ["completed", "incomplete", "cancelled"])
@pytest.mark.parametrize("is_shown", [True, False])
def test_what_is_no_longer_streamed_is_settled_from_the_poll(status: str, is_shown: bool) -> None:
    stream = _background()
    stream.receive(stream_bytes(*_OPENING[: 2 if is_shown else 1]))
    polled = _polled(status, output=[])
    stream.after_poll(polled)
    assert _next(stream, NotFoundError("m", status_code=404)) == Step("settle")
    events = stream.settle()
    assert _names(events) == ([status] if is_shown else ["created", status])
    assert events[-1].sequence_number is None
    assert stream.final_response == polled
    assert _next(stream).action == "finish"


def test_a_polled_response_without_a_status_has_ended() -> None:
    stream = _background()
    stream.receive(stream_bytes(*_OPENING))
    assert stream.after_poll(Response(id="resp_1")).action == "resume"
    assert _next(stream, NotFoundError("m", status_code=404)) == Step("settle")
    assert _names(stream.settle()) == ["completed"]
    assert _next(stream).action == "finish"


def test_a_failure_that_was_only_polled_is_raised() -> None:
    stream = _background(max_retries=0)
    stream.receive(stream_bytes(*_OPENING))
    stream.after_poll(_polled("failed", error={"code": "server_error", "message": "m"}))
    assert _next(stream, _CUT) == Step("settle")
    assert _names(stream.settle()) == ["failed"]
    with pytest.raises(InternalServerError):
        _next(stream)


# A stored response, streamed again.


def test_a_stored_response_is_resumed_from_where_the_caller_was() -> None:
    stream = _background(starting_after=3, response_id="resp_1")
    assert stream.response_id == "resp_1"
    assert stream.last_sequence_number == 3
    assert _next(stream, _CUT) == Step("resume", 0.25, starting_after=3)
    stream.open({}, _NOW)
    assert _names(stream.receive(stream_bytes(_text("old", 3), _text("new", 4)))) == [
        "output_text.delta"
    ]
    assert stream.last_sequence_number == 4


def test_a_stored_response_that_is_asked_for_again_keeps_its_id_and_place() -> None:
    stream = _background(starting_after=3, response_id="resp_1")
    stream.receive(stream_bytes({**_ERROR, "sequence_number": 4}))
    assert _next(stream).action == "resend"
    assert (stream.response_id, stream.last_sequence_number) == ("resp_1", 3)


def test_nothing_has_arrived_before_anything_has() -> None:
    stream = ResponseStream(make_call(), resumes=True, response_id="resp_1")
    assert stream.partial_response is None
    assert _next(stream, _CUT).action == "resume"


def test_nothing_follows_the_end_of_a_response_in_one_piece() -> None:
    stream = _stream()
    events = [_at("created", 0), _at("completed", 1), _at("in_progress", 2)]
    received = stream.receive(stream_bytes(*events))
    assert _names(received) == ["created", "completed"]
    assert stream.failed_response is None


def test_the_response_that_failed_is_kept() -> None:
    stream = _stream()
    stream.receive(stream_bytes(_at("created", 0), _at("failed", 1, error={"code": "x"})))
    assert stream.failed_response is not None
    assert stream.failed_response.status == "failed"
