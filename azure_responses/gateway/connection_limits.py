"""How many callers may be connected to a process, and how much of what they send may wait."""

from collections import Counter
from typing import Protocol

from azure_responses.gateway.asgi_reply import ErrorResponse, error_response

__all__ = ["ConnectionLimits", "ConnectionPlaces", "Limited"]

_MOST_CONNECTIONS = 8000
_MOST_BYTES = 32 * 1024 * 1024
# Bodies of refused requests. The event loop takes a millisecond or two for each megabyte.
_DISCARDED_PER_SECOND = 50_000_000
# Less is not counted: max_connections times this is little.
_LITTLE = 4096


class Limited(Protocol):
    """A connection that can be ended."""

    def evict(self) -> None:
        """End it at once."""


class ConnectionLimits:
    """Ends the connection that has waited longest where there are too many, or they hold too much.

    Callers who keep connections open without sending a request are ended first, so that others
    still get through. A connection with a call in progress is not ended for its number.

    Args:
        most: connections at once.
        most_bytes: of what callers have sent and no call has taken yet, and of what was sent to
            them and they have not read yet, after the call.
    """

    def __init__(self, most: int = _MOST_CONNECTIONS, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._connections: set[Limited] = set()
        # Both in the order in which they came: the first has waited longest.
        self._waiting: dict[Limited, None] = {}
        self._sizes: dict[Limited, int] = {}
        self._bytes = 0
        self._free_at = 0.0

    def enter(self, connection: Limited) -> bool:
        """Count a new connection; False if it has to be refused.

        That is so while each of the others has a call in progress.
        """
        while len(self._connections) >= self._most:
            if not self._waiting:
                return False
            self._evict(next(iter(self._waiting)))
        self._connections.add(connection)
        self._waiting[connection] = None
        return True

    def leave(self, connection: Limited) -> None:
        """A connection has ended, counted or not."""
        self._connections.discard(connection)
        self._waiting.pop(connection, None)
        self._bytes -= self._sizes.pop(connection, 0)

    def wait(self, connection: Limited) -> None:
        """The connection has no call in progress from now on."""
        if connection in self._connections:
            self._waiting[connection] = None

    def work(self, connection: Limited) -> None:
        """The connection has a call in progress."""
        self._waiting.pop(connection, None)

    def hold(self, connection: Limited, size: int) -> None:
        """A connection holds so many bytes. Too many together end the one that began first."""
        if size <= _LITTLE or connection not in self._connections:
            self._bytes -= self._sizes.pop(connection, 0)
            return
        self._bytes += size - self._sizes.get(connection, 0)
        self._sizes[connection] = size
        while self._bytes > self._most_bytes:
            self._evict(next(iter(self._sizes)))

    def pause(self, size: int, now: float) -> float:
        """Seconds to wait after so many discarded bytes were read, of all connections."""
        self._free_at = max(self._free_at, now) + size / _DISCARDED_PER_SECOND
        return self._free_at - now

    def _evict(self, connection: Limited) -> None:
        self.leave(connection)
        connection.evict()


class ConnectionPlaces:
    """The WebSockets that are open in a process, of all callers and of each key.

    Args:
        most: of all.
        most_of_key: of one key.

    Attributes:
        open: how many there are.
    """

    def __init__(self, most: int, most_of_key: int) -> None:
        self.open = 0
        self._most = most
        self._most_of_key = most_of_key
        self._of_key: Counter[str] = Counter()

    def enter(self, key_id: str) -> ErrorResponse | None:
        """Count a connection; the result says why there is no place for it."""
        if self.open >= self._most:
            return error_response(
                503,
                "Too many WebSocket connections (general_settings.websocket_connections).",
                code="gateway_saturated",
                type="server_error",
                retry_after=1.0,
            )
        if self._of_key[key_id] >= self._most_of_key:
            return error_response(
                429,
                f"This API key may have {self._most_of_key} WebSocket connections at once.",
                code="websocket_connections_exceeded",
                type="requests",
                retry_after=1.0,
            )
        self.open += 1
        self._of_key[key_id] += 1
        return None

    def leave(self, key_id: str) -> None:
        """A connection that was counted has ended."""
        self.open -= 1
        self._of_key[key_id] -= 1
        if not self._of_key[key_id]:
            del self._of_key[key_id]
