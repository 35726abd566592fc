"""Frames of a WebSocket: what is sent, and what a frame of the service stands for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import APIConnectionError, ConfigurationError
from azure_responses.protocol.socket_frames import (
    ServerFrame,
    create_frame,
    handshake_headers,
    merge_query,
    no_successor,
    read_server_frame,
    reply_of,
    sse_of,
    steer_frame,
)
from azure_responses.protocol.sse import SSEDecoder

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def frame(**data: Any) -> ServerFrame:
    return read_server_frame(json.dumps(data))


@given(st.dictionaries(st.text(), JSON, max_size=6))
def test_a_request_is_its_body_with_a_type(body: dict[str, Any]) -> None:
    sent = json.loads(create_frame(json.dumps(body).encode()))
    left_out = {"stream", "background", "stream_options", "type"}
    assert sent.pop("type") == "response.create"
    assert sent == {name: value for name, value in body.items() if name not in left_out}


def test_what_a_socket_does_not_use_is_not_sent() -> None:
    body = {"model": "m", "stream": True, "background": False, "stream_options": {}}
    assert json.loads(create_frame(body, stream_id="a")) == {
        "model": "m",
        "stream_id": "a",
        "type": "response.create",
    }


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(ConfigurationError):
        create_frame(body)


def test_a_steer_has_three_fields() -> None:
    assert json.loads(steer_frame("resp_1", "shorter")) == {
        "type": "response.steer",
        "previous_response_id": "resp_1",
        "input": "shorter",
    }


@given(st.dictionaries(st.text(), JSON, max_size=6), st.sampled_from([None, 1]))
def test_a_frame_reads_back_from_its_server_sent_event(
    data: dict[str, Any], indent: int | None
) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=True)
    decoder = SSEDecoder()
    [event] = decoder.feed(sse_of(read_server_frame(text)))
    assert json.loads(event.data) == data


def test_a_frame_goes_on_as_it_came() -> None:
    text = '{ "type":"x",  "n": 1.0 }'
    assert sse_of(read_server_frame(text.encode())) == f"event: x\ndata: {text}\n\n".encode()


@pytest.mark.parametrize("kind", ["", "a\ndata: {}", "a: b", "Ä", "\ud800"])
def test_a_type_that_could_end_its_line_is_no_name_of_an_event(kind: str) -> None:
    assert sse_of(frame(type=kind)).startswith(b"data: {")


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"x"', "[" * 100_000])
def test_a_frame_that_is_no_object_breaks_the_connection(text: str) -> None:
    with pytest.raises(APIConnectionError):
        read_server_frame(text)


def test_the_kinds_of_frames_are_told_apart() -> None:
    created = frame(type="response.created", response={"id": "resp_1"}, stream_id="a")
    assert (created.response_id, created.stream_id) == ("resp_1", "a")
    assert [created.is_error, created.is_terminal, created.is_steer] == [False] * 3
    assert created.code is None
    ends = ["completed", "incomplete", "cancelled", "failed"]
    assert all(frame(type=f"response.{end}").is_terminal for end in ends)
    assert frame(type="response.steer.accepted").is_steer
    assert frame(type="error", error={"code": "c"}).code == "c"


@given(st.dictionaries(st.sampled_from(["type", "response", "stream_id", "error"]), JSON))
def test_fields_of_the_wrong_type_are_as_good_as_none(data: dict[str, Any]) -> None:
    read = frame(**data)
    assert isinstance(read.type, str)
    assert read.response_id is None or isinstance(read.response_id, str)
    assert read.stream_id is None or isinstance(read.stream_id, str)
    assert 400 <= reply_of(read, {}).status < 600


def test_an_error_is_the_reply_that_it_stands_for() -> None:
    error = {"type": "invalid_request_error", "code": "previous_response_not_found"}
    reply = reply_of(frame(type="error", status=400, error=error), {"x-request-id": "r"})
    assert reply.status == 400
    assert json.loads(reply.body) == {"error": error}
    assert reply.headers["x-request-id"] == "r"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"status": 429, "error": {}}, 429),
        ({"status_code": 503, "error": {}}, 503),
        ({"error": {"code": "rate_limit_exceeded"}}, 429),
        ({"code": "rate_limit_exceeded", "message": "slow"}, 429),
        ({"status": 200, "error": {"code": "odd"}}, 500),
        ({"status": "429", "error": {"code": "odd"}}, 500),
        ({}, 500),
    ],
)
def test_the_status_is_that_of_the_frame_or_of_its_code(data: dict[str, Any], status: int) -> None:
    assert reply_of(frame(type="error", **data), {}).status == status


def test_an_error_says_when_to_come_back() -> None:
    of_handshake = {"retry-after": "9", "x-ratelimit-remaining-tokens": "0"}
    plain = reply_of(frame(type="error", error={}), of_handshake)
    assert "retry-after" not in plain.headers
    assert "x-ratelimit-remaining-tokens" not in plain.headers
    named = reply_of(frame(type="error", error={}, headers={"Retry-After": 3, "x": None}), {})
    assert named.headers == {"content-type": "application/json", "retry-after": "3"}
    in_error = reply_of(frame(type="error", error={"retry_after": 1.5}), {})
    assert in_error.headers["retry-after"] == "1.5"


def test_the_key_travels_as_a_bearer_token() -> None:
    given_headers = {"api-key": "k", "content-type": "application/json", "x-own": "1"}
    assert handshake_headers(given_headers) == {"authorization": "Bearer k", "x-own": "1"}


def test_a_handshake_has_no_second_word_about_itself() -> None:
    given_headers = {"host": "h", "sec-websocket-key": "x", "connection": "close", "upgrade": "h2c"}
    assert handshake_headers({**given_headers, "authorization": "Bearer t", "api-key": "k"}) == {
        "authorization": "Bearer t"
    }


def test_the_query_of_the_call_is_kept_but_for_the_version() -> None:
    url = "wss://h/openai/v1/responses?a=1"
    called = "https://h/openai/v1/responses?api-version=preview&a=2&key=x%20y&b="
    assert merge_query(url, called) == "wss://h/openai/v1/responses?a=1&key=x+y&b="
    assert merge_query("wss://h/r", "https://h/r") == "wss://h/r"
    assert handshake_headers({}) == {}


def test_an_awaited_successor_that_does_not_begin_is_an_error_that_is_not_tried_again() -> None:
    error = {"code": "successor_creation_failed", "message": "m"}
    failed = no_successor(frame(type="response.steer.failed", error=error), {"x": "1"})
    assert failed.status == 400
    assert json.loads(failed.body) == {"error": error}
    pending = no_successor(frame(type="response.steer.pending"), {})
    assert pending.status == 400
    assert json.loads(pending.body)["error"]["code"] == "steer_pending"


_DELTA = '{"type":"response.output_text.delta","delta":"a","stream_id":"left"}'


@pytest.mark.parametrize("text", [_DELTA, _DELTA.replace(",", ", "), _DELTA.replace(":", ": ")])
def test_a_delta_has_the_same_type_lane_and_data_as_when_it_is_parsed_at_once(text: str) -> None:
    frame = read_server_frame(text)
    assert frame.type == "response.output_text.delta"
    assert not frame.is_terminal
    assert frame.stream_id == "left"
    assert frame.data == json.loads(text)
    assert sse_of(frame) == f"event: response.output_text.delta\ndata: {text}\n\n".encode()


def test_a_delta_with_line_breaks_between_its_values_stays_one_event() -> None:
    text = _DELTA.replace(",", ",\n")
    assert sse_of(read_server_frame(text)).count(b"\n") == 3


def test_an_invalid_delta_is_refused_where_its_data_is_read() -> None:
    frame = read_server_frame('{"type":"response.output_text.delta",}')
    with pytest.raises(APIConnectionError, match="not a JSON object"):
        _ = frame.data
