"""Exceptions → what a caller of the OpenAI surface gets: status, headers, error object.

The object is OpenAI's, `{"error": {"message", "type", "param", "code"}}`, with `code` a string as
LiteLLM sends it. What Azure said besides (`innererror`, `content_filters`) stays where it was.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any

from pydantic_core import to_json

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
    InternalServerError,
    PermissionDeniedError,
    ResponseFailedError,
    StreamInterruptedError,
    UnreadableResponseError,
)
from azure_responses.openai_server.exchange import Header
from azure_responses.openai_server.route import MethodNotAllowedError

__all__ = [
    "ErrorReply",
    "anthropic_error",
    "anthropic_error_event",
    "anthropic_error_reply",
    "as_told_to_callers",
    "chat_error",
    "closing_events",
    "describe_error",
    "error_event",
    "error_reply",
    "reason_of",
    "unusable_credential",
]

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
# Errors of proxies and of this package may have no code, and clients tell errors apart by it.
_CODES: Mapping[int, str] = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    403: "permission_denied",
    404: "not_found",
    408: "timeout",
    409: "conflict",
    413: "request_too_large",
    429: "rate_limit_exceeded",
    500: "server_error",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "timeout",
}

# The types that anthropic 2.14 has classes for (types/shared/error_object.py).
_ANTHROPIC_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_INVALID = "invalid_request_error"

_OF_UPSTREAM = (
    APIConnectionError,
    StreamInterruptedError,
    ResponseFailedError,
    UnreadableResponseError,
)

ErrorReply = tuple[int, list[Header], bytes]
"""Status, headers and body."""


def error_reply(error: BaseException) -> ErrorReply:
    """How to answer a call that ended with an error."""
    status, fields = describe_error(error)
    return _reply(status, {"error": fields}, error)


def _reply(status: int, fields: Mapping[str, Any], error: BaseException) -> ErrorReply:
    body = to_json(fields, inf_nan_mode="null")
    headers = [(b"content-type", b"application/json")]
    headers += [(name, value.encode("latin-1", "replace")) for name, value in _headers(error)]
    headers.append((b"content-length", b"%d" % len(body)))
    return status, headers, body


def anthropic_error(
    status: int, fields: Mapping[str, Any], request_id: str | None
) -> tuple[int, dict[str, Any]]:
    """Status and body of an error for a caller of Messages; `fields` are OpenAI's."""
    # A 503 says what Anthropic says with a status of its own: come back later.
    status = 529 if status == 503 else status
    hint = fields.get("hint")
    error = {
        "type": _ANTHROPIC_TYPES.get(status, "api_error" if status > 499 else _INVALID),
        # Programs show the message and nothing else of the error.
        "message": f"{fields['message']} {hint}" if hint else fields["message"],
        **{name: fields[name] for name in ("code", "param") if fields.get(name)},
    }
    return status, {"type": "error", "error": error, "request_id": request_id}


def anthropic_error_reply(error: BaseException, request_id: str | None) -> ErrorReply:
    """How to answer a caller of Messages whose call ended with an error."""
    status, body = anthropic_error(*describe_error(error), request_id)
    return _reply(status, body, error)


def anthropic_error_event(error: BaseException, request_id: str | None = None) -> bytes:
    """The event that tells of an error in the middle of a stream of Messages."""
    _, body = anthropic_error(*describe_error(error), request_id)
    return b"event: error\ndata: " + to_json(body, inf_nan_mode="null") + b"\n\n"


def error_event(error: BaseException, number: int | None) -> bytes:
    """The server-sent event that tells of an error in the middle of a Responses stream."""
    status, fields = describe_error(error)
    event = {"type": "error", "sequence_number": number, "status": status, **fields}
    # Last, in the place of the error's own type, for which an event has no field.
    event["type"] = "error"
    return b"event: error\ndata: " + to_json(event, inf_nan_mode="null") + b"\n\n"


def chat_error(error: BaseException) -> bytes:
    """What tells of an error in the middle of the chunks."""
    status, fields = describe_error(error)
    body = {"error": {**fields, "status": status}}
    return b"data: %b\n\n" % to_json(body, inf_nan_mode="null")


def closing_events(operation: str, last_event: int | None, error: BaseException) -> bytes:
    """The events that end a stream which was begun and cannot go on.

    Args:
        operation: says in the shape of which API.
        last_event: the sequence number of the last event that was sent.
        error: why.
    """
    if operation == "chat":
        return chat_error(error) + b"data: [DONE]\n\n"
    if operation.startswith(("images.", "audio.")):
        # Their streams have the shape of chat's errors, and no last line.
        return chat_error(error)
    if operation == "messages":
        return anthropic_error_event(error)
    return error_event(error, 0 if last_event is None else last_event + 1)


