import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.types import (
    EVENT_TYPES,
    ErrorEvent,
    OutputItemDoneEvent,
    OutputTextDeltaEvent,
    Response,
    ResponseCompletedEvent,
    StreamEvent,
    UnknownEvent,
    UnknownItem,
    parse_event,
)

DELTA = {
    "type": "response.output_text.delta",
    "sequence_number": 7,
    "item_id": "msg_1",
    "output_index": 0,
    "content_index": 0,
    "delta": "Hi\u2028",
    "logprobs": [],
    "obfuscation": "abcd",
}


@pytest.mark.parametrize("name", [None, "", "message", DELTA["type"], "response.completed", "x"])
@pytest.mark.parametrize("as_bytes", [True, False])
def test_the_type_inside_decides_whatever_the_name(name: Any, as_bytes: bool) -> None:
    text = json.dumps(DELTA, ensure_ascii=False)
    event = parse_event(text.encode() if as_bytes else text, name)
    assert isinstance(event, OutputTextDeltaEvent)
    assert event.delta == "Hi\u2028"
    assert event.sequence_number == 7
    assert event.to_dict() == DELTA


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"response.output_text.delta",%s}',
        '{"type": "response.output_text.delta", %s}',
        '{ "type" : "response.output_text.delta", %s}',
        '\n  {%s, "type":"response.output_text.delta"}',
        '{"item":{"type":"message"}, %s, "type":"response.output_text.delta"}',
        '{%s, "\\u0074ype":"response.output_text.delta"}',
    ],
)
def test_the_type_is_found_wherever_it_stands(text: str) -> None:
    rest = '"item_id":"m","output_index":0,"content_index":0,"delta":"Hi"'
    assert isinstance(parse_event(text % rest), OutputTextDeltaEvent)


def test_an_event_without_a_sequence_number_has_none() -> None:
    sent = {key: value for key, value in DELTA.items() if key != "sequence_number"}
    assert parse_event(json.dumps(sent)).sequence_number is None


@pytest.mark.parametrize(
    "sent",
    [
        {"type": "response.steer.accepted", "stream_id": "s"},
        {"type": "keepalive", "sequence_number": 3},
        {"type": "response.output_text.delta", "delta": 5},
        {"type": "response.completed", "response": None},
        {"type": None},
        {"type": ["response.completed"], "sequence_number": "seven"},
        {},
        {"delta": "\ud800"},
    ],
)
def test_what_is_not_known_is_an_unknown_event(sent: dict[str, Any]) -> None:
    for name in (None, "response.completed", sent.get("type")):
        event = parse_event(json.dumps(sent), name if isinstance(name, str) else None)
        assert type(event) is UnknownEvent
        assert event.to_dict(mode="python") == sent


@pytest.mark.parametrize(
    "data",
    [b"", "", "[DONE]", b"[DONE]", "[]", "null", "7", '"text"', '{"type":', b'{"a":"\xff"}'],
)
@pytest.mark.parametrize("name", [None, "response.output_text.delta"])
def test_what_is_not_an_object_is_an_error(data: bytes | str, name: str | None) -> None:
    with pytest.raises(ValueError, match="stream event is"):
        parse_event(data, name)


def test_endless_nesting_is_an_error_and_not_a_crash() -> None:
    with pytest.raises(ValueError, match="stream event is"):
        parse_event('{"type":' + "[" * 200_000)


@given(st.binary() | st.text())
def test_any_data_is_an_event_or_a_value_error(data: bytes | str) -> None:
    try:
        event = parse_event(data)
    except ValueError:
        return
    assert isinstance(event, StreamEvent)


