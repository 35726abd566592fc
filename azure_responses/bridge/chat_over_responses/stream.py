"""The events of a Responses stream → the chunks of a chat completion.

Text, refusals, reasoning and arguments are passed on as they come. What is certain only at the end
goes out at the end: reasoning items, whose ciphertext differs in every event, hosted items, and
everything that the deltas left out. So the chunks add up to what `to_chat_completion` makes of the
final response.

The states of a stream:

    before the role   no chunk yet; `response.created`, or else the first delta, makes the role's
    open              each delta is passed on; a part that lost a delta is held until it is whole
    failed            `response.failed` without a reason waits for the `error` event, then raises
    ended             `final` is set; the last chunks have the finish reason and the usage
"""

from collections.abc import Callable
from typing import Any

from azure_responses.bridge.chat_over_responses.chunks import ChunkFactory
from azure_responses.bridge.chat_over_responses.message_draft import (
    SEPARATOR,
    to_annotation,
    to_logprobs,
)
from azure_responses.bridge.chat_over_responses.request import BridgedRequest
from azure_responses.bridge.chat_over_responses.response import (
    envelope,
    failure_of_response,
    to_chat_completion,
)
from azure_responses.bridge.chat_over_responses.text_stream import (
    RAW,
    SUMMARY,
    FinalParts,
    OrderedText,
    Place,
    StreamedMessages,
    align,
)
from azure_responses.bridge.chat_over_responses.tool_call_stream import ToolCallStream
from azure_responses.errors import AzureResponsesError, StreamInterruptedError
from azure_responses.protocol.decode import check_readable, find_text, has_answer
from azure_responses.protocol.error_body import failure_from_event
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.partial_response import EventMender
from azure_responses.types.chat import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionMessage,
)
from azure_responses.types.chat_chunk import ChatCompletionChunk
from azure_responses.types.items import is_callers
from azure_responses.types.model import StreamEvent, UnknownEvent
from azure_responses.types.response import Response
from azure_responses.types.tools import CustomToolCall, FunctionCall

__all__ = ["ChatStream", "to_hosted_event"]

_Chunks = list[ChatCompletionChunk]