def reason_of(error: AzureResponsesError) -> AzureResponsesError:
    """Why a stream broke off, as a stream of responses tells it; any other error as it is."""
    cause = error.__cause__
    if isinstance(error, StreamInterruptedError) and isinstance(cause, APIConnectionError):
        return cause
    return error


def unusable_credential(error: ConfigurationError) -> InternalServerError:
    """What a deployment's own configuration is to a caller, who can do nothing about it."""
    return InternalServerError(
        "The deployment cannot be called as it is configured.",
        status_code=503,
        code="deployment_misconfigured",
        type="server_error",
    ).with_traceback(error.__traceback__)


def describe_error(error: BaseException) -> tuple[int, dict[str, Any]]:
    """Status and error object. Other exceptions than this package's stay without details."""
    status, code = _status_of(error)
    if not isinstance(error, AzureResponsesError):
        return status, _fields("The server failed to answer.", "server_error", None, code)
    body = _object_of(error) if isinstance(error, APIStatusError) else {}
    fields = {
        **body,
        **_fields(
            error.message,
            getattr(error, "type", None) or _type_of(status),
            getattr(error, "param", None),
            str(getattr(error, "code", None) or code),
        ),
    }
    # What helps against a 5xx is for the operator to do, and names settings.
    if error.hint and status < 500:
        fields["hint"] = error.hint
    return status, fields


def as_told_to_callers(error: BaseException) -> BaseException:
    """The error for a caller of the gateway, whose own key is not the one that was refused."""
    if isinstance(error, CredentialError) and not isinstance(error, APITimeoutError):
        # What the credential said names tenants and machines.
        return InternalServerError(
            f"The credential of the deployment {error.deployment!r} gave no token. The key of this "
            "call is not to blame: an operator of the gateway has to look at it.",
            status_code=503,
            code="deployment_misconfigured",
            type="server_error",
        )
    if not isinstance(error, AuthenticationError | PermissionDeniedError) or not error.deployment:
        return error
    return InternalServerError(
        f"Azure refused the credential of the deployment {error.deployment!r} "
        f"({error.status_code}). The key of this call is not to blame: an operator of the gateway "
        "has to change the deployment's credential or its role.",
        status_code=502,
        code="deployment_credential_refused",
        type="server_error",
        request_id=error.request_id,
        region=error.region,
    )


def _fields(message: str, kind: str, param: str | None, code: str) -> dict[str, Any]:
    return {"message": message, "type": kind, "param": param, "code": code}


def _status_of(error: BaseException) -> tuple[int, str]:
    if isinstance(error, APIStatusError):
        # A redirect, or the 200 of a reply that is no answer, is not a status of an error.
        status = error.status_code if 400 <= error.status_code < 600 else 502
        return status, _CODES.get(status, str(status))
    if isinstance(error, APITimeoutError):
        return 504, "timeout"
    if isinstance(error, _OF_UPSTREAM):
        return 502, "upstream_error"
    if isinstance(error, CredentialError):
        return 503, "deployment_misconfigured"
    if isinstance(error, ConfigurationError):
        return 400, "invalid_request_error"
    return 500, "server_error"


def _type_of(status: int) -> str:
    return _TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")


def _object_of(error: APIStatusError) -> dict[str, Any]:
    """What Azure's error object held besides the four fields."""
    body = error.body
    if not isinstance(body, dict):
        return {}
    inner = body.get("error")
    return dict(inner) if isinstance(inner, dict) else {}


def _headers(error: BaseException) -> list[tuple[bytes, str]]:
    headers: list[tuple[bytes, str]] = []
    if isinstance(error, MethodNotAllowedError):
        headers.append((b"allow", ", ".join(error.allowed)))
    if not isinstance(error, APIStatusError):
        return headers
    if error.retry_after is not None:
        wait = max(0.0, error.retry_after)
        # Rounded up: a caller who comes back too soon is refused again.
        headers.append((b"retry-after", str(ceil(wait))))
        headers.append((b"retry-after-ms", str(ceil(wait * 1000))))
    if error.request_id and error.request_id.isprintable():
        headers.append((b"apim-request-id", error.request_id))
    if error.region and error.region.isprintable():
        headers.append((b"x-ms-region", error.region))
    for name, value in error.rate_limits.items():
        if name.isascii() and name.isprintable() and value.isprintable():
            headers.append((name.encode(), value))
    return headers
