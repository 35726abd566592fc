"""Bodies of chat completions."""

from typing import Any

from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_request,
    missing_parameter,
    unknown_parameter,
)
from azure_responses.emulator.validation.create_body import EFFORTS, SHARED, VERBOSITY
from azure_responses.emulator.validation.family_rules import check_family, refuse_unknown
from azure_responses.emulator.validation.json_schemas import check_function_schema
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    OBJECT,
    OBJECTS,
    TOOL_CHOICE_MODE,
    Choice,
    Either,
    Fields,
    Integer,
    Listing,
    Number,
    OpenFields,
    Shape,
    Tagged,
    Text,
)  # fmt: skip

__all__ = ["check_chat", "is_thinking"]

# llama-index and others send a text back with the annotations that it had, and the Agents SDK for
# JavaScript with the other fields of its message.
_PART_FIELDS: dict[str, Shape] = {
    "prompt_cache_breakpoint": OBJECT,
    "annotations": OBJECTS,
    "refusal": Text(),
    "role": Text(),
}
_PART = Tagged(
    {
        "text": Fields({"text": Text()}, **_PART_FIELDS),
        "image_url": Fields({"image_url": OpenFields({"url": Text()})}, **_PART_FIELDS),
        "input_audio": Fields({"input_audio": OBJECT}, **_PART_FIELDS),
        "file": Fields({"file": OBJECT}, **_PART_FIELDS),
        "refusal": Fields({"refusal": Text()}, **_PART_FIELDS),
    }
)
_CONTENT = Either("one of a string or array of objects", text=Text(), listing=Listing(_PART))
_FUNCTION = Fields(
    {"name": Text(shortest=1, longest=64)}, description=Text(), parameters=OBJECT, strict=FLAG
)
_TOOL = Tagged({"function": Fields({"function": _FUNCTION}), "custom": Fields({"custom": OBJECT})})
_CALLED = OpenFields(name=Text(), arguments=Text(), input=Text())
_CALL = OpenFields(
    {"id": Text()}, type=Choice("function", "custom"), function=_CALLED, custom=_CALLED
)
_MESSAGE = Fields(
    {"role": Choice("system", "assistant", "user", "function", "tool", "developer")},
    content=_CONTENT,
    name=Text(),
    tool_calls=Listing(_CALL),
    tool_call_id=Text(),
    function_call=OBJECT,
    refusal=Text(),
    audio=OBJECT,
    annotations=OBJECTS,
    reasoning_content=Text(),
)
_TYPED = OpenFields({"type": Text()})

_PARAMETERS: dict[str, Shape] = {
    "model": Text(),
    "messages": Listing(_MESSAGE),
    "audio": OBJECT,
    "data_sources": OBJECTS,
    "frequency_penalty": Number(-2, 2),
    "function_call": ANYTHING,
    "functions": OBJECTS,
    "logit_bias": OBJECT,
    "logprobs": FLAG,
    "max_completion_tokens": Integer(1),
    "max_tokens": Integer(1),
    "modalities": Listing(Text()),
    "n": Integer(1, 128),
    "prediction": OBJECT,
    "presence_penalty": Number(-2, 2),
    "reasoning_effort": Choice(*EFFORTS),
    "response_format": _TYPED,
    "seed": Integer(),
    "stop": Either("a string or array", text=Text(), listing=Listing(Text(), longest=4)),
    "stream_options": Fields(include_usage=FLAG, include_obfuscation=FLAG),
    "tool_choice": Either("an object", text=TOOL_CHOICE_MODE, record=_TYPED),
    "tools": Listing(_TOOL, longest=128),
    "verbosity": VERBOSITY,
    "web_search_options": OBJECT,
    **SHARED,
}
# Parameters that only one family has.
_OF_FAMILY: dict[tuple[str, str], Shape] = {
    ("kimi", "thinking"): OpenFields(type=Choice("enabled", "disabled")),
    ("mistral", "safe_prompt"): FLAG,
    ("mistral", "random_seed"): Integer(),
}
_SAMPLING = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}


