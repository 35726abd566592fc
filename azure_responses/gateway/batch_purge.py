"""Purges of what the gateway's database holds of batches for an end user.

| what | what becomes of it |
|---|---|
| a batch made for the end user | cancelled, then deleted with its results and output files |
| an input file uploaded for the end user | deleted |
| a line of another file whose body names the end user | written over with spaces |
| the result of such a line | erased from the output file; tokens and cost stay in the totals |

A batch that does not end in time counts as failed, and the next purge deletes it. What a purge that
was cut short did not reach is found by the next one, too.
"""

import asyncio
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from azure_responses.batches.lines import LineSplitter
from azure_responses.gateway.batch_records import KeptFile, digest_of
from azure_responses.gateway.batch_runner import BatchRunner
from azure_responses.router.arguments import end_user_of

if TYPE_CHECKING:
    from azure_responses.gateway.batch_erasure import BatchErasure, FoundBatch

__all__ = ["BatchPurge", "BatchReceipt"]

# For batches to end that are cancelled: requests under way are waited for.
_PATIENCE = 15.0
_POLL = 0.25
_AT_WORK = "The batch is at work: it is being cancelled. Purge again in some minutes."
_COMING = "The file is still being uploaded. Purge again later."
_INPUT = "It is the input of a batch of the end user, but was not uploaded for the end user."


