"""Requests and tokens of one key over a sliding minute."""

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["Minute", "Ticket"]

# A call counted in the second numbered s may have come at its very end, so s is forgotten only
# once the whole of it lies sixty seconds back.
_SPAN = 60


@dataclass(frozen=True, slots=True)
class Ticket:
    """What was counted for a call, and in which second."""

    second: int
    tokens: int


class Minute:
    """Counts by second; in no sixty seconds do the counts exceed the limits. Not thread-safe."""

    __slots__ = ("_requests", "_seconds", "_tokens", "rpm", "tpm")

    def __init__(self, rpm: int | None, tpm: int | None) -> None:
        self.rpm = rpm
        self.tpm = tpm
        self._seconds: OrderedDict[int, list[int]] = OrderedDict()
        self._requests = 0
        self._tokens = 0

    def take(self, tokens: int, now: float) -> Ticket | None:
        """Count a call of so many tokens; None where that would exceed a limit.

        A call larger than the token limit itself is let in when nothing else is counted: no wait
        would ever make room for it, and its tokens are an estimate.
        """
        self._forget(int(now))
        if self.rpm is not None and self._requests >= self.rpm:
            return None
        if self.tpm is not None and self._tokens and self._tokens + tokens > self.tpm:
            return None
        self._count(int(now), 1, tokens)
        return Ticket(int(now), tokens)

    def settle(self, ticket: Ticket, tokens: int, now: float) -> None:
        """Count what was used in place of what was taken."""
        if ticket.second in self._seconds:
            self._count(ticket.second, 0, tokens - ticket.tokens)
        elif tokens > ticket.tokens:
            # A call longer than a minute: what it used beyond the estimate counts from its end.
            self._forget(int(now))
            self._count(int(now), 0, tokens - ticket.tokens)

    def refund(self, ticket: Ticket) -> None:
        """The call was not made: forget that it was counted."""
        if ticket.second in self._seconds:
            self._count(ticket.second, -1, -ticket.tokens)

    def wait(self, tokens: int, now: float) -> tuple[float, str]:
        """Seconds until a call of so many tokens could be counted, and the limit in its way."""
        requests, used = self._requests, self._tokens
        limit = "requests" if self.rpm is not None and requests >= self.rpm else "tokens"
        for second, (count, amount) in self._seconds.items():
            requests, used = requests - count, used - amount
            has_requests = self.rpm is None or requests < self.rpm
            if has_requests and (self.tpm is None or not used or used + tokens <= self.tpm):
                return second + _SPAN + 1 - now, limit
        return 0.0, limit

    def left(self, now: float) -> tuple[int | None, int | None]:
        """Requests and tokens that could still be counted; None without a limit."""
        self._forget(int(now))
        requests = None if self.rpm is None else max(0, self.rpm - self._requests)
        tokens = None if self.tpm is None else max(0, self.tpm - self._tokens)
        return requests, tokens

    def _count(self, second: int, requests: int, tokens: int) -> None:
        counts = self._seconds.setdefault(second, [0, 0])
        counts[0] += requests
        counts[1] += tokens
        self._requests += requests
        self._tokens += tokens

    def _forget(self, second: int) -> None:
        while self._seconds:
            oldest, (requests, tokens) = next(iter(self._seconds.items()))
            # A clock set back leaves seconds of a future that may be far away.
            if 0 <= second - oldest <= _SPAN:
                return
            del self._seconds[oldest]
            self._requests -= requests
            self._tokens -= tokens
