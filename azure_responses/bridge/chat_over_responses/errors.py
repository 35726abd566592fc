"""How the bridge says that a chat request cannot be served."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = ["as_list", "as_mapping", "as_texts", "refuse"]


# "messages[2].content[0].type is 'x'." → "messages[2].content[0].type".
_PLACE = re.compile(r"'?([A-Za-z_][\w-]*(?:\[\d+\]|\.\w+)*)")


def refuse(what: str, alternative: str) -> ConfigurationError:
    """The error for something the Responses API cannot do; nothing was sent.

    `what` begins with the parameter or the place in the messages, which is the error's `param`;
    `alternative` says what to do.
    """
    error = ConfigurationError(what, hint=alternative)
    place = _PLACE.match(what)
    error.param = place[1] if place is not None else None
    return error


def as_mapping(value: Any, path: str) -> Mapping[str, Any]:
    """A dict, or a model of pydantic's kind as one; raises ConfigurationError for anything else."""
    if isinstance(value, Mapping):
        return value
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    elif hasattr(value, "model_dump"):
        value = value.model_dump(exclude_unset=True, by_alias=True)
    if isinstance(value, Mapping):
        return value
    raise refuse(f"{path} is a {type(value).__name__}, not an object.", "Pass a dict or a model.")


def as_list(value: Any, path: str) -> list[Any]:
    """The items of anything that can be gone through but text and dicts; raises as above."""
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return list(value)
    raise refuse(f"{path} is a {type(value).__name__}, not a list.", "Pass a list.")


def as_texts(value: Any, path: str) -> list[str]:
    """The same where every item has to be text."""
    items = as_list(value, path)
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise refuse(f"{path}[{index}] is a {type(item).__name__}, not text.", "Pass a name.")
    return items
