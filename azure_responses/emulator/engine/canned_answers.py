"""The text of an answer: canned, for an emulator shows that calls work, not how a model thinks.

`compose` takes the first rule that fits the last user message. A rule gives the answer in full and
in short; the short one serves instructions such as "in one word". What a conversation needs is
real: the words to repeat, the facts of earlier messages, the results of tools, a sum.
"""

import ast
import operator
import re
from collections.abc import Callable, Iterable
from fractions import Fraction

from azure_responses.emulator.engine.attachments import describe_attachments
from azure_responses.emulator.engine.generation import Generation
from azure_responses.emulator.engine.transcript import Transcript

__all__ = ["compose", "find_sum", "first_sentence"]

_Answer = tuple[str, str] | None
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_NUMBER_WORDS = {word: number for number, word in enumerate(_WORDS, 1)}
# Rules read only the beginning of a prompt, so that no pattern runs over megabytes of text.
_READ = 4000


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# What is asked, and the answer in full and in short. Another answer is another row.
_CANNED = (
    (
        _compile(r"^\W*(?:hi|hello|hey|good (?:morning|evening|afternoon))\b[^?]{0,40}$"),
        ("Hello! How can I help you today?", "Hello"),
    ),
    (_compile(r"^\W*(?:thanks|thank you)\b"), ("You are welcome!", "Welcome")),
    (_compile(r"\bcapital (?:city )?of france\b"), ("The capital of France is Paris.", "Paris")),
    (_compile(r"\b(?:yes or no|true or false)\b"), ("Yes, as far as a rule can tell.", "Yes")),
)
# "Reply with exactly: pong". A quotation, a colon or the end of the line ends what is repeated.
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
_SAY = _compile(
    r"^\s*(?:please\s+)?(?:say|echo|repeat)\s+(?!hi\b|hello\b|something|anything|it\b|that\b)"
    r"(?P<text>[^\n]{1,200}?)[.!]?\s*$"
)
_ONE_OF = _compile(
    r"\b(?:reply|respond|answer|output|return|say|classify|choose|pick|select)\b[^\n:]{0,60}?"
    r"\bone of(?: the)?(?: these| following)?(?: \w+)?: *(?P<options>[^\n.]+)"
)
_COUNT = _compile(
    r"\bcount\b(?: down| up)?(?: from (?P<start>\d+))?[^.\d]{0,12} to (?P<end>\d+|ten|five|three)"
)
_STORY = _compile(
    r"\b(?:story|poem|essay|article|report|joke)\b"
    r"(?:[^.?!]*?\b(?:about|on)\s+(?P<subject>[^.?!,\n]+))?"
)
_LENGTH = _compile(r"\b(?P<count>\d{1,3}|[a-z]+)[- ](?:sentence|line|paragraph)s?\b")
_SENTENCES = (
    "Once upon a time, {subject} lived quietly at the edge of a silver forest.",
    "One night the stars fell silent, and {subject} set out to find their song.",
    "When the song was found, {subject} curled up beneath the moon and slept until morning.",
)


def compose(transcript: Transcript, generation: Generation, verbosity: str = "medium") -> str:
    """The text of the answer, in the form that the prompt and the instructions ask for."""
    prompt = transcript.prompt[:_READ]
    text, short = _answer(transcript, generation, prompt)
    # Rules of form do not apply to words that the prompt only quotes.
    exact = _EXACTLY.search(prompt)
    asked = prompt[: exact.start("text")] if exact else prompt
    text = _apply_form(text, short, f"{transcript.instructions[:_READ]}\n{asked}")
    if verbosity == "low" and not exact:
        return first_sentence(text)
    if verbosity == "high" and short:
        return f"{text} I worked this out by a fixed rule, so the same prompt has the same answer."
    return text


def first_sentence(text: str) -> str:
    """The text up to its first full stop, question mark or exclamation mark, inclusive."""
    return re.split(r"(?<=[.!?])\s+", text, maxsplit=1)[0]


def _answer(transcript: Transcript, generation: Generation, prompt: str) -> tuple[str, str]:
    if transcript.results:
        return _report_results(transcript)
    repeated = _repeat(prompt)
    if repeated:
        return repeated, repeated
    if transcript.attachments:
        return describe_attachments(transcript.attachments, generation.find_file), ""
    return (
        _recall(prompt, transcript.messages)
        or next((answer for rule in _RULES if (answer := rule(prompt))), None)
        or _echo(prompt)
    )


