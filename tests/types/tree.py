"""Walking parsed models, for tests that look at every node."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from azure_responses.types import Model

__all__ = ["nodes", "unknown_nodes"]


def nodes(value: Any) -> Iterator[Model]:
    """Every model inside a value, the value itself included."""
    if isinstance(value, BaseModel):
        assert isinstance(value, Model)
        yield value
        value = list(value.__dict__.values())
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from nodes(member)


def unknown_nodes(value: Any) -> list[tuple[str, Any]]:
    """The fallbacks inside a value, as (class name, type)."""
    return [
        (type(node).__name__, getattr(node, "type", None))
        for node in nodes(value)
        if type(node).__name__.startswith("Unknown")
    ]
