"""Bodies of Messages, judged as Anthropic judges them: `place: what is wrong`."""

import re
from collections.abc import Mapping
from typing import Any

from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.messages_errors import messages_error, wrong
from azure_responses.emulator.validation.message_content import check_content
from azure_responses.emulator.validation.thinking_rules import check_thinking

__all__ = ["validate_messages"]

_EXTRA = "Extra inputs are not permitted"
_REQUIRED = "Field required"
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
# What a tool of Anthropic's own is called, beside the version at its end.
_OWN_TOOLS = (
    "web_search_", "web_fetch_", "code_execution_", "bash_", "text_editor_", "memory_",
    "tool_search_tool_", "computer_", "browser_",
)  # fmt: skip
_COUNTED = {
    "model": str, "messages": list, "cache_control": dict, "output_config": dict, "system": object,
    "thinking": dict, "tool_choice": dict, "tools": list, "speed": str,
    "context_management": dict, "mcp_servers": list, "output_format": dict,
}  # fmt: skip
_CREATED = {
    **_COUNTED, "max_tokens": int, "container": object, "diagnostics": dict, "inference_geo": str,
    "metadata": dict, "service_tier": str, "stop_sequences": list, "stream": bool,
    "temperature": float, "top_k": int, "top_p": float,
}  # fmt: skip
_NAMES = {str: "string", list: "list", dict: "dictionary", int: "integer", float: "number"}
_MOST_MARKS = 4


def validate_messages(body: Mapping[str, Any], model: EmulatedModel, *, is_counted: bool) -> None:
    """Refuse a body of `/v1/messages`, or of `/count_tokens` (`is_counted`).

    What depends on the resource, such as signatures, is checked elsewhere.
    """
    _check_fields(body, _COUNTED if is_counted else _CREATED)
    for name in ("messages",) if is_counted else ("messages", "max_tokens"):
        if body.get(name) is None:
            raise wrong(name, _REQUIRED)
    if not is_counted:
        _check_limit(body["max_tokens"], model)
    _check_marks(body)
    _check_system(body.get("system"))
    _check_tools(body)
    check_content(body["messages"], model)
    check_thinking(body, model)
    _check_output(body.get("output_config") or {}, model)
    _check_rest(body)


def _check_rest(body: Mapping[str, Any]) -> None:
    for index, sequence in enumerate(body.get("stop_sequences") or ()):
        if not isinstance(sequence, str):
            raise wrong(f"stop_sequences.{index}", "Input should be a valid string")
        if not sequence.strip():
            raise wrong("stop_sequences", "each stop sequence must contain non-whitespace")
    metadata = body.get("metadata") or {}
    for name in metadata.keys() - {"user_id"}:
        raise wrong(f"metadata.{name}", _EXTRA)
    if not isinstance(metadata.get("user_id"), str | None):
        raise wrong("metadata.user_id", "Input should be a valid string")


def _check_fields(body: Mapping[str, Any], known: Mapping[str, type]) -> None:
    for name, value in body.items():
        kind = known.get(name)
        if kind is None:
            raise wrong(name, _EXTRA)
        if value is not None and not _is_of(value, kind):
            article = "a valid" if kind is not bool else "a valid boolean"
            raise wrong(name, f"Input should be {article} {_NAMES.get(kind, '')}".rstrip())


