"""Input items: the kinds a create call takes, and what each must carry."""

from typing import Any

from azure_responses.emulator.service_errors import invalid_value, unknown_parameter
from azure_responses.emulator.validation.shapes import (
    ANYTHING,
    FLAG,
    OBJECT,
    OBJECTS,
    Choice,
    Either,
    Fields,
    Listing,
    OpenFields,
    Shape,
    Tagged,
    Text,
)  # fmt: skip

__all__ = ["INPUT", "refuse_status"]

_DETAIL = Choice("low", "high", "auto", "original")
_BREAKPOINT: dict[str, Shape] = {"prompt_cache_breakpoint": OBJECT}
_SCREENSHOT = Fields(image_url=Text(), file_id=Text(), detail=_DETAIL)
_PARTS: dict[str, Shape] = {
    "input_text": Fields({"text": Text()}, **_BREAKPOINT),
    "input_image": Fields(image_url=Text(), file_id=Text(), detail=_DETAIL, **_BREAKPOINT),
    "input_file": Fields(
        file_id=Text(),
        filename=Text(),
        file_data=Text(),
        file_url=Text(),
        detail=Choice("auto", "low", "high"),
        **_BREAKPOINT,
    ),
    "input_audio": Fields(
        {"input_audio": Fields({"data": Text(), "format": Choice("mp3", "wav")})}
    ),
    # `parsed` is what the openai package adds to a structured output.
    "output_text": Fields({"text": Text()}, annotations=OBJECTS, logprobs=OBJECTS, parsed=ANYTHING),
    "refusal": Fields({"refusal": Text()}),
    "computer_screenshot": _SCREENSHOT,
    "summary_text": Fields({"text": Text()}),
}
_STRING_OR_PARTS = "one of a string or array of objects"
_ASSISTANT_PARTS = ("output_text", "refusal")
_USER_PARTS = tuple(name for name in _PARTS if name not in ("output_text",))

# Groups of keys that several kinds of items may have.
_STATUS: dict[str, Shape] = {"status": Choice("in_progress", "completed", "incomplete")}
_ANY_STATUS: dict[str, Shape] = {"status": Text()}
# Which agent of several an item is of.
_AGENT: dict[str, Shape] = {"agent": OBJECT}
_CALLER: dict[str, Shape] = {"caller": OBJECT}
_CALL_ID: dict[str, Shape] = {"call_id": Text(longest=64, shortest=1)}
_FUNCTION: dict[str, Shape] = {**_STATUS, **_CALLER, "namespace": Text(), "async": FLAG}
_EXECUTION: dict[str, Shape] = {
    "execution": Choice("server", "client"),
    "call_id": Text(longest=64),
    **_STATUS,
}
_OUTPUT_PARTS = Tagged({name: _PARTS[name] for name in ("input_text", "input_image", "input_file")})
_TOOL_OUTPUT = Either(_STRING_OR_PARTS, text=Text(), listing=Listing(_OUTPUT_PARTS))
_SUMMARY = Listing(Fields({"type": Choice("summary_text"), "text": Text()}))


class _Message(Fields):
    """A message: which parts it may hold depends on its role."""

    def __init__(self) -> None:
        parts = Listing(Tagged(_PARTS, is_tag_in_path=False))
        super().__init__(
            {
                "role": Choice("assistant", "system", "developer", "user"),
                "content": Either(_STRING_OR_PARTS, text=Text(), listing=parts),
            },
            id=Text(begins="msg"),
            phase=Choice("commentary", "final_answer"),
            **_STATUS,
            **_AGENT,
        )

    def _inspect(self, value: dict[str, Any], path: str) -> None:
        super()._inspect(value, path)
        if isinstance(value["content"], str):
            return
        allowed = _ASSISTANT_PARTS if value["role"] == "assistant" else _USER_PARTS
        for index, part in enumerate(value["content"]):
            if part["type"] not in allowed:
                raise invalid_value(f"{path}.content[{index}]", part["type"], allowed)


def _item(required: dict[str, Shape], begins: str = "", /, **optional: Shape) -> Fields:
    # `created_by` is null in a dump of an item that the service returned.
    return Fields(required, id=Text(begins=begins), **{"created_by": Text(), **_AGENT, **optional})


