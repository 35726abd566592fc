"""The bytes of a reply become frames, however they are cut; each turn has one terminal frame."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError
from azure_responses.openai_server.error_body import error_event
from azure_responses.openai_server.reply_frames import Frame, ReplyFrames, warm_up_frames

CREATED = {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1"}}
COMPLETED = {"type": "response.completed", "response": {"id": "resp_1", "status": "completed"}}
FAILED = {"type": "response.failed", "response": {"id": "resp_1", "status": "failed"}}
ERROR = {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}}
STREAM = {"content-type": "text/event-stream; charset=utf-8"}


def encode(*events: Any) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (str(event.get("type")).encode(), json.dumps(event).encode())
        for event in events
    )


def frames_of(content: bytes, lane: str | None = None, previous: Any = None) -> list[Any]:
    reply = ReplyFrames(lane, previous)
    reply.begin(200, STREAM)
    return [json.loads(frame.text) for frame in [*reply.feed(content), *reply.end()]]


texts = st.text(max_size=40)
deltas = st.builds(
    lambda text, number: {
        "type": "response.output_text.delta", "sequence_number": number, "delta": text,
    },
    texts,
    st.integers(0, 2**53),
)  # fmt: skip
others = st.dictionaries(texts, st.one_of(texts, st.none(), st.integers(0, 9)), max_size=3)


@given(
    st.lists(st.one_of(deltas, others), max_size=6),
    st.sampled_from([None, "a", "x.Y-9_"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.data(),
)
def test_events_cut_anywhere_are_the_same_frames(
    events: list[dict[str, Any]], lane: str | None, ending: str, data: st.DataObject
) -> None:
    sent = [event for event in events if not str(event.get("type")).startswith("response.f")]
    sent = [event for event in sent if event.get("type") != "error"]
    content = b": ping\n\n" + encode(CREATED) + encode(*sent) + b": ping\n\n" + encode(COMPLETED)
    content = content.replace(b"event: None\n", b"").replace(b"\n", ending.encode())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(content)), max_size=8)))
    reply = ReplyFrames(lane)
    reply.begin(200, STREAM)
    found: list[Frame] = []
    for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
        found += reply.feed(content[start:end])
    found += reply.end()
    expected = [CREATED, *sent, COMPLETED]
    for event in expected:
        named = {k: v for k, v in event.items() if k != "stream_id"}
        assert json.loads(found[0].text) == named | ({"stream_id": lane} if lane else {})
        assert found.pop(0).is_terminal == (event is COMPLETED)
    assert not found


def test_a_huge_event_in_thousands_of_pieces_is_one_frame() -> None:
    event = {"type": "response.output_text.done", "text": "ä" * 2_000_000}
    content = encode(CREATED, event, COMPLETED)
    reply = ReplyFrames("a")
    reply.begin(200, STREAM)
    found: list[Frame] = []
    for start in range(0, len(content), 1000):
        found += reply.feed(content[start : start + 1000])
    found += reply.end()
    assert len(found) == 3
    assert json.loads(found[1].text) == {**event, "stream_id": "a"}


@pytest.mark.parametrize("lane", [None, "a"])
def test_the_lane_of_another_connection_is_replaced(lane: str | None) -> None:
    event = {"type": "response.output_text.delta", "stream_id": "upstream", "delta": "stream_id"}
    quoting = {"type": "response.output_text.delta", "delta": '"stream_id"'}
    nested = {"type": "response.x", "item": {"stream_id": "kept"}}
    found = frames_of(encode(CREATED, event, quoting, nested, COMPLETED), lane)
    assert [frame.get("stream_id") for frame in found] == [lane] * 5
    assert found[2]["delta"] == '"stream_id"'
    assert found[3]["item"] == {"stream_id": "kept"}


@pytest.mark.parametrize("content", [b"", encode(CREATED), encode(CREATED)[:-20], b"data: {\n\n"])
def test_a_reply_without_a_terminal_event_ends_with_an_error(content: bytes) -> None:
    (*before, last) = frames_of(content, "a")
    assert all(frame["type"] == "response.created" for frame in before)
    assert last["type"] == "error"
    assert last["status"] == 502
    assert last["error"]["code"] == "stream_interrupted"
    assert last["stream_id"] == "a"


def test_half_a_delta_at_the_end_is_no_frame() -> None:
    content = encode(CREATED) + b'data: {"type":"response.output_text.delta","delta":"ha'
    found = frames_of(content)
    assert [frame["type"] for frame in found] == ["response.created", "error"]


def test_a_terminal_event_without_its_blank_line_is_read() -> None:
    found = frames_of(encode(CREATED, COMPLETED).rstrip())
    assert [frame["type"] for frame in found] == ["response.created", "response.completed"]


@pytest.mark.parametrize("events", [[ERROR, FAILED], [FAILED, ERROR]])
def test_a_failure_in_two_events_is_one_terminal_frame_with_the_reason(events: list[Any]) -> None:
    created, last = frames_of(encode(CREATED, *events), "a")
    assert created["type"] == "response.created"
    assert last["type"] == "response.failed"
    assert last["response"]["error"] == {
        "code": "rate_limit_exceeded", "message": "Slow down.",
    }  # fmt: skip
    assert last["stream_id"] == "a"


def test_a_failed_response_keeps_its_own_reason() -> None:
    reason = {"code": "server_error", "message": "Own."}
    failed = {"type": "response.failed", "response": {"error": reason}}
    assert frames_of(encode(failed, ERROR))[0]["response"]["error"] == reason
    assert frames_of(encode({"type": "response.failed"}, ERROR))[0] == {"type": "response.failed"}


def test_nothing_but_steers_follows_the_terminal_event() -> None:
    pending = {"type": "response.steer.pending", "required_input": []}
    found = frames_of(encode(CREATED, COMPLETED, pending, ERROR, CREATED))
    assert [frame["type"] for frame in found] == [
        "response.created", "response.completed", "response.steer.pending",
    ]  # fmt: skip


def test_a_flat_error_event_is_nested_with_its_status() -> None:
    error = BadRequestError("No.", status_code=400, code="bad", type="invalid_request_error")
    (found,) = frames_of(error_event(error, 7))
    assert found["type"] == "error"
    assert found["status"] == 400
    assert found["error"] == {
        "type": "invalid_request_error", "code": "bad", "message": "No.", "param": None,
    }  # fmt: skip


def test_an_error_event_of_the_service_gets_the_status_it_stands_for() -> None:
    (found,) = frames_of(encode(ERROR))
    assert found["status"] == 429
    assert found["error"]["code"] == "rate_limit_exceeded"
    (found,) = frames_of(encode({"type": "error", "status": 7, "error": {"message": "x"}}))
    assert found["status"] == 500
    assert found["error"]["type"] == "server_error"


def test_an_unknown_previous_response_has_the_same_words_in_a_stream() -> None:
    event = {"type": "error", "error": {"code": "previous_response_not_found", "message": "x"}}
    (found,) = frames_of(encode(event), None, "resp_abc")
    assert found == {
        "type": "error",
        "status": 400,
        "error": {
            "type": "invalid_request_error",
            "code": "previous_response_not_found",
            "message": "Previous response with id 'resp_abc' not found.",
            "param": "previous_response_id",
        },
    }


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (429, b'{"error":{"code":"slow","message":"m","type":"t","param":null}}', (429, "slow")),
        (200, b'{"id":"resp_1"}', (502, "server_error")),
        (503, b"<html>", (503, "server_error")),
    ],
)
def test_a_reply_that_is_no_stream_is_an_error(
    status: int, content: bytes, expected: tuple[int, str]
) -> None:
    reply = ReplyFrames("a")
    headers = {"content-type": "application/json", "retry-after": "3", "x-other": "1"}
    reply.begin(status, headers)
    assert reply.feed(content[:4]) == []
    assert reply.feed(content[4:]) == []
    (frame,) = reply.end()
    found = json.loads(frame.text)
    assert (found["status"], found["error"]["code"]) == expected
    assert found["headers"] == {"retry-after": "3"}
    assert found["stream_id"] == "a"
    assert frame.has_failed
    assert frame.response is None
    assert reply.end() == []


def test_a_warm_up_is_created_and_completed_without_use() -> None:
    body = {"model": "gpt", "input": "hi", "instructions": "Be kind.", "store": True}
    created, completed = warm_up_frames(body, "a", response_id="resp_warmup_1", now=5.0)
    assert (created.type, completed.type) == ("response.created", "response.completed")
    assert created.response is not None
    assert created.response["status"] == "in_progress"
    found = json.loads(completed.text)
    assert found["stream_id"] == "a"
    response = found["response"]
    assert (response["id"], response["status"], response["store"]) == (
        "resp_warmup_1", "completed", False,
    )  # fmt: skip
    assert response["output"] == []
    assert response["usage"]["total_tokens"] == 0
    assert response["instructions"] == "Be kind."


@pytest.mark.parametrize("body", [{"tools": ["x"]}, {"metadata": 3}, {"text": "x"}])
def test_a_warm_up_with_a_parameter_of_a_wrong_type_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError):
        warm_up_frames(body, None, response_id="resp_1", now=0)