def check_chat(body: dict[str, Any], model: EmulatedModel, surface: str = "v1") -> None:
    """Refuses a chat completions body."""
    check_family(body, model, surface)
    for name, value in body.items():
        shape = _PARAMETERS.get(name) or _OF_FAMILY.get((model.family, name))
        if shape is None:
            is_openai = model.family == "openai"
            raise _unknown(name) if is_openai else refuse_unknown(name, value, model, surface)
        if value is not None:
            shape.check(value, name)
    _check_messages(body, model)
    if model.reasoning and not model.samples(body.get("reasoning_effort") or model.default_effort):
        _check_reasoning(body)
    _check_tools(body)


def _check_messages(body: dict[str, Any], model: EmulatedModel) -> None:
    if body.get("messages") is None:
        raise missing_parameter("messages")
    if not body["messages"]:
        raise invalid_request("[] is too short - 'messages'", "messages")
    _check_order(body["messages"])
    if model.needs_reasoning and is_thinking(body, model):
        _check_reasoning_content(body["messages"])


def is_thinking(body: dict[str, Any], model: EmulatedModel) -> bool:
    """True where the model reasons for this body."""
    if (body.get("thinking") or {}).get("type") == "disabled":
        return False
    return (body.get("reasoning_effort") or model.default_effort) not in (None, "none")


def _check_reasoning_content(messages: list[dict[str, Any]]) -> None:
    """Moonshot's check (litellm#20759): an empty text will do, a missing one will not."""
    for index, message in enumerate(messages):
        if message.get("tool_calls") and message.get("reasoning_content") is None:
            raise invalid_request(
                "thinking is enabled but reasoning_content is missing in assistant tool call "
                f"message at index {index}"
            )


def _unknown(name: str) -> ServiceError:
    if name == "input":
        message = "Unrecognized request argument supplied: input"
        return invalid_request(message)
    return unknown_parameter(name)


def _check_reasoning(body: dict[str, Any]) -> None:
    if body.get("max_tokens") is not None:
        message = (
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead."
        )
        raise invalid_request(message, "max_tokens", "unsupported_parameter")
    for name, default in _SAMPLING.items():
        if body.get(name) not in (None, default):
            message = (
                f"Unsupported value: '{name}' does not support {body[name]} with this model. "
                f"Only the default ({default}) value is supported."
            )
            raise invalid_request(message, name, "unsupported_value")
    for name in ("logprobs", "top_logprobs"):
        if body.get(name):
            message = f"Unsupported parameter: '{name}' is not supported with this model."
            raise invalid_request(message, name, "unsupported_parameter")


def _check_order(messages: list[dict[str, Any]]) -> None:
    called: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _check_tool_message(message, called, index)
            called.discard(message["tool_call_id"])
            continue
        # Another message while calls wait for their outputs: the service names all of them.
        if called:
            break
        called = {str(call.get("id")) for call in message.get("tool_calls") or ()}
    if called:
        message_text = (
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'. The following tool_call_ids did not have response messages: "
            + ", ".join(sorted(called))
        )
        raise invalid_request(message_text, f"messages.[{index}].role")


def _check_tool_message(message: dict[str, Any], called: set[str], index: int) -> None:
    if "tool_call_id" not in message:
        raise missing_parameter(f"messages[{index}].tool_call_id")
    if message["tool_call_id"] not in called:
        text = (
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'."
        )
        raise invalid_request(text, f"messages.[{index}].role")


def _check_tools(body: dict[str, Any]) -> None:
    tools = body.get("tools") or []
    for index, tool in enumerate(tools):
        if tool["type"] == "function":
            check_function_schema(tool["function"], f"tools[{index}].function")
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not tools:
        message = "'tool_choice' is only allowed when 'tools' are specified."
        raise invalid_request(message, "tool_choice")
    if isinstance(choice, dict) and choice["type"] == "function":
        wanted = (choice.get("function") or {}).get("name")
        if not any((tool.get("function") or {}).get("name") == wanted for tool in tools):
            message = f"Tool choice '{wanted}' not found in 'tools' parameter."
            raise invalid_request(message, "tool_choice")
