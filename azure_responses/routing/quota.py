"""What is left of a deployment's quota, as we count it and as the service reports it."""

from collections.abc import Callable, Mapping

from azure_responses.types.result import RateLimit

__all__ = [
    "RUNNING_WAIT",
    "MinuteWindow",
    "Headroom",
    "Utilisation",
]

RUNNING_WAIT = 1.0
"""Seconds to wait for what running calls reserved: when they end is unknown, but soon."""

# A slot is a second. What was sent at any moment of slot s may be less than 60 s old until slot
# s + 60 has ended, so one slot more than sixty is counted.
_SLOTS = 61
_NEWEST_SHARE = 0.3
_ROUNDING = 1e-6


class MinuteWindow:
    """What was sent to one deployment in the last minute; callers hold the lock.

    What running calls have reserved counts like what was used, but is no reason to wait a minute:
    it frees when they end (litellm#18953). How much of it will then have been used is learnt.

    Times are monotonic seconds, or any clock that runs forward; None is no limit.
    """

    __slots__ = ("_by_slot", "_newest", "_share", "requests", "reserved", "rpm", "tokens", "tpm")

    def __init__(self, rpm: int | None, tpm: int | None) -> None:
        self.rpm = rpm
        self.tpm = tpm
        self.requests = 0
        self.tokens = 0
        self.reserved = 0
        self._share: float | None = None
        self._newest = 0
        self._by_slot: dict[int, list[int]] = {}

    def reserve(self, tokens: int, now: float) -> int | None:
        """Count a request and its tokens; its slot, or None when there is no room."""
        self._age(now)
        if not self._fits(self.requests, self.tokens, tokens):
            return None
        # Two threads may bring their times in the wrong order; slots must not go back.
        self._newest = slot = max(int(now), self._newest)
        counts = self._by_slot.setdefault(slot, [0, 0, 0])
        counts[0] += 1
        counts[1] += tokens
        counts[2] += tokens
        self.requests += 1
        self.tokens += tokens
        self.reserved += tokens
        return slot

    def settle(self, slot: int, reserved: int, used: int, *, refunds_request: bool = False) -> None:
        """Count `used` tokens in place of those reserved in `slot`; nothing once it has aged."""
        counts = self._by_slot.get(slot)
        if counts is None:
            return
        counts[1] += used - reserved
        counts[2] -= reserved
        self.tokens += used - reserved
        self.reserved -= reserved
        if refunds_request:
            counts[0] -= 1
            self.requests -= 1
        elif reserved > 0:
            share = min(used / reserved, 1.0)
            before = share if self._share is None else self._share
            self._share = before + _NEWEST_SHARE * (share - before)

    def wait(self, tokens: int, now: float) -> float:
        """Seconds until a request of so many tokens has room; 0 when it has now.

        `RUNNING_WAIT` where it probably has as soon as running calls end.
        """
        self._age(now)
        if self._fits(self.requests, self.tokens, tokens):
            return 0.0
        frees = 1.0 - (self._share or 0.0)
        requests, held = self.requests, self.tokens - self.reserved * frees
        soonest = RUNNING_WAIT if self.reserved else 0.0
        if self._fits(requests, held, tokens):
            return soonest
        last = now + _SLOTS
        for slot, (slot_requests, slot_tokens, reserved) in self._by_slot.items():
            requests, held = requests - slot_requests, held - slot_tokens + reserved * frees
            last = slot + _SLOTS
            if self._fits(requests, held, tokens):
                break
        return max(soonest, last - now)

    def _fits(self, requests: int, held: float, tokens: int) -> bool:
        if self.rpm is not None and requests + 1 > self.rpm:
            return False
        # A request larger than the limit has to be sent alone, or it never would be.
        if self.tpm is None or held + tokens <= self.tpm + _ROUNDING:
            return True
        return held <= _ROUNDING and tokens > self.tpm

    def _age(self, now: float) -> None:
        oldest_kept = int(now) - _SLOTS + 1
        while self._by_slot:
            slot = next(iter(self._by_slot))
            if slot >= oldest_kept:
                break
            requests, tokens, reserved = self._by_slot.pop(slot)
            self.requests -= requests
            self.tokens -= tokens
            self.reserved -= reserved
        if not self.requests:
            # Nothing is left of the calls that it was learnt from; Redis forgets it then, too.
            self._share = None


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
        """Tokens that may still be sent in this window; None when that is not known."""
        if self.tokens is None or now >= self._expires:
            return None
        return self.tokens - self._pending_tokens

    def requests_left(self, now: float) -> float | None:
        """Requests that may still be sent in this window; None when that is not known."""
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


_MEMORY = 0.99  # of the sums, from one report to the next


class Utilisation:
    """The level of a bucket that drains once a minute (Microsoft Learn, "Provisioned throughput").

    How much one token raises it is learnt from reports: the rise between two, and what drained
    meanwhile, over the tokens sent. Where others send too, our tokens seem to weigh more, which is
    what they do. Callers hold the lock to change it; times are monotonic seconds.
    """

    __slots__ = ("_at", "_raised", "_sent", "_sent_then", "_share", "_weighed")

    def __init__(self) -> None:
        self._share: float | None = None
        self._at = 0.0
        self._sent = 0
        self._sent_then = 0
        self._raised = 0.0
        self._weighed = 0.0

    def add(self, tokens: int) -> None:
        """So many tokens were sent, or fewer were used than had been counted."""
        self._sent += tokens

    def observe(self, text: str | None, now: float) -> None:
        """A reply reported a utilisation, such as "87.5%"; anything else is passed over."""
        try:
            share = float((text or "").strip().removesuffix("%")) / 100
        except ValueError:
            return
        if not 0 <= share < float("inf"):
            return
        before = self._share
        # An empty bucket does not drain, so that it says nothing about its size.
        if before and share and now < self._at + _MINUTE:
            drained = max(0.0, now - self._at) / _MINUTE
            self._raised = self._raised * _MEMORY + share - before + drained
            self._weighed = self._weighed * _MEMORY + self._sent - self._sent_then
        self._share, self._at, self._sent_then = share, now, self._sent

    def share(self, now: float) -> float | None:
        """How much is in use now, 1 being all of it; None when no report is recent enough."""
        if self._share is None or now >= self._at + _MINUTE:
            return None
        per_token = self._raised / self._weighed if self._raised > 0 < self._weighed else 0.0
        since = (self._sent - self._sent_then) * per_token
        return max(0.0, self._share + since - (now - self._at) / _MINUTE)
