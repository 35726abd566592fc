"""Webhooks: where a resource sends events to, and the events themselves."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, TypeAdapter

from .mending import Loose, Mended, type_of
from .model import OPEN, Model, Number, UnknownType
from .result import Result

__all__ = [
    "BatchCancelledWebhookEvent",
    "BatchCompletedWebhookEvent",
    "BatchExpiredWebhookEvent",
    "BatchFailedWebhookEvent",
    "DeletedWebhookEndpoint",
    "EvalRunCanceledWebhookEvent",
    "EvalRunFailedWebhookEvent",
    "EvalRunSucceededWebhookEvent",
    "FineTuningJobCancelledWebhookEvent",
    "FineTuningJobFailedWebhookEvent",
    "FineTuningJobSucceededWebhookEvent",
    "IncomingCall",
    "RealtimeCallIncomingWebhookEvent",
    "ResponseCancelledWebhookEvent",
    "ResponseCompletedWebhookEvent",
    "ResponseFailedWebhookEvent",
    "ResponseIncompleteWebhookEvent",
    "SipHeader",
    "UnknownWebhookEvent",
    "UnwrapWebhookEvent",
    "WebhookData",
    "WebhookEndpoint",
    "WebhookEndpointTestResult",
    "WebhookEndpointWithSecret",
    "WebhookEvent",
    "WebhookEventType",
    "WebhookEventTypeList",
]

# Azure sends those of responses, batches, fine-tuning jobs and calls (its page of May 2026).
WebhookEventType = (
    Literal[
        "batch.cancelled",
        "batch.completed",
        "batch.expired",
        "batch.failed",
        "eval.run.canceled",
        "eval.run.failed",
        "eval.run.succeeded",
        "fine_tuning.job.cancelled",
        "fine_tuning.job.failed",
        "fine_tuning.job.succeeded",
        "realtime.call.incoming",
        "response.cancelled",
        "response.completed",
        "response.failed",
        "response.incomplete",
    ]
    | str
)


class WebhookEndpoint(Result):
    """A URL that a resource sends events to; times are Unix seconds."""

    _stand_ins: ClassVar[Mapping[str, Any]] = {
        "created_at": 0,
        "event_types": [],
        "name": "",
        "url": "",
    }

    id: str
    created_at: Number
    event_types: list[str]
    name: str
    object: str = "webhook_endpoint"
    signing_secret_hint: str | None = None
    url: str
    updated_at: Number | None = None


class WebhookEndpointWithSecret(WebhookEndpoint):
    """A new endpoint with the secret that its events are signed with, which is shown only once."""

    signing_secret: str = Field(repr=False)


class DeletedWebhookEndpoint(Result):
    """Confirms that no more events are sent to an endpoint."""

    id: str
    deleted: bool
    object: str = "webhook_endpoint.deleted"


class WebhookEndpointTestResult(Result):
    """What an endpoint answered to a test event."""

    event_type: str
    object: str = "webhook_endpoint.test"
    status_code: int
    success: bool
    webhook_endpoint_id: str = ""


class WebhookEventTypeList(Result):
    """The types of events that an endpoint can ask for."""

    data: list[str] = Field(default_factory=list)
    object: str = "list"


class WebhookData(Model):
    """What an event is about: `id` is that of the response, batch, job or run."""

    id: str


class SipHeader(Model):
    """A header of a telephone call."""

    name: str
    value: str


class IncomingCall(Model):
    """A telephone call that waits to be accepted."""

    call_id: str
    sip_headers: list[SipHeader] = Field(default_factory=list)
    sip_media_security: Annotated[Literal["rtp", "srtp"] | str, OPEN] | None = None


class WebhookEvent(Model):
    """An event; `created_at` is when it happened, in Unix seconds.

    `id` is that of the event: one that is delivered again has the same.
    """

    _stand_ins: ClassVar[Mapping[str, Any]] = {"id": "", "created_at": 0}

    id: str
    created_at: Number
    type: str
    object: str = "event"


class _AboutObject(WebhookEvent):
    """An event about an object of the service."""

    data: WebhookData


class ResponseCompletedWebhookEvent(_AboutObject):
    """A background response is complete."""

    type: Literal["response.completed"]


class ResponseFailedWebhookEvent(_AboutObject):
    """A background response failed."""

    type: Literal["response.failed"]


class ResponseCancelledWebhookEvent(_AboutObject):
    """A background response was cancelled."""

    type: Literal["response.cancelled"]


class ResponseIncompleteWebhookEvent(_AboutObject):
    """A background response ended before it was complete."""

    type: Literal["response.incomplete"]


class BatchCompletedWebhookEvent(_AboutObject):
    """A batch is complete."""

    type: Literal["batch.completed"]


class BatchFailedWebhookEvent(_AboutObject):
    """A batch failed."""

    type: Literal["batch.failed"]


class BatchCancelledWebhookEvent(_AboutObject):
    """A batch was cancelled."""

    type: Literal["batch.cancelled"]


class BatchExpiredWebhookEvent(_AboutObject):
    """A batch was not complete in time."""

    type: Literal["batch.expired"]


class FineTuningJobSucceededWebhookEvent(_AboutObject):
    """A fine-tuning job succeeded."""

    type: Literal["fine_tuning.job.succeeded"]


class FineTuningJobFailedWebhookEvent(_AboutObject):
    """A fine-tuning job failed."""

    type: Literal["fine_tuning.job.failed"]


class FineTuningJobCancelledWebhookEvent(_AboutObject):
    """A fine-tuning job was cancelled."""

    type: Literal["fine_tuning.job.cancelled"]


class EvalRunSucceededWebhookEvent(_AboutObject):
    """A run of an evaluation succeeded."""

    type: Literal["eval.run.succeeded"]


class EvalRunFailedWebhookEvent(_AboutObject):
    """A run of an evaluation failed."""

    type: Literal["eval.run.failed"]


class EvalRunCanceledWebhookEvent(_AboutObject):
    """A run of an evaluation was cancelled."""

    type: Literal["eval.run.canceled"]


class RealtimeCallIncomingWebhookEvent(WebhookEvent):
    """A telephone call comes in."""

    type: Literal["realtime.call.incoming"]
    data: IncomingCall


class UnknownWebhookEvent(WebhookEvent):
    """An event of a type that this version does not know; every field is kept."""

    id: str = ""
    created_at: Number = 0
    type: UnknownType = "unknown"
    data: Loose[WebhookData | None] = None


_Known = (
    ResponseCompletedWebhookEvent
    | ResponseFailedWebhookEvent
    | ResponseCancelledWebhookEvent
    | ResponseIncompleteWebhookEvent
    | BatchCompletedWebhookEvent
    | BatchFailedWebhookEvent
    | BatchCancelledWebhookEvent
    | BatchExpiredWebhookEvent
    | FineTuningJobSucceededWebhookEvent
    | FineTuningJobFailedWebhookEvent
    | FineTuningJobCancelledWebhookEvent
    | EvalRunSucceededWebhookEvent
    | EvalRunFailedWebhookEvent
    | EvalRunCanceledWebhookEvent
    | RealtimeCallIncomingWebhookEvent
)
_KINDS: Mapping[Any, type[WebhookEvent]] = {type_of(kind): kind for kind in get_args(_Known)}


def _find_event(fields: Mapping[str, Any]) -> type[Model] | None:
    kind = fields.get("type")
    return _KINDS.get(kind) if isinstance(kind, str) else None


UnwrapWebhookEvent = Annotated[
    Annotated[_Known, Field(discriminator="type")]
    | Annotated[UnknownWebhookEvent, Mended(_find_event)],
    Field(union_mode="left_to_right"),
]
"""What `webhooks.unwrap` returns."""

_EVENT: TypeAdapter[UnwrapWebhookEvent] = TypeAdapter(
    UnwrapWebhookEvent, config={"defer_build": True}
)


def read_webhook_event(payload: str | bytes) -> UnwrapWebhookEvent:
    """The JSON of a delivery as an event.

    Raises:
        pydantic.ValidationError: it is not a JSON object.
    """
    return _EVENT.validate_json(payload)
