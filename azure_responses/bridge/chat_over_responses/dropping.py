"""What is left out of a request because the model would refuse it, on either route."""

from collections.abc import Mapping
from typing import Any

__all__ = ["drop_sampling", "without_sampling"]

_SAMPLING = ("temperature", "top_p", "top_logprobs")
# The defaults: a model that reasons refuses even these, and nothing is lost without them.
_NEUTRAL = {"temperature": 1, "top_p": 1}
_LOGPROBS = "message.output_text.logprobs"
_WHY = "models that reason refuse it"


def drop_sampling(parameters: dict[str, Any]) -> list[str]:
    """Take out of a response's parameters what a model refuses while it reasons.

    Returns a sentence for each that asked for something. With effort "none" it does not reason,
    and refuses nothing.
    """
    reasoning = parameters.get("reasoning")
    if isinstance(reasoning, Mapping) and reasoning.get("effort") == "none":
        return []
    given = {name: parameters.pop(name) for name in _SAMPLING if parameters.get(name) is not None}
    dropped = [name for name, value in given.items() if value != _NEUTRAL.get(name)]
    include = parameters.get("include")
    if isinstance(include, list | tuple) and _LOGPROBS in include:
        parameters["include"] = [name for name in include if name != _LOGPROBS]
        dropped.append("logprobs")
    return [f"{name} was dropped: {_WHY}." for name in dropped]


def without_sampling(parameters: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """The same with what was given left as it is; the very same where nothing is dropped."""
    left = dict(parameters)
    dropped = drop_sampling(left)
    return (parameters if left == parameters else left), dropped
