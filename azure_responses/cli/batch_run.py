"""`azure-responses batch run`: the requests of a file, made one by one from here.

Threads make the requests, with one client. The main thread reads the file and shows the progress.
"""

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

from azure_responses._sync.client import AzureResponses
from azure_responses.batches.lines import BatchInput, BatchLine, LineSplitter
from azure_responses.batches.results import BatchResult
from azure_responses.cli.rendering import describe_cost
from azure_responses.cli.result_file import ResultFile
from azure_responses.cli.terminal import is_capable, note
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
    DeploymentNotFoundError,
    PermissionDeniedError,
    ResponseFailedError,
    UnreadableResponseError,
)
from azure_responses.pricing import default_book
from azure_responses.pricing.use import read_use
from azure_responses.types.parameters import ResponseParameters

__all__ = ["LocalRun", "BatchProgress", "check_file", "file_lines", "open_progress"]

_PIECE = 256 * 1024
_MOST_SHOWN = 10
# The next request would fail with these errors too: the run stops, and the request is not done.
_STOPPING = (
    APIConnectionError,
    AuthenticationError,
    CredentialError,
    DeploymentNotFoundError,
    PermissionDeniedError,
)
_KNOWN = frozenset(ResponseParameters.__annotations__) - {"stream"}


class BatchProgress(Protocol):
    """Shows how far a batch is."""

    def begin(self, total: int, done: int, failed: int) -> None:
        """`total` requests; `done` of them have a result already."""

    def advance(self, done: int, failed: int) -> None:
        """The number of requests that have a result now."""

    def end(self) -> None:
        """Take the bar off the screen."""


