"""Strings that match a regular expression, and samples of JSON Schema's string formats."""

import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

__all__ = ["FORMATS", "has_lookaround", "match_pattern"]

# The parser behind `re` is private, and the only one that reads exactly what `re` reads.
_parser = import_module("re._parser")

FORMATS = {
    "date-time": "2026-11-20T09:30:00Z",
    "time": "09:30:00Z",
    "date": "2026-11-20",
    "duration": "P1D",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "3f2b8c1e-5d4a-4e6f-8a7b-9c0d1e2f3a4b",
    "uri": "https://example.com/",
}
_ANY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_./:@#%é漢"
_TRIES, _MOST_TRIES = 21, 200
_CLASSES = {
    "CATEGORY_DIGIT": "0",
    "CATEGORY_NOT_DIGIT": "a",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": "a",
    "CATEGORY_WORD": "a",
    "CATEGORY_NOT_WORD": "-",
}


def match_pattern(pattern: str, shortest: int = 0, longest: int = 10_000) -> str | None:
    """A string in which `re.search` finds the pattern, of a length within the limits.

    None for a pattern that is no regular expression, or that none of the tries match (those with
    look-around, mostly).
    """
    try:
        compiled = re.compile(pattern)
        tree = _parser.parse(pattern)
    except (re.error, OverflowError):
        return None
    for extra in range(max(_TRIES, min(shortest, _MOST_TRIES) + 1)):
        for filler in ("", "a" * shortest):
            text = _write(tree, extra, {}) + filler
            if shortest <= len(text) <= longest and compiled.search(text):
                return text
    return None


def has_lookaround(pattern: str) -> bool:
    """True for a regular expression that looks ahead or behind."""
    pending: list[Any] = [_parser.parse(pattern)]
    while pending:
        part = pending.pop()
        if str(part) in ("ASSERT", "ASSERT_NOT"):
            return True
        if isinstance(part, tuple | list | _parser.SubPattern):
            pending.extend(part)
    return False


def _write(tree: Iterable[Any], extra: int, groups: dict[int, str]) -> str:
    return "".join(_write_one(str(kind), value, extra, groups) for kind, value in tree)


def _write_one(kind: str, value: Any, extra: int, groups: dict[int, str]) -> str:
    if kind == "LITERAL":
        return chr(value)
    if kind == "NOT_LITERAL":
        return next(letter for letter in _ANY if ord(letter) != value)
    if kind == "ANY":
        return "a"
    if kind == "IN":
        return _choose(value)
    if kind == "BRANCH":
        return _write(value[1][0], extra, groups)
    if kind == "SUBPATTERN":
        return _write_group(value, extra, groups)
    if kind.endswith("REPEAT"):
        least, most, inner = value
        return "".join(_write(inner, extra, groups) for _ in range(min(least + extra, int(most))))
    return _write_reference(kind, value, extra, groups)


def _write_reference(kind: str, value: Any, extra: int, groups: dict[int, str]) -> str:
    if kind == "GROUPREF":
        return groups.get(value, "")
    if kind == "ATOMIC_GROUP":
        return _write(value, extra, groups)
    if kind == "GROUPREF_EXISTS":
        return _write(value[1], extra, groups) if value[0] in groups else ""
    return ""


def _write_group(value: Any, extra: int, groups: dict[int, str]) -> str:
    number, _, _, inner = value
    text = _write(inner, extra, groups)
    if number is not None:
        groups[number] = text
    return text


def _choose(options: list[tuple[Any, Any]]) -> str:
    if str(options[0][0]) == "NEGATE":
        return next(letter for letter in _ANY if not _is_in(letter, options[1:]))
    kind, value = options[0]
    if str(kind) == "RANGE":
        return chr(value[0])
    if str(kind) == "CATEGORY":
        return _CLASSES[str(value)]
    return chr(value)


def _is_in(letter: str, options: list[tuple[Any, Any]]) -> bool:
    for kind, value in options:
        name = str(kind)
        if name == "LITERAL" and ord(letter) == value:
            return True
        if name == "RANGE" and value[0] <= ord(letter) <= value[1]:
            return True
        if name == "CATEGORY" and _has_class(letter, str(value)):
            return True
    return False


def _has_class(letter: str, name: str) -> bool:
    is_negated = "_NOT_" in name
    kind = name.rpartition("_")[2]
    held = {
        "DIGIT": letter.isdigit(),
        "SPACE": letter.isspace(),
        "WORD": letter.isalnum() or letter == "_",
    }[kind]
    return held != is_negated
