"""How long an attempt may take, and who decided that."""

from typing import NamedTuple

from azure_responses.routing.ask import Ask

__all__ = ["AttemptTime"]

# Sockets and clocks are not exact: a time that has nearly passed has passed.
_NEARLY = 0.98
_SHORTEST = 0.001


class AttemptTime(NamedTuple):
    """The time of one attempt.

    Attributes:
        began: monotonic seconds.
        seconds: that the attempt may take; None is no limit.
        callers: seconds of it that say nothing about the deployment when they run out: the caller
            chose them, or earlier attempts left no more. None where only the configuration limits
            the attempt.
        own: the row's own timeout, or None.
    """

    began: float
    seconds: float | None
    callers: float | None = None
    own: float | None = None

    @classmethod
    def of(
        cls, ask: Ask, own: float | None, deadline: float | None, timeout: float | None, now: float
    ) -> "AttemptTime":
        """The time of an attempt that begins now.

        Args:
            ask: the call; its deadline is the caller's choice.
            own: the row's own timeout in seconds, or None.
            deadline: when the call has to end, or None.
            timeout: the configured time of a whole call, which holds where the ask has no deadline.
        """
        left = None if deadline is None else max(deadline - now, _SHORTEST)
        seconds = min((t for t in (own, left) if t is not None), default=None)
        is_whole = ask.deadline is None and left is not None and left >= (timeout or 0.0) * _NEARLY
        limits = (None if is_whole else left, ask.patience)
        callers = min((t for t in limits if t is not None), default=None)
        return cls(now, seconds, callers, own)

    def is_callers(self, now: float) -> bool:
        """True when a timeout met now is the caller's, who would not wait any longer.

        litellm#41223: a caller in a hurry must not shut a slow deployment to everybody else.
        """
        if self.callers is None or (self.own is not None and self.own <= self.callers):
            return False
        # Sooner than that only a time of ours can have passed, such as that for connecting.
        return now - self.began >= self.callers * _NEARLY
