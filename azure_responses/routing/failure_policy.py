"""What a failure says about the deployment and about the call, and whether it may be retried."""

from dataclasses import dataclass
from typing import Literal

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponsesError,
    ConfigurationError,
    ConflictError,
    ContentFilterError,
    CredentialError,
    CredentialTimeoutError,
    DeploymentNotFoundError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFailedError,
    ResponseNotFoundError,
    StreamInterruptedError,
    UnsupportedOperationError,
)
from azure_responses.fork import new_lock
from azure_responses.protocol.retry import is_transient
from azure_responses.routing.deployment import ANY_MODEL, Deployment
from azure_responses.routing.deployment_health import Cause
from azure_responses.routing.route_request import RouteRequest

__all__ = [
    "FailureDecision",
    "UNSUPPORTED",
    "is_about_credential",
    "is_busy",
    "judge",
    "name_deployment",
    "tokens_used",
    "reached_service",
    "is_callers_time",
    "RetryBudget",
]

Next = Literal["stop", "retry", "context window", "content policy"]


@dataclass(frozen=True, slots=True)
class FailureDecision:
    """What a failure means for the call and for the deployment.

    Attributes:
        next: "stop" for what no deployment would answer otherwise, "retry" for what another one
            may answer, else the fallbacks that may help.
        cause: why the deployment gets a cooldown or comes nearer to it; None when it is not at
            fault.
        is_loud: an operator has to know, and the deployment gets a cooldown at once.
        is_final: this call need not try the deployment again.
    """

    next: Next
    cause: Cause | None = None
    is_loud: bool = False
    is_final: bool = False


UNSUPPORTED = "unsupported_by_deployment"
"""The code of a request that one deployment cannot serve, for what its API or model takes."""

_UNAVAILABLE = 503
_STOP = FailureDecision("stop")
_CALLERS = FailureDecision("retry", is_final=True)
# Seconds; a token that has to be fetched first may well take two or three.
_HANGING = 5.0
_MISTAKES: tuple[Cause, ...] = ("credential refused", "deployment missing")


def judge(
    error: AzureResponsesError,
    request: RouteRequest,
    deployment: Deployment,
    *,
    is_callers_time: bool = False,
) -> FailureDecision:
    """Judge a failure of this call on a deployment.

    `is_callers_time`: a timeout is that of a caller who would not wait any longer.
    """
    decision = _judge(error, request)
    if is_callers_time and _is_timeout(error) and not _is_hanging(error):
        return FailureDecision("retry")
    if decision.cause in _MISTAKES and request.is_altered:
        # The caller's own credential was refused, or the caller's own version not found.
        return _CALLERS
    if decision.cause == "deployment missing" and deployment.model == ANY_MODEL:
        # The entry names no deployment: the caller did, and other names may be right.
        return _CALLERS
    return decision


def _judge(error: AzureResponsesError, request: RouteRequest) -> FailureDecision:
    if error.fallback is not None:
        return FailureDecision(error.fallback)
    if isinstance(error, RateLimitError):
        return FailureDecision("retry", "rate limit")
    if is_about_credential(error):
        return _judge_credential(error, request)
    if isinstance(error, NotFoundError):
        return _judge_missing(error, request)
    # A group may mix APIs: another deployment may well take the request.
    if isinstance(error, UnsupportedOperationError) and error.code == UNSUPPORTED:
        return _CALLERS
    # A resource that is being changed (409) is no failure of the deployment.
    if isinstance(error, ConflictError) or _is_unexplained(error):
        return FailureDecision("retry")
    if isinstance(error, StreamInterruptedError) or is_transient(error):
        return FailureDecision("retry", "failures")
    return _STOP


def _is_hanging(error: AzureResponsesError) -> bool:
    """True when the credential of the deployment has not answered any caller for a long time."""
    return isinstance(error, CredentialTimeoutError) and error.waited >= _HANGING


def _is_unexplained(error: AzureResponsesError) -> bool:
    """True for a response that failed for no reason given.

    Azure ends streams so when it is overloaded (sozercan/vekil #266). It may be the request all the
    same, so that no deployment is blamed.
    """
    return isinstance(error, ResponseFailedError) and not error.code


def _is_timeout(error: AzureResponsesError) -> bool:
    """True also for a stream that a silence has interrupted."""
    if isinstance(error, StreamInterruptedError):
        return isinstance(error.__cause__, APITimeoutError)
    return isinstance(error, APITimeoutError)


def _judge_credential(error: AzureResponsesError, request: RouteRequest) -> FailureDecision:
    if isinstance(error, PermissionDeniedError) and not request.can_move:
        # A role may allow calls and forbid, say, deleting: the deployment serves the others.
        return _STOP
    return FailureDecision("retry", "credential refused", is_loud=True, is_final=True)


