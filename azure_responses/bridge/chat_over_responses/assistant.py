"""The assistant's messages of a chat → the output items they were made of.

Encrypted reasoning is bound to the resource that wrote it, and an item without it is only an id
that the service would have to look up. The service refuses the whole request for one reasoning
item that it cannot read, so such items are left out.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import (
    ConversionState,
    as_mapping,
    refuse,
)
from azure_responses.bridge.chat_over_responses.message_draft import (
    SEPARATOR,
    move_annotations,
    place_annotations,
)
from azure_responses.bridge.chat_over_responses.tool_calls import answer_id, drop_nulls, read_calls

__all__ = ["blocks_to_items", "read_assistant", "read_reasoning_item"]

_COMMENTARY = "commentary"
_Items = list[dict[str, Any]]
_Message = Mapping[str, Any]
_KNOWN = frozenset(
    {
        "role",
        "content",
        "refusal",
        "tool_calls",
        "function_call",
        "annotations",
        "audio",
        "name",
        "commentary",
        "reasoning_content",
        "reasoning_items",
        "hosted_items",
        "output_order",
        "thinking_blocks",
    }
)


def read_assistant(message: _Message, state: ConversionState, path: str) -> _Items:
    """The items of one message: reasoning, hosted items, text and calls, in their order.

    Raises:
        ConfigurationError: a part or a call of a kind that the Responses API does not have.
    """
    state.warn_of_unknown(message, _KNOWN, path)
    if message.get("audio") is not None:
        raise refuse(
            f"{path}.audio refers to spoken output, which the Responses API does not have.",
            "Send its transcript as content.",
        )
    if message.get("name"):
        state.warnings.append(
            f"{path}.name was left out: the Responses API has no names, and the model would take "
            "one inside its own words for part of its style."
        )
    return list(_AssistantMessage(message, state, path).items())


class _Texts:
    """The texts of several messages, which stand in one field with a blank line between them."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._end = 0

    def fit(self, lengths: list[int]) -> bool:
        """True where texts of these lengths make up the whole."""
        texts = []
        end = -len(SEPARATOR)
        for length in lengths:
            start = end + len(SEPARATOR)
            end = start + length
            texts.append(self._text[start:end])
        return SEPARATOR.join(texts) == self._text

    def take(self, length: int) -> tuple[int, str]:
        """Where the next text begins, and itself."""
        start = self._end
        if length and start:
            start += len(SEPARATOR)
        self._end = max(self._end, start + length) if length else self._end
        return start, self._text[start : start + length]


class _AssistantMessage:
    """One message of the assistant, taken apart."""

    def __init__(self, message: _Message, state: ConversionState, path: str) -> None:
        self._message = message
        self._state = state
        self._path = path
        self._calls = read_calls(message, state, path)
        said = _Said(message, path)
        self._text, self._refusal = "".join(said.texts), "".join(said.refusals)
        self._annotations = [*(message.get("annotations") or ()), *said.annotations]
        self._refusal_end = 0
        self._read_extensions()
        self._content = _Texts(self._text)
        self._asides = _Texts(self._commentary)

    def _read_extensions(self) -> None:
        message, state = self._message, self._state
        reasoning = message.get("reasoning_items")
        reasoning = reasoning or blocks_to_items(message.get("thinking_blocks"))
        hosted, order = message.get("hosted_items"), message.get("output_order")
        commentary = message.get("commentary")
        # A client that kept one of these fields kept all: the cache is for those that keep none.
        if not (reasoning or hosted or commentary) and state.cache is not None:
            kept = state.cache.recall(map(answer_id, self._calls), state.now)
            if kept is not None:
                reasoning, hosted = kept.reasoning_items, kept.hosted_items
                order, commentary = kept.output_order, kept.commentary
        self._commentary = commentary if isinstance(commentary, str) else ""
        self._reasoning = list(reasoning or ())
        self._hosted = list(hosted or ())
        self._order = [as_mapping(entry, "output_order") for entry in order or ()]

    def items(self) -> Iterator[dict[str, Any]]:
        """The input items, in the order that the message gives or else the usual one."""
        order = self._order if self._is_order_valid() else self._usual_order()
        self._waiting = {
            "reasoning": iter(self._reasoning),
            "hosted": iter(self._hosted),
            "tool_call": iter(self._calls),
        }
        for entry in order:
            yield from _TAKERS[entry["type"]](self, entry)

    def _is_order_valid(self) -> bool:
        """False when there is no order, or the message was changed since it was written."""
        kinds = [entry.get("type") for entry in self._order]
        counts = (len(self._reasoning), len(self._hosted), len(self._calls))
        listed = tuple(kinds.count(kind) for kind in ("reasoning", "hosted", "tool_call"))
        if listed != counts or not _TAKERS.keys() >= set(kinds):
            return False
        refusal = sum(entry.get("refusal") or 0 for entry in self._order)
        said = [entry for entry in self._order if entry.get("text")]
        asides = [entry["text"] for entry in said if entry.get("phase") == _COMMENTARY]
        texts = [entry["text"] for entry in said if entry.get("phase") != _COMMENTARY]
        are_texts_valid = self._content.fit(texts) and self._asides.fit(asides)
        return bool(kinds) and are_texts_valid and refusal == len(self._refusal)

    # What models do: they reason, search, write, then call. Items of other clients, or of messages
    # that were edited, have no order of their own.
    def _usual_order(self) -> list[_Message]:
        entries: list[_Message] = [{"type": "reasoning"}] * len(self._reasoning)
        entries += [{"type": "hosted"}] * len(self._hosted)
        if self._commentary:
            entries.append({"type": "message", "text": len(self._commentary), "phase": _COMMENTARY})
        if self._text or self._refusal or not (entries or self._calls):
            said = {"text": len(self._text), "refusal": len(self._refusal)}
            entries.append({"type": "message", **said})
        return entries + [{"type": "tool_call"}] * len(self._calls)

    def _take_reasoning(self, entry: _Message) -> _Items:
        item = next(self._waiting["reasoning"])
        read = read_reasoning_item(item, self._state, f"{self._path}.reasoning_items")
        return [read] if read is not None else []

    def _take_hosted(self, entry: _Message) -> _Items:
        item = as_mapping(next(self._waiting["hosted"]), f"{self._path}.hosted_items")
        if item.get("type") == "output_part":
            self._state.warnings.append(
                f"{self._path}.hosted_items has a part of an unknown kind, which was left out."
            )
            return []
        return [drop_nulls(item)]

    def _take_call(self, entry: _Message) -> _Items:
        return [next(self._waiting["tool_call"])]

    def _take_message(self, entry: _Message) -> _Items:
        refused = self._refusal_end
        self._refusal_end += entry.get("refusal") or 0
        refusal = self._refusal[refused : self._refusal_end]
        phase = entry.get("phase")
        if phase == _COMMENTARY:
            _, text = self._asides.take(entry.get("text") or 0)
            annotations = [dict(given) for given in entry.get("annotations") or ()]
        else:
            start, text = self._content.take(entry.get("text") or 0)
            annotations = place_annotations(
                self._annotations, start, start + len(text), len(self._text)
            )
        item = _message_item(text, refusal, annotations)
        return [item if phase is None else {**item, "phase": phase}]


