"""The items of a turn: sealed content opened, cut to the context window."""

from typing import Any

from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.refusal import Refusal
from azure_responses.emulator.tokens import count_items
from azure_responses.emulator.vault import VaultError

__all__ = ["fit_context", "gather_items", "refuse_input"]

_Items = list[dict[str, Any]]


def refuse_input(message: str, code: str | None = None, param: str | None = "input") -> Refusal:
    """HTTP 400 about the input."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Refusal(400, {"error": error})


def gather_items(turn: Turn) -> _Items:
    """History and input, whose references have been resolved, oldest first.

    Raises:
        Refusal: encrypted content is not of this resource.
    """
    given = turn.request.get("input")
    items: _Items = []
    for item in turn.history:
        items.extend(_open_item(turn, item))
    if given is None:
        items.extend(_read_template(turn.request.get("prompt") or {}))
    if isinstance(given, str):
        items.append({"role": "user", "content": given})
    for item in given if isinstance(given, list) else ():
        items.extend(_open_item(turn, item))
    return items


def _read_template(prompt: dict[str, Any]) -> _Items:
    """A stored prompt's text is not known here; what fills its gaps stands for it."""
    filled = [value for value in (prompt.get("variables") or {}).values() if isinstance(value, str)]
    return [{"role": "user", "content": "\n".join(filled)}] if filled else []


def _open_item(turn: Turn, item: dict[str, Any]) -> _Items:
    sealed = item.get("encrypted_content")
    if not sealed or item.get("type") not in ("reasoning", "compaction"):
        return [item]
    try:
        opened = turn.vault.open(sealed)
    except VaultError:
        message = (
            f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. Reason: "
            "Encrypted content could not be decrypted or parsed."
        )
        raise refuse_input(message, "invalid_encrypted_content", None) from None
    if item["type"] == "reasoning":
        return [item]
    messages: _Items = opened.get("messages", [])
    return messages


def fit_context(turn: Turn, items: _Items, input_tokens: int) -> tuple[_Items, int]:
    """The items that fit the context window, and their tokens; the oldest go first.

    Raises:
        Refusal: they do not fit, and `truncation` is not `auto`.
    """
    limit = turn.model.max_input
    if input_tokens <= limit:
        return items, input_tokens
    if turn.request.get("truncation") != "auto":
        message = (
            "Your input exceeds the context window of this model. Please adjust your input and "
            "try again."
        )
        raise refuse_input(message, "context_length_exceeded")
    kept = list(items)
    while len(kept) > 1 and input_tokens > limit:
        input_tokens -= count_items([kept.pop(0)])
    return kept, min(input_tokens, limit)
