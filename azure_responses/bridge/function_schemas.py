"""The JSON schemas of function tools: those of other kinds of tools, and how schemas are changed.

A shell, a patch and a computer are not functions in the Responses API. A model that only has
functions gets one with a fixed schema for each; its arguments are the field of the call's item that
`ChatForm` names in `types.tools`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from azure_responses.bridge.unsupported import invalid

__all__ = [
    "APPLY_PATCH",
    "COMPUTER",
    "COMPUTER_PREVIEW",
    "LOCAL_SHELL",
    "NO_PARAMETERS",
    "SHELL",
    "custom_parameters",
    "inline_references",
    "make_strict",
]

_Schema = dict[str, Any]
# A schema of a few definitions that name each other twice doubles with each of them.
_MOST_PARTS = 20_000
_DEFINITIONS = ("$defs", "definitions")
# A property that is required or forbidden in one case only cannot be so in all.
_NOT_STRICT = frozenset({"allOf", "oneOf", "not", "if", "patternProperties", "dependentSchemas"})


def _object(properties: _Schema, *required: str) -> _Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _texts(description: str) -> _Schema:
    return {"type": "array", "items": {"type": "string"}, "description": description}


_TIMEOUT = {"type": "integer", "description": "Time limit in milliseconds."}
_LENGTH = {"type": "integer", "description": "The most characters of output to return."}

NO_PARAMETERS: _Schema = _object({})
SHELL: _Schema = _object(
    {
        "commands": _texts("Shell commands; they may run at the same time."),
        "timeout_ms": _TIMEOUT,
        "max_output_length": _LENGTH,
    },
    "commands",
)
LOCAL_SHELL: _Schema = _object(
    {
        "command": _texts("The program and its arguments."),
        "working_directory": {"type": "string"},
        "env": {"type": "object", "additionalProperties": {"type": "string"}},
        "timeout_ms": _TIMEOUT,
        "user": {"type": "string"},
    },
    "command",
)
APPLY_PATCH: _Schema = _object(
    {
        "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
        "path": {"type": "string", "description": "The file, relative to the workspace."},
        "diff": {
            "type": "string",
            "description": "A V4A diff. For create_file every line begins with +. Not for "
            "delete_file.",
        },
    },
    "type",
    "path",
)
_POINT = _object({"x": {"type": "integer"}, "y": {"type": "integer"}}, "x", "y")
_ACTIONS = (
    "click",
    "double_click",
    "drag",
    "keypress",
    "move",
    "screenshot",
    "scroll",
    "type",
    "wait",
)
_ACTION = _object(
    {
        "type": {"type": "string", "enum": list(_ACTIONS)},
        "x": {"type": "integer", "description": "Pixels from the left."},
        "y": {"type": "integer", "description": "Pixels from the top."},
        "button": {"type": "string", "enum": ["left", "right", "wheel", "back", "forward"]},
        "scroll_x": {"type": "integer"},
        "scroll_y": {"type": "integer"},
        "path": {"type": "array", "items": _POINT, "description": "For drag."},
        "keys": _texts("Keys to press, or to hold meanwhile."),
        "text": {"type": "string", "description": "For type."},
    },
    "type",
)
COMPUTER: _Schema = _object({"actions": {"type": "array", "items": _ACTION}}, "actions")
# The preview makes one action a call; the tool of 2026 makes several.
COMPUTER_PREVIEW: _Schema = _object({"action": _ACTION}, "action")


def custom_parameters(grammar: str | None) -> _Schema:
    """The schema of a function that stands for a custom tool: one text, described by the grammar.

    The grammar is not changed: a model that has read it often follows it, and nothing enforces it.
    """
    return _object({"input": {"type": "string", "description": grammar or "Free text."}}, "input")


def make_strict(
    schema: Mapping[str, Any], *, marks_required: bool = True, refused: frozenset[str] = frozenset()
) -> _Schema | None:
    """A schema as the service makes it strict when a function does not say whether it is.

    Objects get `additionalProperties: false`, as in 45 recorded responses of August 2026, and with
    `marks_required` all properties become required, as OpenAI's guide to functions says. None
    where that changes the meaning: an object that takes other properties cannot be strict; or
    where the schema has a keyword of `refused`, which the deployment does not take if it is strict.
    """
    if schema.get("type") != "object":
        return None
    try:
        made = _Tightening(marks_required, _NOT_STRICT | refused).read({"properties": {}, **schema})
    except RecursionError:
        return None
    return made if isinstance(made, dict) else None


class _Tightening(NamedTuple):
    """How the parts of one schema are made strict."""

    marks_required: bool
    refused: frozenset[str]

    def read(self, part: Any) -> Any:
        """A part of a schema made strict; `...` where that is impossible."""
        if isinstance(part, list):
            made = [self.read(entry) for entry in part]
            return ... if ... in made else made
        if not isinstance(part, Mapping):
            return part
        tight = {name: self._read_field(name, value) for name, value in part.items()}
        if ... in tight.values() or self.refused & part.keys():
            return ...
        if _is_object(part):
            # An object without properties takes any; closed, it would take none.
            if part.get("additionalProperties", False) is not False or not _has_properties(part):
                return ...
            tight["additionalProperties"] = False
            if self.marks_required:
                tight["required"] = list(part["properties"])
        return tight

    def _read_field(self, name: str, value: Any) -> Any:
        if name in ("properties", *_DEFINITIONS) and isinstance(value, Mapping):
            made = {key: self.read(part) for key, part in value.items()}
            return ... if ... in made.values() else made
        # What is not a schema, such as an example, may look like one.
        return self.read(value) if name in ("items", "anyOf") else value


def _is_object(part: Mapping[str, Any]) -> bool:
    kind = part.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _has_properties(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("properties"), Mapping)


class _Inlining:
    """One schema whose references are replaced by what they name."""

    def __init__(self, root: Mapping[str, Any], path: str) -> None:
        self._root = root
        self._path = path
        self._parts = 0

    def read(self, part: Any, within: tuple[str, ...] = ()) -> Any:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise invalid(f"{self._path} is too large without its references.", self._path)
        if isinstance(part, list):
            return [self.read(entry, within) for entry in part]
        if not isinstance(part, Mapping):
            return part
        reference = part.get("$ref")
        fields = {name: value for name, value in part.items() if name != "$ref"}
        if not isinstance(reference, str):
            return {name: self.read(value, within) for name, value in part.items()}
        beside = {name: self.read(value, within) for name, value in fields.items()}
        # A schema that contains itself has no end; from the second time on it allows anything.
        if reference in within:
            return beside
        named = self.read(self._find(reference), (*within, reference))
        # Keywords beside a reference count since JSON Schema 2019-09, and pydantic writes
        # descriptions there.
        return {**named, **beside} if isinstance(named, dict) else named

    def _find(self, reference: str) -> Any:
        found: Any = self._root
        for name in reference.removeprefix("#").split("/")[1:]:
            # The escapes of a JSON pointer, in the order that RFC 6901 asks for.
            key = name.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise invalid(f"{self._path} has no {reference[:200]!r}.", self._path)
            found = found[key]
        # `#` names the whole schema. The result has no references, so it needs no definitions.
        if found is self._root:
            return {name: value for name, value in found.items() if name not in _DEFINITIONS}
        return found


def inline_references(schema: Mapping[str, Any], path: str) -> _Schema:
    """A schema with each `$ref` replaced by what it names; Grok refuses references.

    Raises:
        BadRequestError: a reference names nothing in the schema, or the result is too large.
    """
    kept = {name: value for name, value in schema.items() if name not in _DEFINITIONS}
    try:
        read = _Inlining(schema, path).read(kept)
    except RecursionError:
        raise invalid(f"{path} is nested too deeply.", path) from None
    return read if isinstance(read, dict) else {}
