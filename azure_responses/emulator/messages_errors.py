"""The error bodies of Messages: Anthropic's envelope, worded as its users quote it."""

from typing import Any

from azure_responses.emulator.service_errors import ServiceError

__all__ = ["ERROR_TYPES", "as_messages_error", "error_event", "messages_error", "wrong"]

# Anthropic's page on errors: what each status is called.
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    503: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def messages_error(
    status: int, message: str, headers: dict[str, str] | None = None
) -> ServiceError:
    """An error in Anthropic's envelope; the `request_id` is added where it is answered."""
    return ServiceError(status, error_event(ERROR_TYPES.get(status, "api_error"), message), headers)


def error_event(kind: str, message: str) -> dict[str, Any]:
    """The body of an error, which is also the event of a stream that fails."""
    return {"type": "error", "error": {"type": kind, "message": message}}


def wrong(place: str, message: str) -> ServiceError:
    """400: what stands at this place of the body is invalid."""
    return messages_error(400, f"{place}: {message}")


def as_messages_error(error: ServiceError) -> ServiceError:
    """An error of Azure's or OpenAI's envelope in Anthropic's."""
    if error.body.get("type") == "error":
        return error
    fields = error.body.get("error") or {}
    # Anthropic's 500 has one text, whatever the cause.
    if error.status == 500:
        return messages_error(500, "Internal server error", error.headers)
    message = str(fields.get("message") or error.body.get("message") or "")
    if error.status == 529:
        message = "Overloaded"
    return messages_error(error.status, message, error.headers)
