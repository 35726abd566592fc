"""Null stands for what is missing, as SDKs write it."""

from typing import Any

__all__ = ["drop_nulls"]


def drop_nulls(value: Any) -> Any:
    """The value without the fields of objects that are null, however deep."""
    if isinstance(value, list):
        return [drop_nulls(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {name: drop_nulls(part) for name, part in value.items() if part is not None}
