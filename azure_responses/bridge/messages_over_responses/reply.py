"""A response, whole or as events, as the message that a Messages caller gets.

A whole response is read item by item, as if each had been announced and were complete; a stream
gives the same items in pieces. What the pieces left out follows with the whole item.
"""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.message_events import (
    Block,
    MessageWriter,
    error_type,
    parse_object,
    text_start,
    write_json,
)
from azure_responses.bridge.message_request import MessagesRequest
from azure_responses.bridge.message_tools import ToolNames
from azure_responses.bridge.messages_over_responses.request import SEARCH_PREFIX
from azure_responses.bridge.messages_over_responses.thinking import (
    SEPARATOR,
    seal_reasoning,
    texts_of,
)
from azure_responses.bridge.stop_sequences import StopCutter
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.sse import SSEDecoder

__all__ = ["ReplyReader", "ReplyStream"]

_Object = Mapping[str, Any]
_Place = tuple[Any, ...]


class ReplyReader:
    """What reading a reply has to know of its request.

    Attributes:
        names: the tools' names as they are sent.
    """

    def __init__(self, context: ConversionContext) -> None:
        self.context = context
        self.names = ToolNames()
        self.request = MessagesRequest()

    def expect(self, request: MessagesRequest) -> None:
        """The request that was sent."""
        self.request = request

    def read(self, response: _Object) -> dict[str, Any]:
        """The message of a whole response."""
        draft = MessageDraft(self)
        draft.finish(response)
        assert draft.writer.final is not None
        return draft.writer.final


class _Text:
    """One text of the reply: how much of it has come, and the block it stands in."""

    __slots__ = ("annotations", "block", "cutter", "length")

    def __init__(self, cutter: StopCutter | None) -> None:
        self.block: Block | None = None
        self.cutter = cutter
        self.length = 0
        self.annotations = 0


