"""Records of open responses in the gateway's database, written together with the totals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sql

from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.open_response_store import SpentRows

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database

__all__ = ["DatabaseOpenResponses"]

_TABLES = sql.MetaData()

_OPEN = sql.Table(
    "azure_responses_open",
    _TABLES,
    sql.Column("name", sql.String(400), primary_key=True),
    sql.Column("due", sql.Double, nullable=False, index=True),
    sql.Column("record", sql.Text, nullable=False),
)


class DatabaseOpenResponses:
    """Records in SQLite or PostgreSQL. Each change and what it counts are one transaction.

    So a process may be killed at any time: a response is counted once, or is still open.

    Args:
        database: shared by the replicas.
    """

    keeps_totals = True

    def __init__(self, database: "Database") -> None:
        self._database = database
        with database.write() as connection:
            database.make_tables(connection, _TABLES)

    def add(self, opened: OpenResponse, rows: SpentRows) -> bool:
        """Keep a record, and count `rows`; False where it is kept already."""
        insert = self._database.insert(_OPEN).values(
            name=opened.name, due=opened.due, record=opened.to_json()
        )
        with self._database.write() as connection:
            kept = insert.on_conflict_do_nothing().returning(_OPEN.c.name)
            if connection.scalar(kept) is None:
                return False
            self._database.count(connection, rows)
            return True

    def find(self, names: Sequence[str]) -> OpenResponse | None:
        """The first record with one of these names."""
        found = sql.select(_OPEN.c.record).where(_OPEN.c.name.in_(names)).limit(1)
        with self._database.read() as connection:
            text = connection.scalar(found)
        return None if text is None else OpenResponse.from_json(text)

    def take(self, opened: OpenResponse, rows: SpentRows) -> bool:
        """Remove a record, and count `rows`: True for one of all who try, who alone counts them."""
        gone = sql.delete(_OPEN).where(_OPEN.c.name == opened.name)
        with self._database.write() as connection:
            # Who deletes at the same time waits here for the first, and then deletes nothing.
            if not connection.execute(gone).rowcount:
                return False
            self._database.count(connection, rows)
            return True

    def claim(self, now: float, until: float, limit: int) -> list[OpenResponse]:
        """The records that are due, which are not due again before `until`."""
        due = sql.select(_OPEN.c.name, _OPEN.c.record).where(_OPEN.c.due <= now)
        due = due.order_by(_OPEN.c.due).limit(limit)
        with self._database.read() as connection:
            # Most times nothing is due, and SQLite lets only one transaction write at a time.
            if connection.execute(due.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            found = connection.execute(due.with_for_update(skip_locked=True)).all()
            claimed = [OpenResponse.from_json(row.record) for row in found]
            names = [row.name for row in found]
            later = sql.update(_OPEN).where(_OPEN.c.name.in_(names)).values(due=until)
            connection.execute(later)
        return claimed

    def postpone(self, opened: OpenResponse) -> None:
        """Change when a record is due; nothing where it has been removed."""
        later = sql.update(_OPEN).where(_OPEN.c.name == opened.name)
        with self._database.write() as connection:
            connection.execute(later.values(due=opened.due, record=opened.to_json()))

    def all(self) -> list[OpenResponse]:
        """Every record."""
        with self._database.read() as connection:
            texts = connection.scalars(sql.select(_OPEN.c.record))
            return [OpenResponse.from_json(text) for text in texts]
