"""What the engine says: the first rule that fits the prompt, worded as it was asked to.

A rule answers in full and in short; the short answer serves instructions such as "one word".
"""

import re
from collections.abc import Callable

from azure_responses.emulator.engine.arithmetic import find_sum
from azure_responses.emulator.engine.attachments import describe_attachments
from azure_responses.emulator.engine.hints import name_one
from azure_responses.emulator.engine.knowledge import (
    CAPITALS,
    GREETINGS,
    LANGUAGES,
    LISTS,
    NUMBER_WORDS,
    WORDS,
)
from azure_responses.emulator.engine.memory import learn_facts, recall
from azure_responses.emulator.engine.stories import split_sentences, tell
from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.engine.wording import apply_rules

__all__ = ["compose"]

_Reply = tuple[str, str] | None
# Rules read the beginning of a prompt: nobody asks for a sum after 4,000 characters of text.
_READ = 4000


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_EXACTLY = re.compile(
    r"\b(?:reply|respond|answer|output|return|print|write|say|repeat)\b"
    r"(?: (?:back|to me|after me))?(?: with)?(?: (?:only|just))?"
    r"(?: (?:exactly|the (?:exact )?(?:words?|text|phrase|string|sentence)|verbatim))+"
    # "Reply with just the word." says which form, not which word.
    r"(?: (?:this|these words))?:?\s*(?![.!?\s])(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)
_ONLY = _compile(
    r"\b(?:reply|respond|answer|say|repeat)\b(?: with)?(?: (?:only|just|after me))?"
    r"(?::\s*| (?:with )?(?=[\"“'`]))(?P<text>[\"“'`].+?[\"”'`]|[^\"\s][^\"\n]*)"
)
_ONE_OF = _compile(
    r"\b(?:reply|respond|answer|output|return|say|classify|choose|pick|select)\b[^\n:]{0,60}?"
    r"\bone of(?: the)?(?: these| following)?(?: \w+)?: *(?P<options>[^\n.]+)"
)
_SAY = _compile(
    r"^\s*(?:please\s+)?(?:say|echo|repeat)\s+(?!hi\b|hello\b|something|anything|it\b|that\b)"
    r"(?P<text>[^\n]{1,200}?)[.!]?\s*$"
)
_HELLO_IN = _compile(rf"\b(?:hi|hello|greet\w*)\b[^.?!]*\bin (?P<language>{LANGUAGES})\b")
_TRANSLATE = _compile(
    rf"\btranslate\b:?\s+[\"“']?(?P<text>[^\"”']+?)[\"”']?\s+(?:in)?to (?P<language>{LANGUAGES})\b"
)
_CAPITAL = _compile(r"\bcapital (?:city )?of (?:the )?(?P<country>[a-z ]+?)\s*(?:[?.!,]|$|\bin\b)")
_COUNT_TO = _compile(
    r"\bcount\b(?: down| up)?(?: from (?P<start>\d+))?[^.\d]{0,12} to (?P<end>\d+|ten|five|three)"
)
_LIST = _compile(
    r"\b(?:list|name|give me|tell me|write)\b\s+(?:me\s+)?(?P<count>\d+|two|three|four|five|six|"
    r"seven|eight|nine|ten)\s+(?P<what>(?:[a-z]+ )?[a-z]+)"
)
_REVERSE = _compile(r"\breverse\b[^\"'“:]*[\"'“:]\s*(?P<text>[^\"'”]+)")
_LETTERS = _compile(
    r"\bhow many (?:(?P<letter>[a-z])(?:'?s)?|letters|characters) (?:are )?(?:there )?in "
    r"(?:the word )?[\"'“]?(?P<word>[\w\-]+)"
)
_GREETING = _compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|evening|afternoon)|greetings)\b[^?]{0,40}$"
)
_THANKS = _compile(r"^\W*(?:thanks|thank you|cheers)\b")
_MODEL = _compile(r"\b(?:who|what) are you\b|\bwhat model\b")
_SUMMARISE = re.compile(r"\bsummari[sz]e\b[^:\n]*[:\n]\s*(?P<text>.+)", re.IGNORECASE | re.DOTALL)
_YES_NO = _compile(
    r"\b(?:yes or no|true or false)\b|^(?:is|are|do|does|did|can|will|was|were)\b[^?]*\?\s*$"
)


