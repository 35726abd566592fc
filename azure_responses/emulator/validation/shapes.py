"""A small language of shapes: what JSON a parameter takes, and the error for other JSON.

`check(value, path)` returns or raises the ServiceError; `path` names the value as the service
does, such as `input[0].content`.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_request,
    invalid_type,
    invalid_value,
    missing_parameter,
    out_of_range,
    too_long,
    too_many,
    unknown_parameter,
)

__all__ = [
    "ANYTHING", "FLAG", "OBJECT", "OBJECTS", "TOOL_CHOICE_MODE", "Choice", "Either", "Fields",
    "Integer", "Listing", "Number", "OpenFields", "Pairs", "Shape", "Tagged", "Text",
]  # fmt: skip


class Shape(Protocol):
    """What a value must look like; `expected` names its type in messages."""

    expected: str

    def check(self, value: Any, path: str) -> None:
        """Raise the ServiceError that Azure would answer with; `path` names the value in it."""


class _Typed:
    """A value of one JSON type. `_inspect` looks further once the type is right."""

    expected = ""
    _types: tuple[type, ...] = ()

    def check(self, value: Any, path: str) -> None:
        # True is an int in Python, but not a number in JSON.
        is_flag = isinstance(value, bool)
        if not (bool in self._types if is_flag else isinstance(value, self._types)):
            raise invalid_type(path, self.expected, value)
        self._inspect(value, path)

    def _inspect(self, value: Any, path: str) -> None:
        pass


class Text(_Typed):
    """A string of limited length, with a prefix where `begins` is given."""

    expected = "a string"
    _types = (str,)

    def __init__(self, longest: int = 0, shortest: int = 0, begins: str = "") -> None:
        self._longest = longest
        self._shortest = shortest
        self._begins = begins

    def _inspect(self, value: str, path: str) -> None:
        if self._longest and len(value) > self._longest:
            raise too_long(path, len(value), self._longest)
        if len(value) < self._shortest:
            raise _too_short(path, len(value), self._shortest)
        if not value.startswith(self._begins):
            message = (
                f"Invalid '{path}': '{value}'. Expected an ID that begins with '{self._begins}'."
            )
            raise invalid_request(message, path, "invalid_value")


def _too_short(path: str, length: int, limit: int) -> ServiceError:
    message = (
        f"Invalid '{path}': string too short. Expected a string with minimum length {limit}, "
        f"but got {'an empty string' if not length else f'a string with length {length}'} instead."
    )
    code = "string_below_min_length" if length else "empty_string"
    return invalid_request(message, path, code)


class Number(_Typed):
    """A number within limits."""

    expected = "a decimal"
    _types: tuple[type, ...] = (int, float)

    def __init__(self, least: float | None = None, most: float | None = None) -> None:
        self._least = least
        self._most = most

    def _inspect(self, value: float, path: str) -> None:
        if self._least is not None and value < self._least:
            raise out_of_range(path, value, self._least, is_above=False)
        if self._most is not None and value > self._most:
            raise out_of_range(path, value, self._most, is_above=True)


class Integer(Number):
    """A whole number within limits."""

    expected = "an integer"
    _types = (int,)


class _Flag(_Typed):
    expected = "a boolean"
    _types = (bool,)


class _AnyValue(_Typed):
    expected = "any value"
    _types = (object, bool)


FLAG: Shape = _Flag()
ANYTHING: Shape = _AnyValue()


class Choice(_Typed):
    """One of a few strings."""

    _types = (str,)

    def __init__(self, *values: str) -> None:
        self._values = values
        quoted = [f"'{value}'" for value in values]
        last = f", or {quoted[-1]}" if len(quoted) > 2 else f" or {quoted[-1]}"
        self.expected = f"one of {', '.join(quoted[:-1])}{last}" if quoted[1:] else quoted[0]

    def _inspect(self, value: str, path: str) -> None:
        if value not in self._values:
            raise invalid_value(path, value, self._values)


class Listing(_Typed):
    """An array."""

    expected = "an array"
    _types = (list,)

    def __init__(self, shape: Shape, longest: int = 0) -> None:
        self._shape = shape
        self._longest = longest

    def _inspect(self, value: list[Any], path: str) -> None:
        if self._longest and len(value) > self._longest:
            raise too_many(path, len(value), self._longest, "array")
        for index, element in enumerate(value):
            self._shape.check(element, f"{path}[{index}]")


class Fields(_Typed):
    """An object with known keys; null stands for what is missing, as SDKs write it.

    Args:
        required: shapes of the keys that must be there.
        optional: shapes of the keys that may be there.
    """

    expected = "an object"
    _types = (dict,)
    _takes_others = False

    def __init__(self, required: Mapping[str, Shape] | None = None, /, **optional: Shape) -> None:
        self._required = required or {}
        self._shapes: dict[str, Shape] = {**optional, **self._required}

    def allow(self, name: str) -> None:
        """Take one more key, with any value."""
        self._shapes.setdefault(name, ANYTHING)

    def _inspect(self, value: dict[str, Any], path: str) -> None:
        prefix = f"{path}." if path else ""
        for name in self._required:
            if name not in value:
                raise missing_parameter(prefix + name)
        for name, given in value.items():
            shape = self._shapes.get(name)
            if shape is None and not self._takes_others:
                raise unknown_parameter(prefix + name)
            # SDKs write null for an optional key that is not set.
            if shape is not None and (given is not None or name in self._required):
                shape.check(given, prefix + name)


class OpenFields(Fields):
    """An object that may have other keys, too, with any value."""

    _takes_others = True


class Pairs(_Typed):
    """An object of strings with limits on count, keys and values, as `metadata` is."""

    expected = "an object"
    _types = (dict,)

    def __init__(self, most: int, key_length: int, value_length: int) -> None:
        self._most = most
        self._key_length = key_length
        self._text = Text(longest=value_length)

    def _inspect(self, value: dict[str, Any], path: str) -> None:
        if len(value) > self._most:
            raise too_many(path, len(value), self._most, "object")
        for name, given in value.items():
            if len(name) > self._key_length:
                raise too_long(f"{path}.key", len(name), self._key_length)
            self._text.check(given, f"{path}.{name}")


_JSON_KINDS: dict[type, str] = {str: "text", list: "listing", dict: "record"}


class Either:
    """One of several shapes, by the JSON type of the value."""

    def __init__(self, expected: str, **shapes: Shape) -> None:
        self.expected = expected
        self._shapes = shapes

    def check(self, value: Any, path: str) -> None:
        kind = _JSON_KINDS.get(type(value), "")
        if kind not in self._shapes:
            raise invalid_type(path, self.expected, value)
        self._shapes[kind].check(value, path)


class Tagged(_Typed):
    """An object whose `tag` key says which shape it has.

    `read` may derive the tag of an object that lacks it.
    """

    expected = "an object"
    _types = (dict,)

    def __init__(
        self,
        shapes: Mapping[str, Shape],
        tag: str = "type",
        is_tag_in_path: bool = True,
        read: Callable[[dict[str, Any]], str | None] | None = None,
    ) -> None:
        self._shapes = shapes
        self._tag = tag
        self._is_tag_in_path = is_tag_in_path
        self._read = read
        # The tag is checked here; the shapes need not name it.
        for shape in shapes.values():
            if isinstance(shape, Fields):
                shape.allow(tag)

    def _inspect(self, value: dict[str, Any], path: str) -> None:
        kind = value.get(self._tag) or (self._read(value) if self._read else None)
        if kind is None:
            raise missing_parameter(f"{path}.{self._tag}")
        # Azure names the item itself for a wrong type in `input`, and the key elsewhere.
        place = f"{path}.{self._tag}" if self._is_tag_in_path else path
        if not isinstance(kind, str):
            raise invalid_type(place, "a string", kind)
        shape = self._shapes.get(kind)
        if shape is None:
            raise invalid_value(place, kind, sorted(self._shapes))
        shape.check(value, path)


OBJECT = OpenFields()
OBJECTS = Listing(OBJECT)
TOOL_CHOICE_MODE = Choice("none", "auto", "required")
