"""What was said before: facts the user gave, and the conversation itself."""

import re
from collections.abc import Iterable

__all__ = ["learn_facts", "recall"]

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