def compose(transcript: Transcript, turn: Turn, verbosity: str = "medium") -> str:
    """The text of the answer."""
    prompt = transcript.prompt[:_READ]
    if transcript.results:
        text, short = _from_results(transcript)
    else:
        text, short = _answer(transcript, turn, prompt)
    instructions = transcript.instructions[:_READ]
    text = apply_rules(text, short, instructions, _without_quotation(prompt))
    if verbosity == "low" and not _EXACTLY.search(prompt):
        return split_sentences(text)[0]
    if verbosity == "high" and short:
        return f"{text} I worked this out by a fixed rule, so the same prompt has the same answer."
    return text


def _without_quotation(prompt: str) -> str:
    # Rules of form do not apply to words the prompt only quotes.
    found = _EXACTLY.search(prompt)
    return prompt[: found.start("text")] if found else prompt


def _answer(transcript: Transcript, turn: Turn, prompt: str) -> tuple[str, str]:
    exact = _say_exactly(prompt)
    if exact:
        return exact
    if transcript.attachments:
        seen = describe_attachments(transcript.attachments, turn.find_file)
        return seen, ""
    remembered = recall(prompt, transcript.messages)
    if remembered:
        return remembered
    for rule in _RULES:
        reply = rule(prompt)
        if reply:
            return reply
    return _default(prompt)


def _from_results(transcript: Transcript) -> tuple[str, str]:
    said = []
    for result in transcript.results:
        told = f" for {result.arguments}" if result.arguments not in ("", "{}") else ""
        said.append(f"{result.name}{told} returned: {result.output}")
    text = said[0] if len(said) == 1 else "\n".join(f"- {line}" for line in said)
    return text, transcript.results[-1].output


def _say_exactly(prompt: str) -> _Reply:
    # opencode puts quotation marks around a whole prompt.
    is_quoted = len(prompt) > 2 and prompt[0] == '"' == prompt[-1] and prompt.count('"') == 2
    asked = prompt[1:-1] if is_quoted else prompt
    choice = _choose(asked)
    if choice:
        return choice, choice
    for pattern in (_EXACTLY, _ONLY, _SAY):
        found = pattern.search(asked)
        text = _unquote(found["text"].strip()) if found else ""
        if text:
            return text, text
    return None


def _choose(prompt: str) -> str:
    """The first of the words that the prompt lets choose from, "" where it does not."""
    found = _ONE_OF.search(prompt)
    options = re.split(r",|\bor\b|[/|]", found["options"]) if found else []
    return next((option for each in options if (option := each.strip(" '\"`[]"))), "")


def _unquote(text: str) -> str:
    pairs = {'"': '"', "'": "'", "“": "”", "`": "`"}
    closing = pairs.get(text[:1])
    if closing and closing in text[1:]:
        return text[1 : text.index(closing, 1)]
    return text


def _say_hello_in(prompt: str) -> _Reply:
    found = _HELLO_IN.search(prompt)
    word = GREETINGS[found["language"].lower()] if found else ""
    return (f"{word}!", f"{word}!") if found else None


def _translate(prompt: str) -> _Reply:
    found = _TRANSLATE.search(prompt)
    if not found:
        return None
    language, text = found["language"].lower(), found["text"].strip()
    known = WORDS.get(text.lower().rstrip("!."), {}).get(language)
    said = known or f"[{language.capitalize()}] {text}"
    return said, said


def _name_capital(prompt: str) -> _Reply:
    found = _CAPITAL.search(prompt)
    capital = CAPITALS.get(found["country"].strip().lower()) if found else None
    if not found or not capital:
        return None
    return f"The capital of {found['country'].strip().title()} is {capital}.", capital


