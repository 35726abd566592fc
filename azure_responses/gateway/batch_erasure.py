"""What the tables of batches hold for an end user, and its deletion.

Every method is one transaction and may block; each raises DatabaseError where the database does not
answer. An owner of None stands for all owners.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sql

from azure_responses.batches.batch import ENDED
from azure_responses.gateway.batch_records import KeptFile
from azure_responses.gateway.batch_schema import BATCHES, FILES, PARTS, RESULTS
from azure_responses.gateway.database import Database

__all__ = ["BatchErasure", "FoundBatch"]

_ROWS = 500


class FoundBatch(NamedTuple):
    """A batch that was made for an end user."""

    id: str
    owner: str | None
    status: str
    input_file_id: str | None

    @property
    def has_ended(self) -> bool:
        """True once nothing changes any more."""
        return self.status in ENDED


class BatchErasure:
    """Finds and deletes.

    Args:
        database: whose tables `BatchTables` has made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def batches(self, digest: str, owner: str | None) -> list[FoundBatch]:
        """The batches that were made for an end user, oldest first."""
        columns = (BATCHES.c[name] for name in FoundBatch._fields)
        is_wanted = BATCHES.c.end_user_digest == digest, _is_of(BATCHES, owner)
        found = sql.select(*columns).where(*is_wanted).order_by(BATCHES.c.created, BATCHES.c.id)
        with self._database.read() as connection:
            return [FoundBatch(*row) for row in connection.execute(found)]

    def result_files(self, batch_id: str) -> list[str]:
        """The ids of the output file and of the error file of a batch, where there are any."""
        found = sql.select(FILES.c.id).where(FILES.c.batch_id == batch_id).order_by(FILES.c.id)
        with self._database.read() as connection:
            return list(connection.scalars(found))

    def files(self, digest: str, owner: str | None) -> dict[str, bool]:
        """The ids of the files that were uploaded for an end user, and whether each is whole."""
        found = sql.select(FILES.c.id, FILES.c.is_whole).where(
            FILES.c.end_user_digest == digest, _is_of(FILES, owner)
        )
        with self._database.read() as connection:
            return {row[0]: bool(row[1]) for row in connection.execute(found)}

    def inputs(self, owner: str | None, after: str) -> list[KeptFile]:
        """Whole input files, in the order of their ids, those after an id."""
        columns = [FILES.c[name] for name in KeptFile.__dataclass_fields__]
        is_wanted = FILES.c.is_whole, FILES.c.batch_id.is_(None), FILES.c.id > after
        found = sql.select(*columns).where(*is_wanted, _is_of(FILES, owner))
        with self._database.read() as connection:
            rows = connection.execute(found.order_by(FILES.c.id).limit(_ROWS))
            return [KeptFile(*row) for row in rows]

    def has_file(self, file_id: str | None) -> bool:
        """The file is there."""
        with self._database.read() as connection:
            found = sql.select(FILES.c.id).where(FILES.c.id == file_id)
            return connection.scalar(found) is not None

    def drop_batch(self, batch_id: str) -> None:
        """Delete a batch, its results and its output files."""
        with self._database.write() as connection:
            connection.execute(sql.delete(BATCHES).where(BATCHES.c.id == batch_id))
            connection.execute(sql.delete(RESULTS).where(RESULTS.c.batch_id == batch_id))
            connection.execute(sql.delete(FILES).where(FILES.c.batch_id == batch_id))

    def results(self, digest: str, owner: str | None) -> dict[str, int]:
        """How many results of lines that name an end user each batch has."""
        count = sql.select(RESULTS.c.batch_id, sql.func.count()).where(
            RESULTS.c.end_user_digest == digest, RESULTS.c.batch_id.in_(_batches_of(owner))
        )
        with self._database.read() as connection:
            rows = connection.execute(count.group_by(RESULTS.c.batch_id))
            return {row[0]: int(row[1]) for row in rows}

    def erase_results(self, batch_id: str, digest: str) -> None:
        """Erase the results of lines that name an end user; what they cost stays counted."""
        with self._database.write() as connection:
            _lock(connection, batch_id)
            mine = RESULTS.c.batch_id == batch_id, RESULTS.c.end_user_digest == digest
            erased = sql.update(RESULTS).where(*mine)
            connection.execute(erased.values(text=b"", size=0, end_user_digest=None))
            _count_sizes(connection, batch_id)

    def erase_lines(self, file_id: str, lines: Sequence[int]) -> None:
        """Erase the results of some lines of an input file, in every batch of that file.

        A line without a result is given an empty one: a request that is under way now, or that
        begins before the line itself is erased, cannot leave its answer behind.
        """
        of_file = sql.select(BATCHES.c.id).where(BATCHES.c.input_file_id == file_id)
        with self._database.read() as connection:
            ids = list(connection.scalars(of_file.order_by(BATCHES.c.id)))
        for batch_id in ids:
            for start in range(0, len(lines), _ROWS):
                self._erase_some(batch_id, lines[start : start + _ROWS])

    def _erase_some(self, batch_id: str, lines: Sequence[int]) -> None:
        insert = self._database.insert(RESULTS).on_conflict_do_nothing()
        with self._database.write() as connection:
            _lock(connection, batch_id)
            mine = RESULTS.c.batch_id == batch_id, RESULTS.c.line.in_(lines)
            erased = sql.update(RESULTS).where(*mine)
            connection.execute(erased.values(text=b"", size=0, end_user_digest=None))
            connection.execute(insert, [_empty_row(batch_id, line) for line in lines])
            _count_sizes(connection, batch_id)

    def blank(self, file_id: str, number: int, ranges: Sequence[tuple[int, int]]) -> None:
        """Write spaces over ranges of a part of a file, whose size and lines stay as they are."""
        mine = PARTS.c.file_id == file_id, PARTS.c.number == number
        with self._database.write() as connection:
            data = connection.scalar(sql.select(PARTS.c.data).where(*mine).with_for_update())
            if data is None:
                return
            text = bytearray(data)
            for start, end in ranges:
                text[start:end] = b" " * len(text[start:end])
            connection.execute(sql.update(PARTS).where(*mine).values(data=bytes(text)))


def _is_of(table: sql.Table, owner: str | None) -> sql.ColumnElement[bool]:
    return sql.true() if owner is None else table.c.owner == owner


def _batches_of(owner: str | None) -> sql.Select[Any]:
    return sql.select(BATCHES.c.id).where(_is_of(BATCHES, owner))


def _lock(connection: sql.Connection, batch_id: str) -> None:
    """Keep the process that runs the batch from storing results, and from ending it, meanwhile."""
    found = sql.select(BATCHES.c.id).where(BATCHES.c.id == batch_id)
    connection.execute(found.with_for_update())


def _count_sizes(connection: sql.Connection, batch_id: str) -> None:
    """Give the output files of a batch the size that their lines now have."""
    size = sql.select(sql.func.coalesce(sql.func.sum(RESULTS.c.size), 0)).where(
        RESULTS.c.batch_id == batch_id, RESULTS.c.is_failed == FILES.c.is_failed
    )
    counted = sql.update(FILES).where(FILES.c.batch_id == batch_id)
    connection.execute(counted.values(size=size.scalar_subquery()))


def _empty_row(batch_id: str, line: int) -> Mapping[str, Any]:
    numbers = dict.fromkeys(("size", "input", "cached", "output", "reasoning", "cost"), 0)
    flags = {"is_failed": False, "is_made": False}
    return {"batch_id": batch_id, "line": line, "text": b"", **flags, **numbers}
