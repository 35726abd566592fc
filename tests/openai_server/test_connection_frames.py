"""Frames of callers: what they ask for, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import BadRequestError
from azure_responses.openai_server.connection_frames import (
    FrameError,
    check_steer,
    create_body,
    read_client_frame,
    refusal_frame,
    steer_failure,
)

CREATE = {"type": "response.create"}
BODY = {"model": "gpt", "input": "hi"}

values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda each: st.one_of(st.lists(each), st.dictionaries(st.text(), each)),
    max_leaves=6,
)  # fmt: skip


def body_of(frame: dict[str, Any], text: str | None = None) -> Any:
    content = (text or json.dumps(frame)).encode()
    found = read_client_frame(frame, content)
    return json.loads(create_body(found, found.body))


def test_a_flat_frame_is_the_body_of_a_streamed_post() -> None:
    frame = read_client_frame({**CREATE, **BODY})
    assert (frame.type, frame.lane, frame.generates) == ("response.create", None, True)
    assert frame.body == BODY
    assert body_of({**CREATE, **BODY}) == {**BODY, "stream": True}


def test_a_nested_frame_is_read_as_a_flat_one() -> None:
    frame = read_client_frame({**CREATE, "stream_id": "a", "response": {**BODY, "generate": False}})
    assert frame.body == BODY
    assert frame.lane == "a"
    assert not frame.generates
    inner = read_client_frame({**CREATE, "response": {**BODY, "stream_id": "b"}})
    assert inner.lane == "b"
    assert inner.body == BODY


def test_what_no_websocket_uses_is_left_out() -> None:
    unused = {"stream": False, "background": False, "stream_id": None, "generate": None}
    assert body_of({**CREATE, **BODY, **unused}) == {**BODY, "stream": True}


def test_the_bytes_of_a_plain_frame_pass_as_they_came() -> None:
    text = '{"type": "response.create", "temperature": 1e0, "input": "\\u00e4"}'
    found = read_client_frame(json.loads(text), text.encode())
    assert (
        create_body(found, found.body) == b'{"stream":true, "temperature": 1e0, "input": "\\u00e4"}'
    )
    other = {**found.body, "model": "gpt"}
    assert json.loads(create_body(found, other)) == {**other, "stream": True}
    warm = json.loads(create_body(found, found.body, warms_up=True))
    assert warm == {**found.body, "stream": True, "generate": False}


@pytest.mark.parametrize("is_nested", [True, False])
def test_a_background_response_is_refused_and_http_is_named(is_nested: bool) -> None:
    asked = {**BODY, "background": True}
    with pytest.raises(FrameError, match="over HTTP") as caught:
        read_client_frame(
            {**CREATE, "stream_id": "a", **({"response": asked} if is_nested else asked)}
        )
    assert (caught.value.param, caught.value.lane) == ("background", "a")


@given(st.dictionaries(st.text(), values, max_size=4), st.booleans())
def test_every_body_arrives_as_it_was_sent(body: dict[str, Any], is_first: bool) -> None:
    reserved = {"type", "stream", "stream_id", "generate", "background", "response"}
    body = {name: value for name, value in body.items() if name not in reserved}
    frame = {**CREATE, **body} if is_first else {**body, **CREATE}
    assert body_of(frame) == {**body, "stream": True}


@pytest.mark.parametrize("stream_id", ["a", "A.b-c_9", "x" * 256])
def test_a_lane_has_a_name_of_letters_digits_and_three_signs(stream_id: str) -> None:
    assert read_client_frame({**CREATE, "stream_id": stream_id}).lane == stream_id


@pytest.mark.parametrize("stream_id", ["", "x" * 257, "a b", "ä", "a\n", 3, True, [], {}])
def test_another_stream_id_is_refused(stream_id: Any) -> None:
    with pytest.raises(FrameError) as caught:
        read_client_frame({**CREATE, "stream_id": stream_id})
    assert caught.value.code == "invalid_stream_id"
    assert caught.value.param == "stream_id"
    assert caught.value.lane is None


@pytest.mark.parametrize("kind", [None, "", "response.inject", "response.cancel", 3, [], "x" * 900])
def test_an_unknown_type_is_refused_in_a_short_message(kind: Any) -> None:
    with pytest.raises(FrameError) as caught:
        read_client_frame({} if kind is None else {"type": kind})
    assert caught.value.param == "type"
    assert len(caught.value.message) < 250


def test_generate_is_true_or_false_and_its_error_belongs_to_the_lane() -> None:
    with pytest.raises(FrameError) as caught:
        read_client_frame({**CREATE, "stream_id": "a", "generate": "no"})
    assert (caught.value.param, caught.value.lane) == ("generate", "a")


MESSAGE = {"type": "message", "role": "user", "content": "Stop."}


@pytest.mark.parametrize(
    "given",
    [
        "Stop.",
        [MESSAGE],
        [{"role": "user", "content": [{"type": "input_text", "text": "Stop."}]}, MESSAGE],
    ],
)
def test_a_steer_has_a_text_or_user_messages(given: Any) -> None:
    body = {"type": "response.steer", "previous_response_id": "resp_1", "input": given}
    assert read_client_frame(body).body == body
    assert check_steer(body) == ("resp_1", given)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"stream_id": "a"}, "stream_id"),
        ({"previous_response_id": None}, "previous_response_id"),
        ({"previous_response_id": ""}, "previous_response_id"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"input": ["Stop."]}, "input"),
        ({"input": [{**MESSAGE, "role": "developer"}]}, "input"),
        ({"input": [{**MESSAGE, "type": "function_call_output"}]}, "input"),
        ({"input": [{**MESSAGE, "id": "msg_1"}]}, "input"),
        ({"input": [{**MESSAGE, "content": []}]}, "input"),
        ({"input": [{**MESSAGE, "content": None}]}, "input"),
        ({"input": [{**MESSAGE, "content": [{"type": "output_text"}]}]}, "input"),
        ({"input": [{**MESSAGE, "content": ["Stop."]}]}, "input"),
    ],
)
def test_another_steer_fails_with_its_input_given_back(change: Any, param: str) -> None:
    steer = {"type": "response.steer", "previous_response_id": "resp_1", "input": "Stop."} | change
    with pytest.raises(BadRequestError) as caught:
        check_steer(steer)
    assert caught.value.param == param
    event = json.loads(steer_failure(steer, caught.value, "a"))
    assert event["type"] == "response.steer.failed"
    assert event["error"]["code"] == "invalid_input"
    assert event["error"]["type"] == "invalid_request_error"
    assert event["steer"]["input"] == steer["input"]
    assert event["stream_id"] == "a"
    assert isinstance(event["sequence_number"], int)


def test_an_unknown_previous_response_has_the_words_of_the_protocol() -> None:
    content = b'{"error":{"code":"previous_response_not_found","message":"other words"}}'
    frame = json.loads(refusal_frame(404, {}, content, previous_id="resp_abc"))
    assert frame == {
        "type": "error",
        "status": 400,
        "error": {
            "type": "invalid_request_error",
            "code": "previous_response_not_found",
            "message": "Previous response with id 'resp_abc' not found.",
            "param": "previous_response_id",
        },
    }
