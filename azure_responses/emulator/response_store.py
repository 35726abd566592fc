"""The stored responses of one resource: what is readable when, and for how long."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from azure_responses.emulator.bounded_dict import BoundedDict

__all__ = [
    "RETENTION_SECONDS", "ResponseStore", "EmulatedResponse", "drop_nulls", "listed_items",
]  # fmt: skip


def drop_nulls(value: Any) -> Any:
    """The value without the fields of objects that are null, however deep."""
    if isinstance(value, list):
        return [drop_nulls(part) for part in value]
    if not isinstance(value, dict):
        return value
    return {name: drop_nulls(part) for name, part in value.items() if part is not None}


# Microsoft's Responses page: 30 days unless deleted before.
RETENTION_SECONDS = 30 * 24 * 3600
# How ids of items begin, by type; read from recordings.
_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "function_call_output": "fco",
    "custom_tool_call": "ctc",
    "custom_tool_call_output": "ctco",
}


@dataclass
class EmulatedResponse:
    """One response: its events, when each is due, and what it answered.

    Attributes:
        response: the final response object.
        events: the whole stream, decided when the response was created.
        due: unix time of each event; None where all were due at creation.
        sent: the `input` of the request.
        output_items: items the response produced.
        parent: the response it continued.
        created_at, finished_at, readable_at: unix times.
        is_background, is_streamed: how it was created.
        size: bytes of the request, for what the store may hold in all.
        cancelled_at: when a background response was cancelled.
    """

    response: dict[str, Any]
    events: list[dict[str, Any]]
    due: list[float] | None
    sent: Any
    output_items: list[dict[str, Any]]
    parent: "EmulatedResponse | None"
    created_at: float
    finished_at: float
    readable_at: float
    is_background: bool = False
    is_streamed: bool = False
    size: int = 0
    cancelled_at: float | None = None

    @property
    def id(self) -> str:
        """The response's id."""
        identifier: str = self.response["id"]
        return identifier

    @cached_property
    def input_items(self) -> list[dict[str, Any]]:
        """The items of `input` as a listing shows them: with type, id and status."""
        return listed_items(self.sent, self.id)

    def has_finished(self, now: float) -> bool:
        """True once the response is no longer at work."""
        return self.cancelled_at is None and now >= self.finished_at

    def as_of(self, now: float) -> dict[str, Any]:
        """The response object at that time."""
        if not self.is_background or self.has_finished(now):
            return self.response
        # Until it ends, a background response shows what it was opened with.
        first: dict[str, Any] = self.events[0]["response"]
        if self.cancelled_at is not None:
            return {**first, "status": "cancelled"}
        return {**first, "status": "in_progress" if self._is_running(now) else "queued"}

    def _is_running(self, now: float) -> bool:
        for event, due in zip(self.events, self.due or (), strict=False):
            if event["type"] == "response.in_progress":
                return now >= due
        return True

    def history(self, now: float) -> list[dict[str, Any]]:
        """Every item of the chain up to and with this response, oldest first."""
        chain: list[EmulatedResponse] = []
        record: EmulatedResponse | None = self
        # By the objects, not by ids: a chain goes on where a response before it was deleted.
        while record is not None:
            chain.append(record)
            record = record.parent
        items: list[dict[str, Any]] = []
        for link in reversed(chain):
            items += link.input_items
            for item in link.output_items:
                # A compaction stands for all items before it.
                items = [item] if item["type"] == "compaction" else [*items, item]
        return items


def listed_items(sent: Any, seed: str) -> list[dict[str, Any]]:
    """Input as sent → items as listed; ids are derived from `seed` for items without one."""
    if isinstance(sent, str):
        sent = [{"role": "user", "content": sent}]
    return [
        _listed_item(item, f"{seed}/{index}")
        for index, item in enumerate(sent or ())
        if item.get("type") != "compaction_trigger"
    ]


def _listed_item(item: dict[str, Any], seed: str) -> dict[str, Any]:
    kind = item.get("type", "message")
    listed: dict[str, Any] = {"id": item.get("id") or _item_id(kind, seed), "type": kind}
    # Only messages are completed with what callers may leave out.
    if kind == "message":
        listed |= {"status": "completed", **item, "content": _parts(item)}
    else:
        listed |= item
    return listed


def _parts(message: dict[str, Any]) -> Any:
    content = message.get("content")
    if not isinstance(content, str):
        return content
    kind = "output_text" if message.get("role") == "assistant" else "input_text"
    return [{"type": kind, "text": content}]


def _item_id(kind: str, seed: str) -> str:
    digest = hashlib.blake2b(seed.encode(), digest_size=25).hexdigest()
    return f"{_PREFIXES.get(kind, 'item')}_{digest}"


class ResponseStore:
    """Responses by id. Reading takes the time; what is older than 30 days is gone.

    The oldest go earlier where there are more than `most`, or where their requests have more than
    `most_bytes` in all.
    """

    def __init__(self, most: int = 2000, most_bytes: int = 32 * 1024 * 1024) -> None:
        self._records: BoundedDict[EmulatedResponse] = BoundedDict(most, self.discard)
        self._most_bytes = most_bytes
        self._bytes = 0
        self._items: dict[str, tuple[dict[str, Any], str]] = {}

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: EmulatedResponse) -> None:
        """Keep a response, and find its output items by their ids."""
        self._records[record.id] = record
        self._bytes += record.size
        for item in record.output_items:
            if "id" in item:
                self._items[item["id"]] = (item, record.id)
        while self._bytes > self._most_bytes and len(self._records) > 1:
            self.discard(next(iter(self._records)))

    def discard(self, response_id: str) -> None:
        """Forget a response; an unknown id is no error."""
        record = self._records.pop(response_id, None)
        self._bytes -= record.size if record else 0
        for item in record.output_items if record else ():
            self._items.pop(item.get("id", ""), None)

    def find(self, response_id: str, now: float) -> EmulatedResponse | None:
        """A response that can be read now; None while it lags, after 30 days, and after delete."""
        record = self._records.get(response_id)
        # A response that lags, and one that was never there, look the same.
        if record is None or now < record.readable_at:
            return None
        if now >= record.created_at + RETENTION_SECONDS:
            self.discard(response_id)
            return None
        return record

    def find_reasoning(self, item_id: str, now: float) -> str | None:
        """The id of the reasoning item that a stored output item was made with, if any."""
        _, response_id = self._items.get(item_id, ({}, ""))
        record = self.find(response_id, now)
        reasoning_id = None
        for item in record.output_items if record else ():
            if item.get("id") == item_id:
                break
            if item["type"] == "reasoning":
                reasoning_id = item["id"]
        return reasoning_id

    def find_item(self, item_id: str, now: float) -> dict[str, Any] | None:
        """An item of a readable response, produced or sent."""
        found = self._items.get(item_id)
        if found is not None:
            return found[0] if self.find(found[1], now) else None
        # Sent items are rarely referred to, and there is no index of them.
        for record in self._records.values():
            for item in record.input_items:
                if item["id"] == item_id and self.find(record.id, now):
                    return item
        return None
