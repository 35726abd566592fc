"""The tool calls of a chat reply → call items, whole or as they arrive.

A call begins when its name is known. What a shell or a patch is asked to do is known only with the
last piece of its arguments; until then such a call has its place in the output and no events.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.bridge.function_calls import ToolCall, ToolOrigin
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.reply_builder import CallPart, ReplyBuilder
from azure_responses.bridge.string_field import StringFieldDecoder

__all__ = ["CallReader"]

_Fields = Mapping[str, Any]
_STREAMED = ("function_call", "custom_tool_call")


class _Call:
    """One call, of which pieces arrive."""

    def __init__(self, given_id: str | None, new_id: Callable[[str], str]) -> None:
        self.given_id = given_id
        self._new_id = new_id
        self.name = ""
        self._is_custom = False
        self._waiting: list[str] = []
        self._item: CallPart | None = None
        self._place: int | None = None
        self._decoder: StringFieldDecoder | None = None
        self.is_open = True

    def add(self, piece: _Fields, builder: ReplyBuilder, tools: FunctionTools) -> None:
        custom = piece.get("custom")
        said = custom or piece.get("function") or {}
        self._is_custom = self._is_custom or custom is not None
        text = _as_text(said.get("input" if custom is not None else "arguments"))
        if not self.name and said.get("name"):
            self.name = str(said["name"])
            self._begin(builder, tools.origin_of(self.name))
        if text:
            self._add_text(text)

    def _begin(self, builder: ReplyBuilder, origin: ToolOrigin) -> None:
        if self._is_custom:
            # Text is no arguments, whatever the tool is called.
            origin = origin._replace(call="custom_tool_call")
        if origin.call not in _STREAMED:
            self._place = builder.reserve()
            return
        item = {"type": origin.call, "call_id": self._id(), "name": origin.name}
        if origin.namespace is not None:
            item["namespace"] = origin.namespace
        if origin.call == "custom_tool_call" and not self._is_custom:
            self._decoder = StringFieldDecoder("input")
        self._item = builder.begin_call(item)
        waiting, self._waiting = self._waiting, []
        for text in waiting:
            self._add_text(text)

    def _id(self) -> str:
        if self.given_id is None:
            self.given_id = self._new_id("call_")
        return self.given_id

    def _add_text(self, text: str) -> None:
        if self._item is None:
            self._waiting.append(text)
        elif self._decoder is None:
            self._item.add(text)
        else:
            decoded = self._decoder.feed(text)
            if decoded:
                self._item.add(decoded)

    @property
    def is_complete(self) -> bool:
        """True where no further piece can belong to it."""
        if self._decoder is not None:
            return self._decoder.is_closed
        if self._is_custom:
            return False
        text = self._item.text if self._item is not None else "".join(self._waiting)
        return _is_object(text)

    def close(self, status: str, builder: ReplyBuilder, tools: FunctionTools) -> None:
        self.is_open = False
        if self._place is not None:
            self._close_held(status, builder, tools)
            return
        if self._item is None:
            # A call without a name cannot be carried out, but it was made.
            self._begin(builder, ToolOrigin("function_call", self.name))
        assert self._item is not None
        if self._decoder is not None:
            rest = self._decoder.finish()
            if rest:
                self._item.add(rest)
        elif not self._is_custom and not self._item.text:
            # A function without parameters: some servers send nothing at all.
            self._item.add("{}")
        self._item.close(status)

    def _close_held(self, status: str, builder: ReplyBuilder, tools: FunctionTools) -> None:
        call = ToolCall(self._id(), self.name, "".join(self._waiting))
        item = tools.to_item(call)
        if item["type"] != "function_call":
            builder.begin_call(item, place=self._place).close(status)
            return
        opened = builder.begin_call(item, place=self._place)
        opened.add(item["arguments"])
        opened.close(status)


class CallReader:
    """Reads the tool calls of one reply.

    Args:
        builder: told of the items.
        tools: which tool a function stands for.
        new_id: makes an id with a given prefix, for calls that come without.
    """

    def __init__(
        self, builder: ReplyBuilder, tools: FunctionTools, new_id: Callable[[str], str]
    ) -> None:
        self._builder = builder
        self._tools = tools
        self._new_id = new_id
        self._calls: dict[object, _Call] = {}
        self._open: list[_Call] = []
        self._last: _Call | None = None

    def add(self, piece: _Fields) -> None:
        """One entry of `tool_calls`, of a message or of a chunk."""
        call = self._find(piece)
        if call.is_open:
            call.add(piece, self._builder, self._tools)

    def starts(self, piece: _Fields) -> bool:
        """True for a piece that begins a call."""
        key = piece.get("index")
        known = self._calls.get(key) if key is not None else self._last
        if known is None:
            return True
        given = piece.get("id")
        said = piece.get("custom") or piece.get("function") or {}
        # Some servers number every call 0, or none; a new call has another id and a name.
        return bool(given and said.get("name") and known.given_id not in (None, given))

    def _find(self, piece: _Fields) -> _Call:
        key = piece.get("index")
        if self.starts(piece):
            self.close_complete()
            call = _Call(piece.get("id") or None, self._new_id)
            self._open.append(call)
        else:
            found = self._calls.get(key) if key is not None else self._last
            assert found is not None
            call = found
        if key is not None:
            self._calls[key] = call
        self._last = call
        return call

    def close_complete(self) -> None:
        """Something else begins: calls whose arguments are complete get no more."""
        for call in self._open:
            if call.is_complete:
                call.close("completed", self._builder, self._tools)
        self._open = [call for call in self._open if call.is_open]

    def close(self, status: str) -> None:
        """The reply is over."""
        for call in self._open:
            call.close(status, self._builder, self._tools)
        self._open = []


def _as_text(value: Any) -> str:
    if isinstance(value, dict | list):
        # Some servers send the arguments as an object.
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return "" if value is None else str(value)


def _is_object(text: str) -> bool:
    if not text.rstrip().endswith("}"):
        return False
    try:
        return isinstance(from_json(text), dict)
    except ValueError:
        return False
