"""Fields of a JSON body by the type they must have."""

from typing import Any

from azure_responses.emulator.refusals import invalid_request

__all__ = ["read_minutes", "read_object", "read_texts"]

_NAMES = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a decimal number",
    list: "an array",
    dict: "an object",
}


def _wrong(name: str, expected: str, value: object) -> Exception:
    return invalid_request(
        f"Invalid type for '{name}': expected {expected}, but got "
        f"{_NAMES.get(type(value), 'null')} instead.",
        name,
        "invalid_type",
    )


def read_object(body: dict[str, Any], name: str) -> dict[str, Any]:
    """An object, empty where the field is absent; raises Refusal for anything else."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(name, "an object", value)
    return value


def read_texts(body: dict[str, Any], name: str) -> list[str]:
    """A list of strings, empty where the field is absent; raises Refusal for anything else."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(name, "an array of strings", value)
    for index, item in enumerate(value):
        if not isinstance(item, str):
            raise _wrong(f"{name}[{index}]", "a string", item)
    return value


def read_minutes(body: dict[str, Any], name: str, default: int) -> int:
    """`minutes` of an object such as `expires_after`; raises Refusal where it is no number."""
    value = read_object(body, name).get("minutes", default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(f"{name}.minutes", "an integer", value)
    return value
