"""LiteLLM's calls of a custom provider → ours; our completions and chunks → LiteLLM's."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from azure_responses.litellm_plugin.clients import (
    CONNECTION_NAMES,
    PROVIDER,
    litellm,
    litellm_module,
    read_base_model,
    read_connection,
)
from azure_responses.pricing import cost
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk

__all__ = ["LiteLLMCall", "LiteLLMStream", "has_own_prices", "read_call", "to_model_response"]

# What LiteLLM needs itself and leaves among the parameters of some calls.
_NOT_ASKED = frozenset({"stream", "model_id", "timeout", "extra_headers", "user"})
_OWN_PRICES = (
    "input_cost_per_token",
    "output_cost_per_token",
    "input_cost_per_second",
    "output_cost_per_second",
    "cost_per_second",
)


@dataclass(frozen=True)
class LiteLLMCall:
    """One chat completion as our client makes it.

    Attributes:
        connection: the arguments of the client.
        arguments: those of `chat.completions.create`, without `stream`.
        deployment: its `model`.
        base_model, zone: what is known about the deployment's price.
        has_own_prices: the configuration names prices, so LiteLLM counts the cost itself.
        provider: the name the plug-in was called by.
    """

    connection: dict[str, Any]
    arguments: dict[str, Any]
    deployment: str
    base_model: str | None
    zone: str | None
    has_own_prices: bool
    provider: str


def read_call(given: Mapping[str, Any]) -> LiteLLMCall:
    """The call in the keyword arguments of `CustomLLM.completion` and its kin."""
    settings = dict(given.get("litellm_params") or {})
    parameters = _restore_parameters(given.get("optional_params") or {}, given.get("logging_obj"))
    about = {**settings, **_present(parameters, CONNECTION_NAMES)}
    about |= {name: given[name] for name in ("api_base", "api_key") if given.get(name)}
    base_model, zone = read_base_model(about)
    return LiteLLMCall(
        connection=read_connection(about),
        arguments=_read_arguments(given, parameters, settings),
        deployment=given["model"],
        base_model=base_model,
        zone=zone,
        has_own_prices=has_own_prices(settings),
        provider=read_provider(given),
    )


def read_provider(given: Mapping[str, Any]) -> str:
    """The name by which LiteLLM calls this plug-in; programs may register several."""
    settings = given.get("litellm_params") or {}
    return settings.get("custom_llm_provider") or PROVIDER


def _read_arguments(
    given: Mapping[str, Any], parameters: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    asked = {
        name: value
        for name, value in parameters.items()
        if name not in CONNECTION_NAMES and name not in _NOT_ASKED
    }
    arguments = {"model": given["model"], "messages": _read_messages(given["messages"]), **asked}
    # LiteLLM leaves `user` out for a provider that it does not know, and only logs it.
    user = parameters.get("user") or _logged(given.get("logging_obj"), "user")
    if user:
        arguments["user"] = user
    headers = {**(given.get("headers") or {}), **(parameters.get("extra_headers") or {})}
    if headers:
        arguments["extra_headers"] = headers
    # Absent, the timeout of the client counts.
    if given.get("timeout") is not None:
        arguments["timeout"] = given["timeout"]
    if settings.get("drop_params") or litellm().drop_params:
        arguments["drop_params"] = True
    return arguments


def _restore_parameters(parameters: Mapping[str, Any], logging_obj: Any) -> dict[str, Any]:
    """The parameters, with those that LiteLLM leaves out for a provider it does not know.

    Its record of the call for logging still has them: `reasoning_effort`, `verbosity` and others.
    """
    logged = getattr(logging_obj, "optional_params", None)
    names = litellm_module("litellm.constants").DEFAULT_CHAT_COMPLETION_PARAM_VALUES
    left_out = _present(logged, names) if isinstance(logged, Mapping) else {}
    if "max_tokens" in parameters:
        # LiteLLM's name for max_completion_tokens; the bridge refuses two limits that differ.
        left_out.pop("max_completion_tokens", None)
    return {**left_out, **parameters}


def _present(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _logged(logging_obj: Any, name: str) -> Any:
    details = getattr(logging_obj, "model_call_details", None)
    return details.get(name) if isinstance(details, Mapping) else None


def has_own_prices(settings: Mapping[str, Any]) -> bool:
    """True where the configuration names the prices of a deployment."""
    places = (settings, settings.get("model_info") or {})
    return any(place.get(name) is not None for place in places for name in _OWN_PRICES)


def _read_messages(messages: Iterable[Any]) -> list[Any]:
    return [_read_message(message) for message in messages]


def _read_message(message: Any) -> Any:
    """The message in the form that the bridge reads, without LiteLLM's additions."""
    fields = message if isinstance(message, Mapping) else message.model_dump(exclude_none=True)
    if fields.get("role") != "assistant":
        return fields
    rest = {name: value for name, value in fields.items() if name != "provider_specific_fields"}
    blocks = rest.get("thinking_blocks")
    return {**rest, "thinking_blocks": [_read_block(block) for block in blocks]} if blocks else rest


