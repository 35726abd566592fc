"""Records of open responses in the gateway's database, written together with the totals."""

from typing import TYPE_CHECKING

from azure_responses.gateway.due_table import DueTable
from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.open_response_store import SpentRows
from azure_responses.gateway.webhook_event import Delivery

if TYPE_CHECKING:
    from azure_responses.gateway.database import Database

__all__ = ["DatabaseOpenResponses"]


class DatabaseOpenResponses:
    """Records in SQLite or PostgreSQL. Each change and what it counts are one transaction.

    So a process may be killed at any time: a response is counted once, or is still open; and the
    webhook about its end is kept with it.

    Args:
        database: shared by the replicas.
        deliveries: takes the webhooks; None for no webhooks.
    """

    keeps_totals = True

    def __init__(self, database: "Database", deliveries: DueTable[Delivery] | None = None) -> None:
        self._database = database
        self._deliveries = deliveries
        self._table = DueTable(database, "azure_responses_open", OpenResponse.from_json)
        self.find = self._table.find
        self.claim = self._table.claim
        self.postpone = self._table.postpone
        self.all = self._table.all

    def add(self, opened: OpenResponse, rows: SpentRows) -> bool:
        """Keep a record, and count `rows`; False where it is kept already."""
        with self._database.write() as connection:
            is_new = self._table.insert(connection, opened)
            if is_new:
                self._database.count(connection, rows)
            return is_new

    def take(self, opened: OpenResponse, rows: SpentRows, delivery: Delivery | None = None) -> bool:
        """Remove a record, and count `rows`; of several callers, only one counts and gets True."""
        with self._database.write() as connection:
            if not self._table.delete(connection, opened):
                return False
            self._database.count(connection, rows)
            if delivery is not None and self._deliveries is not None:
                self._deliveries.insert(connection, delivery)
            return True
