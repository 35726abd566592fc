"""How results show themselves to people, on a console and in a notebook."""

from collections.abc import Iterable
from typing import Any

__all__ = ["show_answer", "show_facts", "show_text"]

_SHOWN = 80


def show_facts(facts: Iterable[tuple[str, Any]]) -> str:
    """Names and values as a call would have them."""
    return ", ".join(f"{name}={value!r}" for name, value in facts)


def show_text(text: str) -> str:
    """The beginning of a text, on one line."""
    line = " ".join(text[: _SHOWN * 4].split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"


def show_answer(text: str, *facts: str | None) -> str:
    """An answer as Markdown, and under it what is known of it."""
    line = " · ".join(fact for fact in facts if fact)
    return f"{text}\n\n---\n\n{line}" if text else line
