"""What the bridge knows about reasoning: of messages, of models and of what reasoning excludes.

Chat clients that keep only standard fields lose a message's reasoning between turns, but they keep
the ids of its tool calls: `ReasoningCache` finds the reasoning by them. A deployment may have any
name, so what the name says about the model is a guess, which the answers of the deployment correct
(`ReasoningKnowledge`): a model that does not reason refuses a request for encrypted reasoning, and
a model that does shows reasoning items.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from azure_responses.errors import AzureResponsesError, BadRequestError
from azure_responses.fork import new_lock
from azure_responses.types.chat import ChatCompletionMessage
from azure_responses.types.response import Response

__all__ = [
    "KeptReasoning",
    "ReasoningCache",
    "ReasoningKnowledge",
    "drop_sampling",
    "is_reasoning_model_name",
    "without_sampling",
]

_Items = list[dict[str, Any]]


@dataclass(frozen=True)
class KeptReasoning:
    """The fields of a message that chat completions does not have."""

    reasoning_items: _Items | None
    hosted_items: _Items | None
    output_order: _Items | None
    commentary: str | None = None

    @property
    def size(self) -> int:
        """Roughly its size in characters."""
        items = [*(self.reasoning_items or ()), *(self.hosted_items or ())]
        # Ciphertexts are nearly all of it, and stand at the top of their items.
        said = sum(len(text) for item in items for text in item.values() if isinstance(text, str))
        return said + len(self.commentary or "")


class ReasoningCache:
    """Remembers, in this process, the reasoning of messages with tool calls, by tool call id.

    It holds at most `capacity` messages and `max_characters` of them, the oldest going first, for
    `ttl` seconds each. It may be shared between threads, and between clients of one resource.

    Args:
        capacity: how many messages.
        ttl: how long each is kept, in seconds.
        max_characters: how many characters of reasoning and hosted output altogether.
    """

    def __init__(
        self, capacity: int = 1024, ttl: float = 3600.0, max_characters: int = 32_000_000
    ) -> None:
        self._capacity = capacity
        self._ttl = ttl
        self._max_characters = max_characters
        self._characters = 0
        self._entries: OrderedDict[tuple[str, ...], tuple[float, KeptReasoning]] = OrderedDict()
        self._by_call: dict[str, tuple[str, ...]] = {}
        self._lock = new_lock()

    def __len__(self) -> int:
        return len(self._entries)

    def remember(self, message: ChatCompletionMessage, now: float) -> None:
        """Keep a message's reasoning, if it has tool calls and any; `now` in seconds."""
        key = tuple(call.id for call in message.tool_calls or () if call.id)
        if not key or not (message.reasoning_items or message.hosted_items or message.commentary):
            return
        kept = KeptReasoning(
            message.reasoning_items,
            message.hosted_items,
            message.output_order,
            message.commentary,
        )
        with self._lock:
            # Forgotten first, so that a message kept again counts as the newest.
            self._forget(key)
            self._entries[key] = (now, kept)
            self._characters += kept.size
            self._by_call.update(dict.fromkeys(key, key))
            self._shrink(now)

    def recall(self, call_ids: Iterable[str], now: float) -> KeptReasoning | None:
        """What was kept of the message that made any of these calls, or None."""
        with self._lock:
            self._shrink(now)
            for call_id in call_ids:
                key = self._by_call.get(call_id)
                if key is not None:
                    return self._entries[key][1]
        return None

    def _shrink(self, now: float) -> None:
        while self._entries and self._must_shrink(now):
            self._forget(next(iter(self._entries)))

    def _must_shrink(self, now: float) -> bool:
        kept_at, _ = next(iter(self._entries.values()))
        is_full = len(self._entries) > self._capacity or self._characters > self._max_characters
        return is_full or now - kept_at >= self._ttl

    def _forget(self, key: tuple[str, ...]) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        self._characters -= entry[1].size
        for call_id in key:
            if self._by_call.get(call_id) == key:
                del self._by_call[call_id]


