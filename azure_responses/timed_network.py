"""Sync connections whose reads and writes end when the time of the whole reply is over.

httpcore gives each read the same number of seconds, so that a server which sends a byte now and
then is never late. A `TimeLimit` in the place of that number is asked again before each read.
"""

import math
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore

from azure_responses.timeouts import TimeLimit

__all__ = ["TimedBackend", "TimedStream"]

# A write of httpcore ends only when all is written: a large body is handed over in pieces.
_PIECE = 256 * 1024


class TimedStream(httpcore.NetworkStream):
    """A connection that obeys a `TimeLimit`."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self.close = stream.close  # type: ignore[method-assign]

    def get_extra_info(self, info: str) -> Any:
        """What is known of the connection."""
        return self._stream.get_extra_info(info)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has arrived; raises httpcore.ReadTimeout."""
        return self._stream.read(max_bytes, _seconds(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send everything; raises httpcore.WriteTimeout."""
        if len(buffer) <= _PIECE:
            self._stream.write(buffer, _seconds(timeout, httpcore.WriteTimeout))
            return
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._stream.write(piece, _seconds(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted."""
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, timeout))


class TimedBackend(httpcore.SyncBackend):
    """Opens connections that obey a `TimeLimit`."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to a host."""
        return TimedStream(super().connect_tcp(host, port, timeout, local_address, socket_options))


def _seconds(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    if not isinstance(timeout, TimeLimit):
        return timeout
    left = timeout.left()
    if left <= 0:
        raise late("The time is over.")
    return None if left == math.inf else left