class MessageDraft:
    """The message so far."""

    def __init__(self, reader: ReplyReader) -> None:
        self.writer = MessageWriter()
        self._reader = reader
        self._request = reader.request
        self._texts: dict[_Place, _Text] = {}
        self._blocks: dict[int, Block] = {}
        self._done: set[int] = set()
        self._stop_sequence: str | None = None
        self._refusal: list[str] = []
        self._has_calls = False
        self._searches = 0

    def start(self, response: _Object) -> None:
        """Begin the message with what is known of the response."""
        if self.writer.has_started:
            return
        context = self._reader.context
        response_id = response.get("id")
        message_id = f"msg_{response_id}" if response_id else context.new_id("msg_")
        usage = _convert_usage(response.get("usage"))
        self.writer.start(message_id, response.get("model") or context.deployment, usage)

    def add_text(self, place: _Place, delta: str, *, is_refusal: bool = False) -> None:
        """More of a text."""
        if self._stop_sequence is not None or not delta:
            return
        text = self._texts.get(place)
        if text is None:
            sequences = self._request.stop_sequences
            text = self._texts[place] = _Text(StopCutter(sequences) if sequences else None)
        text.length += len(delta)
        if is_refusal:
            self._refusal.append(delta)
        elif text.cutter is not None:
            delta = text.cutter.feed(delta)
            self._stop_sequence = text.cutter.matched
        self._emit_text(text, delta)

    def _emit_text(self, text: _Text, delta: str) -> None:
        if not delta:
            return
        if text.block is None or text.block.is_closed:
            text.block = self.writer.open(text_start(), ends_itself=True)
        self.writer.add(text.block, "text", delta)

    def complete_text(self, place: _Place, whole: Any, *, is_refusal: bool = False) -> None:
        """A text is whole; what of it did not come follows."""
        seen = self._texts[place].length if place in self._texts else 0
        if isinstance(whole, str):
            self.add_text(place, whole[seen:], is_refusal=is_refusal)
        text = self._texts.get(place)
        if text is not None and text.cutter is not None and self._stop_sequence is None:
            self._emit_text(text, text.cutter.finish())

    def annotate(self, place: _Place, annotation: Any, index: int) -> None:
        """A source of a text; those that came already are passed over."""
        text = self._texts.get(place)
        if text is None or text.block is None or text.block.is_closed or index < text.annotations:
            return
        text.annotations = index + 1
        if isinstance(annotation, Mapping) and annotation.get("type") == "url_citation":
            self.writer.add(text.block, "citation", _cite(annotation))

    def add_thinking(self, index: int, delta: str) -> None:
        """More of the text of a reasoning item."""
        if self._is_hidden() or (delta and not self._request.summarizes):
            return
        if index not in self._blocks:
            start = {"type": "thinking", "thinking": "", "signature": ""}
            self._blocks[index] = self.writer.open(start)
        if delta:
            self.writer.add(self._blocks[index], "thinking", delta)

    def separate_thinking(self, index: int) -> None:
        """Another part of a summary begins."""
        if index in self._blocks:
            self.add_thinking(index, SEPARATOR)

    def _is_hidden(self) -> bool:
        # Programs that did not ask for thinking take the first block for the answer.
        return not self._request.shows_thinking or self._stop_sequence is not None

    def begin_call(self, index: int, item: _Object) -> None:
        """A call of a function."""
        if index in self._blocks or self._stop_sequence is not None:
            return
        self._has_calls = True
        start: dict[str, Any] = {
            "type": "tool_use",
            "id": item.get("call_id") or self._reader.context.new_id("call_"),
            "name": self._reader.names.restore(str(item.get("name") or "")),
            "input": {},
        }
        self._blocks[index] = self.writer.open(start)

    def add_arguments(self, index: int, delta: str) -> None:
        """More of a call's arguments."""
        block = self._blocks.get(index)
        if block is not None and delta and not block.is_closed:
            self.writer.add(block, "json", delta)

    def finish_item(self, index: int, item: Any) -> None:
        """A whole item."""
        kind = item.get("type") if isinstance(item, Mapping) else None
        if index in self._done or kind not in _FINISHERS:
            return
        self._done.add(index)
        _FINISHERS[kind](self, index, item)

    def _finish_message(self, index: int, item: _Object) -> None:
        parts = item.get("content")
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            place = (index, number)
            if part.get("type") == "refusal":
                self.complete_text(place, part.get("refusal"), is_refusal=True)
                continue
            self.complete_text(place, part.get("text"))
            for count, annotation in enumerate(part.get("annotations") or ()):
                self.annotate(place, annotation, count)

    def _finish_reasoning(self, index: int, item: _Object) -> None:
        if self._is_hidden():
            return
        whole = SEPARATOR.join(texts_of(item)) if self._request.summarizes else ""
        if index not in self._blocks and not whole and not item.get("encrypted_content"):
            # It shows nothing, and cannot be sent again.
            return
        seen = self._blocks[index].joined("thinking") if index in self._blocks else ""
        self.add_thinking(index, whole[len(seen) :])
        block = self._blocks[index]
        shown = {**item, "summary": [], "content": []} if not self._request.summarizes else item
        self.writer.add(block, "signature", seal_reasoning(shown, self._reader.context))
        self.writer.close(block)

    def _finish_call(self, index: int, item: _Object) -> None:
        self.begin_call(index, item)
        block = self._blocks.get(index)
        if block is not None:
            arguments = item.get("arguments")
            if isinstance(arguments, str):
                self.add_arguments(index, arguments[len(block.joined("json")) :])
            self.writer.close(block)

    def _finish_search(self, index: int, item: _Object) -> None:
        action = item.get("action")
        if self._stop_sequence is not None or not isinstance(action, Mapping):
            return
        self._searches += action.get("type") == "search"
        call_id = f"{SEARCH_PREFIX}{item.get('id') or self._reader.context.new_id('ws_')}"
        start: dict[str, Any]
        start = {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": {}}
        call = self.writer.open(start)
        query = action.get("query") or " ".join(action.get("queries") or ()) or action.get("url")
        self.writer.add(call, "json", write_json({"query": query or ""}))
        self.writer.close(call)
        found = [_page(source) for source in action.get("sources") or ()]
        result = {"type": "web_search_tool_result", "tool_use_id": call_id, "content": found}
        self.writer.close(self.writer.open(result))

    def finish(self, response: _Object) -> None:
        """The response has ended: what no event brought follows, then the end."""
        self.start(response)
        output = response.get("output")
        for index, item in enumerate(output if isinstance(output, list) else ()):
            self.finish_item(index, item)
        for place in list(self._texts):
            self.complete_text(place, None)
        usage = _convert_usage(response.get("usage"))
        if self._searches:
            usage["server_tool_use"] = {
                "web_search_requests": self._searches,
                "web_fetch_requests": 0,
            }
        reason = self._stop_reason(response)
        details = self._stop_details(reason)
        self.writer.finish(reason, usage, self._stop_sequence, details)

    def _stop_reason(self, response: _Object) -> str:
        if self._stop_sequence is not None:
            return "stop_sequence"
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else details
        if reason == "content_filter" or self._refusal:
            return "refusal"
        if response.get("status") in ("incomplete", "cancelled"):
            return "max_tokens"
        return "tool_use" if self._has_calls else "end_turn"

    def _stop_details(self, reason: str) -> dict[str, Any] | None:
        if reason != "refusal":
            return None
        explanation = "".join(self._refusal) or "The content filter of the service cut the answer."
        return {"type": "refusal", "category": None, "explanation": explanation}

    def fail(self, error: Any) -> None:
        """The response failed."""
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
        "encrypted_index": "",
    }


def _page(source: Any) -> dict[str, Any]:
    fields = source if isinstance(source, Mapping) else {}
    url = str(fields.get("url") or "")
    title = str(fields.get("title") or url)
    page = {"type": "web_search_result", "url": url, "title": title, "page_age": None}
    return {**page, "encrypted_content": ""}


