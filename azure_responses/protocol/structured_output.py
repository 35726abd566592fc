"""A Python type → the strict JSON schema of `text.format`, and the reply back to the type.

Strict mode (OpenAI's structured-outputs guide) wants every object closed and every property
required; a field with a default is still asked for, and an optional one may be null.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from azure_responses.errors import ConfigurationError
from azure_responses.types.response import Response

__all__ = ["StructuredOutput"]

T = TypeVar("T")
_Schema = dict[str, Any]
# Keywords that say nothing the type itself does not check again.
_DROPPED = ("default", "discriminator", "uniqueItems")
_CHILDREN = ("properties", "$defs")
_CHILD_LISTS = ("anyOf", "allOf")


class StructuredOutput(Generic[T]):
    """One output type: its schema for the request, and the reading of a reply.

    Args:
        output_type: a pydantic model, a dataclass, a TypedDict, or anything else that pydantic
            turns into the schema of a JSON object.

    Raises:
        ConfigurationError: strict mode cannot express the type; the message names the field.
    """

    def __init__(self, output_type: type[T]) -> None:
        self._name = _schema_name(output_type)
        try:
            self._adapter: TypeAdapter[T] = TypeAdapter(output_type)
            schema = self._adapter.json_schema(mode="validation")
        except PydanticUserError as error:
            raise ConfigurationError(
                f"text_format {output_type!r} has no JSON schema: {error.message}",
                hint="Pass a pydantic model class.",
            ) from error
        definitions = schema.get("$defs", {})
        self.schema = _make_strict(_resolve_root(schema, definitions), self._name, definitions)
        if self.schema.get("type") != "object":
            raise ConfigurationError(
                f"text_format {self._name} is not an object.",
                hint="Structured output is always a JSON object; wrap the value in a model.",
            )

    def text_parameter(self, text: Any) -> dict[str, Any]:
        """The `text` parameter with the schema put into what the caller passed as `text`."""
        given = text.to_dict() if hasattr(text, "to_dict") else dict(text or {})
        if given.get("format") is not None:
            raise ConfigurationError(
                "Both text_format and text.format were given.", hint="Pass only one of them."
            )
        schema_format = {
            "type": "json_schema",
            "name": self._name,
            "schema": self.schema,
            "strict": True,
        }
        return {**given, "format": schema_format}

    def read(self, response: Response) -> T | None:
        """The value a response holds; None when the model refused or was cut short.

        Raises:
            pydantic.ValidationError: the text is complete but the type does not accept it (its
                own validators may ask for more than its schema says).
        """
        if response.status not in (None, "completed") or not response.output_text:
            return None
        try:
            return self._adapter.validate_json(response.output_text)
        except ValidationError as error:
            error.add_note(f"in response {response.id}")
            raise


def _schema_name(output_type: Any) -> str:
    name = getattr(output_type, "__name__", None) or "output"
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]


def _resolve_root(schema: _Schema, definitions: Mapping[str, _Schema]) -> _Schema:
    """A recursive model's schema is only a reference; strict mode wants an object at the root."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target = definitions[reference.removeprefix("#/$defs/")]
    return {**target, "$defs": dict(definitions)}


def _make_strict(node: Any, path: str, definitions: Mapping[str, _Schema]) -> Any:
    # True, in a schema made by hand, allows anything, like {}.
    node = _inline(dict(node) if isinstance(node, dict) else {}, definitions)
    for keyword in _DROPPED:
        node.pop(keyword, None)
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    _refuse_open(node, path)
    if node.get("type") == "object":
        node["additionalProperties"] = False
        node.setdefault("properties", {})
        node["required"] = list(node["properties"])
    return _make_children_strict(node, path, definitions)


def _make_children_strict(node: _Schema, path: str, definitions: Mapping[str, _Schema]) -> _Schema:
    for key in _CHILDREN:
        if key in node:
            node[key] = {
                name: _make_strict(child, f"{path}.{name}", definitions)
                for name, child in node[key].items()
            }
    for key in _CHILD_LISTS:
        if key in node:
            node[key] = [_make_strict(child, path, definitions) for child in node[key]]
    if "items" in node:
        node["items"] = _make_strict(node["items"], f"{path}[]", definitions)
    return node


def _inline(node: _Schema, definitions: Mapping[str, _Schema]) -> _Schema:
    """A `$ref` with siblings is spelled out, because strict mode takes a `$ref` only by itself."""
    alone = node.get("allOf")
    if isinstance(alone, list) and len(alone) == 1:
        node = {**alone[0], **{key: value for key, value in node.items() if key != "allOf"}}
    siblings = {key: value for key, value in node.items() if key not in ("$ref", *_DROPPED)}
    if "$ref" in node and siblings:
        name = node["$ref"].removeprefix("#/$defs/")
        if _is_recursive(name, definitions):
            # Spelling it out would never end.
            return {"anyOf": [{"$ref": node["$ref"]}], **siblings}
        return {**definitions[name], **siblings}
    return node


def _is_recursive(name: str, definitions: Mapping[str, _Schema]) -> bool:
    seen: set[str] = set()
    pending = [name]
    while pending:
        found = set(_references(definitions[pending.pop()])) - seen
        seen |= found
        pending.extend(found)
    return name in seen


def _references(node: Any) -> Iterator[str]:
    """The names of every definition that a schema refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/$defs/")
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _references(child)


def _refuse_open(node: _Schema, path: str) -> None:
    if node.get("additionalProperties") not in (None, False):
        raise ConfigurationError(
            f"{path} is a dictionary with free keys, which strict structured output cannot hold.",
            hint="Use a model with named fields, or a list of key-value models.",
        )
    if "prefixItems" in node or (node.get("type") == "array" and "items" not in node):
        raise ConfigurationError(
            f"{path} is a tuple, which strict structured output cannot hold.",
            hint="Use a model with named fields, or a list.",
        )
    if not any(key in node for key in ("type", "$ref", "anyOf", "allOf", "enum", "const")):
        raise ConfigurationError(
            f"{path} may be anything, which strict structured output cannot hold.",
            hint="Give the field a concrete type.",
        )
