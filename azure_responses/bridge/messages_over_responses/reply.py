"""A response, whole or as events, as the message that a Messages caller gets.

A whole response is read item by item, as if each had been announced and were complete; a stream
gives the same items in pieces. What the pieces left out follows with the whole item.
"""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.message_events import parse_object
from azure_responses.bridge.message_reply import MessageReply, Place
from azure_responses.bridge.message_request import MessagesRequest
from azure_responses.bridge.message_tools import ToolNames
from azure_responses.bridge.messages_over_responses.request import SEARCH_PREFIX
from azure_responses.bridge.messages_over_responses.thinking import (
    SEPARATOR,
    seal_reasoning,
    texts_of,
)
from azure_responses.protocol.conversion import ConversionContext
from azure_responses.protocol.sse import SSEDecoder

__all__ = ["ResponseToMessageReader", "ResponseToMessageStream"]

_Object = Mapping[str, Any]


class ResponseToMessageReader:
    """Reads what a response says into the caller's message.

    Args:
        request: what the caller asked for.
        names: of the tools, as they were sent.
        context: what is known beside the request.
    """

    def __init__(
        self, request: MessagesRequest, names: ToolNames, context: ConversionContext
    ) -> None:
        self.reply = MessageReply(request, context.new_id, request.stop_sequences)
        self._request = request
        self._names = names
        self._context = context
        self._done: set[int] = set()

    def read(self, response: _Object) -> dict[str, Any]:
        """The message of a whole response."""
        self.finish(response)
        assert self.reply.writer.final is not None
        return self.reply.writer.final

    def start(self, response: _Object) -> None:
        """Begin the message with what is known of the response."""
        response_id = response.get("id")
        message_id = f"msg_{response_id}" if response_id else None
        model = response.get("model") or self._context.deployment
        self.reply.start(str(model), message_id, response.get("usage"))

    def begin_call(self, index: int, item: _Object) -> None:
        """A call of a function."""
        name = self._names.restore(str(item.get("name") or ""))
        self.reply.begin_call(index, item.get("call_id"), name)

    def finish_item(self, index: int, item: Any) -> None:
        """A whole item."""
        kind = item.get("type") if isinstance(item, Mapping) else None
        # The last event repeats all items: those that events brought already are not written again.
        if index in self._done or kind not in _FINISHERS:
            return
        self._done.add(index)
        _FINISHERS[kind](self, index, item)

    def _finish_message(self, index: int, item: _Object) -> None:
        parts = item.get("content")
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            place = (index, number)
            if part.get("type") == "refusal":
                self.reply.complete_text(place, part.get("refusal"), is_refusal=True)
                continue
            self.reply.complete_text(place, part.get("text"))
            for count, annotation in enumerate(part.get("annotations") or ()):
                self.reply.annotate(place, annotation, count)

    def _finish_reasoning(self, index: int, item: _Object) -> None:
        seen = self.reply.thinking_so_far(index)
        whole = SEPARATOR.join(texts_of(item)) if self._request.summarizes else ""
        # An item that shows nothing, and cannot be sent again, is no thinking.
        if self.reply.hides_thinking or (seen is None and not whole and not _is_sealed(item)):
            return
        self.reply.add_thinking(index, whole[len(seen or "") :])
        # Azure encrypts the reasoning anew in every event (three texts for one item in chatlas's
        # recordings), so it is taken from the whole item only.
        shown = item if self._request.summarizes else {**item, "summary": [], "content": []}
        self.reply.finish_thinking(index, seal_reasoning(shown, self._context))

    def _finish_call(self, index: int, item: _Object) -> None:
        self.begin_call(index, item)
        self.reply.finish_call(index, item.get("arguments"))

    def _finish_search(self, index: int, item: _Object) -> None:
        action = item.get("action")
        if not isinstance(action, Mapping):
            return
        call_id = f"{SEARCH_PREFIX}{item.get('id') or self._context.new_id('ws_')}"
        # A search has one query or several; opening a page has its address.
        query = action.get("query") or " ".join(action.get("queries") or ()) or action.get("url")
        pages = [_page(source) for source in action.get("sources") or ()]
        is_search = action.get("type") == "search"
        self.reply.add_search(call_id, str(query or ""), pages, is_billed=is_search)

    def finish(self, response: _Object) -> None:
        """The response has ended: what no event brought follows, then the end."""
        self.start(response)
        output = response.get("output")
        for index, item in enumerate(output if isinstance(output, list) else ()):
            self.finish_item(index, item)
        details = response.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, Mapping) else details
        self.reply.finish(response.get("status"), reason, response.get("usage"))


def _is_sealed(item: _Object) -> bool:
    return bool(item.get("encrypted_content"))


