"""Values that a prompt gives for the properties of a schema, found by the properties' names."""

import re

__all__ = ["PromptValues", "find_places", "name_one", "split_words"]

# At most 15 digits: more is an identifier, and no float holds it.
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w)")
_AGE = re.compile(r"(\d{1,3})[ -]years?[ -]old")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]|(?<!\w)'([^']+)'(?!\w)")
_PROPER = r"[A-Z][\w'’.-]*(?: [A-Z][\w'’-]*)*"
_PLACE = re.compile(
    rf"\b(?:in|for|at|to|from|of|near|between)\s+(?:the city of )?"
    rf"({_PROPER}(?:(?:,? and |, | or |,)(?:in )?{_PROPER})*)"
)
_PERSON = re.compile(
    rf"\b(?:name(?:d| is)?|called|I am|I'm|is|meet|about|for|by|from|with)\s+({_PROPER})"
)
# A first word is capitalised in any sentence; two in a row are a name even there.
_FULL_NAME = re.compile(r"\b[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)+")
_CAPITALISED = re.compile(rf"(?<!^)(?<![.!?] )\b({_PROPER})")
_ENUMERATION = re.compile(r"\s{0,3}(?:,\s{0,3}and\s|,|\sand\s|\sor\s)\s{0,3}")
_UNTRUE = re.compile(r"\b(?:no|not|never|false|without|isn't|don't|disable)\b", re.IGNORECASE)

_PLACES = frozenset(
    ("city", "location", "place", "destination", "town", "region", "country", "origin")
)
_PEOPLE = frozenset(
    ("name", "person", "author", "user", "customer", "participant", "who", "attendee")
)
# The last word of a name, and what the prompt has for such a property.
_KINDS = {
    **dict.fromkeys(("email", "mail"), re.compile(r"(?<![\w.+-])([\w.+-]+@[\w-]+\.[\w.-]*\w)")),
    **dict.fromkeys(
        ("url", "uri", "link", "website"), re.compile(r"(https?://[^\s\"'<>)]+[^\s\"'<>).,])")
    ),
    **dict.fromkeys(("date", "day", "deadline", "birthday"), re.compile(r"\b(\d{4}-\d\d-\d\d)\b")),
    "time": re.compile(r"\b(\d{1,2}:\d{2}(?::\d{2})?)\b"),
    **dict.fromkeys(
        ("expression", "formula", "equation"), re.compile(r"([\d(][\d\s+*/().^-]*[\d)])")
    ),
}
_COMMANDS = dict.fromkeys(("cmd", "command", "code", "script", "sql"), re.compile(r"`([^`\n]+)`"))
# Properties that take the whole prompt.
_WHOLE = frozenset((
    "query", "question", "prompt", "text", "message", "input", "content", "search", "q", "request",
    "description", "summary", "title", "task", "topic", "subject", "body", "event",
))  # fmt: skip
# Values of an enum for which a prompt has a sign: calculators call their operations so.
_SIGNS = {
    **dict.fromkeys(("add", "plus"), re.compile(r"\+|\bplus\b|\badd|\bsum\b")),
    **dict.fromkeys(("subtract", "minus"), re.compile(r"(?<=\d)\s*-|\bminus\b|\bsubtract")),
    **dict.fromkeys(("multiply", "times"), re.compile(r"[*×]|\btimes\b|\bmultipl")),
    "divide": re.compile(r"[/÷]|\bdivid"),
}


def split_words(name: str) -> list[str]:
    """The words of an identifier: `cityName` and `city_name` both give city, name."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.lower() for word in re.split(r"[\s_\-.]+", spaced) if word]


def name_one(noun: str) -> str:
    """The singular of a noun, by its ending."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-1] if noun.endswith("s") else noun


def find_places(text: str) -> list[str]:
    """Places that the text names, in order: "Paris, Rome and Oslo" are three."""
    found = _PLACE.search(text)
    if not found:
        return _CAPITALISED.findall(text)[:1]
    # "Florence, Italy" is one place, "Paris and Rome" are two.
    if " and " in found[1] or " or " in found[1]:
        return [part.removeprefix("in ") for part in _ENUMERATION.split(found[1]) if part]
    return [found[1].rstrip(".,")]


