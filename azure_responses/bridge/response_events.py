"""The items, the response and the events of a reply that the Responses API did not write.

A conversion tells a `ResponseEventBuilder` what its deployment says, piece by piece: it begins
items, adds text to them, closes them, and finishes the response. The builder makes from that the
output items, the response with what it repeats of the request, and the server-sent events in the
order and with the fields that Azure sends. A reply that is not streamed goes the same way, so that
both say the same.

Items may be open side by side, as parallel calls are whose pieces alternate. The output index of
an item is its place in the order in which items began. Nothing is announced that has no content:
a conversion begins an item with its first piece.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from pydantic_core import PydanticSerializationError, to_json

from azure_responses.bridge.function_calls import ID_PREFIXES

__all__ = [
    "CallItemWriter",
    "EndStatus",
    "MessageItemWriter",
    "ReasoningItemWriter",
    "ResponseEventBuilder",
]

EndStatus = Literal["completed", "incomplete", "failed", "cancelled"]
_Object = dict[str, Any]

# type of the item → (beginning of its events' types, the field that its deltas add to)
_STREAMED: Mapping[str, tuple[str, str]] = {
    "function_call": ("response.function_call_arguments", "arguments"),
    "custom_tool_call": ("response.custom_tool_call_input", "input"),
}


def _encode(value: Any) -> bytes:
    try:
        return to_json(value, inf_nan_mode="null")
    except PydanticSerializationError:
        # Half of a surrogate pair: some servers cut a character in two. JSON can carry it escaped.
        return json.dumps(value, separators=(",", ":")).encode("ascii")


class ResponseEventBuilder:
    """Builds one response and its events.

    Args:
        response: as `response_object.begin_response` makes it.
        new_id: makes an id with a given prefix, such as "msg_".
        streams: events are wanted. Without them the response alone is made, as exactly the same.

    Attributes:
        final: the whole response, once it is finished.
    """

    def __init__(
        self, response: Mapping[str, Any], new_id: Callable[[str], str], *, streams: bool = True
    ) -> None:
        self.final: dict[str, Any] | None = None
        self._response = dict(response)
        self._new_id = new_id
        self._streams = streams
        self._items: list[ReasoningItemWriter | MessageItemWriter | CallItemWriter | None] = []
        self._pending: list[bytes] = []
        self._sequence_number = 0

    def start(self) -> None:
        """The response exists and is in progress."""
        if self._streams:
            # It may repeat long instructions and many tools: they are encoded once.
            encoded = _encode(self._response)
            self._emit_response("response.created", encoded)
            self._emit_response("response.in_progress", encoded)

    def begin_reasoning(self, *, with_summary: bool = False) -> "ReasoningItemWriter":
        """A reasoning item.

        Args:
            with_summary: the text stands in `summary`, too, for a caller that asked for one: many
                clients show nothing else.
        """
        return ReasoningItemWriter(self, self._new_id("rs_"), with_summary)

    def begin_message(self) -> "MessageItemWriter":
        """A message of the assistant."""
        return MessageItemWriter(self, self._new_id("msg_"))

    def reserve(self) -> int:
        """The next place in the output, for a call of which is not known yet what it is."""
        self._items.append(None)
        return len(self._items) - 1

    def begin_call(self, call: Mapping[str, Any], *, place: int | None = None) -> "CallItemWriter":
        """A call that the caller carries out.

        Args:
            call: the item as far as it is known: `type`, `call_id`, `name` and the like. Of a
                function call or a custom tool call the arguments or the input follow with `add`;
                a call of another type gets its fields when it is closed, and has here what a
                reader needs meanwhile (an empty `action`, for instance).
            place: one that was reserved.
        """
        item_id = self._new_id(ID_PREFIXES.get(str(call["type"]), "fc_"))
        return CallItemWriter(self, item_id, call, place)

    def finish(
        self,
        status: EndStatus,
        *,
        incomplete_reason: str | None = None,
        error: Mapping[str, Any] | None = None,
        usage: Mapping[str, Any] | None = None,
        content_filters: list[dict[str, Any]] | None = None,
        service_tier: str | None = None,
    ) -> dict[str, Any]:
        """End the response, and return it.

        Items that are still open are closed with it; they are incomplete if the response is. Those
        of a response that failed get no further events.

        Args:
            status: how it ended.
            incomplete_reason: "max_output_tokens" or "content_filter".
            error: `code` and `message` of a failure.
            usage: as `response_object.usage_of` makes it.
            content_filters: Azure's verdicts.
            service_tier: the tier that served the request.
        """
        self._close_items(status)
        final = self.final = self._response
        final["status"] = status
        final["incomplete_details"] = incomplete_reason and {"reason": incomplete_reason}
        final["error"] = error
        final["usage"] = usage
        final["content_filters"] = content_filters
        final["output"] = [item.fields for item in self._items if item is not None]
        # They refer to the builder. A circle would stay in memory until it is searched for.
        self._items = []
        if service_tier is not None:
            final["service_tier"] = service_tier
        if self._streams:
            self._emit_response(f"response.{status}", _encode(final))
        return final

    def take(self) -> bytes:
        """The events since the last time, as bytes of the stream."""
        events = b"".join(self._pending)
        self._pending.clear()
        return events

    @property
    def is_over(self) -> bool:
        """The response is finished, in order or not."""
        return self.final is not None

    def _close_items(self, status: str) -> None:
        # A failure is all that follows: the items that it interrupts get no end of their own.
        self._streams, streams = self._streams and status != "failed", self._streams
        for item in self._items:
            if item is not None and item.is_open:
                item.close("completed" if status == "completed" else "incomplete")
        self._streams = streams

    def _add(self, item: Any, place: int | None) -> int:
        if place is None:
            self._items.append(item)
            return len(self._items) - 1
        self._items[place] = item
        return place

    def _emit(self, kind: str, fields: Mapping[str, Any], place: Mapping[str, Any]) -> None:
        if self._streams:
            number = self._sequence_number
            event = {"type": kind, **fields, **place, "sequence_number": number}
            self._sequence_number = number + 1
            self._pending.append(b"event: %s\ndata: %s\n\n" % (kind.encode(), _encode(event)))

    def _emit_response(self, kind: str, encoded: bytes) -> None:
        name = kind.encode()
        self._pending.append(
            b'event: %s\ndata: {"type":"%s","response":%s,"sequence_number":%d}\n\n'
            % (name, name, encoded, self._sequence_number)
        )
        self._sequence_number += 1


class _Deltas:
    """The delta events of one text, which are alike but for the text and the number."""

    def __init__(self, builder: ResponseEventBuilder, kind: str, place: Mapping[str, Any]) -> None:
        self._builder = builder
        self._pieces: list[str] = []
        if builder._streams:
            name = kind.encode()
            self._head = b'event: %s\ndata: {"type":"%s","delta":' % (name, name)
            self._tail = b"," + _encode(place)[1:-1] + b',"sequence_number":'

    def add(self, delta: str, between: bytes = b"") -> None:
        self._pieces.append(delta)
        builder = self._builder
        if builder._streams:
            try:
                encoded = to_json(delta)
            except PydanticSerializationError:
                encoded = _encode(delta)
            number = builder._sequence_number
            builder._sequence_number = number + 1
            builder._pending.append(
                b"%s%s%s%s%d}\n\n" % (self._head, encoded, between, self._tail, number)
            )

    @property
    def text(self) -> str:
        return "".join(self._pieces)


class _Item:
    """What all items have: a place in the output, an event for each end, and a status."""

    def __init__(
        self, builder: ResponseEventBuilder, fields: _Object, place: int | None = None
    ) -> None:
        self._builder = builder
        self.fields = fields
        self.is_open = True
        index = builder._add(self, place)
        self._output_place = {"output_index": index}
        self._place = {"item_id": fields["id"], "output_index": index}
        builder._emit("response.output_item.added", {"item": fields}, self._output_place)

    def _end(self) -> None:
        self.is_open = False
        fields = {"item": self.fields}
        self._builder._emit("response.output_item.done", fields, self._output_place)


class ReasoningItemWriter(_Item):
    """A stretch of reasoning, open until it is closed."""

    def __init__(self, builder: ResponseEventBuilder, item_id: str, with_summary: bool) -> None:
        super().__init__(
            builder, {"id": item_id, "type": "reasoning", "summary": [], "content": []}
        )
        self._with_summary = with_summary
        self._text: _Deltas | None = None
        self._summary: _Deltas | None = None

    @property
    def text(self) -> str:
        """The text so far."""
        return self._text.text if self._text is not None else ""

    def add_text(self, delta: str) -> None:
        """More of the reasoning."""
        if self._text is None:
            self._text = self._begin_text()
        self._text.add(delta)
        if self._summary is not None:
            self._summary.add(delta)

    def _begin_text(self) -> _Deltas:
        builder, place = self._builder, {"content_index": 0, **self._place}
        part = {"type": "reasoning_text", "text": ""}
        builder._emit("response.content_part.added", {"part": part}, place)
        if self._with_summary:
            at = {**self._place, "summary_index": 0}
            part = {"type": "summary_text", "text": ""}
            builder._emit("response.reasoning_summary_part.added", {"part": part}, at)
            self._summary = _Deltas(builder, "response.reasoning_summary_text.delta", at)
        return _Deltas(builder, "response.reasoning_text.delta", place)

    def close(self, status: str = "completed", *, encrypted_content: str | None = None) -> None:
        """No more of this item follows. A second time does nothing.

        Args:
            status: not shown: Azure's reasoning items have none.
            encrypted_content: what the caller sends back, if it asked for that.
        """
        if not self.is_open:
            return
        if self._text is not None:
            self._end_text(self._text.text)
        if encrypted_content is not None:
            self.fields["encrypted_content"] = encrypted_content
        self._end()

    def _end_text(self, text: str) -> None:
        builder, place = self._builder, {"content_index": 0, **self._place}
        part = {"type": "reasoning_text", "text": text}
        builder._emit("response.reasoning_text.done", {"text": text}, place)
        builder._emit("response.content_part.done", {"part": part}, place)
        self.fields["content"] = [part]
        if self._with_summary:
            at = {**self._place, "summary_index": 0}
            part = {"type": "summary_text", "text": text}
            builder._emit("response.reasoning_summary_text.done", {"text": text}, at)
            builder._emit("response.reasoning_summary_part.done", {"part": part}, at)
            self.fields["summary"] = [part]


class MessageItemWriter(_Item):
    """A message of the assistant, open until it is closed. Its parts are text and refusals."""

    def __init__(self, builder: ResponseEventBuilder, item_id: str) -> None:
        fields = {"id": item_id, "type": "message", "role": "assistant"}
        super().__init__(builder, {**fields, "status": "in_progress", "content": []})
        self._parts: list[_Object] = []
        self._kind: str | None = None

    def add_text(self, delta: str, logprobs: list[Any] | None = None) -> None:
        """More text, and the log probabilities of its tokens if they were asked for."""
        if self._kind != "output_text":
            self._begin_part({"type": "output_text", "text": "", "annotations": [], "logprobs": []})
        if logprobs:
            self._parts[-1]["logprobs"] += logprobs
            self._deltas.add(delta, b',"logprobs":' + _encode(logprobs))
        else:
            self._deltas.add(delta, b',"logprobs":[]')

    def add_refusal(self, delta: str) -> None:
        """More of the model's refusal."""
        if self._kind != "refusal":
            self._begin_part({"type": "refusal", "refusal": ""})
        self._deltas.add(delta)

    def annotate(self, annotation: Mapping[str, Any]) -> None:
        """An annotation of the text part, with indexes in its characters."""
        if self._kind != "output_text":
            self.add_text("")
        annotations = self._parts[-1]["annotations"]
        fields = {"annotation": annotation, "annotation_index": len(annotations)}
        self._builder._emit("response.output_text.annotation.added", fields, self._part_place)
        annotations.append(dict(annotation))

    def close(self, status: str = "completed") -> None:
        """No more of this message follows. A second time does nothing."""
        if not self.is_open:
            return
        self._end_part()
        self.fields = {**self.fields, "status": status, "content": self._parts}
        self._end()

    def _begin_part(self, part: _Object) -> None:
        self._end_part()
        self._parts.append(part)
        self._kind = part["type"]
        place = self._part_place = {"content_index": len(self._parts) - 1, **self._place}
        self._builder._emit("response.content_part.added", {"part": part}, place)
        self._deltas = _Deltas(self._builder, f"response.{self._kind}.delta", place)

    def _end_part(self) -> None:
        if self._kind is None:
            return
        name = "text" if self._kind == "output_text" else "refusal"
        part = self._parts[-1]
        part[name] = self._deltas.text
        if self._builder._streams:
            said = {name: part[name]}
            if "logprobs" in part:
                said["logprobs"] = part["logprobs"]
            self._builder._emit(f"response.{self._kind}.done", said, self._part_place)
            self._builder._emit("response.content_part.done", {"part": part}, self._part_place)
        self._kind = None


