"""The turns of the scripted resource: what it checks, and what it answers.

Written after the published protocol, without the package or its emulator.
"""

import re
from collections.abc import Iterator
from typing import Any

__all__ = [
    "JSON",
    "RefusedTurn",
    "Turn",
    "check_items",
    "error_event",
    "events_of",
    "items_of",
    "script_of",
]

JSON = dict[str, Any]


class RefusedTurn(Exception):
    """The turn is answered with an error."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = {
            "type": "invalid_request_error",
            "code": code,
            "message": message,
            "param": param,
        }


class Turn:
    """A request and the response that is made of it."""

    def __init__(self, body: JSON, script: str, response_id: str) -> None:
        self.body = body
        self.script = script
        self.id = response_id
        self.items: list[JSON] = []
        words = script.split()
        self.kind = words[0] if words and words[0] in ("call", "reasoning") else "text"
        self.is_warm_up = body.get("generate") is False
        found = re.search(r"deltas=(\d+)", script)
        self.deltas = int(found[1]) if found else 8
        self.output = [] if self.is_warm_up else self._make_output()

    def _make_output(self) -> list[JSON]:
        tail = self.id[-32:]
        output: list[JSON] = []
        if self.kind != "text":
            secret = f"cipher-{tail}" if self._wants_cipher() else None
            thought = {"id": f"rs_{tail}", "type": "reasoning", "summary": []}
            output.append({**thought, **({"encrypted_content": secret} if secret else {})})
        if self.kind == "call":
            call = {"id": f"fc_{tail}", "type": "function_call", "call_id": f"call_{tail[-24:]}"}
            output.append({**call, "name": "look_up", "arguments": '{"place":"Oslo"}'})
        else:
            text = "".join(f" word{number}" for number in range(self.deltas))
            part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
            message = {"id": f"msg_{tail}", "type": "message", "role": "assistant"}
            output.append({**message, "content": [part]})
        return [{**item, "status": "completed"} for item in output]

    def _wants_cipher(self) -> bool:
        return "reasoning.encrypted_content" in (self.body.get("include") or [])

    def response(self, status: str) -> JSON:
        """The response, with its output once it is completed."""
        is_done = status == "completed"
        sent, made = 10 * len(self.items), 0 if self.is_warm_up else 1 + self.deltas
        usage = {
            "input_tokens": sent,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": sent + made,
        }
        return {
            "id": self.id,
            "object": "response",
            "created_at": 1790000000,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "instructions": self.body.get("instructions"),
            "metadata": self.body.get("metadata") or {},
            "model": self.body.get("model"),
            "output": self.output if is_done else [],
            "parallel_tool_calls": True,
            "previous_response_id": self.body.get("previous_response_id"),
            "store": self.body.get("store", True),
            "tool_choice": "auto",
            "tools": self.body.get("tools") or [],
            "usage": usage if is_done else None,
        }


def events_of(turn: Turn) -> Iterator[JSON]:
    """All events of a turn, numbered."""
    for number, event in enumerate(_unnumbered(turn)):
        yield {"type": event.pop("type"), "sequence_number": number, **event}


def _unnumbered(turn: Turn) -> Iterator[JSON]:
    yield {"type": "response.created", "response": turn.response("in_progress")}
    if not turn.is_warm_up:
        yield {"type": "response.in_progress", "response": turn.response("in_progress")}
    for index, item in enumerate(turn.output):
        place = {"output_index": index}
        begun = {**item, "status": "in_progress"}
        begun |= {"content": []} if "content" in item else {}
        begun |= {"arguments": ""} if "arguments" in item else {}
        yield {"type": "response.output_item.added", **place, "item": begun}
        yield from _inside(item, {**place, "item_id": item["id"]}, turn.deltas)
        yield {"type": "response.output_item.done", **place, "item": item}
    yield {"type": "response.completed", "response": turn.response("completed")}


def _inside(item: JSON, place: JSON, deltas: int) -> Iterator[JSON]:
    if item["type"] == "function_call":
        kind, whole = "response.function_call_arguments", item["arguments"]
        yield {"type": f"{kind}.delta", **place, "delta": whole[:5]}
        yield {"type": f"{kind}.delta", **place, "delta": whole[5:]}
        yield {"type": f"{kind}.done", **place, "arguments": whole, "name": item["name"]}
    elif item["type"] == "message":
        part, place = item["content"][0], {**place, "content_index": 0}
        empty = {**part, "text": ""}
        yield {"type": "response.content_part.added", **place, "part": empty}
        for number in range(deltas):
            delta = {"delta": f" word{number}", "logprobs": []}
            yield {"type": "response.output_text.delta", **place, **delta}
        kind = "response.output_text.done"
        yield {"type": kind, **place, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **place, "part": part}


def items_of(given: Any) -> list[JSON]:
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return list(given or [])


def script_of(items: list[JSON]) -> str:
    for item in reversed(items):
        said = item.get("output", item.get("content"))
        if isinstance(said, list):
            said = " ".join(part.get("text", "") for part in said)
        if item.get("type") == "function_call_output" or item.get("role") == "user":
            return str(said)
    return "text"


def check_items(items: list[JSON]) -> None:
    """Refuse results without calls, and calls without reasoning, as the service does."""
    calls: set[str] = set()
    thoughts: set[str] = set()
    for item in items:
        kind = item.get("type", "message")
        if kind == "reasoning":
            thoughts.add(item["id"][-32:])
        if kind == "function_call":
            calls.add(item["call_id"])
            if item["id"][-32:] not in thoughts:
                message = f"Item '{item['id']}' was provided without its reasoning item."
                raise RefusedTurn(400, "invalid_value", message, "input")
        if kind == "function_call_output" and item["call_id"] not in calls:
            message = f"No tool call found for function call output {item['call_id']}."
            raise RefusedTurn(400, "invalid_value", message, "input")


def error_event(number: int, *, is_frame: bool) -> JSON:
    """The event of a failure, in the shape of its transport."""
    error = {"code": "server_error", "message": "The server had an error.", "param": None}
    if is_frame:
        return {"type": "error", "status": 500, "error": {"type": "server_error", **error}}
    return {"type": "error", "sequence_number": number, **error}
