"""The tools of a Messages request as functions, for models that are not Claude.

Anthropic's own client tools (a shell, an editor of files, a computer, a memory) carry no schema,
because Claude has learned them. Other models get the schemas that Anthropic's documentation of each
tool describes; the names and arguments are those that the caller's program expects.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from azure_responses.bridge.function_tools import flat_name
from azure_responses.bridge.unsupported import Unsupported, invalid

__all__ = [
    "ClientTool",
    "ToolNames",
    "ServerWebSearch",
    "fits_strict",
    "read_tools",
    "write_function",
]

_Fields = Mapping[str, Any]
_Schema = dict[str, Any]
# What only says how Claude is to treat a tool, and changes nothing of what the tool does.
_HINTS = frozenset({"cache_control", "eager_input_streaming"})


class ClientTool(NamedTuple):
    """A function that the caller carries out; `strict` is None where the caller does not say."""

    name: str
    description: str | None
    schema: Mapping[str, Any]
    strict: bool | None = None


class ServerWebSearch(NamedTuple):
    """Anthropic's search on the web, which the Responses API has too."""

    name: str
    allowed_domains: list[str] | None = None
    user_location: _Fields | None = None
    max_uses: int | None = None


class ToolNames:
    """The names of tools as they are sent; other APIs take 64 characters, Messages 128."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}

    def send(self, name: str) -> str:
        """The name that is sent: itself, or a short one that stands for it."""
        sent = flat_name(None, name)
        if sent != name:
            self._given[sent] = name
        return sent

    def restore(self, name: str) -> str:
        """The name as the caller knows it."""
        return self._given.get(name, name)


def read_tools(tools: Any, unsupported: Unsupported) -> list[ClientTool | ServerWebSearch]:
    """The tools of a request.

    Raises:
        BadRequestError: a tool without a name or a schema.
        ConfigurationError: a tool that runs on Anthropic's servers.
    """
    if not isinstance(tools, list | tuple):
        raise invalid("tools: Input should be a valid list", "tools")
    read = (_read_tool(tool, f"tools.{index}", unsupported) for index, tool in enumerate(tools))
    return [tool for tool in read if tool is not None]


def _read_tool(
    tool: Any, path: str, unsupported: Unsupported
) -> ClientTool | ServerWebSearch | None:
    if not isinstance(tool, Mapping):
        raise invalid(f"{path}: Input should be a valid dictionary", path)
    kind = tool.get("type") or "custom"
    _check_callers(tool, path, unsupported)
    if kind == "custom":
        return _read_custom(tool, path, unsupported)
    # The type ends in the date of its version, such as `bash_20250124`. New versions of a known
    # tool should work without a change here.
    family = str(kind).rpartition("_")[0]
    if family == "web_search":
        return _read_search(tool, path, unsupported)
    if family in _CLIENT_TOOLS:
        return _read_client_tool(tool, family)
    unsupported.leave_out(
        path,
        f"A tool of the type {str(kind)[:100]!r} runs on Anthropic's servers.",
        "Leave it out, or offer a function of your own with an input_schema.",
    )
    return None


def _check_callers(tool: _Fields, path: str, unsupported: Unsupported) -> None:
    callers = tool.get("allowed_callers")
    if callers and "direct" not in callers:
        unsupported.leave_out(
            f"{path}.allowed_callers",
            "Only Claude calls tools from code.",
            "Leave it out, so that the model calls the tool itself.",
        )
    if tool.get("defer_loading"):
        unsupported.warn(
            "defer_loading was left out: the tools are offered from the beginning of the chat."
        )


def _read_custom(tool: _Fields, path: str, unsupported: Unsupported) -> ClientTool:
    schema = tool.get("input_schema")
    if not isinstance(schema, Mapping):
        raise invalid(f"{path}.input_schema: Field required", f"{path}.input_schema")
    known = _CUSTOM_FIELDS | _HINTS
    for name in tool.keys() - known:
        unsupported.leave_out(
            f"{path}.{name}", "Other models' tools have no such field.", "Leave it out."
        )
    return ClientTool(_name_of(tool, path), _describe(tool), schema, tool.get("strict"))


_CUSTOM_FIELDS = frozenset(
    {
        "type",
        "name",
        "description",
        "input_schema",
        "strict",
        "input_examples",
        "defer_loading",
        "allowed_callers",
    }
)


def _name_of(tool: _Fields, path: str) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise invalid(f"{path}.name: Field required", f"{path}.name")
    return name


def _describe(tool: _Fields) -> str | None:
    description = tool.get("description")
    examples = tool.get("input_examples")
    if not examples:
        return description or None
    # No other API has a field for examples, but every model reads the description.
    shown = "\n".join(json.dumps(example, ensure_ascii=False) for example in examples)
    return f"{description or ''}\n\nExamples of input:\n{shown}".lstrip()


def _read_search(tool: _Fields, path: str, unsupported: Unsupported) -> ServerWebSearch:
    if tool.get("blocked_domains"):
        unsupported.leave_out(
            f"{path}.blocked_domains",
            "The web search of Azure takes only a list of sites that it may use.",
            "Give allowed_domains instead.",
        )
    return ServerWebSearch(
        _name_of(tool, path),
        list(tool.get("allowed_domains") or ()) or None,
        tool.get("user_location"),
        tool.get("max_uses"),
    )


def _read_client_tool(tool: _Fields, family: str) -> ClientTool:
    name, description, schema = _CLIENT_TOOLS[family]
    if family == "computer":
        # Claude gets the size in a field of the tool. A function has no such field, and coordinates
        # mean nothing without it.
        size = f"{tool.get('display_width_px')} × {tool.get('display_height_px')}"
        description = f"{description} The screen has {size} pixels."
    return ClientTool(str(tool.get("name") or name), description, schema)


def _object(properties: _Schema, *required: str) -> _Schema:
    return {"type": "object", "properties": properties, "required": list(required)}


def _text(description: str, *values: str) -> _Schema:
    schema: _Schema = {"type": "string", "description": description}
    return {**schema, "enum": list(values)} if values else schema


def _numbers(description: str, count: int) -> _Schema:
    return {
        "type": "array",
        "items": {"type": "integer"},
        "minItems": count,
        "maxItems": count,
        "description": description,
    }


_NUMBER = {"type": "integer"}
_PATH = _text("Absolute path of the file or directory.")
_BASH = _object(
    {
        "command": _text("The command to run. Required unless the shell is restarted."),
        "restart": {"type": "boolean", "description": "True restarts the shell."},
    }
)
_EDIT_FIELDS = {
    "path": _PATH,
    "file_text": _text("For create: the content of the file."),
    "old_str": _text("For str_replace: the text to replace; it occurs exactly once."),
    "new_str": _text("For str_replace: the new text. In older versions for insert, too."),
    "insert_line": {**_NUMBER, "description": "For insert: the line after which to insert."},
    "insert_text": _text("For insert: the text."),
    "view_range": _numbers("For view: the first and the last line, from 1; -1 is the end.", 2),
}
_EDIT = _object(
    {
        "command": _text("What to do.", "view", "create", "str_replace", "insert", "undo_edit"),
        **_EDIT_FIELDS,
    },
    "command",
    "path",
)
_MEMORY = _object(
    {
        "command": _text(
            "What to do.", "view", "create", "str_replace", "insert", "delete", "rename"
        ),
        **_EDIT_FIELDS,
        "old_path": _text("For rename: the present path."),
        "new_path": _text("For rename: the new path."),
    },
    "command",
)
# The actions of all versions: the caller's program refuses those that its own version lacks, and
# the model reads why.
_ACTIONS = (
    *("key", "type", "mouse_move", "left_click", "left_click_drag", "right_click"),
    *("middle_click", "double_click", "triple_click", "left_mouse_down", "left_mouse_up"),
    *("scroll", "hold_key", "wait", "zoom", "screenshot", "cursor_position"),
)
_COMPUTER = _object(
    {
        "action": _text("What to do.", *_ACTIONS),
        "coordinate": _numbers("Pixels from the left and from the top.", 2),
        "start_coordinate": _numbers("For left_click_drag: where it begins.", 2),
        "text": _text("For type: the text. For key and hold_key: the keys, such as ctrl+s."),
        "scroll_direction": _text("For scroll.", "up", "down", "left", "right"),
        "scroll_amount": {**_NUMBER, "description": "For scroll: how many notches of the wheel."},
        "duration": {"type": "number", "description": "For hold_key and wait: seconds."},
        "region": _numbers("For zoom: left, top, right and bottom.", 4),
    },
    "action",
)
# The type without its version → the usual name, the description, the schema.
_CLIENT_TOOLS: dict[str, tuple[str, str, _Schema]] = {
    "bash": ("bash", "Runs commands in a bash shell that keeps its state.", _BASH),
    "text_editor": ("str_replace_based_edit_tool", "Views, creates and edits files.", _EDIT),
    "computer": ("computer", "Uses a computer's screen, keyboard and mouse.", _COMPUTER),
    "memory": ("memory", "Keeps files below /memories from one chat to the next.", _MEMORY),
}


def write_function(tool: ClientTool, name: str, unsupported: Unsupported) -> dict[str, Any]:
    """A function as the Responses API describes it, under the name that is sent."""
    is_strict = bool(tool.strict) and fits_strict(tool.schema)
    if tool.strict and not is_strict:
        unsupported.warn(
            f"strict of the tool {tool.name[:100]!r} was left out: in OpenAI's strict mode every "
            "object has additionalProperties false and requires all its properties."
        )
    described = {} if tool.description is None else {"description": tool.description}
    function = {"type": "function", "name": name, **described}
    # OpenAI's models refuse an object without properties.
    parameters = {"type": "object", "properties": {}, **tool.schema}
    return {**function, "parameters": parameters, "strict": is_strict}


def fits_strict(schema: Any) -> bool:
    """True for a schema that OpenAI takes as strict.

    There every object is closed and names all its properties as required. Claude's strict tools may
    have optional properties.
    """
    try:
        return _fits(schema)
    except RecursionError:
        return False


def _fits(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(map(_fits, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties", {})
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties") is not False or not isinstance(properties, Mapping):
            return False
        if set(properties) != set(schema.get("required") or ()):
            return False
    named = (schema.get(name) or {} for name in ("$defs", "definitions"))
    inner = [part for parts in (properties, *named) for part in parts.values()]
    return all(map(_fits, [schema.get("items"), schema.get("anyOf"), *inner]))
