"""The reply of a Messages caller in the making, whatever the deployment speaks.

The readers of the deployments' replies tell what comes, by places of their own: the index of an
item, or the number of a part. What the caller did not ask for, and what follows a stop sequence, is
left out here.
"""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.message_events import (
    Block,
    MessageEventWriter,
    error_type,
    text_start,
    write_json,
)
from azure_responses.bridge.message_request import MessagesRequest
from azure_responses.bridge.stop_sequences import StopCutter

__all__ = ["MessageReply", "Place"]

_Object = Mapping[str, Any]
Place = Any


class _ReplyText:
    """One text of the reply: how much of it has come, and the block it stands in."""

    __slots__ = ("annotations", "block", "cutter", "length")

    def __init__(self, cutter: StopCutter | None) -> None:
        self.block: Block | None = None
        self.cutter = cutter
        self.length = 0
        self.annotations = 0


class MessageReply:
    """The message so far.

    Args:
        request: what the caller asked for.
        new_id: makes an id with a given prefix.
        stop_sequences: those that are applied here; none where the deployment knows them.

    Attributes:
        writer: writes the events.
    """

    def __init__(
        self,
        request: MessagesRequest,
        new_id: Callable[[str], str],
        stop_sequences: tuple[str, ...] = (),
    ) -> None:
        self.writer = MessageEventWriter()
        self._request = request
        self._new_id = new_id
        self._stop_sequences = stop_sequences
        self._texts: dict[Place, _ReplyText] = {}
        self._blocks: dict[Place, Block] = {}
        self._matched: str | None = None
        self._refusal: list[str] = []
        self._carried: list[str] = []
        self._has_calls = False
        self._searches = 0

    @property
    def hides_thinking(self) -> bool:
        """True where no thinking is shown.

        Programs that did not ask for thinking take the first block for the answer.
        """
        return not self._request.shows_thinking or self._matched is not None

    def start(self, model: str, message_id: str | None = None, usage: Any = None) -> None:
        """Begin the message, unless it has begun."""
        if not self.writer.has_started:
            given = message_id or self._new_id("msg_")
            self.writer.start(given, model, _convert_usage(usage))

    def add_text(self, place: Place, delta: str, *, is_refusal: bool = False) -> None:
        """More of a text."""
        if self._matched is not None or not delta:
            return
        text = self._texts.get(place)
        if text is None:
            sequences = self._stop_sequences
            text = self._texts[place] = _ReplyText(StopCutter(sequences) if sequences else None)
        text.length += len(delta)
        # A refusal is not cut at a stop sequence: the caller needs the whole explanation.
        if is_refusal:
            self._refusal.append(delta)
        elif text.cutter is not None:
            delta = text.cutter.feed(delta)
            self._matched = text.cutter.matched
        self._emit_text(text, delta)

    def _emit_text(self, text: _ReplyText, delta: str) -> None:
        if not delta:
            return
        if text.block is None or text.block.is_closed:
            # Annotations may follow a text that is whole, so it ends only when the next block
            # begins.
            text.block = self.writer.open(text_start(), ends_itself=True)
        self.writer.add(text.block, "text", delta)

    def complete_text(self, place: Place, whole: Any, *, is_refusal: bool = False) -> None:
        """A text is whole; what of it did not come follows."""
        seen = self._texts[place].length if place in self._texts else 0
        if isinstance(whole, str):
            self.add_text(place, whole[seen:], is_refusal=is_refusal)
        text = self._texts.get(place)
        if text is not None and text.cutter is not None and self._matched is None:
            self._emit_text(text, text.cutter.finish())

    def annotate(self, place: Place, annotation: Any, index: int) -> None:
        """A source of a text; those that came already are passed over."""
        text = self._texts.get(place)
        # The whole item repeats what its events brought.
        if text is None or text.block is None or text.block.is_closed or index < text.annotations:
            return
        text.annotations = index + 1
        if isinstance(annotation, Mapping) and annotation.get("type") == "url_citation":
            self.writer.add(text.block, "citation", _cite(annotation))

    def add_thinking(self, place: Place, delta: str) -> None:
        """More of the text of reasoning."""
        if self.hides_thinking or (delta and not self._request.summarizes):
            return
        block = self._blocks.get(place)
        if block is None:
            # The anthropic package adds each delta to the field, so it has to be there at once.
            start = {"type": "thinking", "thinking": "", "signature": ""}
            block = self._blocks[place] = self.writer.open(start)
        if delta:
            self.writer.add(block, "thinking", delta)

    def thinking_so_far(self, place: Place) -> str | None:
        """The text of reasoning that was shown; None where none of it has begun."""
        block = self._blocks.get(place)
        return None if block is None else block.joined("thinking")

    def finish_thinking(self, place: Place, signature: str) -> None:
        """Reasoning is whole; its signature comes last."""
        self.add_thinking(place, "")
        block = self._blocks.get(place)
        if block is not None and not block.is_closed:
            self.writer.add(block, "signature", signature)
            self.writer.close(block)

    def carry(self, sealed: str) -> None:
        """Reasoning that is not shown, but that the model wants back with the results of calls.

        It stands behind the calls, where programs that did not ask for thinking do not look.
        """
        self._carried.append(sealed)

    def begin_call(self, place: Place, call_id: Any, name: str) -> None:
        """A call of a function."""
        if place in self._blocks or self._matched is not None:
            return
        self._has_calls = True
        start: dict[str, Any] = {"type": "tool_use", "id": call_id or self._new_id("call_")}
        self._blocks[place] = self.writer.open({**start, "name": name, "input": {}})

    def add_arguments(self, place: Place, delta: str) -> None:
        """More of a call's arguments."""
        block = self._blocks.get(place)
        if block is not None and delta and not block.is_closed:
            self.writer.add(block, "json", delta)

    def finish_call(self, place: Place, arguments: Any = None) -> None:
        """A call is whole; what of its arguments did not come follows."""
        block = self._blocks.get(place)
        if block is not None:
            if isinstance(arguments, str):
                self.add_arguments(place, arguments[len(block.joined("json")) :])
            self.writer.close(block)

    def add_search(
        self, call_id: str, query: str, pages: list[dict[str, Any]], *, is_billed: bool
    ) -> None:
        """A search on the web that the service carried out, or a page that it opened."""
        if self._matched is not None:
            return
        self._searches += is_billed
        start = {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {}}
        call = self.writer.open(start)
        self.writer.add(call, "json", write_json({"query": query}))
        self.writer.close(call)
        result = {"type": "web_search_tool_result", "tool_use_id": call_id, "content": pages}
        self.writer.close(self.writer.open(result))

    def finish(self, status: str | None, reason: str | None, usage: Any) -> None:
        """The reply has ended.

        Args:
            status: of a response.
            reason: why it is incomplete.
            usage: in the terms of a response.
        """
        for place in list(self._texts):
            self.complete_text(place, None)
        if self._has_calls and self._matched is None:
            for sealed in self._carried:
                self.writer.open({"type": "redacted_thinking", "data": sealed})
        counts = _convert_usage(usage)
        if self._searches:
            counts["server_tool_use"] = {
                "web_search_requests": self._searches,
                "web_fetch_requests": 0,
            }
        stop_reason = self._stop_reason(status, reason)
        details = self._stop_details() if stop_reason == "refusal" else None
        self.writer.finish(stop_reason, counts, self._matched, details)

    def _stop_reason(self, status: str | None, reason: str | None) -> str:
        if self._matched is not None:
            return "stop_sequence"
        if reason == "content_filter" or self._refusal:
            return "refusal"
        # Messages has no reason for an answer that was cancelled. This one at least says that it is
        # not whole.
        if status in ("incomplete", "cancelled"):
            return "max_tokens"
        return "tool_use" if self._has_calls else "end_turn"

    def _stop_details(self) -> dict[str, Any]:
        explanation = "".join(self._refusal) or "The content filter of the service cut the answer."
        return {"type": "refusal", "category": None, "explanation": explanation}

    def fail(self, error: Any) -> None:
        """The reply failed."""
        fields = error if isinstance(error, Mapping) else {}
        message = fields.get("message") or (error if isinstance(error, str) else None)
        code = fields.get("code") or fields.get("type")
        self.writer.fail(error_type(code), message or "The model could not answer.")


