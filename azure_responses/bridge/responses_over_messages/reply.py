"""The reply of Claude → a response, whole or as its events arrive.

A whole reply is read as a stream in which each block arrives at once, so that both say the same.
"""

import json
from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.function_calls import ToolCall
from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.response_events import (
    CallItemWriter,
    MessageItemWriter,
    ReasoningItemWriter,
    ResponseEventBuilder,
)
from azure_responses.bridge.responses_over_messages.citations import annotation_of
from azure_responses.bridge.responses_over_messages.thinking import seal_block
from azure_responses.bridge.string_field import StringFieldDecoder
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.reply_terms import messages_usage, status_of_stop

__all__ = ["MessageToResponseReader"]

_Fields = Mapping[str, Any]
_STREAMED = ("function_call", "custom_tool_call")
_REFUSED = "Claude refused to answer."


class _TextToResponse:
    """A block of text, part of a message that neighbouring blocks share."""

    def __init__(self, reader: "MessageToResponseReader", block: _Fields) -> None:
        self._reader = reader
        self._block = dict(block)
        self._start = reader.text_length
        self._pieces: list[str] = []
        given = block.get("citations")
        self._citations = [*filter(_is_object, given)] if isinstance(given, list) else []
        self.add({"text": block.get("text")})

    def add(self, delta: _Fields) -> None:
        citation = delta.get("citation")
        if _is_object(citation):
            self._citations.append(citation)
        text = delta.get("text")
        if text and isinstance(text, str):
            self._pieces.append(text)
            self._reader.say(text)

    def close(self) -> dict[str, Any]:
        for citation in self._citations:
            end = self._reader.text_length
            self._reader.cite(annotation_of(citation, self._start, end))
        cited = {"citations": self._citations} if self._citations else {}
        return {**self._block, "text": "".join(self._pieces), **cited}


class _ThinkingToResponse:
    """A block of thinking: a reasoning item of its own, with its signature sealed."""

    def __init__(self, reader: "MessageToResponseReader", block: _Fields) -> None:
        self._item = reader.begin_reasoning()
        self._context = reader.context
        self._block = dict(block)
        self._pieces: list[str] = []
        self.add(block)

    def add(self, delta: _Fields) -> None:
        text = delta.get("thinking")
        if text and isinstance(text, str):
            self._pieces.append(text)
            self._item.add_text(text)
        # It comes last, in one piece or several.
        if delta.get("type") == "signature_delta":
            before, more = self._block.get("signature"), delta.get("signature")
            self._block["signature"] = f"{before or ''}{more or ''}"

    def close(self) -> dict[str, Any]:
        if self._block.get("type") == "thinking":
            self._block["thinking"] = "".join(self._pieces)
        # Without its signature Claude would refuse the block.
        is_whole = bool(self._block.get("signature") or self._block.get("data"))
        sealed = seal_block(self._block, self._context) if is_whole else None
        self._item.close(encrypted_content=sealed)
        return self._block


class _ToolUseToResponse:
    """A call of one of the caller's tools.

    What a shell or a patch is asked to do is known only with the last piece, so the item of such a
    call begins and ends there.
    """

    def __init__(self, reader: "MessageToResponseReader", block: _Fields) -> None:
        self._reader = reader
        self._block = dict(block)
        self._id = str(block.get("id") or reader.context.new_id("call_"))
        self._name = str(block.get("name") or "")
        self._pieces: list[str] = []
        self._item: CallItemWriter | None = None
        origin = reader.tools.origin_of(self._name)
        self._decoder = StringFieldDecoder("input") if origin.call == "custom_tool_call" else None
        if origin.call in _STREAMED:
            item = {"type": origin.call, "call_id": self._id, "name": origin.name}
            space = {} if origin.namespace is None else {"namespace": origin.namespace}
            self._item = reader.begin_call({**item, **space})
        # In a stream the input begins empty, in a whole reply it is all there.
        if block.get("input"):
            self._add_text(json.dumps(block["input"], ensure_ascii=False))

    def add(self, delta: _Fields) -> None:
        self._add_text(str(delta.get("partial_json") or ""))

    def _add_text(self, text: str) -> None:
        if not text:
            return
        self._pieces.append(text)
        if self._item is not None:
            said = text if self._decoder is None else self._decoder.feed(text)
            if said:
                self._item.add(said)

    def close(self) -> dict[str, Any]:
        arguments = "".join(self._pieces)
        if self._item is None:
            self._item = self._begin_whole(arguments or "{}")
        elif self._decoder is not None:
            rest = self._decoder.finish()
            if rest:
                self._item.add(rest)
        elif not arguments:
            # A function without parameters: the stream has no piece at all.
            self._item.add("{}")
        self._reader.close_later(self._item)
        return {**self._block, "input": _as_object(arguments)}

    def _begin_whole(self, arguments: str) -> CallItemWriter:
        made = self._reader.tools.to_item(ToolCall(self._id, self._name, arguments))
        item = self._reader.begin_call(made)
        if made["type"] == "function_call":
            item.add(made["arguments"])
        return item


