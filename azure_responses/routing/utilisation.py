"""How full a provisioned deployment is, by its own reports and by what was sent since."""

__all__ = ["Utilisation"]

_MINUTE = 60.0
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
