"""Chat completions read into types of the caller's, and the events of their streams.

The events, their order and their names are those of the openai package's `chat.completions.stream`.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from azure_responses.errors import ContentFilterFinishReasonError, LengthFinishReasonError
from azure_responses.protocol.pydantic_tools import ArgumentReaders
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.types.chat import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionLogprobs,
    ChatCompletionMessage,
    ChatObject,
)
from azure_responses.types.chat_chunk import (
    ChatCompletionChunk,
    ChatCompletionChunkChoice,
    ChatCompletionDeltaToolCall,
)
from azure_responses.types.parsed_chat import (
    ChatCompletionStreamEvent,
    ChatRefusalDeltaEvent,
    ChatRefusalDoneEvent,
    ChunkEvent,
    ContentDeltaEvent,
    ContentDoneEvent,
    FunctionToolCallArgumentsDeltaEvent,
    FunctionToolCallArgumentsDoneEvent,
    LogprobsContentDeltaEvent,
    LogprobsContentDoneEvent,
    LogprobsRefusalDeltaEvent,
    LogprobsRefusalDoneEvent,
    ParsedChatCompletion,
    ParsedChatCompletionMessage,
    ParsedChoice,
    ParsedFunction,
    ParsedFunctionToolCall,
)

__all__ = ["ChatEvents", "ChatParser"]

T = TypeVar("T")
K = TypeVar("K", bound=ChatObject)


class ChatParser(Generic[T]):
    """Reads the answers of one request.

    Args:
        response_format: a type to read the text into; anything else is left unread.
        tools: of the request; the arguments of strict functions are read.

    Raises:
        ConfigurationError: strict mode cannot express the type.
    """

    def __init__(self, response_format: Any, tools: Iterable[Any] | None) -> None:
        is_type = isinstance(response_format, type)
        self._output: StructuredOutput[T] | None = (
            StructuredOutput(response_format) if is_type else None
        )
        self.arguments = ArgumentReaders(tools)

    @property
    def is_typed(self) -> bool:
        """True where the text is read into a type."""
        return self._output is not None

    def read(self, completion: ChatCompletion) -> ParsedChatCompletion[T]:
        """The completion with everything parsed.

        Raises:
            LengthFinishReasonError: it was cut short.
            ContentFilterFinishReasonError: the content filter stopped it.
            pydantic.ValidationError: the text or the arguments do not fit their type.
        """
        for choice in completion.choices:
            _check_end(choice.finish_reason, completion)
        choices = [self._choice(choice, completion) for choice in completion.choices]
        parsed: ParsedChatCompletion[T] = _widened(
            ParsedChatCompletion, completion, choices=choices
        )
        parsed.take_headers(completion)
        parsed.attach_filters(completion.content_filters)
        return parsed

    def read_text(self, message: ChatCompletionMessage, completion: ChatCompletion) -> T | None:
        """What the text of a message holds; None without a type, or where the model refused."""
        if self._output is None or not message.content or message.refusal:
            return None
        return self._output.read_text(message.content, completion)

    def _choice(self, choice: ChatCompletionChoice, completion: ChatCompletion) -> ParsedChoice[T]:
        message = choice.message
        calls = [self._call(call) for call in message.tool_calls or ()]
        parsed: ParsedChatCompletionMessage[T] = _widened(
            ParsedChatCompletionMessage,
            message,
            tool_calls=calls or None,
            parsed=self.read_text(message, completion),
        )
        return _widened(ParsedChoice, choice, message=parsed)

    def _call(self, call: Any) -> Any:
        if call.type != "function":
            return call
        function = call.function
        arguments = self.arguments.read(function.name, function.arguments)
        parsed = _widened(ParsedFunction, function, parsed_arguments=arguments)
        return _widened(ParsedFunctionToolCall, call, function=parsed)


def _check_end(reason: str | None, completion: ChatCompletion) -> None:
    if reason == "length":
        raise LengthFinishReasonError(
            f"The answer was cut short at the limit of tokens; usage: {completion.usage}.",
            completion=completion,
            hint="Raise max_completion_tokens.",
        )
    if reason == "content_filter":
        raise ContentFilterFinishReasonError(
            "The content filter stopped the answer.", completion=completion
        )


def _widened(kind: type[K], given: ChatObject, **more: Any) -> K:
    """The same object as one of a wider class; what was not set stays so."""
    set_fields = {*given.model_fields_set, *(name for name, value in more.items() if value)}
    values = {**given.__dict__, **(given.model_extra or {}), **more}
    return kind.model_construct(set_fields, **values)


class ChatEvents(Generic[T]):
    """The events of a stream, made of its chunks.

    Args:
        parser: reads what has ended.
        ends_early: an answer that was cut short or filtered is an error at once.
    """

    def __init__(self, parser: ChatParser[T], *, ends_early: bool) -> None:
        self._parser = parser
        self._ends_early = ends_early
        self._choices: dict[int, _ChoiceEvents[T]] = {}
        self.snapshot: ParsedChatCompletion[T] | None = None

    def take(self, chunk: ChatCompletionChunk) -> "list[ChatCompletionStreamEvent[T]]":
        """The events of a chunk.

        Raises:
            LengthFinishReasonError: it was cut short.
            ContentFilterFinishReasonError: the content filter stopped it.
            pydantic.ValidationError: the text or the arguments do not fit their type.
        """
        snapshot = self._grow(chunk)
        events: list[ChatCompletionStreamEvent[T]] = [
            ChunkEvent.assemble({"chunk": chunk, "snapshot": snapshot})
        ]
        for choice in chunk.choices:
            state = self._choices[choice.index]
            if choice.finish_reason and self._ends_early:
                _check_end(choice.finish_reason, snapshot)
            events.extend(state.events(choice, snapshot))
        return events

    def _grow(self, chunk: ChatCompletionChunk) -> ParsedChatCompletion[T]:
        if self.snapshot is None:
            # Azure's first chunk has the verdicts on the prompt, and neither id nor model.
            self.snapshot = ParsedChatCompletion.assemble({"id": "", "choices": []})
        snapshot = self.snapshot
        for name in _KEPT:
            if value := getattr(chunk, name):
                setattr(snapshot, name, value)
        for choice in chunk.choices:
            if choice.index not in self._choices:
                self._choices[choice.index] = made = _ChoiceEvents(self._parser, choice.index)
                snapshot.choices.append(made.snapshot)
                snapshot.choices.sort(key=lambda one: one.index)
            self._choices[choice.index].grow(choice)
        return snapshot


# What a chunk says of the whole completion.
_KEPT = (
    "id", "created", "model", "usage", "service_tier", "system_fingerprint", "metadata",
    "moderation", "status", "incomplete_details", "prompt_filter_results", "tool_usage",
    "conversation",
)  # fmt: skip


class _ChoiceEvents(Generic[T]):
    """One choice of a stream: what has arrived of it, and which events it has had."""

    def __init__(self, parser: ChatParser[T], index: int) -> None:
        self._parser = parser
        self._message: ParsedChatCompletionMessage[T] = ParsedChatCompletionMessage.assemble({})
        self.snapshot: ParsedChoice[T] = ParsedChoice.assemble(
            {"index": index, "message": self._message}
        )
        # By the index that the service gives them, which need not begin at 0.
        self._calls: dict[int, Any] = {}
        self._current: int | None = None
        self._done: set[int | str] = set()

    def grow(self, choice: ChatCompletionChunkChoice) -> None:
        """Add what a chunk brings."""
        message, delta = self._message, choice.delta
        for name in _TEXTS:
            if (more := getattr(delta, name)) is not None:
                setattr(message, name, (getattr(message, name) or "") + more)
        for name in _LISTS:
            if more := getattr(delta, name):
                setattr(message, name, [*(getattr(message, name) or ()), *more])
        for call in delta.tool_calls or ():
            self._grow_call(call)
        if choice.finish_reason:
            self.snapshot.finish_reason = choice.finish_reason
        if choice.logprobs is not None:
            self._grow_logprobs(choice.logprobs)

    def _grow_call(self, delta: ChatCompletionDeltaToolCall) -> None:
        call = self._calls.get(delta.index)
        if call is None:
            function = ParsedFunction.assemble({})
            call = ParsedFunctionToolCall.assemble({"type": "function", "function": function})
            self._calls[delta.index] = call
            self._message.tool_calls = [*self._calls.values()]
        call.id, call.type = delta.id or call.id, delta.type or call.type
        if delta.function is not None:
            call.function.name += delta.function.name or ""
            call.function.arguments += delta.function.arguments or ""

    def _grow_logprobs(self, more: ChatCompletionLogprobs) -> None:
        if self.snapshot.logprobs is None:
            self.snapshot.logprobs = ChatCompletionLogprobs.assemble({})
        held = self.snapshot.logprobs
        for name in ("content", "refusal"):
            if added := getattr(more, name):
                setattr(held, name, [*(getattr(held, name) or ()), *added])

    def events(
        self, choice: ChatCompletionChunkChoice, completion: ChatCompletion
    ) -> "Iterator[ChatCompletionStreamEvent[T]]":
        """The events of a chunk that was added."""
        yield from self._deltas(choice)
        if self.snapshot.finish_reason:
            yield from self._ends_of_text(completion)
            yield from self._end_of_call()
        for call in choice.delta.tool_calls or ():
            if self._current != call.index:
                yield from self._ends_of_text(completion)
                yield from self._end_of_call()
            self._current = call.index

    def _deltas(
        self, choice: ChatCompletionChunkChoice
    ) -> "Iterator[ChatCompletionStreamEvent[T]]":
        message, delta = self._message, choice.delta
        if delta.content is not None:
            yield ContentDeltaEvent.assemble(
                {
                    "delta": delta.content,
                    "snapshot": message.content,
                    "is_typed": self._parser.is_typed and not message.refusal,
                }
            )
        if delta.refusal is not None:
            yield ChatRefusalDeltaEvent.assemble(
                {"delta": delta.refusal, "snapshot": message.refusal}
            )
        for call in delta.tool_calls or ():
            if call.function is not None:
                yield self._call_delta(call.index, call.function.arguments or "")
        if choice.logprobs is not None and self.snapshot.logprobs is not None:
            yield from _logprob_deltas(choice.logprobs, self.snapshot.logprobs)

    def _call_delta(self, index: int, delta: str) -> FunctionToolCallArgumentsDeltaEvent:
        function = self._calls[index].function
        return FunctionToolCallArgumentsDeltaEvent.assemble(
            {
                "name": function.name,
                "index": index,
                "arguments": function.arguments,
                "arguments_delta": delta,
                "is_typed": self._parser.arguments.reads(function.name),
            }
        )

    def _ends_of_text(self, completion: ChatCompletion) -> "Iterator[ChatCompletionStreamEvent[T]]":
        message, logprobs = self._message, self.snapshot.logprobs
        if message.content and self._is_first("content"):
            message.parsed = self._parser.read_text(message, completion)
            yield ContentDoneEvent.assemble({"content": message.content, "parsed": message.parsed})
        if message.refusal is not None and self._is_first("refusal"):
            yield ChatRefusalDoneEvent.assemble({"refusal": message.refusal})
        if logprobs and logprobs.content is not None and self._is_first("logprobs of content"):
            yield LogprobsContentDoneEvent.assemble({"content": logprobs.content})
        if logprobs and logprobs.refusal is not None and self._is_first("logprobs of refusal"):
            yield LogprobsRefusalDoneEvent.assemble({"refusal": logprobs.refusal})

    def _end_of_call(self) -> "Iterator[ChatCompletionStreamEvent[T]]":
        index = self._current
        if index is None or self._calls[index].type != "function" or not self._is_first(index):
            return
        function = self._calls[index].function
        function.parsed_arguments = self._parser.arguments.read(function.name, function.arguments)
        yield FunctionToolCallArgumentsDoneEvent.assemble(
            {
                "name": function.name,
                "index": index,
                "arguments": function.arguments,
                "parsed_arguments": function.parsed_arguments,
            }
        )

    def _is_first(self, ended: int | str) -> bool:
        is_first = ended not in self._done
        self._done.add(ended)
        return is_first


_TEXTS = ("content", "refusal", "commentary", "reasoning_content")
_LISTS = ("annotations", "reasoning_items", "hosted_items", "output_order")


def _logprob_deltas(
    more: ChatCompletionLogprobs, held: ChatCompletionLogprobs
) -> "Iterator[ChatCompletionStreamEvent[Any]]":
    if more.content:
        values: Mapping[str, Any] = {"content": more.content, "snapshot": held.content}
        yield LogprobsContentDeltaEvent.assemble(dict(values))
    if more.refusal:
        values = {"refusal": more.refusal, "snapshot": held.refusal}
        yield LogprobsRefusalDeltaEvent.assemble(dict(values))
