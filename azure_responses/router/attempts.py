"""What an attempt of a routed call gets, ends in, and leaves to be settled."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from azure_responses.errors import (
    AzureResponsesError,
    ConfigurationError,
    UnsupportedOperationError,
)
from azure_responses.fork import generation
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.failure_policy import UNSUPPORTED
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Outcome, Settlement
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.types.result import Result, Route

__all__ = [
    "Answer",
    "OpenAttempt",
    "NotSent",
    "AbandonedStreams",
    "Routed",
    "FailedAttempt",
    "finished",
    "response_of",
    "route_of",
    "unsupported",
]

T = TypeVar("T")


class Answer(NamedTuple, Generic[T]):
    """What an attempt came to.

    Attributes:
        result: the result, or the opened stream.
        outcome: what routing looks at; None while a stream is under way.
        entry: the stored response to remember, or None.
    """

    result: T
    outcome: Outcome | None
    entry: LedgerEntry | None = None


class Routed(NamedTuple, Generic[T]):
    """A result and how it was got.

    `open_attempt` is settled unless the result is a stream under way: then the stream tells
    the open_attempt how it ends.
    """

    result: T
    route: Route
    open_attempt: "OpenAttempt"


class NotSent(Exception):
    """Raised by an attempt that cannot be made, here or elsewhere; nothing was sent.

    The call ends with its `error`, and no deployment is blamed.
    """

    def __init__(self, error: AzureResponsesError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A failed attempt that another one follows.

    Attributes:
        deployment: which failed.
        error: how.
        attempts: so many had been made.
        delay: seconds waited since.
    """

    deployment: Deployment
    error: AzureResponsesError
    attempts: int
    delay: float


class OpenAttempt:
    """A deployment reserved for one attempt, until it is known what came of it.

    Of `answered`, `failed` and `abandoned` the first call counts; any further one is nothing.
    None of them waits.
    """

    __slots__ = ("_call", "_is_settled", "_process", "_settle")

    def __init__(self, call: RoutedCall, settle: Callable[[Settlement, float], None]) -> None:
        self._call = call
        self._settle = settle
        self._is_settled = False
        # A forked child has a copy of each open attempt, which is not its to settle.
        self._process = generation()

    @property
    def is_settled(self) -> bool:
        """It is known what came of it, or that is for the parent of this process to say."""
        return self._is_settled or self._process != generation()

    def conclude(self, answer: Answer[Any]) -> bool:
        """Settle, unless a stream is under way; False when another group is to be asked too."""
        if answer.outcome is None:
            return True
        # Before settling, which ends the call. Settled it is in any case: its tokens are used up.
        wants_another = self._call.wants_another(answer.outcome)
        self.answered(answer.outcome, answer.entry)
        return not wants_another

    def answered(self, outcome: Outcome, entry: LedgerEntry | None = None) -> None:
        """It was answered; `entry` is the stored response to remember."""
        if not self.is_settled:
            self._is_settled = True
            now = time.monotonic()
            settlement = self._call.answered(outcome, now)
            self._settle(settlement if entry is None else settlement._replace(entry=entry), now)

    def failed(
        self, error: AzureResponsesError, *, has_output: bool = False, tokens: int | None = None
    ) -> None:
        """It failed; `has_output`: after some of it had reached the caller.

        `tokens` is what the service had reported as used, where it had.
        """
        if not self.is_settled:
            self._is_settled = True
            now = time.monotonic()
            settlement = self._call.failed(error, now, has_output=has_output, tokens=tokens)
            self._settle(settlement, now)

    def abandoned(self, *, tokens: int | None = None, was_sent: bool = True) -> None:
        """The caller gave it up, or it could not be made at all."""
        if not self.is_settled:
            self._is_settled = True
            now = time.monotonic()
            settlement = self._call.abandoned(now, tokens=tokens, was_sent=was_sent)
            if settlement is not None:
                self._settle(settlement, now)


class AbandonedStreams:
    """The open attempts of streams that no reader holds any more; the next call settles them.

    Settling takes a lock, and a stream may be collected while its thread holds that very lock.
    Safe to share between threads.
    """

    def __init__(self) -> None:
        self._open_attempts: deque[OpenAttempt] = deque()

    def add(self, open_attempt: OpenAttempt) -> None:
        """Remember an open attempt; safe inside a finalizer."""
        self._open_attempts.append(open_attempt)

    def settle(self) -> None:
        """Settle them all."""
        while self._open_attempts:
            try:
                open_attempt = self._open_attempts.popleft()
            except IndexError:
                # Another thread took the last one.
                return
            open_attempt.abandoned()


def unsupported(error: ConfigurationError) -> UnsupportedOperationError:
    """The error of a request that cannot be made in the deployment's API; another one may do."""
    return UnsupportedOperationError(
        error.message,
        status_code=400,
        code=UNSUPPORTED,
        type="invalid_request_error",
        param=getattr(error, "param", None),
        hint=error.hint,
    )


def route_of(call: RoutedCall) -> Route:
    """How a call has been routed so far."""
    return Route(
        call.deployment.id if call.deployment else "",
        call.group,
        call.attempts,
        call.fallbacks,
        call.waited,
        call.strips_reasoning,
        call.replays_history,
    )


def response_of(error: ValidationError) -> Result:
    """The response that an answer was not of the caller's type in; raises any other error again."""
    response = getattr(error, "response", None)
    if not isinstance(response, Result):
        raise error
    return response


def finished(routed: Routed[Any]) -> Any:
    """The result of a call that is over, with its route; raises where it is not of its type."""
    result = routed.result
    is_unparsed = isinstance(result, ValidationError)
    response = response_of(result) if is_unparsed else result
    response.attach_route(routed.route)
    if is_unparsed:
        raise result
    return result
