"""The ids of webhooks that were received, in the gateway's database."""

import time
from typing import TYPE_CHECKING

import sqlalchemy as sql

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database

__all__ = ["DatabaseWebhookIds"]

_TABLES = sql.MetaData()
_IDS = sql.Table(
    "azure_responses_webhooks",
    _TABLES,
    sql.Column("id", sql.String(200), primary_key=True),
    sql.Column("expires", sql.Double, nullable=False, index=True),
)


class DatabaseWebhookIds:
    """Remembers ids for all replicas.

    Args:
        database: theirs.
    """

    def __init__(self, database: "Database") -> None:
        self._database = database
        with database.write() as connection:
            database.make_tables(connection, _TABLES)

    def is_known(self, webhook_id: str, now: float) -> bool:
        """True for an id that was added, and has not expired at `now` (unix seconds)."""
        found = sql.select(_IDS.c.id).where(_IDS.c.id == webhook_id, _IDS.c.expires > now)
        with self._database.read() as connection:
            return connection.scalar(found) is not None

    def add(self, webhook_id: str, expires: float) -> None:
        """Remember an id until it expires; forget expired ids."""
        insert = self._database.insert(_IDS).values(id=webhook_id, expires=expires)
        kept = insert.on_conflict_do_update(index_elements=["id"], set_={"expires": expires})
        with self._database.write() as connection:
            connection.execute(kept)
            connection.execute(sql.delete(_IDS).where(_IDS.c.expires <= time.time()))