def _convert_usage(usage: Any) -> dict[str, Any]:
    """Tokens as Anthropic counts them: the input without what was cached."""
    fields = usage if isinstance(usage, Mapping) else {}
    read, written = _details(fields, "input"), _details(fields, "output")
    cached, added = _count(read, "cached_tokens"), _count(read, "cache_write_tokens")
    converted: dict[str, Any] = {
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


_FINISHERS: dict[Any, Callable[[MessageDraft, int, _Object], None]] = {
    "message": MessageDraft._finish_message,
    "reasoning": MessageDraft._finish_reasoning,
    "function_call": MessageDraft._finish_call,
    "web_search_call": MessageDraft._finish_search,
}


class ReplyStream:
    """The events of one response, as those of a message.

    Attributes:
        final: the whole message, once the stream has ended in order.
    """

    def __init__(self, reader: ReplyReader) -> None:
        self.final: dict[str, Any] | None = None
        self._draft = MessageDraft(reader)
        self._writer = self._draft.writer
        self._decoder = SSEDecoder()
        self._has_failed = False
        self._parts: dict[int, Any] = {}

    def receive(self, chunk: bytes) -> bytes:
        """The caller's events for bytes of the deployment's stream."""
        for _, data in self._decoder.feed(chunk):
            self._take(data)
        return self._writer.take()

    def end(self) -> bytes:
        """What is due when the deployment's stream has ended."""
        for _, data in self._decoder.flush():
            self._take(data)
        if not self._writer.is_over:
            reason = None if self._has_failed else "The stream ended before the answer did."
            self._draft.fail(reason)
        return self._writer.take()

    def _take(self, data: bytes) -> None:
        if self._writer.is_over:
            return
        event = parse_object(data)
        if event is None:
            return
        take = _EVENTS.get(event.get("type"))
        if take is not None:
            take(self, event)

    def _start(self, event: _Object) -> None:
        self._draft.start(_response_of(event))

    def _add_text(self, event: _Object) -> None:
        self._draft.start({})
        self._draft.add_text(_place_of(event), event.get("delta") or "")

    def _complete_text(self, event: _Object) -> None:
        self._draft.complete_text(_place_of(event), event.get("text"))

    def _add_refusal(self, event: _Object) -> None:
        self._draft.start({})
        self._draft.add_text(_place_of(event), event.get("delta") or "", is_refusal=True)

    def _annotate(self, event: _Object) -> None:
        index = event.get("annotation_index")
        number = index if type(index) is int else 0
        self._draft.annotate(_place_of(event), event.get("annotation"), number)

    def _add_thinking(self, event: _Object) -> None:
        self._draft.start({})
        index = _index_of(event)
        part = event.get("summary_index", event.get("content_index"))
        if self._parts.setdefault(index, part) != part:
            self._parts[index] = part
            self._draft.separate_thinking(index)
        self._draft.add_thinking(index, event.get("delta") or "")

    def _begin_item(self, event: _Object) -> None:
        self._draft.start({})
        item = event.get("item")
        if isinstance(item, Mapping) and item.get("type") == "function_call":
            self._draft.begin_call(_index_of(event), item)

    def _add_arguments(self, event: _Object) -> None:
        self._draft.add_arguments(_index_of(event), event.get("delta") or "")

    def _finish_item(self, event: _Object) -> None:
        self._draft.start({})
        self._draft.finish_item(_index_of(event), event.get("item"))

    def _finish(self, event: _Object) -> None:
        self._draft.finish(_response_of(event))
        self.final = self._writer.final

    def _fail(self, event: _Object) -> None:
        """`response.failed`, or `error`, which may follow it with the reason."""
        error = _response_of(event).get("error") or event.get("error")
        if event.get("type") == "error":
            error = error or event
        if error:
            self._draft.fail(error)
        self._has_failed = True


def _response_of(event: _Object) -> _Object:
    response = event.get("response")
    return response if isinstance(response, Mapping) else {}


def _index_of(event: _Object) -> int:
    index = event.get("output_index")
    return index if type(index) is int else 0


def _place_of(event: _Object) -> _Place:
    return event.get("output_index"), event.get("content_index")


_EVENTS: dict[Any, Callable[[ReplyStream, _Object], None]] = {
    "response.created": ReplyStream._start,
    "response.output_text.delta": ReplyStream._add_text,
    "response.output_text.done": ReplyStream._complete_text,
    "response.output_text.annotation.added": ReplyStream._annotate,
    "response.refusal.delta": ReplyStream._add_refusal,
    "response.reasoning_summary_text.delta": ReplyStream._add_thinking,
    "response.reasoning_text.delta": ReplyStream._add_thinking,
    "response.output_item.added": ReplyStream._begin_item,
    "response.function_call_arguments.delta": ReplyStream._add_arguments,
    "response.output_item.done": ReplyStream._finish_item,
    "response.completed": ReplyStream._finish,
    "response.incomplete": ReplyStream._finish,
    "response.cancelled": ReplyStream._finish,
    "response.failed": ReplyStream._fail,
    "error": ReplyStream._fail,
}
