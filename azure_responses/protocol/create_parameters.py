"""Checks the names a create call was given before anything is sent."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from azure_responses.types.parameters import CREATE_PARAMETERS

__all__ = ["COMPACT_PARAMETERS", "check_names"]

COMPACT_PARAMETERS = frozenset(
    {"model", "input", "instructions", "previous_response_id", "prompt_cache_key", "tools"}
)


def check_names(parameters: Mapping[str, Any], known: Iterable[str] = CREATE_PARAMETERS) -> None:
    """Raise TypeError for a parameter the Responses API does not have, naming the way out."""
    unknown = [name for name in parameters if name not in known]
    if not unknown:
        return
    name = unknown[0]
    if name == "messages":
        raise TypeError("Responses takes `input`, not `messages`.")
    close = get_close_matches(name, list(known), n=1)
    suggestion = f"did you mean {close[0]!r}? Otherwise " if close else ""
    raise TypeError(
        f"unknown parameter {name!r}; {suggestion}pass it as extra_body={{{name!r}: …}}"
    )
