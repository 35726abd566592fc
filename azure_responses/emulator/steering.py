"""Steering: what input is taken for a response that is being made, and how that response ends.

After OpenAI's event reference. The emulator ends a steered response at the end of an output item;
where that item is the last one, or the response calls a tool of the caller, it completes.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from azure_responses.emulator.connection_memory import ReceivedSteer
from azure_responses.emulator.response_store import EmulatedResponse
from azure_responses.emulator.tokens import count_items

__all__ = [
    "MESSAGES", "describe_failure", "find_mistake", "find_required_input", "shorten_response",
]  # fmt: skip

_Event = dict[str, Any]
_KEYS = {"type", "previous_response_id", "input"}
_PARTS = ("input_text", "input_image", "input_file")
MESSAGES = {
    "response_not_found": "The response was not found on this connection.",
    "steering_not_supported": "Steering is not supported for this model or this response.",
    "too_many_pending_steers": "Too many steering inputs are pending for this response.",
    "response_already_completed": "The response has already completed.",
    "response_not_active": "The response no longer accepts steering input.",
    "successor_creation_failed": "The successor response could not be created.",
}
"""By the code of a failure, its text; the texts of OpenAI are not known."""


def find_mistake(frame: _Event) -> str | None:
    """What is invalid in a `response.steer`; None where nothing is."""
    unknown = sorted(frame.keys() - _KEYS)
    if unknown:
        return f"Unknown parameter: '{unknown[0]}'."
    if not isinstance(frame.get("previous_response_id"), str):
        return "Invalid type for 'previous_response_id': expected a string."
    given = frame.get("input")
    if isinstance(given, str):
        return None
    if not isinstance(given, list) or not given:
        return "Invalid 'input': expected a string or a non-empty array of messages."
    is_valid = all(_is_message(item) for item in given)
    return None if is_valid else "Invalid 'input': only messages of the role 'user' can steer."


def _is_message(item: Any) -> bool:
    if not isinstance(item, dict) or item.keys() - {"type", "role", "content"}:
        return False
    if item.get("role") != "user" or item.get("type", "message") != "message":
        return False
    content = item.get("content")
    if isinstance(content, list):
        return all(isinstance(part, dict) and part.get("type") in _PARTS for part in content)
    return isinstance(content, str)


def describe_failure(
    code: str,
    frame: _Event,
    number: int,
    message: str | None = None,
    steer: ReceivedSteer | None = None,
) -> _Event:
    """`response.steer.failed`; the input comes back with it."""
    described = {
        "previous_response_id": frame.get("previous_response_id"),
        "input": frame.get("input"),
    }
    if steer is not None:
        described = {"id": steer.id, **described}
    error = {
        "type": "invalid_request_error",
        "code": code,
        "message": message or MESSAGES[code],
    }
    return {
        "type": "response.steer.failed",
        "sequence_number": number,
        "error": error,
        "steer": described,
    }


# What a call of the caller's tool waits for, and what of the call its stub repeats.
_REQUIRED: dict[str, tuple[str, tuple[str, ...]]] = {
    "function_call": ("function_call_output", ("call_id", "name")),
    "custom_tool_call": ("custom_tool_call_output", ("call_id",)),
    "computer_call": ("computer_call_output", ("call_id",)),
    "shell_call": ("shell_call_output", ("call_id",)),
    "apply_patch_call": ("apply_patch_call_output", ("call_id",)),
    "tool_search_call": ("tool_search_output", ("call_id", "execution")),
    "mcp_approval_request": ("mcp_approval_response", ()),
}


def find_required_input(items: Sequence[_Event]) -> list[_Event]:
    """The stubs of what the caller owes after these output items."""
    answered = {item.get("call_id") for item in items if str(item["type"]).endswith("_output")}
    return [
        _write_stub(item)
        for item in items
        if item["type"] in _REQUIRED
        and (item.get("call_id") is None or item["call_id"] not in answered)
        and item.get("execution") != "server"
    ]


def _write_stub(item: _Event) -> _Event:
    kind, names = _REQUIRED[item["type"]]
    stub = {"type": kind, **{name: item[name] for name in names}}
    if kind == "mcp_approval_response":
        stub["approval_request_id"] = item["id"]
    return stub


def shorten_response(record: EmulatedResponse, sent: int) -> None:
    """End a response after the output item at work; `sent` of its events are out already.

    It stays as it is where that is its last item, or where it calls a tool of the caller.
    """
    if find_required_input(record.output_items):
        return
    end = _find_boundary(record.events, sent)
    done = sum(_is_done(event) for event in record.events[: end + 1])
    if end < 0 or done >= len(record.output_items):
        return
    record.output_items = record.output_items[:done]
    record.response = _shorten(record.response, done)
    last = {
        "type": "response.incomplete",
        "response": record.response,
        "sequence_number": end + 1,
    }
    record.events[end + 1 :] = [last]
    if record.due is not None:
        record.finished_at = record.due[end]
        record.due[end + 1 :] = [record.due[end]]


def _find_boundary(events: Sequence[_Event], sent: int) -> int:
    indexes: Iterable[int] = range(sent, len(events))
    return next((index for index in indexes if _is_done(events[index])), -1)


def _is_done(event: _Event) -> bool:
    return bool(event["type"] == "response.output_item.done")


def _shorten(response: _Event, done: int) -> _Event:
    output, usage = response["output"][:done], response["usage"]
    # The tokens of one item are not noted: an estimate, never above those of the whole.
    written = min(usage["output_tokens"], count_items(output))
    reasoning = min(written, usage["output_tokens_details"]["reasoning_tokens"])
    return {
        **response,
        "status": "incomplete",
        "incomplete_details": {"reason": "steered"},
        "completed_at": None,
        "output": output,
        "usage": {
            **usage,
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": usage["input_tokens"] + written,
        },
    }
