"""A caller's connection: neither a head nor a reader is waited for without end."""

import asyncio
from typing import Any

from pydantic_core import to_json
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from azure_responses.gateway.denial import deny
from azure_responses.gateway.departure import DEPARTURE, Departure

__all__ = ["Connection"]

# What common load balancers let through is far less.
_LONGEST_HEAD = 128 * 1024
# As nginx waits for the same.
_HEAD_SECONDS = 60.0
_READ_SECONDS = 60.0


class Connection(HttpToolsProtocol):
    """uvicorn's connection, which by itself waits for ever for a head, and takes one of any length.

    Strangers can do both before they have shown a key. Nor does uvicorn mind a caller who does not
    read: what was written for them, and their descriptor, would stay for as long as they like,
    since a connection is not closed before its buffer is empty.
    """

    head_seconds = _HEAD_SECONDS
    read_seconds = _READ_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._departure = Departure()
        self._is_in_head = False
        self._head_size = 0
        self._patience: asyncio.TimerHandle | None = None
        self._reading: asyncio.TimerHandle | None = None
        self._unread = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller has connected."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        self._stop_waiting()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().connection_lost(exc)
        self._departure.happen()

    def data_received(self, data: bytes) -> None:
        """Bytes have come: of a head, of a body, or of what is no request at all."""
        super().data_received(data)
        if self._is_in_head:
            self._head_size += len(data)
            if self._head_size > _LONGEST_HEAD and not self.transport.is_closing():
                self._refuse()
        # uvicorn's own timer for idle connections ends with any byte, be it of no request.
        if self.cycle is None or self._is_in_head or self.cycle.response_complete:
            self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._is_in_head = True
        self._head_size = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """It has ended."""
        self._is_in_head = False
        self._stop_waiting()
        scope: Any = self.scope
        scope[DEPARTURE] = self._departure
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body has ended as well."""
        self._stop_waiting()
        super().on_message_complete()
        # A long body stops the reading until more of it is asked for. There is no more, and only
        # who reads on sees the caller go.
        self.flow.resume_reading()

    def pause_writing(self) -> None:
        """More was written than the caller has read."""
        super().pause_writing()
        self._watch_reading()

    def resume_writing(self) -> None:
        """They have read nearly all of it."""
        super().resume_writing()
        self._unread = 0

    def on_response_complete(self) -> None:
        """All was written, which does not mean that it was read."""
        super().on_response_complete()
        self._watch_reading()

    def _watch_reading(self) -> None:
        if self._reading is None and self._buffered():
            self._unread = self._buffered()
            self._reading = self.loop.call_later(self.read_seconds, self._look_at_reading)

    def _look_at_reading(self) -> None:
        self._reading = None
        if self._buffered() >= self._unread > 0:
            self.transport.abort()
        else:
            self._watch_reading()

    def _buffered(self) -> int:
        return self.transport.get_write_buffer_size()

    def _wait(self) -> None:
        if self._patience is None and not self.transport.is_closing():
            self._patience = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        self.transport.close()

    def _refuse(self) -> None:
        denial = deny(
            431, f"The headers are longer than {_LONGEST_HEAD:,} bytes.", code="headers_too_large"
        )
        body = to_json(denial.body)
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body)
        )
        self.transport.close()
