"""The emulator's time: real by default, or frozen and moved by hand."""

import time

__all__ = ["Clock"]

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