class CallItemWriter(_Item):
    """A call that the caller carries out, open until it is closed."""

    def __init__(
        self,
        builder: ResponseEventBuilder,
        item_id: str,
        call: Mapping[str, Any],
        place: int | None,
    ) -> None:
        events, self._field = _STREAMED.get(call["type"], ("", ""))
        empty = {self._field: ""} if self._field else {}
        fields = {"id": item_id, **call, **empty, "status": "in_progress"}
        super().__init__(builder, fields, place)
        self._events = events
        self._deltas = _Deltas(builder, f"{events}.delta", self._place)

    def add(self, delta: str) -> None:
        """More of a function's arguments, or of a custom tool's input."""
        self._deltas.add(delta)

    @property
    def text(self) -> str:
        """The arguments or the input so far."""
        return self._deltas.text

    def close(self, status: str = "completed", *, fields: Mapping[str, Any] | None = None) -> None:
        """No more of this call follows. A second time does nothing.

        Args:
            status: "incomplete" for a call that was cut off.
            fields: what else the item has by now, such as the `action` of a shell call.
        """
        if not self.is_open:
            return
        self.fields = {**self.fields, **(fields or {}), "status": status}
        if self._field:
            said = {self._field: self._deltas.text}
            self.fields |= said
            if self._field == "arguments":
                said["name"] = self.fields["name"]
            self._builder._emit(f"{self._events}.done", said, self._place)
        self._end()
