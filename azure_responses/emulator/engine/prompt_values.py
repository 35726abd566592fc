"""Values a prompt gives for the properties of a schema."""

import re

__all__ = ["NUMBER_WORDS", "Hints", "find_places", "name_one", "split_words"]

NUMBER_WORDS = {
    "one": 1,
    "a": 1,
    "an": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}
_CITIES = (
    "Paris",
    "London",
    "Tokyo",
    "Berlin",
    "Madrid",
    "Rome",
    "Cairo",
    "Sydney",
    "Toronto",
    "Lima",
)
# At most 15 digits: more is an identifier, and no float holds it.
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,15}(?:\.\d{1,15})?(?!\w)")
_QUOTED = re.compile(r"[\"“]([^\"”]+)[\"”]|(?<!\w)'([^']+)'(?!\w)")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]*\w")
_URL = re.compile(r"https?://[^\s\"'<>)]+[^\s\"'<>).,]")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_TIME = re.compile(r"\b\d{1,2}:\d{2}(?::\d{2})?\b")
_WORD = r"[A-Z][\w'’-]*"
_PROPER = r"[A-Z][\w'’.-]*(?: [A-Z][\w'’-]*)*"
_PLACE = re.compile(
    rf"\b(?:in|for|at|to|from|of|near|between)\s+(?:the city of )?"
    rf"({_PROPER}(?:(?:,? and |, | or |,)(?:in )?{_PROPER})*)"
)
_PERSON = re.compile(
    rf"\b(?:name(?:d| is)?|called|I am|I'm|is|meet|about|for|by|from|with)\s+({_PROPER})"
)
_CAPITALISED = re.compile(rf"(?<!^)(?<![.!?] )\b({_PROPER})")
_ENUMERATION = re.compile(r"\s{0,3}(?:,\s{0,3}and\s|,|\sand\s|\sor\s)\s{0,3}")

_PLACES = ("city", "location", "place", "destination", "town", "region", "country", "origin")
_PEOPLE = ("name", "person", "author", "user", "customer", "participant", "who", "attendee")
_WHOLE = (
    "query", "question", "prompt", "text", "message", "input", "content", "search", "q", "request",
    "description", "summary", "title", "task", "topic", "subject", "body", "event",
)  # fmt: skip
_SYMBOLS = {
    "add": r"\+|\bplus\b|\badd|\bsum\b",
    "plus": r"\+|\bplus\b|\badd|\bsum\b",
    "subtract": r"(?<=\d)\s*-|\bminus\b|\bsubtract",
    "minus": r"(?<=\d)\s*-|\bminus\b|\bsubtract",
    "multiply": r"[*×]|\btimes\b|\bmultipl",
    "times": r"[*×]|\btimes\b|\bmultipl",
    "divide": r"[/÷]|\bdivid",
}
_COMMANDS = ("cmd", "command", "code", "script", "sql")
_COMMAND = re.compile(r"`([^`\n]+)`")
_UNTRUE = re.compile(r"\b(?:no|not|never|false|without|isn't|don't|disable)\b", re.IGNORECASE)


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
    """Places the text names, in order: "Paris, Rome and Oslo" are three."""
    found = _PLACE.search(text)
    if found:
        # "Florence, Italy" is one place, "Paris and Rome" are two.
        if " and " in found[1] or " or " in found[1]:
            return [part.removeprefix("in ") for part in _ENUMERATION.split(found[1]) if part]
        return [found[1].rstrip(".,")]
    known = [city for city in _CITIES if city in text]
    return sorted(known, key=text.index) if known else _CAPITALISED.findall(text)[:1]


class Hints:
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
            return str(stated)
        kind = words[-1]
        command = _COMMAND.search(self.text) if kind in _COMMANDS else None
        if command:
            return command[1]
        for names, pattern in (
            (("email", "mail"), _EMAIL),
            (("url", "uri", "link", "website"), _URL),
            (("date", "day", "deadline", "birthday"), _DATE),
            (("time",), _TIME),
        ):
            if kind in names:
                found = pattern.search(self.text)
                return str(found[0]) if found else None
        return self._by_kind(set(words), kind)

    def _by_kind(self, words: set[str], kind: str) -> str | None:
        if words & set(_PLACES):
            places = find_places(self.text)
            return str(places[0]) if places else None
        if words & set(_PEOPLE):
            return self._person()
        if self._quoted:
            return self._quoted.pop(0)
        if kind in ("expression", "formula", "equation"):
            found = re.search(r"[\d(][\d\s+*/().^-]*[\d)]", self.text)
            return found[0] if found else None
        return self.text if kind in _WHOLE else None

    def _person(self) -> str | None:
        found = _PERSON.search(self.text)
        if found:
            return found[1]
        # A first word is capitalised whoever it names; two in a row are a name even there.
        full = re.search(rf"\b{_WORD} {_WORD}(?: {_WORD})*", self.text)
        alone = _CAPITALISED.search(self.text)
        return full[0] if full else alone[1] if alone else None

    def _stated(self, words: list[str], value: str) -> str | None:
        phrase = r"[\s_-]?".join(map(re.escape, words))
        pattern = rf"\b{phrase}[\"']?\s*(?::|=|\bis\b|\bto be\b)\s*{value}"
        found = re.search(pattern, self.text, re.IGNORECASE)
        return found[1].strip() if found else None

    def number(self, name: str) -> str | None:
        """A number for the property: one stated for it, else the next that was not yet used."""
        words = split_words(name)
        stated = self._stated(words, r"(-?\d{1,15}(?:\.\d{1,15})?)(?!\d)") if words else None
        if stated:
            self._use(stated)
            return stated
        aged = re.search(r"(\d{1,3})[ -]years?[ -]old", self.text) if "age" in words else None
        if aged:
            self._use(aged[1])
            return aged[1]
        if self._numbers:
            return self._numbers.pop(0)
        return self._worded(words)

    def _worded(self, words: list[str]) -> str | None:
        if not {"count", "number", "amount", "quantity", "n"} & set(words):
            return None
        found = re.search(r"\b(two|three|four|five|six|seven|eight|nine|ten)\b", self.text.lower())
        return str(NUMBER_WORDS[found[1]]) if found else None

    def _use(self, number: str) -> None:
        self._numbers = [other for other in self._numbers if other != number]

    def option(self, values: list[object]) -> object | None:
        """The first of the values that the prompt mentions."""
        lowered = self.text.lower()
        for value in values:
            if not isinstance(value, str) or not value:
                continue
            spoken = " ".join(split_words(value))
            ending = r"(?!\w)" if len(spoken) < 4 else ""
            if spoken and re.search(rf"(?<!\w){re.escape(spoken)}{ending}", lowered):
                return value
            symbol = _SYMBOLS.get(value.lower())
            if symbol and re.search(symbol, lowered):
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
        if kinds & set(_PLACES):
            return find_places(self.text)
        if kinds & set(_PEOPLE):
            return self._enumerated()
        return []

    def _enumerated(self) -> list[str]:
        pattern = rf"\b{_PROPER}(?:(?:,? and |, ){_PROPER})*"
        longest = max(re.findall(pattern, self.text), key=len, default="")
        return [part for part in _ENUMERATION.split(longest) if part]
