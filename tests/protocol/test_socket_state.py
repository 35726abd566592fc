"""The states of turns over a WebSocket: what is sent, and what a frame means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.call import Call, Continuation
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.socket_frames import (
    ServerFrame,
    SocketSettings,
    read_server_frame,
)
from azure_responses.protocol.socket_state import SocketState, SocketTurn, turn_of

SETTINGS = SocketSettings(rotate_after=100.0, most_failures=3)
URL = "https://r.openai.azure.com/openai/v1/responses?api-version=preview"


def frame(kind: str, **data: Any) -> ServerFrame:
    return read_server_frame(json.dumps({"type": kind, **data}))


def ending(kind: str = "completed", response_id: str = "resp_1", **response: Any) -> ServerFrame:
    return frame(f"response.{kind}", response={"id": response_id, **response})


def error(code: str) -> ServerFrame:
    return frame("error", status=400, error={"code": code})


def state_after(response_id: str = "resp_1") -> SocketState:
    """Of a socket that is open since 0 and has brought a response."""
    state = SocketState(SETTINGS)
    state.opened(0.0)
    state.begin(SocketTurn({}))
    state.take_first(frame("response.created"))
    state.take(ending(response_id=response_id))
    return state


def call(body: object = b"{}", url: str = URL, method: str = "POST") -> Call:
    request = Request(method, url, {}, body)  # type: ignore[arg-type]
    return Call(request, RequestContext("gpt"), RetryPolicy())


def test_only_the_creation_of_a_response_is_a_turn() -> None:
    turn = turn_of(call(b'{"model":"m","background":false}'))
    assert turn is not None
    assert turn.body == {"model": "m", "background": False}
    assert turn_of(call(url=URL.replace("responses", "responses/compact"))) is None
    assert turn_of(call(None, method="GET")) is None
    assert turn_of(call(object())) is None


@pytest.mark.parametrize("body", [b"", b"[]", b'{"background":true}', b"[" * 100_000])
def test_a_body_that_a_socket_cannot_carry_is_no_turn(body: bytes) -> None:
    assert turn_of(call(body)) is None


def test_a_call_that_is_converted_or_answered_here_is_no_turn() -> None:
    converted, stored = call(), call()
    converted.conversion = object()  # type: ignore[assignment]
    stored.stored_id = "resp_bridged_1"
    assert turn_of(converted) is None
    assert turn_of(stored) is None


def test_the_short_form_is_sent_where_the_socket_knows_the_response() -> None:
    turn = SocketTurn({"input": "whole"}, Continuation("resp_1", b'{"input":"new"}'))
    state = state_after()
    assert state.begin(turn)
    assert json.loads(turn.frame(is_short=True, settings=SETTINGS))["input"] == "new"
    assert not state_after("resp_2").begin(turn)
    assert json.loads(turn.frame(is_short=False, settings=SETTINGS))["input"] == "whole"
    without_short = SocketTurn({"input": "whole"}, Continuation("resp_1"))
    assert json.loads(without_short.frame(is_short=True, settings=SETTINGS))["input"] == "whole"
    assert not turn.is_adopted
    assert SocketTurn({}, Continuation("resp_1", is_adopted=True)).is_adopted


@given(st.text(max_size=40), st.integers(20, 120))
def test_a_frame_is_as_large_as_its_bytes(text: str, most: int) -> None:
    turn, settings = SocketTurn({"input": text}), SocketSettings(largest_frame=most)
    try:
        sent = turn.frame(is_short=False, settings=settings)
    except ConfigurationError:
        sent = turn.frame(is_short=False, settings=SETTINGS)
        assert len(sent.encode("utf-8", "surrogatepass")) > most
    else:
        assert len(sent.encode("utf-8", "surrogatepass")) <= most


def test_a_socket_knows_the_latest_response_until_it_is_old_or_lost() -> None:
    state = state_after()
    assert state.knows("resp_1", 99.0)
    assert not state.knows("resp_0", 99.0)
    assert not state.knows("resp_1", 100.0)
    state.lost()
    assert not state.knows("resp_1", 1.0)


@pytest.mark.parametrize("kind", ["failed", "cancelled"])
def test_a_response_that_came_to_nothing_is_not_known(kind: str) -> None:
    state = state_after()
    state.take(ending(kind, "resp_2"))
    assert not state.knows("resp_1", 1.0)
    assert not state.knows("resp_2", 1.0)


@pytest.mark.parametrize(
    ("body", "continuation", "is_due"),
    [
        ({}, None, True),
        ({"store": False}, None, True),
        ({"store": False, "previous_response_id": "resp_0"}, None, True),
        ({"store": False, "previous_response_id": "resp_1"}, None, False),
        ({"store": True, "previous_response_id": "resp_1"}, None, True),
        ({"store": False}, Continuation("resp_1", b"{}"), True),
    ],
)
def test_a_socket_is_kept_over_its_time_for_what_only_it_knows(
    body: dict[str, Any], continuation: Continuation | None, is_due: bool
) -> None:
    turn = SocketTurn(body, continuation)
    assert state_after().is_due(100.0, turn) is is_due
    assert not state_after().is_due(99.0, turn)


def test_an_event_before_which_nothing_came_begins_the_response() -> None:
    state = SocketState(SETTINGS)
    assert state.take_first(frame("response.created")) == "begun"
    assert state.take_first(ending(response_id="resp_3")) == "begun"
    assert state.knows("resp_3", 1.0)


@pytest.mark.parametrize(
    ("code", "is_short", "verdict"),
    [
        ("invalid_value", True, "refused"),
        ("previous_response_not_found", True, "unknown"),
        ("previous_response_not_found", False, "refused"),
        ("websocket_connection_limit_reached", True, "outdated"),
        ("websocket_connection_limit_reached", False, "outdated"),
    ],
)
def test_an_error_before_the_first_event_is_the_answer(
    code: str, is_short: bool, verdict: str
) -> None:
    state = state_after()
    state.begin(SocketTurn({}, Continuation("resp_1", b"{}") if is_short else None))
    assert state.take_first(error(code)) == verdict


def test_a_refusal_evicts_what_the_turn_continued_and_nothing_else() -> None:
    continued, fork = state_after(), state_after()
    continued.begin(SocketTurn({"previous_response_id": "resp_1"}))
    continued.take_first(error("invalid_value"))
    assert not continued.knows("resp_1", 1.0)
    fork.begin(SocketTurn({"previous_response_id": "resp_0"}))
    fork.take_first(error("invalid_value"))
    assert fork.knows("resp_1", 1.0)


def test_failures_in_a_row_end_the_sockets() -> None:
    state = SocketState(SETTINGS)
    for _ in range(2):
        state.fail()
        state.fail()
        assert not state.is_http
        state.take(ending())
    for _ in range(3):
        state.fail()
    assert state.is_http


def test_a_service_without_websockets_ends_them_at_once() -> None:
    state = SocketState(SETTINGS)
    state.refuse()
    assert state.is_http


STEER = {"steer": {"id": "steer_1", "previous_response_id": "resp_1"}}


def test_a_steer_is_followed_by_a_successor_or_by_what_prevents_it() -> None:
    for prevents in ("response.steer.pending", "response.steer.failed"):
        state = SocketState(SETTINGS)
        assert state.take_first(frame("response.steer.accepted", **STEER)) == "aside"
        assert state.expects_successor
        state.take(frame(prevents))
        assert not state.expects_successor
    state.take(frame("response.steer.accepted", **STEER))
    state.take(frame("response.steer.of_tomorrow"))
    assert state.expects_successor
    assert state.take_first(frame("response.created")) == "begun"
    assert not state.expects_successor


@pytest.mark.parametrize(
    ("details", "expects"),
    [({"reason": "steered"}, True), ({"reason": "max_output_tokens"}, False), (None, False)],
)
def test_a_response_that_was_steered_has_a_successor(details: object, expects: bool) -> None:
    state = SocketState(SETTINGS)
    state.take(ending("incomplete", incomplete_details=details))
    assert state.expects_successor is expects
    assert state.knows("resp_1", 1.0)


@given(
    st.lists(
        st.sampled_from(
            [
                frame("response.created"),
                frame("response.output_text.delta"),
                ending(),
                ending("failed"),
                ending("incomplete", incomplete_details={"reason": "steered"}),
                error("x"),
                error("websocket_connection_limit_reached"),
                frame("response.steer.accepted"),
                frame("response.steer.failed"),
                frame(""),
            ]
        )
    )
)
def test_whatever_comes_a_socket_knows_only_what_it_brought(frames: list[ServerFrame]) -> None:
    state = SocketState(SETTINGS)
    state.opened(0.0)
    state.begin(SocketTurn({}))
    for one in frames:
        state.take_first(one)
    brought = any(one.type in ("response.completed", "response.incomplete") for one in frames)
    assert brought or not state.knows("resp_1", 1.0)
