"""The streams of callers who use chat completions or Messages, as bytes.

Chunks and events pass as they came except for the model's name. What is noted of them is what
`FrameStream` notes of a response: whether output has begun, how the stream ended, the tokens.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json

from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.reply_terms import chat_usage, messages_usage, status_of_stop
from azure_responses.router.event_frames import END, EventFrames
from azure_responses.router.frames import encode_frame

__all__ = ["ChatFrames", "MessagesFrames", "native_frames"]

_MODEL = b'"model"'
_FIND_MODEL = re.compile(rb'"model":\s?"[^"\\]*"')
# What makes a chunk worth reading. In the text of an answer these quotes are escaped.
_IS_NOTABLE = re.compile(rb'"finish_reason":\s?"|"usage":\s?\{|"error"|\[DONE\]')
_DELTA_EVENT = b"event: content_block_delta\n"
# Fields of a delta that give the caller nothing of the answer.
_NO_OUTPUT = frozenset({"role"})
_OPENING = frozenset({"message_start", "ping", "content_block_start", "message_delta"})


class ChatFrames(EventFrames):
    """The chunks of one chat completion.

    The `[DONE]` that ends them is not handed out: who writes the reply ends it with one, also after
    a failure.

    Args:
        model: stands in the place of the deployment's model name; None keeps that.
        drops_usage: the caller did not ask for usage; the chunk that has nothing else is left out.
    """

    def __init__(self, *, model: str | None = None, drops_usage: bool = False) -> None:
        super().__init__()
        self._facts: dict[str, Any] = {"object": "response", "store": False}
        self._stop: str | None = None
        self._model = model
        self._model_field = None if model is None else b'"model":' + to_json(model)
        self._drops_usage = drops_usage

    def end(self) -> bytes:
        """As `EventFrames.end`; some gateways send no `[DONE]`."""
        rest = super().end()
        return rest + self._finish() if not self.is_settled else rest

    def _take_blob(self, blob: bytes) -> bytes:
        if self.is_handed_out and not self.failures and _IS_NOTABLE.search(blob) is None:
            renamed = self._rename(blob)
            if renamed is not None:
                self.events_seen += 1
                return renamed
        return self._take_all(blob.split(END))

    def _rename(self, blob: bytes) -> bytes | None:
        """Chunks with the caller's name of the model; None where they have to be read for it."""
        if self._model_field is None:
            return blob
        # A chunk without a model, or with a second one in an inner object, has to be parsed.
        if blob.count(_MODEL) != blob.count(END):
            return None
        field = self._model_field
        return _FIND_MODEL.sub(lambda _: field, blob)

    def _take(self, name: bytes | None, data: bytes) -> bytes:
        chunk = self._read_event(data)
        if chunk is None:
            return self._finish() if self._has_end_mark else b""
        self.events_seen += 1
        if self.failures:
            return b""
        if chunk.get("error"):
            self.failures.append({"type": "error", **chunk})
            return b""
        is_opening = not self._note(chunk)
        # The router always asks for usage, to count tokens and costs. Programs that did not ask may
        # fail at a chunk without choices.
        if self._drops_usage and chunk.get("usage") and not chunk.get("choices"):
            return b""
        if self._model is not None and "model" in chunk:
            chunk["model"] = self._model
            data = to_json(chunk)
        frame = b"data: %b\n\n" % data
        return self._hand_out(frame, is_opening=is_opening)

    def _note(self, chunk: Mapping[str, Any]) -> bool:
        """Note what a chunk says; True if it has output."""
        facts = self._facts
        for name in ("id", "model", "service_tier"):
            if chunk.get(name):
                facts[name] = chunk[name]
        usage = chat_usage(chunk.get("usage"))
        if usage is not None:
            facts["usage"] = usage
        has_output = False
        for choice in _mappings(chunk.get("choices")):
            reason = choice.get("finish_reason")
            # Of several choices the first that ends speaks for the answer.
            if isinstance(reason, str) and self._stop is None:
                self._stop = reason
                facts |= status_of_stop(reason)
            has_output = has_output or _has_output(choice.get("delta"))
        self.has_output = self.has_output or has_output
        self.response = dict(facts)
        return has_output

    def _finish(self) -> bytes:
        """The chunks have ended: in order only if one of them said why."""
        if self._stop is None:
            return b""
        self.is_finished = True
        return self.release()


class MessagesFrames(EventFrames):
    """The events of one Messages reply.

    Args:
        model: stands in the place of the deployment's model name; None keeps that.
    """

    def __init__(self, *, model: str | None = None) -> None:
        super().__init__()
        self._facts: dict[str, Any] = {"object": "response", "store": False}
        self._usage: dict[str, Any] = {}
        self._model = model

    def _take_blob(self, blob: bytes) -> bytes:
        if not self.is_handed_out or self.failures:
            return self._take_all(blob.split(END))
        # Deltas are most of a stream and have nothing to note or to rename, so they are not parsed.
        if blob.count(_DELTA_EVENT) == blob.count(END):
            self.events_seen += 1
            return blob
        pieces = []
        for frame in blob.split(END):
            if frame.startswith(_DELTA_EVENT) and not self.is_settled:
                self.events_seen += 1
                pieces.append(frame + END)
            else:
                pieces.append(self._take_all([frame]))
        return b"".join(pieces)

    def _take(self, name: bytes | None, data: bytes) -> bytes:
        event = self._read_event(data)
        if event is None or self.failures:
            return b""
        self.events_seen += 1
        kind = str(event.get("type") or (name or b"").decode("utf-8", "replace"))
        # A gateway in front of Claude may answer in OpenAI's shape, which has no type at the top.
        if kind == "error" or (event.get("error") and "type" not in event):
            self.failures.append({**event, "type": "error"})
            return b""
        self._note(event, kind)
        if kind == "message_stop":
            self.is_finished = True
        elif kind not in _OPENING:
            self.has_output = True
        message = event.get("message")
        if self._model is not None and isinstance(message, dict) and "model" in message:
            message["model"] = self._model
        frame = encode_frame(kind.encode(), event)
        return self._hand_out(frame, is_opening=kind in _OPENING)

    def _note(self, event: Mapping[str, Any], kind: str) -> None:
        facts, message = self._facts, event.get("message")
        if kind == "message_start" and isinstance(message, Mapping):
            facts |= {name: message[name] for name in ("id", "model") if name in message}
            self._add_usage(message.get("usage"))
        elif kind == "message_delta":
            delta = event.get("delta")
            reason = delta.get("stop_reason") if isinstance(delta, Mapping) else None
            if reason is not None:
                facts |= status_of_stop(reason)
            # The counts of each event are those of the whole answer so far.
            self._add_usage(event.get("usage"))
        self.response = dict(facts)

    def _add_usage(self, usage: Any) -> None:
        if isinstance(usage, Mapping):
            self._usage |= {name: value for name, value in usage.items() if value is not None}
            self._facts["usage"] = messages_usage(self._usage)


def native_frames(
    api: APIName, *, model: str | None, drops_usage: bool = False
) -> ChatFrames | MessagesFrames:
    """The frames of a stream whose caller uses chat completions or Messages."""
    if api == "messages":
        return MessagesFrames(model=model)
    return ChatFrames(model=model, drops_usage=drops_usage)


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _has_output(delta: Any) -> bool:
    if not isinstance(delta, Mapping):
        return False
    return any(value for name, value in delta.items() if name not in _NO_OUTPUT)
