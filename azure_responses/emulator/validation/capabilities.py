"""What a model takes: sampling, reasoning, verbosity, tools and tiers."""

from typing import Any

from azure_responses.emulator.models import Model
from azure_responses.emulator.validation.errors import (
    out_of_range,
    refuse,
    unsupported_parameter,
    unsupported_value,
)

__all__ = ["check_capabilities"]

# Nothing shows that the default is refused where it is written out; chat completions say that it
# is the one value supported.
_DEFAULTS = {"temperature": 1, "top_p": 1, "top_logprobs": 0}


def check_capabilities(body: dict[str, Any], model: Model) -> None:
    """Refuses what this model does not take."""
    reasoning = body.get("reasoning")
    if reasoning:
        _check_reasoning(reasoning, model)
    effort = (reasoning or {}).get("effort") or model.default_effort
    _check_sampling(body, model, effort)
    _check_text(body.get("text") or {}, model)
    _check_include(body.get("include") or (), model, effort)
    _check_tier(body.get("service_tier"), model)
    limit = body.get("max_output_tokens")
    if limit is not None and limit > model.max_output:
        raise out_of_range("max_output_tokens", limit, model.max_output, is_above=True)
    for index, tool in enumerate(body.get("tools") or ()):
        if tool["type"] in model.refused_tools:
            message = f"Hosted tool '{tool['type']}' is not supported with {model.name}."
            raise refuse(message, "tools", None)
        if tool["type"] == "computer_use_preview" and model.name != tool["type"].replace("_", "-"):
            message = f"Tool 'computer_use_preview' is not supported with {model.name}."
            raise refuse(message, f"tools[{index}]", None)


def _check_reasoning(reasoning: dict[str, Any], model: Model) -> None:
    for name, value in reasoning.items():
        if value is not None and not model.reasoning:
            raise unsupported_parameter(f"reasoning.{name}", "unsupported_parameter")
    effort = reasoning.get("effort")
    if effort is not None and effort not in model.efforts:
        raise unsupported_value("reasoning.effort", effort, model.name, model.efforts)


def _check_sampling(body: dict[str, Any], model: Model, effort: str | None) -> None:
    if model.samples(effort):
        return
    for name, default in _DEFAULTS.items():
        if body.get(name) not in (None, default):
            raise unsupported_parameter(name)


def _check_text(text: dict[str, Any], model: Model) -> None:
    verbosity = text.get("verbosity")
    if verbosity is not None and verbosity not in model.verbosities:
        raise unsupported_value("text.verbosity", verbosity, model.name, model.verbosities)


def _check_include(include: Any, model: Model, effort: str | None) -> None:
    if "reasoning.encrypted_content" in include and not model.reasoning:
        raise refuse("Encrypted content is not supported with this model.", "include", None)
    if "message.output_text.logprobs" in include and not model.samples(effort):
        raise refuse("logprobs are not supported with reasoning models.", "include", None)


def _check_tier(tier: str | None, model: Model) -> None:
    if tier == "flex" and not model.supports_flex:
        message = f"Invalid service_tier argument: 'flex' is not supported with '{model.name}'."
        raise refuse(message, "service_tier", None)
    if tier in ("scale", "fast", "ultrafast"):
        message = f"Invalid service_tier argument: '{tier}' is not supported on this deployment."
        raise refuse(message, "service_tier", None)
