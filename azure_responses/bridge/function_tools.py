"""Every kind of tool of a Responses request as functions, and their calls in both directions.

Chat completions and Messages have functions only. `FunctionTools` is made once for each call: it
holds the functions that are sent, the choice among them, and the names by which a call finds its
tool again. Namespaces become part of the name; a custom tool becomes a function with one text; a
shell, a patch and a computer become functions with fixed schemas. Tools that the service itself
runs are refused by name.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from azure_responses.bridge import function_schemas
from azure_responses.bridge.function_calls import (
    ToolCall,
    ToolOrigin,
    call_of,
    item_of,
    runs_in_container,
)
from azure_responses.bridge.unsupported import Unsupported, invalid, missing

__all__ = ["Function", "FunctionChoice", "FunctionTools", "ToolSupport"]

_Fields = Mapping[str, Any]


class ToolSupport(NamedTuple):
    """What a deployment takes of tools.

    Attributes:
        strict: `strict` is sent with each function.
        marks_required: a strict schema must require all properties, as OpenAI's models ask.
        not_strict: keywords that a strict schema must not have.
        references: `$ref` may stand in schemas; else they are inlined.
        custom: custom tools are sent as they are, not as functions.
    """

    strict: bool = True
    marks_required: bool = True
    not_strict: frozenset[str] = frozenset()
    references: bool = True
    custom: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A tool as it is sent.

    Attributes:
        kind: "custom" only where the deployment takes custom tools.
        strict: None where it is not sent.
        format: of a custom tool.
    """

    name: str
    description: str | None
    parameters: dict[str, Any]
    strict: bool | None = None
    kind: Literal["function", "custom"] = "function"
    format: Mapping[str, Any] | None = None


class FunctionChoice(NamedTuple):
    """What the model may or must call; `function` is set where the mode is "named"."""

    mode: Literal["auto", "none", "required", "named"]
    function: Function | None = None


_Key = tuple[str, str | None, str]
_FIXED: dict[str, tuple[str, str, dict[str, Any], str]] = {
    # The tool's type → the call's type, the function's name, its schema and its description.
    "shell": ("shell_call", "shell", function_schemas.SHELL, "Runs shell commands."),
    "local_shell": (
        "local_shell_call",
        "local_shell",
        function_schemas.LOCAL_SHELL,
        "Runs a command on the local machine.",
    ),
    "apply_patch": (
        "apply_patch_call",
        "apply_patch",
        function_schemas.APPLY_PATCH,
        "Creates, updates or deletes one file.",
    ),
    "computer": (
        "computer_call",
        "computer",
        function_schemas.COMPUTER,
        "Controls a computer. The result is a screenshot.",
    ),
    "computer_use_preview": (
        "computer_call",
        "computer",
        function_schemas.COMPUTER_PREVIEW,
        "Controls a computer by one action. The result is a screenshot.",
    ),
}
_SAME_KIND = {
    "computer_use": "computer",
    "computer-use-preview-2025-03-11": "computer_use_preview",
}
_KNOWN_FIELDS = frozenset(
    # All deferred functions are sent, so there is nothing to search for. Who may call a tool
    # matters only to programs of the model, which are refused.
    {"type", "name", "description", "parameters", "strict", "format", "tools"}
    | {"defer_loading", "allowed_callers"}
)
_INVALID_CHARACTER = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


def flat_name(namespace: str | None, name: str) -> str:
    """The name of a function of a namespace: at most 64 letters, digits, `_` and `-`."""
    # LiteLLM's separator, so that names in logs and prompts are the same for those who change over.
    whole = f"{namespace}__{name}" if namespace else name
    safe = _INVALID_CHARACTER.sub("_", whole)
    return whole if safe == whole and len(whole) <= _LONGEST_NAME else _hashed_name(whole, safe)


def _hashed_name(whole: str, safe: str) -> str:
    # Two long names may have a beginning in common. A hash, unlike a number, is the same in each
    # turn, whatever other tools the request has.
    digest = sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe[: _LONGEST_NAME - 9]}_{digest}"


_ALL = ToolSupport()


