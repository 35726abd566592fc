"""Annotations that keep validation from refusing what the service may send tomorrow."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from .mending import read_loosely

__all__ = ["ANYTHING", "OPEN", "Loose", "Number", "UnknownType"]

# JSON does not tell 1 from 1.0, Python does: keeping the kind keeps the round trip exact.
Number = int | float


class _Open:
    """On `Literal[...] | str`: readers see the known values, validation accepts any string."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.str_schema()


class _Anything:
    """On a field of an `Unknown…` model: the declared type is the usual one, any value passes."""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.any_schema()


class _ElseRaw:
    """On a field that must not sink its object.

    Of an object that does not fit, every field that does is read; what cannot be read at all is
    kept as it came.
    """

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.union_schema(
            [handler(source), core_schema.no_info_plain_validator_function(read_loosely(source))],
            mode="left_to_right",
        )


OPEN = _Open()
ANYTHING = _Anything()

T = TypeVar("T")
Loose = Annotated[T, _ElseRaw()]

if TYPE_CHECKING:
    # A literal of its own, although the value is whatever was sent: a `str` here would keep the
    # unknown member in the union after `item.type == "message"`, for mypy and pyright alike.
    UnknownType = Literal["unknown"]
else:
    UnknownType = Annotated[str, ANYTHING]
