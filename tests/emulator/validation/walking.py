"""Requests that a JSON Schema describes: one for each thing that may be in them."""

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["walk"]

_Schema = Mapping[str, Any]
_Path = tuple[str, ...]
_Instances = Iterator[tuple[_Path, Any]]
# A description refers to itself (a filter holds filters); once more shows all there is.
_MOST_VISITS = 2
_TEXT = {"type": "string"}


def walk(schema: _Schema, root: _Schema, samples: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Instances of a schema, the smallest first, each with the path of what is special in it.

    `samples` are values of properties whose meaning the schema does not say, such as an id with
    its prefix. Every property that may be missing is null in one instance, as SDKs write it.
    """
    for path, value in _Walker(root, samples).visit(schema, "", ()):
        yield ".".join(path), value


class _Walker:
    def __init__(self, root: _Schema, samples: Mapping[str, Any]) -> None:
        self._root = root
        self._samples = samples

    def visit(self, schema: _Schema, name: str, seen: _Path) -> _Instances:
        schema, seen = self._open(schema, seen)
        if any(seen.count(reference) > _MOST_VISITS for reference in seen[-1:]):
            return
        options = schema.get("anyOf") or schema.get("oneOf") or _find_subtypes(schema)
        if "const" in schema:
            yield (), schema["const"]
        elif "enum" in schema:
            yield from (((repr(value),), value) for value in schema["enum"])
        elif options:
            for option in options:
                yield from self.visit(option, name, seen)
        else:
            yield from self._visit_kinds(schema, name, seen)

    def _open(self, schema: _Schema, seen: _Path) -> tuple[_Schema, _Path]:
        opened = dict(schema)
        while "$ref" in opened:
            reference = opened.pop("$ref")
            seen = (*seen, reference)
            opened = {**self._resolve(reference), **opened}
        for part in opened.pop("allOf", ()):
            inner, seen = self._open(part, seen)
            opened = _join(opened, inner)
        return opened, seen

    def _resolve(self, reference: str) -> _Schema:
        found: Any = self._root
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        resolved: _Schema = found
        return resolved

    def _visit_kinds(self, schema: _Schema, name: str, seen: _Path) -> _Instances:
        # Where nothing is said of the type, an object is as good as anything.
        kinds = schema.get("type", "object")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if kind == "object":
                yield from self._visit_object(schema, name, seen)
            elif kind == "array":
                yield ("[]",), []
                for path, value in self.visit(schema.get("items") or {}, name, seen):
                    yield ("[0]", *path), [value]
            else:
                yield (), self._write(kind, schema, name)

    def _visit_object(self, schema: _Schema, name: str, seen: _Path) -> _Instances:
        properties = schema.get("properties") or {}
        if not properties and name in self._samples:
            yield (), self._samples[name]
            return
        required = schema.get("required") or ()
        smallest = {inner: self._first(properties, inner, seen) for inner in required}
        tag = smallest.get("type") or smallest.get("role")
        start = (str(tag),) if tag else ()
        yield start, smallest
        for inner, part in properties.items():
            if inner not in required:
                yield (*start, inner, "null"), {**smallest, inner: None}
            for path, value in self.visit(part, inner, seen):
                yield (*start, inner, *path), {**smallest, inner: value}
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            for path, value in self.visit(extra, "", seen):
                yield (*start, "key", *path), {**smallest, "key": value}

    def _first(self, properties: Mapping[str, Any], name: str, seen: _Path) -> Any:
        instances = self.visit(properties.get(name, _TEXT), name, seen)
        return next((value for _, value in instances), None)

    def _write(self, kind: str, schema: _Schema, name: str) -> Any:
        if kind in ("integer", "number"):
            least, most = schema.get("minimum", 1), schema.get("maximum", 1)
            return self._samples.get(name, max(least, min(1, most)))
        if kind == "string":
            return self._samples.get(name, "text")
        return None if kind == "null" else True


def _find_subtypes(schema: _Schema) -> list[_Schema]:
    """What a base type with a table of subtypes stands for."""
    mapping = (schema.get("discriminator") or {}).get("mapping") or {}
    return [{"$ref": reference} for reference in mapping.values()]


def _join(first: _Schema, second: _Schema) -> dict[str, Any]:
    if not first.get("properties"):
        # Nothing but a wrapper, whose `type: object` says nothing of what it wraps.
        return {**first, **second}
    joined = {**second, **first}
    joined["properties"] = {**second.get("properties", {}), **first["properties"]}
    joined["required"] = [*second.get("required", ()), *first.get("required", ())]
    # A subtype has the table of its base, which would lead back to it.
    joined.pop("discriminator", None)
    return joined
