"""Where replicas share the responses that the service does not store: sealed text by id.

A deployment that speaks chat completions or Messages stores nothing, so that its responses are kept
on our side (see `protocol.stored_response`). `SharedResponses` seals each one and keeps it in a
`ResponseTexts`: Redis, or a database of the gateway. Replicas that share both the texts and the
secret continue each other's responses.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import anyio.to_thread

from azure_responses.errors import APIConnectionError
from azure_responses.fork import new_lock
from azure_responses.protocol.conversion import Sealer
from azure_responses.protocol.stored_response import MOST_SECONDS, ResponseMemory, StoredResponse
from azure_responses.store.connection import RedisAddress, make_client

__all__ = ["AsyncSharedResponses", "RedisTexts", "ResponseTexts", "SharedResponses"]

T = TypeVar("T")

_LOG = logging.getLogger("azure_responses.router")
_PURPOSE = "stored response"
# The JSON text of one response with its conversation; Redis and databases suffer from larger ones.
_LARGEST = 16 * 2**20


class ResponseTexts(Protocol):
    """Keeps texts by the id of their response; any thread may call, and may have to wait.

    What does not answer raises an exception of any kind.
    """

    def put(self, response_id: str, text: str, item_ids: Sequence[str], seconds: float) -> None:
        """Keep a text for so many seconds, and which items belong to it: all of it at once."""

    def get(self, response_id: str) -> str | None:
        """A text, or None where there is none, or none any more."""

    def owner_of(self, item_id: str) -> str | None:
        """The id of the response that an item belongs to."""

    def drop(self, response_id: str) -> None:
        """Forget a text; an unknown id is no error."""


class RedisTexts:
    """Texts in Redis or Valkey, which forgets them by itself.

    Args:
        address: from `read_address`.
        prefix: of every key, as of the router's state.
    """

    def __init__(self, address: RedisAddress, *, prefix: str = "azure-responses") -> None:
        self._address = address
        # One hash slot for all keys of a prefix, as the state has it: MULTI works on a cluster.
        self._start = f"{{{prefix}}}:stored:"
        self._lock = new_lock()
        self._client: Any = None

    def put(self, response_id: str, text: str, item_ids: Sequence[str], seconds: float) -> None:
        """Keep a text for so many seconds, and which items belong to it: all of it at once."""
        life = max(1, int(seconds))
        with self._connected().pipeline(transaction=True) as pipeline:
            pipeline.set(self._start + response_id, text, ex=life)
            for item_id in item_ids:
                pipeline.set(f"{self._start}item:{item_id}", response_id, ex=life)
            pipeline.execute()

    def get(self, response_id: str) -> str | None:
        """A text, or None where there is none, or none any more."""
        return _text(self._connected().get(self._start + response_id))

    def owner_of(self, item_id: str) -> str | None:
        """The id of the response that an item belongs to."""
        return _text(self._connected().get(f"{self._start}item:{item_id}"))

    def drop(self, response_id: str) -> None:
        """Forget a text; its items then lead nowhere, and are forgotten with time."""
        self._connected().delete(self._start + response_id)

    def _connected(self) -> Any:
        # On use: making a router sends nothing.
        with self._lock:
            if self._client is None:
                self._client = make_client(self._address)
            return self._client


class SharedResponses:
    """Stored responses as sealed texts; for sync callers.

    What cannot be saved is kept in this process: the answer has been paid for, and its caller
    gets it. A follow-up that reaches this process finds it.

    Args:
        texts: keeps them.
        sealer: seals and opens them; replicas have the same secret.
    """

    def __init__(self, texts: ResponseTexts, sealer: Sealer) -> None:
        self._texts = texts
        self._sealer = sealer
        self._unsaved = ResponseMemory()

    def save(self, stored: StoredResponse) -> None:
        """Keep a response; one with the same id is replaced."""
        content = stored.to_json()
        size = len(json.dumps(content, separators=(",", ":")))
        if size > _LARGEST:
            _LOG.warning("The response %s is not stored: it has %d bytes.", stored.id, size)
            return
        text = self._sealer.seal(_bound_to(stored.id), content)
        items = [str(item["id"]) for item in stored.own_items() if item.get("id")]
        try:
            self._texts.put(stored.id, text, items, MOST_SECONDS)
            # An earlier state of it may be here.
            self._unsaved.delete(stored.id)
        except Exception as error:
            _LOG.warning(
                "The response %s is kept in this process only: the shared store does not answer "
                "(%s).",
                stored.id,
                type(error).__name__,
            )
            self._unsaved.save(stored, time.time())

    def load(self, response_id: str) -> StoredResponse | None:
        """A response, or None where there is none, or none any more."""
        found = self._unsaved.load(response_id, time.time())
        if found is not None:
            return found
        text = self._ask(partial(self._texts.get, response_id))
        content = None if text is None else self._sealer.open(_bound_to(response_id), text)
        return None if content is None else StoredResponse.from_json(content)

    def load_item(self, item_id: str) -> Mapping[str, Any] | None:
        """An item that was sent or made with a response that is kept."""
        found = self._unsaved.load_item(item_id, time.time())
        if found is not None:
            return found
        response_id = self._ask(partial(self._texts.owner_of, item_id))
        stored = None if response_id is None else self.load(response_id)
        items = () if stored is None else stored.own_items()
        return next((item for item in items if item.get("id") == item_id), None)

    def delete(self, response_id: str) -> None:
        """Forget a response; an unknown id is no error."""
        self._unsaved.delete(response_id)
        self._ask(partial(self._texts.drop, response_id))

    def _ask(self, question: "partial[T]") -> T:
        try:
            return question()
        except Exception as error:
            # Not "not found": the response may well be there.
            raise APIConnectionError(
                f"The store of responses does not answer ({type(error).__name__})."
            ) from error


class AsyncSharedResponses:
    """`SharedResponses` for async callers: each look-up in a thread of its own."""

    def __init__(self, responses: SharedResponses) -> None:
        self._responses = responses

    async def save(self, stored: StoredResponse) -> None:
        """Keep a response; one with the same id is replaced."""
        await anyio.to_thread.run_sync(self._responses.save, stored)

    async def load(self, response_id: str) -> StoredResponse | None:
        """A response, or None where there is none, or none any more."""
        return await anyio.to_thread.run_sync(self._responses.load, response_id)

    async def load_item(self, item_id: str) -> Mapping[str, Any] | None:
        """An item that was sent or made with a response that is kept."""
        return await anyio.to_thread.run_sync(self._responses.load_item, item_id)

    async def delete(self, response_id: str) -> None:
        """Forget a response; an unknown id is no error."""
        await anyio.to_thread.run_sync(self._responses.delete, response_id)


def _bound_to(response_id: str) -> str:
    # A text that was put under another id does not open.
    return f"{_PURPOSE} {response_id}"


def _text(value: bytes | str | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
