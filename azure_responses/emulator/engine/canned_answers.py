"""What the engine says: the first rule that fits the prompt, worded as it was asked to.

A rule answers in full and in short; the short answer serves instructions such as "one word".
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction

from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.engine.input_items import describe_attachments
from azure_responses.emulator.engine.prompt_values import NUMBER_WORDS, name_one
from azure_responses.emulator.engine.transcript import Transcript

__all__ = [
    "CAPITALS",
    "GREETINGS",
    "LANGUAGES",
    "LISTS",
    "WORDS",
    "apply_rules",
    "compose",
    "find_sum",
    "learn_facts",
    "read_count",
    "recall",
    "solve",
    "split_sentences",
    "tell",
]


GREETINGS = {
    "english": "Hello",
    "french": "Bonjour",
    "german": "Hallo",
    "spanish": "Hola",
    "italian": "Ciao",
    "portuguese": "Olá",
    "dutch": "Hallo",
    "swedish": "Hej",
    "danish": "Hej",
    "polish": "Cześć",
    "turkish": "Merhaba",
    "japanese": "こんにちは",
    "chinese": "你好",
    "korean": "안녕하세요",
    "russian": "Привет",
    "arabic": "مرحبا",
    "hindi": "नमस्ते",
}
LANGUAGES = "|".join(GREETINGS)

# A few words in a few languages, for "translate … to …"; keys are English.
WORDS: dict[str, dict[str, str]] = {
    "hello": {name: word.lower() for name, word in GREETINGS.items()},
    "thank you": {
        "french": "merci",
        "german": "danke",
        "spanish": "gracias",
        "italian": "grazie",
        "portuguese": "obrigado",
        "japanese": "ありがとう",
    },
    "cat": {
        "french": "chat",
        "german": "Katze",
        "spanish": "gato",
        "italian": "gatto",
        "portuguese": "gato",
        "japanese": "猫",
    },
    "dog": {
        "french": "chien",
        "german": "Hund",
        "spanish": "perro",
        "italian": "cane",
        "portuguese": "cão",
        "japanese": "犬",
    },
    "good morning": {
        "french": "bonjour",
        "german": "guten Morgen",
        "spanish": "buenos días",
        "italian": "buongiorno",
        "portuguese": "bom dia",
        "japanese": "おはよう",
    },
}

LISTS = {
    "colour": [
        "red",
        "blue",
        "green",
        "yellow",
        "orange",
        "purple",
        "white",
        "black",
        "pink",
        "brown",
    ],
    "fruit": [
        "apple",
        "banana",
        "cherry",
        "orange",
        "grape",
        "mango",
        "pear",
        "peach",
        "plum",
        "kiwi",
    ],
    "animal": ["cat", "dog", "horse", "elephant", "tiger", "rabbit", "bear", "fox", "wolf", "owl"],
    "planet": ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"],
    "city": [
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
    ],
    "country": [
        "France",
        "Japan",
        "Brazil",
        "Egypt",
        "Canada",
        "Germany",
        "India",
        "Kenya",
        "Spain",
        "Chile",
    ],
    "day": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "month": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "language": [
        "English",
        "Spanish",
        "French",
        "German",
        "Italian",
        "Japanese",
        "Hindi",
        "Arabic",
        "Korean",
        "Dutch",
    ],
    "programming language": [
        "Python",
        "Go",
        "Rust",
        "Java",
        "C",
        "JavaScript",
        "Ruby",
        "Swift",
        "Kotlin",
        "Haskell",
    ],
    "prime": ["2", "3", "5", "7", "11", "13", "17", "19", "23", "29"],
    "vegetable": [
        "carrot",
        "potato",
        "tomato",
        "onion",
        "spinach",
        "pea",
        "bean",
        "cabbage",
        "leek",
        "pepper",
    ],
    "season": ["spring", "summer", "autumn", "winter"],
}

CAPITALS = {
    "france": "Paris",
    "germany": "Berlin",
    "spain": "Madrid",
    "italy": "Rome",
    "portugal": "Lisbon",
    "denmark": "Copenhagen",
    "sweden": "Stockholm",
    "norway": "Oslo",
    "finland": "Helsinki",
    "poland": "Warsaw",
    "austria": "Vienna",
    "switzerland": "Bern",
    "netherlands": "Amsterdam",
    "belgium": "Brussels",
    "greece": "Athens",
    "ireland": "Dublin",
    "united kingdom": "London",
    "uk": "London",
    "england": "London",
    "turkey": "Ankara",
    "japan": "Tokyo",
    "china": "Beijing",
    "south korea": "Seoul",
    "india": "New Delhi",
    "australia": "Canberra",
    "canada": "Ottawa",
    "united states": "Washington, D.C.",
    "usa": "Washington, D.C.",
    "mexico": "Mexico City",
    "brazil": "Brasília",
    "argentina": "Buenos Aires",
    "egypt": "Cairo",
    "kenya": "Nairobi",
    "south africa": "Pretoria",
}


_Rule = tuple[re.Pattern[str], Callable[[str, str, re.Match[str]], str]]
_QUOTED = r"[\"'“](?P<quoted>[^\"'”]+)[\"'”]"


def _compile_form(pattern: str) -> re.Pattern[str]:
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
_FORM_RULES: tuple[_Rule, ...] = (
    (
        _compile_form(
            rf"\b(?:answer|reply|respond|speak|talk|write|only)\b[^.\n]{{0,30}}?"
            rf"\bin (?P<language>{LANGUAGES})\b"
        ),
        _in_language,
    ),
    (
        _compile_form(
            r"\b(?:one|a single|1)[- ]word\b|\bonly (?:with )?the (?:name|word)\b|"
            r"\b(?:just|only) (?:with )?(?:give |say |output |return |print )?(?:me )?"
            r"the (?:number|answer|result|name|word|value|letter|city|country|year|date)\b"
        ),
        _shorten,
    ),
    (
        _compile_form(
            r"\b(?:at most|no more than|maximum of|under|within|less than|in) "
            r"(?P<words>\d+|two|three|four|five|six|seven|eight|nine|ten) words\b"
        ),
        _limit_words,
    ),
    (
        _compile_form(r"\b(?:in|at most|no more than|using) (?:\w+) sentences?\b"),
        _limit_sentences,
    ),
    (_compile_form(r"\b(?:speak|talk|respond|answer|reply|write)\b[^.\n]{0,20}like a pirate\b"),
     lambda text, short, found: f"Arr, matey! {text}"),
    (_compile_form(r"\b(?:use|as|with|in)(?: a)? bullet(?:ed)?[- ]?(?:points|list)?\b"), _bullets),
    (_compile_form(r"\b(?:always )?call me (?P<name>[A-Z][\w\-]*)"),
     lambda text, short, found: f"{found['name']}, {text[:1].lower() + text[1:]}"
     if found["name"] not in text else text),
    (_compile_form(rf"\b(?:start|begin) (?:every|each|your|the)?[^.\n]{{0,20}}\bwith {_QUOTED}"),
     lambda text, short, found: text if text.startswith(found["quoted"])
     else f"{found['quoted']} {text}"),
    (_compile_form(rf"\bend (?:every|each|your|the)?[^.\n]{{0,20}}\bwith {_QUOTED}"),
     lambda text, short, found: text if text.endswith(found["quoted"])
     else f"{text} {found['quoted']}"),
    (_compile_form(r"\bin (?:all )?(?:upper ?case|caps|capital letters|capitals)\b"),
     lambda text, short, found: text.upper()),
    (_compile_form(r"\bin (?:all )?lower ?case\b"), lambda text, short, found: text.lower()),
    (_compile_form(r"\b(?:no|without(?: any)?) punctuation\b"),
     lambda text, short, found: re.sub(r"[^\w\s]", "", text)),
)  # fmt: skip
_CUES = _compile_form(
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
    for pattern, apply in _FORM_RULES:
        found = pattern.search(asked)
        if found:
            text = apply(text, short, found)
    return text


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


def compose(transcript: Transcript, generation: Generation, verbosity: str = "medium") -> str:
    """The text of the answer."""
    prompt = transcript.prompt[:_READ]
    if transcript.results:
        text, short = _from_results(transcript)
    else:
        text, short = _answer(transcript, generation, prompt)
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


def _answer(transcript: Transcript, generation: Generation, prompt: str) -> tuple[str, str]:
    exact = _say_exactly(prompt)
    if exact:
        return exact
    if transcript.attachments:
        seen = describe_attachments(transcript.attachments, generation.find_file)
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


_FACT = re.compile(
    r"\b(?:my|the|our)\s+(?P<what>[a-z][a-z \-]{1,40}?)\s+(?:is|are|was|equals|=)\s+"
    r"(?:called\s+|named\s+)?(?P<value>[^.!?\n,;]{1,80}?)"
    r"(?=\s+and\s+(?:my|I|our|the)\b|[.!?\n,;]|$)",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?i:i am called|call me|i'm called|i am|i'm)\s+(?P<value>[A-Z][\w\-]*(?:\s[A-Z][\w\-]*)*)"
)
_LIVES = re.compile(
    r"\bI (?P<what>live in|work at|work as|come from|like|love|own) (?P<value>[^.!?\n,;]{1,80})"
)
_REMEMBER = re.compile(
    r"\bremember\b(?: that| this)?:?\s+(?P<value>[^.!?\n]{1,120})", re.IGNORECASE
)
_ASKED = re.compile(
    r"\b(?:what(?:'s| is| was| are)|who(?:'s| is)|tell me|do you (?:know|remember)|recall|"
    r"repeat|say)\s+(?:again\s+)?(?:what\s+)?(?:my|the|our)\s+(?P<what>[a-z][a-z \-]{1,40}?)"
    r"(?:\s+(?:is|was|again|I (?:told|gave) you.*))*\s*[?.!]*$",
    re.IGNORECASE,
)
_ASKED_WHO = re.compile(r"\bwho am i\b", re.IGNORECASE)
_ASKED_LIVES = re.compile(
    r"\b(?:where|what) do I (?P<what>live|work at|work as|come from|like|love|own)\b", re.IGNORECASE
)
_ASKED_MEMORY = re.compile(
    r"\bwhat (?:did i (?:ask|tell) you to remember|should you remember)\b", re.IGNORECASE
)
_ASKED_BEFORE = re.compile(
    r"\bwhat did (?P<who>i|you) (?:just )?(?:say|ask|tell|answer|write)|"
    r"\bwhat was my (?:last|previous|first) (?:question|message)",
    re.IGNORECASE,
)


def learn_facts(texts: Iterable[str]) -> dict[str, str]:
    """What users said of themselves, by the word they used: `name`, `favourite colour`."""
    facts: dict[str, str] = {}
    for text in texts:
        for found in _FACT.finditer(text):
            facts[_key(found["what"])] = found["value"].strip()
        for found in _LIVES.finditer(text):
            facts[found["what"].split()[0]] = found["value"].strip()
        named = _NAME.search(text)
        if named:
            facts["name"] = named["value"]
        kept = _REMEMBER.search(text)
        if kept:
            facts["remember"] = kept["value"].strip()
    return facts


def _key(words: str) -> str:
    return words.strip().lower().replace("color", "colour").replace("favorite", "favourite")


def recall(prompt: str, messages: list[tuple[str, str]]) -> tuple[str, str] | None:
    """The answer to a question about earlier turns, in full and in short; None for others."""
    earlier = messages[:-1]
    before = None if _ASKED_MEMORY.search(prompt) else _ASKED_BEFORE.search(prompt)
    if before:
        return _recall_message(before, earlier)
    asked = _find_question(prompt)
    if asked is None:
        return None
    facts = learn_facts(text for role, text in messages if role == "user" and text != prompt)
    what, phrase = asked
    value = facts.get(what)
    if value is None:
        is_of_user = re.search(rf"\bmy {re.escape(what)}", prompt, re.IGNORECASE)
        unknown = "I do not know that: you have not told me yet."
        return (unknown, "Unknown") if is_of_user or what == "name" else None
    return phrase.format(value), value


def _find_question(prompt: str) -> tuple[str, str] | None:
    if _ASKED_WHO.search(prompt):
        return "name", "You are {}."
    if _ASKED_MEMORY.search(prompt):
        return "remember", "You asked me to remember: {}."
    lives = _ASKED_LIVES.search(prompt)
    if lives:
        verb = lives["what"].lower()
        return verb.split()[0], f"You {verb} {'in ' if verb == 'live' else ''}{{}}."
    asked = _ASKED.search(prompt)
    if asked:
        return _key(asked["what"]), f"Your {asked['what'].strip()} is {{}}."
    return None


def _recall_message(before: re.Match[str], earlier: list[tuple[str, str]]) -> tuple[str, str]:
    role = "assistant" if (before["who"] or "").lower() == "you" else "user"
    texts = [text for speaker, text in earlier if speaker == role]
    if not texts:
        return "Nothing yet: this is the first message.", "Nothing"
    found = texts[0] if "first" in before[0].lower() else texts[-1]
    return f'{"I" if role == "assistant" else "You"} said: "{found}"', found


_WANTED = re.compile(
    r"\b(story|tale|poem|haiku|limerick|song|essay|article|paragraph|explanation|joke|summary|"
    r"description|letter|email)\b(?:[^.?!]*?\b(?:about|of|on|regarding|featuring)\s+"
    r"(?P<subject>[^.?!,\n]+))?",
    re.IGNORECASE,
)
_COUNT = re.compile(r"\b(\d{1,3}|[a-z]+)[- ](sentence|paragraph|line|verse)s?\b", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_ARTICLE = re.compile(r"^(?:an?|the|some)\s+", re.IGNORECASE)

_STORY = (
    "Once upon a time, {subject} lived quietly at the edge of a silver forest.",
    "One night the stars fell silent, and {subject} set out to find the song they had lost.",
    "When the song was found again, {subject} curled up beneath the moon and slept until morning.",
    "On the way home, a small owl asked {subject} for a story of its own.",
    "The forest listened, and every leaf kept one word of it.",
    "From that day on, {subject} was never far from a friend.",
)
_VERSE = (
    "Softly comes {subject} through the morning light,",
    "A quiet step, a gentle sound, a spark against the night;",
    "The hills remember {subject} and every word it said,",
    "And keep a little warmth of it for all the roads ahead.",
)
_HAIKU = ("Morning light returns", "{subject} beneath the pine", "a bell, then silence")
_PROSE = (
    "There is a good deal to say about {subject}.",
    "The first thing to know about {subject} is where it comes from and what it is for.",
    "What follows from this is best seen in an everyday example.",
    "In short, {subject} repays a closer look.",
)
_JOKE = (
    "Why did {subject} bring a ladder?",
    "Because it wanted to reach a higher level of humour.",
)
_SHAPES = {
    "story": _STORY,
    "tale": _STORY,
    "poem": _VERSE,
    "limerick": _VERSE,
    "song": _VERSE,
    "haiku": _HAIKU,
    "joke": _JOKE,
}


def split_sentences(text: str) -> list[str]:
    """The sentences of a text, without the white space between them."""
    return _SENTENCE_END.split(text)


def read_count(text: str) -> tuple[int, str] | None:
    """How many sentences, paragraphs, lines or verses the text asks for, and which of these."""
    for found in _COUNT.finditer(text):
        word = found[1].lower()
        count = int(word) if word.isdigit() else NUMBER_WORDS.get(word)
        if count:
            return count, found[2].lower()
    return None


def tell(prompt: str) -> str | None:
    """The piece the prompt asks for; None where it asks for none."""
    found = _WANTED.search(prompt)
    if not found:
        return None
    subject = (found["subject"] or "someone curious").strip().rstrip("\"'")
    bare = _ARTICLE.sub("", subject)
    sentences = _SHAPES.get(found[1].lower(), _PROSE)
    separator = "\n" if sentences in (_VERSE, _HAIKU) else " "
    asked = read_count(prompt)
    count, unit = asked or (len(sentences) if sentences is not _STORY else 3, "sentence")
    lines = [_line(sentences, index, bare, subject) for index in range(min(count, 100))]
    if unit == "paragraph":
        return "\n\n".join(f"{line} {_line(_PROSE, 2, bare, subject)}" for line in lines)
    return separator.join(lines)


def _line(sentences: tuple[str, ...], index: int, bare: str, subject: str) -> str:
    pattern = sentences[index % len(sentences)]
    # The first mention keeps the article of the prompt, later ones know who is meant.
    is_named = bare != subject
    later = f"the {bare}" if is_named else subject
    line = pattern.format(subject=subject if index == 0 else later)
    return line[0].upper() + line[1:]


_WORDS = (
    (re.compile(r"\bmultiplied by\b|\btimes\b|[×x](?=\s*\d)"), "*"),
    (re.compile(r"\bdivided by\b|\bover\b|÷"), "/"),
    (re.compile(r"\bplus\b"), "+"),
    (re.compile(r"\bminus\b|−"), "-"),
    (re.compile(r"\bto the power of\b|\^"), "**"),
    (re.compile(r"\bmodulo\b|\bmod\b"), "%"),
)
# Nothing repeats without a limit beside what it may also match: no text makes the search slow.
_NUMBER = r"-?\d{1,100}(?:\.\d{1,100})?(?!\d)"
_TERM = rf"\({{0,50}} ?{_NUMBER} ?\){{0,50}}"
_SUM = re.compile(rf"(?<![\d(]){_TERM}(?: ?(?:\*\*|[-+*/%]) ?{_TERM})+")
_BINARY = re.compile(r"(?<=[\d)])\s*(\*\*|[-+*/%])\s*")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_LARGEST_POWER, _LARGEST_BASE, _LONGEST = 64, 10**6, 200


def find_sum(text: str) -> tuple[str, str] | None:
    """The first sum in the text and its result, both as text; None where there is none."""
    lowered = " ".join(text.lower().split())
    for pattern, symbol in _WORDS:
        lowered = pattern.sub(symbol, lowered)
    found = _SUM.search(lowered)
    if not found or not any(sign in found[0] for sign in "+*/%- "):
        return None
    written = _BINARY.sub(r" \1 ", found[0].strip())
    result = solve(found[0])
    if result is None or _is_date(found[0]):
        return None
    return written, result


def _is_date(text: str) -> bool:
    return bool(re.fullmatch(r"\s*\d{4}-\d{2}-\d{2}\s*|\s*\d{1,2}/\d{1,2}/\d{2,4}\s*", text))


def solve(expression: str) -> str | None:
    """The value of an expression of numbers; None where it has none or is too large."""
    if len(expression) > _LONGEST:
        return None
    try:
        # Leading zeros are no Python, but they are numbers to whoever wrote them.
        cleaned = re.sub(r"\b0+(?=\d)", "", expression)
        return _write(_evaluate(ast.parse(cleaned.strip(), mode="eval").body))
    except (SyntaxError, ValueError, ArithmeticError):
        return None


def _write(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.10g}"


def _evaluate(node: ast.expr) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_evaluate(node.operand)
    if not isinstance(node, ast.BinOp):
        raise ValueError("not a sum")
    left, right = _evaluate(node.left), _evaluate(node.right)
    if isinstance(node.op, ast.Pow):
        return _raise(left, right)
    if type(node.op) not in _OPERATORS:
        raise ValueError("not a sum")
    return _OPERATORS[type(node.op)](left, right)


def _raise(base: Fraction, power: Fraction) -> Fraction:
    if power.denominator != 1 or abs(power) > _LARGEST_POWER or abs(base) > _LARGEST_BASE:
        raise ValueError("too large")
    return Fraction(base ** int(power))
