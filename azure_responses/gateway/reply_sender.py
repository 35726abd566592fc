"""Sends the reply to one request: whole, as a download, or as a stream of events."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.asgi_reply import (
    REPLY_BEGUN,
    TURN,
    ErrorResponse,
    EventStream,
    Header,
    Scope,
    Send,
    send_error,
)
from azure_responses.gateway.call_log import LOGGER
from azure_responses.gateway.caller_watch import CallerWatch
from azure_responses.gateway.upload import PieceReader
from azure_responses.openai_server import ApiReply
from azure_responses.openai_server.error_body import closing_events
from azure_responses.openai_server.replies import STREAM
from azure_responses.openai_server.route import expects_anthropic
from azure_responses.openai_server.served_request import ServedRequest

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["ReplySender"]

# How long a caller may leave what was sent to them unread.
_WRITE_PATIENCE = 60.0


class ReplySender:
    """Sends one reply.

    Args:
        gateway: that answers.
        scope, send: of the ASGI server.
        headers: of the request.
        call_id: names the call in headers.
        watch: is stopped when the reply ends, since leaving does not stop the call any more.

    Attributes:
        pieces: the rest of a body that is read piece by piece; None of other requests.
    """

    def __init__(
        self,
        gateway: "Gateway",
        scope: Scope,
        send: Send,
        headers: Mapping[str, str],
        call_id: str,
        watch: CallerWatch,
    ) -> None:
        self._gateway = gateway
        self._scope = scope
        self._send = send
        self._headers = headers
        self._call_id = call_id
        self._watch = watch
        self.pieces: PieceReader | None = None

    async def send(self, reply: ApiReply[Any]) -> None:
        """Send a reply that is no stream of events; a download in pieces."""
        if isinstance(reply.body, bytes):
            await self._send_whole(reply.status, reply.headers, reply.body)
        else:
            await self._send_pieces(reply)

    async def send_error(self, error: ErrorResponse) -> None:
        """Send a refusal, and count it."""
        self._finish()
        if self.pieces is not None and not self.pieces.is_over:
            await self.pieces.discard()
        self._gateway.metrics.refuse(error.status)
        to_anthropic = expects_anthropic(self._scope["path"], self._headers)
        await send_error(self._send, error, self._call_id, to_anthropic=to_anthropic)

    async def send_stream(
        self,
        call: ServedRequest,
        make: Callable[[ServedRequest], Awaitable[ApiReply[Any]]],
    ) -> None:
        """Make a call whose reply is a stream of events, and send that."""
        stream = EventStream(
            self._send,
            [*STREAM, (b"x-litellm-call-id", self._call_id.encode())],
            keepalive=self._keepalive,
            patience=_WRITE_PATIENCE,
            stop=self._watch.stop,
        )
        try:
            reply = await make(call)
            if isinstance(reply.body, bytes):
                await self._end_early(stream, call, reply)
            else:
                await self._pass_on(stream, reply.headers, reply.body)
        except asyncio.CancelledError:
            call.summary.is_abandoned = True
            await self._tell_of_shutdown(stream, call)
            raise
        finally:
            self._scope[REPLY_BEGUN] = stream.has_begun
            await stream.close()

    @property
    def _keepalive(self) -> float:
        """Seconds of silence before a comment; a WebSocket has pings instead."""
        is_turn = self._scope.get(TURN) is not None
        return 0.0 if is_turn else self._gateway.settings.keepalive_seconds

    async def _send_whole(self, status: int, headers: list[Header], body: bytes) -> None:
        self._finish()
        if self.pieces is not None and not self.pieces.is_over:
            await self.pieces.discard()
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": status, "headers": self._named(headers)}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})

    async def _send_pieces(self, reply: ApiReply[Any]) -> None:
        """Send a download, or sound, as it arrives.

        Where it breaks off the connection is cut: nothing else tells the caller that it is not
        whole. The server does so when the application leaves a reply without its end.
        """
        stream = EventStream(
            self._send, (), keepalive=0.0, patience=_WRITE_PATIENCE, stop=self._watch.stop
        )
        try:
            await self._pass_on(stream, reply.headers, reply.body)
        except AzureResponsesError as error:
            LOGGER.warning("A download was cut (call %s): %s", self._call_id, error.message)
        finally:
            self._scope[REPLY_BEGUN] = stream.has_begun
            await stream.close()

    async def _pass_on(self, stream: EventStream, headers: list[Header], events: Any) -> None:
        try:
            await stream.begin(self._named(headers))
            async for piece in events:
                await stream.write(piece)
        finally:
            # Closing stops what Azure is still doing for a caller who has left.
            await events.aclose()
        self._finish()
        await stream.end()

    async def _end_early(
        self, stream: EventStream, call: ServedRequest, reply: ApiReply[bytes]
    ) -> None:
        """A stream ends before its first event: answer a status, or an event if it has begun."""
        if not stream.has_begun:
            await stream.close()
            await self._send_whole(reply.status, reply.headers, reply.body)
            return
        assert call.summary.error is not None
        await stream.write(_closing_events(call, call.summary.error))
        self._finish()
        await stream.end()

    async def _tell_of_shutdown(self, stream: EventStream, call: ServedRequest) -> None:
        """Send a caller who still listens an event that says why the stream is cut."""
        if self._gateway.shutdown.is_cut and not self._watch.has_left and stream.has_begun:
            self._finish()
            await stream.write(_closing_events(call, self._gateway.shutdown.error))
            await stream.end()

    def _finish(self) -> None:
        """The end of the reply is about to be sent: leaving does not stop the call any more."""
        self._watch.is_over = True
        self._scope[REPLY_BEGUN] = True

    def _named(self, headers: list[Header]) -> list[Header]:
        """The headers with a request id, Azure's where there is one."""
        names = {name for name, _ in headers}
        if b"x-request-id" not in names:
            headers.append((b"x-request-id", self._call_id.encode()))
        # What Anthropic's clients read.
        if b"request-id" not in names and expects_anthropic(self._scope["path"], self._headers):
            headers.append((b"request-id", self._call_id.encode()))
        return headers


def _closing_events(call: ServedRequest, error: BaseException) -> bytes:
    return closing_events(call.operation, call.summary.last_sequence_number, error)
