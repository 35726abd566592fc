"""The messages of a Messages body: roles, blocks, and which results answer which calls."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.messages_errors import messages_error, wrong

__all__ = ["Turn", "check_content", "merge_turns"]

_REQUIRED = "Field required"
_EXTRA = "Extra inputs are not permitted"
_CALL_ID = re.compile(r"[a-zA-Z0-9_-]+")
_PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
# Of each type of block: what it must have, and of which type.
_BLOCKS: dict[str, dict[str, type]] = {
    "text": {"text": str},
    "image": {"source": dict},
    "document": {"source": dict},
    "search_result": {"content": list, "source": str, "title": str},
    "thinking": {"thinking": str, "signature": str},
    "redacted_thinking": {"data": str},
    "tool_use": {"id": str, "name": str, "input": dict},
    "tool_result": {"tool_use_id": str},
    "server_tool_use": {"id": str, "name": str, "input": dict},
    "web_search_tool_result": {"tool_use_id": str, "content": object},
    "web_fetch_tool_result": {"tool_use_id": str, "content": object},
    "code_execution_tool_result": {"tool_use_id": str, "content": object},
    "bash_code_execution_tool_result": {"tool_use_id": str, "content": object},
    "text_editor_code_execution_tool_result": {"tool_use_id": str, "content": object},
    "tool_search_tool_result": {"tool_use_id": str, "content": object},
    "container_upload": {"file_id": str},
    "tool_reference": {"tool_name": str},
}
# What a block may have beside it.
_OPTIONAL = {
    "text": {"citations"},
    "document": {"title", "context", "citations"},
    "search_result": {"citations"},
    "tool_use": {"caller", "toolset_name"},
    "tool_result": {"content", "is_error"},
    "server_tool_use": {"caller"},
    "web_search_tool_result": {"caller"},
    "web_fetch_tool_result": {"caller"},
}
_LABELS: dict[type, str] = {str: "string", dict: "dictionary", list: "list"}
_UNMARKED = ("thinking", "redacted_thinking")


@dataclass
class Turn:
    """Messages of one role in a row, which Anthropic reads as one.

    Attributes:
        role: whose turn it is.
        blocks: their content.
        places: where each block stands in the body, such as `messages.1.content.0`.
    """

    role: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


def merge_turns(messages: list[dict[str, Any]]) -> list[Turn]:
    """The turns of a conversation; a string is one text block."""
    turns: list[Turn] = []
    for index, message in enumerate(messages):
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if not turns or turns[-1].role != message["role"]:
            turns.append(Turn(message["role"]))
        turns[-1].blocks += blocks
        turns[-1].places += [f"messages.{index}.content.{at}" for at in range(len(blocks))]
    return turns


def check_content(messages: list[Any], model: EmulatedModel) -> None:
    """Refuse messages that Anthropic refuses, whatever the model thought."""
    if not messages:
        raise wrong("messages", "at least one message is required")
    for index, message in enumerate(messages):
        _check_message(f"messages.{index}", message, model, index == len(messages) - 1)
    if messages[0]["role"] != "user":
        raise wrong("messages", 'first message must use the "user" role')
    turns = merge_turns(messages)
    _check_calls(turns)
    _check_prefill(turns[-1], model)


def _check_message(place: str, message: Any, model: EmulatedModel, is_last: bool) -> None:
    if not isinstance(message, dict):
        raise wrong(place, "Input should be a valid dictionary")
    role = message.get("role")
    if role == "system" and not model.claude.takes_system:
        raise wrong(
            "messages",
            'Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.',
        )
    if role not in ("user", "assistant", "system"):
        raise wrong(f"{place}.role", "Input should be 'user' or 'assistant'")
    for name in message.keys() - {"role", "content"}:
        raise wrong(f"{place}.{name}", _EXTRA)
    _check_blocks(place, message.get("content"), is_last and role == "assistant")


def _check_blocks(place: str, content: Any, may_be_empty: bool) -> None:
    if content is None:
        raise wrong(f"{place}.content", _REQUIRED)
    if not isinstance(content, str | list):
        raise wrong(f"{place}.content", "Input should be a valid list")
    if not content and not may_be_empty:
        text = "all messages must have non-empty content except for the optional final assistant "
        raise wrong(place, f"{text}message")
    for number, block in enumerate(content if isinstance(content, list) else ()):
        _check_block(f"{place}.content.{number}", block)


def _check_block(place: str, block: Any) -> None:
    if not isinstance(block, dict):
        raise wrong(place, "Input should be a valid dictionary")
    kind = block.get("type")
    if kind is None:
        raise wrong(f"{place}.type", _REQUIRED)
    fields = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if fields is None:
        expected = ", ".join(f"'{name}'" for name in _BLOCKS)
        raise wrong(place, f"Input tag '{kind}' found using 'type' does not match any of the "
                    f"expected tags: {expected}")  # fmt: skip
    for name, wanted in fields.items():
        if name not in block:
            raise wrong(f"{place}.{kind}.{name}", _REQUIRED)
        if not isinstance(block[name], wanted):
            label = _LABELS.get(wanted, "value")
            raise wrong(f"{place}.{kind}.{name}", f"Input should be a valid {label}")
    marks = set() if kind in _UNMARKED else {"cache_control"}
    for name in block.keys() - fields.keys() - {"type"} - marks - _OPTIONAL.get(kind, set()):
        raise wrong(f"{place}.{kind}.{name}", _EXTRA)
    _check_inside(f"{place}.{kind}", kind, block)


def _check_inside(place: str, kind: str, block: Mapping[str, Any]) -> None:
    if kind == "text" and not block["text"]:
        raise wrong("messages", "text content blocks must be non-empty")
    if kind == "image":
        _check_picture(f"{place}.source", block["source"])
    elif kind == "document":
        _check_document(f"{place}.source", block["source"])
        _check_citations(place, block)
    elif kind == "search_result":
        _check_texts(f"{place}.content", block["content"])
        _check_citations(place, block)
    elif kind == "tool_use" and not _CALL_ID.fullmatch(block["id"]):
        raise wrong(f"{place}.id", "String should match pattern '^[a-zA-Z0-9_-]+$'")
    elif kind == "tool_result":
        _check_result(place, block.get("content"))


_IN_RESULTS = ("text", "image", "document", "search_result", "tool_reference")


def _check_result(place: str, content: Any) -> None:
    if content is not None and not isinstance(content, str | list):
        raise wrong(f"{place}.content", "Input should be a valid list")
    for number, part in enumerate(content if isinstance(content, list) else ()):
        inner = f"{place}.content.{number}"
        kind = part.get("type") if isinstance(part, dict) else None
        if kind is not None and kind not in _IN_RESULTS:
            expected = ", ".join(f"'{name}'" for name in _IN_RESULTS)
            text = f"Input tag '{kind}' found using 'type' does not match any of the expected tags:"
            raise wrong(inner, f"{text} {expected}")
        _check_block(inner, part)


def _check_texts(place: str, content: list[Any]) -> None:
    for number, part in enumerate(content):
        if not isinstance(part, dict) or part.get("type") != "text":
            raise wrong(f"{place}.{number}.type", "Input should be 'text'")
        _check_block(f"{place}.{number}", part)


def _check_citations(place: str, block: Mapping[str, Any]) -> None:
    config = block.get("citations")
    if config is not None and not isinstance(config, dict):
        raise wrong(f"{place}.citations", "Input should be a valid dictionary")
    if config and not isinstance(config.get("enabled", False), bool):
        raise wrong(f"{place}.citations.enabled", "Input should be a valid boolean")
    title = block.get("title")
    if title is not None and not isinstance(title, str):
        raise wrong(f"{place}.title", "Input should be a valid string")


def _check_picture(place: str, source: Mapping[str, Any]) -> None:
    kind = source.get("type")
    if kind == "base64":
        if source.get("media_type") not in _PICTURES:
            expected = ", ".join(f"'{name}'" for name in _PICTURES[:-1])
            text = f"Input should be {expected} or '{_PICTURES[-1]}'"
            raise wrong(f"{place}.base64.media_type", text)
        _check_base64(f"{place}.base64.data", source.get("data"))
    elif kind == "url":
        _check_address(f"{place}.url.url", source.get("url"))
    else:
        raise _unknown_source(place, kind, "'base64', 'url'")


def _check_document(place: str, source: Mapping[str, Any]) -> None:
    kind = source.get("type")
    if kind == "base64":
        if source.get("media_type") != "application/pdf":
            raise wrong(f"{place}.base64.media_type", "Input should be 'application/pdf'")
        _check_base64(f"{place}.base64.data", source.get("data"))
    elif kind == "url":
        _check_address(f"{place}.url.url", source.get("url"))
    elif kind == "text":
        _check_plain(f"{place}.text", source)
    elif kind == "content":
        _check_parts(f"{place}.content.content", source.get("content"))
    else:
        # Foundry's "Hosted on Azure" has no files.
        raise _unknown_source(place, kind, "'base64', 'content', 'text', 'url'")


def _check_plain(place: str, source: Mapping[str, Any]) -> None:
    if source.get("media_type") != "text/plain":
        raise wrong(f"{place}.media_type", "Input should be 'text/plain'")
    if not isinstance(source.get("data"), str):
        raise wrong(f"{place}.data", _REQUIRED)


def _check_parts(place: str, content: Any) -> None:
    if not isinstance(content, str | list):
        raise wrong(place, _REQUIRED)
    if isinstance(content, list):
        _check_texts(place, content)


def _unknown_source(place: str, kind: Any, expected: str) -> Exception:
    text = f"Input tag '{kind}' found using 'type' does not match any of the expected tags:"
    return wrong(place, f"{text} {expected}")


def _check_base64(place: str, data: Any) -> None:
    try:
        if not isinstance(data, str) or not base64.b64decode(data, validate=True):
            raise ValueError
    except (binascii.Error, ValueError):
        raise wrong(place, "Invalid base64 data") from None


def _check_address(place: str, url: Any) -> None:
    if not isinstance(url, str):
        raise wrong(place, _REQUIRED)
    if not url.startswith("https://"):
        raise messages_error(400, "Only HTTPS URLs are supported.")


# --- calls and their results ----------------------------------------------------------------------


def _check_calls(turns: list[Turn]) -> None:
    seen: set[str] = set()
    waiting: list[str] = []
    place = ""
    for turn in turns:
        # Results after a text do not count as following their calls.
        following = takewhile(lambda block: block["type"] == "tool_result", turn.blocks)
        _check_answered(place, waiting, {block["tool_use_id"] for block in following})
        _check_results(turn, waiting)
        waiting = _list_calls(turn, seen)
        place = turn.places[0].rpartition(".content")[0] if turn.places else place
    _check_answered(place, waiting, set())


def _check_answered(place: str, waiting: list[str], answered: set[str]) -> None:
    missing = [one for one in waiting if one not in answered]
    if missing:
        raise wrong(
            place,
            "`tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding "
            "`tool_result` block in the next message.",
        )


def _check_results(turn: Turn, waiting: list[str]) -> None:
    left = list(waiting)
    for place, block in zip(turn.places, turn.blocks, strict=True):
        if block["type"] != "tool_result":
            continue
        found = block["tool_use_id"]
        if found not in waiting:
            raise wrong(
                place,
                f"unexpected `tool_use_id` found in `tool_result` blocks: {found}. Each "
                "`tool_result` block must have a corresponding `tool_use` block in the previous "
                "message.",
            )
        if found not in left:
            raise wrong(
                place,
                "each tool_use must have a single result. Found multiple `tool_result` blocks "
                f"with id: {found}",
            )
        left.remove(found)


def _list_calls(turn: Turn, seen: set[str]) -> list[str]:
    calls: list[str] = []
    for place, block in zip(turn.places, turn.blocks, strict=True):
        if block["type"] != "tool_use":
            continue
        if turn.role != "assistant":
            raise wrong(place, "`tool_use` blocks can only be in `assistant` messages")
        if block["id"] in seen:
            raise wrong(place, "`tool_use` ids must be unique")
        seen.add(block["id"])
        calls.append(block["id"])
    return calls


def _check_prefill(last: Turn, model: EmulatedModel) -> None:
    if last.role != "assistant":
        return
    # A turn that was paused is sent back as it is, and goes on.
    if any(block["type"] == "server_tool_use" for block in last.blocks):
        return
    if not model.claude.prefills:
        message = "This model does not support assistant message prefill. The conversation must "
        raise messages_error(400, f"{message}end with a user message.")
    texts = [block["text"] for block in last.blocks if block["type"] == "text"]
    if texts and texts[-1] != texts[-1].rstrip():
        raise wrong("messages", "final assistant content cannot end with trailing whitespace")
