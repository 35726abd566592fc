"""Error bodies → one shape → the exception that the caller sees.

`error_shapes` knows the shapes of bodies (verbatim ones are collected in issue threads and
recordings; the specification's own `inner_error` is not what the service sends). Streams carry the
error object nested (`{"type": "error", "error": {…}}`) or flat.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from azure_responses.errors import (
    APIStatusError,
    AuthenticationError,
    AzureResponsesError,
    BadRequestError,
    ConflictError,
    ContentFilterError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFailedError,
    ResponseNotFoundError,
    UnprocessableEntityError,
)
from azure_responses.http_exchange import ErrorEnvelope
from azure_responses.protocol.error_shapes import read_error_fields
from azure_responses.protocol.http_message import redact, redact_all
from azure_responses.protocol.known_errors import STATUS_IN_STREAM, RequestContext, find_known
from azure_responses.protocol.retry import retry_hint
from azure_responses.types.response import ResponseErrorCode
from azure_responses.types.result import request_id_of

__all__ = [
    "ErrorBody",
    "failure_from_event",
    "failure_from_reply",
    "failure_from_response",
    "hint_for",
    "read_error_object",
    "read_error_reply",
]

_SHOWN = 500


@dataclass(frozen=True)
class ErrorBody:
    """An error the service reported.

    `status` is the HTTP status, or the one an in-stream error stands for, or None where an
    in-stream error stands for none. `body` is the parsed JSON, or shortened text.
    """

    status: int | None
    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None
    body: Any = None
    content_filters: list[dict[str, Any]] = field(default_factory=list)


def read_error_reply(
    status: int, headers: Mapping[str, str], body: bytes, secrets: Iterable[str] = ()
) -> ErrorBody:
    """Read an error reply, whatever its body is: JSON, HTML, text or nothing.

    `secrets` are taken out of text, which is shortened; of JSON the caller does it.
    """
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        # Before it is shortened, which could cut a secret in two and hide it.
        text = redact(body.decode("utf-8", "replace"), secrets)
        return ErrorBody(status, _describe_text(status, headers, text), body=_shorten(text) or None)
    if not isinstance(parsed, dict):
        return ErrorBody(status, f"HTTP {status} with an unexpected JSON body.", body=parsed)
    if not 200 <= status < 300:
        return read_error_object(parsed, status)
    # A proxy may answer 200 with an error inside: the error then says which status it is.
    has_error = isinstance(parsed.get("error"), dict)
    found = read_error_object(parsed, None if has_error else status)
    if has_error or read_error_fields(parsed).message is not None:
        return found
    # A whole answer where a stream was asked for, or another API's; its `type` is no error's.
    message = f"HTTP {status} with an unexpected JSON body."
    return ErrorBody(status, message, body=found.body)


def read_error_object(body: Mapping[str, Any], status: int | None = None) -> ErrorBody:
    """Read an error object: an HTTP error body, an `error` event or a failed response's error.

    Without `status`, the error's code or type decides which HTTP status it stands for.
    """
    found = read_error_fields(body)
    code, kind, fields = found.code, found.type, found.fields
    if status is None:
        status = _status_of(code, kind, found.message or "", {**body, **fields})
    return ErrorBody(
        status=status,
        message=found.message
        or f"The service reported {code or kind or 'an error'} without a message.",
        code=code,
        type=kind,
        param=found.param,
        body=dict(body),
        content_filters=_content_filters(fields),
    )


def _status_of(
    code: str | None, kind: str | None, message: str, fields: Mapping[str, Any]
) -> int | None:
    names = [name.lower() for name in (code, kind) if name]
    for name in names:
        if name in STATUS_IN_STREAM:
            return STATUS_IN_STREAM[name]
    for key in ("status", "status_code", "statusCode"):
        status = fields.get(key)
        if isinstance(status, int) and 400 <= status < 600:
            return status
    if "user_error" in names:
        # Reported with HTTP 404 on a plain reply, and with no status inside a stream.
        return 404 if "existing deployment" in message else 400
    return None


def _content_filters(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    inner = fields.get("innererror") or fields.get("inner_error")
    filters = fields.get("content_filters")
    if isinstance(filters, list):
        return [entry for entry in filters if isinstance(entry, dict)]
    if isinstance(inner, dict):
        # Chat completions put one verdict, without its envelope, in the inner error.
        result = inner.get("content_filter_result") or inner.get("content_filter_results")
        if isinstance(result, dict):
            return [{"blocked": True, "source_type": "prompt", "content_filter_results": result}]
    return []


def _describe_text(status: int, headers: Mapping[str, str], body: str) -> str:
    kind = headers.get("content-type", "")
    if not body.strip():
        return f"HTTP {status} with an empty body."
    if "html" in kind or body.lstrip()[:1] == "<":
        title = re.search(r"<title[^>]*>\s*(.*?)\s*</title>", body, re.IGNORECASE | re.DOTALL)
        said = _shorten(title.group(1)).removeprefix(f"{status} ") if title else ""
        shown = f" ({said})" if said else ""
        return f"HTTP {status} with an HTML page{shown} instead of JSON."
    return (
        f"HTTP {status} with a body that is not JSON: {_shorten(body).removeprefix(f'{status} ')}"
    )


def _shorten(body: str) -> str:
    text = " ".join(body[: _SHOWN * 4].split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


_KIND_BY_STATUS: Mapping[int, type[APIStatusError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableEntityError,
    429: RateLimitError,
}


def failure_from_reply(
    status: int, headers: Mapping[str, str], body: bytes, context: RequestContext, now: float
) -> APIStatusError:
    """The error of a reply whose status says no (or 200 with something that is no answer).

    `headers` have lower-case names; `now` is unix seconds, for `retry-after` dates.
    """
    problem = read_error_reply(status, headers, body, context.secrets)
    error = _status_error(problem, problem.status or status, headers, context, now)
    if isinstance(problem.body, str | None):
        content = redact(body.decode("utf-8", "replace"), context.secrets).encode()
        error.attach_reply(headers, content)
    else:
        # JSON is redacted after it was parsed; a reply without a secret stays as it came.
        is_clean = error.body == problem.body
        error.attach_reply(headers, body if is_clean else None)
    return error


def failure_from_event(
    event: Mapping[str, Any], headers: Mapping[str, str], context: RequestContext, now: float
) -> AzureResponsesError:
    """The error that an `error` event of a stream stands for."""
    problem = read_error_object({k: v for k, v in event.items() if k != "sequence_number"})
    # The specification's other codes blame the request: an image that cannot be read, a policy.
    unnamed = 400 if problem.code in get_args(ResponseErrorCode) else 500
    return _status_error(problem, problem.status or unnamed, headers, context, now)


def failure_from_response(
    response: Any,
    error: Any,
    headers: Mapping[str, str],
    context: RequestContext,
    now: float,
) -> AzureResponsesError:
    """The error of a response whose status is "failed".

    A code that has an HTTP equivalent becomes that status error; the rest, and failures without
    an error object, become ResponseFailedError. `response` rides along on the latter. `error` is
    the response's error object; text, as some gateways send, counts as its message, and of a list
    the first.
    """
    first = next(iter(error), None) if isinstance(error, list) else error
    fields = {"message": first} if isinstance(first, str) else first
    problem = read_error_object(fields) if fields and isinstance(fields, Mapping) else None
    if problem is not None and problem.status is not None:
        return _status_error(problem, problem.status, headers, context, now)
    message = problem.message if problem else "The response failed; the service gave no reason."
    return ResponseFailedError(
        redact(message, context.secrets),
        response=response,
        code=redact_all(problem.code, context.secrets) if problem else None,
        request_id=request_id_of(headers),
    )


def _status_error(
    problem: ErrorBody,
    status: int,
    headers: Mapping[str, str],
    context: RequestContext,
    now: float,
) -> APIStatusError:
    kind = _classify(problem, status, context)
    verdicts = redact_all(problem.content_filters, context.secrets)
    extra = {"content_filters": verdicts} if issubclass(kind, ContentFilterError) else {}
    error = kind(
        redact(problem.message, context.secrets),
        status_code=status,
        code=redact_all(problem.code, context.secrets),
        type=redact_all(problem.type, context.secrets),
        param=redact_all(problem.param, context.secrets),
        body=_readable(redact_all(problem.body, context.secrets)),
        request_id=request_id_of(headers) or _request_id_in(problem.body),
        region=headers.get("x-ms-region"),
        retry_after=retry_hint(headers, problem.message, now),
        hint=redact_all(hint_for(problem, status, headers, context), context.secrets),
        **extra,
    )
    limits = {name.lower(): value for name, value in headers.items() if _is_limit(name)}
    if limits:
        error.rate_limits = limits
    error.attach_reply(headers, None)
    return error


def _readable(body: Any) -> Any:
    return ErrorEnvelope(body) if isinstance(body, dict) else body


def _request_id_in(body: Any) -> str | None:
    # Claude names it in the body.
    found = body.get("request_id") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _is_limit(name: str) -> bool:
    return name.lower().startswith("x-ratelimit-")


def _classify(problem: ErrorBody, status: int, context: RequestContext) -> type[APIStatusError]:
    for known in find_known(status, problem.code, problem.message):
        # A row may know a hint only, and leave the class to a later row or to the status.
        if known.error is not None:
            return known.error
    # The path of the call names a response: unless the code says that the path itself is unknown,
    # the response is what was not found.
    if status == 404 and context.response_id and problem.code not in ("404", "unknown_url"):
        return ResponseNotFoundError
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    if status >= 500:
        return InternalServerError
    return BadRequestError if 400 <= status < 500 else APIStatusError


def hint_for(
    problem: ErrorBody, status: int, headers: Mapping[str, str], context: RequestContext
) -> str | None:
    """The sentence for a failure, or None where nothing better than the message is known."""
    if 300 <= status < 400:
        return "The service redirected, which Azure does not do; check the endpoint's host name."
    if context.response_id and status == 404 and problem.code not in ("404", "unknown_url"):
        return (
            "The response lives on another resource, was deleted, was made with store=False, or is "
            "older than 30 days."
        )
    if status == 404 and (hint := _missing_hint(problem, context)):
        return hint
    if status == 200 or "html" in headers.get("content-type", ""):
        return "This was not answered by Azure OpenAI; check the endpoint and any proxy between."
    for known in find_known(status, problem.code, problem.message):
        if known.hint is not None:
            named = replace(context, param=problem.param)
            return known.hint if isinstance(known.hint, str) else known.hint(named)
    return None


_PATH_CODES = frozenset({"404", "unknown_url"})
_OF_PATH = re.compile(r"resource not found|invalid url", re.IGNORECASE)
_OBJECT_GONE = "It was deleted, has expired, or lives on another resource: list what there is."


def _missing_hint(problem: ErrorBody, context: RequestContext) -> str | None:
    """The hint of a 404: this stored object, or this kind of object, does not exist there."""
    is_of_path = problem.code in _PATH_CODES or _OF_PATH.search(problem.message) is not None
    if context.object_id and not is_of_path:
        return context.gone or _OBJECT_GONE
    # Of a call on a deployment, any other 404 says that the deployment is not there.
    return context.instead if is_of_path or context.deployment is None else None
