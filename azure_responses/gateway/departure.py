"""That a caller has gone, told to whoever works for them."""

from collections.abc import Callable

__all__ = ["DEPARTURE", "Departure"]

DEPARTURE = "azure_responses.departure"
"""In the scope of a request: the `Departure` of its connection, where the server tells of it."""


class Departure:
    """The end of one connection.

    ASGI tells of it to who waits in `receive`, which costs every call a task of its own.
    """

    __slots__ = ("_has_happened", "_watchers")

    def __init__(self) -> None:
        self._has_happened = False
        self._watchers: set[Callable[[], None]] = set()

    @property
    def is_watched(self) -> bool:
        """True while someone works for the caller."""
        return bool(self._watchers)

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` when the caller goes; at once if they have gone."""
        if self._has_happened:
            watcher()
        else:
            self._watchers.add(watcher)

    def forget(self, watcher: Callable[[], None]) -> None:
        """Do not call it any more."""
        self._watchers.discard(watcher)

    def happen(self) -> None:
        """The caller has gone."""
        self._has_happened = True
        watchers, self._watchers = self._watchers, set()
        for watcher in watchers:
            watcher()