def _read_block(block: Mapping[str, Any]) -> dict[str, Any]:
    """One of the blocks that are made below: its signature is the item's ciphertext."""
    # Only our own: blocks of other providers have signatures that Azure cannot read.
    if str(block.get("id") or "").startswith("rs_") and block.get("signature"):
        return {**block, "encrypted_content": block["signature"]}
    return dict(block)


# LiteLLM's models check these lists against narrower types than they may hold: file citations, and
# the tag of the resource on reasoning items, would be refused or lost.
_UNCHECKED = ("annotations", "reasoning_items")
_CHUNK = frozenset({"id", "object", "created", "model", "choices", "usage"})
# Of a delta that has none of the last six the proxy writes `role` and `content`, and nothing else.
_SEEN = frozenset({"role", "content", "refusal", "tool_calls", "function_call"}) | {
    "reasoning_content",
    "thinking_blocks",
    "annotations",
}


def _types() -> Any:
    return litellm_module("litellm.types.utils")


def to_model_response(completion: ChatCompletion, call: LiteLLMCall) -> Any:
    """A `ModelResponse`, its cost and the reply's headers among its hidden parameters."""
    types = _types()
    values = completion.to_dict()
    choices = [_to_choice(choice, types) for choice in values.pop("choices")]
    usage = values.pop("usage", None)
    response = types.ModelResponse(**values, choices=choices, usage=_to_usage(usage, None))
    for choice, ours in zip(response.choices, completion.choices, strict=True):
        # A background response that still runs has none; LiteLLM would make it "stop".
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
    """Reasoning in the form that clients of Anthropic's API keep and send back."""
    blocks = []
    for item in items:
        parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
        text = "\n\n".join(str(part.get("text") or "") for part in parts)
        fields = {"id": item.get("id"), "signature": item.get("encrypted_content")}
        if text:
            said = {name: value for name, value in fields.items() if value}
            blocks.append({"type": "thinking", "thinking": text, **said})
    return blocks


def _price(completion: ChatCompletion, call: LiteLLMCall) -> Decimal | None:
    """By our own prices; None where LiteLLM counts, by configured prices or its own list."""
    if call.has_own_prices:
        return None
    priced = cost(
        completion, deployment=call.deployment, base_model=call.base_model, zone=call.zone
    )
    return None if priced is None else priced.total


class LiteLLMStream:
    """Chunk by chunk, the stream of one completion.

    LiteLLM replaces everything that comes with the finish reason or after it, usage included, by
    its own estimates. So the last chunk waits until all others are sent.
    """

    def __init__(self, call: LiteLLMCall) -> None:
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
        """The end of the stream: fields of its last chunk, usage and the finish reason."""
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
    """What our last chunk has besides the finish reason."""
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
        # The proxy writes every field of a delta that has this one.
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