_TAKERS: dict[str, Callable[[_AssistantMessage, _Message], _Items]] = {
    "reasoning": _AssistantMessage._take_reasoning,
    "hosted": _AssistantMessage._take_hosted,
    "tool_call": _AssistantMessage._take_call,
    "message": _AssistantMessage._take_message,
}


def _message_item(text: str, refusal: str, annotations: _Items) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "message", "role": "assistant", "content": text}
    if not (refusal or annotations):
        return item
    said: dict[str, Any] = {"type": "output_text", "text": text}
    if annotations:
        said["annotations"] = annotations
    refused = {"type": "refusal", "refusal": refusal}
    item["content"] = [*([said] if text else []), *([refused] if refusal else [])]
    return item


class _Said:
    """The texts, refusals and citations of a message's content.

    Attributes:
        annotations: of its parts, counted in the whole text.
    """

    def __init__(self, message: _Message, path: str) -> None:
        self.texts: list[str] = []
        self.refusals: list[str] = [message.get("refusal") or ""]
        self.annotations: _Items = []
        content = message.get("content")
        if content is None:
            return
        parts = content if isinstance(content, list | tuple) else [content]
        for index, part in enumerate(parts):
            self._read(part, f"{path}.content[{index}]")

    def _read(self, part: Any, path: str) -> None:
        if isinstance(part, str):
            self.texts.append(part)
            return
        fields = as_mapping(part, path)
        kind, text = fields.get("type"), fields.get("text")
        if kind == "refusal":
            self.refusals.append(str(fields.get("refusal") or ""))
        elif kind in ("text", "output_text") and isinstance(text, str):
            offset = sum(map(len, self.texts))
            self.annotations += move_annotations(fields.get("annotations"), offset)
            self.texts.append(text)
        else:
            raise refuse(
                f"{path} is a part of type {kind!r}, which an assistant's message cannot hold.",
                "The assistant's parts are of the types text and refusal.",
            )


# Azure refuses `status` on replayed reasoning (litellm #13484); `resource` is the bridge's own.
_LEFT_OUT = frozenset({"status", "resource"})


def read_reasoning_item(item: Any, state: ConversionState, path: str) -> dict[str, Any] | None:
    """The item as input, or None where the service could make nothing of it."""
    fields = as_mapping(item, path)
    kept = {
        name: value for name, value in fields.items() if value is not None and name not in _LEFT_OUT
    }
    kept = {"type": "reasoning", "summary": [], **kept}
    if _is_foreign(fields, state):
        state.foreign_items += 1
        del kept["encrypted_content"]
        kept.pop("id", None)
        return kept if kept.get("content") else None
    if "encrypted_content" in kept:
        state.has_encrypted_reasoning = True
        return kept
    return _read_plain(kept, state)


def _is_foreign(item: Mapping[str, Any], state: ConversionState) -> bool:
    tag = item.get("resource")
    is_tagged = tag is not None and state.resource_tag is not None
    return is_tagged and tag != state.resource_tag and bool(item.get("encrypted_content"))


def _read_plain(item: dict[str, Any], state: ConversionState) -> dict[str, Any] | None:
    if item.get("content"):
        # Reasoning in the clear says all there is; its id would only be looked up in vain.
        item.pop("id", None)
        return item
    if state.is_stored and item.get("id"):
        return item
    state.unreadable_items += 1
    return None


def blocks_to_items(blocks: Any) -> list[dict[str, Any]]:
    """LiteLLM's `thinking_blocks` as reasoning items; one without ciphertext stays without."""
    items = []
    for block in blocks or ():
        fields = as_mapping(block, "thinking_blocks")
        text = fields.get("thinking")
        item = {
            "type": "reasoning",
            "id": fields.get("id"),
            "summary": [{"type": "summary_text", "text": text}] if text else [],
            "encrypted_content": fields.get("encrypted_content"),
        }
        items.append(item)
    return items
