"""How an answer is worded: the rules about form that instructions and prompts give."""

import re
from collections.abc import Callable

from azure_responses.emulator.engine.knowledge import GREETINGS, LANGUAGES, NUMBER_WORDS
from azure_responses.emulator.engine.stories import read_count, split_sentences

__all__ = ["apply_rules"]

_Rule = tuple[re.Pattern[str], Callable[[str, str, re.Match[str]], str]]
_QUOTED = r"[\"'“](?P<quoted>[^\"'”]+)[\"'”]"


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _shorten(text: str, short: str, found: re.Match[str]) -> str:
    return (short or text).split("\n")[0].rstrip(".") if short else first_word(text)


def first_word(text: str) -> str:
    """The first word that says something."""
    words = [word.strip(".,:;!?\"'") for word in text.split()]
    return next((word for word in words if len(word) > 1), text)


def _limit_words(text: str, short: str, found: re.Match[str]) -> str:
    word = found["words"].lower()
    count = int(word) if word.isdigit() else NUMBER_WORDS.get(word, 10)
    words = text.split()
    if count == 1:
        return short or first_word(text)
    return text if len(words) <= count else " ".join(words[:count]).rstrip(".,;:") + "."


def _limit_sentences(text: str, short: str, found: re.Match[str]) -> str:
    asked = read_count(found[0])
    return " ".join(split_sentences(text)[: asked[0]]) if asked else text


def _in_language(text: str, short: str, found: re.Match[str]) -> str:
    language = found["language"].lower()
    if text.split(",")[0].split("!")[0].split(".")[0] in GREETINGS.values():
        return GREETINGS[language] + "!"
    return text if language == "english" else f"[{found['language'].capitalize()}] {text}"


def _bullets(text: str, short: str, found: re.Match[str]) -> str:
    parts = re.split(r"(?<=[.!?])\s+|\n", text)
    return "\n".join(f"- {part.lstrip('- ')}" for part in parts if part)


# Applied in this order; the first group changes what is said, the last how it is written.
_RULES: tuple[_Rule, ...] = (
    (
        _compile(
            rf"\b(?:answer|reply|respond|speak|talk|write|only)\b[^.\n]{{0,30}}?"
            rf"\bin (?P<language>{LANGUAGES})\b"
        ),
        _in_language,
    ),
    (
        _compile(
            r"\b(?:one|a single|1)[- ]word\b|\bonly (?:with )?the (?:name|word)\b|"
            r"\b(?:just|only) (?:with )?(?:give |say |output |return |print )?(?:me )?"
            r"the (?:number|answer|result|name|word|value|letter|city|country|year|date)\b"
        ),
        _shorten,
    ),
    (
        _compile(
            r"\b(?:at most|no more than|maximum of|under|within|less than|in) "
            r"(?P<words>\d+|two|three|four|five|six|seven|eight|nine|ten) words\b"
        ),
        _limit_words,
    ),
    (
        _compile(r"\b(?:in|at most|no more than|using) (?:\w+) sentences?\b"),
        _limit_sentences,
    ),
    (_compile(r"\b(?:speak|talk|respond|answer|reply|write)\b[^.\n]{0,20}like a pirate\b"),
     lambda text, short, found: f"Arr, matey! {text}"),
    (_compile(r"\b(?:use|as|with|in)(?: a)? bullet(?:ed)?[- ]?(?:points|list)?\b"), _bullets),
    (_compile(r"\b(?:always )?call me (?P<name>[A-Z][\w\-]*)"),
     lambda text, short, found: f"{found['name']}, {text[:1].lower() + text[1:]}"
     if found["name"] not in text else text),
    (_compile(rf"\b(?:start|begin) (?:every|each|your|the)?[^.\n]{{0,20}}\bwith {_QUOTED}"),
     lambda text, short, found: text if text.startswith(found["quoted"])
     else f"{found['quoted']} {text}"),
    (_compile(rf"\bend (?:every|each|your|the)?[^.\n]{{0,20}}\bwith {_QUOTED}"),
     lambda text, short, found: text if text.endswith(found["quoted"])
     else f"{text} {found['quoted']}"),
    (_compile(r"\bin (?:all )?(?:upper ?case|caps|capital letters|capitals)\b"),
     lambda text, short, found: text.upper()),
    (_compile(r"\bin (?:all )?lower ?case\b"), lambda text, short, found: text.lower()),
    (_compile(r"\b(?:no|without(?: any)?) punctuation\b"),
     lambda text, short, found: re.sub(r"[^\w\s]", "", text)),
)  # fmt: skip
_CUES = _compile(
    r"word|only|just|sentence|pirate|bullet|call me|with [\"'“]|caps|capital|case|punctuation|"
    r"\bin (?:" + LANGUAGES + ")"
)


def apply_rules(text: str, short: str, instructions: str, prompt: str) -> str:
    """The text as the instructions and the prompt want it worded.

    `short` is the answer in a word or two, for rules that ask for no more; empty where there is
    none. A rule counts once, the instructions' before the prompt's.
    """
    asked = f"{instructions}\n{prompt}"
    if not _CUES.search(asked):
        return text
    for pattern, apply in _RULES:
        found = pattern.search(asked)
        if found:
            text = apply(text, short, found)
    return text