def _judge_missing(error: NotFoundError, request: RouteRequest) -> FailureDecision:
    if isinstance(error, ResponseNotFoundError):
        return _STOP
    # A plain 404 is a wrong path or deployment, but where the call names something stored it may
    # be that thing which is missing.
    is_about_thing = not request.can_move or (request.pin is not None and request.pin.is_hard)
    # A wrong path names no parameter; an unknown prompt or vector store does.
    is_about_thing = is_about_thing or bool(error.param)
    if is_about_thing and not isinstance(error, DeploymentNotFoundError):
        return _STOP
    return FailureDecision("retry", "deployment missing", is_loud=True, is_final=True)


def is_busy(error: AzureResponsesError) -> bool:
    """True for a 429 or 503 that says when to come back: the same call is served then."""
    if not isinstance(error, APIStatusError) or error.retry_after is None:
        return False
    return isinstance(error, RateLimitError) or error.status_code == _UNAVAILABLE


def is_about_credential(error: AzureResponsesError) -> bool:
    """True for a credential that was refused, lacks a role, or gave no token."""
    return isinstance(error, AuthenticationError | PermissionDeniedError | CredentialError)


def name_deployment(error: AzureResponsesError, deployment: Deployment) -> None:
    """Let an error about a credential say whose credential it is."""
    if error.deployment is None:
        error.deployment = deployment.id
        error.message = f"Deployment {deployment.id!r}: {error.message}"


def reached_service(error: AzureResponsesError) -> bool:
    """True when the request reached the service, as far as the error tells."""
    if isinstance(error, APITimeoutError):
        return not isinstance(error, CredentialError)
    return not isinstance(error, APIConnectionError | ConfigurationError)


def tokens_used(
    error: AzureResponsesError, input_tokens: int, reported: int | None, *, has_output: bool
) -> int:
    """Tokens to count for a failed attempt that reached the service.

    A refusal costs none; what was worked upon before it broke costs its input at least.
    """
    if isinstance(error, APIStatusError) and not has_output:
        # Azure's filter reads the prompt, and bills it.
        blocked = input_tokens if isinstance(error, ContentFilterError) else 0
        return max(reported or 0, blocked)
    return max(reported or 0, input_tokens)


# Sockets and clocks are not exact: a time that has nearly passed has passed.
_NEARLY = 0.98


def is_callers_time(
    request: RouteRequest, own: float | None, left: float | None, timeout: float | None, took: float
) -> bool:
    """True when a timeout is the caller's, who would not wait any longer; times are in seconds.

    litellm#41223: a caller who allows little time must not shut a slow deployment to all other
    callers. It also says nothing about a deployment that earlier attempts left it little time.

    Args:
        request: the call; its deadline is the caller's choice.
        own: the timeout of the deployment, or None.
        left: what was left of the call's time when the attempt began, or None for no limit.
        timeout: the configured time of a call, which holds where the request has no deadline.
        took: how long the attempt has taken.
    """
    is_whole = request.deadline is None and left is not None and left >= (timeout or 0.0) * _NEARLY
    limits = (None if is_whole else left, request.patience)
    callers = min((limit for limit in limits if limit is not None), default=None)
    if callers is None or (own is not None and own <= callers):
        return False
    # Sooner than that only a time of ours can have passed, such as that for connecting.
    return took >= callers * _NEARLY


# Seconds of the floor that may be saved up.
_SAVED = 10.0


class RetryBudget:
    """How many retries a router allows itself, so that an outage does not multiply its load.

    A bucket: every call puts a fraction in, every retry takes one out. `ratio` retries are allowed
    per call and `floor` per second besides, so that a router with few calls may still retry. Ten
    seconds of the floor (and at least one retry) may be saved up. Safe between threads; times are
    monotonic seconds.

    Attributes:
        is_full: there is nothing to deposit, as always without failures; read without the lock.
    """

    def __init__(self, ratio: float, floor: float, now: float = 0.0) -> None:
        self._ratio = ratio
        self._floor = floor
        self._most = max(floor * _SAVED, 1.0 if ratio or floor else 0.0)
        self._saved = self._most
        self._at = now
        self._lock = new_lock()
        self.is_full = True

    def deposit(self) -> None:
        """A call has begun."""
        with self._lock:
            self._save(self._saved + self._ratio)

    def has_retry(self, now: float) -> bool:
        """True when a retry may be made now."""
        with self._lock:
            self._grow(now)
            return self._saved >= 1.0

    def withdraw(self, now: float) -> None:
        """A retry is made; one that was allowed a moment ago is never refused."""
        with self._lock:
            self._grow(now)
            self._save(self._saved - 1.0)

    def _grow(self, now: float) -> None:
        if now > self._at:
            self._save(self._saved + (now - self._at) * self._floor)
            self._at = now

    def _save(self, retries: float) -> None:
        self._saved = min(self._most, retries)
        self.is_full = self._saved >= self._most
