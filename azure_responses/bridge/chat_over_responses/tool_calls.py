"""Calls that wait for the caller, in both shapes: output items and tool calls of a message.

Chat completions has function and custom calls. The Responses API has more kinds (`CHAT_FORMS` of
the tools' modules); each stands in a message as the call of a function, and its whole item goes
along in the field `item`, so that it is sent back as it was. A client that drops that field gets
the item rebuilt from the function's arguments.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.conversion_state import (
    ConversionState,
    PendingCall,
    as_mapping,
    refuse,
)
from azure_responses.bridge.chat_over_responses.parts import (
    read_input_parts,
    read_output,
    read_text,
)
from azure_responses.bridge.chat_over_responses.tools import read_tool
from azure_responses.types.chat import (
    ChatCompletionCustom,
    ChatCompletionCustomToolCall,
    ChatCompletionFunction,
    ChatCompletionFunctionToolCall,
    ChatCompletionToolCallUnion,
    ChatCompletionUnknownToolCall,
)
from azure_responses.types.model import types_of
from azure_responses.types.tools import CHAT_FORMS, CustomToolCall, FunctionCall
from azure_responses.types.tools.facts import ChatForm

__all__ = [
    "answer_id",
    "answer_of",
    "assemble_tool_call",
    "declared_forms",
    "drop_nulls",
    "read_calls",
    "rebuild_call",
    "to_tool_call",
]

_Item = dict[str, Any]
_Message = Mapping[str, Any]
_Answer = Callable[[_Item, _Message, str], _Item]

_TYPE_BY_FUNCTION = {form.name: kind for kind, form in CHAT_FORMS.items()}
_FUNCTION_BY_TOOL = {
    kind: form.name
    for form in CHAT_FORMS.values()
    for tool in form.tools
    for kind in types_of(tool)
}


def to_tool_call(item: Any) -> ChatCompletionToolCallUnion:
    """A caller's output item as a tool call of a message."""
    if isinstance(item, FunctionCall):
        function = {"name": item.name, "arguments": item.arguments}
        named = {"function": ChatCompletionFunction.assemble(function)}
        return _assemble(item.call_id, "function", named, item)
    if isinstance(item, CustomToolCall):
        custom = {"name": item.name, "input": item.input}
        return _assemble(
            item.call_id, "custom", {"custom": ChatCompletionCustom.assemble(custom)}, item
        )
    fields, form = item.to_dict(), CHAT_FORMS[item.type]
    function = {"name": form.name, "arguments": _arguments(form, fields)}
    return assemble_tool_call(
        {
            "id": getattr(item, "call_id", None) or getattr(item, "id", None),
            "type": "function",
            "function": ChatCompletionFunction.assemble(function),
            "item": fields,
        }
    )


def _arguments(form: ChatForm, item: _Item) -> str:
    """The arguments of the function that a call is in chat, as JSON text."""
    given: Any = {name: item[name] for name in form.arguments if item.get(name) is not None}
    if len(form.arguments) == 1:
        given = item.get(form.arguments[0])
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def _assemble(
    call_id: str, kind: str, named: dict[str, Any], item: FunctionCall | CustomToolCall
) -> ChatCompletionToolCallUnion:
    values: dict[str, Any] = {"id": call_id, "type": kind, **named}
    if item.namespace is not None:
        values["namespace"] = item.namespace
    if item.caller is not None:
        values["caller"] = item.caller.to_dict()
    return assemble_tool_call(values)


def assemble_tool_call(values: dict[str, Any]) -> ChatCompletionToolCallUnion:
    """A tool call of fields already known to fit, of the class of its type."""
    if values.get("type") == "function" and "function" in values:
        return ChatCompletionFunctionToolCall.assemble(values)
    if values.get("type") == "custom" and "custom" in values:
        return ChatCompletionCustomToolCall.assemble(values)
    return ChatCompletionUnknownToolCall.assemble(values)


def declared_forms(tools: list[dict[str, Any]]) -> frozenset[str]:
    """The functions as which calls of the declared hosted tools appear in messages.

    A function that the caller declares under the same name is the caller's.
    """
    declared = {str(tool.get("type")) for tool in tools}
    names = {_FUNCTION_BY_TOOL[kind] for kind in declared & _FUNCTION_BY_TOOL.keys()}
    functions = {tool.get("name") for tool in tools if tool.get("type") == "function"}
    return frozenset(names - functions)


