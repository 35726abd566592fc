"""How many tokens a request will take, near enough to reserve them."""

from collections.abc import Iterable, Mapping
from typing import Any

from azure_responses.fork import new_lock

__all__ = [
    "USUAL_OUTPUT",
    "UsualTokens",
    "estimate_count",
    "estimate_input_tokens",
    "estimate_output_tokens",
    "estimate_passed_tokens",
    "has_output_limit",
    "StoredContexts",
]

USUAL_OUTPUT = 1000
"""Reserved for the output of a request that sets no limit, before it is known what others took."""

# Of what is learnt from outputs: bounds, how much the newest counts, and for how many seconds.
_LEAST_OUTPUT = 16
_MOST_OUTPUT = 32_768
_NEWEST_SHARE = 0.25
_LIFE = 600.0

# English prose has about four characters to a token (OpenAI's help page on tokens); other scripts
# have fewer characters but more bytes to each.
_BYTES_PER_TOKEN = 4
_PER_ITEM = 4
# A square image of 1024 pixels at high detail: four tiles of 170 and 85 besides (OpenAI's guide to
# images, for gpt-4o).
_PER_IMAGE = 765
# Never tokens of text: pictures and files in base64, and what only the service can read.
_OPAQUE = frozenset({"encrypted_content", "file_data", "image_url", "data", "signature"})
_INPUT_KEYS = (
    "input",
    "instructions",
    "system",
    "messages",
    "tools",
    "functions",
    "text",
    "response_format",
)
_LIMIT_KEYS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


def estimate_input_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of a body's input, instructions and tools, of whichever API.

    Good to about a fifth for English prose; what `previous_response_id` stands for is not known
    here and not counted.
    """
    return sum(_estimate(body[key]) for key in _INPUT_KEYS if body.get(key))


def estimate_count(body: Mapping[str, Any]) -> dict[str, Any]:
    """What `/responses/input_tokens` answers for a deployment that cannot count."""
    tokens = estimate_input_tokens(body)
    return {"object": "response.input_tokens", "input_tokens": tokens, "is_estimate": True}


def estimate_passed_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of the input of embeddings, images or speech: of text, or counted already."""
    given, tokens = [body.get("input"), body.get("prompt")], 0
    while given:
        value = given.pop()
        if isinstance(value, list):
            given += value
        elif isinstance(value, int):
            tokens += 1
        elif isinstance(value, str):
            tokens += _of_text(value)
    return tokens


class UsualTokens:
    """How many tokens calls lately had of a kind: in outputs without a limit, or in contexts.

    A moving average, and twice the average distance from it, as retransmission timers reckon
    (RFC 6298): most calls have no more. Callers hold the lock to change it; times are
    monotonic seconds.
    """

    __slots__ = ("_at", "_distance", "_mean")

    def __init__(self) -> None:
        self._mean = 0.0
        self._distance = 0.0
        self._at: float | None = None

    def observe(self, tokens: int, now: float) -> None:
        """A call had so many tokens."""
        if self.tokens(now) is None:
            self._mean, self._distance = float(tokens), tokens / 2
        else:
            away = tokens - self._mean
            self._mean += _NEWEST_SHARE * away
            self._distance += _NEWEST_SHARE * (abs(away) - self._distance)
        self._at = now

    def tokens(self, now: float) -> int | None:
        """What to reserve for a call; None where none was seen for ten minutes."""
        if self._at is None or now > self._at + _LIFE:
            return None
        return max(_LEAST_OUTPUT, min(_MOST_OUTPUT, round(self._mean + 2 * self._distance)))


def has_output_limit(body: Mapping[str, Any]) -> bool:
    """True where the body itself says how many tokens its output may have."""
    limits = (body.get(key) for key in _LIMIT_KEYS)
    return any(isinstance(limit, int) and limit > 0 for limit in limits)


def estimate_output_tokens(body: Mapping[str, Any]) -> int:
    """What the body allows for output, or a usual length when it sets no limit."""
    limits = (body.get(key) for key in _LIMIT_KEYS)
    limit = next((limit for limit in limits if isinstance(limit, int) and limit > 0), USUAL_OUTPUT)
    choices = body.get("n")
    return limit * (choices if isinstance(choices, int) and choices > 1 else 1)


def _estimate(value: Any) -> int:
    """Tokens of a JSON value, without walking deeper than there are values."""
    total = 0
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            total += _of_text(item)
        elif isinstance(item, Mapping):
            total += _PER_ITEM + _of_opaque(item)
            left.extend(_legible(item))
        elif isinstance(item, list | tuple):
            left.extend(item)
    return total


def _of_text(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // _BYTES_PER_TOKEN)


def _of_opaque(item: Mapping[str, Any]) -> int:
    is_image = item.get("image_url") or item.get("type") in ("input_image", "image")
    return _PER_IMAGE if is_image else 0


def _legible(item: Mapping[str, Any]) -> Iterable[Any]:
    return (value for key, value in item.items() if key not in _OPAQUE and key != "type")


class StoredContexts:
    """The tokens of stored responses and conversations, of as many as fit; any thread may ask.

    Azure counts the whole conversation as input again when a response is continued
    (learn.microsoft.com, "Azure OpenAI Responses API": all previous input tokens are billed), which
    the body of such a call does not show.

    Args:
        capacity: ids remembered; those noted longest ago go.
    """

    def __init__(self, capacity: int = 50_000) -> None:
        self._capacity = capacity
        self._tokens: dict[str, int] = {}
        self._lock = new_lock()

    def note(self, ids: tuple[str, ...], tokens: int) -> None:
        """What these ids stand for has so many tokens, input and output."""
        with self._lock:
            for each in ids:
                self._tokens.pop(each, None)
                self._tokens[each] = tokens
            # In the order in which they were noted; most conversations end sooner than they go.
            while len(self._tokens) > self._capacity:
                del self._tokens[next(iter(self._tokens))]

    def tokens_of(self, stored_id: str) -> int:
        """How many tokens an id stands for; 0 where that is not known."""
        return self._tokens.get(stored_id, 0)
