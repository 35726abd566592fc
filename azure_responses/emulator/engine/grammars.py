"""Inputs for custom tools that a grammar restricts: a regular expression, or Lark's notation."""

import re
from typing import Any

from azure_responses.emulator.engine.patterns import match_pattern
from azure_responses.emulator.engine.searches import find

__all__ = ["write_grammar"]

_RULE = re.compile(r"^\s*[?!]?([A-Za-z_]\w*)(?:\.-?\d+)?\s*:(.*)$")
_TOKEN = re.compile(
    r'"(?:\\.|[^"\\])*"i?|/(?:\\.|[^/\\])+/[imsx]*|[A-Za-z_]\w*|\.\.|->|[()\[\]|?*+~]|\d+'
)
_DEEPEST = 40
# Rules that double at each level would be written for ever: what is left is then left out.
_MOST_TOKENS, _LONGEST, _READ = 100_000, 10_000, 4000
# The terminals of Lark's `common` library that grammars import most.
_COMMON = {
    "NUMBER": "1",
    "SIGNED_NUMBER": "1",
    "INT": "1",
    "SIGNED_INT": "1",
    "FLOAT": "1.5",
    "DIGIT": "1",
    "LETTER": "a",
    "WORD": "word",
    "CNAME": "name",
    "ESCAPED_STRING": '"text"',
    "WS": " ",
    "WS_INLINE": " ",
    "NEWLINE": "\n",
}


def write_grammar(form: dict[str, Any], prompt: str) -> str | None:
    """A text that the grammar accepts, from the prompt where part of it fits; None for no grammar.

    Of Lark's notation: rules, terminals, strings, regular expressions, groups, options, repetition
    and imports from `common`. Templates and priorities are not read.
    """
    if form.get("type") != "grammar":
        return None
    if form["syntax"] == "lark":
        return _Grammar(form["definition"]).write("start", 0)
    definition = form["definition"]
    found = find(definition, prompt[:_READ])
    return found[0] if found else match_pattern(definition) or ""


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
        texts = [self._sequence(part, depth + 1) for part in self._split(tokens, name, depth)]
        return min(texts, key=len, default="")

    def _split(self, tokens: list[str], name: str, depth: int) -> list[list[str]]:
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
                inner = tokens[index + 1 : end]
                options = self._split(inner, "", depth)
                texts = [self._sequence(part, depth + 1) for part in options]
                written.append("" if token == "[" else min(texts, key=len))
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
