"""Steering: further input for a response that is still being made, over a WebSocket.

The names of fields and error codes are those of OpenAI's description of WebSocket mode. Codes,
reasons and kinds of required input may grow; values that are not known are kept.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Required, TypedDict

from .model import OPEN, Model, StreamEvent

__all__ = [
    "RequiredInput",
    "Steer",
    "SteerAcceptedEvent",
    "SteerErrorCode",
    "SteerEvent",
    "SteerFailedEvent",
    "SteerFailure",
    "SteerInput",
    "SteerMessage",
    "SteerPendingEvent",
    "SteerPendingReason",
]

SteerErrorCode = Annotated[
    Literal[
        "response_not_found",
        "invalid_input",
        "steering_not_supported",
        "too_many_pending_steers",
        "response_already_completed",
        "response_not_active",
        "successor_creation_failed",
    ]
    | str,
    OPEN,
]
SteerPendingReason = Annotated[Literal["waiting_for_required_input"] | str, OPEN]
_RequiredKind = Annotated[
    Literal[
        "function_call_output",
        "custom_tool_call_output",
        "computer_call_output",
        "shell_call_output",
        "apply_patch_call_output",
        "tool_search_output",
        "mcp_approval_response",
    ]
    | str,
    OPEN,
]


class SteerMessage(TypedDict, total=False):
    """A message of steering input; only users' messages steer."""

    content: Required[str | Iterable[Mapping[str, Any]]]
    """Text, or a list of `input_text`, `input_image` and `input_file` parts."""
    role: Required[Literal["user"]]
    """Always "user"."""
    type: Literal["message"]
    """Always "message", where it is given."""


SteerInput = str | Iterable[SteerMessage | Mapping[str, Any]]
"""Text, or a list of one or more messages of the user."""


class Steer(Model):
    """One submission of steering input.

    `id` is missing where the input was refused before it got one; `input` comes back with input
    that was refused.
    """

    id: str | None = None
    previous_response_id: str
    input: str | list[dict[str, Any]] | None = None


class SteerFailure(Model):
    """Why steering input has no effect."""

    code: SteerErrorCode
    message: str
    type: str | None = None


class RequiredInput(Model):
    """The result of a call, or an approval, that the model waits for.

    `to_dict` is the beginning of the item to send: add the output, or the decision, to it.
    """

    type: _RequiredKind
    call_id: str | None = None
    name: str | None = None
    execution: str | None = None
    approval_request_id: str | None = None


class SteerAcceptedEvent(StreamEvent):
    """The service has the input; it takes effect when the next response begins."""

    type: Literal["response.steer.accepted"]
    steer: Steer


class SteerPendingEvent(StreamEvent):
    """The response has ended, and the input waits for the results of calls in `required_input`.

    Do not send the input again: the service puts it before that of the `create` that has them.
    """

    type: Literal["response.steer.pending"]
    steer: Steer
    reason: SteerPendingReason | None = None
    required_input: list[RequiredInput]


class SteerFailedEvent(StreamEvent):
    """The input has no effect; `steer.input` is what was sent."""

    type: Literal["response.steer.failed"]
    steer: Steer
    error: SteerFailure


SteerEvent = SteerAcceptedEvent | SteerPendingEvent | SteerFailedEvent
