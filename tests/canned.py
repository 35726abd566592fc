"""A service that answers every call with the same response, whole or as its stream of events."""

import json
from typing import Any

import httpx

__all__ = ["Canned", "message", "response", "stream_of"]


class Canned:
    """Stands where an emulator does, for answers that no emulator gives.

    Attributes:
        body: the response.
        events: of its stream; None makes the usual ones.
        sent: the body of every request.
    """

    endpoint = "https://east.openai.azure.com"
    api_key = "a-key-that-opens-nothing"

    def __init__(self, body: dict[str, Any]) -> None:
        self.sent: list[Any] = []
        self.body = body
        self.events: list[dict[str, Any]] | None = None

    def httpx_transport(self) -> Any:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content)
        self.sent.append(asked)
        if not asked.get("stream"):
            return httpx.Response(200, json=self.body, headers={"apim-request-id": "apim-1"})
        events = stream_of(self.body) if self.events is None else self.events
        frames = [f"event: {_name(e)}\ndata: {json.dumps(e)}\n\n" for e in events]
        headers = {"content-type": "text/event-stream", "apim-request-id": "apim-1"}
        return httpx.Response(200, text="".join(frames), headers=headers)


def _name(event: dict[str, Any]) -> str:
    kind = event.get("type")
    return kind if isinstance(kind, str) else "message"


def message(text: str, phase: str | None = None, **fields: Any) -> dict[str, Any]:
    """A message of the assistant with one part of text."""
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "content": [part], **fields}
    return item if phase is None else {**item, "phase": phase}


def response(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A completed response with its usage."""
    usage = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}
    body = {"id": "resp_1", "object": "response", "status": "completed", "model": "gpt-5-mini"}
    return {**body, "created_at": 1, "output": list(output), "usage": usage, **fields}


def stream_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The events that end in a response, each text in two deltas."""
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**body, "status": "in_progress", "output": []}}
    ]
    for index, item in enumerate(body["output"]):
        events += _events_of(index, item)
    events.append({"type": f"response.{body['status']}", "response": body})
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def _events_of(index: int, item: dict[str, Any]) -> list[dict[str, Any]]:
    is_message = item["type"] == "message"
    begun = {**item, "content": []} if is_message else item
    events = [{"type": "response.output_item.added", "output_index": index, "item": begun}]
    for position, part in enumerate(item["content"] if is_message else ()):
        place = {"item_id": "m", "output_index": index, "content_index": position}
        name, text = ("output_text", part.get("text")) if "text" in part else ("refusal", None)
        text = text if text is not None else part["refusal"]
        half = len(text) // 2
        for piece in (text[:half], text[half:]):
            events.append({"type": f"response.{name}.delta", **place, "delta": piece})
        done = {"text": text} if name == "output_text" else {"refusal": text}
        events.append({"type": f"response.{name}.done", **place, **done})
    return [*events, {"type": "response.output_item.done", "output_index": index, "item": item}]