def _report_results(transcript: Transcript) -> tuple[str, str]:
    reported = []
    for result in transcript.results:
        given = f" for {result.arguments}" if result.arguments not in ("", "{}") else ""
        reported.append(f"{result.name}{given} returned: {result.output}")
    text = reported[0] if len(reported) == 1 else "\n".join(f"- {line}" for line in reported)
    return text, transcript.results[-1].output


def _echo(prompt: str) -> tuple[str, str]:
    if not prompt.strip():
        return "There is nothing to answer yet.", "Nothing"
    shown = " ".join(prompt.split())
    if len(shown) > 160:
        shown = shown[:157] + "..."
    return f'You wrote: "{shown}" This is an emulated answer to it.', ""


# Words to repeat


def _repeat(prompt: str) -> str:
    """The words that the prompt asks to repeat; "" where it asks for something else."""
    # opencode puts quotation marks around a whole prompt.
    is_quoted = len(prompt) > 2 and prompt[0] == '"' == prompt[-1] and prompt.count('"') == 2
    asked = prompt[1:-1] if is_quoted else prompt
    choice = _ONE_OF.search(asked)
    options = re.split(r",|\bor\b|[/|]", choice["options"]) if choice else []
    for option in options:
        if option.strip(" '\"`[]"):
            return option.strip(" '\"`[]")
    for pattern in (_EXACTLY, _ONLY, _SAY):
        found = pattern.search(asked)
        text = _unquote(found["text"].strip()) if found else ""
        if text:
            return text
    return ""


def _unquote(text: str) -> str:
    closing = {'"': '"', "'": "'", "“": "”", "`": "`"}.get(text[:1])
    return text[1 : text.index(closing, 1)] if closing and closing in text[1:] else text


# Facts of earlier messages

_FACT = _compile(
    r"\b(?:my|the|our)\s+(?P<what>[a-z][a-z \-]{1,40}?)\s+(?:is|are|was|=)\s+"
    r"(?:called\s+|named\s+)?(?P<value>[^.!?\n,;]{1,80}?)"
    r"(?=\s+and\s+(?:my|I|our|the)\b|[.!?\n,;]|$)"
)
_NAME = re.compile(r"\b(?i:call me|i'm called|i am|i'm)\s+(?P<value>[A-Z][\w\-]*)")
_ASKED = _compile(
    r"\b(?:what(?:'s| is| was| are)|who(?:'s| is)|tell me|do you (?:know|remember)|repeat|say)\s+"
    r"(?:what\s+)?(?:my|the|our)\s+(?P<what>[a-z][a-z \-]{1,40}?)"
    r"(?:\s+(?:is|was|again))*\s*[?.!]*$"
)
_WHO = _compile(r"\bwho am i\b")
_SAID_BEFORE = _compile(r"\bwhat did (?P<who>i|you) (?:just )?(?:say|ask|tell|answer|write)")


def _learn_facts(texts: Iterable[str]) -> dict[str, str]:
    """What users said of themselves, by the word they used: `name`, `favourite colour`."""
    facts: dict[str, str] = {}
    for text in texts:
        for found in _FACT.finditer(text):
            facts[found["what"].strip().lower()] = found["value"].strip()
        named = _NAME.search(text)
        if named:
            facts["name"] = named["value"]
    return facts


def _recall(prompt: str, messages: list[tuple[str, str]]) -> _Answer:
    """The answer to a question about earlier messages; None for other prompts."""
    before = _SAID_BEFORE.search(prompt)
    if before:
        return _recall_message("user" if before["who"].lower() == "i" else "assistant", messages)
    asked = _ASKED.search(prompt)
    what = "name" if _WHO.search(prompt) else asked["what"].strip().lower() if asked else ""
    facts = _learn_facts(text for role, text in messages if role == "user" and text != prompt)
    if what in facts:
        return f"Your {what} is {facts[what]}.", facts[what]
    # "What is the weather?" asks for nothing that the user could have said before.
    is_of_user = what == "name" or (what and f"my {what}" in prompt.lower())
    return ("I do not know that: you have not told me yet.", "Unknown") if is_of_user else None


def _recall_message(role: str, messages: list[tuple[str, str]]) -> tuple[str, str]:
    texts = [text for speaker, text in messages[:-1] if speaker == role]
    if not texts:
        return "Nothing yet: this is the first message.", "Nothing"
    return f'{"You" if role == "user" else "I"} said: "{texts[-1]}"', texts[-1]


