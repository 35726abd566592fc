"""The file of a batch's results, which a later run continues."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

from azure_responses.batches.lines import LineSplitter
from azure_responses.batches.results import BatchResult, read_result
from azure_responses.errors import ConfigurationError

__all__ = ["ResultFile"]

_PIECE = 1024 * 1024


class ResultFile:
    """One line for each request that has been answered; a context manager.

    A process that is killed may leave a torn last line. It is taken off when the file is opened, so
    that its request is made again.

    Args:
        path: made where it is missing.
        retries_failed: take off the lines of requests that failed, so that they are made again.

    Attributes:
        done: the custom ids in it, each with whether its request failed.
        results: what was in it already.

    Raises:
        ConfigurationError: it cannot be written, another run writes it, or it holds other things.
    """

    def __init__(self, path: Path, *, retries_failed: bool = False) -> None:
        self.path = path
        self.done: dict[str, bool] = {}
        self._lock = threading.Lock()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}.") from error
        try:
            self._take_lock()
            self._recover(retries_failed)
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            os.close(self._file)
            self._file = -1

    def add(self, result: BatchResult) -> None:
        """Append the result of a request; any thread may call.

        After the end of the block it does nothing: the request is made again by the next run.
        """
        line = result.to_line()
        with self._lock:
            if self._file < 0:
                return
            self._write(line)
            self.done[result.custom_id] = result.is_failed

    def read(self) -> Iterator[BatchResult]:
        """Every result in the file."""
        for line, _ in self._lines():
            result = read_result(line)
            if result is not None:
                yield result

    def _take_lock(self) -> None:
        if sys.platform == "win32":  # pragma: no cover - there two runs are not kept apart.
            return
        import fcntl

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(
                f"Another run writes {self.path}.", hint="Wait for it, or name another file by -o."
            ) from error

    def _recover(self, retries_failed: bool) -> None:
        """Read what is done, and take off what does not count."""
        end, has_failed = 0, False
        for number, (line, stop) in enumerate(self._lines(), start=1):
            result = read_result(line)
            if result is None:
                if stop is None:
                    break
                raise ConfigurationError(
                    f"Line {number} of {self.path} is not a result of a batch.",
                    hint="Name another file by -o.",
                )
            has_failed |= result.is_failed
            self.done[result.custom_id] = result.is_failed
            # Only the end of the line was lost: it is written below.
            end = stop if stop is not None else -1
        if end < 0:
            self._write(b"\n")
        else:
            os.ftruncate(self._file, end)
        if retries_failed and has_failed:
            self._take_off_failed()

    def _lines(self) -> Iterator[tuple[bytes, int | None]]:
        """Each line, and where the next one begins; None for a last line without its end."""
        splitter, place, stop = LineSplitter(), 0, 0
        while piece := os.pread(self._file, _PIECE, place):
            place += len(piece)
            for line in splitter.feed(piece):
                stop += len(line) + 1
                yield line, stop
        for line in splitter.end():
            yield line, None

    def _take_off_failed(self) -> None:
        """Write the file anew without them; a crash leaves the old one or the new one."""
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            with os.fdopen(os.open(fresh, mode, 0o600), "wb") as file:
                for result in self.read():
                    if not result.is_failed:
                        file.write(result.to_line())
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, self.path)
            old, self._file = self._file, os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            self._take_lock()
            os.close(old)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink()
            raise ConfigurationError(f"{self.path} cannot be written: {error.strerror}.") from error
        self.done = {name: failed for name, failed in self.done.items() if not failed}

    def _write(self, line: bytes) -> None:
        left = memoryview(line)
        try:
            while left:
                left = left[os.write(self._file, left) :]
        except OSError as error:
            raise ConfigurationError(
                f"{self.path} cannot be written: {error.strerror}.",
                hint="Make room, and run the command again: it continues.",
            ) from error
