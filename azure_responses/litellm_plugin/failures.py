"""This package's errors → LiteLLM's, which its router, its fallbacks and its proxy know."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
    ContentFilterError,
    CredentialError,
    StreamInterruptedError,
    UnreadableResponseError,
)
from azure_responses.litellm_plugin.clients import litellm

__all__ = ["mapped_failures", "to_litellm_error"]

# Of other statuses LiteLLM's APIError tells the number. 401, 408 and 429 have rules of their own.
_CLASS_BY_STATUS: Mapping[int, str] = {
    400: "BadRequestError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    408: "Timeout",
    422: "UnprocessableEntityError",
    500: "InternalServerError",
    502: "BadGatewayError",
    503: "ServiceUnavailableError",
}


@contextmanager
def mapped_failures(model: str, provider: str) -> Iterator[None]:
    """Raise as LiteLLM's what this package raises inside."""
    try:
        yield
    except AzureResponsesError as error:
        raise to_litellm_error(error, model, provider) from error


def to_litellm_error(error: AzureResponsesError, model: str, provider: str) -> Exception:
    """LiteLLM's exception for an error.

    `code`, `param`, `type` and `body` are the service's, `response.headers` has `retry-after`,
    and `provider_specific_fields` of a content filter's has the verdicts.
    """
    if isinstance(error, StreamInterruptedError):
        return _interrupted(error, model, provider)
    named: dict[str, Any] = {"model": model, "llm_provider": provider, "message": str(error)}
    if isinstance(error, APIStatusError):
        return _from_status(error, named)
    if isinstance(error, APITimeoutError):
        return _make(litellm().Timeout, named, None)
    if isinstance(error, CredentialError):
        # A 401 sends LiteLLM's router on to another deployment; a 400 would end the call.
        return _make(litellm().AuthenticationError, named, None, status=401)
    if isinstance(error, ConfigurationError):
        return _make(litellm().BadRequestError, named, None, status=400)
    if isinstance(error, APIConnectionError):
        return _make(litellm().APIConnectionError, named, None)
    if isinstance(error, UnreadableResponseError):
        return _unreadable(error, named)
    # A response with the status `failed`, and a code that no class stands for.
    return _make(litellm().InternalServerError, named, None)


def _interrupted(error: StreamInterruptedError, model: str, provider: str) -> Exception:
    """The error that broke a stream: it tells LiteLLM whether another deployment may go on."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    # An error that is raised from itself is its own cause.
    while isinstance(cause, StreamInterruptedError) and cause not in seen:
        seen.append(cause)
        cause = cause.__cause__
    if isinstance(cause, AzureResponsesError) and not isinstance(cause, StreamInterruptedError):
        return to_litellm_error(cause, model, provider)
    named = {"model": model, "llm_provider": provider, "message": str(error)}
    return _make(litellm().ServiceUnavailableError, named, None, status=503)


def _unreadable(error: UnreadableResponseError, named: dict[str, Any]) -> Exception:
    """A 502 that is not tried again, because the answer that cannot be read was billed.

    LiteLLM's router retries every 5xx, unless the exception itself says how often
    (`num_retries`); its proxy sends `headers` on, where openai's clients look.
    """
    made = _make(litellm().BadGatewayError, {**named, "num_retries": 0}, None, status=502)
    own: Any = made
    own.headers = {"x-should-retry": "false"}
    if error.request_id:
        own.headers["apim-request-id"] = error.request_id
    return made


def _from_status(error: APIStatusError, named: dict[str, Any]) -> Exception:
    if isinstance(error, ContentFilterError):
        named = {**named, "provider_specific_fields": _filter_fields(error)}
    name = error.litellm_name or _CLASS_BY_STATUS.get(error.status_code)
    if name is None:
        return _make(litellm().APIError, {**named, "status_code": error.status_code}, error)
    return _make(getattr(litellm(), name), named, error)


def _filter_fields(error: ContentFilterError) -> dict[str, Any]:
    """All verdicts, and the blocking one where LiteLLM puts that of Azure's chat completions."""
    blocked = next((entry for entry in error.content_filters if entry.get("blocked")), None)
    inner = {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_result": (blocked or {}).get("content_filter_results"),
    }
    return {"content_filters": error.content_filters, "innererror": inner}


def _make(
    kind: Callable[..., Any], arguments: dict[str, Any], error: Any, *, status: int = 500
) -> Exception:
    """An exception of LiteLLM's, with the fields of the reply that openai's exceptions have.

    `status` is used where the service sent no reply.
    """
    made: Exception = _construct(kind, arguments, _reply(error, status))
    if error is not None:
        said: Any = made
        said.body = _error_object(error)
        said.code, said.param, said.type = error.code, error.param, error.type
        said.litellm_response_headers = _reply_headers(error)
    return made


def _construct(kind: Callable[..., Any], arguments: dict[str, Any], reply: httpx.Response) -> Any:
    # The classes take the reply in three ways, as those of openai that they extend.
    if kind in (litellm().APIError, litellm().APIConnectionError):
        return kind(**arguments, request=reply.request)
    if kind is litellm().Timeout:
        return kind(**arguments)
    return kind(**arguments, response=reply)


def _reply(error: APIStatusError | None, status: int) -> httpx.Response:
    status = status if error is None else error.status_code
    request = httpx.Request("POST", "https://azure.invalid/responses")
    return httpx.Response(status, headers=_reply_headers(error), request=request)


def _reply_headers(error: APIStatusError | None) -> httpx.Headers:
    headers = httpx.Headers()
    if error is not None and error.retry_after is not None:
        headers["retry-after"] = format(error.retry_after, "g")
    if error is not None and error.request_id:
        headers["apim-request-id"] = error.request_id
    return headers


def _error_object(error: APIStatusError) -> Any:
    body = error.body
    if isinstance(body, dict):
        return body.get("error", body)
    return {"message": error.message, "code": error.code, "param": error.param, "type": error.type}
