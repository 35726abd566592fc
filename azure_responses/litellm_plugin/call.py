"""What LiteLLM hands to a custom provider → the call it stands for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azure_responses.litellm_plugin.connection import (
    CONNECTION_NAMES,
    read_base_model,
    read_connection,
)
from azure_responses.litellm_plugin.installation import litellm, litellm_module

__all__ = ["Call", "has_own_prices", "read_call"]

# LiteLLM's own business, which it leaves among the parameters of some calls.
_NOT_ASKED = frozenset({"stream", "model_id", "timeout", "extra_headers", "user"})
_OWN_PRICES = (
    "input_cost_per_token",
    "output_cost_per_token",
    "input_cost_per_second",
    "output_cost_per_second",
    "cost_per_second",
)


@dataclass(frozen=True)
class Call:
    """One chat completion as our client makes it.

    Attributes:
        connection: the arguments of the client.
        arguments: those of `chat.completions.create`, without `stream`.
        deployment: its `model`.
        base_model, zone: what is known about the deployment's price.
        has_own_prices: LiteLLM was told prices, so it counts the cost itself.
        provider: the name the plug-in was called by.
    """

    connection: dict[str, Any]
    arguments: dict[str, Any]
    deployment: str
    base_model: str | None
    zone: str | None
    has_own_prices: bool
    provider: str


def read_call(given: Mapping[str, Any]) -> Call:
    """The call in the keyword arguments of `CustomLLM.completion` and its kin."""
    settings = dict(given.get("litellm_params") or {})
    parameters = _restore_parameters(given.get("optional_params") or {}, given.get("logging_obj"))
    about = {**settings, **_present(parameters, CONNECTION_NAMES)}
    about |= {name: given[name] for name in ("api_base", "api_key") if given.get(name)}
    base_model, zone = read_base_model(about)
    return Call(
        connection=read_connection(about),
        arguments=_read_arguments(given, parameters, settings),
        deployment=given["model"],
        base_model=base_model,
        zone=zone,
        has_own_prices=has_own_prices(settings),
        provider=settings.get("custom_llm_provider") or "azure_responses",
    )


def _read_arguments(
    given: Mapping[str, Any], parameters: Mapping[str, Any], settings: Mapping[str, Any]
) -> dict[str, Any]:
    asked = {
        name: value
        for name, value in parameters.items()
        if name not in CONNECTION_NAMES and name not in _NOT_ASKED
    }
    arguments = {"model": given["model"], "messages": _read_messages(given["messages"]), **asked}
    user = parameters.get("user") or _logged(given.get("logging_obj"), "user")
    if user:
        arguments["user"] = user
    headers = {**(given.get("headers") or {}), **(parameters.get("extra_headers") or {})}
    if headers:
        arguments["extra_headers"] = headers
    if given.get("timeout") is not None:
        arguments["timeout"] = given["timeout"]
    if settings.get("drop_params") or litellm().drop_params:
        arguments["drop_params"] = True
    return arguments


def _restore_parameters(parameters: Mapping[str, Any], logging_obj: Any) -> dict[str, Any]:
    """The parameters with those that LiteLLM leaves out for a provider it does not know.

    Its record of the call for logging still has them: `reasoning_effort`, `verbosity` and others.
    """
    logged = getattr(logging_obj, "optional_params", None)
    names = litellm_module("litellm.constants").DEFAULT_CHAT_COMPLETION_PARAM_VALUES
    left_out = _present(logged, names) if isinstance(logged, Mapping) else {}
    if "max_tokens" in parameters:
        # LiteLLM calls max_completion_tokens so.
        left_out.pop("max_completion_tokens", None)
    return {**left_out, **parameters}


def _present(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _logged(logging_obj: Any, name: str) -> Any:
    details = getattr(logging_obj, "model_call_details", None)
    return details.get(name) if isinstance(details, Mapping) else None


def has_own_prices(settings: Mapping[str, Any]) -> bool:
    """True where LiteLLM was told the prices of a deployment."""
    places = (settings, settings.get("model_info") or {})
    return any(place.get(name) is not None for place in places for name in _OWN_PRICES)


def _read_messages(messages: Iterable[Any]) -> list[Any]:
    return [_read_message(message) for message in messages]


def _read_message(message: Any) -> Any:
    """The message as the bridge knows it, without what LiteLLM adds for itself."""
    fields = message if isinstance(message, Mapping) else message.model_dump(exclude_none=True)
    if fields.get("role") != "assistant":
        return fields
    rest = {name: value for name, value in fields.items() if name != "provider_specific_fields"}
    blocks = rest.get("thinking_blocks")
    return {**rest, "thinking_blocks": [_read_block(block) for block in blocks]} if blocks else rest


def _read_block(block: Mapping[str, Any]) -> dict[str, Any]:
    """One of the blocks that `results` makes: its signature is the item's ciphertext."""
    if str(block.get("id") or "").startswith("rs_") and block.get("signature"):
        return {**block, "encrypted_content": block["signature"]}
    return dict(block)
