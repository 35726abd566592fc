"""The stream of a response: its events in the recorded order, item by item.

`EventWriter` numbers the events and cuts texts into deltas. `ItemEvents` says how one type of item
is announced; the rows of hosted tools bring their own (see `HostedTool`).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from azure_responses.emulator.engine.generation import OutputStep
from azure_responses.emulator.tokens import split_tokens

__all__ = [
    "MESSAGE_EVENTS",
    "EventWriter",
    "ItemEvents",
    "obfuscate",
    "opens_with",
    "split_deltas",
    "write_argument",
    "write_events",
    "write_phases",
]

_Item = dict[str, Any]
_TERMINAL = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = bytes(_ALPHABET[number % 62] for number in range(256))
# Tokens in a delta where the default content filter buffers the output.
_BUFFERED = 4
# Recorded: delta and obfuscation together are a multiple of 16 characters long.
_BLOCK = 16


def split_deltas(text: str, chunking: str) -> list[str]:
    """The text as deltas: one token each, or several where the content filter buffers."""
    tokens = split_tokens(text)
    if chunking == "async":
        return tokens
    return ["".join(tokens[at : at + _BUFFERED]) for at in range(0, len(tokens), _BUFFERED)]


def obfuscate(delta: str, key: str) -> str:
    """Letters that fill the delta up to a multiple of 16 characters; `key` seeds them."""
    digest = hashlib.blake2b(f"{key}{delta}".encode(), digest_size=_BLOCK).digest()
    return digest.translate(_LETTERS)[: _BLOCK - len(delta) % _BLOCK].decode()


class EventWriter:
    """Writes events in order and numbers them.

    Args:
        chunking: see `Generation.chunking`.
        is_obfuscated: deltas carry `obfuscation`.
        is_dated: `sequence_number` comes second, as on the dated surface, instead of last.
    """

    def __init__(
        self, chunking: str = "default", is_obfuscated: bool = True, is_dated: bool = False
    ) -> None:
        self.events: list[dict[str, Any]] = []
        self._chunking = chunking
        self._is_obfuscated = is_obfuscated
        self._is_dated = is_dated

    def write(self, kind: str, **fields: Any) -> None:
        """Adds one event."""
        number = len(self.events)
        if self._is_dated:
            self.events.append({"type": kind, "sequence_number": number, **fields})
        else:
            self.events.append({"type": kind, **fields, "sequence_number": number})

    def deltas(
        self,
        kind: str,
        text: str,
        logprobs: list[Any] | None = None,
        key: str | None = None,
        **at: Any,
    ) -> None:
        """A run of delta events that add up to `text`.

        `logprobs` is one entry per token, or None for events that have no such key; `key` seeds
        the obfuscation and is the item's id where left out.
        """
        is_single = self._chunking == "async" or bool(logprobs)
        position = 0
        for piece in split_deltas(text, "async" if is_single else self._chunking):
            fields: dict[str, Any] = {**at, "delta": piece}
            if logprobs is not None:
                fields["logprobs"] = logprobs[position : position + 1]
                position += 1
            if self._is_obfuscated:
                seed = f"{key or at['item_id']}{len(self.events)}"
                fields["obfuscation"] = obfuscate(piece, seed)
            self.write(kind, **fields)


def _open_plainly(item: _Item) -> _Item:
    return {**item, "status": "in_progress"} if "status" in item else item


def _write_nothing(writer: EventWriter, index: int, step: OutputStep) -> None:
    pass


@dataclass(frozen=True)
class ItemEvents:
    """How one type of item is announced.

    Attributes:
        opened: the item as `response.output_item.added` carries it: begun and empty.
        write: the events between `added` and `done`.
    """

    opened: Callable[[_Item], _Item] = _open_plainly
    write: Callable[[EventWriter, int, OutputStep], None] = _write_nothing


def opens_with(**empty: Any) -> Callable[[_Item], _Item]:
    """The item begins with these fields in place of those that it ends with."""
    return lambda item: {**item, **empty}


def write_argument(prefix: str, field: str) -> Callable[[EventWriter, int, OutputStep], None]:
    """Deltas that add up to one field of the item, and the `done` event with the whole."""

    def write(writer: EventWriter, index: int, step: OutputStep) -> None:
        at = {"item_id": step.item["id"], "output_index": index}
        value = step.item[field]
        writer.deltas(f"response.{prefix}.delta", value, **at)
        writer.write(f"response.{prefix}.done", **{field: value}, **at)

    return write


def write_phases(prefix: str, *phases: str) -> Callable[[EventWriter, int, OutputStep], None]:
    """One event for each phase that the item goes through."""

    def write(writer: EventWriter, index: int, step: OutputStep) -> None:
        for phase in phases:
            writer.write(f"response.{prefix}.{phase}", item_id=step.item["id"], output_index=index)

    return write


def _write_message(writer: EventWriter, index: int, step: OutputStep) -> None:
    for number, part in enumerate(step.item["content"]):
        at = {"content_index": number, "item_id": step.item["id"], "output_index": index}
        if part["type"] == "refusal":
            _write_refusal(writer, part, at)
        else:
            _write_text(writer, part, at)


def _write_text(writer: EventWriter, part: dict[str, Any], at: dict[str, Any]) -> None:
    empty = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    writer.write("response.content_part.added", **at, part=empty)
    text, logprobs = part["text"], part["logprobs"]
    writer.deltas("response.output_text.delta", text, logprobs, **at)
    for number, annotation in enumerate(part["annotations"]):
        writer.write(
            "response.output_text.annotation.added",
            annotation=annotation,
            annotation_index=number,
            **at,
        )
    writer.write("response.output_text.done", **at, logprobs=logprobs, text=text)
    writer.write("response.content_part.done", **at, part=part)


def _write_refusal(writer: EventWriter, part: dict[str, Any], at: dict[str, Any]) -> None:
    writer.write("response.content_part.added", **at, part={"type": "refusal", "refusal": ""})
    writer.deltas("response.refusal.delta", part["refusal"], **at)
    writer.write("response.refusal.done", **at, refusal=part["refusal"])
    writer.write("response.content_part.done", **at, part=part)


def _write_reasoning(writer: EventWriter, index: int, step: OutputStep) -> None:
    for number, part in enumerate(step.item["summary"]):
        at = {"item_id": step.item["id"], "output_index": index, "summary_index": number}
        empty = {"type": "summary_text", "text": ""}
        writer.write("response.reasoning_summary_part.added", **at, part=empty)
        writer.deltas("response.reasoning_summary_text.delta", part["text"], **at)
        writer.write("response.reasoning_summary_text.done", **at, text=part["text"])
        writer.write("response.reasoning_summary_part.done", **at, part=part)


# The items that a model writes itself; those of hosted tools stand in the tools' rows.
MESSAGE_EVENTS: Mapping[str, ItemEvents] = {
    "message": ItemEvents(opens_with(status="in_progress", content=[]), _write_message),
    "reasoning": ItemEvents(opens_with(summary=[]), _write_reasoning),
    "function_call": ItemEvents(
        opens_with(status="in_progress", arguments=""),
        write_argument("function_call_arguments", "arguments"),
    ),
    "custom_tool_call": ItemEvents(
        opens_with(status="in_progress", input=""),
        write_argument("custom_tool_call_input", "input"),
    ),
}


def write_events(
    writer: EventWriter,
    steps: list[OutputStep],
    opened: dict[str, Any],
    closed: dict[str, Any],
    item_events: Mapping[str, ItemEvents],
    seal: Callable[[OutputStep, str], str],
) -> list[dict[str, Any]]:
    """All events, from `response.created` to the terminal one.

    Args:
        opened: the response before there is any output.
        closed: the finished response, which the terminal event carries.
        item_events: how each type of item is announced.
        seal: gives a step's `encrypted_content` for the event named. Every event encrypts it
            anew, as recorded: no two events carry the same text.
    """
    _open_response(writer, opened)
    for index, step in enumerate(steps):
        events = item_events.get(step.item["type"], ItemEvents())
        added = _sealed(events.opened(step.item), step, seal, "added")
        writer.write("response.output_item.added", item=added, output_index=index)
        events.write(writer, index, step)
        done = _sealed(step.item, step, seal, "done")
        writer.write("response.output_item.done", item=done, output_index=index)
    writer.write(_TERMINAL[closed["status"]], response=closed)
    return writer.events


def _open_response(writer: EventWriter, response: dict[str, Any]) -> None:
    writer.write("response.created", response=response)
    if response["status"] == "queued":
        writer.write("response.queued", response=response)
        response = {**response, "status": "in_progress"}
    writer.write("response.in_progress", response=response)


def _sealed(
    item: _Item, step: OutputStep, seal: Callable[[OutputStep, str], str], event: str
) -> _Item:
    if step.sealed is None:
        return item
    return {**item, "encrypted_content": seal(step, event)}
