"""Input items: the kinds a create call takes, and what each must carry."""

from typing import Any

from azure_responses.emulator.service_errors import invalid_value, unknown_parameter
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    Choice,
    Either,
    Fields,
    Listing,
    Shape,
    Tagged,
    Text,
    optional,
)

__all__ = ["INPUT", "refuse_status"]

_OBJECT = Fields(is_open=True)
_OBJECTS = Listing(_OBJECT)
_TYPE: dict[str, Shape] = {"type": ANYTHING}
_BREAKPOINT = optional(prompt_cache_breakpoint=_OBJECT)
_DETAIL = Choice("low", "high", "auto", "original")

_PARTS: dict[str, Shape] = {
    "input_text": Fields(_TYPE | {"text": Text()} | _BREAKPOINT, ("text",)),
    "input_image": Fields(
        _TYPE | optional(image_url=Text(), file_id=Text(), detail=_DETAIL) | _BREAKPOINT
    ),
    "input_file": Fields(
        _TYPE
        | optional(
            file_id=Text(),
            filename=Text(),
            file_data=Text(),
            file_url=Text(),
            detail=Choice("auto", "low", "high"),
        )
        | _BREAKPOINT
    ),
    "input_audio": Fields(
        _TYPE
        | {
            "input_audio": Fields(
                {"data": Text(), "format": Choice("mp3", "wav")}, ("data", "format")
            )
        },
        ("input_audio",),
    ),
    "output_text": Fields(
        _TYPE
        | {"text": Text()}
        | optional(annotations=_OBJECTS, logprobs=_OBJECTS, parsed=ANYTHING),
        ("text",),
    ),
    "refusal": Fields(_TYPE | {"refusal": Text()}, ("refusal",)),
    "computer_screenshot": Fields(
        _TYPE | optional(image_url=Text(), file_id=Text(), detail=_DETAIL)
    ),
    "summary_text": Fields(_TYPE | {"text": Text()}, ("text",)),
}
_STRING_OR_PARTS = "one of a string or array of objects"
_ASSISTANT_PARTS = ("output_text", "refusal")
_USER_PARTS = tuple(name for name in _PARTS if name not in ("output_text",))


_STATUS = optional(status=Choice("in_progress", "completed", "incomplete"))
# Which agent of several an item is of.
_AGENT = optional(agent=_OBJECT)
# Which caller made an item; null in a dump of one that the service returned.
_MAKER = optional(created_by=Text())


class _Message:
    """A message: which parts it may hold depends on its role."""

    expected = "an object"

    def __init__(self) -> None:
        parts = Listing(Tagged(_PARTS, is_tag_in_path=False))
        self._record = Fields(
            _TYPE
            | {
                "role": Choice("assistant", "system", "developer", "user"),
                "content": Either(_STRING_OR_PARTS, text=Text(), listing=parts),
            }
            | optional(id=Text(begins="msg"), phase=Choice("commentary", "final_answer"))
            | _STATUS
            | _AGENT,
            ("role", "content"),
        )

    def check(self, value: Any, path: str) -> None:
        self._record.check(value, path)
        if isinstance(value["content"], str):
            return
        allowed = _ASSISTANT_PARTS if value["role"] == "assistant" else _USER_PARTS
        for index, part in enumerate(value["content"]):
            if part["type"] not in allowed:
                raise invalid_value(f"{path}.content[{index}]", part["type"], allowed)


_ANY_STATUS: dict[str, Shape] = {"status": Text()}
_CALL_ID: dict[str, Shape] = {"call_id": Text(longest=64, shortest=1)}
_EXECUTION = optional(execution=Choice("server", "client"), call_id=Text(longest=64))
_OUTPUT_PARTS = Listing(
    Tagged({name: _PARTS[name] for name in ("input_text", "input_image", "input_file")})
)
_TOOL_OUTPUT = Either(_STRING_OR_PARTS, text=Text(), listing=_OUTPUT_PARTS)
_CALLER = optional(caller=_OBJECT)


def _item(required: dict[str, Shape], *others: dict[str, Shape], begins: str = "") -> Fields:
    """A record that must have `required` and may have an id and `others`."""
    fields = {**_TYPE, **_AGENT, **_MAKER, "id": Text(begins=begins), **required}
    for other in others:
        fields |= other
    return Fields(fields, required)


_SUMMARY = Listing(
    Fields({"type": Choice("summary_text"), "text": Text()}, ("type", "text"))
)  # fmt: skip

