"""The thread that reads the keys of a database, so that changes there take effect soon.

It is separate from the thread that writes, which may wait for a lock on the totals.
"""

import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

from azure_responses.gateway.key_table import KeyTable
from azure_responses.gateway.outages import LOGGER, Outages

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database

__all__ = ["KeyReader"]

_LONGEST_PAUSE = 1.0
_SHORTEST_PAUSE = 0.05
# Unknown keys cause reads of the database, and any client can send them: at most a tenth of the
# thread's time goes into such reads.
_REST = 10
_CONSEQUENCE = "Keys go on as they were last read."


class KeyReader:
    """Keeps a table as the database has it.

    Args:
        table: takes the keys.
        database: holds them.
        outages: where a failure is noted.
        interval: seconds within which a change in the database counts, while it answers. It is
            looked for twice as often, and at least once a second.
    """

    def __init__(
        self, table: KeyTable, database: "Database", outages: Outages, *, interval: float
    ) -> None:
        self._table = table
        self._database = database
        self._outages = outages
        self._pause = min(interval / 2, _LONGEST_PAUSE)
        self._version: str | None = None
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: Future[None] | None = None
        self._wake = threading.Event()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def read(self) -> None:
        """Read the keys if they differ from those that were read last.

        Raises:
            DatabaseError: it cannot be read.
        """
        with self._turn:
            # First, so that a change while the keys are read is seen the next time.
            version = self._database.keys_version()
            if version != self._version:
                self._table.replace(self._database.read_keys())
                self._version = version

    def start(self) -> None:
        """Read from now on."""
        self._thread = threading.Thread(target=self._run, name="key reader", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; may be called again."""
        self._is_over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._tell(self._take_waiting())

    def read_soon(self) -> "Future[None]":
        """Done when the keys have been read that are in the database now, or cannot be read."""
        with self._lock:
            if self._waiting is None:
                self._waiting = Future()
            waiting = self._waiting
        self._wake.set()
        return waiting

    def attempt(self) -> None:
        """`read`, where a failure is noted and not raised."""
        self._outages.attempt("reading of keys", _CONSEQUENCE, self.read)

    def _run(self) -> None:
        while not self._is_over.is_set():
            self._wake.wait(self._pause)
            self._wake.clear()
            waiting = self._take_waiting()
            began = time.monotonic()
            try:
                self.attempt()
            except Exception:
                # A bug must not end the thread: changes of keys would not be seen any more.
                LOGGER.exception("Keys could not be read")
            self._tell(waiting)
            if waiting is not None:
                rest = (time.monotonic() - began) * _REST
                self._is_over.wait(min(max(rest, _SHORTEST_PAUSE), self._pause))

    def _take_waiting(self) -> "Future[None] | None":
        with self._lock:
            waiting, self._waiting = self._waiting, None
            return waiting

    def _tell(self, waiting: "Future[None] | None") -> None:
        if waiting is not None:
            waiting.set_result(None)
