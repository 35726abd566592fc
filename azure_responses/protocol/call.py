"""One call and its retries: says what to send again and when, told what came back.

The shells loop: send `request`, and on trouble ask `next_attempt`, which answers with how long to
wait or raises. Nothing here sleeps, sends or reads a clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from azure_responses.errors import (
    APIStatusError,
    AuthenticationError,
    AzureResponsesError,
    ResponseNotFoundError,
)
from azure_responses.protocol.exchange import Reply, Request
from azure_responses.protocol.failure import failure_from_reply
from azure_responses.protocol.headers import CREDENTIAL_HEADERS
from azure_responses.protocol.hints import Situation
from azure_responses.protocol.retry import RetryPolicy, backoff, is_transient
from azure_responses.types.result import Pricer

__all__ = ["ApiType", "Attempt", "Call"]

ApiType = Literal["responses", "chat_completions"]
"""The API a caller used; what is sent is always the Responses API."""

_FIRST_LAG_DELAY = 0.5
_LONGEST_LAG_DELAY = 4.0
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Attempt:
    """Another attempt: after `delay` seconds, with a fresh token if `refreshes_token`."""

    delay: float
    refreshes_token: bool = False


class Call:
    """The state of one call across its attempts.

    Args:
        request: what every attempt sends.
        situation: what is being done, for errors and hints.
        policy: how hard to try.
        can_refresh_token: the credential can produce another token.
        born: when this client created the response that the call reads, in monotonic seconds;
            None if it did not, or not lately.
        parameters: what the body was made of; empty where there is none.
        api_type: the API as the caller used it.
        pricer: says what the result cost.
    """

    def __init__(
        self,
        request: Request,
        situation: Situation,
        policy: RetryPolicy,
        *,
        can_refresh_token: bool = False,
        born: float | None = None,
        parameters: Mapping[str, Any] = _NOTHING,
        api_type: ApiType = "responses",
        pricer: Pricer | None = None,
    ) -> None:
        self.request = request
        self.policy = policy
        self.parameters = parameters
        self.api_type = api_type
        self.pricer = pricer
        self.retries = 0
        self.secret: str | None = None
        self._situation = situation
        self._can_refresh_token = can_refresh_token
        self._readable_by = None if born is None else born + policy.fresh_window
        self._lag_retries = 0
        self._lag_waited = 0.0

    @property
    def situation(self) -> Situation:
        """What is being done, with the secrets that were sent, so that no error repeats them."""
        # A credential may also be among the headers the caller passed.
        own = [self.request.headers.get(name) for name in CREDENTIAL_HEADERS]
        given = [value.rpartition(" ")[2] for value in own if value]
        secrets = tuple(filter(None, [self.secret, *given]))
        return replace(self._situation, secrets=secrets) if secrets else self._situation

    def failure(
        self, status: int, headers: Mapping[str, str], body: bytes, now: float
    ) -> APIStatusError:
        """The error a reply stands for; `now` is unix seconds."""
        return failure_from_reply(status, headers, body, self.situation, now)

    def outcome(self, reply: Reply, now: float) -> Reply | APIStatusError:
        """The reply of a success, or the error that the reply stands for; `now` is unix seconds."""
        if 200 <= reply.status < 300:
            return reply
        return self.failure(reply.status, reply.headers, reply.body, now)

    def next_attempt(self, error: AzureResponsesError, now: float, jitter: float) -> Attempt:
        """How to try again after `error`.

        Args:
            error: what the last attempt ended with.
            now: monotonic seconds.
            jitter: uniform in [0, 1).

        Raises:
            AzureResponsesError: `error` itself, when another attempt would not help, is used up,
                or would have to wait longer than the caller does.
        """
        if self._can_refresh_token and _speaks_of_token(error):
            self._can_refresh_token = False
            return Attempt(0.0, refreshes_token=True)
        if isinstance(error, ResponseNotFoundError) and self._readable_by is not None:
            return self._wait_for_write(error, now, jitter)
        if not is_transient(error) or self.retries >= self.policy.max_retries:
            raise error
        delay = self._delay(error, jitter)
        self.retries += 1
        return Attempt(delay)

    def _delay(self, error: AzureResponsesError, jitter: float) -> float:
        hint = error.retry_after if isinstance(error, APIStatusError) else None
        if hint is None:
            return backoff(self.policy, self.retries, jitter)
        if self.policy.patience is not None and hint > self.policy.patience:
            raise error
        return hint

    def _wait_for_write(self, error: AzureResponsesError, now: float, jitter: float) -> Attempt:
        assert self._readable_by is not None
        ceiling = min(_LONGEST_LAG_DELAY, _FIRST_LAG_DELAY * 2.0 ** min(self._lag_retries, 9))
        # Half of the delay is fixed: with full jitter a run of small draws would spend the
        # attempts of the whole window in its first second.
        delay = ceiling * (0.5 + jitter / 2)
        waited = self._lag_waited + delay
        patience = self.policy.patience
        is_over = now + delay > self._readable_by or (patience is not None and waited > patience)
        if is_over or not self.policy.waits_for_writes:
            raise error
        self._lag_retries += 1
        self._lag_waited = waited
        return Attempt(delay)


def _speaks_of_token(error: AzureResponsesError) -> bool:
    """True for a 401 about the token; one about a role stays the same with a new token."""
    if not isinstance(error, AuthenticationError):
        return False
    message = error.message.lower()
    return any(word in message for word in ("token", "audience", "expired", "unauthorized"))
