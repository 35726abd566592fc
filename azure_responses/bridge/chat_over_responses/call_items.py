"""The tool calls of an assistant's message → call items, and the answers they wait for."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.calls import STAND_INS, Call, StandIn
from azure_responses.bridge.chat_over_responses.history import History
from azure_responses.bridge.chat_over_responses.parts import read_output
from azure_responses.bridge.chat_over_responses.refusal import as_mapping, refuse

__all__ = ["answer_id", "drop_nulls", "read_calls"]

_Message = Mapping[str, Any]
_STAND_IN_BY_NAME = {stand_in.name: stand_in for stand_in in STAND_INS.values()}
# Null means something in these fields of replayed items; elsewhere it means nothing was said.
_NULLABLE = frozenset({"result", "code", "outputs"})


def read_calls(message: _Message, history: History, path: str) -> list[dict[str, Any]]:
    """The call items of a message, in order; each is noted in the history for its answer.

    Raises:
        ConfigurationError: a call without an id, or of a kind that does not exist.
    """
    return [*_read_tool_calls(message, history, path), *_read_function_call(message, history, path)]


def answer_id(item: dict[str, Any]) -> str:
    """The id that the answer to a call names."""
    return str(item.get("call_id") or item.get("id"))


def drop_nulls(item: _Message) -> dict[str, Any]:
    """A replayed item without the fields that say nothing."""
    return {name: value for name, value in item.items() if value is not None or name in _NULLABLE}


def _read_tool_calls(message: _Message, history: History, path: str) -> Iterator[dict[str, Any]]:
    for index, given in enumerate(message.get("tool_calls") or ()):
        place = f"{path}.tool_calls[{index}]"
        call = as_mapping(given, place)
        item, answer = _read_call(call, history, place)
        history.calls[answer_id(item)] = Call(item, answer)
        yield item


def _read_call(call: _Message, history: History, path: str) -> tuple[dict[str, Any], Any]:
    call_id = call.get("id")
    if not isinstance(call_id, str) or not call_id:
        raise refuse(f"{path} has no id.", "Send tool calls back with the ids they came with.")
    call_id = history.call_ids.send(call_id)
    if call.get("item") is not None:
        item = history.call_ids.send_item(drop_nulls(as_mapping(call["item"], f"{path}.item")))
        stand_in = STAND_INS.get(str(item.get("type")))
        if stand_in is not None:
            return item, stand_in.answer
    if call.get("type") == "custom":
        return _read_custom(call, call_id, path), _answer_custom
    if call.get("type") not in ("function", None):
        raise refuse(
            f"{path} is of type {call.get('type')!r}.", "A tool call is a function or custom call."
        )
    function = as_mapping(call.get("function"), f"{path}.function")
    found = _find_stand_in(function, history)
    if found is not None:
        return found.rebuild(call_id, _parse(function.get("arguments"))), found.answer
    return _function_item(function, call_id) | _origin(call), _answer_function


def _find_stand_in(function: _Message, history: History) -> StandIn | None:
    name = str(function.get("name"))
    return _STAND_IN_BY_NAME.get(name) if name in history.stand_ins else None


def _parse(arguments: Any) -> Any:
    try:
        return json.loads(arguments or "null")
    except (TypeError, ValueError):
        return None


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


def _read_function_call(message: _Message, history: History, path: str) -> Iterator[dict[str, Any]]:
    """The deprecated `function_call`; it has no id, so one is made of its place."""
    given = message.get("function_call")
    if given is None:
        return
    function = as_mapping(given, f"{path}.function_call")
    place = "call_" + path.replace("[", "_").replace("]", "")
    call_id = history.call_ids.send(str(function.get("id") or place))
    item = _function_item(function, call_id)
    history.calls[call_id] = Call(item, _answer_function)
    history.open_functions.setdefault(item["name"], []).append(call_id)
    yield item
