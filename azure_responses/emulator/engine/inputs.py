"""The items of a turn: references resolved, sealed content opened, cut to the context window."""

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
    """History and input, oldest first.

    Raises:
        Refusal: an item is not found, or encrypted content is not of this resource.
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
        items.extend(_open_item(turn, _resolve(turn, item)))
    return items


def _read_template(prompt: dict[str, Any]) -> _Items:
    """A stored prompt's text is not known here; what fills its gaps stands for it."""
    filled = [value for value in (prompt.get("variables") or {}).values() if isinstance(value, str)]
    return [{"role": "user", "content": "\n".join(filled)}] if filled else []


def _resolve(turn: Turn, item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type")
    if kind == "item_reference" or set(item) == {"id"}:
        found = _find(turn, item["id"])
        if found is None:
            raise _refuse_unknown(turn, item["id"])
        return found
    is_bare = kind == "reasoning" and not item.get("encrypted_content") and item.get("id")
    if is_bare and not _is_known(turn, item["id"]):
        raise _refuse_unknown(turn, item["id"])
    return item


def _find(turn: Turn, identifier: str) -> dict[str, Any] | None:
    for item in turn.history:
        if item.get("id") == identifier:
            return item
    return turn.find_item(identifier) if turn.find_item else None


def _is_known(turn: Turn, identifier: str) -> bool:
    # Without a look-up the caller has judged its references itself.
    return turn.find_item is None or _find(turn, identifier) is not None


def _refuse_unknown(turn: Turn, identifier: str) -> Refusal:
    message = f"Item with id '{identifier}' not found."
    if turn.request.get("store") is False:
        message += (
            " Items are not persisted when `store` is set to false. Try again with `store` set to "
            "true, or remove this item from your input."
        )
    return refuse_input(message)


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
