"""Where records of open responses are kept in the Redis that replicas share.

`open_response_table` keeps them in a database, and `due_records` in this process.
"""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from azure_responses.gateway.open_response import OpenResponse
from azure_responses.gateway.spend import SpendKey, Spent
from azure_responses.gateway.webhook_event import Delivery
from azure_responses.store.connection import RedisAddress, make_client

__all__ = ["OpenResponseStore", "RedisOpenResponses", "SpentRows"]

SpentRows = Mapping[SpendKey, Spent]


class OpenResponseStore(Protocol):
    """Keeps records; any thread may call. What does not answer raises an exception of any kind.

    Attributes:
        keeps_totals: the sums are written together with the record, in one transaction. Otherwise
            the caller adds them to its own totals.
    """

    @property
    def keeps_totals(self) -> bool: ...

    def add(self, opened: OpenResponse, rows: SpentRows) -> bool:
        """Keep a record, and count `rows`; False where it is kept already."""

    def find(self, names: Sequence[str]) -> OpenResponse | None:
        """The first record with one of these names."""

    def take(self, opened: OpenResponse, rows: SpentRows, delivery: Delivery | None = None) -> bool:
        """Remove a record, and count `rows`; of several callers, only one counts and gets True.

        Where totals are kept, `delivery` is kept in the same transaction.
        """

    def claim(self, now: float, until: float, limit: int) -> list[OpenResponse]:
        """The records that are due, which are not due again before `until`."""

    def postpone(self, opened: OpenResponse) -> None:
        """Change when a record is due; nothing where it has been removed."""

    def all(self) -> list[OpenResponse]:
        """Every record."""


# KEYS: the records by name, and their names by when they are due.
_ADD = """
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
"""
_TAKE = """
redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])
"""
# A record that has been removed must not come back by being postponed.
_POSTPONE = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
"""
_CLAIM = """
local names = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
local records = {}
for _, name in ipairs(names) do
  local record = redis.call('HGET', KEYS[1], name)
  if record then
    redis.call('ZADD', KEYS[2], ARGV[2], name)
    table.insert(records, record)
  else
    redis.call('ZREM', KEYS[2], name)
  end
end
return records
"""


class RedisOpenResponses:
    """Records in Redis or Valkey, for all replicas.

    Args:
        address: from `read_address`.
        prefix: of every key, as of the router's state.
    """

    keeps_totals = False

    def __init__(self, address: RedisAddress, *, prefix: str = "azure-responses") -> None:
        self._address = address
        # One hash slot for both keys, as the state has it: scripts work on a cluster.
        self._keys = [f"{{{prefix}}}:open", f"{{{prefix}}}:open:due"]
        self._lock = threading.Lock()
        self._client: Any = None

    def add(self, opened: OpenResponse, rows: SpentRows) -> bool:
        """Keep a record; see `OpenResponseStore`."""
        return bool(self._run(_ADD, opened.name, opened.to_json(), opened.due))

    def find(self, names: Sequence[str]) -> OpenResponse | None:
        """The first record with one of these names."""
        if not names:
            return None
        found = self._connected().hmget(self._keys[0], list(names))
        return next((OpenResponse.from_json(text) for text in found if text), None)

    def take(self, opened: OpenResponse, rows: SpentRows, delivery: Delivery | None = None) -> bool:
        """Remove a record; of several callers, only one gets True."""
        return bool(self._run(_TAKE, opened.name))

    def claim(self, now: float, until: float, limit: int) -> list[OpenResponse]:
        """The records that are due, which are not due again before `until`."""
        return [OpenResponse.from_json(text) for text in self._run(_CLAIM, now, until, limit)]

    def postpone(self, opened: OpenResponse) -> None:
        """Change when a record is due; nothing where it has been removed."""
        self._run(_POSTPONE, opened.name, opened.to_json(), opened.due)

    def all(self) -> list[OpenResponse]:
        """Every record."""
        found = self._connected().hvals(self._keys[0])
        return [OpenResponse.from_json(text) for text in found]

    def _run(self, script: str, *arguments: str | float) -> Any:
        return self._connected().eval(script, len(self._keys), *self._keys, *arguments)

    def _connected(self) -> Any:
        # On use: making a gateway sends nothing.
        with self._lock:
            if self._client is None:
                self._client = make_client(self._address)
            return self._client
