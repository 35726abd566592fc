"""Streams to callers: comments in silence, and an end for whoever does not read."""

import asyncio
from typing import Any

from azure_responses.gateway.asgi_reply import EventStream


class Sink:
    """Keeps what is sent, and may be made to stand still."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, message: Any) -> None:
        await self.gate.wait()
        self.messages.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)


def test_silence_is_filled_with_comments() -> None:
    async def run() -> Sink:
        sink = Sink()
        stream = EventStream(sink, [(b"a", b"b")], keepalive=0.05, patience=5, stop=lambda: None)
        await asyncio.sleep(0.13)
        assert stream.has_begun
        await stream.begin([(b"too", b"late")])
        await stream.write(b"data: x\n\n")
        await stream.end()
        return sink

    sink = asyncio.run(run())
    assert sink.messages[0]["headers"] == [(b"a", b"b")]
    assert sink.body.startswith(b": ping\n\n: ping\n\n")
    assert sink.body.endswith(b"data: x\n\n")
    assert sink.messages[-1]["more_body"] is False


def test_no_comments_are_sent_where_nobody_wants_them() -> None:
    async def run() -> Sink:
        sink = Sink()
        stream = EventStream(sink, [], keepalive=0, patience=0.02, stop=lambda: None)
        await asyncio.sleep(0.08)
        await stream.begin()
        await stream.end()
        return sink

    assert asyncio.run(run()).body == b""


def test_a_caller_who_does_not_read_is_given_up() -> None:
    async def run() -> list[str]:
        sink, stopped = Sink(), []
        stream = EventStream(
            sink, [], keepalive=0.02, patience=0.08, stop=lambda: stopped.append("stopped")
        )
        await stream.begin()
        sink.gate.clear()
        writing = asyncio.create_task(stream.write(b"x"))
        await asyncio.sleep(0.3)
        writing.cancel()
        sink.gate.set()
        await stream.close()
        return stopped

    assert asyncio.run(run()) == ["stopped"]
