"""Responses that are stored on our side, because the deployment that made them stores none.

A deployment that speaks chat completions or Messages keeps nothing, so that what a caller of the
Responses API may expect of a stored response is kept here: it is continued by
`previous_response_id`, read, listed, deleted. Their ids begin with `resp_bridged_`, which no id of
the service does.

Each stored response holds its whole conversation. So it can be continued after those before it were
deleted or have expired, and one look-up finds all that a follow-up sends.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic_core import to_json

from azure_responses.fork import new_lock
from azure_responses.protocol.http_message import Reply

__all__ = [
    "BRIDGED_PREFIX",
    "SEALED",
    "MOST_SECONDS",
    "ResponseMemory",
    "StoredResponse",
    "answer_stored",
    "is_kept_here",
    "item_missing",
    "previous_missing",
    "reply_bytes",
]

SEALED = "arsealed1."
"""How reasoning begins that we have sealed: see `bridge.sealed_reasoning`."""

BRIDGED_PREFIX = "resp_bridged_"
"""How the ids of responses begin that are stored here."""

_KEPT = re.compile(r"[a-z]+_bridged_")


def is_kept_here(stored_id: str) -> bool:
    """True for the id of a response, or of an item in it, that is stored on our side."""
    return _KEPT.match(stored_id) is not None


MOST_SECONDS = 30 * 86_400.0
"""How long a response is kept: as the service does (Microsoft's page on the Responses API)."""

_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """One response, and what is needed to continue it.

    Attributes:
        response: as its caller got it.
        input_items: what its request added to the conversation, with ids.
        history: the items before, of input and output, the oldest first.
        created_at: unix seconds.
        deadline: unix seconds by which a background response has ended. One that has not then has
            lost the process that made it.
    """

    response: Mapping[str, Any]
    input_items: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]] = ()
    created_at: float = 0.0
    deadline: float | None = None

    @property
    def id(self) -> str:
        """The response's id."""
        return str(self.response["id"])

    @property
    def is_unfinished(self) -> bool:
        """True for a background response that is still at work."""
        return self.response.get("status") in ("queued", "in_progress")

    @property
    def can_be_continued(self) -> bool:
        """False for a background response that has no answer, or none yet."""
        return not self.is_unfinished and self.response.get("status") != "cancelled"

    def ended(self, status: str, error: Mapping[str, Any] | None = None) -> "StoredResponse":
        """A background response that ends without an answer."""
        return replace(self, response={**self.response, "status": status, "error": error})

    def as_of(self, now: float) -> "StoredResponse":
        """The response at a time: a background response that is overdue has failed."""
        if not self.is_unfinished or self.deadline is None or now <= self.deadline:
            return self
        message = "The process that worked on the response has ended."
        return self.ended("failed", {"code": "server_error", "message": message})

    def conversation(self) -> list[Mapping[str, Any]]:
        """Every item that a follow-up continues, the oldest first."""
        items = [*self.history, *self.input_items]
        for item in self.response.get("output") or ():
            # A compaction stands for all the items before it.
            items = [item] if item.get("type") == "compaction" else [*items, item]
        return items

    def own_items(self) -> list[Mapping[str, Any]]:
        """The items that came with this response: what can be found by `item_reference`."""
        return [*self.input_items, *(self.response.get("output") or ())]

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, for stores that keep text."""
        return {
            "response": self.response,
            "input_items": list(self.input_items),
            "history": list(self.history),
            "created_at": self.created_at,
            "deadline": self.deadline,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "StoredResponse":
        """What `to_json` made; raises KeyError where it is something else."""
        response, input_items, history = (
            value[name] for name in ("response", "input_items", "history")
        )
        # Versions before background responses wrote none.
        deadline = value.get("deadline")
        return cls(response, input_items, history, float(value["created_at"]), deadline)


@dataclass
class ResponseMemory:
    """Stored responses in this process, bounded by number, bytes and time.

    The oldest go first where there are too many. Safe to share between threads.

    Attributes:
        most: responses kept.
        most_bytes: JSON text of all of them. A history that several responses share counts for
            each, although it is in memory once.
    """

    most: int = 2_000
    most_bytes: int = 64 * 2**20
    _kept: dict[str, tuple[StoredResponse, int]] = field(default_factory=dict)
    _items: dict[str, str] = field(default_factory=dict)
    _bytes: int = 0
    _lock: Any = field(default_factory=new_lock)

    def save(self, stored: StoredResponse, now: float) -> None:
        """Keep a response; one with the same id is replaced. `now` is unix seconds."""
        size = len(reply_bytes(stored.to_json()))
        with self._lock:
            # Taken out first so that it becomes the newest: a dictionary keeps the old place of a
            # known key.
            self._drop(stored.id)
            self._kept[stored.id] = stored, size
            self._bytes += size
            for item in stored.own_items():
                self._items[str(item.get("id"))] = stored.id
            self._shrink(now)

    def load(self, response_id: str, now: float) -> StoredResponse | None:
        """A response, or None where there is none, or none any more."""
        with self._lock:
            found = self._kept.get(response_id)
        return None if found is None or _has_expired(found[0], now) else found[0]

    def load_item(self, item_id: str, now: float) -> Mapping[str, Any] | None:
        """An item that was sent or made with a response that is kept."""
        stored = self.load(self._items.get(item_id, ""), now)
        items = stored.own_items() if stored is not None else ()
        return next((item for item in items if item.get("id") == item_id), None)

    def delete(self, response_id: str) -> None:
        """Forget a response; an unknown id is no error."""
        with self._lock:
            self._drop(response_id)

    def _shrink(self, now: float) -> None:
        while self._kept:
            oldest, _ = next(iter(self._kept.values()))
            fits = len(self._kept) <= self.most and self._bytes <= self.most_bytes
            if fits and not _has_expired(oldest, now):
                return
            self._drop(oldest.id)

    def _drop(self, response_id: str) -> None:
        found = self._kept.pop(response_id, None)
        if found is None:
            return
        stored, size = found
        self._bytes -= size
        for item in stored.own_items():
            # An item that was sent again belongs to the newer response, which may outlive this one.
            if self._items.get(str(item.get("id"))) == response_id:
                del self._items[str(item.get("id"))]


def reply_bytes(body: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes."""
    try:
        return to_json(body)
    except ValueError:
        # Half a surrogate pair can only be written escaped.
        return json.dumps(body).encode()


