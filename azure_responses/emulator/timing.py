"""How long answers take: time to the first token, then so many tokens a second."""

import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "BatchTiming",
    "Clock",
    "Latency",
    "ReadLag",
]

# The end of the year 9999, after which no reply can be dated.
_END = 253_402_300_799.0


class Clock:
    """Unix seconds as the emulator sees them.

    A running clock follows the machine's, shifted by every `advance`. A frozen clock moves only by
    `advance`, and by waiting: where the emulator would wait, it moves on at once instead, so a
    test of a five-minute limit takes no time.
    """

    def __init__(self, at: float | None = None) -> None:
        """`at` starts the clock frozen, as `freeze` does; without it the clock runs."""
        self._offset = 0.0
        self._frozen_at = None if at is None else _check(at)

    @property
    def is_frozen(self) -> bool:
        """True while only `advance` moves it."""
        return self._frozen_at is not None

    def now(self) -> float:
        """Unix seconds: the frozen time, or the real one with its offset."""
        if self._frozen_at is not None:
            return self._frozen_at
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move forward.

        Raises:
            ValueError: a negative number, as no clock runs backwards, or a time beyond 9999.
        """
        # Written so that NaN is an error, too.
        if not seconds >= 0:
            raise ValueError("a clock only moves forward: advance by 0 or more seconds")
        _check(self.now() + seconds)
        if self._frozen_at is not None:
            self._frozen_at += seconds
        else:
            self._offset += seconds

    def freeze(self, at: float | None = None) -> None:
        """Stop here, or at the unix time given; ValueError for one before 1970 or beyond 9999."""
        self._frozen_at = self.now() if at is None else _check(at)

    def run(self) -> None:
        """Go on from the present moment at the machine's speed."""
        if self._frozen_at is not None:
            # It goes on from the frozen moment, not from the machine's.
            self._offset = self._frozen_at - time.time()
            self._frozen_at = None

    def wait(self, seconds: float) -> float:
        """How long the caller must really sleep for `seconds` to have passed.

        A frozen clock moves on by itself and answers 0.
        """
        if self._frozen_at is None or seconds <= 0:
            return max(seconds, 0.0)
        self._frozen_at += seconds
        return 0.0


def _check(at: float) -> float:
    if not 0 <= at <= _END:
        raise ValueError(f"a clock shows unix seconds from 0 to {_END:.0f}, and not {at}")
    return at


@dataclass(frozen=True)
class Latency:
    """Seconds to the first token, and the speed after it.

    Attributes:
        first_token: seconds before the first delta.
        tokens_per_second: one delta counts as one token; None is infinitely fast.
        jitter: 0 is exact; 0.2 makes each wait vary by about a fifth (log-normal, seeded).
        queued: seconds a background response stays queued.
        running: seconds a background response runs at least.
    """

    first_token: float = 0.0
    tokens_per_second: float | None = None
    jitter: float = 0.0
    queued: float = 0.0
    running: float = 0.0

    def __post_init__(self) -> None:
        waits = (self.first_token, self.jitter, self.queued, self.running)
        if min(waits) < 0 or (self.tokens_per_second is not None and self.tokens_per_second <= 0):
            raise ValueError("waits and jitter are 0 or more, tokens_per_second is more than 0")

    @property
    def is_zero(self) -> bool:
        """True where nothing has to be waited for."""
        return self.first_token == 0 and self.tokens_per_second is None

    def offsets(
        self, events: Sequence[dict[str, Any]], dice: random.Random, background: bool = False
    ) -> list[float]:
        """Seconds after creation at which each event is due, never decreasing."""
        elapsed = self.queued if background else 0.0
        first_token = max(self.first_token, self.running) if background else self.first_token
        offsets = []
        has_begun = False
        for event in events:
            kind = event["type"]
            # Sent at once, however long the queue.
            if kind in ("response.created", "response.queued"):
                offsets.append(0.0)
                continue
            if not has_begun and kind != "response.in_progress":
                has_begun = True
                elapsed += first_token * self._factor(dice)
            if kind.endswith(".delta") and self.tokens_per_second:
                elapsed += self._factor(dice) / self.tokens_per_second
            offsets.append(elapsed)
        return offsets

    def gaps(self, count: int, dice: random.Random) -> list[float]:
        """Seconds before each of so many chunks of a chat stream."""
        if self.is_zero:
            return [0.0] * count
        pace = 1 / self.tokens_per_second if self.tokens_per_second else 0.0
        # The first chunk carries no token, only the role.
        gaps = [pace * self._factor(dice) for _ in range(count)]
        return [self.first_token * self._factor(dice), *gaps[1:]]

    def whole(self, tokens: int, dice: random.Random) -> float:
        """Seconds until a reply of so many tokens is complete."""
        seconds = self.first_token * self._factor(dice)
        if self.tokens_per_second:
            seconds += tokens * self._factor(dice) / self.tokens_per_second
        return seconds

    def _factor(self, dice: random.Random) -> float:
        return dice.lognormvariate(0.0, self.jitter) if self.jitter else 1.0


@dataclass(frozen=True)
class ReadLag:
    """How long a finished response stays unreadable.

    Reported for streamed parents by dotnet/extensions #7704 (79 samples: median 5.5 to 7 s, worst
    32.7 s): retrieving answers 404 and chaining `previous_response_not_found` meanwhile.

    Attributes:
        median: seconds; 0 switches the lag off.
        sigma: spread of the log-normal; 0 makes every lag the median.
        cap: never longer than this.
        streamed_only: responses that were not streamed are readable at once.
    """

    median: float = 0.0
    sigma: float = 0.7
    cap: float = 33.0
    streamed_only: bool = True

    def __post_init__(self) -> None:
        if min(self.median, self.sigma, self.cap) < 0:
            raise ValueError("median, sigma and cap are 0 or more")

    def draw(self, dice: random.Random, streamed: bool) -> float:
        """Seconds until a response just made can be read, at most `cap`."""
        if self.median == 0 or (self.streamed_only and not streamed):
            return 0.0
        return min(self.cap, dice.lognormvariate(math.log(self.median), self.sigma))


@dataclass(frozen=True)
class BatchTiming:
    """How long a batch takes, in seconds of the emulator's clock.

    Attributes:
        validating: until the input file has been read.
        per_line: for each request.
        finalizing: until the output files are there.
        cancelling: from a cancel until the batch has stopped; Microsoft's page says up to 10
            minutes.
    """

    validating: float = 0.0
    per_line: float = 0.0
    finalizing: float = 0.0
    cancelling: float = 0.0

    def __post_init__(self) -> None:
        if min(self.validating, self.per_line, self.finalizing, self.cancelling) < 0:
            raise ValueError("the waits of a batch are 0 or more")