def _page(source: Any) -> dict[str, Any]:
    fields = source if isinstance(source, Mapping) else {}
    url = str(fields.get("url") or "")
    title = str(fields.get("title") or url)
    page = {"type": "web_search_result", "url": url, "title": title, "page_age": None}
    return {**page, "encrypted_content": ""}


_FINISHERS: dict[Any, Callable[[ResponseToMessageReader, int, _Object], None]] = {
    "message": ResponseToMessageReader._finish_message,
    "reasoning": ResponseToMessageReader._finish_reasoning,
    "function_call": ResponseToMessageReader._finish_call,
    "web_search_call": ResponseToMessageReader._finish_search,
}


class ResponseToMessageStream:
    """The events of one response, as those of a message.

    Attributes:
        final: the whole message, once the stream has ended in order.
    """

    def __init__(self, reader: ResponseToMessageReader) -> None:
        self.final: dict[str, Any] | None = None
        self._reader = reader
        self._reply = reader.reply
        self._writer = reader.reply.writer
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
            # The event that failed may have come without a reason, for one that follows it.
            reason = None if self._has_failed else "The stream ended before the answer did."
            self._reply.fail(reason)
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
        self._reader.start(_response_of(event))

    def _add_text(self, event: _Object) -> None:
        self._reader.start({})
        self._reply.add_text(_place_of(event), event.get("delta") or "")

    def _complete_text(self, event: _Object) -> None:
        self._reply.complete_text(_place_of(event), event.get("text"))

    def _add_refusal(self, event: _Object) -> None:
        self._reader.start({})
        self._reply.add_text(_place_of(event), event.get("delta") or "", is_refusal=True)

    def _annotate(self, event: _Object) -> None:
        index = event.get("annotation_index")
        number = index if type(index) is int else 0
        self._reply.annotate(_place_of(event), event.get("annotation"), number)

    def _add_thinking(self, event: _Object) -> None:
        self._reader.start({})
        index = _index_of(event)
        part = event.get("summary_index", event.get("content_index"))
        # A summary comes in parts, a thinking block is one text.
        if self._parts.setdefault(index, part) != part:
            self._parts[index] = part
            self._reply.add_thinking(index, SEPARATOR)
        self._reply.add_thinking(index, event.get("delta") or "")

    def _begin_item(self, event: _Object) -> None:
        self._reader.start({})
        item = event.get("item")
        if isinstance(item, Mapping) and item.get("type") == "function_call":
            self._reader.begin_call(_index_of(event), item)

    def _add_arguments(self, event: _Object) -> None:
        self._reply.add_arguments(_index_of(event), event.get("delta") or "")

    def _finish_item(self, event: _Object) -> None:
        self._reader.start({})
        self._reader.finish_item(_index_of(event), event.get("item"))

    def _finish(self, event: _Object) -> None:
        self._reader.finish(_response_of(event))
        self.final = self._writer.final

    def _fail(self, event: _Object) -> None:
        """`response.failed`, or `error`, which may follow it with the reason."""
        error = _response_of(event).get("error") or event.get("error")
        # The fields stand in `error` on OpenAI's and Azure's wire, and flat in the event by the
        # specification. Both occur.
        if event.get("type") == "error":
            error = error or event
        # Azure reports a limit in three orders: `error` before `response.failed`, after one whose
        # error is null (pi #7983), or that event alone (pi #1458).
        if error:
            self._reply.fail(error)
        self._has_failed = True


def _response_of(event: _Object) -> _Object:
    response = event.get("response")
    return response if isinstance(response, Mapping) else {}


def _index_of(event: _Object) -> int:
    index = event.get("output_index")
    return index if type(index) is int else 0


def _place_of(event: _Object) -> Place:
    return event.get("output_index"), event.get("content_index")


# Events that are not listed repeat what these say, such as `response.content_part.done`.
_EVENTS: dict[Any, Callable[[ResponseToMessageStream, _Object], None]] = {
    "response.created": ResponseToMessageStream._start,
    "response.output_text.delta": ResponseToMessageStream._add_text,
    "response.output_text.done": ResponseToMessageStream._complete_text,
    "response.output_text.annotation.added": ResponseToMessageStream._annotate,
    "response.refusal.delta": ResponseToMessageStream._add_refusal,
    "response.reasoning_summary_text.delta": ResponseToMessageStream._add_thinking,
    "response.reasoning_text.delta": ResponseToMessageStream._add_thinking,
    "response.output_item.added": ResponseToMessageStream._begin_item,
    "response.function_call_arguments.delta": ResponseToMessageStream._add_arguments,
    "response.output_item.done": ResponseToMessageStream._finish_item,
    "response.completed": ResponseToMessageStream._finish,
    "response.incomplete": ResponseToMessageStream._finish,
    "response.cancelled": ResponseToMessageStream._finish,
    "response.failed": ResponseToMessageStream._fail,
    "error": ResponseToMessageStream._fail,
}
