"""Chunks → the completion they add up to."""

from collections.abc import Iterable
from typing import Any

from azure_responses.bridge.chat_over_responses.calls import assemble_tool_call
from azure_responses.types.chat import (
    ChatCompletion,
    ChatCompletionChoice,
    ChatCompletionCustom,
    ChatCompletionFunction,
    ChatCompletionLogprobs,
    ChatCompletionMessage,
)
from azure_responses.types.chat_chunk import (
    ChatCompletionChunk,
    ChatCompletionChunkChoice,
    ChatCompletionDelta,
    ChatCompletionDeltaCustom,
    ChatCompletionDeltaFunction,
    ChatCompletionDeltaToolCall,
)

__all__ = ["accumulate_chunks"]

_TEXTS = ("content", "refusal", "commentary", "reasoning_content")
_LISTS = ("annotations", "reasoning_items", "hosted_items", "output_order")


def accumulate_chunks(chunks: Iterable[ChatCompletionChunk]) -> ChatCompletion:
    """The completion that a stream's chunks add up to.

    Raises:
        ValueError: there are no chunks.
    """
    accumulator = _Accumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    return accumulator.build()


class _Accumulator:
    def __init__(self) -> None:
        self._around: dict[str, Any] = {}
        self._choice: dict[str, Any] = {}
        self._texts: dict[str, list[str]] = {name: [] for name in _TEXTS}
        self._lists: dict[str, list[Any]] = {name: [] for name in _LISTS}
        self._logprobs: list[Any] = []
        self._calls: dict[int, dict[str, Any]] = {}
        self._function_call: ChatCompletionFunction | None = None

    def add(self, chunk: ChatCompletionChunk) -> None:
        for name in chunk.model_fields_set - {"choices", "object"}:
            if name not in self._around or chunk[name] is not None:
                self._around[name] = chunk[name]
        for choice in chunk.choices:
            self._add_choice(choice)

    def _add_choice(self, choice: ChatCompletionChunkChoice) -> None:
        for name in choice.model_fields_set - {"delta", "logprobs"}:
            if name not in self._choice or choice[name] is not None:
                self._choice[name] = choice[name]
        if choice.logprobs is not None:
            self._logprobs += choice.logprobs.content or []
        self._add_delta(choice.delta)

    def _add_delta(self, delta: ChatCompletionDelta) -> None:
        for name in _TEXTS:
            self._texts[name].append(delta[name] or "")
        for name in _LISTS:
            self._lists[name] += delta[name] or []
        if delta.function_call is not None:
            self._function_call = _add_function(self._function_call, delta.function_call)
        for call in delta.tool_calls or ():
            self._add_call(call)

    def _add_call(self, delta: ChatCompletionDeltaToolCall) -> None:
        call = self._calls.setdefault(delta.index, {})
        for name in delta.model_fields_set - {"index", "function", "custom"}:
            call[name] = delta[name]
        if delta.function is not None:
            call["function"] = _add_function(call.get("function"), delta.function)
        if delta.custom is not None:
            call["custom"] = _add_custom(call.get("custom"), delta.custom)

    def build(self) -> ChatCompletion:
        if not self._around:
            raise ValueError("There are no chunks to add up.")
        calls = [assemble_tool_call(self._calls[index]) for index in sorted(self._calls)]
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        has_other = bool(texts["refusal"] or calls or self._function_call)
        message: dict[str, Any] = {
            "role": "assistant",
            "content": texts["content"] or (None if has_other else ""),
            "refusal": texts["refusal"] or None,
        }
        extensions = {
            "tool_calls": calls,
            "function_call": self._function_call,
            "commentary": texts["commentary"],
            "reasoning_content": texts["reasoning_content"],
            **self._lists,
        }
        message |= {name: value for name, value in extensions.items() if value}
        return self._wrap(ChatCompletionMessage.assemble(message))

    def _wrap(self, message: ChatCompletionMessage) -> ChatCompletion:
        choice = {"index": 0, "finish_reason": None, **self._choice, "message": message}
        choice["logprobs"] = None
        if self._logprobs:
            both = {"content": self._logprobs, "refusal": None}
            choice["logprobs"] = ChatCompletionLogprobs.assemble(both)
        around = {**self._around, "object": "chat.completion"}
        if around.get("usage") is None:
            around.pop("usage", None)
        return ChatCompletion.assemble(
            {**around, "choices": [ChatCompletionChoice.assemble(choice)]}
        )


def _add_function(
    so_far: ChatCompletionFunction | None, delta: ChatCompletionDeltaFunction
) -> ChatCompletionFunction:
    before = so_far or ChatCompletionFunction.assemble({})
    arguments = before.arguments + (delta.arguments or "")
    values = {"name": delta.name or before.name, "arguments": arguments}
    return ChatCompletionFunction.assemble(values)


def _add_custom(
    so_far: ChatCompletionCustom | None, delta: ChatCompletionDeltaCustom
) -> ChatCompletionCustom:
    before = so_far or ChatCompletionCustom.assemble({})
    text = before.input + (delta.input or "")
    return ChatCompletionCustom.assemble({"name": delta.name or before.name, "input": text})
