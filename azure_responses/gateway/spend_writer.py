"""The thread that writes: spend log and totals out, other replicas' totals in.

Calls only ever touch memory. What this process has gathered since the last interval is lost when
it is killed; an orderly end writes everything.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.call_log import describe_call, format_line
from azure_responses.gateway.key_reader import KeyReader
from azure_responses.gateway.key_table import ApiCaller, KeyTable
from azure_responses.gateway.outages import LOGGER, Outages
from azure_responses.gateway.spend import SpendBatch, SpendTotals, day_of, spent_by
from azure_responses.openai_server.call_summary import CallSummary

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database

__all__ = ["SpendWriter", "SpendLog"]

_PIECE = 1024 * 1024


class SpendLog:
    """Appends whole lines, and goes on in a new file when the old one has been moved away.

    Each batch is one write to a file opened for appending, which the kernel does not mix with
    the writes of others. A file that a crash left without its last line's end gets one first.

    Raises:
        ConfigurationError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._is_stale = False
        try:
            self._file = self._open()
        except OSError as error:
            raise ConfigurationError(
                f"The spend log {path} cannot be written: {error.strerror}.",
                hint="Make its folder, or give general_settings.spend_log another path.",
            ) from error

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines, each with its end.

        Raises:
            OSError: the disk is full or gone. Some of the lines may have been written, and will
                stand there twice; `azure-responses cost` counts a response once.
        """
        with self._lock:
            if self._is_stale or self._has_moved():
                self._reopen()
            # A write that fails half-way leaves a line without its end, which opening mends.
            self._is_stale = True
            for piece in _pieces(lines):
                self._append(piece)
            self._is_stale = False

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            os.close(self._file)

    def _open(self) -> int:
        # Names of end users stand in it: for the owner and the group only.
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(file).st_size
            if size and os.pread(file, 1, size - 1) != b"\n":
                os.write(file, b"\n")
        except OSError:
            # Tried again every second while the disk is full: none may stay open.
            os.close(file)
            raise
        return file

    def _reopen(self) -> None:
        fresh = self._open()
        os.close(self._file)
        self._file = fresh

    def _has_moved(self) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return True
        here = os.fstat(self._file)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino)

    def _append(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            left = left[os.write(self._file, left) :]


def _pieces(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The lines taken together, none of them cut."""
    gathered: list[bytes] = []
    size = 0
    for line in lines:
        gathered.append(line)
        size += len(line)
        if size >= _PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


# Less than 100 MB of lines, while the disk is full or gone.
_MOST_LINES = 100_000


