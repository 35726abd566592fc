"""Problems → the exception the caller sees."""

from collections.abc import Mapping
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
)
from azure_responses.protocol.hints import Situation, hint_for
from azure_responses.protocol.known_errors import find_known
from azure_responses.protocol.problem import Problem, problem_from_object, problem_from_reply
from azure_responses.protocol.redaction import redact, redact_all
from azure_responses.protocol.retry import retry_hint
from azure_responses.types.response import ResponseErrorCode
from azure_responses.types.result import request_id_of

__all__ = ["failure_from_event", "failure_from_reply", "failure_from_response"]

_KIND_BY_STATUS: Mapping[int, type[APIStatusError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitError,
}


def failure_from_reply(
    status: int, headers: Mapping[str, str], body: bytes, situation: Situation, now: float
) -> APIStatusError:
    """The error of a reply whose status says no (or 200 with something that is no answer).

    `headers` have lower-case names; `now` is unix seconds, for `retry-after` dates.
    """
    problem = problem_from_reply(status, headers, body, situation.secrets)
    return _status_error(problem, problem.status or status, headers, situation, now)


def failure_from_event(
    event: Mapping[str, Any], headers: Mapping[str, str], situation: Situation, now: float
) -> AzureResponsesError:
    """The error that an `error` event of a stream stands for."""
    problem = problem_from_object({k: v for k, v in event.items() if k != "sequence_number"})
    # The specification's other codes blame the request: an image that cannot be read, a policy.
    unnamed = 400 if problem.code in get_args(ResponseErrorCode) else 500
    return _status_error(problem, problem.status or unnamed, headers, situation, now)


def failure_from_response(
    response: Any,
    error: Any,
    headers: Mapping[str, str],
    situation: Situation,
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
    problem = problem_from_object(fields) if fields and isinstance(fields, Mapping) else None
    if problem is not None and problem.status is not None:
        return _status_error(problem, problem.status, headers, situation, now)
    message = problem.message if problem else "The response failed; the service gave no reason."
    return ResponseFailedError(
        redact(message, situation.secrets),
        response=response,
        code=redact_all(problem.code, situation.secrets) if problem else None,
        request_id=request_id_of(headers),
    )


def _status_error(
    problem: Problem,
    status: int,
    headers: Mapping[str, str],
    situation: Situation,
    now: float,
) -> APIStatusError:
    kind = _classify(problem, status, situation)
    verdicts = redact_all(problem.content_filters, situation.secrets)
    extra = {"content_filters": verdicts} if kind is ContentFilterError else {}
    error = kind(
        redact(problem.message, situation.secrets),
        status_code=status,
        code=redact_all(problem.code, situation.secrets),
        type=redact_all(problem.type, situation.secrets),
        param=redact_all(problem.param, situation.secrets),
        body=redact_all(problem.body, situation.secrets),
        request_id=request_id_of(headers),
        region=headers.get("x-ms-region"),
        retry_after=retry_hint(headers, problem.message, now),
        hint=redact_all(hint_for(problem, status, headers, situation), situation.secrets),
        **extra,
    )
    limits = {name.lower(): value for name, value in headers.items() if _is_limit(name)}
    if limits:
        error.rate_limits = limits
    return error


def _is_limit(name: str) -> bool:
    return name.lower().startswith("x-ratelimit-")


def _classify(problem: Problem, status: int, situation: Situation) -> type[APIStatusError]:
    for known in find_known(status, problem.code, problem.message):
        if known.error is not None:
            return known.error
    if status == 404 and situation.response_id and problem.code not in ("404", "unknown_url"):
        return ResponseNotFoundError
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    if status >= 500:
        return InternalServerError
    return BadRequestError if 400 <= status < 500 else APIStatusError
