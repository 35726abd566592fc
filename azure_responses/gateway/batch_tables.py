"""Batches, their files and their results, in SQLite or PostgreSQL.

A batch belongs to the process that has claimed it, until its claim ends. Every write of a run asks
whether the claim is still its own, in the same transaction: a process that was suspended and comes
back late changes nothing any more. Claims go by the clock of the database.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import sqlalchemy as sql

from azure_responses.batches.batch import ENDED, BatchRecord
from azure_responses.batches.results import BatchTokens
from azure_responses.gateway.batch_records import (
    ClaimedBatch,
    KeptFile,
    ResultRow,
    StoredBatch,
)
from azure_responses.gateway.batch_schema import BATCHES, FILES, PARTS, RESULTS, TABLES
from azure_responses.gateway.database import Database

__all__ = ["BatchTables"]

_COPIED = ("line", "is_failed", "is_made", "text", "cost", "end_user_digest")
_TOKENS = ("input", "cached", "output", "reasoning")
# Of the results of a file, read at once.
_LINES = 200


class BatchTables:
    """The tables; every method is one transaction and may block.

    Each raises DatabaseError where the database does not answer.

    Args:
        database: shared by the replicas.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_sqlite = database.is_sqlite
        with database.write() as connection:
            database.make_tables(connection, TABLES)

    def add_file(self, file: KeptFile) -> None:
        """Begin a file, which no caller sees before `finish_file`."""
        with self._database.write() as connection:
            connection.execute(sql.insert(FILES).values(**asdict(file), is_whole=False))

    def add_part(self, file_id: str, number: int, data: bytes) -> None:
        """Store a piece of a file; the first has the number 0."""
        with self._database.write() as connection:
            connection.execute(sql.insert(PARTS).values(file_id=file_id, number=number, data=data))

    def finish_file(self, file_id: str, size: int) -> None:
        """Mark a file as complete."""
        with self._database.write() as connection:
            changed = sql.update(FILES).where(FILES.c.id == file_id)
            connection.execute(changed.values(is_whole=True, size=size))

    def drop_file(self, file_id: str) -> None:
        """Delete a file; of an output file its results too."""
        with self._database.write() as connection:
            self._drop_files(connection, FILES.c.id == file_id)

    def drop_expired_files(self, now: float, abandoned: float) -> None:
        """Delete files that have expired by `now`, and uploads that began before `abandoned`."""
        with self._database.write() as connection:
            self._drop_files(connection, FILES.c.expires <= now)
            torn = sql.and_(FILES.c.is_whole.is_(False), FILES.c.created < abandoned)
            self._drop_files(connection, torn)

    def find_file(self, file_id: str, owner: str | None, now: float) -> KeptFile | None:
        """A file of an owner; None where there is none."""
        found = self._files(owner, now).where(FILES.c.id == file_id)
        with self._database.read() as connection:
            row = connection.execute(found).first()
        return None if row is None else KeptFile(*row)

    def list_files(
        self, owner: str | None, now: float, purpose: str | None = None
    ) -> list[KeptFile]:
        """Every file of an owner, newest first."""
        found = self._files(owner, now).order_by(FILES.c.created.desc(), FILES.c.id)
        if purpose is not None:
            found = found.where(FILES.c.purpose == purpose)
        with self._database.read() as connection:
            return [KeptFile(*row) for row in connection.execute(found)]

    def read_file(self, file: KeptFile, place: int) -> tuple[bytes, int | None]:
        """A piece of a file, from a place on: 0, or what the piece before came with.

        Returns the piece and the place of the next one, None after the last.
        """
        if file.batch_id is not None:
            return self._read_results(file, place)
        part = sql.select(PARTS.c.data).where(PARTS.c.file_id == file.id, PARTS.c.number == place)
        with self._database.read() as connection:
            data = connection.scalar(part)
        return (b"", None) if data is None else (bytes(data), place + 1)

    def add_batch(
        self,
        batch: BatchRecord,
        owner: str | None,
        key_id: str,
        end_user_digest: str | None = None,
    ) -> None:
        """Store a new batch, which the next process with room claims."""
        row = _batch_row(batch) | {"id": batch.id, "owner": owner, "key_id": key_id}
        row |= {"input_file_id": batch.input_file_id, "end_user_digest": end_user_digest}
        with self._database.write() as connection:
            connection.execute(sql.insert(BATCHES).values(**row, created=batch.created))

    def find_batch(self, batch_id: str, owner: str | None) -> StoredBatch | None:
        """A batch of an owner; None where there is none."""
        found = sql.select(BATCHES.c.text).where(BATCHES.c.id == batch_id, _is_of(BATCHES, owner))
        with self._database.read() as connection:
            text = connection.scalar(found)
            return None if text is None else _with_results(connection, _read_batch(text))

    def list_batches(
        self, owner: str | None, after: str | None = None, limit: int = 20
    ) -> list[StoredBatch]:
        """Batches of an owner, newest first, those after a batch."""
        found = sql.select(BATCHES.c.text).where(_is_of(BATCHES, owner))
        if after is not None:
            last = sql.select(BATCHES.c.created).where(BATCHES.c.id == after).scalar_subquery()
            is_older = sql.or_(
                BATCHES.c.created < last,
                sql.and_(BATCHES.c.created == last, BATCHES.c.id > after),
            )
            found = found.where(is_older)
        found = found.order_by(BATCHES.c.created.desc(), BATCHES.c.id).limit(limit)
        with self._database.read() as connection:
            texts = connection.scalars(found).all()
            return [_with_results(connection, _read_batch(text)) for text in texts]

    def cancel_batch(self, batch_id: str, owner: str | None, now: float) -> StoredBatch | None:
        """Ask the process that runs a batch to cancel it; does nothing after its end."""

        def cancel(batch: BatchRecord) -> BatchRecord:
            begun = batch.status in ("validating", "in_progress")
            return batch.moved("cancelling", now) if begun else batch

        with self._database.write() as connection:
            found = BATCHES.c.id == batch_id, _is_of(BATCHES, owner)
            batch = self._changed(connection, sql.and_(*found), cancel)
            return None if batch is None else _with_results(connection, batch)

    def claim(self, runner: str, seconds: float) -> ClaimedBatch | None:
        """Claim the oldest batch that has not ended and that no process has claimed."""
        is_open = BATCHES.c.status.not_in(ENDED)
        with self._database.read() as connection:
            # Most times there is none, and SQLite lets only one transaction write at a time.
            if connection.scalar(sql.select(BATCHES.c.id).where(is_open).limit(1)) is None:
                return None
        with self._database.write() as connection:
            now = self._now(connection)
            is_free = sql.or_(BATCHES.c.claimed_by.is_(None), BATCHES.c.claimed_until < now)
            found = (
                sql.select(BATCHES.c.id, BATCHES.c.text, BATCHES.c.owner, BATCHES.c.key_id)
                .where(is_open, is_free)
                .order_by(BATCHES.c.created, BATCHES.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = connection.execute(found).first()
            if row is None:
                return None
            claimed = sql.update(BATCHES).where(BATCHES.c.id == row[0])
            connection.execute(claimed.values(claimed_by=runner, claimed_until=now + seconds))
            return ClaimedBatch(_read_batch(row[1]), row[2], row[3])

    def renew(self, batch_id: str, runner: str, seconds: float) -> str | None:
        """Extend a claim; returns the status of the batch, or None for a lost claim."""
        with self._database.write() as connection:
            status = _claimed_status(connection, batch_id, runner)
            if status is not None:
                until = self._now(connection) + seconds
                kept = sql.update(BATCHES).where(BATCHES.c.id == batch_id)
                connection.execute(kept.values(claimed_until=until))
            return status

    def release(self, batch_id: str, runner: str) -> None:
        """Give a claim back, for another process or for later."""
        with self._database.write() as connection:
            mine = BATCHES.c.id == batch_id, BATCHES.c.claimed_by == runner
            connection.execute(
                sql.update(BATCHES).where(*mine).values(claimed_by=None, claimed_until=None)
            )

    def change(
        self, batch_id: str, runner: str, change: Callable[[BatchRecord], BatchRecord]
    ) -> BatchRecord | None:
        """Change a claimed batch by a function of its current state; None for a lost claim."""
        with self._database.write() as connection:
            mine = sql.and_(BATCHES.c.id == batch_id, BATCHES.c.claimed_by == runner)
            return self._changed(connection, mine, change)

    def done_lines(self, batch_id: str) -> set[int]:
        """The numbers of the lines that have a result."""
        with self._database.read() as connection:
            found = sql.select(RESULTS.c.line).where(RESULTS.c.batch_id == batch_id)
            return set(connection.scalars(found))

    def add_results(self, batch_id: str, runner: str, rows: Sequence[ResultRow]) -> str | None:
        """Store results; the status of the batch. None for a lost claim: then nothing is stored."""
        values = [_result_row(batch_id, row) for row in rows]
        insert = self._database.insert(RESULTS).on_conflict_do_nothing()
        with self._database.write() as connection:
            status = _claimed_status(connection, batch_id, runner)
            if status is not None and values:
                connection.execute(insert, values)
            return status

    def finish(
        self, batch_id: str, runner: str, ids: tuple[str, str], now: float
    ) -> BatchRecord | None:
        """End a batch that is finalizing or cancelling; its files are there from now on.

        Args:
            ids: of the output file and of the error file, where there will be one.
        """
        with self._database.write() as connection:
            mine = sql.and_(BATCHES.c.id == batch_id, BATCHES.c.claimed_by == runner)
            # Locked: the results must not be erased between their count and the end.
            found = sql.select(BATCHES.c.owner).where(mine).with_for_update()
            owner = connection.scalar(found)
            files = _result_files(connection, batch_id, owner, ids, now)

            def end(batch: BatchRecord) -> BatchRecord:
                ending = "cancelled" if batch.status == "cancelling" else batch.ending
                named = {
                    name: file.id
                    for name, file in zip(("output_file_id", "error_file_id"), files, strict=True)
                    if file is not None
                }
                counted = _with_results(connection, batch).batch
                return counted.moved(ending, now, **named)

            batch = self._changed(connection, mine, end)
            if batch is None:
                return None
            for file in files:
                if file is not None:
                    kept = batch.file_seconds
                    expires = None if kept is None else now + kept
                    values = asdict(replace(file, expires=expires))
                    connection.execute(sql.insert(FILES).values(**values, is_whole=True))
            return batch

    def _changed(
        self,
        connection: sql.Connection,
        where: sql.ColumnElement[bool],
        change: Callable[[BatchRecord], BatchRecord],
    ) -> BatchRecord | None:
        """Read a batch, change it and write it back; no other process may do so meanwhile."""
        text = connection.scalar(sql.select(BATCHES.c.text).where(where).with_for_update())
        if text is None:
            return None
        batch = change(_read_batch(text))
        changed = sql.update(BATCHES).where(BATCHES.c.id == batch.id)
        connection.execute(changed.values(**_batch_row(batch)))
        return batch

    def _now(self, connection: sql.Connection) -> float:
        if self._is_sqlite:
            return time.time()
        return float(connection.scalar(sql.text("SELECT extract(epoch FROM clock_timestamp())")))

    def _files(self, owner: str | None, now: float) -> sql.Select[Any]:
        columns = [FILES.c[name] for name in KeptFile.__dataclass_fields__]
        is_kept = sql.or_(FILES.c.expires.is_(None), FILES.c.expires > now)
        return sql.select(*columns).where(_is_of(FILES, owner), FILES.c.is_whole, is_kept)

    def _drop_files(self, connection: sql.Connection, where: sql.ColumnElement[bool]) -> None:
        ids = sql.select(FILES.c.id).where(where)
        connection.execute(sql.delete(PARTS).where(PARTS.c.file_id.in_(ids)))
        made = sql.select(FILES.c.batch_id, FILES.c.is_failed).where(
            where, FILES.c.batch_id.is_not(None)
        )
        for batch_id, is_failed in connection.execute(made).all():
            # The numbers stay: `done_lines` and the totals are still those of the batch.
            emptied = sql.update(RESULTS).where(
                RESULTS.c.batch_id == batch_id, RESULTS.c.is_failed.is_(is_failed)
            )
            connection.execute(emptied.values(text=b"", size=0, end_user_digest=None))
        connection.execute(sql.delete(FILES).where(where))

    def _read_results(self, file: KeptFile, place: int) -> tuple[bytes, int | None]:
        found = (
            sql.select(RESULTS.c.line, RESULTS.c.text)
            .where(
                RESULTS.c.batch_id == file.batch_id,
                RESULTS.c.is_failed.is_(bool(file.is_failed)),
                RESULTS.c.line > place,
            )
            .order_by(RESULTS.c.line)
            .limit(_LINES)
        )
        with self._database.read() as connection:
            rows = connection.execute(found).all()
        piece = b"".join(bytes(row[1]) for row in rows)
        return piece, rows[-1][0] if len(rows) == _LINES else None


def _is_of(table: sql.Table, owner: str | None) -> sql.ColumnElement[bool]:
    column: sql.ColumnElement[Any] = table.c.owner
    return column.is_(None) if owner is None else column == owner


def _batch_row(batch: BatchRecord) -> dict[str, Any]:
    return {"status": batch.status, "text": json.dumps(asdict(batch))}


def _read_batch(text: str) -> BatchRecord:
    values = json.loads(text)
    return BatchRecord(**{**values, "errors": tuple(values["errors"])})


def _claimed_status(connection: sql.Connection, batch_id: str, runner: str) -> str | None:
    found = sql.select(BATCHES.c.status).where(
        BATCHES.c.id == batch_id, BATCHES.c.claimed_by == runner
    )
    status: str | None = connection.scalar(found.with_for_update())
    return status


def _with_results(connection: sql.Connection, batch: BatchRecord) -> StoredBatch:
    """The batch with counts, tokens and cost of its results."""
    made = sql.func.count().filter(RESULTS.c.is_made)
    failed = sql.func.count().filter(RESULTS.c.is_made, RESULTS.c.is_failed)
    sums = [sql.func.coalesce(sql.func.sum(RESULTS.c[name]), 0) for name in (*_TOKENS, "cost")]
    totals = sql.select(made, failed, *sums).where(RESULTS.c.batch_id == batch.id)
    count, bad, *numbers = (int(value) for value in connection.execute(totals).one())
    return StoredBatch(
        replace(batch, completed=count - bad, failed=bad), BatchTokens(*numbers[:-1]), numbers[-1]
    )


def _result_files(
    connection: sql.Connection,
    batch_id: str,
    owner: str | None,
    ids: tuple[str, str],
    now: float,
) -> list[KeptFile | None]:
    """The output file and the error file; None where it would be empty."""
    sizes = sql.select(RESULTS.c.is_failed, sql.func.sum(RESULTS.c.size)).where(
        RESULTS.c.batch_id == batch_id
    )
    found = {
        bool(row[0]): int(row[1]) for row in connection.execute(sizes.group_by(RESULTS.c.is_failed))
    }
    return [
        KeptFile(
            ids[is_failed],
            owner,
            "batch_output",
            f"{batch_id}_{'error' if is_failed else 'output'}.jsonl",
            found[bool(is_failed)],
            now,
            batch_id=batch_id,
            is_failed=bool(is_failed),
        )
        if found.get(bool(is_failed))
        else None
        for is_failed in (0, 1)
    ]


def _result_row(batch_id: str, row: ResultRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in _COPIED}
    tokens = {name: getattr(row.usage, name) for name in _TOKENS}
    return {"batch_id": batch_id, "size": len(row.text), **values, **tokens}
