"""The messages of a chat → the input items of a response."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from azure_responses.bridge.chat_over_responses.assistant import read_assistant
from azure_responses.bridge.chat_over_responses.conversion_state import (
    ConversionState,
    as_list,
    as_mapping,
    refuse,
)
from azure_responses.bridge.chat_over_responses.parts import (
    read_input_parts,
    read_output,
    text_part,
)

__all__ = ["read_items", "read_messages"]

_Items = list[dict[str, Any]]
_Message = Mapping[str, Any]
_CHAT_PARTS = ("text", "image_url", "file")
_SAID = frozenset({"role", "content", "name"})
_ANSWERED = _SAID | {"tool_call_id", "status", "acknowledged_safety_checks"}


def read_messages(messages: Any, state: ConversionState) -> _Items:
    """The input items of the messages, each in its place.

    System and developer messages stay where they are, one item each, so that their order and the
    breaks between them stay too.

    Raises:
        ConfigurationError: a role, a part or a call that the Responses API does not have.
    """
    if isinstance(messages, str | Mapping) or not isinstance(messages, Iterable):
        raise refuse(f"messages is a {type(messages).__name__}.", "It is a list of messages.")
    items: _Items = []
    for index, given in enumerate(messages):
        path = f"messages[{index}]"
        message = as_mapping(given, path)
        # Items of the Responses API among chat messages: agents append a response's output as is.
        if "role" not in message and isinstance(message.get("type"), str):
            items.append(_read_item(message, state))
        else:
            items += _read_message(message, state, path)
    state.summarize()
    return items


def _read_message(message: _Message, state: ConversionState, path: str) -> _Items:
    role = message.get("role")
    read = _READERS.get(role) if isinstance(role, str) else None
    if read is None:
        raise refuse(f"{path}.role is {role!r}.", f"Roles are {', '.join(_READERS)}.")
    return read(message, state, path)


def read_items(given: Any, state: ConversionState) -> _Items:
    """Input items in the form of the Responses API, as they are sent.

    Messages in the form of chat completions may stand among them: some clients mix both.
    """
    items: _Items = []
    for index, each in enumerate(as_list(given, "input")):
        path = f"input[{index}]"
        item = as_mapping(each, path)
        if _is_of_chat(item):
            items += _read_message(item, state, path)
        else:
            items.append(_read_item(item, state))
    state.summarize()
    return items


def _read_item(item: _Message, state: ConversionState) -> dict[str, Any]:
    if item.get("type") == "reasoning" and item.get("encrypted_content"):
        state.has_encrypted_reasoning = True
    return state.call_ids.send_item(item)


def _is_of_chat(item: _Message) -> bool:
    """True for a message that only chat completions has in this form."""
    if item.get("role") in ("tool", "function"):
        return True
    if item.get("tool_calls") or item.get("function_call"):
        return "role" in item
    content = item.get("content")
    parts = content if "role" in item and isinstance(content, list) else ()
    return any(isinstance(p, Mapping) and p.get("type") in _CHAT_PARTS for p in parts)


def _read_said(message: _Message, state: ConversionState, path: str) -> _Items:
    """A message of the user, the system or the developer."""
    state.warn_of_unknown(message, _SAID, path)
    content = message.get("content")
    if content is None:
        raise refuse(f"{path}.content is missing.", "Give a string or a list of content parts.")
    name = message.get("name")
    # The Responses API has no names of speakers: a conversation of several people would become one
    # of a single person, so the name goes into the text.
    if name:
        content = [text_part(f"{name}: "), *read_input_parts(content, f"{path}.content")]
    elif not isinstance(content, str):
        content = read_input_parts(content, f"{path}.content")
    return [{"type": "message", "role": message["role"], "content": content}]


def _read_tool(message: _Message, state: ConversionState, path: str) -> _Items:
    """What a tool returned; the call it answers decides how that is said."""
    state.warn_of_unknown(message, _ANSWERED, path)
    call_id = message.get("tool_call_id")
    if not isinstance(call_id, str) or not call_id:
        raise refuse(f"{path}.tool_call_id is missing.", "Give the id of the call it answers.")
    return [_answer(state.call_ids.send(call_id), message, state, path)]


def _answer(call_id: str, message: _Message, state: ConversionState, path: str) -> dict[str, Any]:
    # What kind of output answers a call only the call says; the message names its id alone.
    call = state.calls.get(call_id)
    if call is not None:
        return call.answer(call.item, message, f"{path}.content")
    # The call is in a stored response or conversation, or the service will say that there is none.
    output = read_output(message.get("content"), f"{path}.content")
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def _read_function(message: _Message, state: ConversionState, path: str) -> _Items:
    """A result in the deprecated form, which names the function instead of the call."""
    state.warn_of_unknown(message, _SAID, path)
    name = str(message.get("name") or "")
    waiting = state.open_functions.get(name)
    if not waiting:
        raise refuse(
            f"{path} answers a call of {name!r} that no earlier message makes.",
            "Send the assistant's message with its function_call before the result.",
        )
    return [_answer(waiting.pop(0), message, state, path)]


_READERS: dict[str, Callable[[_Message, ConversionState, str], _Items]] = {
    "system": _read_said,
    "developer": _read_said,
    "user": _read_said,
    "assistant": read_assistant,
    "tool": _read_tool,
    "function": _read_function,
}