def file_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, which may be larger than the memory.

    Raises:
        ConfigurationError: it cannot be read.
    """
    splitter = LineSplitter()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield from splitter.feed(piece)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    yield from splitter.end()


def check_file(path: Path, model: str | None) -> set[str]:
    """The custom ids of a file.

    Raises:
        ConfigurationError: lines are invalid; the first of them are shown on stderr.
    """
    checked = BatchInput(model=model)
    names = {line.custom_id for text in file_lines(path) if (line := checked.add(text))}
    errors = checked.end()
    if not errors:
        return names
    for error in errors[:_MOST_SHOWN]:
        place = f"line {error.line}" if error.line is not None else "the file"
        note(f"{place}: {error.code}: {error.message}")
    if len(errors) > _MOST_SHOWN:
        note(f"and {len(errors) - _MOST_SHOWN} more")
    raise ConfigurationError(
        f"{path} cannot be run as a batch.",
        hint='Each line is {"custom_id": …, "method": "POST", "url": "/v1/responses", '
        '"body": {"model": …, …}}; --model is for lines that name no model.',
    )


@dataclass
class LocalRun:
    """The requests of one file.

    Args:
        client: makes the requests.
        path: the file; its lines have been checked.
        results: what is done.
        model: for lines that name none.
        concurrency: requests at once.
        progress: shows how far it is.

    Attributes:
        tokens, cost: of the answers of this run; the cost is None where a price is not known.
    """

    client: AzureResponses
    path: Path
    results: ResultFile
    model: str | None
    concurrency: int
    progress: BatchProgress
    tokens: int = 0
    cost: Decimal | None = Decimal(0)
    _queue: "queue.Queue[BatchLine | None]" = field(init=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)
    _stopped: threading.Event = field(init=False, default_factory=threading.Event)
    _error: AzureResponsesError | None = field(init=False, default=None)

    def run(self, total: int) -> bool:
        """Make every request that has no result yet; False where Ctrl-C stopped it.

        Raises:
            AzureResponsesError: the service cannot be used as it is set up, or not be reached.
        """
        self._queue = queue.Queue(self.concurrency)
        self.progress.begin(total, *self._counts())
        threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(self.concurrency)
        ]
        for thread in threads:
            thread.start()
        finished = self._feed(threads)
        self.progress.end()
        if self._error is not None:
            raise self._error
        return finished

    def _feed(self, threads: list[threading.Thread]) -> bool:
        try:
            for line in self._open_lines():
                while not self._put(line):
                    if self._stopped.is_set():
                        break
            self._join(threads)
        except KeyboardInterrupt:
            self._stopped.set()
            self.progress.end()
            running = sum(thread.is_alive() for thread in threads)
            note(f"stopping: waiting for up to {running} requests; Ctrl-C again leaves them")
            with suppress(KeyboardInterrupt):
                self._join(threads)
            return False
        return True

    def _open_lines(self) -> Iterator[BatchLine]:
        checked = BatchInput(model=self.model)
        for text in file_lines(self.path):
            if self._stopped.is_set():
                return
            line = checked.add(text)
            if line is not None and line.custom_id not in self.results.done:
                yield line

    def _put(self, line: BatchLine | None) -> bool:
        try:
            self._queue.put(line, timeout=0.1)
        except queue.Full:
            return False
        return True

    def _join(self, threads: list[threading.Thread]) -> None:
        """Wait for the running requests."""
        for thread in threads:
            while thread.is_alive():
                self._put(None)
                thread.join(0.05)

    def _work(self) -> None:
        while (line := self._queue.get()) is not None and not self._stopped.is_set():
            try:
                result = self._make(line)
                self.results.add(result)
            except AzureResponsesError as error:
                with self._lock:
                    self._error = self._error or error
                self._stopped.set()
                return
            self._count(result)

    def _make(self, line: BatchLine) -> BatchResult:
        """The answer to a request; raises errors that the next request would have too."""
        name = f"batch_req_{uuid4().hex}", line.custom_id
        try:
            answer = self._ask(line)
        except (ResponseFailedError, UnreadableResponseError) as error:
            # The service answers with 200 and says in the body that it has failed.
            failed = error.response
            body = failed.to_dict() if failed is not None else _error_of("server_error", error)
            return BatchResult(*name, 200, error.request_id, body)
        except APITimeoutError as error:
            return BatchResult(*name, error=("request_timeout", str(error)))
        except _STOPPING:
            raise
        except APIStatusError as error:
            return BatchResult(*name, error.status_code, error.request_id, _body_of(error))
        except (AzureResponsesError, TypeError) as error:
            # Refused before it was sent, as a service would have refused it.
            return BatchResult(*name, 400, None, _error_of("invalid_request", error))
        return BatchResult(*name, 200, answer.request_id, answer.to_dict())

    def _ask(self, line: BatchLine) -> Any:
        body = {**line.body, "model": line.model or self.model}
        if line.url != "/v1/responses":
            return self.client.chat.completions.create(**body)
        known = {name: value for name, value in body.items() if name in _KNOWN}
        rest = {name: value for name, value in body.items() if name not in _KNOWN}
        return self.client.responses.create(**known, extra_body=rest or None)

    def _count(self, result: BatchResult) -> None:
        usage = result.usage()
        cost = None
        if isinstance(result.body, dict) and not result.is_failed:
            cost = default_book.total(read_use(result.body), None, None)
        with self._lock:
            self.tokens += usage.input + usage.output
            if not result.is_failed:
                self.cost = None if cost is None or self.cost is None else self.cost + cost
            self.progress.advance(*self._counts())

    def _counts(self) -> tuple[int, int]:
        done = list(self.results.done.values())
        return len(done), sum(done)

    def summary(self) -> str:
        """A summary of the run in one line."""
        done, failed = self._counts()
        used = f"; this run used {self.tokens:,} tokens, {describe_cost(self.cost)}"
        return f"{done - failed:,} answered, {failed:,} failed{used if self.tokens else ''}"


def _body_of(error: APIStatusError) -> Any:
    """The error as the service wrote it, or in the same form."""
    if isinstance(error.body, Mapping) and "error" in error.body:
        return error.body
    described = {
        "message": error.message,
        "code": error.code,
        "type": error.type,
        "param": error.param,
    }
    return {"error": described}


def _error_of(code: str, error: Exception) -> Any:
    return {"error": {"message": str(error), "code": code, "type": code, "param": None}}


def open_progress() -> BatchProgress:
    """A bar on a terminal that can show one; lines elsewhere."""
    if is_capable(sys.stderr):
        with suppress(ModuleNotFoundError):
            return _Bar()
    return _Lines(time.monotonic)


class _Lines:
    """A line on stderr every ten seconds."""

    def __init__(self, clock: Callable[[], float], pause: float = 10.0) -> None:
        self._clock = clock
        self._pause = pause
        self._total = 0
        self._next = 0.0

    def begin(self, total: int, done: int, failed: int) -> None:
        self._total = total
        note(f"{done:,} of {total:,} requests are done")
        self._next = self._clock() + self._pause

    def advance(self, done: int, failed: int) -> None:
        if self._clock() >= self._next:
            note(f"{done:,} of {self._total:,} requests are done, {failed:,} of them failed")
            self._next = self._clock() + self._pause

    def end(self) -> None:
        pass


class _Bar:
    """A bar with counts and the time left; rich is in the extra `cli`."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def begin(self, total: int, done: int, failed: int) -> None:
        self._task = self._bar.add_task("", total=total, completed=done, failed=failed)
        self._bar.start()

    def advance(self, done: int, failed: int) -> None:
        self._bar.update(self._task, completed=done, failed=failed)

    def end(self) -> None:
        self._bar.stop()
