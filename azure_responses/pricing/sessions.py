"""The code interpreter sessions that are billed: one for each container and hour."""

from azure_responses.fork import new_lock
from azure_responses.pricing.use import Use

__all__ = ["ContainerSessions", "default_sessions"]

# Microsoft's page on the code interpreter: a session is active for one hour.
_SESSION_SECONDS = 3600
_MOST_CONTAINERS = 10_000


class ContainerSessions:
    """The containers in use; may be used from any number of threads and tasks."""

    def __init__(self) -> None:
        # When the session began, and by which call it is paid for.
        self._started: dict[str, tuple[float, str | None]] = {}
        self._lock = new_lock()

    def paid(self, use: Use) -> list[str]:
        """The containers of a call whose session began less than an hour before it."""
        # Replies without a time cannot be placed in a session, and each pays for itself.
        if use.created_at is None or not use.tools.containers:
            return []
        with self._lock:
            return self._paid(use, use.created_at)

    def open(self, use: Use) -> list[str]:
        """`paid`, and the sessions that the call begins are paid for from now on."""
        if use.created_at is None or not use.tools.containers:
            return []
        with self._lock:
            paid = self._paid(use, use.created_at)
            for name in use.tools.containers.difference(paid):
                # The oldest go: their hour is over, or nearly.
                self._started.pop(name, None)
                while len(self._started) >= _MOST_CONTAINERS:
                    del self._started[next(iter(self._started))]
                self._started[name] = use.created_at, use.id
            return paid

    def _paid(self, use: Use, now: float) -> list[str]:
        found = ((name, self._started.get(name)) for name in use.tools.containers)
        return [
            name
            for name, session in found
            # A call that is priced again pays for its session again.
            if session is not None
            and abs(now - session[0]) < _SESSION_SECONDS
            and (use.id is None or session[1] != use.id)
        ]


default_sessions = ContainerSessions()
"""Those of this process's gateway, or of another server over a router."""
