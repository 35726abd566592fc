"""The input of a response: history and input items, opened, checked and cut to the context window.

The checks here need more than one field of the body: each output needs its call, each call its
output, and reasoning the item that it led to.
"""

import copy
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from azure_responses.emulator.engine.attachments import check_attachments
from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.engine.response_object import PROMPT_BLOCKED
from azure_responses.emulator.engine.tool_calls import HOSTED_TOOLS, find_hosted
from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.opaque_values import ReasoningCipherError
from azure_responses.emulator.service_errors import ServiceError, invalid_request
from azure_responses.emulator.tokens import count_items

__all__ = ["check_input", "fit_context", "gather_items"]

_Items = list[dict[str, Any]]


def gather_items(generation: Generation) -> _Items:
    """History and input, whose references have been resolved, oldest first.

    Raises:
        ServiceError: encrypted content is not of this resource.
    """
    given = generation.request.get("input")
    items: _Items = []
    for item in generation.history:
        items.extend(_open_item(generation, item))
    if given is None:
        items.extend(_read_template(generation.request.get("prompt") or {}))
    if isinstance(given, str):
        items.append({"role": "user", "content": given})
    for item in given if isinstance(given, list) else ():
        items.extend(_open_item(generation, item))
    return items


def _read_template(prompt: dict[str, Any]) -> _Items:
    """The emulator does not know the text of a stored prompt: its variables stand for it."""
    filled = [value for value in (prompt.get("variables") or {}).values() if isinstance(value, str)]
    return [{"role": "user", "content": "\n".join(filled)}] if filled else []


def _open_item(generation: Generation, item: dict[str, Any]) -> _Items:
    sealed = item.get("encrypted_content")
    if not sealed or item.get("type") not in ("reasoning", "compaction"):
        return [item]
    try:
        opened = generation.cipher.open(sealed)
    except ReasoningCipherError:
        message = (
            f"The encrypted content {sealed[:4]}...{sealed[-4:]} could not be verified. Reason: "
            "Encrypted content could not be decrypted or parsed."
        )
        raise invalid_request(message, None, "invalid_encrypted_content") from None
    if item["type"] == "reasoning":
        # Opened only to see that this resource sealed it: no rule reads a thought.
        return [item]
    messages: _Items = opened.get("messages", [])
    return messages


def fit_context(generation: Generation, items: _Items, input_tokens: int) -> tuple[_Items, int]:
    """The items that fit the context window, and their tokens; the oldest go first.

    Raises:
        ServiceError: they do not fit, and `truncation` is not `auto`.
    """
    limit = generation.model.max_input
    if input_tokens <= limit:
        return items, input_tokens
    if generation.request.get("truncation") != "auto":
        message = (
            "Your input exceeds the context window of this model. Please adjust your input and "
            "try again."
        )
        raise invalid_request(message, "input", "context_length_exceeded")
    kept = list(items)
    # The newest item stays, however long: there would be nothing to answer.
    while len(kept) > 1 and input_tokens > limit:
        input_tokens -= count_items([kept.pop(0)])
    return kept, min(input_tokens, limit)


_HOSTED_ITEMS = [kind for row in HOSTED_TOOLS.values() for kind in row.items]
# Items that the caller answers with an item of the same type and `_output`.
_ANSWERED = {
    "function_call",
    "custom_tool_call",
    *(row.call_type for row in HOSTED_TOOLS.values() if row.is_run_by_caller),
}
# What may follow a reasoning item that is sent back without its encrypted content.
_AFTER_REASONING = {
    *(kind for kind in _HOSTED_ITEMS if not kind.endswith("_output")),
    *_ANSWERED,
    "message",
    "reasoning",
    "item_reference",
    "tool_search_call",
    "compaction",
    "program",
}


def check_input(generation: Generation, transcript: Transcript) -> None:
    """Raises ServiceError where the service answers 400 instead of a response."""
    if find_trigger(transcript, "block-prompt") is not None:
        raise ServiceError(400, copy.deepcopy(PROMPT_BLOCKED))
    for tool in generation.request.get("tools") or ():
        row = find_hosted(tool["type"])
        if row:
            row.check(generation)
    check_attachments(transcript.attachments, generation.find_file)
    _check_pairs(transcript.items)
    given = generation.request.get("input")
    if isinstance(given, list):
        _check_reasoning(given)


def _check_pairs(items: list[Mapping[str, Any]]) -> None:
    unanswered: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    for item in items:
        kind = item.get("type", "message")
        call_id = str(item.get("call_id"))
        call = kind.removesuffix("_output")
        # The service's own words for an item: its type with spaces.
        words = call.replace("_", " ")
        if kind in _ANSWERED:
            unanswered[call_id] = words
            seen.add((kind, call_id))
        elif call in _ANSWERED and item.get("call_id"):
            if (call, call_id) not in seen:
                message = f"No tool call found for {words} output with call_id {call_id}."
                raise invalid_request(message, "input")
            unanswered.pop(call_id, None)
    for call_id, words in unanswered.items():
        raise invalid_request(f"No tool output found for {words} {call_id}.", "input")


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
            raise invalid_request(message, "input")