_ITEMS: dict[str, Shape] = {
    "message": _Message(),
    # `status` is missing on purpose: Azure refuses it on reasoning (litellm #13484).
    "reasoning": _item(
        {"summary": _SUMMARY},
        optional(encrypted_content=Text(), content=_OBJECTS),
        begins="rs",
    ),
    "function_call": _item(
        {"call_id": Text(longest=64, shortest=1), "name": Text(shortest=1), "arguments": Text()},
        _STATUS,
        _CALLER,
        optional(namespace=Text(), **{"async": FLAG}),
        begins="fc",
    ),
    "function_call_output": _item(
        {"output": _TOOL_OUTPUT},
        _CALL_ID,
        _STATUS,
        _CALLER,
        optional(name=Text(), namespace=Text()),
    ),
    "custom_tool_call": _item(
        {**_CALL_ID, "name": Text(), "input": Text()},
        _STATUS,
        _CALLER,
        optional(namespace=Text(), **{"async": FLAG}),
        begins="ct",
    ),
    "custom_tool_call_output": _item({**_CALL_ID, "output": _TOOL_OUTPUT}, _STATUS, _CALLER),
    "item_reference": Fields(_TYPE | _AGENT | {"id": Text(shortest=1)}, ("id",)),
    "file_search_call": _item(
        {"queries": Listing(Text())}, _ANY_STATUS, optional(results=_OBJECTS)
    ),
    "web_search_call": _item({}, _ANY_STATUS, optional(action=_OBJECT)),
    "image_generation_call": _item(
        {},
        _ANY_STATUS,
        {"result": Text()},
        optional(
            background=Text(),
            output_format=Text(),
            quality=Text(),
            revised_prompt=Text(),
            size=Text(),
            action=Text(),
            error=_OBJECT,
            svg_usage=_OBJECT,
        ),
    ),
    "code_interpreter_call": _item(
        {"container_id": Text()},
        _ANY_STATUS,
        {"code": Text(), "outputs": _OBJECTS},
    ),
    "computer_call": _item(
        _CALL_ID,
        _STATUS,
        optional(action=_OBJECT, actions=_OBJECTS, pending_safety_checks=_OBJECTS),
    ),
    "computer_call_output": _item(
        {**_CALL_ID, "output": Tagged({"computer_screenshot": _PARTS["computer_screenshot"]})},
        _STATUS,
        optional(acknowledged_safety_checks=_OBJECTS),
    ),
    "local_shell_call": _item({**_CALL_ID, "action": _OBJECT}, _STATUS),
    "local_shell_call_output": _item({"output": Text()}, _STATUS, optional(call_id=Text())),
    "shell_call": _item(
        {**_CALL_ID, "action": _OBJECT}, _STATUS, _CALLER, optional(environment=_OBJECT)
    ),
    "shell_call_output": _item(
        {**_CALL_ID, "output": _OBJECTS}, _STATUS, _CALLER, {"max_output_length": ANYTHING}
    ),
    "apply_patch_call": _item({**_CALL_ID, "operation": _OBJECT}, _STATUS, _CALLER),
    "apply_patch_call_output": _item(
        {**_CALL_ID, "status": Choice("completed", "failed")}, _CALLER, optional(output=Text())
    ),
    "mcp_list_tools": _item({"server_label": Text(), "tools": _OBJECTS}, optional(error=Text())),
    "mcp_approval_request": _item({"server_label": Text(), "name": Text(), "arguments": Text()}),
    "mcp_approval_response": _item(
        {"approval_request_id": Text(), "approve": FLAG},
        optional(reason=Text(), request_id=Text()),
    ),
    "mcp_call": _item(
        {"server_label": Text(), "name": Text(), "arguments": Text()},
        _ANY_STATUS,
        {"error": ANYTHING},
        optional(output=Text(), approval_request_id=Text()),
    ),
    "compaction": _item({"encrypted_content": Text()}),
    "compaction_trigger": _item({}),
    "configuration_update": Fields(_TYPE, is_open=True),
    "tool_search_call": _item({"arguments": ANYTHING}, _STATUS, _EXECUTION),
    "tool_search_output": _item({"tools": _OBJECTS}, _STATUS, _EXECUTION),
    "additional_tools": _item({"role": Choice("developer"), "tools": _OBJECTS}),
    "program": _item({**_CALL_ID, "code": Text(), "fingerprint": Text()}),
    "program_output": _item({**_CALL_ID, "result": Text()}, _STATUS),
    "agent_message": _item({"author": Text(), "recipient": Text(), "content": _OBJECTS}),
    "multi_agent_call": _item({**_CALL_ID, "action": Text(), "arguments": Text()}),
    "multi_agent_call_output": _item({**_CALL_ID, "action": Text(), "output": _OBJECTS}),
}


def _guess(item: dict[str, Any]) -> str | None:
    # An easy message leaves the type out; so may a reference, which is an id and nothing else.
    return "message" if "role" in item or "id" not in item else "item_reference"


INPUT = Either(
    _STRING_OR_PARTS,
    text=Text(),
    listing=Listing(Tagged(_ITEMS, read=_guess, is_tag_in_path=False)),
)


def refuse_status(items: Any) -> None:
    """Refuses `status` on messages, where Azure is assumed to do so."""
    for index, item in enumerate(items if isinstance(items, list) else ()):
        if item.get("type", "message") == "message" and item.get("status") is not None:
            raise unknown_parameter(f"input[{index}].status")