def _acknowledge(prompt: str) -> _Answer:
    facts = {} if "?" in prompt else _learn_facts([prompt])
    if "name" in facts:
        return f"Nice to meet you, {facts['name']}.", facts["name"]
    return next(((f"Noted: your {what} is {facts[what]}.", "Noted") for what in facts), None)


# Texts of a length that the prompt decides


def _count(prompt: str) -> _Answer:
    found = _COUNT.search(prompt)
    if not found:
        return None
    start, end = int(found["start"] or 1), _read_number(found["end"])
    step = 1 if end >= start else -1
    numbers = range(start, end + step, step)[:1000]
    return ", ".join(map(str, numbers)), str(len(numbers))


def _read_number(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBER_WORDS.get(word.lower(), 0)


def _tell(prompt: str) -> _Answer:
    found = _STORY.search(prompt)
    if not found:
        return None
    subject = (found["subject"] or "a traveller").strip()
    length = _LENGTH.search(prompt)
    count = min((_read_number(length["count"]) if length else 0) or len(_SENTENCES), 100)
    # The first mention keeps the article of the prompt, later ones know which unicorn is meant.
    later = re.sub(r"^(?:an?|some)\s", "the ", subject, flags=re.IGNORECASE)
    sentences = (
        _SENTENCES[at % len(_SENTENCES)].format(subject=later if at else subject)
        for at in range(count)
    )
    return " ".join(sentences), ""


# Sums

# A minus or a slash counts only between spaces: "2026-01-02" and "12/25" are dates.

_NUMBER = r"-?\d{1,15}(?:\.\d{1,15})?(?!\d)"
_TERM = rf"\({{0,9}} ?{_NUMBER} ?\){{0,9}}"
_SUM = re.compile(rf"(?<![\w.(*]){_TERM}(?:(?: ?[+*] ?| [-/] ){_TERM})+")
_LONGEST_SUM = 200
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def find_sum(text: str) -> tuple[str, str] | None:
    """The first sum in the text and its exact result, both as text; None where there is none."""
    found = _SUM.search(text)
    written = re.sub(r"(?<=[\d)]) ?([-+*/]) ?", r" \1 ", found[0].strip()) if found else ""
    if not 0 < len(written) <= _LONGEST_SUM:
        return None
    try:
        value = _evaluate(ast.parse(written, mode="eval").body)
    except (SyntaxError, ZeroDivisionError):
        # Not an expression of Python: brackets do not match, or a number has leading zeros.
        return None
    result = str(value.numerator) if value.denominator == 1 else f"{float(value):.10g}"
    return written, result


def _evaluate(node: ast.expr) -> Fraction:
    """The value of what `_SUM` matched: numbers, their signs and the four operations."""
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_evaluate(node.left), _evaluate(node.right))
    if isinstance(node, ast.UnaryOp):
        return -_evaluate(node.operand)
    assert isinstance(node, ast.Constant)
    return Fraction(str(node.value))


def _calculate(prompt: str) -> _Answer:
    found = find_sum(prompt)
    return (f"{found[0]} = {found[1]}", found[1]) if found else None


def _find_canned(prompt: str) -> _Answer:
    return next((answer for pattern, answer in _CANNED if pattern.search(prompt)), None)


_RULES: tuple[Callable[[str], _Answer], ...] = (
    _find_canned,
    _count,
    _tell,
    _calculate,
    _acknowledge,
)

# The form of the answer

_ONE_WORD = _compile(
    r"\b(?:one|a single|1)[- ]word\b|\bonly (?:with )?the (?:name|word)\b|"
    r"\b(?:just|only) (?:with )?(?:give |say |output |return |print )?(?:me )?"
    r"the (?:number|answer|result|name|word|value|letter|city|country|year|date)\b"
)
_CAPITALS = _compile(r"\bin (?:all )?(?:upper ?case|caps|capital letters|capitals)\b")


def _apply_form(text: str, short: str, asked: str) -> str:
    if _ONE_WORD.search(asked):
        words = [word.strip(".,:;!?\"'") for word in text.split()]
        first = next((word for word in words if len(word) > 1), text)
        text = short.split("\n")[0].rstrip(".") or first
    return text.upper() if _CAPITALS.search(asked) else text
