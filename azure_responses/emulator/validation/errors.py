"""The refusals of a body that cannot be accepted, worded as the service words them.

All are HTTP 400 with type `invalid_request_error`; the wording is what users quote in their issues.
"""

from collections.abc import Iterable
from typing import Any

from azure_responses.emulator.refusal import Refusal

__all__ = [
    "invalid_type",
    "invalid_value",
    "missing_parameter",
    "name_type",
    "out_of_range",
    "refuse",
    "too_long",
    "too_many",
    "unknown_parameter",
    "unsupported_parameter",
    "unsupported_value",
]


def refuse(message: str, param: str | None, code: str | None) -> Refusal:
    """A refusal with OpenAI's error object."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(400, {"error": error})


_TYPE_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    int: "an integer",
    float: "a decimal",
    list: "an array",
    dict: "an object",
}


def name_type(value: Any) -> str:
    """The value's type in the words of the service."""
    return _TYPE_NAMES[type(value)]


def invalid_type(path: str, expected: str, value: Any) -> Refusal:
    """The value has the wrong JSON type."""
    got = name_type(value)
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return refuse(message, path, "invalid_type")


def unknown_parameter(path: str) -> Refusal:
    """The object has a key it may not have."""
    return refuse(f"Unknown parameter: '{path}'.", path, "unknown_parameter")


def missing_parameter(path: str) -> Refusal:
    """The object lacks a key it must have."""
    return refuse(f"Missing required parameter: '{path}'.", path, "missing_required_parameter")


def invalid_value(path: str, value: Any, supported: Iterable[str]) -> Refusal:
    """The string is none of the supported values."""
    message = f"Invalid value: '{value}'. Supported values are: {_enumerate(supported)}."
    return refuse(message, path, "invalid_value")


def unsupported_value(path: str, value: Any, model: str, supported: Iterable[str]) -> Refusal:
    """The value exists, but not for this model."""
    message = (
        f"Unsupported value: '{value}' is not supported with the '{model}' model. "
        f"Supported values are: {_enumerate(supported)}."
    )
    return refuse(message, path, "unsupported_value")


def unsupported_parameter(path: str, code: str | None = None) -> Refusal:
    """The parameter exists, but not for this model."""
    message = f"Unsupported parameter: '{path}' is not supported with this model."
    return refuse(message, path, code)


def out_of_range(path: str, value: float, limit: float, is_above: bool) -> Refusal:
    """A number beyond its limit."""
    kind = "integer" if isinstance(value, int) else "decimal"
    side, sign = ("above maximum", "<=") if is_above else ("below minimum", ">=")
    message = (
        f"Invalid '{path}': {kind} {side} value. "
        f"Expected a value {sign} {limit}, but got {value} instead."
    )
    code = f"{kind}_{'above_max' if is_above else 'below_min'}_value"
    return refuse(message, path, code)


def too_long(path: str, length: int, limit: int) -> Refusal:
    """A string with too many characters."""
    message = (
        f"Invalid '{path}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return refuse(message, path, "string_above_max_length")


def too_many(path: str, count: int, limit: int, kind: str) -> Refusal:
    """An array (`kind` "array") with too many elements, or an object with too many keys."""
    if kind == "array":
        message = (
            f"Invalid '{path}': array too long. Expected an array with maximum length {limit}, "
            f"but got an array with length {count} instead."
        )
        return refuse(message, path, "array_above_max_length")
    message = (
        f"Invalid '{path}': too many properties. Expected an object with at most {limit} "
        f"properties, but got an object with {count} properties instead."
    )
    return refuse(message, path, "object_above_max_properties")


def _enumerate(values: Iterable[str]) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
