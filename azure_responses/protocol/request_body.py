"""Parameters → the JSON of a request: their names are checked first, then they are written."""

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.types.parameters import CREATE_PARAMETERS, CompactParameters

__all__ = [
    "COMPACT_PARAMETERS",
    "CONNECTION_FIELDS",
    "FEWEST_OUTPUT_TOKENS",
    "ITEMS_WITHOUT_STATUS",
    "OF_RESPONSES",
    "as_sent",
    "check_names",
    "check_streaming",
    "encode_body",
    "overlay",
    "place_of",
]

FEWEST_OUTPUT_TOKENS = 16
"""The least `max_output_tokens` that the Responses API accepts; chat completions accept 1."""

ITEMS_WITHOUT_STATUS = frozenset({"message", "reasoning"})
"""Types of items that Azure refuses when they are replayed with their `status` (litellm #13484).

The openai packages, openai-agents and pydantic-ai send it.
"""


def encode_body(
    body: Mapping[str, Any] | None, extra_body: Mapping[str, Any] | None = None
) -> bytes | None:
    """The body as UTF-8 JSON, `extra_body` laid over it; None for no body.

    Pydantic models stand for the JSON they were parsed from or set to; a message or reasoning
    item of an earlier response is replayed without its read-only `status`, and a file, container,
    conversation, vector store or skill stands for its id.

    Raises:
        ConfigurationError: a value that JSON cannot hold.
    """
    if body is None and not extra_body:
        return None
    merged = {**(body or {}), **(extra_body or {})}
    try:
        return _JSON.encode(merged).encode("utf-8")
    except UnicodeEncodeError as error:
        # Without the text of the original error, which shows the input of the caller.
        raise ConfigurationError(
            "The request cannot be written as JSON: some text holds half a surrogate pair.",
            hint="It was read from bytes that are not UTF-8; decode them as what they are.",
        ) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"The request cannot be written as JSON: {error}",
            hint="Pass strings, numbers, booleans, None, dicts, lists and pydantic models.",
        ) from error


def _encode(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return as_sent(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def as_sent(model: Any) -> Any:
    """What a pydantic model in a body stands for: its JSON, and for a stored object its id."""
    if getattr(type(model), "_is_sent_by_id", False):
        return model.id
    fields: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if fields.get("type") in ITEMS_WITHOUT_STATUS:
        fields.pop("status", None)
    return fields


# Made once, because `json.dumps` makes an encoder in every call that has options. Text stays UTF-8,
# because escapes make most languages twice as long. NaN and infinity are refused: Python writes
# them, but they are not JSON.
_JSON = json.JSONEncoder(
    default=_encode, ensure_ascii=False, allow_nan=False, separators=(",", ":")
)

# What chat completions and responses both take.
_SHARED = frozenset(
    {
        "metadata",
        "model",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
        "user",
    }
)
OF_RESPONSES = frozenset(CREATE_PARAMETERS) - _SHARED
"""What only the Responses API takes, and chat completions do not."""

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
    """Where to pass an argument that belongs to the client; None for any other name.

    Such an argument is refused in `extra_body` too: a key must not be sent in a body.
    """
    if name in _OPTIONS:
        return f"Pass it to the client: client.with_options({name}=…)."
    return "Pass it when the client is made." if name in _OF_CLIENT else None


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
        raise TypeError(f"{name!r} is not a parameter of a response. {place}")
    close = get_close_matches(name, list(known), n=1)
    suggestion = f"did you mean {close[0]!r}? Otherwise " if close else ""
    raise TypeError(
        f"unknown parameter {name!r}; {suggestion}pass it as extra_body={{{name!r}: …}}"
    )


def check_streaming(stream: bool, extra_body: Mapping[str, Any] | None) -> None:
    """Raise ConfigurationError where the body would ask for what the caller does not read."""
    said = (extra_body or {}).get("stream")
    if said is not None and bool(said) is not stream:
        raise ConfigurationError(
            f"stream={said!r} in extra_body contradicts the call itself.",
            hint="Pass stream=True or stream=False to the call.",
        )


def overlay(body: Mapping[str, Any], extra: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A body with `extra` laid over it."""
    return {**body, **extra} if extra else body