def rebuild_call(kind: str, call_id: str, arguments: Any) -> _Item:
    """A call of a type, of its id and of the arguments of the function it was in chat."""
    form = CHAT_FORMS[kind]
    given = arguments if isinstance(arguments, dict) else {}
    if len(form.arguments) == 1:
        given = {form.arguments[0]: arguments}
    return {"type": kind, **dict.fromkeys(form.ids, call_id), **form.defaults, **given}


def answer_of(kind: str) -> _Answer:
    """What makes the answer to a call of a type: of its item, the tool message and its path."""
    return _ANSWERS.get(kind, _answer_as_text)


def _answer_as_text(item: _Item, message: _Message, path: str) -> _Item:
    output = read_text(message.get("content"), path)
    return {
        "type": item["type"].removesuffix("_call") + "_call_output",
        "call_id": item["call_id"],
        "output": output,
    }


def _answer_patch(item: _Item, message: _Message, path: str) -> _Item:
    return {
        "type": "apply_patch_call_output",
        "call_id": item["call_id"],
        "status": message.get("status") or "completed",
        "output": read_text(message.get("content"), path),
    }


def _answer_shell(item: _Item, message: _Message, path: str) -> _Item:
    text = read_text(message.get("content"), path)
    output = _parse(text)
    if not (isinstance(output, list) and all(isinstance(entry, dict) for entry in output)):
        outcome = {"type": "exit", "exit_code": 0}
        output = [{"stdout": text, "stderr": "", "outcome": outcome}]
    answer: _Item = {"type": "shell_call_output", "call_id": item["call_id"], "output": output}
    # The service asks for the limit of the call in its answer.
    limit = (item.get("action") or {}).get("max_output_length")
    return answer if limit is None else {**answer, "max_output_length": limit}


def _answer_computer(item: _Item, message: _Message, path: str) -> _Item:
    for part in read_input_parts(message.get("content"), path):
        if part["type"] == "input_image":
            source = {key: part[key] for key in ("image_url", "file_id") if key in part}
            answer: _Item = {
                "type": "computer_call_output",
                "call_id": item["call_id"],
                "output": {"type": "computer_screenshot", **source},
            }
            checks = message.get("acknowledged_safety_checks")
            return {**answer, "acknowledged_safety_checks": checks} if checks else answer
    raise refuse(
        f"{path} answers a computer call without a screenshot.", "Give it an image_url part."
    )


def _answer_tool_search(item: _Item, message: _Message, path: str) -> _Item:
    tools = _parse(read_text(message.get("content"), path))
    if isinstance(tools, dict):
        tools = tools.get("tools")
    if not isinstance(tools, list):
        raise refuse(f"{path} answers a tool search without tools.", "Give a JSON list of tools.")
    return {
        "type": "tool_search_output",
        "call_id": item["call_id"],
        "execution": "client",
        "status": "completed",
        "tools": [read_tool(tool, path) for tool in tools],
    }


def _answer_approval(item: _Item, message: _Message, path: str) -> _Item:
    text = read_text(message.get("content"), path)
    verdict = _parse(text)
    fields: _Item = verdict if isinstance(verdict, dict) else {"approve": verdict is True}
    answer = {
        "type": "mcp_approval_response",
        "approval_request_id": item["id"],
        "approve": fields.get("approve") is True,
    }
    # Anything but a clear yes is a no, and what was said instead is the reason.
    reason = fields.get("reason") or (None if isinstance(verdict, bool | dict) else text)
    return {**answer, "reason": reason} if reason else answer


def _parse(text: Any) -> Any:
    """What a JSON text says; None for anything else."""
    try:
        return json.loads(text)
    except (TypeError, ValueError):
        return None


_ANSWERS: dict[str, _Answer] = {
    "apply_patch_call": _answer_patch,
    "shell_call": _answer_shell,
    "computer_call": _answer_computer,
    "tool_search_call": _answer_tool_search,
    "mcp_approval_request": _answer_approval,
}

# Null means something in these fields of replayed items; elsewhere it means nothing was said.
_NULLABLE = frozenset({"result", "code", "outputs"})


def read_calls(message: _Message, state: ConversionState, path: str) -> list[dict[str, Any]]:
    """The call items of a message, in order; each is noted in `state` for its answer.

    Raises:
        ConfigurationError: a call without an id, or of a kind that does not exist.
    """
    return [*_read_tool_calls(message, state, path), *_read_function_call(message, state, path)]


