"""The reply of the Messages API: its events in their exact order, and the message they add up to.

A whole reply is written with the same calls as a stream, so both say the same. The events of one
message are

    message_start
    content_block_start, (ping), content_block_delta …, content_block_stop      for each block
    message_delta                                                               stop reason, usage
    message_stop

Blocks never overlap there, but the calls of other APIs may: what arrives for a later block waits
until the earlier ones are closed.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic_core import from_json

from azure_responses.protocol.known_errors import STATUS_IN_STREAM

__all__ = [
    "Block",
    "DeltaKind",
    "MessageEventWriter",
    "empty_usage",
    "error_type",
    "parse_object",
    "read_input",
    "text_start",
    "write_json",
]

DeltaKind = Literal["text", "thinking", "signature", "json", "citation"]

# How a delta begins, and the field that it adds to.
_DELTAS = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "signature": ("signature_delta", "signature"),
    "json": ("input_json_delta", "partial_json"),
    "citation": ("citations_delta", "citation"),
}
# Anthropic's example stream has it right after the start of the first block.
_PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_encode_text = json.encoder.encode_basestring

write_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON as the services write it: compact, and not escaped."""


def parse_object(data: bytes | str) -> dict[str, Any] | None:
    """The JSON object of an event; None of any other data, such as `[DONE]`."""
    try:
        value = from_json(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def text_start() -> dict[str, Any]:
    """How a text block begins."""
    return {"type": "text", "text": ""}


# A code of the other APIs → the type of Anthropic's error (shared/error_object.py of anthropic).
_ERROR_TYPES = {
    "429": "rate_limit_error",
    "rate_limit_exceeded": "rate_limit_error",
    "too_many_requests": "rate_limit_error",
    # The money is used up: unlike the other limits, it is no use to try again.
    "insufficient_quota": "billing_error",
    "server_is_overloaded": "overloaded_error",
    "slow_down": "overloaded_error",
    # Azure's 503 is a lack of capacity, for which Anthropic has the status 529.
    "503": "overloaded_error",
}


def error_type(code: Any) -> str:
    """Anthropic's type for the code of an error."""
    is_invalid = STATUS_IN_STREAM.get(str(code)) == 400
    return _ERROR_TYPES.get(str(code), "invalid_request_error" if is_invalid else "api_error")


def empty_usage() -> dict[str, Any]:
    """Usage before anything is known of it."""
    return {
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
    }


def read_input(arguments: str) -> dict[str, Any]:
    """The input of a tool call from its JSON text.

    Text that is cut off, because the answer became too long, gives what is complete of it. Other
    text that is no object is kept under one name, so that the tool's own check shows it.
    """
    try:
        value = from_json(arguments, allow_partial=True) if arguments.strip() else {}
    except ValueError:
        value = arguments
    return value if isinstance(value, dict) else {"invalid_json": arguments}


class Block:
    """One content block of a message in the making.

    Args:
        content: the block as `content_block_start` shows it.
        ends_itself: the block is complete as soon as another begins.
    """

    __slots__ = ("content", "ends_itself", "index", "is_closed", "pending", "pieces")

    def __init__(self, content: dict[str, Any], index: int, ends_itself: bool) -> None:
        self.content = content
        self.index = index
        self.ends_itself = ends_itself
        self.is_closed = False
        self.pending: list[tuple[DeltaKind, Any]] = []
        self.pieces: dict[str, list[Any]] = {}

    def joined(self, kind: DeltaKind) -> str:
        """What deltas of one kind add up to."""
        return "".join(self.pieces.get(kind, ()))

    def build(self) -> dict[str, Any]:
        """The block as a whole message shows it."""
        block = dict(self.content)
        for kind in self.pieces:
            if kind == "json":
                block["input"] = read_input(self.joined("json"))
            elif kind == "citation":
                block["citations"] = list(self.pieces[kind])
            else:
                block[kind] = block.get(kind, "") + "".join(self.pieces[kind])
        return block


class MessageEventWriter:
    """Writes one message of the Messages API, and its events.

    Attributes:
        final: the whole message, once it is finished.
    """

    def __init__(self) -> None:
        self.final: dict[str, Any] | None = None
        self._message: dict[str, Any] = {}
        self._blocks: list[Block] = []
        # The first block that is not closed: the one whose deltas go out.
        self._open = 0
        self._out: list[bytes] = []
        self._is_over = False

    @property
    def has_started(self) -> bool:
        """True once the message has begun."""
        return bool(self._message)

    @property
    def is_over(self) -> bool:
        """True once the message is finished or has failed."""
        return self._is_over

    @property
    def last(self) -> Block | None:
        """The newest block."""
        return self._blocks[-1] if self._blocks else None

    def take(self) -> bytes:
        """The events since the last call."""
        written, self._out = b"".join(self._out), []
        return written

    def start(self, message_id: str, model: str, usage: Mapping[str, Any]) -> None:
        """Begin the message."""
        self._message = {
            "id": message_id,
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "stop_details": None,
            "usage": {**empty_usage(), **usage},
        }
        self._write("message_start", {"type": "message_start", "message": self._message})

    def open(self, content: dict[str, Any], *, ends_itself: bool = False) -> Block:
        """Begin a block; one before it that ends itself is closed."""
        last = self.last
        if last is not None and last.ends_itself:
            self.close(last)
        block = Block(content, len(self._blocks), ends_itself)
        self._blocks.append(block)
        if self._open == block.index:
            self._begin(block)
        return block

    def add(self, block: Block, kind: DeltaKind, value: Any) -> None:
        """More of a block."""
        block.pieces.setdefault(kind, []).append(value)
        if block.index == self._open:
            self._emit(block.index, kind, value)
        else:
            block.pending.append((kind, value))

    def _emit(self, index: int, kind: DeltaKind, value: Any) -> None:
        name, field = _DELTAS[kind]
        encoded = write_json(value) if kind == "citation" else _encode_text(value)
        self._out.append(
            f"event: content_block_delta\n"
            f'data: {{"type":"content_block_delta","index":{index},'
            f'"delta":{{"type":"{name}","{field}":{encoded}}}}}\n\n'.encode("utf-8", "replace")
        )

    def close(self, block: Block) -> None:
        """End a block, and begin the blocks that waited for it."""
        block.is_closed = True
        while self._open < len(self._blocks) and self._blocks[self._open].is_closed:
            stop = {"type": "content_block_stop", "index": self._open}
            self._write("content_block_stop", stop)
            # A block that waited may have ended meanwhile, so several can end here at once.
            self._open += 1
            if self._open < len(self._blocks):
                self._begin(self._blocks[self._open])

    def _begin(self, block: Block) -> None:
        start = {
            "type": "content_block_start",
            "index": block.index,
            "content_block": block.content,
        }
        self._write("content_block_start", start)
        if block.index == 0:
            self._out.append(_PING)
        for kind, value in block.pending:
            self._emit(block.index, kind, value)
        block.pending.clear()

    def finish(
        self,
        stop_reason: str,
        usage: Mapping[str, Any],
        stop_sequence: str | None = None,
        stop_details: Mapping[str, Any] | None = None,
    ) -> None:
        """End the message in order."""
        for block in self._blocks:
            if not block.is_closed:
                self.close(block)
        delta = {
            "stop_reason": stop_reason,
            "stop_sequence": stop_sequence,
            "stop_details": stop_details,
        }
        # Counts of `message_delta` are of the whole message and replace those of `message_start`.
        whole = {**self._message["usage"], **usage}
        self._write("message_delta", {"type": "message_delta", "delta": delta, "usage": whole})
        self._write("message_stop", {"type": "message_stop"})
        content = [block.build() for block in self._blocks]
        self.final = {**self._message, "content": content, **delta, "usage": whole}
        self._is_over = True

    def fail(self, kind: str, message: str) -> None:
        """End the stream with an error; there is no whole message then."""
        error = {"type": "error", "error": {"type": kind, "message": message}}
        self._write("error", error)
        self._is_over = True

    def _write(self, name: str, event: Mapping[str, Any]) -> None:
        written = f"event: {name}\ndata: {write_json(event)}\n\n"
        # Half a surrogate pair, which a model's JSON may hold, cannot be written as UTF-8.
        self._out.append(written.encode("utf-8", "replace"))
