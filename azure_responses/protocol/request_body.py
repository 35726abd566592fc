"""Parameters → the JSON of a request."""

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = ["encode_body"]

# Azure refuses these when a message or a reasoning item is replayed with its `status`
# (litellm #13484).
_WITHOUT_STATUS = frozenset({"message", "reasoning"})


def encode_body(
    body: Mapping[str, Any] | None, extra_body: Mapping[str, Any] | None = None
) -> bytes | None:
    """The body as UTF-8 JSON, `extra_body` laid over it; None for no body.

    Pydantic models stand for the JSON they were parsed from or set to; a message or reasoning
    item of an earlier response is replayed without its read-only `status`.

    Raises:
        ConfigurationError: a value that JSON cannot hold.
    """
    if body is None and not extra_body:
        return None
    merged = {**(body or {}), **(extra_body or {})}
    try:
        text = json.dumps(
            merged, default=_encode, ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        # The error itself shows the text, which may be anybody's.
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
        return _encode_model(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is not JSON")


def _encode_model(model: Any) -> dict[str, Any]:
    fields: dict[str, Any] = model.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if fields.get("type") in _WITHOUT_STATUS:
        fields.pop("status", None)
    return fields