def _has_expired(stored: StoredResponse, now: float) -> bool:
    return now - stored.created_at >= MOST_SECONDS


def answer_stored(
    operation: str, response_id: str, url: str, stored: StoredResponse | None
) -> Reply:
    """What the service would answer to a call about a stored response.

    Args:
        operation: a name of the table of operations.
        response_id: of the response.
        url: of the call, whose query says which page is asked for.
        stored: the response; None where there is none.
    """
    if stored is None:
        return _refusal(404, f"Response with id '{response_id}' not found.", None)
    query = {name: values[-1] for name, values in parse_qs(urlsplit(url).query).items()}
    if operation == "cancel":
        if not stored.response.get("background"):
            return _refusal(400, "Cannot cancel a synchronous response.", None)
        # Cancelling a response that has ended changes nothing.
        return _answer(stored.response)
    if operation == "delete":
        # Azure's specification says `response.deleted`; OpenAI's example has "response" there.
        return _answer({"id": response_id, "object": "response.deleted", "deleted": True})
    if operation == "input_items":
        return _page(stored.input_items, query)
    # The service streams a stored response again only if it was made in the background (Microsoft's
    # page on the Responses API).
    if query.get("stream") == "true":
        return _refusal(
            400,
            f"Response with id '{response_id}' cannot be streamed. Only background responses that "
            "were created with `stream=true` can be.",
            "stream",
        )
    return _answer(stored.response)


def previous_missing(response_id: str) -> Reply:
    """The service's answer to a `previous_response_id` that it does not know."""
    message = f"Previous response with id '{response_id}' not found."
    return _refusal(400, message, "previous_response_id", "previous_response_not_found")


def item_missing(item_id: str, *, stores: bool) -> Reply:
    """The service's answer to an `item_reference` that it does not know."""
    message = f"Item with id '{item_id}' not found."
    if not stores:
        message += (
            " Items are not persisted when `store` is set to false. Try again with `store` set to "
            "true, or remove this item from your input."
        )
    return _refusal(400, message, "input")


# The limits of `listInputItems` in Azure's specification of v1.
_LARGEST_PAGE = 100
_PAGE = 20


def _page(items: Sequence[Mapping[str, Any]], query: Mapping[str, str]) -> Reply:
    limit, order = query.get("limit", str(_PAGE)), query.get("order", "desc")
    if not limit.isdecimal() or not 1 <= int(limit) <= _LARGEST_PAGE:
        message = f"Invalid 'limit': expected a value from 1 to {_LARGEST_PAGE}, but got {limit}."
        return _refusal(400, message, "limit")
    if order not in ("asc", "desc"):
        message = f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'."
        return _refusal(400, message, "order", "invalid_value")
    ordered = list(items) if order == "asc" else [*reversed(items)]
    ids = [item.get("id") for item in ordered]
    for name in ("after", "before"):
        if name in query and query[name] not in ids:
            return _refusal(400, f"Item with id '{query[name]}' not found.", name)
    start = ids.index(query["after"]) + 1 if "after" in query else 0
    end = ids.index(query["before"]) if "before" in query else len(ids)
    found = ordered[start:end]
    page = found[: int(limit)]
    return _answer(
        {
            "object": "list",
            "data": page,
            "first_id": page[0].get("id") if page else None,
            "has_more": len(found) > len(page),
            "last_id": page[-1].get("id") if page else None,
        }
    )


def _answer(body: Mapping[str, Any]) -> Reply:
    return Reply(200, _JSON, json.dumps(body).encode())


def _refusal(status: int, message: str, param: str | None, code: str | None = None) -> Reply:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return Reply(status, _JSON, json.dumps({"error": error}).encode())
