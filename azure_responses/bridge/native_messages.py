"""A Messages request for Claude in Foundry: what Anthropic's own service takes and Azure refuses.

Clients written for Anthropic, such as Claude Code, send what their service has learned last. The
request passes as it is, but for the fields and beta values that Azure is known to refuse.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["fit_betas", "fit_messages", "refused_betas"]

# Beginnings of beta values that Azure refuses. This one comes with `cache_control.scope`.
_REFUSED_BETAS = ("prompt-caching-scope",)
_NAMED = re.compile(r"`([^`\s]+)`")
_ABOUT_BETAS = "anthropic-beta"
_SCOPE = "cache_control.scope was left out, which Azure refuses."


def fit_messages(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The request without `cache_control.scope`, which Azure refuses (litellm#22867).

    The same object where it has none; and what was left out.
    """
    fitted = _without_scope(body)
    return fitted, () if fitted is body else (_SCOPE,)


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
