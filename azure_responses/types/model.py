"""What the wire models are made of: their base, open words, and the bases of stream events."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

__all__ = [
    "CommandEvent",
    "ContentEvent",
    "ItemEvent",
    "ItemStatus",
    "Model",
    "OutputEvent",
    "StreamEvent",
    "SummaryEvent",
    "UnknownAction",
    "UnknownEvent",
]

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


OPEN = _Open()
ANYTHING = _Anything()

if TYPE_CHECKING:
    # A literal of its own, although the value is whatever was sent: a `str` here would keep the
    # unknown member in the union after `item.type == "message"`, for mypy and pyright alike.
    UnknownType = Literal["unknown"]
else:
    UnknownType = Annotated[str, ANYTHING]

# Azure leaves hosted calls at "searching" or "generating" in completed responses (recorded by
# vercel/ai), so these say what was last reported, not what is still going on.
ItemStatus = Annotated[
    Literal[
        "in_progress",
        "completed",
        "incomplete",
        "failed",
        "searching",
        "generating",
        "interpreting",
        "calling",
    ]
    | str,
    OPEN,
]


class Model(BaseModel):
    """A JSON object of the Responses API: known fields typed, unknown ones kept as they came.

    Two tables are for objects that do not fit their class (`mending`):
        _stand_ins: of required fields that an object can do without: what they then hold.
        _readers: of fields that are seen in another shape: turns what arrived into the usual one.
    """

    model_config = ConfigDict(
        extra="allow",
        # Over a hundred models exist and a program meets a dozen: validators are built on use.
        defer_build=True,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        # The API may name a field `model_…`, of which pydantic would warn.
        protected_namespaces=(),
    )
    _stand_ins: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    _readers: ClassVar[Mapping[str, Callable[[Any], Any]]] = MappingProxyType({})

    def to_dict(self, mode: Literal["json", "python"] = "json") -> dict[str, Any]:
        """The object as it was sent or set: defaults are left out."""
        return self.model_dump(mode=mode, exclude_unset=True)

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return self.model_dump_json(exclude_unset=True)

    def keep_odd(self, fields: Mapping[str, Any], *missing: str) -> Self:
        """Keep, under the names of declared fields, what came in their place; dumps have it.

        `missing` names fields in whose place nothing came.
        """
        # A dump leaves out fields that were not set; the extra field of the same name stands there.
        self.__pydantic_fields_set__.difference_update(fields, missing)
        extra = self.__pydantic_extra__
        assert extra is not None
        extra.update(fields)
        return self


def types_of(kind: type[Model]) -> tuple[str, ...]:
    """Every `type` that objects of a class may have."""
    return get_args(kind.model_fields["type"].annotation)


class UnknownAction(Model):
    """An action of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"


class StreamEvent(Model):
    """An event of a stream.

    `sequence_number` is None in streams of early 2025; a resumed stream starts above 0.
    """

    type: str
    sequence_number: int | None = None


class UnknownEvent(StreamEvent):
    """An event of a kind this version does not know; every field is kept."""

    type: UnknownType = "unknown"
    sequence_number: Annotated[int | None, ANYTHING] = None


class OutputEvent(StreamEvent):
    """An event about one item of the output."""

    output_index: int


class ItemEvent(OutputEvent):
    """An event about one item of the output, named by its id."""

    item_id: str


class ContentEvent(ItemEvent):
    """An event about one part of an item's content."""

    content_index: int


class SummaryEvent(ItemEvent):
    """An event about one part of a reasoning summary."""

    summary_index: int


class CommandEvent(OutputEvent):
    """An event about one command of a shell call."""

    command_index: int
