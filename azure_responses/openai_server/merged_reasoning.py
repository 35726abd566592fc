"""Reasoning inside the content of a chat's answer, for programs that show only the content.

Open WebUI and others show what stands between `<think>` and `</think>` as reasoning. An entry asks
for it with LiteLLM's `merge_reasoning_content_in_choices`.
"""

from typing import Any

from pydantic_core import from_json, to_json

__all__ = ["MergedReasoning"]

_BEGIN, _END = "<think>", "</think>"
_FRAME_END = b"\n\n"
_DATA = b"data: "
# Deployments of open models use either name.
_NAMES = ("reasoning_content", "reasoning")


class MergedReasoning:
    """Moves the reasoning of one answer into its content.

    The states of each choice of a stream:

    | state | next |
    |---|---|
    | no reasoning yet | reasoning: `<think>` and the text, open |
    | open | more reasoning: the text; anything else: `</think>` before it, closed |
    | closed | reasoning: `<think>` again, open |
    """

    def __init__(self) -> None:
        self._open: set[Any] = set()

    def whole(self, body: bytes) -> bytes:
        """A whole completion as JSON."""
        completion = from_json(body)
        for choice in _choices(completion):
            message = choice.get("message")
            text = _take_reasoning(message)
            if text and message is not None:
                message["content"] = f"{_BEGIN}{text}{_END}{message.get('content') or ''}"
        return to_json(completion)

    def frames(self, piece: bytes) -> bytes:
        """Whole server-sent events of the stream."""
        return b"".join(self._frame(each) for each in piece.split(_FRAME_END) if each)

    def _frame(self, frame: bytes) -> bytes:
        data = frame.removeprefix(_DATA)
        # The mark at the end, and comments that keep the connection open.
        if not data.startswith(b"{"):
            return frame + _FRAME_END
        chunk = from_json(data)
        for choice in _choices(chunk):
            self._merge(choice)
        return _DATA + to_json(chunk) + _FRAME_END

    def _merge(self, choice: dict[str, Any]) -> None:
        delta, place = choice.get("delta"), choice.get("index")
        if not isinstance(delta, dict):
            return
        reasoning, content = _take_reasoning(delta), delta.get("content") or ""
        text = ""
        if reasoning:
            text = reasoning if place in self._open else _BEGIN + reasoning
            self._open.add(place)
        goes_on = content or delta.get("tool_calls") or delta.get("refusal")
        if place in self._open and (goes_on or choice.get("finish_reason")):
            self._open.discard(place)
            text += _END
        if text:
            delta["content"] = text + content


def _choices(body: Any) -> list[dict[str, Any]]:
    found = body.get("choices") if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _take_reasoning(message: Any) -> str:
    """The reasoning of a message or delta, which is removed from it."""
    if not isinstance(message, dict):
        return ""
    texts = [message.pop(name, None) for name in _NAMES]
    return next((text for text in texts if isinstance(text, str) and text), "")
