"""A resource that serves Responses over WebSocket and over HTTP alike, and breaks on request.

It shares no code with the package or its emulator: the frames are those of the `websockets`
library, the rest is written after the published protocol. What a turn answers is said by the last
text or tool output of its input, its script: a kind (`text`, `call`, `reasoning`; `text` where the
first word is none of them), then options. `deltas=N` says how many deltas there are. A fault,
written `NAME@N` for before event N, happens once for each script, and each time if it is written
`NAME!@N`: `reset` aborts the connection, `close` closes it in order, `stall` sends nothing more,
`error` sends an error event, `half` sends half a frame and then aborts.

`python -m tests.soak.scripted_upstream` serves from a process of its own and prints its port.
"""

import asyncio
import json
import re
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing, contextmanager, suppress
from itertools import count
from typing import Any

from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.soak.scripted_turns import (
    JSON,
    RefusedTurn,
    Turn,
    check_items,
    error_event,
    events_of,
    items_of,
    script_of,
)

__all__ = ["KEY", "ScriptedUpstream", "threaded_upstream", "upstream_process"]

KEY = "scripted-key"
_KEPT = 1000
_PATH = "/openai/v1/responses"
_FAULT = re.compile(r"(reset|close|stall|error|half)(!?)@(\d+)")
_HEAD = (
    "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n"
    "apim-request-id: 00000000-0000-4000-8000-000000000000\r\nx-ms-region: East US 2\r\n"
)


class _Broken(Exception):
    """The connection is gone, or has to go now."""