def _calculate(prompt: str) -> _Reply:
    found = find_sum(prompt)
    return (f"{found[0]} = {found[1]}", found[1]) if found else None


def _number(word: str) -> int:
    return int(word) if word.isdigit() else NUMBER_WORDS[word.lower()]


def _count(prompt: str) -> _Reply:
    found = _COUNT_TO.search(prompt)
    if not found:
        return None
    start, end = int(found["start"] or 1), _number(found["end"])
    step = 1 if end >= start else -1
    numbers = range(start, end + step, step)[:1000]
    return ", ".join(map(str, numbers)), str(len(numbers))


def _list(prompt: str) -> _Reply:
    found = _LIST.search(prompt)
    if not found:
        return None
    words = found["what"].lower().replace("color", "colour").split()
    known = None
    for name in (" ".join(words), words[0], words[-1]):
        known = known or LISTS.get(name_one(name))
    count = min(_number(found["count"]), 100)
    noun = name_one(words[-1])
    entries = known or [f"{noun} {number + 1}" for number in range(count)]
    return "\n".join(f"{n + 1}. {entry}" for n, entry in enumerate(entries[:count])), entries[0]


def _reverse(prompt: str) -> _Reply:
    found = _REVERSE.search(prompt)
    return (found["text"].strip()[::-1],) * 2 if found else None


def _count_letters(prompt: str) -> _Reply:
    found = _LETTERS.search(prompt)
    if not found:
        return None
    word, letter = found["word"], found["letter"]
    count = word.lower().count(letter.lower()) if letter else len(word)
    what = f"the letter {letter}" if letter else "letters"
    times = "time" if count == 1 else "times"
    if letter:
        return f'"{word}" has {what} {count} {times}.', str(count)
    return f'"{word}" has {count} letters.', str(count)


def _summarise(prompt: str) -> _Reply:
    found = _SUMMARISE.search(prompt)
    if not found:
        return None
    sentence = split_sentences(found["text"].strip())[0]
    return f"In short: {sentence}", sentence


def _tell(prompt: str) -> _Reply:
    told = tell(prompt)
    return (told, "") if told else None


def _learn(prompt: str) -> _Reply:
    facts = {} if "?" in prompt else learn_facts([prompt])
    if not facts:
        return None
    if "remember" in facts:
        return f"I will remember: {facts['remember']}.", "Remembered"
    if "name" in facts:
        return f"Nice to meet you, {facts['name']}.", facts["name"]
    what, value = next(iter(facts.items()))
    return f"Noted: your {what} is {value}.", "Noted"


def _greet(prompt: str) -> _Reply:
    if _GREETING.match(prompt):
        return "Hello! How can I help you today?", "Hello"
    if _THANKS.match(prompt):
        return "You are welcome!", "Welcome"
    return None


def _introduce(prompt: str) -> _Reply:
    if not _MODEL.search(prompt):
        return None
    return "I am an emulated model: I answer by rule and without a network.", "Emulator"


def _decide(prompt: str) -> _Reply:
    if not _YES_NO.search(prompt):
        return None
    # Any fixed choice would do; the length of the question makes both come up.
    said = "Yes" if len(prompt) % 2 == 0 else "No"
    return f"{said}, as far as a rule can tell.", said


def _default(prompt: str) -> tuple[str, str]:
    if not prompt.strip():
        return "There is nothing to answer yet.", "Nothing"
    shown = " ".join(prompt.split())
    if len(shown) > 160:
        shown = shown[:157] + "..."
    return f'You wrote: "{shown}" This is an emulated answer to it.', ""


_RULES: tuple[Callable[[str], _Reply], ...] = (
    _say_hello_in,
    _translate,
    _name_capital,
    _count,
    _count_letters,
    _reverse,
    _summarise,
    _tell,
    _list,
    _calculate,
    _learn,
    _greet,
    _introduce,
    _decide,
)