class PromptValues:
    """Reads values out of a prompt; numbers and quoted texts are given out one after another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._words = {name_one(word) for word in re.findall(r"\w+", text.lower())}
        self._numbers = [found[0] for found in _NUMBER.finditer(text)]
        self._quoted: list[str] = [first or second for first, second in _QUOTED.findall(text)]

    def quoted(self) -> list[str]:
        """The quoted texts that were not yet given out."""
        return list(self._quoted)

    def names(self, name: str) -> bool:
        """True when the prompt has a word of the property's name, in the plural or not."""
        wanted = {name_one(word) for word in [name.lower(), *split_words(name)]}
        return not wanted.isdisjoint(self._words)

    def string(self, name: str) -> str | None:
        """A text for the property, or None."""
        words = split_words(name)
        if not words or not self.text:
            return None
        stated = self._stated(words, r"[\"“']?([^\"”',.;\n]{1,80}?)[\"”']?(?=[,.;\n]|\s+and\s|$)")
        if stated:
            return stated
        kind = words[-1]
        command = _COMMANDS[kind].search(self.text) if kind in _COMMANDS else None
        if command:
            return str(command[1])
        if kind in _KINDS:
            found = _KINDS[kind].search(self.text)
            return str(found[1]) if found else None
        return self._by_kind(set(words), kind)

    def _by_kind(self, words: set[str], kind: str) -> str | None:
        if words & _PLACES:
            return next(iter(find_places(self.text)), None)
        if words & _PEOPLE:
            return self._person()
        if self._quoted:
            return self._quoted.pop(0)
        return self.text if kind in _WHOLE else None

    def _person(self) -> str | None:
        for pattern, group in ((_PERSON, 1), (_FULL_NAME, 0), (_CAPITALISED, 1)):
            found = pattern.search(self.text)
            if found:
                return str(found[group])
        return None

    def _stated(self, words: list[str], value: str) -> str | None:
        """What the prompt says after the name: `city: Rome`, "the city is Rome"."""
        phrase = r"[\s_-]?".join(map(re.escape, words))
        pattern = rf"\b{phrase}[\"']?\s*(?::|=|\bis\b|\bto be\b)\s*{value}"
        found = re.search(pattern, self.text, re.IGNORECASE)
        return found[1].strip() if found else None

    def number(self, name: str) -> str | None:
        """A number for the property: one stated for it, else the next that was not yet used."""
        words = split_words(name)
        stated = self._stated(words, r"(-?\d{1,15}(?:\.\d{1,15})?)(?!\d)") if words else None
        aged = _AGE.search(self.text) if "age" in words else None
        found = stated or (str(aged[1]) if aged else None)
        if found is None:
            return self._numbers.pop(0) if self._numbers else None
        self._numbers = [other for other in self._numbers if other != found]
        return found

    def option(self, values: list[object]) -> object | None:
        """The first of the values that the prompt mentions."""
        lowered = self.text.lower()
        for value in values:
            spoken = " ".join(split_words(value)) if isinstance(value, str) else ""
            if not spoken:
                continue
            ending = r"(?!\w)" if len(spoken) < 4 else ""
            sign = _SIGNS.get(str(value).lower())
            is_named = re.search(rf"(?<!\w){re.escape(spoken)}{ending}", lowered)
            if is_named or (sign and sign.search(lowered)):
                return value
        return None

    def flag(self, name: str) -> bool:
        """True unless the prompt says no near the property's name."""
        words = split_words(name)
        at = self.text.lower().find(words[-1]) if words else -1
        near = self.text[max(0, at - 30) : at + 30] if at >= 0 else ""
        return not _UNTRUE.search(near)

    def listing(self, name: str) -> list[str]:
        """Several texts for an array property: an enumeration after its name, or places."""
        words = split_words(name)
        stated = self._stated(words, r"([^.;\n]{1,300})") if words else None
        if stated:
            return [part.strip("\"' ") for part in _ENUMERATION.split(stated) if part.strip("\"' ")]
        kinds = {name_one(word) for word in words} | set(words)
        if kinds & _PLACES:
            return find_places(self.text)
        if not kinds & _PEOPLE:
            return []
        pattern = rf"\b{_PROPER}(?:(?:,? and |, ){_PROPER})*"
        longest = max(re.findall(pattern, self.text), key=len, default="")
        return [part for part in _ENUMERATION.split(longest) if part]
