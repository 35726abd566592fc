"""Records that are due at a time, in a table of the gateway's database."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

import sqlalchemy as sql

from azure_responses.gateway.due_records import DueRecord

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database

__all__ = ["DueTable"]

R = TypeVar("R", bound=DueRecord)


class DueTable(Generic[R]):
    """Records in SQLite or PostgreSQL, shared by all processes of a gateway.

    Args:
        database: theirs.
        name: of the table, which is made where it is missing.
        read: the record of a text.
    """

    def __init__(self, database: "Database", name: str, read: Callable[[str], R]) -> None:
        self._database = database
        self._read = read
        tables = sql.MetaData()
        self._table = sql.Table(
            name,
            tables,
            sql.Column("name", sql.String(400), primary_key=True),
            sql.Column("due", sql.Double, nullable=False, index=True),
            sql.Column("record", sql.Text, nullable=False),
        )
        with database.write() as connection:
            database.make_tables(connection, tables)

    def insert(self, connection: sql.Connection, record: R) -> bool:
        """`add`, within a transaction that writes."""
        row = {"name": record.name, "due": record.due, "record": record.to_json()}
        kept = self._database.insert(self._table).values(row).on_conflict_do_nothing()
        return connection.scalar(kept.returning(self._table.c.name)) is not None

    def delete(self, connection: sql.Connection, record: R) -> bool:
        """`take`, within a transaction that writes."""
        # A second transaction that deletes the record waits here, and then deletes nothing.
        gone = sql.delete(self._table).where(self._table.c.name == record.name)
        return connection.execute(gone).rowcount > 0

    def add(self, record: R) -> bool:
        """Keep a record; False where it is kept already."""
        with self._database.write() as connection:
            return self.insert(connection, record)

    def take(self, record: R) -> bool:
        """Remove a record; of several callers, only one gets True."""
        with self._database.write() as connection:
            return self.delete(connection, record)

    def find(self, names: Sequence[str]) -> R | None:
        """The first record with one of these names."""
        found = sql.select(self._table.c.record).where(self._table.c.name.in_(names)).limit(1)
        with self._database.read() as connection:
            text = connection.scalar(found)
        return None if text is None else self._read(text)

    def claim(self, now: float, until: float, limit: int) -> list[R]:
        """The records that are due, which are not due again before `until`."""
        columns = self._table.c
        due = sql.select(columns.name, columns.record).where(columns.due <= now)
        due = due.order_by(columns.due).limit(limit)
        with self._database.read() as connection:
            # Usually nothing is due, and SQLite lets only one transaction write at a time.
            if connection.execute(due.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            found = connection.execute(due.with_for_update(skip_locked=True)).all()
            names = [row.name for row in found]
            connection.execute(
                sql.update(self._table).where(columns.name.in_(names)).values(due=until)
            )
        return [self._read(row.record) for row in found]

    def postpone(self, record: R) -> None:
        """Replace a record; nothing where it has been removed."""
        later = sql.update(self._table).where(self._table.c.name == record.name)
        with self._database.write() as connection:
            connection.execute(later.values(due=record.due, record=record.to_json()))

    def all(self) -> list[R]:
        """Every record."""
        with self._database.read() as connection:
            texts = connection.scalars(sql.select(self._table.c.record))
            return [self._read(text) for text in texts]
