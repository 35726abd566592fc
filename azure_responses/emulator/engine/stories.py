"""Stories, poems and explanations of a length that the prompt names."""

import re

from azure_responses.emulator.engine.knowledge import NUMBER_WORDS

__all__ = ["read_count", "split_sentences", "tell"]

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
