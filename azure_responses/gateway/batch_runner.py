"""Runs batches: one task for each batch that this process has claimed in the database.

| event | what follows |
|---|---|
| the process is killed | its claims end after 30 s, and another process goes on |
| the database is away | answers wait in memory until it is back, or until the claim ends |
| the claim is lost | the run stops at once and writes nothing more |
| the process shuts down | no further request begins; those under way end |

A request that was under way when its process was killed is made again: it may have been answered,
and paid, twice.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from azure_responses.batches.batch import BatchRecord
from azure_responses.batches.lines import BatchInput, BatchLine, LineError, LineSplitter, read_line
from azure_responses.batches.results import CANCELLED, EXPIRED, BatchResult
from azure_responses.gateway.batch_calls import BatchCalls, Later
from azure_responses.gateway.batch_records import ClaimedBatch, ResultRow, digest_of
from azure_responses.gateway.graceful_shutdown import GracefulShutdown
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.outages import DatabaseError
from azure_responses.router.arguments import end_user_of

if TYPE_CHECKING:
    from azure_responses.gateway.batch_tables import BatchTables

__all__ = ["BatchRunner", "new_id"]

LOGGER = logging.getLogger("azure_responses.gateway")

T = TypeVar("T")

_CLAIM = 30.0
_RENEWAL = 5.0
# How often a process looks for batches that others left.
_POLL = 5.0
# Batches that one process runs at once.
_MOST = 8
_TICK = 0.25
_LOOK_UP = 1.0
_ROWS = 500
_REVOKED = LineError("invalid_request", "The key that created the batch is not valid any more.")
_MODIFIED = LineError("input_modified", "The input file was deleted while the batch was running.")


def new_id(prefix: str) -> str:
    """A new id, such as `batch_…`."""
    return prefix + uuid4().hex


class ClaimLostError(Exception):
    """This process has lost its claim: another one may run the batch."""


@dataclass(slots=True)
class _Run:
    """One batch that this process runs.

    Attributes:
        batch: as it was when its last step began.
        status: as the database said last.
        claim_ends: monotonic seconds.
        problem: why the batch ends before its last request.
        is_short: a request was not made.
        caller: of the key, None where it is not valid any more; looked up again after
            `caller_until`, in monotonic seconds.
        failure: why the run itself ends.
        unsaved: results that wait for the database.
    """

    claimed: ClaimedBatch
    batch: BatchRecord
    status: str
    claim_ends: float
    problem: LineError | None = None
    is_short: bool = False
    caller: ApiCaller | None = None
    caller_until: float = 0.0
    failure: Exception | None = None
    unsaved: list[ResultRow] = field(default_factory=list)
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)


class BatchRunner:
    """The batches of one process; used from one event loop.

    Args:
        tables: the database.
        calls: makes the requests.
        find_caller: the caller of a key's id, None where there is no such key any more.
        serves: a model is served here.
        shutdown: of the process.
        concurrency: requests of batches at once in this process.
        on_end: awaited with each batch that has ended here, and the id of its key.
    """

    def __init__(
        self,
        tables: "BatchTables",
        calls: BatchCalls,
        find_caller: Callable[[str], ApiCaller | None],
        serves: Callable[[str], bool],
        shutdown: GracefulShutdown,
        concurrency: int,
        on_end: Callable[[BatchRecord, str], Awaitable[None]] | None = None,
    ) -> None:
        self.tables = tables
        self._calls = calls
        self._find_caller = find_caller
        self._serves = serves
        self._shutdown = shutdown
        self._concurrency = concurrency
        self._on_end = on_end
        self._places = asyncio.Semaphore(concurrency)
        self._name = uuid4().hex
        # One thread: the database's own limit of connections is as low.
        self._thread = ThreadPoolExecutor(1, "batches")
        self._tasks: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Claim and run batches from now on."""
        self._loop_task = asyncio.create_task(self._look())

    def wake(self) -> None:
        """Look for a new batch at once."""
        self._wake.set()

    async def aclose(self) -> None:
        """Stop what still runs."""
        tasks = [*self._tasks, *([] if self._loop_task is None else [self._loop_task])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._thread.shutdown()

    async def ask(self, work: Callable[..., T], *arguments: object) -> T:
        """Run a function of the database in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    async def _look(self) -> None:
        is_down, cleaned = False, 0.0
        while not self._shutdown.is_draining:
            self._wake.clear()
            try:
                now = time.time()
                if now > cleaned + 3600:
                    cleaned = now
                    await self.ask(self.tables.drop_expired_files, now, now - 86_400)
                found = await self._claim_one()
                is_down = False
            except DatabaseError as error:
                if not is_down:
                    LOGGER.warning("Batches wait: %s", error)
                is_down, found = True, False
            if not found:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), _POLL)

    async def _claim_one(self) -> bool:
        if len(self._tasks) >= _MOST:
            return False
        ends = time.monotonic() + _CLAIM
        claimed = await self.ask(self.tables.claim, self._name, _CLAIM)
        if claimed is None:
            return False
        run = _Run(claimed, claimed.batch, claimed.batch.status, ends)
        task = asyncio.create_task(self._run(run))
        self._tasks.add(task)
        self._shutdown.tasks.add(task)
        task.add_done_callback(self._forget)
        return True

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._shutdown.tasks.discard(task)
        self._wake.set()

    async def _run(self, run: _Run) -> None:
        name = run.batch.id
        keeper = asyncio.create_task(self._keep_claim(run, asyncio.current_task()))
        is_released = True
        try:
            await self._advance(run)
        except ClaimLostError:
            LOGGER.warning("Another process goes on with the batch %s", name)
        except DatabaseError as error:
            LOGGER.warning("The batch %s waits: %s", name, error)
        except Exception:
            LOGGER.exception("The batch %s cannot be run now", name)
            # Its claim ends by itself, so that it is not tried again at once.
            is_released = False
        finally:
            keeper.cancel()
            if is_released:
                with suppress(DatabaseError):
                    await self.ask(self.tables.release, name, self._name)

    async def _keep_claim(self, run: _Run, task: "asyncio.Task[None] | None") -> None:
        while True:
            await asyncio.sleep(_RENEWAL)
            asked = time.monotonic()
            with suppress(DatabaseError):
                status = await self.ask(self.tables.renew, run.batch.id, self._name, _CLAIM)
                if status is None:
                    run.claim_ends = 0.0
                else:
                    run.status, run.claim_ends = status, asked + _CLAIM
            if time.monotonic() > run.claim_ends - _RENEWAL and task is not None:
                # Requests of this process must not run beside those of another one.
                run.claim_ends = 0.0
                task.cancel()
                return

    async def _advance(self, run: _Run) -> None:
        try:
            if run.batch.status == "validating":
                await self._validate(run)
            if run.batch.status == "in_progress":
                await self._execute(run)
            if run.batch.status in ("finalizing", "cancelling"):
                await self._finish(run)
            if run.batch.has_ended and self._on_end is not None:
                await self._on_end(run.batch, run.claimed.key_id)
        except asyncio.CancelledError:
            if run.claim_ends:
                raise
            raise ClaimLostError from None

    async def _change(self, run: _Run, change: Callable[[BatchRecord], BatchRecord]) -> None:
        changed = await self.ask(self.tables.change, run.batch.id, self._name, change)
        if changed is None:
            raise ClaimLostError
        run.batch, run.status = changed, changed.status

    async def _validate(self, run: _Run) -> None:
        """Check the input file."""
        checked = BatchInput(run.batch.endpoint)
        async for texts in self._texts(run):
            await asyncio.to_thread(_check_all, checked, texts)
            if run.status != "validating":
                break
        errors = checked.end()
        refusal = run.problem or self._refusal(run, checked.model)
        if refusal is not None:
            errors = [refusal]
        now = time.time()

        def change(batch: BatchRecord) -> BatchRecord:
            if batch.status != "validating":
                return batch
            if errors:
                return replace(batch.refused(errors, now), total=0)
            return batch.moved("in_progress", now, total=checked.total, model=checked.model)

        await self._change(run, change)

    def _caller(self, run: _Run) -> ApiCaller | None:
        """The caller of the batch's key; there may be many keys to look through."""
        now = time.monotonic()
        if now >= run.caller_until:
            run.caller, run.caller_until = self._find_caller(run.claimed.key_id), now + _LOOK_UP
        return run.caller

    def _refusal(self, run: _Run, model: str | None) -> LineError | None:
        """Why no request of the batch can be made."""
        caller = self._caller(run)
        if caller is None:
            return _REVOKED
        if model is None or (self._serves(model) and caller.may_call(model)):
            return None
        return LineError(
            "model_not_found",
            f"The model {model[:200]!r} does not exist here, or is not for this key.",
            param="body.model",
        )

    async def _execute(self, run: _Run) -> None:
        """Make every request that has no result yet."""
        done = await self.ask(self.tables.done_lines, run.batch.id)
        pending: set[asyncio.Task[None]] = set()
        try:
            async for line in self._lines(run):
                if line.number in done:
                    continue
                if len(pending) >= self._concurrency:
                    await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                if self._must_stop(run):
                    run.is_short = True
                    break
                task = asyncio.create_task(self._make(run, line))
                pending.add(task)
                task.add_done_callback(pending.discard)
            if pending:
                await asyncio.wait(pending)
        finally:
            left = list(pending)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        if run.failure is not None:
            raise run.failure
        await self._end_requests(run)

    async def _end_requests(self, run: _Run) -> None:
        """Decide how the batch ends, if it has ended."""
        now = time.time()
        ending = "completed"
        if run.problem is not None:
            ending = "failed"
        elif run.is_short and now >= run.batch.expires:
            ending = "expired"
        elif run.is_short and run.status == "in_progress":
            # The process shuts down; another one continues the batch.
            return
        errors = () if run.problem is None else (run.problem.to_dict(),)

        def change(batch: BatchRecord) -> BatchRecord:
            if batch.status != "in_progress":
                return batch
            return batch.moved("finalizing", now, ending=ending, errors=errors)

        await self._change(run, change)

    def _must_stop(self, run: _Run) -> bool:
        """True when no further request may begin."""
        if run.problem is None and self._caller(run) is None:
            run.problem = _REVOKED
        return (
            run.problem is not None
            or run.failure is not None
            or run.status != "in_progress"
            or self._shutdown.is_draining
            or time.time() >= run.batch.expires
            or time.monotonic() >= run.claim_ends
        )

    async def _make(self, run: _Run, line: BatchLine) -> None:
        """Make one request; it may wait for a long time before."""
        try:
            row = await self._result(run, line)
            if row is None:
                run.is_short = True
            else:
                await self._save(run, row)
        except Exception as error:
            run.failure = run.failure or error

    async def _result(self, run: _Run, line: BatchLine) -> ResultRow | None:
        attempts = 0
        while True:
            caller = self._caller(run)
            if caller is None:
                return None
            async with self._places:
                found = await self._calls.make(line, caller, run.batch.model or "", attempts)
            if isinstance(found, ResultRow):
                return found
            attempts += found.is_attempt
            if not await self._wait(run, found):
                return None

    async def _wait(self, run: _Run, later: Later) -> bool:
        """Wait; False when the request may not be made any more."""
        until = time.monotonic() + later.seconds
        while (left := until - time.monotonic()) > 0:
            if self._must_stop(run):
                return False
            await asyncio.sleep(min(left, _TICK))
        return not self._must_stop(run)

    async def _save(self, run: _Run, row: ResultRow) -> None:
        """Store a result, with those that wait too; an answer that was paid for is not lost."""
        run.unsaved.append(row)
        async with run.saving:
            while run.unsaved:
                rows = run.unsaved[:_ROWS]
                try:
                    status = await self.ask(self.tables.add_results, run.batch.id, self._name, rows)
                except DatabaseError:
                    await asyncio.sleep(1.0)
                    continue
                if status is None:
                    raise ClaimLostError
                run.status = status
                del run.unsaved[: len(rows)]

    async def _finish(self, run: _Run) -> None:
        """Write the requests that were not made, and end the batch."""
        batch = run.batch
        if batch.status == "cancelling":
            await self._give_up_rest(run, CANCELLED)
        elif batch.ending == "expired":
            await self._give_up_rest(run, EXPIRED)
        elif batch.ending == "failed":
            problem = batch.errors[0]
            await self._give_up_rest(run, (problem["code"], problem["message"]))
        ids = new_id("file-"), new_id("file-")
        ended = await self.ask(self.tables.finish, run.batch.id, self._name, ids, time.time())
        if ended is None:
            raise ClaimLostError
        run.batch = ended
        LOGGER.info("The batch %s has ended: %s", ended.id, ended.status)

    async def _give_up_rest(self, run: _Run, error: tuple[str, str]) -> None:
        done = await self.ask(self.tables.done_lines, run.batch.id)
        rows: list[ResultRow] = []
        async for line in self._lines(run):
            if line.number not in done:
                result = BatchResult(new_id("batch_req_"), line.custom_id, error=error)
                digest = digest_of(end_user_of(line.body))
                row = ResultRow(line.number, result.to_line(), is_failed=True, cost=0)
                rows.append(replace(row, is_made=False, end_user_digest=digest))
            if len(rows) >= _ROWS:
                rows = await self._add(run, rows)
        await self._add(run, rows)

    async def _add(self, run: _Run, rows: list[ResultRow]) -> list[ResultRow]:
        if rows:
            status = await self.ask(self.tables.add_results, run.batch.id, self._name, rows)
            if status is None:
                raise ClaimLostError
        return []

    async def _lines(self, run: _Run) -> AsyncIterator[BatchLine]:
        """The requests of the input file; lines with errors have none."""
        number = 0
        async for texts in self._texts(run):
            for text in texts:
                number += 1
                with suppress(LineError):
                    if text.strip():
                        yield read_line(text, number)

    async def _texts(self, run: _Run) -> AsyncIterator[list[bytes]]:
        """The lines of the input file, those of one piece at a time."""
        splitter, place = LineSplitter(), 0
        claimed = run.claimed
        file = await self.ask(
            self.tables.find_file, run.batch.input_file_id, claimed.owner, time.time()
        )
        size = 0
        while file is not None and size < file.size:
            piece, _ = await self.ask(self.tables.read_file, file, place)
            if not piece:
                break
            place, size = place + 1, size + len(piece)
            yield list(splitter.feed(piece))
        if file is None or size < file.size:
            run.problem = _MODIFIED
            return
        yield list(splitter.end())


def _check_all(checked: BatchInput, texts: Iterator[bytes] | list[bytes]) -> None:
    for text in texts:
        checked.add(text)