def answer_id(item: dict[str, Any]) -> str:
    """The id that the answer to a call names."""
    return str(item.get("call_id") or item.get("id"))


def drop_nulls(item: _Message) -> dict[str, Any]:
    """A replayed item without the fields that say nothing."""
    return {name: value for name, value in item.items() if value is not None or name in _NULLABLE}


def _read_tool_calls(
    message: _Message, state: ConversionState, path: str
) -> Iterator[dict[str, Any]]:
    for index, given in enumerate(message.get("tool_calls") or ()):
        place = f"{path}.tool_calls[{index}]"
        call = as_mapping(given, place)
        item, answer = _read_call(call, state, place)
        state.calls[answer_id(item)] = PendingCall(item, answer)
        yield item


def _read_call(call: _Message, state: ConversionState, path: str) -> tuple[dict[str, Any], Any]:
    # Without an id no answer could be matched; the service would refuse the whole request later.
    call_id = call.get("id")
    if not isinstance(call_id, str) or not call_id:
        raise refuse(f"{path} has no id.", "Send tool calls back with the ids they came with.")
    call_id = state.call_ids.send(call_id)
    if call.get("item") is not None:
        item = state.call_ids.send_item(drop_nulls(as_mapping(call["item"], f"{path}.item")))
        kind = str(item.get("type"))
        if kind in CHAT_FORMS:
            return item, answer_of(kind)
    if call.get("type") == "custom":
        return _read_custom(call, call_id, path), _answer_custom
    if call.get("type") not in ("function", None):
        raise refuse(
            f"{path} is of type {call.get('type')!r}.", "A tool call is a function or custom call."
        )
    function = as_mapping(call.get("function"), f"{path}.function")
    name = str(function.get("name"))
    if name in state.stand_ins:
        kind = _TYPE_BY_FUNCTION[name]
        arguments = _parse(function.get("arguments") or "null")
        return rebuild_call(kind, call_id, arguments), answer_of(kind)
    return _function_item(function, call_id) | _origin(call), _answer_function


def _read_custom(call: _Message, call_id: str, path: str) -> dict[str, Any]:
    custom = as_mapping(call.get("custom"), f"{path}.custom")
    item = {
        "type": "custom_tool_call",
        "call_id": call_id,
        "name": custom.get("name") or "",
        "input": custom.get("input") or "",
    }
    return item | _origin(call)


def _function_item(function: _Message, call_id: str) -> dict[str, Any]:
    return {
        "type": "function_call",
        "call_id": call_id,
        "name": function.get("name") or "",
        "arguments": function.get("arguments") or "",
    }


def _origin(call: _Message) -> dict[str, Any]:
    """What the Responses API said of a call besides, which its answer has to repeat."""
    return {name: call[name] for name in ("namespace", "caller") if call.get(name) is not None}


def _answer_function(item: dict[str, Any], message: _Message, path: str) -> dict[str, Any]:
    return _answer_plainly("function_call_output", item, message, path)


def _answer_custom(item: dict[str, Any], message: _Message, path: str) -> dict[str, Any]:
    return _answer_plainly("custom_tool_call_output", item, message, path)


def _answer_plainly(
    kind: str, item: dict[str, Any], message: _Message, path: str
) -> dict[str, Any]:
    output = read_output(message.get("content"), path)
    answer = {"type": kind, "call_id": item["call_id"], "output": output}
    caller = item.get("caller")
    return {**answer, "caller": caller} if caller is not None else answer


def _read_function_call(
    message: _Message, state: ConversionState, path: str
) -> Iterator[dict[str, Any]]:
    """The deprecated `function_call`; it has no id, so one is made of its place."""
    given = message.get("function_call")
    if given is None:
        return
    function = as_mapping(given, f"{path}.function_call")
    # The same place gives the same id in every later request, so that a stored call is known again.
    place = "call_" + path.replace("[", "_").replace("]", "")
    call_id = state.call_ids.send(str(function.get("id") or place))
    item = _function_item(function, call_id)
    state.calls[call_id] = PendingCall(item, _answer_function)
    # A result names the function, not the call: the earliest open call of that name gets it.
    state.open_functions.setdefault(item["name"], []).append(call_id)
    yield item
