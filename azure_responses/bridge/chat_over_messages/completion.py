"""A chat completion in the making: its chunks, and the whole that they add up to.

Text, reasoning and arguments go out as they come. What a reader of chunks can only take once (the
thinking blocks with their signatures, the sources of the text) goes out at the end, because the
openai package cannot add up lists whose entries have no index.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.message_events import write_json

__all__ = ["CompletionForm", "CompletionWriter"]

# Every chat stream of Azure ends with this line. Messages streams have none, so it is written here.
_DONE = b"data: [DONE]\n\n"
# Written in C: it runs for every piece of text, where a whole dump of the chunk would be slow.
_encode_text = json.encoder.encode_basestring


class CompletionForm(NamedTuple):
    """What a completion has to know of its request.

    Attributes:
        created: unix seconds.
        model: what is called, where the reply does not say it.
        tools: which tool a function stands for.
        has_usage: a stream ends with a chunk of usage.
        has_functions: the caller used `functions`, so a call comes back as `function_call`.
    """

    created: int
    model: str
    tools: FunctionTools
    has_usage: bool = False
    has_functions: bool = False


class CompletionWriter:
    """Writes one completion.

    Attributes:
        form: what it has to know of its request.
        final: the whole completion, once it is finished.
        is_over: it is finished, or has failed.
        text_length: how long the content is so far, in characters.
    """

    def __init__(self, form: CompletionForm, new_id: Callable[[str], str]) -> None:
        self.form = form
        self.new_id = new_id
        self.final: dict[str, Any] | None = None
        self.is_over = False
        self.text_length = 0
        self._around: dict[str, Any] = {}
        self._head = self._tail = ""
        self._texts: dict[str, list[str]] = {"content": [], "refusal": [], "reasoning_content": []}
        self._lists: dict[str, list[Any]] = {"thinking_blocks": [], "annotations": []}
        self._calls: list[tuple[dict[str, Any], list[str]]] = []
        self._out: list[bytes] = []

    @property
    def has_started(self) -> bool:
        """True once the first chunk is written."""
        return bool(self._around)

    def take(self) -> bytes:
        """The chunks since the last time."""
        written, self._out = b"".join(self._out), []
        return written

    def start(self, message_id: Any = None, model: Any = None) -> None:
        """The first chunk, which has the role."""
        completion_id = f"chatcmpl-{message_id}" if message_id else self.new_id("chatcmpl-")
        self._around = {
            "id": completion_id,
            "created": self.form.created,
            "model": str(model or self.form.model),
        }
        # All deltas share their beginning and their end, so both are written once for the whole
        # stream.
        head = {"id": completion_id, "object": "chat.completion.chunk", **self._around}
        self._head = f'{write_json(head)[:-1]},"choices":[{{"index":0,"delta":'
        usage = ',"usage":null' if self.form.has_usage else ""
        self._tail = f',"logprobs":null,"finish_reason":null}}]{usage}}}'
        self._emit(write_json({"role": "assistant", "content": "", "refusal": None}))

    def _emit(self, delta: str) -> None:
        self._send(f"{self._head}{delta}{self._tail}")

    def _send(self, data: str) -> None:
        # A model's text may hold half of a surrogate pair, which UTF-8 cannot express. The stream
        # must not break for it.
        self._out.append(f"data: {data}\n\n".encode("utf-8", "replace"))

    def add_text(self, field: str, text: str) -> None:
        """More of `content`, `refusal` or `reasoning_content`."""
        if not text:
            return
        self._texts[field].append(text)
        if field == "content":
            self.text_length += len(text)
        self._emit(f'{{"{field}":{_encode_text(text)}}}')

    def has_text(self, field: str) -> bool:
        """True where there is text in a field."""
        return bool(self._texts[field])

    def append(self, field: str, entry: Mapping[str, Any]) -> None:
        """An entry of `thinking_blocks` or `annotations`, which goes out at the end."""
        self._lists[field].append(dict(entry))

    def begin_call(self, call_id: Any, name: str, *, is_custom: bool) -> int:
        """A call begins; its number among the calls."""
        kind, text = ("custom", "input") if is_custom else ("function", "arguments")
        call = {
            "id": str(call_id or self.new_id("call_")),
            "type": kind,
            kind: {"name": name, text: ""},
        }
        number = len(self._calls)
        self._calls.append((call, []))
        self._emit(write_json(self._call_delta(number, call)))
        return number

    def add_arguments(self, number: int, text: str) -> None:
        """More of a call's arguments, or of the input of a custom tool."""
        if not text:
            return
        call, pieces = self._calls[number]
        pieces.append(text)
        kind, field = _text_field(call)
        self._emit(write_json(self._call_delta(number, {kind: {field: text}})))

    def has_arguments(self, number: int) -> bool:
        """True where a call has arguments."""
        return bool(self._calls[number][1])

    def _call_delta(self, number: int, fields: dict[str, Any]) -> dict[str, Any]:
        if not self.form.has_functions:
            return {"tool_calls": [{"index": number, **fields}]}
        if number == 0 and "function" in fields:
            return {"function_call": fields["function"]}
        # The deprecated `function_call` holds one call. If Claude makes several in spite of
        # `disable_parallel_tool_use`, the others are not lost: they are numbered from 0 again.
        return {"tool_calls": [{"index": max(number - 1, 0), **fields}]}

    def finish(self, reason: str, usage: Mapping[str, Any] | None, tier: str | None) -> None:
        """The last chunks, and the whole."""
        if reason == "tool_calls" and self._has_function_call():
            reason = "function_call"
        rest = {name: entries for name, entries in self._lists.items() if entries}
        if rest:
            self._emit(write_json(rest))
        # Claude names its tier in the usage, which is complete only now; so no earlier chunk has
        # it.
        around = {**self._around, **({"service_tier": tier} if tier is not None else {})}
        chunk = {**around, "object": "chat.completion.chunk"}
        null = {"usage": None} if self.form.has_usage else {}
        end = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason}
        self._send(write_json({**chunk, "choices": [end], **null}))
        if self.form.has_usage:
            self._send(write_json({**chunk, "choices": [], "usage": usage}))
        self._out.append(_DONE)
        choice = {
            "index": 0,
            "message": self._message(),
            "logprobs": None,
            "finish_reason": reason,
        }
        self.final = {**around, "object": "chat.completion", "choices": [choice]}
        if usage is not None:
            self.final["usage"] = usage
        self.is_over = True

    def _has_function_call(self) -> bool:
        return self.form.has_functions and "function" in self._calls[0][0]

    def _message(self) -> dict[str, Any]:
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        calls = [_whole(call, "".join(pieces)) for call, pieces in self._calls]
        extensions: dict[str, Any] = {"reasoning_content": texts["reasoning_content"]}
        if calls and self._has_function_call():
            extensions["function_call"] = calls.pop(0)["function"]
        extensions |= {"tool_calls": calls, **self._lists}
        # The same rule as OpenAI's: null beside calls or a refusal.
        has_other = bool(texts["refusal"] or self._calls)
        message = {
            "role": "assistant",
            "content": texts["content"] or (None if has_other else ""),
            "refusal": texts["refusal"] or None,
        }
        return {**message, **{name: value for name, value in extensions.items() if value}}

    def fail(self, kind: str, code: str | None, message: str) -> None:
        """An error ends the stream; there is no whole completion then."""
        error = {"message": message, "type": kind, "param": None, "code": code}
        # The openai package raises as soon as a chunk has `error`. `[DONE]` after it would never be
        # read.
        self._send(write_json({"error": error}))
        self.is_over = True


def _text_field(call: Mapping[str, Any]) -> tuple[str, str]:
    return ("custom", "input") if call["type"] == "custom" else ("function", "arguments")


def _whole(call: dict[str, Any], text: str) -> dict[str, Any]:
    kind, field = _text_field(call)
    return {**call, kind: {**call[kind], field: text}}