class ChatStream:
    """One streamed completion: feed it every event, then finish it.

    Args:
        request: what was sent.
        created: unix seconds, for a response that does not say when it was created, and for the
            request's reasoning cache.
        id: stands in chunks before the response has told its own, which is rare.

    Attributes:
        final: the whole completion once the stream has ended; its headers are not attached.
    """

    def __init__(
        self, request: BridgedRequest, *, created: float = 0, id: str = "chatcmpl-bridged"
    ) -> None:
        self.final: ChatCompletion | None = None
        self._request = request
        self._created = created
        self._envelope: dict[str, Any] = {"id": id, "created": int(created), "model": ""}
        self._maker = ChunkFactory(self._envelope, request.include_usage)
        self._messages = StreamedMessages()
        self._content = self._messages.content
        self._reasoning = OrderedText(SEPARATOR)
        self._calls = ToolCallStream(request.legacy_functions, request.call_ids)
        # By output index: the items that are final, and the type of every item that began.
        self._items: dict[int, Any] = {}
        self._kinds: dict[int, str] = {}
        self._mender = EventMender()
        # How many citations and log probabilities of each part were passed on: the end brings all
        # of them once more, and only the rest may go out.
        self._annotated: dict[Place, int] = {}
        self._logprobs: dict[Place, int] = {}
        self._has_role = False
        self._has_output = False
        self._failed: Response | None = None

    @property
    def has_output(self) -> bool:
        """True once more than the role has been passed on."""
        return self._has_output

    def feed(self, event: StreamEvent) -> _Chunks:
        """The chunks that one event makes, often one, often none.

        Raises:
            AzureResponsesError: the response failed; its code decides which error that is, and
                `partial` is the completion so far if any of it was passed on.
        """
        if type(event) is not UnknownEvent:
            handler = _HANDLERS.get(event.type)
            return self._pass_on(event) if handler is None else handler(self, event)
        # The type of an event of unknown shape may be any JSON value.
        if not isinstance(event.type, str) or event.type not in _HANDLERS:
            return self._pass_on(event)
        mended = self._mend(event)
        if type(mended) is not UnknownEvent:
            return _HANDLERS[event.type](self, mended)
        self._hold(event)
        return self._pass_on(event)

    def _pass_on(self, event: StreamEvent) -> _Chunks:
        """The chunk that tells of a hosted tool, or of what chat completions has no word for."""
        news = to_hosted_event(event)
        return [] if news is None else self._emit({"hosted_events": [news]})

    def _mend(self, event: UnknownEvent) -> StreamEvent:
        kind: object = event.type
        if kind == "response.cancelled":
            # No description lists it; it ends a cancelled background stream.
            event = event.model_copy(update={"type": "response.completed"})
        return self._mender.mend(event)

    def _hold(self, event: UnknownEvent) -> None:
        """What follows a lost delta waits until the whole of its part is known."""
        index, part = self._mender.place_of(event.to_dict())
        kind = str(event.type)
        if kind == "response.output_text.delta":
            self._messages.hold((index, part))
        elif kind == "response.refusal.delta":
            self._messages.refusal.hold((index, part))
        elif kind in _REASONING:
            self._reasoning.hold((index, _REASONING[kind], part))
        elif kind in _ARGUMENTS:
            self._calls.hold(index)

    def finish(self) -> _Chunks:
        """The chunks that are left when the events have ended.

        Raises:
            AzureResponsesError: as `feed`.
            StreamInterruptedError: the events ended before the response did.
        """
        if self._failed is not None:
            raise self.failure(failure_of_response(self._failed, self._created))
        if self.final is None:
            raise StreamInterruptedError(
                "The stream ended before the response was complete.", partial=self.so_far()
            )
        return []

    def failure(self, error: AzureResponsesError) -> AzureResponsesError:
        """What to raise for an error that ended the events: it, with the completion so far."""
        if not self._has_output:
            return error
        if isinstance(error, StreamInterruptedError):
            return StreamInterruptedError(
                f"The completion broke off: {error.message}",
                partial=self.so_far(),
                resumable=error.resumable,
                hint=error.hint,
            )
        error.partial = self.so_far()
        return error

    def so_far(self) -> ChatCompletion:
        """The completion as far as it has arrived."""
        if self.final is not None:
            return self.final
        values: dict[str, Any] = {"role": "assistant", **self._messages.texts()}
        reasoning, calls = self._reasoning.text(), self._calls.so_far()
        if reasoning:
            values["reasoning_content"] = reasoning
        if calls and self._calls.has_function_call:
            values["function_call"] = calls.pop(0).function
        if calls:
            values["tool_calls"] = calls
        message = ChatCompletionMessage.assemble(values)
        choice = {"index": 0, "message": message, "finish_reason": None, "logprobs": None}
        return ChatCompletion.assemble(
            {
                **self._envelope,
                "object": "chat.completion",
                "choices": [ChatCompletionChoice.assemble(choice)],
                "status": "in_progress",
            }
        )

    def _emit(self, values: dict[str, Any], logprobs: Any = None) -> _Chunks:
        """The chunk for a delta, the role's before it if nothing came before."""
        if not values and not logprobs:
            return []
        self._has_output = True
        chunk = self._maker.delta(values, logprobs)
        return [chunk] if self._has_role else [*self._open(), chunk]

    def _open(self) -> _Chunks:
        if self._has_role:
            return []
        self._has_role = True
        return [self._maker.delta({"role": "assistant", "content": "", "refusal": None})]

    def _on_created(self, event: Any) -> _Chunks:
        around = envelope(event.response, self._request, self._created)
        self._envelope = {name: around[name] for name in ("id", "created", "model")}
        self._maker.readdress(self._envelope)
        return self._open()

    def _on_text(self, event: Any) -> _Chunks:
        delta = event.delta
        place = (event.output_index, event.content_index)
        content = self._content
        if place == content.open_place and not event.logprobs and self._has_role:
            # The path of nearly every event; the rest of this method does the same with care.
            if not delta:
                return []
            content.pieces.append(delta)
            return [self._maker.content(delta)]
        name, lane = self._messages.lane_of(event.output_index)
        text = lane.add(place, delta)
        logprobs = self._take_logprobs(event, place) if lane is content else []
        return self._emit({name: text} if text else {}, logprobs)

    def _take_logprobs(self, event: Any, place: Place) -> list[dict[str, Any]]:
        if not event.logprobs:
            return []
        self._logprobs[place] = self._logprobs.get(place, 0) + len(event.logprobs)
        return to_logprobs(event.logprobs)

    def _on_text_done(self, event: Any) -> _Chunks:
        name, lane = self._messages.lane_of(event.output_index)
        text = lane.close((event.output_index, event.content_index), event.text)
        return self._emit_text(name, text)

    def _emit_text(self, name: str, text: str) -> _Chunks:
        return self._emit({name: text}) if text else []

    def _on_annotation(self, event: Any) -> _Chunks:
        place = (event.output_index, event.content_index)
        offset = self._content.offset(place)
        seen = self._annotated.get(place, 0)
        if event.annotation is None or offset is None or event.annotation_index != seen:
            # It goes out at the end, when its place is certain: its text may have been held back.
            return []
        self._annotated[place] = seen + 1
        return self._emit({"annotations": [to_annotation(event.annotation, offset)]})

    def _on_refusal(self, event: Any) -> _Chunks:
        place = (event.output_index, event.content_index)
        return self._emit_text("refusal", self._messages.refusal.add(place, event.delta))

    def _on_refusal_done(self, event: Any) -> _Chunks:
        place = (event.output_index, event.content_index)
        return self._emit_text("refusal", self._messages.refusal.close(place, event.refusal))

    def _on_reasoning(self, event: Any) -> _Chunks:
        place = (event.output_index, RAW, event.content_index)
        return self._emit_text("reasoning_content", self._reasoning.add(place, event.delta))

    def _on_reasoning_done(self, event: Any) -> _Chunks:
        place = (event.output_index, RAW, event.content_index)
        return self._emit_text("reasoning_content", self._reasoning.close(place, event.text))

    def _on_summary(self, event: Any) -> _Chunks:
        place = (event.output_index, SUMMARY, event.summary_index)
        return self._emit_text("reasoning_content", self._reasoning.add(place, event.delta))

    def _on_summary_done(self, event: Any) -> _Chunks:
        place = (event.output_index, SUMMARY, event.summary_index)
        return self._emit_text("reasoning_content", self._reasoning.close(place, event.text))

    def _on_item_added(self, event: Any) -> _Chunks:
        self._mender.note_item(event)
        self._kinds[event.output_index] = event.item.type
        news = to_hosted_event(event)
        # The phase of a message stands in its first event only; deltas do not repeat it.
        self._messages.begin(event.output_index, event.item)
        values = self._calls.begin(event.output_index, event.item)
        return self._emit(values if news is None else {**values, "hosted_events": [news]})

    def _on_part_added(self, event: Any) -> _Chunks:
        self._mender.note_part(event)
        return []

    def _on_item_done(self, event: Any) -> _Chunks:
        self._items[event.output_index] = event.item
        self._kinds[event.output_index] = event.item.type
        news = to_hosted_event(event)
        values: dict[str, Any] = {} if news is None else {"hosted_events": [news]}
        if isinstance(event.item, FunctionCall | CustomToolCall):
            values |= self._calls.finish(event.output_index, event.item)
        return self._emit(values)

    def _on_arguments(self, event: Any) -> _Chunks:
        return self._emit(self._calls.add(event.output_index, event.delta))

    def _on_arguments_done(self, event: Any) -> _Chunks:
        return self._emit(self._calls.complete(event.output_index, event.arguments))

    def _on_input_done(self, event: Any) -> _Chunks:
        return self._emit(self._calls.complete(event.output_index, event.input))

    def _on_end(self, event: Any) -> _Chunks:
        response = event.response
        outputs = self._outputs(response)
        if outputs is None:
            # Gateways that rewrite streams end them with `output: []`; the items are those of
            # the `output_item.done` events, or what the deltas alone add up to.
            outputs = self._streamed()
            items = [outputs[index] for index in sorted(outputs)]
            response = response.model_copy(update={"output": items})
        completion = to_chat_completion(response, self._request, created=self._created)
        self.final = completion
        self._maker.readdress(
            {"id": completion.id, "created": completion.created, "model": completion.model}
        )
        chunks = self._emit(*self._rest(FinalParts(outputs), completion))
        return [*self._open(), *chunks, *self._closing(completion)]

    def _outputs(self, response: Response) -> dict[int, Any] | None:
        """The final items by their index; None where those of the stream have to do.

        Some gateways send the last event with an empty or unreadable `output`.

        Raises:
            UnreadableResponseError: neither has what the response was for.
        """
        if has_answer(response):
            return align(response.output, self._kinds)
        streamed = response.model_copy(update={"output": [*self._streamed().values()]})
        find_text(streamed)
        if has_answer(streamed):
            return None
        try:
            check_readable(response, self._mender.lost)
        except AzureResponsesError as error:
            raise self.failure(error) from None
        return align(response.output, self._kinds) if response.output else None

    def _streamed(self) -> dict[int, Any]:
        """The items of the stream by their index, as far as they have arrived."""
        items = {**self._calls.items_so_far(), **self._items}
        return {**items, **self._messages.gather(items)}

    def _rest(
        self, parts: FinalParts, completion: ChatCompletion
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """What of the message and its log probabilities was not passed on yet."""
        texts = self._messages.finish(parts)
        texts["reasoning_content"] = self._reasoning.finish(parts.reasoning)
        values: dict[str, Any] = {name: text for name, text in texts.items() if text}
        annotations = self._rest_of_annotations(parts)
        if annotations:
            values["annotations"] = annotations
        values |= self._rest_of_calls(parts)
        message = completion.choices[0].message
        for name in ("reasoning_items", "hosted_items", "output_order"):
            if message[name]:
                values[name] = message[name]
        logprobs = [
            token
            for place, part in parts.parts
            for token in to_logprobs((part.logprobs or [])[self._logprobs.get(place, 0) :])
        ]
        return values, logprobs

    def _rest_of_annotations(self, parts: FinalParts) -> list[Any]:
        return [
            to_annotation(annotation, self._content.offset(place) or 0)
            for place, part in parts.parts
            for annotation in (part.annotations or [])[self._annotated.get(place, 0) :]
        ]

    def _rest_of_calls(self, parts: FinalParts) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for index, item in parts.calls:
            rest = self._calls.finish(index, item)
            if "tool_calls" in rest:
                values["tool_calls"] = values.get("tool_calls", []) + rest["tool_calls"]
            else:
                values |= rest
        return values

    def _closing(self, completion: ChatCompletion) -> _Chunks:
        """The chunk with the finish reason, and the one with usage if it was asked for."""
        choice = completion.choices[0]
        last = {name: choice[name] for name in choice.model_fields_set - _NOT_LAST}
        around = {name: completion[name] for name in completion.model_fields_set - _NOT_AROUND}
        chunks = [self._maker.last(last, around)]
        # OpenAI's order: the chunk of usage has no choice and comes after the finish reason.
        if self._request.include_usage and completion.usage is not None:
            tier = {name: around[name] for name in ("service_tier",) if name in around}
            chunks.append(self._maker.usage(completion.usage, tier))
        return chunks

    def _on_failed(self, event: Any) -> _Chunks:
        if event.response.error is None:
            # Azure may send the reason after the failure (earendil-works/pi #7983).
            self._failed = event.response
            return []
        raise self.failure(failure_of_response(event.response, self._created))

    def _on_error(self, event: Any) -> _Chunks:
        headers = event.headers
        raise self.failure(
            failure_from_event(event.to_dict(), headers, RequestContext("create"), self._created)
        )

    def _ignore(self, event: Any) -> _Chunks:
        return []


_REASONING = {
    "response.reasoning_text.delta": RAW,
    "response.reasoning_summary_text.delta": SUMMARY,
}
_ARGUMENTS = frozenset(
    {"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"}
)
_NOT_LAST = {"message", "logprobs"}
_NOT_AROUND = {"id", "object", "created", "model", "choices", "usage"}

_HANDLERS: dict[str, Callable[[ChatStream, Any], _Chunks]] = {
    "response.created": ChatStream._on_created,
    "response.queued": ChatStream._ignore,
    "response.in_progress": ChatStream._ignore,
    "response.output_item.added": ChatStream._on_item_added,
    "response.output_item.done": ChatStream._on_item_done,
    "response.content_part.added": ChatStream._on_part_added,
    "response.content_part.done": ChatStream._ignore,
    "response.output_text.delta": ChatStream._on_text,
    "response.output_text.done": ChatStream._on_text_done,
    "response.output_text.annotation.added": ChatStream._on_annotation,
    "response.refusal.delta": ChatStream._on_refusal,
    "response.refusal.done": ChatStream._on_refusal_done,
    "response.reasoning_text.delta": ChatStream._on_reasoning,
    "response.reasoning_text.done": ChatStream._on_reasoning_done,
    "response.reasoning_summary_part.added": ChatStream._ignore,
    "response.reasoning_summary_part.done": ChatStream._ignore,
    "response.reasoning_summary_text.delta": ChatStream._on_summary,
    "response.reasoning_summary_text.done": ChatStream._on_summary_done,
    "response.function_call_arguments.delta": ChatStream._on_arguments,
    "response.function_call_arguments.done": ChatStream._on_arguments_done,
    "response.custom_tool_call_input.delta": ChatStream._on_arguments,
    "response.custom_tool_call_input.done": ChatStream._on_input_done,
    "response.completed": ChatStream._on_end,
    "response.incomplete": ChatStream._on_end,
    "response.cancelled": ChatStream._on_end,
    "response.failed": ChatStream._on_failed,
    "error": ChatStream._on_error,
}


# What a message has room for by itself.
_OF_CHAT = frozenset({"message", "reasoning", "function_call", "custom_tool_call"})
_NOISE = frozenset({"sequence_number", "obfuscation"})


def to_hosted_event(event: StreamEvent) -> dict[str, Any] | None:
    """An event about a hosted tool, or of a kind chat completions knows nothing of, as a dict.

    An item that begins or ends is shown by its type, id and status: what it holds comes once, with
    the message. None for other events.
    """
    if not isinstance(event.type, str) or not event.type.startswith("response."):
        return None
    fields = {name: value for name, value in event.to_dict().items() if name not in _NOISE}
    if event.type in ("response.output_item.added", "response.output_item.done"):
        item = getattr(event, "item", None)
        if str(getattr(item, "type", None)) in _OF_CHAT or is_callers(item):
            return None
        given = fields.get("item")
        item_fields = given if isinstance(given, dict) else {}
        shown = ("type", "id", "status")
        fields["item"] = {name: item_fields[name] for name in shown if name in item_fields}
    return fields
