"""The reply of Claude → a chat completion, whole or as its events arrive.

A whole reply is read as a stream in which each block arrives at once, so that both say the same.
"""

from collections.abc import Callable, Mapping
from typing import Any

from azure_responses.bridge.chat_over_messages.completion import CompletionWriter
from azure_responses.bridge.message_events import parse_object, write_json
from azure_responses.bridge.responses_over_messages.citations import annotation_of
from azure_responses.bridge.string_field import StringFieldDecoder
from azure_responses.protocol.reply_terms import messages_usage
from azure_responses.protocol.sse import SSEDecoder

__all__ = ["MessageToCompletionReader", "MessageToCompletionStream"]

_Fields = Mapping[str, Any]
_SEPARATOR = "\n\n"
_REFUSED = "Claude refused to answer."
# stop_reason → finish_reason; every other one is that of a whole answer.
_ENDINGS = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    # Only tools that Anthropic runs pause a turn, and a chat request cannot ask for them. If it
    # comes all the same, the answer is not whole, and `length` is the only reason that says so.
    "pause_turn": "length",
    "refusal": "content_filter",
}
# Programs look for OpenAI's code to decide on a retry. Anthropic's other types have no counterpart.
_CODES = {"rate_limit_error": "rate_limit_exceeded"}


class _TextToCompletion:
    """A block of text; neighbouring blocks are one text."""

    def __init__(self, reader: "MessageToCompletionReader", block: _Fields) -> None:
        self._writer = reader.writer
        self._citations: list[_Fields] = list(block.get("citations") or ())
        # Claude cuts a sentence into blocks where a citation begins or ends, so nothing may stand
        # between neighbours. Text before and after a call are paragraphs of their own.
        if self._writer.has_text("content") and reader.last_kind != "text":
            self._writer.add_text("content", _SEPARATOR)
        self._start = self._writer.text_length
        self._writer.add_text("content", str(block.get("text") or ""))

    def add(self, delta: _Fields) -> None:
        text = delta.get("text")
        if text:
            self._writer.add_text("content", text)
        elif delta.get("citation"):
            self._citations.append(delta["citation"])

    def close(self) -> None:
        for citation in self._citations:
            found = annotation_of(citation, self._start, self._writer.text_length)
            # Chat completions nest the fields below the name of the type; the Responses API has
            # them flat.
            kind = found.pop("type")
            self._writer.append("annotations", {"type": kind, kind: found})


class _ThinkingToCompletion:
    """A block of thinking: its text as it comes, all of it with the signature at the end."""

    def __init__(self, reader: "MessageToCompletionReader", block: _Fields) -> None:
        self._writer = reader.writer
        self._block = dict(block)
        self._pieces: list[str] = []
        self._separator = _SEPARATOR if self._writer.has_text("reasoning_content") else ""
        self.add(block)

    def add(self, delta: _Fields) -> None:
        text = delta.get("thinking")
        if text:
            self._pieces.append(text)
            self._writer.add_text("reasoning_content", self._separator + text)
            self._separator = ""
        if delta.get("type") == "signature_delta":
            before = self._block.get("signature") or ""
            self._block["signature"] = before + str(delta.get("signature") or "")

    def close(self) -> None:
        if self._block.get("type") == "thinking":
            self._block["thinking"] = "".join(self._pieces)
        # LiteLLM's name for them. A caller has to send back every block with its own signature:
        # where clients lost some, Claude refused turns with parallel calls (vercel/ai #20008,
        # litellm #36197).
        self._writer.append("thinking_blocks", self._block)


class _ToolUseToCompletion:
    """A call of one of the caller's tools."""

    def __init__(self, reader: "MessageToCompletionReader", block: _Fields) -> None:
        self._writer = reader.writer
        origin = self._writer.form.tools.origin_of(str(block.get("name") or ""))
        is_custom = origin.call == "custom_tool_call"
        self._number = self._writer.begin_call(block.get("id"), origin.name, is_custom=is_custom)
        self._decoder = StringFieldDecoder("input") if is_custom else None
        # In a stream the input begins empty, in a whole reply it is all there.
        if block.get("input"):
            self._add_text(write_json(block["input"]))

    def add(self, delta: _Fields) -> None:
        self._add_text(str(delta.get("partial_json") or ""))

    def _add_text(self, text: str) -> None:
        said = text if self._decoder is None else self._decoder.feed(text)
        self._writer.add_arguments(self._number, said)

    def close(self) -> None:
        if self._decoder is not None:
            self._writer.add_arguments(self._number, self._decoder.finish())
        elif not self._writer.has_arguments(self._number):
            # A function without parameters: the stream has no piece at all.
            self._writer.add_arguments(self._number, "{}")


_Block = _TextToCompletion | _ThinkingToCompletion | _ToolUseToCompletion
_KINDS: Mapping[str, type[_Block]] = {
    "text": _TextToCompletion,
    "thinking": _ThinkingToCompletion,
    "redacted_thinking": _ThinkingToCompletion,
    "tool_use": _ToolUseToCompletion,
}


