"""Checks the names a create call was given before anything is sent."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from azure_responses.types.parameters import CREATE_PARAMETERS, CompactParameters

__all__ = ["COMPACT_PARAMETERS", "CONNECTION_FIELDS", "check_names", "place_of"]

COMPACT_PARAMETERS = frozenset(CompactParameters.__annotations__)

_OF_CLIENT = frozenset(
    {
        "api_base",
        "api_key",
        "api_version",
        "azure_ad_token",
        "azure_ad_token_provider",
        "azure_endpoint",
        "base_url",
        "credential",
        "drop_params",
        "endpoint",
    }
)
_OPTIONS = frozenset({"default_headers", "default_query", "max_retries", "read_after_write"})

CONNECTION_FIELDS = (_OF_CLIENT | _OPTIONS) - {"drop_params"}
"""What says where a call goes, as whom, or how often it is tried."""


def place_of(name: str) -> str | None:
    """Where an argument belongs that is none of a call; None for any other name.

    Nobody is to send a key in a body because `extra_body` takes everything.
    """
    if name in _OPTIONS:
        return f"Say it to the client: client.with_options({name}=…)."
    return "It is for the client, when it is made." if name in _OF_CLIENT else None


def check_names(parameters: Mapping[str, Any], known: Iterable[str] = CREATE_PARAMETERS) -> None:
    """Raise TypeError for a parameter the Responses API does not have, naming the way out."""
    unknown = [name for name in parameters if name not in known]
    if not unknown:
        return
    name = unknown[0]
    if name == "messages":
        raise TypeError("Responses takes `input`, not `messages`.")
    place = place_of(name)
    if place is not None:
        raise TypeError(f"{name!r} is no parameter of a response. {place}")
    close = get_close_matches(name, list(known), n=1)
    suggestion = f"did you mean {close[0]!r}? Otherwise " if close else ""
    raise TypeError(
        f"unknown parameter {name!r}; {suggestion}pass it as extra_body={{{name!r}: …}}"
    )
