"""Bodies of chat completions."""

from typing import Any

from azure_responses.emulator.model_catalog import EmulatedModel
from azure_responses.emulator.service_errors import (
    ServiceError,
    invalid_request,
    missing_parameter,
    unknown_parameter,
)
from azure_responses.emulator.validation.create_body import CACHING, TIER
from azure_responses.emulator.validation.json_schemas import check_function_schema
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    Choice,
    Either,
    Fields,
    Integer,
    Listing,
    Number,
    Pairs,
    Shape,
    Tagged,
    Text,
    optional,
)

__all__ = ["check_chat"]

_OBJECT = Fields(is_open=True)
_OBJECTS = Listing(_OBJECT)
_TYPE: dict[str, Shape] = {"type": ANYTHING}
_IMAGE_URL = Fields({"url": Text()}, ("url",), is_open=True)
# llama-index and others send a text back with the annotations that it had, and the Agents SDK for
# JavaScript with the other fields of its message.
_PART_FIELDS = _TYPE | optional(
    prompt_cache_breakpoint=_OBJECT, annotations=_OBJECTS, refusal=Text(), role=Text()
)
_PART = Tagged(
    {
        "text": Fields(_PART_FIELDS | {"text": Text()}, ("text",)),
        "image_url": Fields(_PART_FIELDS | {"image_url": _IMAGE_URL}, ("image_url",)),
        "input_audio": Fields(_PART_FIELDS | {"input_audio": _OBJECT}, ("input_audio",)),
        "file": Fields(_PART_FIELDS | {"file": _OBJECT}, ("file",)),
        "refusal": Fields(_PART_FIELDS | {"refusal": Text()}, ("refusal",)),
    }
)
_CONTENT = Either("one of a string or array of objects", text=Text(), listing=Listing(_PART))
_FUNCTION = Fields(
    {"name": Text(shortest=1, longest=64)}
    | optional(description=Text(), parameters=_OBJECT, strict=FLAG),
    ("name",),
)
_TOOL = Tagged(
    {
        "function": Fields(_TYPE | {"function": _FUNCTION}, ("function",)),
        "custom": Fields(_TYPE | {"custom": _OBJECT}, ("custom",)),
    }
)
_CALLED = Fields(optional(name=Text(), arguments=Text(), input=Text()), is_open=True)
_CALL = Fields(
    {"id": Text()} | optional(type=Choice("function", "custom"), function=_CALLED, custom=_CALLED),
    ("id",),
    is_open=True,
)
_SPOKEN: dict[str, Shape] = {
    "role": Choice("system", "assistant", "user", "function", "tool", "developer"),
    "content": _CONTENT,
}
_MESSAGE = Fields(
    _SPOKEN
    | optional(
        name=Text(),
        tool_calls=Listing(_CALL),
        tool_call_id=Text(),
        function_call=_OBJECT,
        refusal=Text(),
        audio=_OBJECT,
        annotations=_OBJECTS,
        reasoning_content=Text(),
    ),
    ("role",),
)
_STOP = Either("a string or array", text=Text(), listing=Listing(Text(), longest=4))


class _ToolChoice:
    expected = "one of 'none', 'auto', 'required', or an object"

    def check(self, value: Any, path: str) -> None:
        if isinstance(value, str):
            Choice("none", "auto", "required").check(value, path)
        else:
            Fields({"type": Text()}, ("type",), is_open=True).check(value, path)


_PARAMETERS: dict[str, Shape] = {
    "model": Text(),
    "messages": Listing(_MESSAGE),
    **optional(
        audio=_OBJECT,
        data_sources=_OBJECTS,
        frequency_penalty=Number(-2, 2),
        function_call=ANYTHING,
        functions=_OBJECTS,
        logit_bias=_OBJECT,
        logprobs=FLAG,
        max_completion_tokens=Integer(1),
        max_tokens=Integer(1),
        metadata=Pairs(16, 64, 512),
        modalities=Listing(Text()),
        n=Integer(1, 128),
        parallel_tool_calls=FLAG,
        prediction=_OBJECT,
        presence_penalty=Number(-2, 2),
        moderation=_OBJECT,
        **CACHING,
        reasoning_effort=Choice("none", "minimal", "low", "medium", "high", "xhigh", "max"),
        response_format=Fields({"type": Text()}, ("type",), is_open=True),
        safety_identifier=Text(longest=64),
        seed=Integer(),
        service_tier=TIER,
        stop=_STOP,
        store=FLAG,
        stream=FLAG,
        stream_options=Fields(optional(include_usage=FLAG, include_obfuscation=FLAG)),
        temperature=Number(0, 2),
        tool_choice=_ToolChoice(),
        tools=Listing(_TOOL, longest=128),
        top_logprobs=Integer(0, 20),
        top_p=Number(0, 1),
        user=Text(),
        user_security_context=_OBJECT,
        verbosity=Choice("low", "medium", "high"),
        web_search_options=_OBJECT,
    ),
}
_SAMPLING = {
    "temperature": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
}


def check_chat(body: dict[str, Any], model: EmulatedModel) -> None:
    """Refuses a chat completions body."""
    for name, value in body.items():
        shape = _PARAMETERS.get(name)
        if shape is None:
            raise _refuse_unknown(name)
        if value is not None:
            shape.check(value, name)
    if body.get("messages") is None:
        raise missing_parameter("messages")
    if not body["messages"]:
        raise invalid_request("[] is too short - 'messages'", "messages")
    _check_order(body["messages"])
    if model.reasoning and not model.samples(body.get("reasoning_effort") or model.default_effort):
        _check_reasoning(body)
    _check_tools(body)


def _refuse_unknown(name: str) -> ServiceError:
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
            check_function_schema(tool["function"], f"tools[{index}].function", "parameters")
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
