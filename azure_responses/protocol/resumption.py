"""When and how the stream of a background response is read on after its connection was lost.

The caller passes the time and the jitter. The states of one such stream:

| state | the connection ends | streaming is refused | a poll: at work | a poll: ended |
|---|---|---|---|---|
| streaming | resume after a backoff | poll | | |
| streaming, open for 300 s | poll | poll | | |
| polling | poll | poll | poll | resume once, for the missing events |
| ended | settle | settle | | |

`resume` retrieves the response as a stream after the last event; `poll` retrieves it plainly;
`settle` makes the ending event of the polled response. Too many resumptions in a row that bring no
event end with the error of the last one.
"""

from dataclasses import dataclass, field
from typing import Literal

from azure_responses.errors import APIStatusError, AzureResponsesError
from azure_responses.protocol.retry import RetryPolicy, backoff
from azure_responses.protocol.sse import TERMINAL_STATUSES

__all__ = ["Resumption", "Step"]

# The service closes a background stream after five minutes; from then on only polling is certain.
_STREAMING_LIMIT = 300.0
_POLL_INTERVAL = 2.0


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next, after `delay` seconds.

    resend: the original request; resume: retrieve as a stream after `starting_after`; poll:
    retrieve plainly and tell `after_poll`; settle: hand out what the last poll found and stop;
    finish: stop. `cause` is what the service or the network did to make another request necessary.
    """

    action: Literal["resend", "resume", "poll", "settle", "finish"]
    delay: float = 0.0
    starting_after: int | None = None
    cause: AzureResponsesError | None = field(default=None, compare=False)


class Resumption:
    """Follows the connections of one stream.

    Args:
        policy: how often in a row to try without getting any further.
    """

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy
        self._opened_at: float | None = None
        self._failures = 0
        self._has_ended = False

    def open(self, now: float) -> None:
        """A connection was opened, in monotonic seconds; the first one counts."""
        if self._opened_at is None:
            self._opened_at = now

    def progress(self) -> None:
        """Events have come: the way is open again."""
        self._failures = 0

    def after_interruption(
        self, cause: AzureResponsesError, last_event: int | None, now: float, jitter: float
    ) -> Step | None:
        """What to do now that a connection has ended; None when it was tried often enough.

        Args:
            cause: why it ended.
            last_event: the sequence number of the last event that arrived.
            now: monotonic seconds.
            jitter: uniform in [0, 1).
        """
        if self._has_ended:
            return Step("settle")
        opened_at = self._opened_at if self._opened_at is not None else now
        if self._failures > self._policy.resumptions:
            return None
        delay = backoff(self._policy, self._failures, jitter)
        self._failures += 1
        if isinstance(cause, APIStatusError) or now - opened_at >= _STREAMING_LIMIT:
            return Step("poll", max(delay, _POLL_INTERVAL), cause=cause)
        return Step("resume", delay, last_event, cause)

    def after_poll(self, status: object, last_event: int | None) -> Step:
        """What to do after a plain retrieve that found this status."""
        self._failures = 0
        # A response without a status comes from a gateway that says nothing more will follow.
        if isinstance(status, str) and status not in TERMINAL_STATUSES:
            return Step("poll", _POLL_INTERVAL)
        self._has_ended = True
        return Step("resume", 0.0, last_event)