def test_events_carry_typed_responses_and_items() -> None:
    item = {"type": "quantum_call", "id": "q_1"}
    response = {"id": "resp_1", "output": [item], "status": "completed"}
    completed = parse_event(json.dumps({"type": "response.completed", "response": response}))
    assert isinstance(completed, ResponseCompletedEvent)
    assert type(completed.response) is Response
    assert isinstance(completed.response.output[0], UnknownItem)
    done = parse_event(
        json.dumps({"type": "response.output_item.done", "output_index": 0, "item": item})
    )
    assert isinstance(done, OutputItemDoneEvent)
    assert isinstance(done.item, UnknownItem)


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_every_kind_of_event_is_registered_under_its_own_type(kind: str) -> None:
    event = EVENT_TYPES[kind]
    assert event.model_fields["type"].is_required()
    sent = {
        "type": kind,
        "response": {"id": "resp_1"},
        "item": {"type": "program"},
        "part": {"type": "summary_text", "text": ""},
        **dict.fromkeys(("item_id", "delta", "text", "refusal", "arguments", "input"), "a"),
        **dict.fromkeys(("code", "diff", "command", "partial_image_b64"), "a"),
        **dict.fromkeys(("output_index", "content_index", "summary_index", "command_index"), 0),
        **dict.fromkeys(("annotation_index", "partial_image_index"), 0),
        "output": [],
        "steer": {"previous_response_id": "resp_1"},
        "required_input": [],
        "error": {"code": "response_not_found", "message": "a"},
    }
    if kind == "response.shell_call_output_content.delta":
        sent["delta"] = {"stdout": "a"}
    parsed = parse_event(json.dumps(sent), kind)
    assert type(parsed) is event
    assert parsed.to_dict() == sent


FLAT = {"type": "error", "code": "server_error", "message": "Sorry", "param": None}
NESTED = {
    "type": "error",
    "sequence_number": 1,
    "error": {
        "type": "too_many_requests",
        "code": "rate_limit_exceeded",
        "headers": {"X-MS-FE-Error": "true"},
        "message": "Slow down",
        "param": "input",
    },
}


def _error(sent: dict[str, Any]) -> ErrorEvent:
    event = parse_event(json.dumps(sent), "error")
    assert isinstance(event, ErrorEvent)
    assert event.to_dict() == sent
    return event


def test_a_flat_error_is_read() -> None:
    error = _error(FLAT)
    assert (error.code, error.message, error.param) == ("server_error", "Sorry", None)
    assert error.error_type is None
    assert error.headers == {}


def test_a_nested_error_is_read_the_same_way() -> None:
    error = _error(NESTED)
    assert (error.code, error.message) == ("rate_limit_exceeded", "Slow down")
    assert (error.param, error.error_type) == ("input", "too_many_requests")
    assert error.headers == {"x-ms-fe-error": "true"}


@pytest.mark.parametrize(
    ("sent", "code", "message"),
    [
        ({"type": "error"}, None, ""),
        ({"type": "error", "error": None, "code": "c"}, "c", ""),
        ({"type": "error", "error": "out of order", "message": "m"}, None, "m"),
        ({"type": "error", "error": {"code": 429}, "message": "m"}, "429", "m"),
        ({"type": "error", "status": 400, "error": {"code": "c", "message": "m"}}, "c", "m"),
    ],
)
def test_half_an_error_is_still_an_error(
    sent: dict[str, Any], code: str | None, message: str
) -> None:
    error = _error(sent)
    assert (error.code, error.message) == (code, message)


SCRIPT = """
import threading
from azure_responses.types import parse_event
from azure_responses.types.events import EVENT_TYPES
data = '{"type":"response.completed","response":{"id":"resp_1","output":[]}}'
kinds = []
def read():
    kinds.append(type(parse_event(data)).__name__)
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert kinds == ["ResponseCompletedEvent"] * 8, kinds
built = [name for name, event in EVENT_TYPES.items() if event.__pydantic_complete__]
assert built == ["response.completed"], built
"""


def test_only_events_that_arrive_are_built_and_threads_may_race_to_it() -> None:
    finished = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert finished.stderr == ""


def test_an_event_whose_type_and_name_say_nothing_is_kept() -> None:
    event = parse_event('{"type": 5, "x": 1}', "response.of_tomorrow")
    assert event.to_dict() == {"type": 5, "x": 1}
