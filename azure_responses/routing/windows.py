"""A minute's requests and tokens, counted so that no 60 seconds ever hold more than the limit."""

__all__ = ["RUNNING_WAIT", "Window"]

RUNNING_WAIT = 1.0
"""Seconds to wait for what running calls reserved: when they end is unknown, but soon."""

# A slot is a second. What was sent at any moment of slot s may be less than 60 s old until slot
# s + 60 has ended, so one slot more than sixty is counted.
_SLOTS = 61
_NEWEST_SHARE = 0.3
_ROUNDING = 1e-6


class Window:
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
