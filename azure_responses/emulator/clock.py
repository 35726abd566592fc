"""The emulator's time: real by default, or frozen and moved by hand."""

import time

__all__ = ["Clock"]


class Clock:
    """Unix seconds as the emulator sees them.

    A running clock follows the machine's, shifted by every `advance`. A frozen clock moves only by
    `advance`, and by waiting: where the emulator would wait, it moves on at once instead, so a
    test of a five-minute limit takes no time.
    """

    def __init__(self, at: float | None = None) -> None:
        """`at` starts the clock frozen at that unix time; without it the clock runs."""
        self._offset = 0.0
        self._frozen_at = at

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
        """Move forward; a negative number raises ValueError, as no clock runs backwards."""
        if seconds < 0:
            raise ValueError("a clock only moves forward: advance by 0 or more seconds")
        if self._frozen_at is not None:
            self._frozen_at += seconds
        else:
            self._offset += seconds

    def freeze(self, at: float | None = None) -> None:
        """Stop here, or at the unix time given."""
        self._frozen_at = self.now() if at is None else at

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
