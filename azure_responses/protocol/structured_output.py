"""A Python type → the strict JSON schema of `text.format`, and the reply back to the type.

What strict mode takes of JSON Schema stands in one table, and a schema is brought under its rules.
Every object is closed and every property required; a field with a default is still asked for, and
an optional one may be null. A keyword that strict mode refuses and that the type checks again when
it reads is left out. What only the schema says, or cannot be said at all, is refused here.

Sources: OpenAI's guide to structured outputs, "Supported schemas": the keywords, the formats and
the limits; it denies `minLength` and `maxLength` to fine-tuned models alone. Azure's page on
structured outputs is an older list of the same. That look-around in a pattern and other formats
(`uri`) are answered with 400 is reported in openai-python#2718.
"""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any, Generic, TypeVar

from pydantic import PydanticUserError, TypeAdapter, ValidationError

from azure_responses.errors import ConfigurationError
from azure_responses.types.response import Response

__all__ = ["StructuredOutput", "make_strict"]

T = TypeVar("T")
_UNFINISHED = frozenset({"queued", "in_progress", "incomplete", "failed", "cancelled"})


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
        self.schema = make_strict(schema, self._name)
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
        """The value a response holds; None when the model refused, called tools or was cut short.

        Raises:
            pydantic.ValidationError: the text is complete but the type does not accept it (its
                own validators may ask for more than its schema says). Its `response` is the
                response, with text, usage, cost and the other items.
        """
        text = response.final_text
        if str(response.status) in _UNFINISHED or not text:
            return None
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            if response.refusal is not None:
                # What stands beside a refusal is how it was begun, not an answer gone wrong.
                return None
            _attach(error, response)
            raise

    def read_text(self, text: str, result: Any) -> T:
        """The value of a whole text; `result` is what it stands in.

        Raises:
            pydantic.ValidationError: as of `read`; its `response` is the result.
        """
        try:
            return self._adapter.validate_json(text)
        except ValidationError as error:
            _attach(error, result)
            raise


def _attach(error: Any, response: Any) -> Any:
    """Let a validation error carry the response, and take it along into a copy or a pickle.

    Pydantic's errors cannot be derived from, and callers catch this one; so what was paid for rides
    along on it (openai-python#1763).
    """
    make, arguments = error.__reduce__()
    error.response = response
    error.add_note(f"in response {response.id}; error.response has the whole of it")
    error.__reduce_ex__ = lambda protocol: (_make_again, (make, arguments, response))
    return error


def _make_again(make: Any, arguments: tuple[Any, ...], response: Response) -> Any:
    return _attach(make(*arguments), response)


def _schema_name(output_type: Any) -> str:
    name = getattr(output_type, "__name__", None) or "output"
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]


_Schema = dict[str, Any]

_NUMBERS = frozenset(
    {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minItems", "maxItems", "minLength", "maxLength"}
)
_KEYWORDS = _NUMBERS | {
    "type", "title", "description", "enum", "const", "anyOf", "$ref", "$defs",
    "properties", "required", "additionalProperties", "items", "pattern", "format",
}  # fmt: skip
_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)
# Pydantic's UUID4 writes `uuid4`; the type checks the version again.
_UUID_VERSION = re.compile(r"uuid\d")
# Pydantic writes none of these for a type, so they come from a schema made by hand, which nothing
# checks again.
_UNCHECKED = (
    "allOf", "not", "if", "then", "else", "dependentRequired", "dependentSchemas",
    "patternProperties", "unevaluatedProperties", "unevaluatedItems", "contains",
)  # fmt: skip
# The parts of a pattern: escapes, classes of characters, beginnings of groups.
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?(?:P?.)")
# Look-around, references to groups, and whatever else only some engines have.
_UNREADABLE = re.compile(r"\\[1-9]|\(\?P?[^:]")

_DEEPEST = 10
_MOST_PROPERTIES = 5000
_MOST_VALUES = 1000
_MOST_CHARACTERS = 120_000
# The limit of one enum of strings that has more values than this.
_MANY_VALUES, _MOST_OF_MANY = 250, 15_000


