"""Searches for patterns that callers send, as long as they end soon.

Python's `re` backtracks: `(a+)+$` takes longer than anyone waits on thirty letters. What a search
can cost is read from the parsed pattern, and one that can cost too much is not made.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = ["find", "is_found", "parse_pattern"]

# The parser behind `re` is private, and the only one that reads exactly what `re` reads.
_parser = import_module("re._parser")
_MOST_STEPS = 5_000_000
# Repeats inside repeats: each letter doubles what there is to try.
_SHORT = 16
_NESTED = 100


@lru_cache(maxsize=64)
def parse_pattern(pattern: str) -> Any | None:
    """The parsed pattern; None for what is no regular expression or nests too deep to be read."""
    try:
        re.compile(pattern)
        return _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def find(pattern: str, text: str) -> re.Match[str] | None:
    """The first match that is not empty; None where there is none or it takes too long to know."""
    tree = parse_pattern(pattern)
    if tree is None or not _is_quick(tree, len(text)):
        return None
    return next((found for found in re.finditer(pattern, text) if found[0]), None)


def is_found(pattern: str, text: str) -> bool:
    """True where the pattern is in the text, an empty match included."""
    tree = parse_pattern(pattern)
    return tree is not None and _is_quick(tree, len(text)) and bool(re.search(pattern, text))


def _is_quick(tree: Iterable[Any], length: int) -> bool:
    if length <= _SHORT:
        return True
    degree = _measure(tree)
    # One degree more, as a search begins at every letter.
    return degree < _NESTED and length ** (degree + 1) <= _MOST_STEPS


def _measure(tree: Iterable[Any]) -> int:
    """How many repeats can share the letters of a text; from `_NESTED` on, one is in another."""
    return sum(_measure_one(str(kind), value) for kind, value in tree)


def _measure_one(kind: str, value: Any) -> int:
    if kind.endswith("REPEAT"):
        least, most, inner = value
        degree = _measure(inner)
        if most - least < 2:
            return degree
        return _NESTED if degree or _branches(inner) else 1
    if kind == "BRANCH":
        return max(map(_measure, value[1]))
    if kind == "SUBPATTERN":
        return _measure(value[3])
    if kind in ("ASSERT", "ASSERT_NOT"):
        return _measure(value[1])
    return _measure(value) if kind == "ATOMIC_GROUP" else 0


def _branches(tree: Iterable[Any]) -> bool:
    return any(
        str(kind) == "BRANCH" or (str(kind) == "SUBPATTERN" and _branches(value[3]))
        for kind, value in tree
    )
