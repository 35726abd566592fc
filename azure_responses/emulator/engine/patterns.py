"""Strings that match a regular expression, and samples of JSON Schema's string formats."""

from collections.abc import Iterable
from typing import Any

from azure_responses.emulator.engine.searches import is_found, parse_pattern

__all__ = ["FORMATS", "has_lookaround", "match_pattern"]

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
_TRIES, _MOST_TRIES, _LONGEST = 21, 200, 10_000
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
    look-around, mostly) or could match in reasonable time and space.
    """
    tree = parse_pattern(pattern)
    if tree is None:
        return None
    try:
        for extra in range(max(_TRIES, min(shortest, _MOST_TRIES) + 1)):
            for filler in ("", "a" * shortest):
                text = _write(tree, extra, {}) + filler
                if shortest <= len(text) <= longest and is_found(pattern, text):
                    return text
    except _TooLongError:
        return None
    return None


def has_lookaround(pattern: str) -> bool:
    """True for a regular expression that looks ahead or behind."""
    tree = parse_pattern(pattern)
    pending: list[Any] = [tree]
    while pending:
        part = pending.pop()
        if str(part) in ("ASSERT", "ASSERT_NOT"):
            return True
        if isinstance(part, tuple | list | type(tree)):
            pending.extend(part or ())
    return False


class _TooLongError(Exception):
    """The pattern asks for more text than a model writes."""


def _write(tree: Iterable[Any], extra: int, groups: dict[int, str]) -> str:
    text = ""
    for kind, value in tree:
        text += _write_one(str(kind), value, extra, groups)
        if len(text) > _LONGEST:
            raise _TooLongError
    return text


def _write_one(kind: str, value: Any, extra: int, groups: dict[int, str]) -> str:
    if kind == "LITERAL":
        return _write_letter(value)
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
        return _write_repeat(value, extra, groups)
    return _write_reference(kind, value, extra, groups)


def _write_repeat(value: Any, extra: int, groups: dict[int, str]) -> str:
    least, most, inner = value
    once = _write(inner, extra, groups)
    times = int(min(least + extra, most))
    if len(once) * times > _LONGEST:
        raise _TooLongError
    return once * times


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


def _write_letter(code: int) -> str:
    # Half a surrogate pair is no letter that JSON can hold.
    return "a" if 0xD800 <= code <= 0xDFFF else chr(code)


def _choose(options: list[tuple[Any, Any]]) -> str:
    if str(options[0][0]) == "NEGATE":
        # "a" where every letter is excluded: nothing matches then, which the check finds.
        return next((letter for letter in _ANY if not _is_in(letter, options[1:])), "a")
    kind, value = options[0]
    if str(kind) == "RANGE":
        return _write_letter(value[0])
    if str(kind) == "CATEGORY":
        return _CLASSES[str(value)]
    return _write_letter(value)


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
