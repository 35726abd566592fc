"""The kinds of events in a stream of one response, and what each means for its reader.

A stream opens with `response.created` and `response.in_progress` (or `response.queued`), goes on
with output, and ends with one ending event. A failure is reported by `response.failed`, by
`error`, or by both in either order (recorded August 2026; earendil-works/pi #7983).
"""

__all__ = [
    "ENDING",
    "EVENTS_AFTER_FAILURE",
    "FAILING",
    "MOST_HELD",
    "OPENING",
    "TERMINAL_STATUSES",
    "opens",
]

OPENING = frozenset({"response.created", "response.queued", "response.in_progress"})
"""Nothing of the answer has been given yet, so that another deployment may still take over."""

ENDING = frozenset({"response.completed", "response.incomplete", "response.cancelled"})
"""Carry the whole response; nothing follows."""

FAILING = frozenset({"response.failed", "error"})
"""Report a failure; the reason may stand in another event that follows."""

TERMINAL_STATUSES = frozenset({"completed", "failed", "incomplete", "cancelled"})
"""The statuses of a response at which it stays."""

EVENTS_AFTER_FAILURE = 8
"""How many events to read after a failure without a reason for the `error` that gives it."""

MOST_HELD = 64
"""How many opening events are kept back: a server that sends no other must not fill the memory."""


def opens(kind: str, *, is_background: bool) -> bool:
    """True for an event that is kept back until output follows.

    A background response may wait in its queue for minutes, and its id is what cancels it: only
    `response.created` is kept back then, until the next event shows that it was accepted.
    """
    return kind in OPENING and (kind == "response.created" or not is_background)