class SpendWriter:
    """Records calls, and keeps what must outlive the process.

    Use it as a context manager, or `start` and `close` it.

    Args:
        table: takes the keys of the database.
        totals: the totals.
        database_url: where keys and totals are kept; None keeps totals in memory only.
        log: the spend log, or None.
        flush_interval: seconds between writes, which is what a crash may lose.
        refresh_interval: seconds within which a change of keys or totals in the database counts
            here, while it answers.
    """

    def __init__(
        self,
        table: KeyTable,
        totals: SpendTotals,
        *,
        database_url: str | None = None,
        log: SpendLog | None = None,
        flush_interval: float = 1.0,
        refresh_interval: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._totals = totals
        self._url = database_url
        self._database: Database | None = None
        self._log = log
        self._flush_interval = flush_interval
        self._refresh_interval = refresh_interval
        self._clock = clock
        # Names this process to the database, which counts each of its batches once.
        self._writer = uuid4().hex
        self._lines: deque[bytes] = deque()
        self._dropped = self._told = 0
        self._outages = Outages()
        self._reader: KeyReader | None = None
        self._turn = threading.Lock()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Read keys and totals, then write from now on.

        Raises:
            ConfigurationError: the database's URL, driver or tables cannot be used.
            DatabaseError: it cannot be reached. Without its keys a gateway can serve no caller.
        """
        if self._url is not None:
            # Imported on use: SQLAlchemy is large, and a gateway may do without a database.
            from azure_responses.gateway.database import open_database

            database = open_database(self._url)
            interval = self._refresh_interval
            reader = KeyReader(self._table, database, self._outages, interval=interval)
            try:
                reader.read()
                self._totals.replace_totals(database.daily_costs())
            except BaseException:
                database.close()
                raise
            self._database, self._reader = database, reader
            reader.start()
        self._thread = threading.Thread(target=self._run, name="spend writer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write everything and end; may be called again."""
        self._is_over.set()
        # First the threads, then the last write: no other may write at the same time.
        if self._reader is not None:
            self._reader.close()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self.flush()
        if self._database is not None:
            if self._totals.is_being_written:
                LOGGER.error("What was spent since the last write is lost to the database")
            self._database.close()
            self._database = None

    def __enter__(self) -> "SpendWriter":
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def database(self) -> "Database | None":
        """Where keys and totals are kept, between `start` and `close`."""
        return self._database

    @property
    def turn(self) -> threading.Lock:
        """Held while totals are written or read; other writers of totals hold it too."""
        return self._turn

    @property
    def is_healthy(self) -> bool:
        """False while the database or the spend log cannot be written."""
        return not self._outages

    def record(self, caller: ApiCaller, call: CallSummary, *, held: int = 0) -> None:
        """Count a call and put its line in the spend log; does no I/O.

        Args:
            held: what counts against a budget where the cost is not known; see `Spent`.
        """
        # In this order: what `flush` takes of the totals has its line waiting then.
        try:
            self.log(caller, call)
        finally:
            self._totals.add(*spent_by(caller, call, held))

    def log(self, caller: ApiCaller, call: CallSummary) -> None:
        """Put a call's line in the spend log, where there is one; does no I/O."""
        if self._log is not None:
            self._enqueue(format_line(describe_call(caller, call)))

    def flush(self) -> None:
        """Write what has been gathered, now, in this thread."""
        with self._turn:
            # Taken before the log is written, so that nothing reaches the database without a line.
            batch = self._take_totals()
            self._attempt("writing of the spend log", self._write_log)
            if batch is not None:
                self._attempt("writing of totals", partial(self._write_totals, batch))

    def refresh(self) -> None:
        """Read keys and totals again, now, in this thread."""
        if self._reader is not None:
            self._reader.attempt()
        self._refresh_totals()

    def read_keys_soon(self) -> "Future[None] | None":
        """Done when the keys have been read again; None without a database."""
        return None if self._reader is None else self._reader.read_soon()

    def _run(self) -> None:
        # A change has to be seen within the interval, however long reading it takes.
        every = {self.flush: self._flush_interval, self._refresh_totals: self._refresh_interval / 2}
        due = {action: time.monotonic() + pause for action, pause in every.items()}
        while not self._is_over.wait(max(0.0, min(due.values()) - time.monotonic())):
            action = min(due, key=due.__getitem__)
            due[action] = time.monotonic() + every[action]
            try:
                action()
            except Exception:
                # A bug must not end the thread: nothing would be written any more.
                LOGGER.exception("Totals could not be written or read")

    def _enqueue(self, line: bytes) -> None:
        if len(self._lines) >= _MOST_LINES:
            self._lines.popleft()
            if self._dropped == self._told:
                LOGGER.warning("The spend log waits with %d lines; the oldest go", _MOST_LINES)
            self._dropped += 1
        self._lines.append(line)

    def _write_log(self) -> None:
        if self._log is None or not self._lines:
            return
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        try:
            self._log.write(lines)
        except OSError:
            # Newer lines came while this failed: of all together the newest stay.
            kept = lines[max(0, len(lines) + len(self._lines) - _MOST_LINES) :]
            self._dropped += len(lines) - len(kept)
            self._lines.extendleft(reversed(kept))
            raise
        if self._dropped > self._told:
            LOGGER.warning("The spend log lacks %d lines", self._dropped - self._told)
            self._told = self._dropped

    def _take_totals(self) -> SpendBatch | None:
        if self._url is not None and self._database is None:
            return None  # Closed: what comes later stays in memory, and nowhere else.
        return self._totals.take()

    def _write_totals(self, batch: SpendBatch) -> None:
        if self._database is not None:
            self._database.add_spend(self._writer, batch, day_of(self._clock()))
        self._totals.written(batch)

    def _refresh_totals(self) -> None:
        with self._turn:
            self._attempt("reading of totals", self._read_totals)

    def _read_totals(self) -> None:
        # Only keys with a budget need the totals of other replicas. While a batch is being written,
        # it may or may not be in what the database says.
        budgeted = self._budgeted()
        if self._database is not None and budgeted and not self._totals.is_being_written:
            self._totals.replace_totals(self._database.daily_costs(budgeted), budgeted)

    def _budgeted(self) -> list[str]:
        return [caller.key_id for caller in self._table.callers() if caller.budget is not None]

    def _attempt(self, subject: str, action: Callable[[], None]) -> None:
        consequence = "Calls go on, and what they cost is kept in memory."
        self._outages.attempt(subject, consequence, action)