class MessageToCompletionReader:
    """Reads a reply of Claude, whole or event by event, into a chat completion.

    Attributes:
        writer: writes the completion.
        last_kind: the type of the block before.
    """

    def __init__(self, writer: CompletionWriter) -> None:
        self.writer = writer
        self.last_kind = ""
        self._open: dict[Any, _Block] = {}
        self._stop_reason: str | None = None
        self._stop_details: _Fields = {}
        self._usage: dict[str, Any] = {}

    def add_message(self, message: _Fields) -> None:
        """A whole reply.

        Raises:
            ValueError: it is not a message.
        """
        content = message.get("content")
        if not isinstance(content, list):
            raise ValueError("The reply is not a message: it has no content.")
        self.begin(message)
        for index, block in enumerate(content):
            self.begin_block(index, _object(block))
            self.end_block(index)
        self.add_delta(message, message.get("usage"))
        self.finish()

    def begin(self, message: _Fields) -> None:
        """`message_start`."""
        if not self.writer.has_started:
            self.writer.start(message.get("id"), message.get("model"))
        self._add_usage(message.get("usage"))

    def begin_block(self, index: Any, block: _Fields) -> None:
        """`content_block_start`; blocks of tools that Anthropic runs are passed over."""
        kind = str(block.get("type"))
        if kind in _KINDS:
            self.begin({})
            self._open[index] = _KINDS[kind](self, block)
            self.last_kind = kind

    def add_to_block(self, index: Any, delta: _Fields) -> None:
        """`content_block_delta`."""
        block = self._open.get(index)
        if block is not None:
            block.add(delta)

    def end_block(self, index: Any) -> None:
        """`content_block_stop`."""
        block = self._open.pop(index, None)
        if block is not None:
            block.close()

    def add_delta(self, delta: _Fields, usage: Any) -> None:
        """`message_delta`: why Claude stopped, and what it used so far."""
        if delta.get("stop_reason"):
            self._stop_reason = str(delta["stop_reason"])
        self._stop_details = _object(delta.get("stop_details")) or self._stop_details
        self._add_usage(usage)

    def _add_usage(self, usage: Any) -> None:
        # Counts are of the whole message so far, so the last ones hold.
        counts = _object(usage).items()
        self._usage.update((name, value) for name, value in counts if value is not None)

    def finish(self) -> None:
        """End the completion as Claude's reason to stop says."""
        self.begin({})
        for index in list(self._open):
            self.end_block(index)
        if self._stop_reason == "refusal":
            text = str(self._stop_details.get("explanation") or _REFUSED)
            self.writer.add_text("refusal", text)
        reason = _ENDINGS.get(self._stop_reason or "", "stop")
        tier = {"standard": "default", "priority": "priority"}.get(
            str(self._usage.get("service_tier"))
        )
        self.writer.finish(reason, _convert_usage(self._usage), tier)

    @property
    def has_stopped(self) -> bool:
        """True once Claude has said why it stopped."""
        return self._stop_reason is not None


def _convert_usage(usage: _Fields) -> dict[str, Any] | None:
    counts = messages_usage(usage)
    if counts is None:
        return None
    return {
        "prompt_tokens": counts["input_tokens"],
        "completion_tokens": counts["output_tokens"],
        "total_tokens": counts["total_tokens"],
        "prompt_tokens_details": counts["input_tokens_details"],
        "completion_tokens_details": counts["output_tokens_details"],
    }


class MessageToCompletionStream:
    """The events of one message, as the chunks of a completion.

    Attributes:
        final: the whole completion, once the stream has ended in order.
    """

    def __init__(self, writer: CompletionWriter) -> None:
        self.final: dict[str, Any] | None = None
        self._writer = writer
        self._reader = MessageToCompletionReader(writer)
        self._decoder = SSEDecoder()

    def receive(self, chunk: bytes) -> bytes:
        """The chunks for bytes of the deployment's stream."""
        for _, data in self._decoder.feed(chunk):
            self._take(data)
        self.final = self._writer.final
        return self._writer.take()

    def end(self) -> bytes:
        """What is due when the deployment's stream has ended."""
        for _, data in self._decoder.flush():
            self._take(data)
        if not self._writer.is_over:
            # The reason to stop comes before `message_stop`. With it the answer is whole; without
            # it a stream that broke off must not look complete.
            if self._reader.has_stopped:
                self._reader.finish()
            else:
                self._writer.fail("api_error", None, "The stream ended before the answer did.")
        self.final = self._writer.final
        return self._writer.take()

    def _take(self, data: bytes) -> None:
        event = None if self._writer.is_over else parse_object(data)
        handle = None if event is None else _HANDLERS.get(str(event.get("type")))
        # Kinds that are not known yet are left out, as Anthropic asks of its clients; so is `ping`.
        if event is not None and handle is not None:
            handle(self, event)

    def _begin(self, event: _Fields) -> None:
        self._reader.begin(_object(event.get("message")))

    def _begin_block(self, event: _Fields) -> None:
        self._reader.begin_block(event.get("index"), _object(event.get("content_block")))

    def _add(self, event: _Fields) -> None:
        self._reader.add_to_block(event.get("index"), _object(event.get("delta")))

    def _end_block(self, event: _Fields) -> None:
        self._reader.end_block(event.get("index"))

    def _add_delta(self, event: _Fields) -> None:
        self._reader.add_delta(_object(event.get("delta")), event.get("usage"))

    def _stop(self, event: _Fields) -> None:
        self._reader.finish()

    def _fail(self, event: _Fields) -> None:
        error = _object(event.get("error"))
        kind = str(error.get("type") or "api_error")
        message = str(error.get("message") or "Claude failed.")
        self._writer.fail(kind, _CODES.get(kind, kind), message)


_HANDLERS: Mapping[str, Callable[[MessageToCompletionStream, _Fields], None]] = {
    "message_start": MessageToCompletionStream._begin,
    "content_block_start": MessageToCompletionStream._begin_block,
    "content_block_delta": MessageToCompletionStream._add,
    "content_block_stop": MessageToCompletionStream._end_block,
    "message_delta": MessageToCompletionStream._add_delta,
    "message_stop": MessageToCompletionStream._stop,
    "error": MessageToCompletionStream._fail,
}


def _object(value: Any) -> _Fields:
    return value if isinstance(value, Mapping) else {}