def _is_of(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind in (bool, object)
    return isinstance(value, int | float if kind is float else kind)


def _check_limit(limit: int, model: EmulatedModel) -> None:
    if limit < 1:
        raise wrong("max_tokens", "Input should be greater than or equal to 1")
    if limit > model.max_output:
        raise wrong(
            "max_tokens",
            f"{limit} > {model.max_output}, which is the maximum allowed number of output tokens "
            f"for {model.name}",
        )


# --- cache_control --------------------------------------------------------------------------------


def _check_marks(body: Mapping[str, Any]) -> None:
    """`cache_control` wherever it stands; Foundry refuses its `scope` (litellm#22867)."""
    marks = list(_find_marks("", {"": body}))
    for place, mark in marks:
        if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
            raise wrong(place, "Input tag does not match any of the expected tags: 'ephemeral'")
        for name in mark.keys() - {"type", "ttl"}:
            raise wrong(f"{place}.ephemeral.{name}", _EXTRA)
        if mark.get("ttl") not in (None, "5m", "1h"):
            raise wrong(f"{place}.ephemeral.ttl", "Input should be '5m' or '1h'")
    if len(marks) > _MOST_MARKS:
        message = "A maximum of 4 blocks with cache_control may be provided."
        raise messages_error(400, f"{message} Found {len(marks)}.")


def _find_marks(place: str, holder: Mapping[str, Any]) -> Any:
    for key, part in holder.items():
        inner = f"{place}.{key}".strip(".")
        if not isinstance(part, dict):
            continue
        if part.get("cache_control") is not None:
            yield f"{inner}.cache_control".strip("."), part["cache_control"]
        for name in ("system", "tools", "messages", "content"):
            listed = part.get(name)
            if isinstance(listed, list):
                numbered = {str(index): one for index, one in enumerate(listed)}
                yield from _find_marks(f"{inner}.{name}".strip("."), numbered)


def _check_system(system: Any) -> None:
    if system is None or isinstance(system, str):
        return
    if not isinstance(system, list):
        raise wrong("system", "Input should be a valid string")
    for index, block in enumerate(system):
        kind = block.get("type") if isinstance(block, dict) else None
        if kind != "text":
            raise wrong(f"system.{index}.type", "Input should be 'text'")
        if not isinstance(block.get("text"), str):
            raise wrong(f"system.{index}.text", _REQUIRED)
        if not block["text"]:
            raise wrong("system", "text content blocks must be non-empty")


# --- tools ----------------------------------------------------------------------------------------


def _check_tools(body: Mapping[str, Any]) -> None:
    tools = body.get("tools") or []
    names: set[str] = set()
    for index, tool in enumerate(tools):
        _check_tool(f"tools.{index}", tool)
        name = tool["name"]
        if name in names:
            raise wrong("tools", "Tool names must be unique.")
        names.add(name)
    choice = body.get("tool_choice")
    if choice is not None:
        _check_choice(choice, names)


_TOOL_FIELDS = frozenset(
    {
        "type", "name", "description", "input_schema", "cache_control", "strict", "defer_loading",
        "allowed_callers", "eager_input_streaming", "input_examples",
    }
)  # fmt: skip


def _check_tool(place: str, tool: Any) -> None:
    if not isinstance(tool, dict):
        raise wrong(place, "Input should be a valid dictionary")
    kind = str(tool.get("type") or "custom")
    if kind != "custom" and not kind.startswith(_OWN_TOOLS):
        text = f"Input tag '{kind}' found using 'type' does not match any of the expected tags"
        raise wrong(place, text)
    if not isinstance(tool.get("name"), str):
        raise wrong(f"{place}.{kind}.name", _REQUIRED)
    if kind == "custom":
        _check_own_tool(f"{place}.custom", tool)


def _check_own_tool(place: str, tool: Mapping[str, Any]) -> None:
    if not _TOOL_NAME.fullmatch(tool["name"]):
        pattern = "^[a-zA-Z0-9_-]{1,128}$"
        raise wrong(f"{place}.name", f"String should match pattern '{pattern}'")
    for name in tool:
        if name not in _TOOL_FIELDS:
            raise wrong(f"{place}.{name}", _EXTRA)
    schema = tool.get("input_schema")
    if not isinstance(schema, dict):
        raise wrong(f"{place}.input_schema", _REQUIRED)
    if schema.get("type") != "object":
        text = "Input should be 'object'" if "type" in schema else _REQUIRED
        raise wrong(f"{place}.input_schema.type", text)
    if tool.get("strict"):
        _check_schema(schema, place)


def _check_choice(choice: Mapping[str, Any], names: set[str]) -> None:
    kind = choice.get("type")
    if kind not in ("auto", "any", "tool", "none"):
        raise wrong("tool_choice", f"Input tag '{kind}' found using 'type' does not match any of "
                    "the expected tags: 'auto', 'any', 'tool', 'none'")  # fmt: skip
    for name in choice.keys() - {"type", "name", "disable_parallel_tool_use"}:
        raise wrong(f"tool_choice.{kind}.{name}", _EXTRA)
    if not names and kind != "none":
        raise messages_error(400, "tool_choice may only be specified while providing tools")
    if kind != "tool":
        return
    if not isinstance(choice.get("name"), str):
        raise wrong("tool_choice.tool.name", _REQUIRED)
    if choice["name"] not in names:
        raise messages_error(400, f"Tool '{choice['name']}' not found in provided tools")


# --- output_config --------------------------------------------------------------------------------


def _check_output(config: Mapping[str, Any], model: EmulatedModel) -> None:
    for name in config.keys() - {"effort", "format", "task_budget"}:
        raise wrong(f"output_config.{name}", _EXTRA)
    effort, efforts = config.get("effort"), model.claude.efforts
    if effort is not None and not efforts:
        raise messages_error(400, "This model does not support the effort parameter.")
    if effort is not None and effort not in efforts:
        expected = ", ".join(f"'{one}'" for one in efforts)
        raise wrong("output_config.effort", f"Input should be {expected}")
    given = config.get("format")
    if given is None:
        return
    if not isinstance(given, dict) or given.get("type") != "json_schema":
        raise wrong("output_config.format.type", "Input should be 'json_schema'")
    for name in given.keys() - {"type", "schema"}:
        raise wrong(f"output_config.format.{name}", _EXTRA)
    if not isinstance(given.get("schema"), dict):
        raise wrong("output_config.format.schema", _REQUIRED)
    _check_schema(given["schema"], "output_config.format.schema")


# Anthropic's page on structured outputs: what a constrained schema cannot say.
_UNSUPPORTED = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
}


def _check_schema(schema: Any, place: str) -> None:
    if isinstance(schema, list):
        for part in schema:
            _check_schema(part, place)
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    if kind == "object" and schema.get("additionalProperties") is not False:
        raise wrong(place, "For 'object' type, 'additionalProperties' must be explicitly set to "
                    "false")  # fmt: skip
    found = [name for name in _UNSUPPORTED.get(str(kind), ()) if name in schema]
    if found:
        listed = ", ".join(found)
        raise wrong(place, f"For '{kind}' type, properties {listed} are not supported")
    for name in ("properties", "$defs", "definitions"):
        _check_schema(list((schema.get(name) or {}).values()), place)
    for name in ("items", "anyOf", "allOf", "oneOf"):
        _check_schema(schema.get(name), place)
