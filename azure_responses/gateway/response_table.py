"""The gateway's database as a store of the responses that the service does not store.

Where replicas share a database and no Redis. The texts are sealed before they come here.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["DatabaseTexts"]

# Expired rows are deleted once in so many seconds, by whichever process saves then.
_CLEANING = 3600.0


class DatabaseTexts:
    """Texts in SQLite or PostgreSQL; any thread may call.

    Args:
        url: of the database, as `open_database` takes it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._database: Any = None
        self._cleaned = 0.0

    def put(self, response_id: str, text: str, item_ids: Sequence[str], seconds: float) -> None:
        """Keep a text for so many seconds, and which items belong to it: all of it at once."""
        now = time.time()
        with self._opened() as database:
            database.put_text(response_id, text, item_ids, now + seconds)
            if now >= self._cleaned + _CLEANING:
                self._cleaned = now
                database.drop_expired_texts(now)

    def get(self, response_id: str) -> str | None:
        """A text, or None where there is none, or none any more."""
        with self._opened() as database:
            text: str | None = database.read_text(response_id, time.time())
        return text

    def owner_of(self, item_id: str) -> str | None:
        """The id of the response that an item belongs to."""
        with self._opened() as database:
            found: str | None = database.owner_of_item(item_id)
        return found

    def drop(self, response_id: str) -> None:
        """Forget a text; an unknown id is no error."""
        with self._opened() as database:
            database.drop_text(response_id)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            database, self._database = self._database, None
        if database is not None:
            database.close()

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        # On first use, and imported then: SQLAlchemy takes half a second.
        with self._lock:
            if self._database is None:
                from azure_responses.gateway.database import open_database

                self._database = open_database(self._url)
            database = self._database
        yield database
