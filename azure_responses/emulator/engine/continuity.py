"""Checks of a turn that need more than its body: outputs have calls, calls have outputs."""

import copy
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from azure_responses.emulator.engine.attachments import check_attachments
from azure_responses.emulator.engine.filters import PROMPT_BLOCKED
from azure_responses.emulator.engine.inputs import refuse_input
from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.refusal import Refusal

__all__ = ["check_turn"]

_IMAGE_HEADER = "x-ms-oai-image-generation-deployment"
# Kinds of outputs by the kind of their call, and what the service calls each in its messages.
_PAIRS = {
    "function_call": ("function_call_output", "function call"),
    "custom_tool_call": ("custom_tool_call_output", "custom tool call"),
    "computer_call": ("computer_call_output", "computer call"),
    "shell_call": ("shell_call_output", "shell call"),
    "local_shell_call": ("local_shell_call_output", "local shell call"),
    "apply_patch_call": ("apply_patch_call_output", "apply patch call"),
}
_CALLS = {output: (call, words) for call, (output, words) in _PAIRS.items()}
_AFTER_REASONING = (*_PAIRS, "message", "reasoning", "web_search_call", "file_search_call",
                    "code_interpreter_call", "image_generation_call", "mcp_call",
                    "mcp_list_tools", "mcp_approval_request", "item_reference",
                    "tool_search_call", "compaction", "program")  # fmt: skip


def check_turn(turn: Turn, transcript: Transcript) -> None:
    """Raises Refusal where the service answers 400 instead of a response."""
    if find_trigger(transcript.prompt, "block-prompt") is not None:
        raise Refusal(400, copy.deepcopy(PROMPT_BLOCKED))
    tools = turn.request.get("tools") or ()
    if any(tool["type"] == "image_generation" for tool in tools):
        _check_image_header(turn)
    if transcript.attachments:
        check_attachments(transcript.attachments, turn.find_file)
    if len(transcript.items) > 1 or (transcript.items and "type" in transcript.items[0]):
        _check_pairs(transcript.items)
    given = turn.request.get("input")
    if isinstance(given, list):
        _check_reasoning(given)


def _check_image_header(turn: Turn) -> None:
    if turn.headers.get(_IMAGE_HEADER):
        return
    error = {
        "message": f"imagegen deployment must be provided through header: {_IMAGE_HEADER}",
        "type": "image_generation_user_error",
        "param": "tools",
        "code": "invalid_request_error",
    }
    raise Refusal(400, {"error": error})


def _check_pairs(items: list[Mapping[str, Any]]) -> None:
    open_calls: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for item in items:
        kind = item.get("type", "message")
        call_id = str(item.get("call_id"))
        if kind in _PAIRS:
            open_calls[call_id] = _PAIRS[kind][1]
            seen.add((kind, call_id))
        elif kind in _CALLS and item.get("call_id"):
            call, words = _CALLS[kind]
            if (call, call_id) not in seen:
                message = f"No tool call found for {words} output with call_id {call_id}."
                raise refuse_input(message)
            open_calls.pop(call_id, None)
    for call_id, words in open_calls.items():
        raise refuse_input(f"No tool output found for {words} {call_id}.")


def _check_reasoning(items: list[Mapping[str, Any]]) -> None:
    for item, following in zip_longest(items, items[1:]):
        if item.get("type") != "reasoning" or item.get("encrypted_content"):
            continue
        kind = (following or {}).get("type", "message")
        is_users = kind == "message" and (following or {}).get("role") != "assistant"
        if following is None or is_users or kind not in _AFTER_REASONING:
            message = (
                f"Item '{item.get('id')}' of type 'reasoning' was provided without its required "
                "following item."
            )
            raise refuse_input(message)