class ScriptedUpstream:
    """What the resource has seen, and what it has stored.

    Attributes:
        begun: how often each script was answered.
        ended: how often each script was answered to its end.
        sockets: WebSockets that are open now.
        handshakes: WebSockets there ever were.
        overlaps: turns that were sent while another was in flight on their WebSocket.
        bodies: of the turns, the latest 1,000.
    """

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.sockets = 0
        self.handshakes = 0
        self.overlaps = 0
        self.bodies: deque[JSON] = deque(maxlen=_KEPT)
        self._stored: dict[str, list[JSON]] = {}
        self._happened: set[str] = set()
        self._numbers = count(1)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one TCP connection."""
        with closing(writer), suppress(_Broken, asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if b"upgrade: websocket" in head.lower():
                    await _Socket(self, reader, writer).serve(head)
                    break
                await self._answer_http(head, reader, writer)

    async def _answer_http(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        found = re.search(rb"(?i)content-length: (\d+)", head)
        content = await reader.readexactly(int(found[1]) if found else 0)
        if not head.startswith(f"POST {_PATH}".encode()):
            _write_json(writer, 404, {"error": {"code": "404", "message": "Resource not found"}})
            return
        body: JSON = json.loads(content)
        try:
            turn = self.begin(body, self._stored)
        except RefusedTurn as refused:
            _write_json(writer, refused.status, {"error": refused.error})
            return
        if not body.get("stream"):
            events = [event async for event in self.play(turn, writer)]
            _write_json(writer, 200, events[-1]["response"])
            return
        start = _HEAD.format(status="200 OK", kind="text/event-stream; charset=utf-8")
        writer.write(f"{start}transfer-encoding: chunked\r\n\r\n".encode())
        async with aclosing(self.play(turn, writer)) as played:
            async for event in played:
                fault = event.pop("_fault", None)
                if fault == "close":
                    raise _Broken
                text = f"event: {event['type']}\ndata: {_dump(event)}\n\n".encode()
                if fault == "half":
                    # As long as announced, but for its second half.
                    writer.write(b"%x\r\n%s" % (len(text), text[: len(text) // 2]))
                    await writer.drain()
                    writer.transport.abort()
                    raise _Broken
                writer.write(b"%x\r\n%s\r\n" % (len(text), text))
                await writer.drain()
        writer.write(b"0\r\n\r\n")

    def begin(self, body: JSON, known: dict[str, list[JSON]]) -> "Turn":
        """A turn for a body; raises RefusedTurn as the service would.

        Args:
            known: the items of responses that can be continued here, by id.
        """
        self.bodies.append(body)
        items, previous = items_of(body.get("input")), body.get("previous_response_id")
        kept: list[JSON] = []
        if previous is not None:
            found = known.get(previous, self._stored.get(previous))
            if found is None:
                message = f"Previous response with id '{previous}' not found."
                raise RefusedTurn(
                    400, "previous_response_not_found", message, "previous_response_id"
                )
            kept = found
        check_items([*kept, *items])
        turn = Turn(body, script_of(items), f"resp_{next(self._numbers):048x}")
        turn.items = [*kept, *items, *turn.output]
        if body.get("store", True):
            self._stored[turn.id] = turn.items
            if len(self._stored) > _KEPT:
                self._stored.pop(next(iter(self._stored)))
        self.begun[turn.script] += 1
        return turn

    async def play(
        self, turn: Turn, writer: asyncio.StreamWriter, *, is_frame: bool = False
    ) -> AsyncGenerator[JSON, None]:
        """The events of a turn, up to its fault."""
        fault, place = self._fault_of(turn.script)
        for number, event in enumerate(events_of(turn)):
            if number == place:
                if fault == "reset":
                    await writer.drain()
                    writer.transport.abort()
                    raise _Broken
                if fault == "stall":
                    await asyncio.Event().wait()
                if fault == "error":
                    yield error_event(number, is_frame=is_frame)
                    return
                event = {**event, "_fault": fault}
            yield event
        self.ended[turn.script] += 1

    def _fault_of(self, script: str) -> tuple[str, int]:
        found = _FAULT.search(script)
        if found is None or (not found[2] and script in self._happened):
            return "", -1
        self._happened.add(script)
        return found[1], int(found[3])


class _Socket:
    """One WebSocket: one response in flight, and the latest one kept in memory."""

    def __init__(
        self, upstream: ScriptedUpstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._upstream = upstream
        self._reader = reader
        self._writer = writer
        self._protocol = ServerProtocol(max_size=16 * 1024 * 1024)
        self._latest: dict[str, list[JSON]] = {}
        self._turn: asyncio.Task[None] | None = None
        self._pieces: list[bytes] = []

    async def serve(self, head: bytes) -> None:
        """From the handshake to the end."""
        self._protocol.receive_data(head)
        request = next(iter(self._protocol.events_received()))
        assert isinstance(request, Request)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            self._protocol.send_response(self._protocol.reject(401, "Access denied"))
            await self._flush()
            return
        self._protocol.send_response(self._protocol.accept(request))
        await self._flush()
        self._upstream.sockets += 1
        self._upstream.handshakes += 1
        try:
            while data := await self._reader.read(65536):
                self._protocol.receive_data(data)
                for frame in self._protocol.events_received():
                    self._take(frame)
                await self._flush()
        finally:
            self._upstream.sockets -= 1
            if self._turn is not None:
                self._turn.cancel()

    def _take(self, frame: Any) -> None:
        if frame.opcode not in (Opcode.TEXT, Opcode.CONT):
            return
        self._pieces.append(bytes(frame.data))
        if not frame.fin:
            return
        content, self._pieces = b"".join(self._pieces), []
        body = json.loads(content)
        if self._turn is not None and not self._turn.done():
            self._upstream.overlaps += 1
            refused = RefusedTurn(400, "response_in_progress", "A response is in progress.")
            self._send({"type": "error", "status": 400, "error": refused.error})
            return
        assert body.pop("type") == "response.create", "not a response.create"
        self._turn = asyncio.ensure_future(self._answer(body))

    async def _answer(self, body: JSON) -> None:
        with suppress(_Broken, ConnectionError):
            try:
                turn = self._upstream.begin(body, self._latest)
            except RefusedTurn as refused:
                self._latest.clear()
                error = {"type": "error", "status": refused.status, "error": refused.error}
                self._send(error)
                await self._flush()
                return
            async with aclosing(self._upstream.play(turn, self._writer, is_frame=True)) as played:
                async for event in played:
                    if event["type"] == "response.completed":
                        self._latest = {turn.id: turn.items}
                    await self._send_or_break(event)

    async def _send_or_break(self, event: JSON) -> None:
        fault = event.pop("_fault", None)
        if fault == "close":
            self._protocol.send_close(1011, "scripted")
            await self._flush()
            raise _Broken
        self._send(event)
        if fault == "half":
            data = b"".join(self._protocol.data_to_send())
            self._writer.write(data[: len(data) // 2])
            await self._writer.drain()
            self._writer.transport.abort()
            raise _Broken
        await self._flush()

    def _send(self, event: JSON) -> None:
        self._protocol.send_text(_dump(event).encode())

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._writer.write(data)
            elif self._writer.can_write_eof():
                self._writer.write_eof()
        await self._writer.drain()


def _dump(value: JSON) -> str:
    return json.dumps(value, separators=(",", ":"))


def _write_json(writer: asyncio.StreamWriter, status: int, body: JSON) -> None:
    content = _dump(body).encode()
    start = _HEAD.format(status=f"{status} -", kind="application/json")
    writer.write(f"{start}content-length: {len(content)}\r\n\r\n".encode() + content)


async def serve_upstream(upstream: ScriptedUpstream, port: int = 0) -> asyncio.Server:
    """Listen on the loopback."""
    return await asyncio.start_server(upstream.answer, "127.0.0.1", port)


@contextmanager
def threaded_upstream() -> Iterator[tuple[str, ScriptedUpstream]]:
    """Serve from a thread: the URL, and what the resource sees."""
    upstream, loop = ScriptedUpstream(), asyncio.new_event_loop()
    server = loop.run_until_complete(serve_upstream(upstream))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", upstream
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(_stop, loop)
        thread.join()
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.call_later(0.05, loop.stop)


@contextmanager
def upstream_process() -> Iterator[str]:
    """Serve from a process of its own: the URL."""
    command = [sys.executable, "-m", "tests.soak.scripted_upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


async def _main() -> None:
    server = await serve_upstream(ScriptedUpstream())
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
