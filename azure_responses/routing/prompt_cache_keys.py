"""Which calls share a prompt cache: keys made of what a request names, or of how it begins.

Azure caches the beginning of a prompt from 1,024 tokens on (Microsoft Learn, "Prompt caching"). A
resource does not know what another one has cached, so calls that begin alike should go to one
deployment. A key is an authenticator of 16 bytes: it holds no text, and the same session or text
of two owners makes two keys.

API:
    PromptCacheKeys(secret)
        .of(body, kinds, group=, owner=, headers=) -> CacheKeys | None
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Literal, NamedTuple, get_args

__all__ = [
    "AFFINITY_KINDS",
    "AffinityKind",
    "CacheKey",
    "CacheKeys",
    "PromptCacheKeys",
    "cache_life",
]

AffinityKind = Literal["session_affinity", "prompt_caching", "deployment_affinity"]

AFFINITY_KINDS: frozenset[AffinityKind] = frozenset(get_args(AffinityKind))
"""What may tie calls to a deployment, by the names of LiteLLM's pre-call checks: what a request
names, how it begins, who its owner is."""

# Microsoft Learn, "Prompt caching": in memory a cache is cleared after 5 to 10 minutes without use;
# retained, which is the default of models after gpt-5.4, after 24 hours at most.
_IN_MEMORY, _RETAINED = 600.0, 86_400.0
# Of gpt-35-turbo, as Azure writes it, nothing is read.
_VERSION = re.compile(r"(?:azure/)?gpt-(\d)(?:\.(\d{1,2}))?(?![\d.])")

# OpenAI's guide to prompt caching: of one beginning (and one prompt_cache_key) some 15 requests a
# minute go to one machine, and more overflow to others, whose cache is then filled anyway.
_BEGINNING_RATE = 15
# A conversation of an agent makes a call every few seconds. What is used more often than once a
# second is a name that many conversations share.
_NAMED_RATE = 60

# 1,024 tokens of English have about 4,096 bytes; of other scripts it takes fewer characters.
_BEGINNING = 4096
_LONGEST_MESSAGE = 8192
# An answer to the first message stands behind it, so that it is among the first items.
_MOST_ITEMS = 16

_LONGEST_SESSION = 512
# The headers of LiteLLM's clients, then those of Codex: its releases of 2026, and older ones.
_LITELLM_HEADERS = ("x-litellm-session-id", "x-litellm-trace-id")
_CODEX_HEADERS = ("session-id", "session_id", "thread-id", "conversation_id", "x-session-id")
# Such as x-claude-code-session-id.
_SESSION_HEADER = re.compile(r"x-.+-session-id")
# Claude Code writes user_HASH_account_UUID_session_UUID.
_CLAUDE_SESSION = re.compile(r"_session_([\w-]+)$")

_TIME = re.compile(r"(\d{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class CacheKey(NamedTuple):
    """What calls have in common that share a prompt cache.

    Attributes:
        digest: 16 bytes.
        name: what it is made of, for explanations.
        rate: calls a minute that one deployment gets, before others get some too.
    """

    digest: bytes
    name: str
    rate: int

    @property
    def shared_name(self) -> str:
        """Under which a shared state keeps the tag of the deployment."""
        return f"cache:{self.digest.hex()}"

    @property
    def chance(self) -> float:
        """A number in [0, 1) that is the same in every process with the same secret."""
        return (int.from_bytes(self.digest[:8]) >> 11) / 2**53


class CacheKeys(NamedTuple):
    """The keys of one call.

    Attributes:
        keys: that of the conversation before that of what conversations share.
        life: seconds for which the request wants its cache to be kept; 0 where it does not say.
        is_begun: the input goes on after the user's first message, so that another process may have
            served the turns before.
    """

    keys: tuple[CacheKey, ...]
    life: float = 0.0
    is_begun: bool = False


class PromptCacheKeys:
    """Makes the keys of calls; processes with the same secret make the same ones.

    Args:
        secret: at least 16 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = blake2b(secret, digest_size=32, person=b"prompt caches").digest()

    def of(
        self,
        body: Mapping[str, Any],
        kinds: frozenset[AffinityKind],
        *,
        group: str,
        owner: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> CacheKeys | None:
        """The keys of a call; None where nothing ties it to others.

        Args:
            body: of a request, of whichever API.
            kinds: what is looked at.
            group: the model asked for.
            owner: who asks.
            headers: of the caller's request, names in lower case.
        """
        scope = f"{group}\0{'-' if owner is None else '+' + owner}\0"
        keys: list[CacheKey] = []
        if "session_affinity" in kinds:
            named = _names(body, headers)
            keys = [self._key(name, scope, given, _NAMED_RATE) for name, given in named]
        if "prompt_caching" in kinds:
            # Beside a name, too: some clients make up a new one for each call.
            keys += self._of_text(body, scope)
        if "deployment_affinity" in kinds and owner is not None:
            keys.append(self._key("owner", scope, "", _NAMED_RATE))
        return CacheKeys(tuple(keys), _life(body), _is_begun(body)) if keys else None

    def _key(self, name: str, scope: str, given: str, rate: int) -> CacheKey:
        text = f"{name}\0{scope}{given}".encode("utf-8", "surrogatepass")
        return CacheKey(blake2b(text, digest_size=16, key=self._secret).digest(), name, rate)

    def _of_text(self, body: Mapping[str, Any], scope: str) -> list[CacheKey]:
        """The keys of the conversation and of the beginning of a prompt that is long enough."""
        parts = _prompt(body)
        if _is_short(parts):
            return []
        text, size = _beginning(parts, _BEGINNING)
        if size < _BEGINNING:
            return []
        beginning = self._key("beginning", scope, text, _BEGINNING_RATE)
        opening = _first_message(body)
        if opening is None:
            return [beginning]
        # Instructions and tools may be those of every conversation; what a user said first is not.
        text += "\0\0" + _beginning(opening, _LONGEST_MESSAGE)[0]
        return [self._key("conversation", scope, text, _NAMED_RATE), beginning]


@lru_cache(1024)
def cache_life(model: str) -> float:
    """Seconds after its last use for which a model's cache is expected to last."""
    found = _VERSION.match(model)
    version = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    return _RETAINED if version > (5, 4) else _IN_MEMORY


def _names(body: Mapping[str, Any], headers: Mapping[str, str] | None) -> list[tuple[str, str]]:
    """What a request is called by its caller: the session, then the key of its prompt cache."""
    session = (_in_headers(headers) if headers else None) or _in_metadata(body)
    given = (("session", session), ("prompt_cache_key", body.get("prompt_cache_key")))
    return [(name, text) for name, value in given if (text := _as_name(value)) is not None]


def _as_name(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST_SESSION else None


def _in_headers(headers: Mapping[str, str]) -> str | None:
    for name in _LITELLM_HEADERS:
        if value := headers.get(name):
            return value
    vendors = (name for name in headers if _is_session_header(name))
    for name in (*vendors, *_CODEX_HEADERS):
        if value := headers.get(name):
            return value
    return None


@lru_cache(256)
def _is_session_header(name: str) -> bool:
    return _SESSION_HEADER.fullmatch(name) is not None


def _in_metadata(body: Mapping[str, Any]) -> str | None:
    metadata = body.get("metadata")
    if not isinstance(metadata, Mapping):
        return None
    session = metadata.get("session_id")
    if type(session) is int:
        return str(session)
    return _as_name(session) or _in_user_id(metadata.get("user_id"))


def _in_user_id(user_id: Any) -> str | None:
    """The session in Claude Code's `metadata.user_id`, which is JSON or ends in the session."""
    if not isinstance(user_id, str):
        return None
    if not user_id.startswith("{"):
        found = _CLAUDE_SESSION.search(user_id)
        return found[1] if found else None
    try:
        read = json.loads(user_id)
    except (ValueError, RecursionError):
        return None
    return _as_name(read.get("session_id"))


def _life(body: Mapping[str, Any]) -> float:
    """Seconds for which a request wants the cache to be kept."""
    options = body.get("prompt_cache_options")
    asked = options.get("ttl") if isinstance(options, Mapping) else None
    for value in (asked, body.get("prompt_cache_retention")):
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found is not None:
            return float(int(found[1]) * _SECONDS[found[2]])
    return 0.0


_PARTS = ("tools", "functions", "instructions", "system", "input", "messages")


def _prompt(body: Mapping[str, Any]) -> list[Any]:
    """The parts of a request in the order in which a model reads them."""
    return [part for name in _PARTS if (part := body.get(name))]


def _is_short(parts: list[Any]) -> bool:
    """True where it is seen at a glance that nothing of a prompt is cached."""
    # No character has more than four bytes.
    return all(isinstance(part, str) for part in parts) and 4 * sum(map(len, parts)) < _BEGINNING


def _items(body: Mapping[str, Any]) -> Any:
    return body.get("input") or body.get("messages")


def _first_message(body: Mapping[str, Any]) -> Any:
    """What the user said first; None where that is not among the first items."""
    given = _items(body)
    if isinstance(given, str):
        return given
    place = _first_place(given)
    return None if place is None else given[place]


def _is_begun(body: Mapping[str, Any]) -> bool:
    given = _items(body)
    place = _first_place(given)
    return place is not None and place + 1 < len(given)


def _first_place(given: Any) -> int | None:
    """Where the user's first message stands among the items."""
    for place, item in enumerate(given[:_MOST_ITEMS] if isinstance(given, list) else ()):
        role = item.get("role") if isinstance(item, Mapping) else getattr(item, "role", None)
        if role == "user":
            return place
    return None


def _beginning(value: Any, most: int) -> tuple[str, int]:
    """The texts with which a value begins, some `most` bytes of them; and how many there are."""
    pieces, size = [], 0
    for text in _leaves(value):
        # Pictures and files may have megabytes.
        piece = text[: most - size]
        pieces.append(piece)
        # With one for the end of each, so that this ends for any number of empty values.
        size += _size(piece) + 1
        if size >= most:
            break
    return "\0".join(pieces), size


def _size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _leaves(value: Any) -> Iterator[str]:
    """The names and texts of a JSON value in their order, each when it is asked for."""
    stack: list[Iterator[Any]] = [iter((value,))]
    while stack:
        each = next(stack[-1], _END)
        if each is _END:
            stack.pop()
            continue
        if isinstance(each, str):
            yield each
            continue
        within = _within(each)
        if within is not None:
            stack.append(within)
        yield str(each) if isinstance(each, int | float) else ""


_END = object()


def _within(value: Any) -> Iterator[Any] | None:
    """What a value contains; None of one that contains nothing."""
    if isinstance(value, list | tuple):
        return iter(value)
    # A program may pass the items of an earlier answer as they are.
    fields = value if isinstance(value, Mapping) else getattr(value, "__dict__", None)
    return _pairs(fields) if isinstance(fields, Mapping) else None


def _pairs(fields: Mapping[Any, Any]) -> Iterator[Any]:
    for name, value in fields.items():
        yield str(name)
        yield value