# The o-series, GPT-5 and later, Codex and gpt-oss, as a word of the name: "team-o1-pro" but not
# "foo1", and gpt-35 is older than it looks. The chat variants of GPT-5 do not take encrypted
# reasoning.
_REASONS = re.compile(
    r"(?:^|[^a-z0-9])(?:o[1-9](?![0-9a-z])|gpt-?(?:[5-9]|[12][0-9])(?![0-9a-z])|gpt-oss|codex)"
)
_CHATS = re.compile(r"gpt-?[5-9](?:\.[0-9]+)?-chat")


def is_reasoning_model_name(name: str) -> bool:
    """True when the name says that the model reasons; False when it says otherwise or nothing.

    Asking a model that does not reason for encrypted reasoning is refused ("Encrypted content is
    not supported with this model."), so a name that says nothing counts as one.
    """
    # Asking a model that does not reason is an error, not asking one that does only loses reasoning
    # between turns: in doubt the answer is False.
    lower = name.lower()
    return _REASONS.search(lower) is not None and _CHATS.search(lower) is None


_MOST_KNOWN = 1000


class ReasoningKnowledge:
    """Which deployments reason, as far as one client has learned from them.

    May be shared between threads.
    """

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def of(self, deployment: object) -> bool | None:
        """Whether a deployment reasons, or None if it is not known yet."""
        return self._known.get(_key(deployment))

    def learn_from_answer(self, deployment: object, response: Response | None) -> None:
        """Note the reasoning of a response, if it has any."""
        if response is None or self._known.get(_key(deployment)):
            return
        if any(item.type == "reasoning" for item in response.output):
            self._learn(deployment, reasons=True)

    def learn_from_refusal(self, deployment: object, error: AzureResponsesError) -> bool:
        """True when an error says that the deployment does not reason, which is then noted."""
        if not isinstance(error, BadRequestError):
            return False
        if "encrypted content is not supported" not in error.message.lower():
            return False
        self._learn(deployment, reasons=False)
        return True

    def _learn(self, deployment: object, *, reasons: bool) -> None:
        # Callers of a wildcard deployment may name any number of models, so the oldest go.
        if len(self._known) >= _MOST_KNOWN:
            self._known.pop(next(iter(self._known), ""), None)
        self._known[_key(deployment)] = reasons


def _key(deployment: object) -> str:
    # `extra_body` may hold any `model`, a dict or list too. The service refuses it in its own
    # words, so it only has to get there: as text it is a key like any other.
    return deployment if isinstance(deployment, str) else str(deployment or "")


_SAMPLING = ("temperature", "top_p", "top_logprobs")
# The defaults: a model that reasons refuses even these, and nothing is lost without them.
_NEUTRAL = {"temperature": 1, "top_p": 1}
_LOGPROBS = "message.output_text.logprobs"
_WHY = "models that reason refuse it"


def drop_sampling(parameters: dict[str, Any]) -> list[str]:
    """Take out of a response's parameters what a model refuses while it reasons.

    Returns a sentence for each that asked for something. With effort "none" it does not reason,
    and refuses nothing.
    """
    reasoning = parameters.get("reasoning")
    if isinstance(reasoning, Mapping) and reasoning.get("effort") == "none":
        return []
    given = {name: parameters.pop(name) for name in _SAMPLING if parameters.get(name) is not None}
    dropped = [name for name, value in given.items() if value != _NEUTRAL.get(name)]
    include = parameters.get("include")
    if isinstance(include, list | tuple) and _LOGPROBS in include:
        parameters["include"] = [name for name in include if name != _LOGPROBS]
        dropped.append("logprobs")
    return [f"{name} was dropped: {_WHY}." for name in dropped]


def without_sampling(parameters: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[str]]:
    """The same with what was given left as it is; the very same where nothing is dropped."""
    left = dict(parameters)
    dropped = drop_sampling(left)
    return (parameters if left == parameters else left), dropped
