"""Problems → the exception the caller sees.

Match codes, never messages: Azure changes the wording (straight and typographic apostrophes, for
one). The few messages matched here belong to errors that carry no code of their own.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, get_args

from azure_responses.errors import (
    APIStatusError,
    AuthenticationError,
    AzureResponsesError,
    BadRequestError,
    ConflictError,
    ContentFilterError,
    ContextWindowExceededError,
    DeploymentNotFoundError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFailedError,
    ResponseNotFoundError,
    UnsupportedOperationError,
)
from azure_responses.protocol.hints import Situation, hint_for
from azure_responses.protocol.problem import Problem, problem_from_object, problem_from_reply
from azure_responses.protocol.redaction import redact, redact_all
from azure_responses.protocol.retry import retry_hint
from azure_responses.types.response import ResponseErrorCode
from azure_responses.types.result import request_id_of

__all__ = ["failure_from_event", "failure_from_reply", "failure_from_response"]

_Predicate = Callable[[Problem], bool]


def _has_code(*codes: str) -> _Predicate:
    return lambda problem: (problem.code or "").lower() in codes


def _says(pattern: str) -> _Predicate:
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda problem: compiled.search(problem.message) is not None


# First match wins; the predicates see only problems of the statuses named.
_KINDS: tuple[tuple[tuple[int, ...], _Predicate, type[APIStatusError]], ...] = (
    ((400, 403), _has_code("content_filter", "contentfilter"), ContentFilterError),
    ((400, 413), _has_code("context_length_exceeded"), ContextWindowExceededError),
    # litellm #15968: the 272,000-token refusal, whose code the report does not show.
    (
        (400,),
        _says(r"maximum context length|exceed the configured limit|exceeds the context window"),
        ContextWindowExceededError,
    ),
    (
        (400, 404),
        _has_code("operationnotsupported", "unsupported_operation"),
        UnsupportedOperationError,
    ),
    (
        (400,),
        _says(r"api version not supported|enabled only for api.versions?"),
        UnsupportedOperationError,
    ),
    ((400, 404), _has_code("previous_response_not_found"), ResponseNotFoundError),
    (
        (401, 403),
        _has_code("permissiondenied", "authenticationtypedisabled"),
        PermissionDeniedError,
    ),
    ((400, 404), _has_code("deploymentnotfound", "model_not_found"), DeploymentNotFoundError),
    (
        (404,),
        _says(r"existing deployment|deployment .{0,200}does not exist"),
        DeploymentNotFoundError,
    ),
    ((404,), _says(r"(?<!/)\bresponse\b.{0,300}not found"), ResponseNotFoundError),
)

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
    for statuses, matches, kind in _KINDS:
        if status in statuses and matches(problem):
            return kind
    if status == 404 and situation.response_id and problem.code not in ("404", "unknown_url"):
        return ResponseNotFoundError
    if status in _KIND_BY_STATUS:
        return _KIND_BY_STATUS[status]
    if status >= 500:
        return InternalServerError
    return BadRequestError if 400 <= status < 500 else APIStatusError
