"""Texts that match what a caller prescribes: a regular expression, a format, a Lark grammar.

Patterns come from callers, and Python's `re` backtracks: `(a+)+$` takes longer than anyone waits on
thirty letters. So what a search can cost is read from the parsed pattern first, and a search that
can cost too much is not made.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from typing import Any

__all__ = ["FORMATS", "has_lookaround", "is_found", "match_pattern", "write_grammar"]

# Samples of JSON Schema's string formats.
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
# The parser behind `re` is private, and the only one that reads exactly what `re` reads.
_parser = import_module("re._parser")

# Searches

_MOST_STEPS = 5_000_000
# Repeats inside repeats: each letter doubles what there is to try.
_SHORT = 16
_NESTED = 100


@lru_cache(maxsize=64)
def _parse_pattern(pattern: str) -> Any | None:
    """The parsed pattern; None for what is no regular expression or nests too deep to be read."""
    try:
        re.compile(pattern)
        return _parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def is_found(pattern: str, text: str) -> bool:
    """True where the pattern is in the text, an empty match included."""
    tree = _parse_pattern(pattern)
    return tree is not None and _is_quick(tree, len(text)) and bool(re.search(pattern, text))


def _find(pattern: str, text: str) -> str | None:
    """The first match that is not empty; None where there is none or it takes too long to know."""
    tree = _parse_pattern(pattern)
    if tree is None or not _is_quick(tree, len(text)):
        return None
    return next((found[0] for found in re.finditer(pattern, text) if found[0]), None)


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


def has_lookaround(pattern: str) -> bool:
    """True for a regular expression that looks ahead or behind."""
    tree = _parse_pattern(pattern)
    pending: list[Any] = [tree]
    while pending:
        part = pending.pop()
        if str(part) in ("ASSERT", "ASSERT_NOT"):
            return True
        if isinstance(part, tuple | list | type(tree)):
            pending.extend(part or ())
    return False


# Texts of a regular expression

_ANY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_./:@#%é漢"
# More repeats are tried one by one: a back reference or a length may ask for them.
_TRIES, _MOST_TRIES, _LONGEST = 21, 200, 10_000
# A letter of each class, and the class itself.
_CLASSES = {
    "CATEGORY_DIGIT": ("0", r"\d"),
    "CATEGORY_NOT_DIGIT": ("a", r"\D"),
    "CATEGORY_SPACE": (" ", r"\s"),
    "CATEGORY_NOT_SPACE": ("a", r"\S"),
    "CATEGORY_WORD": ("a", r"\w"),
    "CATEGORY_NOT_WORD": ("-", r"\W"),
}


def match_pattern(pattern: str, shortest: int = 0, longest: int = 10_000) -> str | None:
    """A string in which `re.search` finds the pattern, of a length within the limits.

    None for a pattern that is no regular expression, or that none of the tries match (those with
    look-around, mostly) or could match in reasonable time and space.
    """
    tree = _parse_pattern(pattern)
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
    if kind.endswith("REPEAT"):
        return _write_repeat(value, extra, groups)
    return _write_group(kind, value, extra, groups)


def _write_group(kind: str, value: Any, extra: int, groups: dict[int, str]) -> str:
    if kind == "BRANCH":
        return _write(value[1][0], extra, groups)
    if kind == "SUBPATTERN":
        text = _write(value[3], extra, groups)
        if value[0] is not None:
            groups[value[0]] = text
        return text
    if kind == "GROUPREF":
        return groups.get(value, "")
    if kind == "ATOMIC_GROUP":
        return _write(value, extra, groups)
    if kind == "GROUPREF_EXISTS":
        return _write(value[1], extra, groups) if value[0] in groups else ""
    # Anchors and look-around take no letters; the search afterwards tells whether they hold.
    return ""


def _write_repeat(value: Any, extra: int, groups: dict[int, str]) -> str:
    least, most, inner = value
    once = _write(inner, extra, groups)
    times = int(min(least + extra, most))
    if len(once) * times > _LONGEST:
        raise _TooLongError
    return once * times


def _write_letter(code: int) -> str:
    # Half a surrogate pair is no letter that JSON can hold.
    return "a" if 0xD800 <= code <= 0xDFFF else chr(code)


def _choose(options: list[tuple[Any, Any]]) -> str:
    kind, value = options[0]
    if str(kind) == "NEGATE":
        # "a" where every letter is excluded: nothing matches then, which the search finds.
        return next((letter for letter in _ANY if not _is_in(letter, options[1:])), "a")
    if str(kind) == "CATEGORY":
        return _CLASSES[str(value)][0]
    return _write_letter(value[0] if str(kind) == "RANGE" else value)


def _is_in(letter: str, options: list[tuple[Any, Any]]) -> bool:
    for kind, value in options:
        if str(kind) == "CATEGORY":
            if re.match(_CLASSES[str(value)][1], letter):
                return True
        else:
            first, last = value if str(kind) == "RANGE" else (value, value)
            if first <= ord(letter) <= last:
                return True
    return False


# Texts of a grammar, for custom tools

_RULE = re.compile(r"^\s*[?!]?([A-Za-z_]\w*)(?:\.-?\d+)?\s*:(.*)$")
_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"i?|/(?:\\.|[^/\\])+/[imsx]*|[A-Za-z_]\w*|\.\.|->|[()\[\]|?*+~]|\d+'
)
_DEEPEST = 40
# Rules that double at each level have texts without end: the rest is then left out.
_MOST_TOKENS, _READ = 100_000, 4000
# The terminals of Lark's `common` library that grammars import most.
_COMMON = {
    **dict.fromkeys(("NUMBER", "SIGNED_NUMBER", "INT", "SIGNED_INT", "DIGIT"), "1"),
    "FLOAT": "1.5",
    "LETTER": "a",
    "WORD": "word",
    "CNAME": "name",
    "ESCAPED_STRING": '"text"',
    **dict.fromkeys(("WS", "WS_INLINE"), " "),
    "NEWLINE": "\n",
}


def write_grammar(form: dict[str, Any], prompt: str) -> str | None:
    """A text that the grammar accepts, from the prompt where part of it fits; None for no grammar.

    Of Lark's notation: rules, terminals, strings, regular expressions, groups, options, repetition
    and imports from `common`. Templates and priorities are not read.
    """
    if form.get("type") != "grammar":
        return None
    definition = form["definition"]
    if form["syntax"] == "lark":
        return _Grammar(definition).write("start", 0)
    return _find(definition, prompt[:_READ]) or match_pattern(definition) or ""


class _Grammar:
    """The rules of a grammar; writes the shortest text of each."""

    def __init__(self, definition: str) -> None:
        name = ""
        collected: dict[str, str] = {}
        for line in definition.splitlines():
            line = re.sub(r"//[^\"/]*$", "", line)
            found = _RULE.match(line)
            if found:
                name = found[1]
                collected[name] = found[2]
            elif name:
                # What begins no rule goes on with the one before: an alternative, mostly.
                collected[name] += "" if line.startswith("%") else " " + line.strip()
        self._rules = {name: _TOKEN.findall(source) for name, source in collected.items()}
        self._left = _MOST_TOKENS

    def write(self, name: str, depth: int) -> str:
        if name not in self._rules:
            return _COMMON.get(name, "")
        tokens = self._rules[name]
        self._left -= len(tokens)
        if depth > _DEEPEST or self._left < 0:
            return ""
        return self._shortest(self._split(tokens, name), depth)

    def _shortest(self, parts: list[list[str]], depth: int) -> str:
        return min((self._sequence(part, depth + 1) for part in parts), key=len)

    def _split(self, tokens: list[str], name: str = "") -> list[list[str]]:
        """The alternatives at the top level; those that lead back here only where none other is."""
        parts: list[list[str]] = [[]]
        level = 0
        for token in tokens:
            level += (token in "([") - (token in ")]")
            if token == "|" and level == 0:
                parts.append([])
            else:
                parts[-1].append(token)
        direct = [part for part in parts if not self._reaches(part, name, set())]
        return direct or parts

    def _reaches(self, tokens: list[str], name: str, seen: set[str]) -> bool:
        for token in tokens:
            if token == name:
                return True
            if token in self._rules and token not in seen:
                seen.add(token)
                inner = self._rules[token]
                if "|" not in inner and self._reaches(inner, name, seen):
                    return True
        return False

    def _sequence(self, tokens: list[str], depth: int) -> str:
        written: list[str] = []
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token == "->":
                break
            if token in ("(", "["):
                end = _closing(tokens, index)
                group = self._split(tokens[index + 1 : end])
                written.append("" if token == "[" else self._shortest(group, depth))
                index = end
            elif token in ("?", "*"):
                written[-1:] = [""]
            elif token == "~":
                index += 1
                written[-1:] = [_repeat(written, tokens[index : index + 1])]
            elif token == "..":
                # A range of letters, or of repetitions: its beginning is written already.
                index += 1
            elif token != "+":
                written.append(self._terminal(token, depth))
            index += 1
        return "".join(written)[:_LONGEST]

    def _terminal(self, token: str, depth: int) -> str:
        if token.startswith('"'):
            return token.removesuffix("i")[1:-1].replace('\\"', '"').replace("\\n", "\n")
        if token.startswith("/"):
            return match_pattern(token[1 : token.rindex("/")]) or ""
        return self.write(token, depth)


def _repeat(written: list[str], count: list[str]) -> str:
    """What was written last, as often as a grammar says; once where it says no number."""
    last = written[-1] if written else ""
    times = int(count[0][:9]) if count and count[0].isdecimal() else 1
    return last * min(times, _LONGEST // max(1, len(last)))


def _closing(tokens: list[str], start: int) -> int:
    level = 0
    for index in range(start, len(tokens)):
        level += (tokens[index] in "([") - (tokens[index] in ")]")
        if level == 0:
            return index
    return len(tokens)