class _Unknown:
    """A block of another kind: of tools that Anthropic runs, which no conversion asks for."""

    def __init__(self, reader: "MessageToResponseReader", block: _Fields) -> None:
        self._block = dict(block)
        self._pieces: list[str] = []

    def add(self, delta: _Fields) -> None:
        self._pieces.append(str(delta.get("partial_json") or ""))

    def close(self) -> dict[str, Any]:
        text = "".join(self._pieces)
        return {**self._block, "input": _as_object(text)} if text else self._block


_Block = _TextToResponse | _ThinkingToResponse | _ToolUseToResponse | _Unknown
_KINDS: Mapping[str, type[_Block]] = {
    "text": _TextToResponse,
    "thinking": _ThinkingToResponse,
    "redacted_thinking": _ThinkingToResponse,
    "tool_use": _ToolUseToResponse,
}


class MessageToResponseReader:
    """Reads a reply of Claude, or several that continue each other, into a response.

    Args:
        builder: makes the response.
        tools: which tool a function stands for.
        context: what is known of the deployment.
        has_summary: thinking stands in the summary of its item, too.

    Attributes:
        stop_reason: why Claude stopped, once it is known.
        blocks: the content of the last reply, as it is sent back.
        text_length: how long the text of the open message is, in characters.
    """

    def __init__(
        self,
        builder: ResponseEventBuilder,
        tools: FunctionTools,
        context: ConversionContext,
        *,
        has_summary: bool,
    ) -> None:
        self.tools = tools
        self.context = context
        self.stop_reason: str | None = None
        self.blocks: list[dict[str, Any]] = []
        self.text_length = 0
        self._builder = builder
        self._has_summary = has_summary
        self._open: dict[Any, _Block] = {}
        self._message: MessageItemWriter | None = None
        self._call: CallItemWriter | None = None
        self._usage: dict[str, Any] = {}
        self._earlier_usage: list[dict[str, Any]] = []
        self._stop_details: _Fields = {}
        self._has_begun = False

    def add_message(self, message: _Fields) -> None:
        """A whole reply.

        Raises:
            ValueError: it is not a message.
        """
        content = message.get("content")
        if not isinstance(content, list):
            raise ValueError("the reply has no content")
        self.begin(message)
        for index, block in enumerate(content):
            if isinstance(block, Mapping):
                self.begin_block(index, block)
                self.end_block(index)
        self.add_delta(message, message.get("usage"))
        self.stop_reason = self.stop_reason or "end_turn"

    def begin(self, message: _Fields) -> None:
        """`message_start`: the first of a response, or one that goes on after a pause."""
        if not self._has_begun:
            self._has_begun = True
            self._builder.start()
        # Each reply of a turn that was paused counts its own tokens, and all of them are billed.
        if self._usage:
            self._earlier_usage.append(self._usage)
        self._usage = {}
        self.blocks = []
        self.stop_reason = None
        self._add_usage(message.get("usage"))

    def begin_block(self, index: Any, block: _Fields) -> None:
        """`content_block_start`."""
        # Blocks that are not known are kept: a paused turn has to be sent back whole.
        kind = _KINDS.get(str(block.get("type")), _Unknown)
        if kind is not _TextToResponse:
            self._end_message()
        self._end_call()
        self._open[index] = kind(self, block)

    def add_to_block(self, index: Any, delta: _Fields) -> None:
        """`content_block_delta`."""
        block = self._open.get(index)
        if block is not None:
            block.add(delta)

    def end_block(self, index: Any) -> None:
        """`content_block_stop`."""
        block = self._open.pop(index, None)
        if block is not None:
            self.blocks.append(block.close())

    def add_delta(self, delta: _Fields, usage: Any) -> None:
        """`message_delta`: why Claude stopped, and what it used so far."""
        if delta.get("stop_reason"):
            self.stop_reason = str(delta["stop_reason"])
        details = delta.get("stop_details")
        if isinstance(details, Mapping):
            self._stop_details = details
        self._add_usage(usage)

    def finish(self) -> None:
        """End the response as Claude's reason to stop says."""
        for index in list(self._open):
            self.end_block(index)
        # A refusal brings no block of its own, but callers look for a refusal in the message.
        if self.stop_reason == "refusal":
            self._refuse()
        # A turn that was continued as often as it may be is not whole.
        reason = "max_tokens" if self.stop_reason == "pause_turn" else self.stop_reason
        ended = status_of_stop(reason)
        details = ended.get("incomplete_details") or {}
        self._builder.finish(
            ended["status"],
            incomplete_reason=details.get("reason"),
            usage=self._used(),
            service_tier=_tier_of(self._usage.get("service_tier")),
        )

    def fail(self, code: str, message: str) -> None:
        """End the response as failed."""
        if not self._has_begun:
            self._builder.start()
        error = {"code": code, "message": message}
        self._builder.finish("failed", error=error, usage=self._used())

    def begin_reasoning(self) -> ReasoningItemWriter:
        """The item of a block of thinking."""
        return self._builder.begin_reasoning(with_summary=self._has_summary)

    def begin_call(self, call: _Fields) -> CallItemWriter:
        """The item of a call."""
        return self._builder.begin_call(call)

    def close_later(self, item: CallItemWriter) -> None:
        """End a call when the next block begins: a limit that cut it off is known only then."""
        self._call = item

    def say(self, text: str) -> None:
        """More text of the message."""
        if self._message is None:
            self._message = self._builder.begin_message()
        self._message.add_text(text)
        self.text_length += len(text)

    def cite(self, annotation: _Fields) -> None:
        """An annotation of the message."""
        if self._message is not None:
            self._message.annotate(annotation)

    def _refuse(self) -> None:
        self._end_call()
        if self._message is None:
            self._message = self._builder.begin_message()
        # The explanation may be null, and a refusal without text would look like an empty answer.
        self._message.add_refusal(str(self._stop_details.get("explanation") or _REFUSED))

    def _end_message(self) -> None:
        if self._message is not None:
            self._message.close()
        self._message = None
        self.text_length = 0

    def _end_call(self) -> None:
        if self._call is not None:
            self._call.close()
        self._call = None

    def _add_usage(self, usage: Any) -> None:
        # Counts are of the whole message so far, so the last ones hold.
        if isinstance(usage, Mapping):
            known = {name: value for name, value in usage.items() if value is not None}
            self._usage.update(known)

    def _used(self) -> dict[str, Any] | None:
        """The usage of all replies together; None where none was reported."""
        used = [messages_usage(usage) for usage in (*self._earlier_usage, self._usage)]
        known = [usage for usage in used if usage is not None]
        if not known:
            return None
        total = known[0]
        for usage in known[1:]:
            total = _sum(total, usage)
        return total


def _sum(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _sum(value, other[name]) if isinstance(value, dict) else value + other[name]
        for name, value in one.items()
    }


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping)


def _tier_of(tier: Any) -> str | None:
    return {"standard": "default", "priority": "priority"}.get(str(tier))


def _as_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
