"""The events of steering, as OpenAI's description of WebSocket mode has them."""

import json
from typing import Any, get_args

import pytest
from openai.types import responses as sdk
from openai.types.responses import response_steer_required_input as sdk_required
from pydantic import BaseModel

from azure_responses import types
from azure_responses.types import (
    RequiredInput,
    SteerAcceptedEvent,
    SteerFailedEvent,
    SteerPendingEvent,
    StreamEvent,
    parse_event,
)

_ACCEPTED = {
    "type": "response.steer.accepted",
    "sequence_number": 9,
    "steer": {"id": "steer_1", "previous_response_id": "resp_1"},
}
_PENDING = {
    "type": "response.steer.pending",
    "sequence_number": 12,
    "steer": {"id": "steer_1", "previous_response_id": "resp_1"},
    "reason": "waiting_for_required_input",
    "required_input": [
        {"type": "function_call_output", "call_id": "call_1", "name": "look_up"},
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_1"},
        {"type": "quantum_call_output", "qubit": 3},
    ],
}
_FAILED = {
    "type": "response.steer.failed",
    "sequence_number": 3,
    "stream_id": "left",
    "steer": {
        "previous_response_id": "resp_1",
        "input": [{"type": "message", "role": "user", "content": "Shorter."}],
    },
    "error": {
        "type": "invalid_request_error",
        "code": "response_already_completed",
        "message": "Response 'resp_1' has already completed.",
    },
}


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (_ACCEPTED, SteerAcceptedEvent),
        (_PENDING, SteerPendingEvent),
        (_FAILED, SteerFailedEvent),
        ({**_FAILED, "steer": {"previous_response_id": "r", "input": "text"}}, SteerFailedEvent),
        ({**_PENDING, "reason": "waiting_for_the_moon", "more": 1}, SteerPendingEvent),
    ],
)
def test_an_event_of_steering_is_typed_and_keeps_every_field(
    sent: dict[str, Any], kind: type[StreamEvent]
) -> None:
    event = parse_event(json.dumps(sent))
    assert type(event) is kind
    assert event.to_dict() == sent


def test_required_input_is_the_beginning_of_the_item_to_send() -> None:
    event = parse_event(json.dumps(_PENDING))
    assert isinstance(event, SteerPendingEvent)
    call, approval, unknown = event.required_input
    assert {**call.to_dict(), "output": "42"} == {
        "type": "function_call_output",
        "call_id": "call_1",
        "name": "look_up",
        "output": "42",
    }
    assert approval.approval_request_id == "mcpr_1"
    assert unknown.to_dict() == {"type": "quantum_call_output", "qubit": 3}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (SteerAcceptedEvent, sdk.ResponseSteerAcceptedEvent),
        (SteerPendingEvent, sdk.ResponseSteerPendingEvent),
        (SteerFailedEvent, sdk.ResponseSteerFailedEvent),
    ],
)
def test_an_event_has_the_fields_that_the_openai_package_knows(
    ours: type[StreamEvent], theirs: type[BaseModel]
) -> None:
    # The lane is the connection's; where it is sent, the event keeps it.
    assert theirs.model_fields.keys() - {"stream_id"} <= ours.model_fields.keys()


def _words(annotation: Any) -> set[str]:
    """The known values of an open word: a union of a Literal and str."""
    return set(get_args(get_args(annotation)[0]))


def test_required_input_has_the_fields_and_kinds_that_the_openai_package_knows() -> None:
    kinds = get_args(get_args(sdk_required.ResponseSteerRequiredInput)[0])
    for theirs in kinds:
        assert theirs.model_fields.keys() <= RequiredInput.model_fields.keys()
    known = {get_args(kind.model_fields["type"].annotation)[0] for kind in kinds}
    assert known == _words(RequiredInput.model_fields["type"].annotation)


def test_the_error_codes_are_those_of_the_openai_package() -> None:
    assert _words(get_args(types.SteerErrorCode)[0]) == _words(sdk.ResponseSteerErrorCode)
