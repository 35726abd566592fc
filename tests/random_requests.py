"""Random values after the schemas of an OpenAPI description, some of them wrong on purpose."""

import random
from collections.abc import Mapping
from typing import Any

__all__ = ["RandomBodies"]

_DEEPEST = 9
_WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7.5, 10**400, 1e308, "", " ", "x", "\u0000", "ключ", "a" * 3000),
    *([], {}, [[]], [None], [{}], {"": ""}, {"self": "x"}, {"id": "resp_x"}, ["x", 1, None]),
)
_NAMES = ("self", "model", "stream", "user", "id", "type", "content", "", "__class__", "extra_body")


class RandomBodies:
    """Draws values for schemas; the same seed draws the same.

    Args:
        document: of OpenAPI; its schemas are what `$ref` leads to.
        seed: of all that is drawn.
    """

    def __init__(self, document: Mapping[str, Any], seed: int) -> None:
        self.random = random.Random(seed)
        self._schemas = document["components"]["schemas"]
        self._wrong = 0.0
        self._optional = 0.0

    def draw(self, name: str) -> Any:
        """A value of a named schema: small and right, or large and in parts wrong."""
        self._wrong = self.random.choice((0.0, 0.0, 0.01, 0.1))
        self._optional = self.random.choice((0.03, 0.1, 0.35))
        return self._value(self._schemas[name], 0)

    def _value(self, schema: Any, depth: int) -> Any:
        draw = self.random
        if draw.random() < self._wrong:
            return draw.choice(_WRONG)
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return draw.choice(("x", 1, None, {}, []))
        if "$ref" in schema:
            return self._value(self._schemas[schema["$ref"].rpartition("/")[2]], depth)
        fixed = [schema["const"]] if "const" in schema else schema.get("enum")
        if fixed:
            return draw.choice(fixed)
        for group in ("anyOf", "oneOf"):
            if schema.get(group):
                return self._value(draw.choice(schema[group]), depth)
        if "allOf" in schema:
            return self._merged(schema["allOf"], depth)
        return self._of_type(schema, depth)

    def _merged(self, parts: list[Any], depth: int) -> Any:
        values = [self._value(part, depth) for part in parts]
        merged: dict[str, Any] = {}
        for value in values:
            if not isinstance(value, dict):
                return value
            merged |= value
        return merged

    def _of_type(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = self.random.choice(kind)
        if kind == "object" or "properties" in schema:
            return self._object(schema, depth)
        if kind == "array":
            count = self.random.choice((0, 1, 1, 2, 3))
            return [self._value(schema.get("items"), depth + 1) for _ in range(count)]
        values: dict[Any, tuple[Any, ...]] = {
            "string": ("x", "Say hello", "", "{}", "2026-01-01", "auto", "https://a.example/b"),
            "integer": (0, 1, 16, 100, -1, 2**40),
            "number": (0, 0.5, 1, 2, -1.5),
            "boolean": (True, False),
            "null": (None,),
        }
        return self.random.choice(values.get(kind, ("x", 1, None)))

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        draw = self.random
        required = schema.get("required") or ()
        # Deep down only what has to be there, so that bodies end.
        chance = self._optional if depth < 5 else 0.0
        fields = {
            name: self._value(inner, depth + 1)
            for name, inner in (schema.get("properties") or {}).items()
            if name in required or draw.random() < chance
        }
        for name in [name for name in fields if draw.random() < self._wrong]:
            del fields[name]
        if draw.random() < self._wrong:
            fields[draw.choice(_NAMES)] = draw.choice(_WRONG)
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping) and draw.random() < 0.5:
            fields[draw.choice(("a", "self", "x"))] = self._value(extra, depth + 1)
        return fields