def _cite(annotation: _Object) -> dict[str, Any]:
    """A citation of a page; what the page says there is not known."""
    return {
        "type": "web_search_result_location",
        "url": str(annotation.get("url") or ""),
        "title": annotation.get("title"),
        "cited_text": "",
        # The anthropic package requires this field and `cited_text`. Only Anthropic's own search
        # knows their values.
        "encrypted_index": "",
    }


def _convert_usage(usage: Any) -> dict[str, Any]:
    """Tokens as Anthropic counts them: the input without what was cached."""
    fields = usage if isinstance(usage, Mapping) else {}
    read, written = _details(fields, "input"), _details(fields, "output")
    cached, added = _count(read, "cached_tokens"), _count(read, "cache_write_tokens")
    converted: dict[str, Any] = {
        # Anthropic counts cached tokens beside the input, OpenAI within it. A deployment that
        # already counts Anthropic's way must not give a negative number.
        "input_tokens": max(_count(fields, "input_tokens") - cached - added, 0),
        "cache_creation_input_tokens": added,
        "cache_read_input_tokens": cached,
        "output_tokens": _count(fields, "output_tokens"),
    }
    if "reasoning_tokens" in written:
        thinking = _count(written, "reasoning_tokens")
        converted["output_tokens_details"] = {"thinking_tokens": thinking}
    return converted


def _details(usage: _Object, name: str) -> _Object:
    details = usage.get(f"{name}_tokens_details")
    return details if isinstance(details, Mapping) else {}


def _count(fields: _Object, name: str) -> int:
    value = fields.get(name)
    return value if type(value) is int else 0
