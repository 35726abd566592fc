"""The reply of a chat deployment → a response, whole or as its chunks arrive.

A whole reply is read as a stream of one chunk, so that both say the same.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from azure_responses.bridge.function_tools import FunctionTools
from azure_responses.bridge.reply_builder import MessagePart, ReasoningPart, ReplyBuilder
from azure_responses.bridge.response_events import EndStatus
from azure_responses.bridge.response_object import usage_of
from azure_responses.bridge.responses_over_chat.calls import CallReader
from azure_responses.bridge.responses_over_chat.content_filters import FilterVerdicts
from azure_responses.bridge.responses_over_chat.think_tags import SplitText, ThinkTagReader

__all__ = ["ChatReplyReader", "ReplyForm", "read_usage"]

_Fields = Mapping[str, Any]
# finish_reason → status and reason. Whatever else a server says is an end like any other.
_ENDINGS: Mapping[str, tuple[EndStatus, str | None]] = {
    "length": ("incomplete", "max_output_tokens"),
    "max_tokens": ("incomplete", "max_output_tokens"),
    "model_length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"),
    "error": ("failed", None),
}


class ReplyForm(NamedTuple):
    """How a reply is to be read.

    Attributes:
        tools: which tool a function stands for.
        seal: makes `encrypted_content` of reasoning; None where the caller did not ask for it.
        has_summary: reasoning stands in `summary`, too.
        has_think_tags: the text may begin with reasoning in tags.
        json_in_reasoning: an answer in JSON may stand in the reasoning, with no text.
    """

    tools: FunctionTools
    seal: Callable[[str], str] | None = None
    has_summary: bool = False
    has_think_tags: bool = False
    json_in_reasoning: bool = False


class ChatReplyReader:
    """Tells a builder what the chunks of one reply say.

    Args:
        builder: makes the response.
        form: how the reply is to be read.
        new_id: makes an id with a given prefix, for calls that come without.

    Attributes:
        finish_reason: why the model stopped, once it is known.
    """

    def __init__(
        self, builder: ReplyBuilder, form: ReplyForm, new_id: Callable[[str], str]
    ) -> None:
        self.finish_reason: str | None = None
        self._builder = builder
        self._form = form
        self._calls = CallReader(builder, form.tools, new_id)
        self._tags = ThinkTagReader() if form.has_think_tags else None
        self._filters = FilterVerdicts()
        self._filter_results: Any = None
        self._usage: _Fields | None = None
        self._service_tier: str | None = None
        self._reasoning: ReasoningPart | None = None
        self._reasoned = ""
        self._message: MessagePart | None = None
        self._has_message = False
        self._logprobs: list[Any] = []
        self._annotations: list[_Fields] = []

    def add_chunk(self, chunk: _Fields) -> None:
        """One chunk of a stream."""
        self._add_around(chunk)
        for choice in chunk.get("choices") or ():
            if not choice.get("index"):
                self._add_choice(choice, choice.get("delta") or {})

    def add_piece(self, field: str, text: str) -> None:
        """More text in a field of the delta, in a chunk that is like one before it."""
        if field == "content":
            self._add_content(text)
        else:
            self._add_reasoning(text)

    def add_completion(self, completion: _Fields) -> None:
        """A whole reply.

        Raises:
            ValueError: it has no message.
        """
        choices = completion.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        message = choice.get("message") if isinstance(choice, dict) else None
        if choice is None or not isinstance(message, dict):
            raise ValueError("the reply has no message")
        self._add_around(completion)
        calls = message.get("tool_calls")
        if calls:
            numbered = [{**call, "index": index} for index, call in enumerate(calls)]
            message = {**message, "tool_calls": numbered}
        self._add_choice(choice, message)
        self.finish_reason = self.finish_reason or "stop"

    def _add_around(self, given: _Fields) -> None:
        usage = given.get("usage")
        if usage and isinstance(usage, dict):
            self._usage = usage
        filters = given.get("prompt_filter_results")
        if filters:
            self._filters.add_prompts(filters)
        tier = given.get("service_tier")
        if tier and isinstance(tier, str):
            self._service_tier = tier

    def _add_choice(self, choice: _Fields, delta: _Fields) -> None:
        results = choice.get("content_filter_results")
        # Nearly every chunk of a stream repeats the verdicts of the chunk before it.
        if (results and results != self._filter_results) or "content_filter_offsets" in choice:
            self._filter_results = results
            self._filters.add_choice(choice)
        logprobs = choice.get("logprobs")
        if logprobs:
            self._logprobs += logprobs.get("content") or ()
        reasoning = delta.get("reasoning_content") or delta.get("reasoning")
        if reasoning:
            self._add_reasoning(str(reasoning))
        content = delta.get("content")
        if content:
            self._add_content(content)
        if not content or len(delta) > 1:
            self._add_others(delta)
        reason = choice.get("finish_reason")
        if reason:
            self.finish_reason = str(reason)

    def _add_others(self, delta: _Fields) -> None:
        if delta.get("refusal"):
            self._open_message().add_refusal(str(delta["refusal"]))
        for annotation in delta.get("annotations") or ():
            self._add_annotation(annotation)
        for call in delta.get("tool_calls") or ():
            self._add_call(call)
        if delta.get("function_call"):
            self._add_call({"index": "function_call", "function": delta["function_call"]})

    def _add_content(self, content: Any) -> None:
        if isinstance(content, str):
            split = SplitText("", content) if self._tags is None else self._tags.feed(content)
            self._add_split(split)
            return
        # Mistral's models that reason send a list of parts.
        for part in content if isinstance(content, list) else ():
            for split in _read_part(part):
                self._add_split(split)

    def _add_split(self, split: SplitText) -> None:
        if split.reasoning:
            self._add_reasoning(split.reasoning)
        if split.text:
            self._add_text(split.text)

    def _add_text(self, text: str) -> None:
        message = self._message
        if message is None:
            message = self._open_message()
        if self._logprobs:
            logprobs, self._logprobs = self._logprobs, []
            message.add_text(text, logprobs)
        else:
            message.add_text(text)
        if self._annotations:
            self._annotate(message)

    def _add_annotation(self, annotation: _Fields) -> None:
        self._annotations.append(annotation)
        if self._message is not None:
            self._annotate(self._message)

    def _annotate(self, message: MessagePart) -> None:
        for annotation in self._annotations:
            message.annotate(_unwrapped(annotation))
        self._annotations = []

    def _add_reasoning(self, text: str) -> None:
        if self._reasoning is None:
            self._close_message("completed")
            self._calls.close_complete()
            self._reasoning = self._builder.begin_reasoning(with_summary=self._form.has_summary)
        self._reasoning.add_text(text)

    def _add_call(self, piece: _Fields) -> None:
        if self._calls.starts(piece):
            self._close_reasoning()
            self._close_message("completed")
        self._calls.add(piece)

    def _open_message(self) -> MessagePart:
        if self._message is None:
            self._close_reasoning()
            self._calls.close_complete()
            self._message = self._builder.begin_message()
            self._has_message = True
        return self._message

    def _close_message(self, status: str) -> None:
        if self._message is not None:
            self._message.close(status)
            self._message = None

    def _close_reasoning(self) -> None:
        if self._reasoning is None:
            return
        self._reasoned = self._reasoning.text
        seal = self._form.seal
        sealed = None if seal is None else seal(self._reasoned)
        self._reasoning.close(encrypted_content=sealed)
        self._reasoning = None

    def finish(self) -> None:
        """The reply is over, as its `finish_reason` says."""
        status, reason = _ENDINGS.get(self.finish_reason or "", ("completed", None))
        if status == "failed":
            self.fail("server_error", "The deployment reported an error and no reason.")
            return
        if self._tags is not None:
            self._add_split(self._tags.finish())
        self._close_reasoning()
        if self._form.json_in_reasoning and not self._has_message and self._reasoned:
            self._add_text(self._reasoned)
        if self._logprobs and self._message is not None:
            self._message.add_text("", self._logprobs)
        item_status = "completed" if status == "completed" else "incomplete"
        self._close_message(item_status)
        self._calls.close(item_status)
        self._end(status, incomplete_reason=reason)

    def fail(self, code: str, message: str) -> None:
        """The reply broke off, or reported an error."""
        self._end("failed", error={"code": code, "message": message})

    def _end(self, status: EndStatus, **how: Any) -> None:
        usage = None if self._usage is None else read_usage(self._usage)
        self._builder.finish(
            status,
            usage=usage,
            content_filters=self._filters.build(),
            service_tier=self._service_tier,
            **how,
        )


def _read_part(part: Any) -> Iterator[SplitText]:
    """What a part of the content is: `{"type": "thinking", "thinking": [parts]}`, or text."""
    if not isinstance(part, dict):
        return
    if part.get("type") == "thinking":
        thoughts = part.get("thinking")
        for thought in thoughts if isinstance(thoughts, list) else [{"text": thoughts}]:
            yield SplitText(str(thought.get("text") or ""), "")
    elif isinstance(part.get("text"), str):
        yield SplitText("", part["text"])


def _unwrapped(annotation: _Fields) -> dict[str, Any]:
    """`{"type": "url_citation", "url_citation": {…}}` with the inner fields beside the type."""
    kind = annotation.get("type")
    inner = annotation.get(str(kind))
    return {"type": kind, **inner} if isinstance(inner, dict) else dict(annotation)


def read_usage(usage: _Fields) -> dict[str, Any]:
    """The usage of a chat completion as that of a response."""
    read, written = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached, cache_write = _counts(read, "cached_tokens", "cache_write_tokens")
    reasoned, _ = _counts(written, "reasoning_tokens", "")
    inputs, outputs = _counts(usage, "prompt_tokens", "completion_tokens")
    # xAI's completion_tokens leave the reasoning out, its total does not.
    if reasoned and usage.get("total_tokens") == inputs + outputs + reasoned:
        outputs += reasoned
    # DeepSeek's own name.
    cached = cached or _counts(usage, "prompt_cache_hit_tokens", "")[0]
    return usage_of(
        inputs,
        outputs,
        cached_tokens=cached,
        reasoning_tokens=reasoned,
        cache_write_tokens=cache_write,
    )


def _counts(fields: Any, first: str, second: str) -> tuple[int, int]:
    """Two counts; one that is not a number must not cost the caller the answer."""
    if not isinstance(fields, dict):
        return 0, 0
    one, two = fields.get(first), fields.get(second)
    return one if isinstance(one, int) else 0, two if isinstance(two, int) else 0