def make_strict(schema: _Schema, name: str) -> _Schema:
    """The schema of a type as strict mode takes it; what it leaves out the type checks again.

    Args:
        schema: as pydantic makes it.
        name: of the type, for errors.

    Raises:
        ConfigurationError: strict mode cannot express the type; the message names the field.
    """
    definitions = schema.get("$defs", {})
    strict: _Schema = _make_strict(_resolve_root(schema, definitions), name, definitions)
    _check_limits(strict, name)
    return strict


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
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    _refuse_inexpressible(node, path)
    if _UUID_VERSION.fullmatch(str(node.get("format"))):
        node["format"] = "uuid"
    node = {key: value for key, value in node.items() if _is_kept(key, value)}
    if node.get("type") == "object":
        node["additionalProperties"] = False
        node.setdefault("properties", {})
        node["required"] = list(node["properties"])
    return _make_children_strict(node, path, definitions)


def _is_kept(keyword: str, value: Any) -> bool:
    if keyword == "format":
        return value in _FORMATS
    if keyword == "pattern":
        return not any(_UNREADABLE.fullmatch(token) for token in _TOKEN.findall(value))
    if keyword in _NUMBERS:
        # A bound may be infinite, which is no JSON.
        return isinstance(value, int | float) and isfinite(value)
    return keyword in _KEYWORDS


def _make_children_strict(node: _Schema, path: str, definitions: Mapping[str, _Schema]) -> _Schema:
    for key in ("properties", "$defs"):
        if key in node:
            node[key] = {
                name: _make_strict(child, f"{path}.{name}", definitions)
                for name, child in node[key].items()
            }
    if "anyOf" in node:
        node["anyOf"] = [_make_strict(child, path, definitions) for child in node["anyOf"]]
    if "items" in node:
        node["items"] = _make_strict(node["items"], f"{path}[]", definitions)
    return node


def _inline(node: _Schema, definitions: Mapping[str, _Schema]) -> _Schema:
    """A `$ref` with siblings is spelled out, because strict mode takes a `$ref` only by itself."""
    alone = node.get("allOf")
    if isinstance(alone, list) and len(alone) == 1:
        node = {**alone[0], **{key: value for key, value in node.items() if key != "allOf"}}
    siblings = {key: value for key, value in node.items() if key in _KEYWORDS and key != "$ref"}
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


def _refuse_inexpressible(node: _Schema, path: str) -> None:
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
    for keyword in _UNCHECKED:
        if keyword in node:
            raise ConfigurationError(
                f"{path} uses {keyword!r}, which strict structured output does not have.",
                hint="Leave it out of the schema, and check it in a validator of the model.",
            )
    if not any(key in node for key in ("type", "$ref", "anyOf", "enum", "const")):
        raise ConfigurationError(
            f"{path} may be anything, which strict structured output cannot hold.",
            hint="Give the field a concrete type.",
        )


def _check_limits(schema: _Schema, name: str) -> None:
    properties = values = characters = 0
    for path, depth, node in _walk(schema, name, 0):
        if depth > _DEEPEST:
            raise _too_large(path, f"is nested more than {_DEEPEST} levels deep")
        strings = [value for value in node.get("enum", ()) if isinstance(value, str)]
        length = sum(map(len, strings))
        if len(strings) > _MANY_VALUES and length > _MOST_OF_MANY:
            raise _too_large(
                path, f"has {len(strings)} values of {length} characters in all, and the most for "
                f"more than {_MANY_VALUES} values is {_MOST_OF_MANY}"
            )  # fmt: skip
        properties += len(node.get("properties", ()))
        values += len(node.get("enum", ()))
        names = [*node.get("properties", ()), *node.get("$defs", ()), str(node.get("const", ""))]
        characters += length + sum(map(len, names))
        if values > _MOST_VALUES:
            raise _too_large(path, f"brings the values of enums to more than {_MOST_VALUES}")
    if properties > _MOST_PROPERTIES:
        raise _too_large(name, f"has {properties} fields, and the most is {_MOST_PROPERTIES}")
    if characters > _MOST_CHARACTERS:
        raise _too_large(name, f"has names and values of more than {_MOST_CHARACTERS} characters")


def _walk(node: _Schema, path: str, depth: int) -> Iterator[tuple[str, int, _Schema]]:
    """Every part of a strict schema, with its place and how many objects and lists it is in."""
    yield path, depth, node
    for name, child in node.get("properties", {}).items():
        yield from _walk(child, f"{path}.{name}", depth + 1)
    for name, child in node.get("$defs", {}).items():
        yield from _walk(child, f"{path}.{name}", 0)
    for child in node.get("anyOf", ()):
        yield from _walk(child, path, depth)
    if "items" in node:
        yield from _walk(node["items"], f"{path}[]", depth + 1)


def _too_large(path: str, problem: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} {problem}: strict structured output does not take it.",
        hint="Use str instead of a long enum, or split the type over several calls.",
    )
