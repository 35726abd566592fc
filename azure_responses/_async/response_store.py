"""Where responses are kept that the service does not store: see `protocol.stored_response`."""

import time
from collections.abc import Mapping
from typing import Any, Protocol

from azure_responses.protocol.stored_response import ResponseMemory, StoredResponse

__all__ = ["AsyncMemoryResponseStore", "AsyncResponseStore"]


class AsyncResponseStore(Protocol):
    """Keeps responses for 30 days, within bounds of its own.

    An error of its own, such as of a database that cannot be reached, is an APIConnectionError.
    """

    async def save(self, stored: StoredResponse) -> None:
        """Keep a response; one with the same id is replaced."""

    async def load(self, response_id: str) -> StoredResponse | None:
        """A response, or None where there is none, or none any more."""

    async def load_item(self, item_id: str) -> Mapping[str, Any] | None:
        """An item that was sent or made with a response that is kept."""

    async def delete(self, response_id: str) -> None:
        """Forget a response; an unknown id is no error."""


class AsyncMemoryResponseStore:
    """Keeps responses in this process: 2000 at most, and 64 MiB, the latest."""

    def __init__(self, memory: ResponseMemory | None = None) -> None:
        self._memory = memory or ResponseMemory()

    async def save(self, stored: StoredResponse) -> None:
        """Keep a response; one with the same id is replaced."""
        self._memory.save(stored, time.time())

    async def load(self, response_id: str) -> StoredResponse | None:
        """A response, or None where there is none, or none any more."""
        return self._memory.load(response_id, time.time())

    async def load_item(self, item_id: str) -> Mapping[str, Any] | None:
        """An item that was sent or made with a response that is kept."""
        return self._memory.load_item(item_id, time.time())

    async def delete(self, response_id: str) -> None:
        """Forget a response; an unknown id is no error."""
        self._memory.delete(response_id)
