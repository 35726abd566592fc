"""The stream of a chat deployment → the events of a response."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.bridge.reply_builder import ReplyBuilder
from azure_responses.bridge.responses_over_chat.chunk_pattern import ChunkPattern
from azure_responses.bridge.responses_over_chat.reply import ChatReplyReader
from azure_responses.protocol.sse import SSEDecoder

__all__ = ["ChatReplyStream"]

_UNREADABLE = "The deployment's stream has a chunk that is not one of chat completions."


class ChatReplyStream:
    """Converts one stream of chat completions into what the builder makes.

    Attributes:
        final: the whole response, once the ending event has been returned.
    """

    def __init__(self, builder: ReplyBuilder, reader: ChatReplyReader) -> None:
        self.final: dict[str, Any] | None = None
        self._builder = builder
        self._reader = reader
        self._decoder = SSEDecoder()
        self._has_started = False
        self._pattern = ChunkPattern()

    def receive(self, chunk: bytes) -> bytes:
        """The events that bytes of the deployment's stream make."""
        for event in self._decoder.feed(chunk):
            self._read(event.data)
        self.final = self._builder.final
        return self._builder.take()

    def end(self) -> bytes:
        """The events that are due at the end of the deployment's stream.

        A stream without a reason to finish was cut, perhaps anywhere. It gets no terminal event:
        then its reader reports an interruption, as of a deployment that speaks the caller's API.
        """
        for event in self._decoder.flush():
            self._read(event.data)
        if not self._builder.is_over and self._reader.finish_reason is not None:
            self._reader.finish()
        self.final = self._builder.final
        return self._builder.take()

    def _read(self, data: bytes) -> None:
        if self._builder.is_over:
            return
        if not self._has_started:
            self._has_started = True
            self._builder.start()
        # Usage comes after the reason to finish, so the stream is read to its end.
        if data == b"[DONE]":
            if self._reader.finish_reason is not None:
                self._reader.finish()
            return
        text = self._pattern.match(data)
        if text is not None:
            self._reader.add_piece(self._pattern.field, text)
            return
        try:
            chunk = _parse(data)
            self._read_chunk(chunk)
            self._pattern.learn(data, chunk)
        except (ValueError, TypeError, AttributeError, LookupError):
            self._reader.fail("server_error", _UNREADABLE)

    def _read_chunk(self, chunk: Mapping[str, Any]) -> None:
        if chunk.get("error") or "detail" in chunk:
            code, message = _read_error(chunk)
            self._reader.fail(code, message)
        else:
            self._reader.add_chunk(chunk)


def _parse(data: bytes) -> Any:
    try:
        return from_json(data)
    except ValueError:
        # Half of an escaped surrogate pair, which some servers send, only this parser takes.
        return json.loads(data)


_CODES = {"429": "rate_limit_exceeded", "too_many_requests": "rate_limit_exceeded"}


def _read_error(chunk: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of an error that a stream reports, in any of the shapes that are known."""
    error = chunk.get("error") or chunk.get("detail")
    if not isinstance(error, dict):
        error = {"code": chunk.get("code"), "message": error}
    code = str(error.get("code") or error.get("type") or "server_error")
    if code.isdigit():
        code = _CODES.get(code, "server_error")
    return _CODES.get(code, code), str(error.get("message") or "The deployment reported an error.")
