"""Small builders for the tests of this folder."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from azure_responses.protocol.call import Call, Creation, RecentResponses, TypedCall
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.types.response import Response
from azure_responses.types.result import Result

__all__ = ["frame", "json_of", "make_call", "make_creation", "make_typed_call", "stream_bytes"]

R = TypeVar("R", bound=Result)


def make_call(
    *,
    headers: Mapping[str, str] | None = None,
    can_refresh_token: bool = False,
    born: float | None = None,
    response_id: str | None = None,
    **policy: Any,
) -> Call:
    """A call of `POST /responses`."""
    request = Request("POST", "https://r.openai.azure.com/openai/v1/responses", headers or {})
    return Call(
        request,
        RequestContext("create", response_id=response_id),
        RetryPolicy(**policy),
        can_refresh_token=can_refresh_token,
        born=born,
    )


def make_typed_call(model: type[R]) -> TypedCall[R]:
    """A call whose reply is read as `model`."""
    request = Request("POST", "https://r.openai.azure.com/openai/v1/responses", {})
    return TypedCall(model, request, RequestContext("create"), RetryPolicy())


def make_creation() -> Creation[Response]:
    """A call that creates a response."""
    request = Request("POST", "https://r.openai.azure.com/openai/v1/responses", {})
    context = RequestContext("create")
    return Creation(RecentResponses(), None, Response, request, context, RetryPolicy())


def frame(event: Mapping[str, Any]) -> bytes:
    """One event as Azure frames it."""
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def stream_bytes(*events: Mapping[str, Any]) -> bytes:
    """Several events as Azure frames them."""
    return b"".join(frame(event) for event in events)


def json_of(event: Mapping[str, Any]) -> bytes:
    """The data of one event."""
    return json.dumps(event).encode()
