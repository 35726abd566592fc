"""One page of a list of stored objects."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import Field, model_validator

from .result import Result

__all__ = ["Page"]

T = TypeVar("T")


class Page(Result, Generic[T]):
    """One page of a list.

    `has_more` is None where the service does not say; then there may be more as long as a page has
    objects. `last_id` is the position after which the next page begins, where the service says it.
    """

    object: str = "list"
    data: list[T] = Field(default_factory=list)
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_value(cls, given: Any) -> Any:
        # A sample of Microsoft's page on batches lists them so.
        if isinstance(given, Mapping) and "data" not in given and "value" in given:
            return {**{k: v for k, v in given.items() if k != "value"}, "data": given["value"]}
        return given

    @property
    def next_position(self) -> str | None:
        """The `after` of the next page; None where this is the last."""
        if not self.data or self.has_more is False:
            return None
        return self.last_id or getattr(self.data[-1], "id", None)
