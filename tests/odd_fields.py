"""JSON objects of every wire model, and each of their fields in every shape it should not have."""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from azure_responses.types import Model

__all__ = ["MISSING", "oddities", "replaced", "sample"]

MISSING = object()
Path = tuple[str | int, ...]
_DEEPEST = 3
_ODD: tuple[Any, ...] = (None, MISSING, "surprise", 7, True, [], ["surprise"], {}, {"odd": 1})


def sample(kind: type[Model], depth: int = 0) -> dict[str, Any]:
    """An object of a class with every field that its model declares."""
    return {
        field.alias or name: _value(field, depth)
        for name, field in kind.model_fields.items()
        if depth < _DEEPEST or field.is_required()
    }


def _value(field: FieldInfo, depth: int) -> Any:
    return _of_type(field.annotation, depth)


def _of_type(annotation: Any, depth: int) -> Any:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _of_type(get_args(annotation)[0], depth)
    if origin is Literal:
        return get_args(annotation)[0]
    if origin in (Union, UnionType):
        # Numbers that may be whole or broken are whole here.
        return _of_type(get_args(annotation)[0], depth)
    if origin is list:
        return [_of_type(get_args(annotation)[0], depth)] if depth < _DEEPEST else []
    if origin is dict or annotation is Any:
        return {}
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return sample(annotation, depth + 1)
    values: dict[Any, Any] = {str: "text", int: 1, float: 1.5, bool: True, type(None): None}
    return values[annotation]


def oddities(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place in a JSON value with everything that may stand there wrongly."""
    if path:
        yield from ((path, odd) for odd in _ODD if _is_odd(path, value, odd))
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from oddities(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from oddities(inner, (*path, index))


def _is_odd(path: Path, value: Any, odd: Any) -> bool:
    if isinstance(value, int):
        # Another number is an ordinary value, and Python takes True for one.
        return not isinstance(odd, int)
    if odd is MISSING:
        return isinstance(path[-1], str)
    return type(odd) is not type(value) or bool(odd and not value)


def replaced(value: Any, path: Path, odd: Any) -> Any:
    """A copy of a JSON value with something odd in one place."""
    name: Any = path[0]
    rest = path[1:]
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if rest:
        copy[name] = replaced(value[name], rest, odd)
    elif odd is MISSING:
        del copy[name]
    else:
        copy[name] = odd
    return copy
