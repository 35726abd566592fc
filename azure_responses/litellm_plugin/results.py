"""Our completions and chunks → LiteLLM's, with everything that LiteLLM has no field for."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from azure_responses.litellm_plugin.call import Call
from azure_responses.litellm_plugin.installation import litellm_module
from azure_responses.pricing import cost
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk

__all__ = ["StreamConversion", "to_model_response"]

# LiteLLM's models check these lists against narrower types than they may hold: file citations, and
# the tag of the resource on reasoning items, would be refused or lost.
_UNCHECKED = ("annotations", "reasoning_items")
_CHUNK = frozenset({"id", "object", "created", "model", "choices", "usage"})
# Of a delta without one of the latter six the proxy writes the former two, and nothing else.
_SEEN = frozenset({"role", "content", "refusal", "tool_calls", "function_call"}) | {
    "reasoning_content",
    "thinking_blocks",
    "annotations",
}


def _types() -> Any:
    return litellm_module("litellm.types.utils")


def to_model_response(completion: ChatCompletion, call: Call) -> Any:
    """A `ModelResponse`, its cost and the reply's headers among its hidden parameters."""
    types = _types()
    values = completion.to_dict()
    choices = [_to_choice(choice, types) for choice in values.pop("choices")]
    usage = values.pop("usage", None)
    response = types.ModelResponse(**values, choices=choices, usage=_to_usage(usage, None))
    for choice, ours in zip(response.choices, completion.choices, strict=True):
        # A background response that is still at work has none; LiteLLM would say "stop".
        choice.finish_reason = ours.finish_reason
    hidden = response._hidden_params
    hidden["additional_headers"] = {
        f"llm_provider-{name}": value for name, value in completion.headers.items()
    }
    price = _price(completion, call)
    if price is not None:
        hidden["response_cost"] = float(price)
    return response


def _to_choice(choice: dict[str, Any], types: Any) -> Any:
    message = choice.pop("message")
    unchecked = {name: message.pop(name) for name in _UNCHECKED if message.get(name)}
    made = types.Message(**message)
    for name, value in unchecked.items():
        setattr(made, name, value)
    blocks = _to_thinking_blocks(unchecked.get("reasoning_items", ()))
    if blocks:
        made.thinking_blocks = blocks
    return types.Choices(**choice, message=made)


def _to_usage(usage: Mapping[str, Any] | None, price: Decimal | None) -> Any:
    if usage is None:
        return None
    made = _types().Usage(**usage)
    if price is not None:
        made.cost = float(price)
    return made


def _to_thinking_blocks(items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Reasoning as clients of Anthropic's shape keep it."""
    blocks = []
    for item in items:
        parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
        text = "\n\n".join(str(part.get("text") or "") for part in parts)
        fields = {"id": item.get("id"), "signature": item.get("encrypted_content")}
        if text:
            said = {name: value for name, value in fields.items() if value}
            blocks.append({"type": "thinking", "thinking": text, **said})
    return blocks


def _price(completion: ChatCompletion, call: Call) -> Decimal | None:
    """By our own prices, unless LiteLLM was told some; None leaves it to LiteLLM's list."""
    if call.has_own_prices:
        return None
    priced = cost(
        completion, deployment=call.deployment, base_model=call.base_model, zone=call.zone
    )
    return None if priced is None else priced.total


class StreamConversion:
    """Chunk by chunk, the stream of one completion.

    LiteLLM replaces whatever comes with the finish reason or after it, usage included, by guesses
    of its own. So the last chunk waits until everything else is said.
    """

    def __init__(self, call: Call) -> None:
        self._call = call
        self._last: ChatCompletionChunk | None = None

    def convert(self, chunk: ChatCompletionChunk) -> Iterator[Any]:
        """LiteLLM's chunks for one of ours; none for those that wait."""
        if not chunk.choices:
            return
        if chunk.choices[0].finish_reason is not None:
            self._last = chunk
            return
        yield _to_stream_chunk(chunk)

    def finish(self, completion: ChatCompletion) -> Iterator[Any]:
        """What is left when the completion is whole: news, usage and the finish reason."""
        last = self._last
        if last is None:
            return
        about = _about_end(last)
        if about:
            yield _bare_chunk(last, delta={"provider_specific_fields": about})
        if completion.usage is not None:
            usage = _to_usage(completion.usage.to_dict(), _price(completion, self._call))
            yield _bare_chunk(last, usage=usage)
        yield _bare_chunk(last, finish_reason=last.choices[0].finish_reason)


def _about_end(last: ChatCompletionChunk) -> dict[str, Any]:
    """What our last chunk says besides the finish reason."""
    values = last.to_dict()
    about = {name: value for name, value in values.items() if name not in _CHUNK}
    choice = values["choices"][0]
    about |= {name: value for name, value in choice.items() if name.startswith("content_filter")}
    return about


def _to_stream_chunk(chunk: ChatCompletionChunk) -> Any:
    types = _types()
    values = chunk.to_dict()
    choice = values["choices"][0]
    delta = choice.pop("delta")
    unchecked = {name: delta.pop(name) for name in _UNCHECKED if delta.get(name)}
    blocks = _to_thinking_blocks(unchecked.get("reasoning_items", ()))
    if blocks:
        delta["thinking_blocks"] = blocks
    if not _SEEN.issuperset({*delta, *unchecked}):
        # This too makes the proxy write all of it.
        delta.setdefault("provider_specific_fields", {})
    made = types.Delta(**delta)
    for name, value in unchecked.items():
        setattr(made, name, value)
    choices = [types.StreamingChoices(**choice, delta=made)]
    return types.ModelResponseStream(**{**values, "choices": choices, "usage": None})


def _bare_chunk(
    like: ChatCompletionChunk,
    *,
    delta: dict[str, Any] | None = None,
    finish_reason: str | None = None,
    usage: Any = None,
) -> Any:
    """A chunk of the same stream that adds nothing to the message but `delta`."""
    types = _types()
    choice = types.StreamingChoices(delta=types.Delta(**(delta or {})), finish_reason=finish_reason)
    return types.ModelResponseStream(
        id=like.id, created=like.created, model=like.model, choices=[choice], usage=usage
    )
