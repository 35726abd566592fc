"""A Messages request for Claude in Foundry: what Anthropic's own service takes and Azure refuses.

Clients written for Anthropic, such as Claude Code, send what their service has learned last. The
request passes as it is, but for the fields and beta values that Azure is known to refuse.
"""

import operator
import re
from collections.abc import Collection, Mapping
from typing import Any

from azure_responses.protocol.stored_response import SEALED

__all__ = ["fit_betas", "fit_messages", "refused_betas"]

# Beginnings of beta values that Azure refuses. This one comes with `cache_control.scope`.
_REFUSED_BETAS = ("prompt-caching-scope",)
_NAMED = re.compile(r"`([^`\s]+)`")
_ABOUT_BETAS = "anthropic-beta"
_SEALED = re.compile(r"([0-9a-f]{8}\.)?" + re.escape(SEALED))
_OTHERS = "What other models thought and searched was left out, because only they can read it."
_SCOPE = "cache_control.scope was left out, which Azure refuses."


def fit_messages(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The request without `cache_control.scope`, which Azure refuses (litellm#22867), and without
    what other models thought and searched in earlier turns, which only they can read.

    The same object where it has none of that; and what was left out.
    """
    own = _without_others(body)
    fitted = _without_scope(own)
    lost = ((own is not body, _OTHERS), (fitted is not own, _SCOPE))
    return fitted, tuple(warning for is_lost, warning in lost if is_lost)


def _without_others(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request without the blocks that our conversions made of other models' answers."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return body
    kept = [message for given in messages if (message := _own_message(given)) is not None]
    is_same = len(kept) == len(messages) and all(map(operator.is_, kept, messages))
    return body if is_same else {**body, "messages": kept}


def _own_message(message: Any) -> Any:
    """A message without such blocks; None where nothing is left of it."""
    content = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(content, list) or message.get("role") != "assistant":
        return message
    kept = [_own_text(block) for block in content if not _is_of_others(block)]
    if len(kept) == len(content) and all(map(operator.is_, kept, content)):
        return message
    return {**message, "content": kept} if kept else None


def _is_of_others(block: Any) -> bool:
    if not isinstance(block, Mapping):
        return False
    sealed = block.get("signature") or block.get("data")
    if block.get("type") in ("thinking", "redacted_thinking"):
        return isinstance(sealed, str) and _SEALED.match(sealed) is not None
    call_id = block.get("id") or block.get("tool_use_id")
    # How `messages_over_responses` names the searches of a response.
    return isinstance(call_id, str) and call_id.startswith("srvtoolu_ws_")


def _own_text(block: Any) -> Any:
    """A text block; its sources are Claude's only if Claude has indexed them."""
    cited = block.get("citations") if isinstance(block, Mapping) else None
    if not isinstance(cited, list) or not any(map(_lacks_index, cited)):
        return block
    return {name: value for name, value in block.items() if name != "citations"}


def _lacks_index(citation: Any) -> bool:
    return isinstance(citation, Mapping) and citation.get("encrypted_index") == ""


def _without_scope(value: Any) -> Any:
    if isinstance(value, Mapping):
        changed = {
            name: inner
            for name, given in value.items()
            if (inner := _inner(name, given)) is not given
        }
        return {**value, **changed} if changed else value
    if isinstance(value, list):
        entries = [_without_scope(entry) for entry in value]
        is_same = all(new is old for new, old in zip(entries, value, strict=True))
        return value if is_same else entries
    return value


def _inner(name: str, given: Any) -> Any:
    # The input of a tool is the caller's own data, whatever its fields are called.
    if name in ("input", "input_schema"):
        return given
    if name == "cache_control" and isinstance(given, Mapping) and "scope" in given:
        given = {field: value for field, value in given.items() if field != "scope"}
    return _without_scope(given)


def fit_betas(header: str, refused: Collection[str] = ()) -> tuple[str, tuple[str, ...]]:
    """The value of `anthropic-beta` without what Azure refuses, and what was left out.

    Args:
        header: as the caller sent it.
        refused: further values, which the service has refused before.
    """
    values = [value.strip() for value in header.split(",") if value.strip()]
    left_out = [value for value in values if value in refused or value.startswith(_REFUSED_BETAS)]
    kept = ",".join(value for value in values if value not in left_out)
    warnings = [f"anthropic-beta {value} was left out, which Azure refuses." for value in left_out]
    return kept, tuple(warnings)


def refused_betas(message: str) -> frozenset[str]:
    """The beta values that an error names; none where it is about something else."""
    # "Unexpected value(s) `a`, `b` for the `anthropic-beta` header."
    if _ABOUT_BETAS not in message:
        return frozenset()
    return frozenset(_NAMED.findall(message)) - {_ABOUT_BETAS}
