"""Objects with a field that does not fit: everything else of them is read all the same.

Pydantic refuses an object for one odd field. An answer must not be lost for that, so what it
refuses is read here, field by field (openai-python#3312). A field that does not fit has its
default, and what arrived in its place is kept in `model_extra` under its JSON name: a dump gives it
back. An object that lacks what makes it what it is (a text without text) is not mended.
"""

from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from .model import Model, types_of

__all__ = ["Loose", "Mended", "mend", "read_loosely", "type_of"]

M = TypeVar("M", bound=Model)
_Reader = Callable[[Any], Any]
_NONE: Mapping[str, Any] = MappingProxyType({})


class Mended:
    """On the `Unknown…` member of a union: what no member takes is mended before it is unknown.

    Args:
        find: says which class an object of the union is meant to be, or None.
    """

    def __init__(self, find: Callable[[Mapping[str, Any]], type[Model] | None]) -> None:
        self._find = find

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(self._read, handler(source))

    def _read(self, value: Any, unknown: Callable[[Any], Model]) -> Model:
        kind = self._find(value) if isinstance(value, dict) else None
        mended = mend(kind, value) if kind is not None else None
        return unknown(value) if mended is None else mended


def type_of(kind: type[Model]) -> str:
    """The usual `type` of a class that has one."""
    return types_of(kind)[0]


def mend(kind: type[M], value: Any, stand_ins: Mapping[str, Any] = _NONE) -> M | None:
    """A JSON object as `kind`, as far as it can be read; None where it cannot be one.

    `stand_ins` are for this object, besides those of its class.
    """
    if not isinstance(value, dict):
        return None
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        # The top-level fields at fault; what is wrong inside them is found by mending them in turn.
        names = {str(detail["loc"][0]) for detail in error.errors() if detail["loc"]}
    # One field that cannot be repaired makes the object another kind, or none.
    spare = {**kind._stand_ins, **stand_ins}
    found = {name: _repair_field(kind, name, value, spare) for name in names}
    repairs = {name: repair for name, repair in found.items() if repair is not None}
    return _build(kind, value, repairs) if len(repairs) == len(found) else None


class _Repair(NamedTuple):
    """What a field holds in place of what arrived.

    Attributes:
        value: for the field; left out where the field's default serves.
        is_whole: a dump of `value` gives back what arrived.
    """

    value: Any = None
    has_value: bool = True
    is_whole: bool = False


def _build(kind: type[M], value: dict[str, Any], repairs: Mapping[str, _Repair]) -> M | None:
    # Validated once more as a whole: rules that span several fields still hold.
    fits = {name: part for name, part in value.items() if name not in repairs}
    fits |= {name: repair.value for name, repair in repairs.items() if repair.has_value}
    try:
        made = kind.model_validate(fits)
    except ValidationError:
        return None
    # What arrived is kept beside what was made of it, so that a dump gives it back.
    odd = [name for name, repair in repairs.items() if not repair.is_whole]
    return made.keep_odd({name: value[name] for name in odd if name in value}, *odd)


def _repair_field(
    kind: type[Model], name: str, value: Mapping[str, Any], stand_ins: Mapping[str, Any]
) -> _Repair | None:
    """How a field that does not fit is read; None where the object is nothing without it."""
    # 1. Read what arrived in another way: as another shape, or mended inside.
    found = _read_field(kind, name, value[name]) if name in value else None
    if found is not None:
        return found
    # 2. Take what stands in for a field that the object can do without.
    if name in stand_ins:
        return _Repair(stand_ins[name])
    field = _field_of(kind, name)
    # 3. Take the type of the class, which the caller has chosen by other signs.
    if name == "type" and get_origin(field.annotation) is Literal:
        return _Repair(type_of(kind))
    # 4. Take the default, or give the object up.
    return None if field.is_required() else _Repair(has_value=False)


def _read_field(kind: type[Model], name: str, given: Any) -> _Repair | None:
    # A reader knows another shape of this field, such as a text where the API has a list of parts.
    reader = kind._readers.get(name)
    value = reader(given) if reader is not None else given
    found = _read_as(_shape(kind, name), value)
    if value is given:
        return found
    return _Repair(value) if found is None else found._replace(is_whole=False)


def _field_of(kind: type[Model], name: str) -> FieldInfo:
    fields = kind.model_fields.items()
    return next(field for own, field in fields if name in (own, field.alias))


def read_loosely(annotation: Any) -> _Reader:
    """Reads a value as an annotation wants it, mended if need be; else it stays as it is."""
    shapes: list[_Shape] = []

    def read(value: Any) -> Any:
        if not shapes:
            # Not before it is needed: the classes may not be complete yet.
            shapes.append(_shape_of(annotation))
        found = _read_as(shapes[0], value)
        return found.value if found is not None and found.is_whole else value

    return read


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


T = TypeVar("T")
Loose = Annotated[T, _ElseRaw()]


def _read_as(shape: "_Shape", value: Any) -> _Repair | None:
    inner, element = shape
    if inner is not None:
        mended = mend(inner, value)
        return None if mended is None else _Repair(mended, is_whole=True)
    if element is None or not isinstance(value, list):
        return None
    # Each element by itself: one that cannot be read costs none of the others.
    found = [read for read in map(element, value) if read is not None]
    return _Repair(found, is_whole=len(found) == len(value))


_Shape = tuple[type[Model] | None, _Reader | None]
"""The class that a field holds one of, or what reads each object of its list."""


@cache
def _shape(kind: type[Model], name: str) -> _Shape:
    return _shape_of(_field_of(kind, name).rebuild_annotation())


def _shape_of(annotation: Any) -> _Shape:
    wanted = _only_type(annotation)
    if isinstance(wanted, type) and issubclass(wanted, Model):
        return wanted, None
    return None, _element_reader(get_args(wanted)[0]) if get_origin(wanted) is list else None


def _element_reader(annotation: Any) -> _Reader:
    # 1. Objects are mended. 2. Plain values, such as texts, are taken or left out.
    wanted = _only_type(annotation)
    if isinstance(wanted, type) and issubclass(wanted, Model):
        return lambda value: mend(wanted, value)
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def read(value: Any) -> Any:
        try:
            return adapter.validate_python(value)
        except ValidationError:
            return None

    return read


def _only_type(annotation: Any) -> Any:
    """The type that an annotation allows besides None; None where it allows several."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) not in (Union, UnionType):
        return annotation
    # None beside one type says only that the field may be missing; two types need their union.
    members = [part for part in get_args(annotation) if part is not type(None)]
    return _only_type(members[0]) if len(members) == 1 else None
