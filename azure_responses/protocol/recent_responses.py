"""Responses this client made or deleted moments ago, and what the service says of them.

Stored responses are eventually consistent: retrieving or continuing one answers "not found" for
5 to 7 seconds in the median and 32.7 at worst (79 samples in dotnet/extensions #7704).

A deletion whose answer was lost may have been done: when it is tried again, not finding the
response confirms it.
"""

from azure_responses.fork import new_lock

__all__ = ["RecentResponses"]


class RecentResponses:
    """The last ids this client created, with their birth times in monotonic seconds.

    Bounded, and safe to share between threads and tasks.
    """

    def __init__(self, capacity: int = 1024) -> None:
        self._capacity = capacity
        self._born: dict[str, float] = {}
        self._perhaps_deleted: dict[str, None] = {}
        self._lock = new_lock()

    def remember(self, response_id: str, now: float) -> None:
        """Note that a response was created; a known id keeps its birth time."""
        with self._lock:
            self._born.setdefault(response_id, now)
            if len(self._born) > self._capacity:
                del self._born[next(iter(self._born))]

    def forget(self, response_id: str) -> None:
        """Note that a response was deleted: not finding it is the right answer from now on."""
        with self._lock:
            self._born.pop(response_id, None)
            self._perhaps_deleted.pop(response_id, None)

    def doubt(self, response_id: str) -> None:
        """Note that a response may have been deleted: the answer to its deletion was lost."""
        with self._lock:
            self._perhaps_deleted[response_id] = None
            if len(self._perhaps_deleted) > self._capacity:
                del self._perhaps_deleted[next(iter(self._perhaps_deleted))]

    def is_doubtful(self, response_id: str) -> bool:
        """True when the response may have been deleted already."""
        return response_id in self._perhaps_deleted

    def born(self, response_id: str | None) -> float | None:
        """When the response was created, or None if this client did not create it lately."""
        return self._born.get(response_id) if response_id else None
