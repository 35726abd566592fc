"""Reasoning for clients that drop the fields they do not know.

Chat clients that keep only standard fields lose a message's reasoning between turns, but not the
ids of its tool calls, which lead back to it here.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from azure_responses.fork import new_lock
from azure_responses.types.chat import ChatCompletionMessage

__all__ = ["KeptReasoning", "ReasoningCache"]

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