class FunctionTools:
    """The tools of one request.

    Args:
        parameters: those of a response; `tools` and `tool_choice` are read.
        items: the whole input, earlier turns included: tools that it offers
            (`additional_tools`, `tool_search_output`) are offered on.
        support: what the deployment takes.
        unsupported: collects what is left out.

    Attributes:
        functions: what may be called, without what `allowed_tools` excludes.
        declared: all of them, for a deployment that takes `allowed_tools` itself.
        choice: None where the request says nothing.

    Raises:
        BadRequestError: a tool or the choice is invalid by the rules of the Responses API.
        ConfigurationError: the service would have to run the tool.
    """

    def __init__(
        self,
        parameters: _Fields,
        items: Iterable[_Fields] = (),
        support: ToolSupport = _ALL,
        unsupported: Unsupported | None = None,
    ) -> None:
        self._support = support
        self._unsupported = Unsupported() if unsupported is None else unsupported
        self.declared: list[Function] = []
        self._names: dict[_Key, str] = {}
        self._origins: dict[str, ToolOrigin] = {}
        self._left_out: set[str] = set()
        self._add_all(parameters.get("tools"), "tools")
        for index, item in enumerate(items):
            if item.get("type") in ("additional_tools", "tool_search_output"):
                self._add_all(item.get("tools"), f"input[{index}].tools")
        self.functions = self.declared
        self.choice = self._read_choice(parameters.get("tool_choice"))

    def to_call(self, item: _Fields) -> ToolCall:
        """A call item of the caller's as a function call."""
        call = call_of(item)
        key = (str(item["type"]), item.get("namespace"), call.name)
        # A tool that was offered in an earlier turn only still has the name it had then.
        name = self._names.get(key) or flat_name(item.get("namespace"), call.name)
        if item["type"] == "custom_tool_call" and self._support.custom:
            return ToolCall(call.id, name, str(item.get("input") or ""), "custom")
        return call._replace(name=name)

    def origin_of(self, name: str) -> ToolOrigin:
        """The tool that a function stands for; a function of this name where none is known."""
        return self._origins.get(name) or ToolOrigin("function_call", name)

    def to_item(self, call: ToolCall) -> dict[str, Any]:
        """The call item, without id and status, for a call of one of the functions."""
        return item_of(call, self.origin_of(call.name))

    def _add_all(self, tools: Any, path: str, namespace: _Fields | None = None) -> None:
        if tools is None:
            return
        if not isinstance(tools, list | tuple):
            raise invalid(f"Invalid type for '{path}': expected an array.", path, "invalid_type")
        for index, tool in enumerate(tools):
            place = f"{path}[{index}]"
            if not isinstance(tool, Mapping):
                raise invalid(
                    f"Invalid type for '{place}': expected an object.", place, "invalid_type"
                )
            self._add(tool, place, namespace)

    def _add(self, tool: _Fields, path: str, namespace: _Fields | None) -> None:
        kind = tool.get("type")
        if not isinstance(kind, str):
            raise missing(f"{path}.type")
        kind = _SAME_KIND.get(kind, kind)
        if kind in ("function", "custom"):
            self._add_named(tool, kind, path, namespace)
        elif kind == "namespace" and namespace is None:
            self._add_all(tool.get("tools"), f"{path}.tools", {**tool, "name": _name(tool, path)})
        elif kind == "tool_search":
            self._add_search(tool)
        elif kind in _FIXED and not runs_in_container(tool.get("environment")):
            call, name, schema, description = _FIXED[kind]
            self._register(call, None, name, description, schema, strict=False)
        else:
            self._refuse(kind, path)

    def _refuse(self, kind: str, path: str) -> None:
        # A choice that names the tool later is then left out, too, and is not refused as unknown.
        self._left_out.add(kind)
        self._unsupported.leave_out(
            path,
            f"This deployment has no {kind!r}, which the service would have to run.",
            "Use a deployment that speaks the Responses API, offer a function of your own, or set "
            "drop_params.",
        )

    def _add_named(self, tool: _Fields, kind: str, path: str, namespace: _Fields | None) -> None:
        name = _name(tool, path)
        self._warn_of_fields(tool, path)
        space = None if namespace is None else str(namespace["name"])
        texts = (namespace and namespace.get("description"), tool.get("description"))
        description = "\n\n".join(str(text) for text in texts if text) or None
        if kind == "custom":
            self._add_custom(tool, name, space, description)
            return
        parameters = tool.get("parameters")
        if parameters is not None and not isinstance(parameters, Mapping):
            place = f"{path}.parameters"
            raise invalid(f"Invalid type for '{place}': expected an object.", place, "invalid_type")
        schema, strict = self._schema_of(parameters, tool.get("strict"), f"{path}.parameters")
        self._register("function_call", space, name, description, schema, strict=strict)

    def _schema_of(
        self, parameters: _Fields | None, strict: Any, path: str
    ) -> tuple[dict[str, Any], bool]:
        schema = dict(parameters or function_schemas.NO_PARAMETERS)
        # Grok refuses references (pydantic-ai #10987). The text is searched first because most
        # schemas have none.
        if not self._support.references and "$ref" in json.dumps(schema, default=str):
            schema = function_schemas.inline_references(schema, path)
        # A function that says nothing is strict at the Responses API and is not at chat completions
        # and Messages. So the choice is made here and always sent.
        if strict is not None or not self._support.strict:
            return schema, bool(strict)
        made = function_schemas.make_strict(
            schema,
            marks_required=self._support.marks_required,
            refused=self._support.not_strict,
        )
        return (schema, False) if made is None else (made, True)

    def _add_custom(
        self, tool: _Fields, name: str, namespace: str | None, description: str | None
    ) -> None:
        form = tool.get("format")
        form = form if isinstance(form, Mapping) else {}
        grammar = form.get("definition")
        if grammar and not self._support.custom:
            rule = f"The input must match the {form.get('syntax') or 'given'} grammar that it has."
            description = f"{description}\n\n{rule}" if description else rule
        schema = function_schemas.custom_parameters(grammar)
        self._register(
            "custom_tool_call", namespace, name, description, schema, strict=True, form=form
        )

    def _add_search(self, tool: _Fields) -> None:
        # The service's own search is not needed: the tools that it would search are all sent.
        if tool.get("execution") != "client":
            return
        parameters = tool.get("parameters")
        schema = dict(parameters) if isinstance(parameters, Mapping) else {"type": "object"}
        description = tool.get("description") or "Searches for further tools."
        self._register("tool_search_call", None, "tool_search", description, schema, strict=False)

    def _register(
        self,
        call: str,
        namespace: str | None,
        name: str,
        description: str | None,
        schema: dict[str, Any],
        *,
        strict: bool,
        form: _Fields | None = None,
    ) -> None:
        if (call, namespace, name) in self._names:
            # Found again by a search, or offered in each turn.
            return
        flat = self._new_name(call, namespace, name)
        if form is not None and self._support.custom:
            custom = Function(flat, description, {}, kind="custom", format=form or None)
            self.declared.append(custom)
            return
        sent = strict if self._support.strict else None
        self.declared.append(Function(flat, description, schema, sent))

    def _new_name(self, call: str, namespace: str | None, name: str) -> str:
        flat = flat_name(namespace, name)
        if flat in self._origins:
            # `a__b` in no namespace and `b` in the namespace `a` would have one name.
            flat = _hashed_name(f"{call} {namespace} {name}", flat)
        self._names[call, namespace, name] = flat
        self._origins[flat] = ToolOrigin(call, name, namespace)
        return flat

    def _warn_of_fields(self, tool: _Fields, path: str) -> None:
        for name, value in tool.items():
            if name not in _KNOWN_FIELDS and value is not None and value is not False:
                self._unsupported.warn(
                    f"{path}.{name[:100]} was left out. The deployment has no place for it."
                )

    def _read_choice(self, choice: Any) -> FunctionChoice | None:
        if choice is None:
            return None
        if isinstance(choice, str):
            return self._read_mode(choice)
        if not isinstance(choice, Mapping):
            raise invalid("Invalid type for 'tool_choice'.", "tool_choice", "invalid_type")
        if choice.get("type") != "allowed_tools":
            function = self._find(choice)
            return None if function is None else FunctionChoice("named", function)
        allowed = choice.get("tools") or ()
        if not isinstance(allowed, list | tuple):
            place = "tool_choice.tools"
            raise invalid(f"Invalid type for '{place}': expected an array.", place, "invalid_type")
        found = [self._find_all(one) for one in allowed if isinstance(one, Mapping)]
        names = {function.name for functions in found for function in functions}
        # Only OpenAI's models take `allowed_tools`. For the others the tools that are not allowed
        # are not sent.
        self.functions = [function for function in self.declared if function.name in names]
        return self._read_mode(str(choice.get("mode") or "auto"))

    def _read_mode(self, mode: str) -> FunctionChoice | None:
        if mode == "none":
            return FunctionChoice("none")
        if mode == "auto":
            return FunctionChoice("auto")
        if mode != "required":
            raise invalid(
                f"Invalid value: '{mode[:100]}'. Supported values are: 'none', 'auto', and "
                "'required'.",
                "tool_choice",
                "invalid_value",
            )
        if self.functions:
            return FunctionChoice("required")
        if not self._left_out:
            raise invalid(
                "Tool choice 'required' must be specified with 'tools' parameter.", "tool_choice"
            )
        self._unsupported.warn("tool_choice was left out. No tool is left that it could require.")
        return None

    def _find(self, choice: _Fields) -> Function | None:
        found = self._find_all(choice)
        return found[0] if found else None

    def _find_all(self, choice: _Fields) -> list[Function]:
        """The functions that an entry of a choice names; none where they were left out."""
        kind = str(choice.get("type"))
        kind = _SAME_KIND.get(kind, kind)
        found = [
            function
            for function in self.declared
            if _fits(kind, choice, self._origins[function.name])
        ]
        if found:
            return found
        family = "web_search" if kind.startswith("web_search") else kind
        if any(name.startswith(family) for name in self._left_out):
            self._unsupported.warn(
                f"tool_choice was left out as far as it names {kind!r}, which was left out."
            )
            return []
        named = choice.get("name") or choice.get("server_label") or kind
        raise invalid(f"Tool choice '{named}' not found in 'tools' parameter.", "tool_choice")


def _name(tool: _Fields, path: str) -> str:
    name = tool.get("name")
    if not isinstance(name, str) or not name:
        raise missing(f"{path}.name")
    return name


_CALL_OF_CHOICE = {
    "function": "function_call",
    "custom": "custom_tool_call",
    "computer_use_preview": "computer_call",
}


def _fits(kind: str, choice: _Fields, origin: ToolOrigin) -> bool:
    """True where an entry of a choice names a tool; without a namespace it is looked for in all."""
    if kind == "namespace":
        return origin.namespace == choice.get("name")
    if origin.call != _CALL_OF_CHOICE.get(kind, f"{kind}_call"):
        return False
    if kind not in ("function", "custom"):
        return True
    space = choice.get("namespace")
    return origin.name == choice.get("name") and space in (None, origin.namespace)