_ITEMS: dict[str, Shape] = {
    "message": _Message(),
    # `status` is missing on purpose: Azure refuses it on reasoning (litellm #13484).
    "reasoning": _item({"summary": _SUMMARY}, "rs", encrypted_content=Text(), content=OBJECTS),
    "function_call": _item(
        {**_CALL_ID, "name": Text(shortest=1), "arguments": Text()}, "fc", **_FUNCTION
    ),
    "function_call_output": _item(
        {"output": _TOOL_OUTPUT}, name=Text(), namespace=Text(), **_CALL_ID, **_STATUS, **_CALLER
    ),
    "custom_tool_call": _item({**_CALL_ID, "name": Text(), "input": Text()}, "ct", **_FUNCTION),
    "custom_tool_call_output": _item({**_CALL_ID, "output": _TOOL_OUTPUT}, **_STATUS, **_CALLER),
    "item_reference": Fields({"id": Text(shortest=1)}, **_AGENT),
    "file_search_call": _item({"queries": Listing(Text())}, results=OBJECTS, **_ANY_STATUS),
    "web_search_call": _item({}, action=OBJECT, **_ANY_STATUS),
    "image_generation_call": _item(
        {},
        result=Text(),
        background=Text(),
        output_format=Text(),
        quality=Text(),
        revised_prompt=Text(),
        size=Text(),
        action=Text(),
        error=OBJECT,
        svg_usage=OBJECT,
        **_ANY_STATUS,
    ),
    "code_interpreter_call": _item(
        {"container_id": Text()}, code=Text(), outputs=OBJECTS, **_ANY_STATUS
    ),
    "computer_call": _item(
        _CALL_ID, action=OBJECT, actions=OBJECTS, pending_safety_checks=OBJECTS, **_STATUS
    ),
    "computer_call_output": _item(
        {**_CALL_ID, "output": Tagged({"computer_screenshot": _SCREENSHOT})},
        acknowledged_safety_checks=OBJECTS,
        **_STATUS,
    ),
    "local_shell_call": _item({**_CALL_ID, "action": OBJECT}, **_STATUS),
    "local_shell_call_output": _item({"output": Text()}, call_id=Text(), **_STATUS),
    "shell_call": _item({**_CALL_ID, "action": OBJECT}, environment=OBJECT, **_STATUS, **_CALLER),
    "shell_call_output": _item(
        {**_CALL_ID, "output": OBJECTS}, max_output_length=ANYTHING, **_STATUS, **_CALLER
    ),
    "apply_patch_call": _item({**_CALL_ID, "operation": OBJECT}, **_STATUS, **_CALLER),
    "apply_patch_call_output": _item(
        {**_CALL_ID, "status": Choice("completed", "failed")}, output=Text(), **_CALLER
    ),
    "mcp_list_tools": _item({"server_label": Text(), "tools": OBJECTS}, error=Text()),
    "mcp_approval_request": _item({"server_label": Text(), "name": Text(), "arguments": Text()}),
    "mcp_approval_response": _item(
        {"approval_request_id": Text(), "approve": FLAG}, reason=Text(), request_id=Text()
    ),
    # Of a Foundry agent, whose caller sends it back like any other item.
    "oauth_consent_request": _item(
        {"consent_link": Text()}, server_label=Text(), created_by=OBJECT
    ),
    "mcp_call": _item(
        {"server_label": Text(), "name": Text(), "arguments": Text()},
        error=ANYTHING,
        output=Text(),
        approval_request_id=Text(),
        **_ANY_STATUS,
    ),
    "compaction": _item({"encrypted_content": Text()}),
    "compaction_trigger": _item({}),
    "configuration_update": OpenFields(),
    "tool_search_call": _item({"arguments": ANYTHING}, **_EXECUTION),
    "tool_search_output": _item({"tools": OBJECTS}, **_EXECUTION),
    "additional_tools": _item({"role": Choice("developer"), "tools": OBJECTS}),
    "program": _item({**_CALL_ID, "code": Text(), "fingerprint": Text()}),
    "program_output": _item({**_CALL_ID, "result": Text()}, **_STATUS),
    "agent_message": _item({"author": Text(), "recipient": Text(), "content": OBJECTS}),
    "multi_agent_call": _item({**_CALL_ID, "action": Text(), "arguments": Text()}),
    "multi_agent_call_output": _item({**_CALL_ID, "action": Text(), "output": OBJECTS}),
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
