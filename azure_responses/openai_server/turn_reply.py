"""The reply to one turn: messages of an ASGI application in, frames of a WebSocket out."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from azure_responses.openai_server.reply_frames import Frame, ReplyFrames
from azure_responses.router.connection_turn import ConnectionTurn

__all__ = ["Message", "Send", "TurnReply"]

Send = Callable[[str], Awaitable[None]]
"""Sends one text frame; raises OSError when the caller has left."""

Message = MutableMapping[str, Any]


class TurnReply:
    """The reply to one turn, as it is sent.

    Args:
        turn: that it answers.
        send: sends a frame.
        note_end: hears that the turn has ended.
    """

    def __init__(
        self, turn: ConnectionTurn, send: Send, note_end: Callable[[ConnectionTurn], None]
    ) -> None:
        self.frames = ReplyFrames(turn.lane, turn.body.get("previous_response_id"))
        self._turn = turn
        self._send = send
        self._note_end = note_end

    async def take(self, message: Message) -> None:
        """Take one message of an ASGI application."""
        if message["type"] == "http.response.start":
            pairs = message.get("headers", ())
            headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs
            }
            self.frames.begin(message["status"], headers)
        elif message["type"] == "http.response.body":
            await self._pass(self.frames.feed(message.get("body", b"")))

    async def end(self) -> None:
        """The reply has ended."""
        await self._pass(self.frames.end())

    async def _pass(self, frames: list[Frame]) -> None:
        for frame in frames:
            if frame.is_terminal:
                # Before its caller can continue it, in whichever lane.
                # The router has noted the response; a reply of others has it in its frame.
                response = None if self._turn.response is not None else frame.response
                self._turn.ended(response, failed=frame.has_failed)
                self._note_end(self._turn)
            await self._send(frame.text)
            if frame.is_terminal:
                # What is written together goes out now, before the call is recorded.
                await asyncio.sleep(0)
