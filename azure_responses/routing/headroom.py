"""What a deployment has left this minute, by its own headers and by what was sent since."""

from collections.abc import Callable, Mapping

from azure_responses.routing.utilisation import Utilisation
from azure_responses.types.rate_limit import RateLimit

__all__ = ["Headroom"]

_MINUTE = 60.0
# Provisioned deployments report their load in per cent (Azure/ai-gateway and
# simonkurtz-MSFT samples; Microsoft Learn, "Provisioned throughput: utilization").
_UTILISATION = "azure-openai-deployment-utilization"


class Headroom:
    """Remaining requests and tokens of one deployment; callers hold the lock to change it.

    A reply's headers count what the service had taken when it answered, so what was reserved for
    later calls is subtracted until a later reply says better. Headers are forgotten when their
    window has passed. Times are monotonic seconds.
    """

    __slots__ = (
        "_expires",
        "_pending",
        "_pending_tokens",
        "_sampled",
        "_sequence",
        "requests",
        "tokens",
        "utilisation",
    )

    def __init__(self) -> None:
        self.tokens: float | None = None
        self.requests: float | None = None
        self._expires = 0.0
        self.utilisation = Utilisation()
        self._sequence = 0
        self._sampled = 0
        self._pending: dict[int, tuple[int, float]] = {}
        self._pending_tokens = 0

    def reserve(self, tokens: int, now: float) -> int:
        """A call of so many tokens is sent; its mark, for `settle` and `observe`."""
        self._drop(lambda mark, at: at <= now - _MINUTE)
        self._sequence += 1
        self._pending[self._sequence] = (tokens, now)
        self._pending_tokens += tokens
        self.utilisation.add(tokens)
        return self._sequence

    def settle(self, mark: int, reserved: int, used: int, *, was_sent: bool = True) -> None:
        """The call took so many tokens in place of those reserved, or was never sent."""
        self.utilisation.add(used - reserved)
        entry = self._pending.get(mark)
        if entry is None:
            return
        self._pending_tokens += used - reserved
        if was_sent:
            self._pending[mark] = (used, entry[1])
        else:
            self._pending_tokens -= used
            del self._pending[mark]

    def observe(self, headers: Mapping[str, str], mark: int, now: float) -> None:
        """The reply to the call of that mark had these headers; look-ups in lower case."""
        self.utilisation.observe(headers.get(_UTILISATION), now)
        if mark < self._sampled:
            return  # A call sent later has been answered already, and knows better.
        limit = RateLimit.from_headers(headers)
        if limit is None or not (limit.tokens_known or limit.requests_known):
            return
        self.tokens = limit.remaining_tokens if limit.tokens_known else None
        self.requests = limit.remaining_requests if limit.requests_known else None
        self._expires = now + _lifetime(limit)
        self._sampled = mark
        self._drop(lambda pending, _: pending <= mark)

    def tokens_left(self, now: float) -> float | None:
        """Tokens that may still be sent in this window; None when nobody knows."""
        if self.tokens is None or now >= self._expires:
            return None
        return self.tokens - self._pending_tokens

    def requests_left(self, now: float) -> float | None:
        """Requests that may still be sent in this window; None when nobody knows."""
        if self.requests is None or now >= self._expires:
            return None
        return self.requests - len(self._pending)

    def has_room(self, tokens: int, now: float) -> bool:
        """False only when the service's own numbers say that a call would be refused."""
        left, requests = self.tokens_left(now), self.requests_left(now)
        share = self.utilisation.share(now)
        return (
            (left is None or left >= tokens)
            and (requests is None or requests >= 1)
            and (share is None or share < 1.0)
        )

    def _drop(self, is_over: Callable[[int, float], bool]) -> None:
        while self._pending:
            mark, (tokens, at) = next(iter(self._pending.items()))
            if not is_over(mark, at):
                return
            del self._pending[mark]
            self._pending_tokens -= tokens


def _lifetime(limit: RateLimit) -> float:
    """Seconds for which remainders hold: until the first of their windows starts anew."""
    resets = [
        reset
        for is_known, reset in (
            (limit.tokens_known, limit.reset_tokens),
            (limit.requests_known, limit.reset_requests),
        )
        # Azure sends 0 for "unknown", and a recorded reply says 500 beside a period of 60.
        if is_known and reset is not None and reset > 0
    ]
    return min([*resets, _MINUTE])