@dataclass(slots=True)
class BatchReceipt:
    """What became of batches and files; in a dry run, what would become of them.

    Attributes:
        gone: id → kind of what was deleted.
        failed: id → why it could not be deleted; `failed_kinds` says its kind.
        lines: id of a file or batch of others → how many of its lines, or results, were erased.
        kept: id of a file → why it was not deleted.
    """

    is_dry_run: bool = False
    gone: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    failed_kinds: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)

    def fail(self, name: str, kind: str, reason: str) -> None:
        """It could not be deleted."""
        self.failed[name], self.failed_kinds[name] = reason, kind

    def add_to(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """The receipt of the router, with this one."""
        listed = "would_delete" if self.is_dry_run else "deleted"
        merged = receipt | {
            listed: [*receipt[listed], *self.gone],
            "failed": receipt["failed"] | self.failed,
            "is_complete": receipt["is_complete"] and not self.failed,
        }
        more: dict[str, dict[str, Any]] = {
            "kinds": receipt.get("kinds", {}) | self.gone | self.failed_kinds,
            "would_erase_lines" if self.is_dry_run else "erased_lines": self.lines,
            "kept": self.kept,
        }
        return merged | {name: values for name, values in more.items() if values}


class BatchPurge:
    """Purges; used from the event loop of the runner.

    Args:
        runner: runs the batches, and has the thread of the database.
        erasure: the tables.
        patience: seconds for which the end of cancelled batches is waited for.
    """

    def __init__(
        self, runner: BatchRunner, erasure: "BatchErasure", patience: float = _PATIENCE
    ) -> None:
        self._runner = runner
        self._erasure = erasure
        self._patience = patience

    async def purge(
        self, end_user: str, owner: str | None = None, *, dry_run: bool = False
    ) -> BatchReceipt:
        """Delete what is held for an end user.

        Args:
            end_user: whom calls and objects name.
            owner: only what is this owner's; None for all.
            dry_run: delete nothing.

        Raises:
            DatabaseError: the database does not answer.
        """
        digest, receipt = digest_of(end_user) or "", BatchReceipt(dry_run)
        batches: Sequence[FoundBatch]
        batches = await self._runner.ask(self._erasure.batches, digest, owner)
        if not dry_run:
            batches = await self._cancelled(batches, digest, owner)
        for batch in batches:
            await self._drop_batch(batch, receipt)
        for name, is_whole in (await self._runner.ask(self._erasure.files, digest, owner)).items():
            await self._drop_file(name, receipt, is_whole=is_whole)
        await self._note_inputs(batches, receipt)
        await self._erase_results(digest, owner, receipt)
        await self._erase_lines(end_user, owner, receipt)
        return receipt

    async def _cancelled(
        self, batches: Sequence["FoundBatch"], digest: str, owner: str | None
    ) -> "Sequence[FoundBatch]":
        """The batches after those at work were cancelled, and had some time to end."""
        ask, ends = self._runner.ask, time.monotonic() + self._patience
        for batch in batches:
            if not batch.has_ended:
                tables = self._runner.tables
                await ask(tables.cancel_batch, batch.id, batch.owner, time.time())
                self._runner.wake()
        while not all(batch.has_ended for batch in batches) and time.monotonic() < ends:
            await asyncio.sleep(_POLL)
            batches = await ask(self._erasure.batches, digest, owner)
        return batches

    async def _drop_batch(self, batch: "FoundBatch", receipt: BatchReceipt) -> None:
        if not (batch.has_ended or receipt.is_dry_run):
            receipt.fail(batch.id, "batches", _AT_WORK)
            return
        files = await self._runner.ask(self._erasure.result_files, batch.id)
        if not receipt.is_dry_run:
            await self._runner.ask(self._erasure.drop_batch, batch.id)
        receipt.gone |= {batch.id: "batches"} | dict.fromkeys(files, "files")

    async def _drop_file(self, name: str, receipt: BatchReceipt, *, is_whole: bool) -> None:
        if not is_whole:
            # Its parts still come: they would stay behind.
            receipt.fail(name, "files", _COMING)
            return
        if not receipt.is_dry_run:
            await self._runner.ask(self._runner.tables.drop_file, name)
        receipt.gone[name] = "files"

    async def _note_inputs(self, batches: "Sequence[FoundBatch]", receipt: BatchReceipt) -> None:
        """Say which input files stay although a batch of the end user was made of them."""
        for batch in batches:
            name = batch.input_file_id
            if name is None or name in receipt.gone:
                continue
            if await self._runner.ask(self._erasure.has_file, name):
                receipt.kept[name] = _INPUT

    async def _erase_results(self, digest: str, owner: str | None, receipt: BatchReceipt) -> None:
        found = await self._runner.ask(self._erasure.results, digest, owner)
        for name, count in found.items():
            # In a dry run the results of a batch that would be deleted are still there.
            if name in receipt.gone:
                continue
            if not receipt.is_dry_run:
                await self._runner.ask(self._erasure.erase_results, name, digest)
            receipt.lines[name] = count

    async def _erase_lines(self, end_user: str, owner: str | None, receipt: BatchReceipt) -> None:
        ask, after = self._runner.ask, ""
        while files := await ask(self._erasure.inputs, owner, after):
            for file in files:
                after = file.id
                if file.id not in receipt.gone:
                    await self._erase_in(file, end_user, receipt)

    async def _erase_in(self, file: KeptFile, end_user: str, receipt: BatchReceipt) -> None:
        """Erase the lines of one input file that name the end user."""
        ask, reader = self._runner.ask, _LineFinder(end_user)
        place: int | None = 0
        while place is not None:
            piece, place = await ask(self._runner.tables.read_file, file, place)
            await asyncio.to_thread(reader.feed, piece)
        reader.end()
        if not reader.lines:
            return
        receipt.lines[file.id] = len(reader.lines)
        if receipt.is_dry_run:
            return
        await ask(self._erasure.erase_lines, file.id, reader.lines)
        for number, ranges in reader.ranges.items():
            await ask(self._erasure.blank, file.id, number, ranges)
        # Again, for a batch that was created in between.
        await ask(self._erasure.erase_lines, file.id, reader.lines)


class _LineFinder:
    """Finds the lines of a file that name an end user, while its parts are read.

    Attributes:
        lines: their numbers; the first line of a file is 1.
        ranges: number of a part → where such lines stand in it.
    """

    def __init__(self, end_user: str) -> None:
        self.lines: list[int] = []
        self.ranges: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._end_user = end_user
        self._needle = end_user.encode("utf-8", "surrogatepass")
        self._splitter = LineSplitter()
        # Where each part begins, and where the line begins that is being read.
        self._parts = [0]
        self._start = 0
        self._number = 0

    def feed(self, piece: bytes) -> None:
        """Read the next part."""
        end = self._parts[-1]
        self._parts.append(end + len(piece))
        # The splitter takes the "\r" of a line's end away, so that lengths are those of the chunks.
        for text, chunk in zip(self._splitter.feed(piece), piece.split(b"\n"), strict=False):
            end += len(chunk)
            self._take(text, end)
            end += 1
            self._start = end

    def end(self) -> None:
        """The file has ended."""
        for text in self._splitter.end():
            self._take(text, self._parts[-1])

    def _take(self, text: bytes, end: int) -> None:
        self._number += 1
        # Most lines need not be parsed; a backslash may spell any character.
        if (self._needle in text or b"\\" in text) and self._names_end_user(text):
            self.lines.append(self._number)
            for number, place in self._places(self._start, end):
                self.ranges[number].append(place)

    def _names_end_user(self, text: bytes) -> bool:
        try:
            value = from_json(text)
        except ValueError:
            return False
        body = value.get("body") if isinstance(value, dict) else None
        return isinstance(body, dict) and end_user_of(body) == self._end_user

    def _places(self, start: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
        """Where a range of the file stands: the number of a part, and the range in it."""
        number = bisect_right(self._parts, start) - 1
        while number + 1 < len(self._parts) and self._parts[number] < end:
            first, last = self._parts[number : number + 2]
            yield number, (max(start, first) - first, min(end, last) - first)
            number += 1
