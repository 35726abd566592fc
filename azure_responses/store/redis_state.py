"""The state shared by replicas through Redis, for sync callers."""

import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from azure_responses.errors import APIConnectionError
from azure_responses.routing.purge_ledger import LedgerEntry, complete_entry, decode_entry
from azure_responses.routing.route_request import Candidate, Reservation, Settlement
from azure_responses.store.connection import CircuitBreaker, RedisAddress, make_client
from azure_responses.store.interface import PAGE_SIZE, StateStore, list_name
from azure_responses.store.lua_scripts import (
    MOST_CANDIDATES,
    RESERVE,
    Keys,
    Write,
    join_slots,
    make_write,
    read_reservation,
    split_slot,
)
from azure_responses.store.memory import MemoryState
from azure_responses.store.memory_ledger import follows
from azure_responses.store.write_queue import Writer, is_unknown_script

__all__ = ["RedisState"]

_Answer = TypeVar("_Answer")


class RedisState(StateStore):
    """A `StateStore` in Redis or Valkey; while it is out of reach, the process's own counters.

    One round trip before a call; what follows a call is written by a thread behind it. Local
    counters run along, so that they are warm when they have to take over.

    Args:
        address: from `read_address`.
        prefix: of every key; routers with the same prefix share their state.
        local: the counters that stand in; None makes new ones.
        clock: unix milliseconds in place of Redis's own clock; for tests only.

    Raises ConfigurationError when redis-py or redis-entraid is missing.
    """

    is_shared = True

    def __init__(
        self,
        address: RedisAddress,
        *,
        prefix: str = "azure-responses",
        local: MemoryState | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.address = address
        self.prefix = prefix
        self.keys = Keys(prefix)
        self.local = local or MemoryState()
        self.breaker = CircuitBreaker(address.name)
        self.clock = clock
        self.writer = Writer(lambda: make_client(address), self.keys, self.breaker, clock)
        # Also when the interpreter ends: what was settled last is written still.
        self._finalizer = weakref.finalize(self, self.writer.close, 1.0)

    def __repr__(self) -> str:
        return f"RedisState({self.address.name!r})"

    @property
    def is_degraded(self) -> bool:
        return self.breaker.is_open

    def reserve(self, candidates: Sequence[Candidate], now: float) -> Reservation:
        candidates = candidates[:MOST_CANDIDATES]
        reservation = self._reserve_shared(candidates)
        return (
            self.local.reserve(candidates, now)
            if reservation is None
            else self.count(reservation, now)
        )

    def _reserve_shared(self, candidates: Sequence[Candidate]) -> Reservation | None:
        if not candidates or not self._is_reachable():
            return None
        clock = self.clock() if self.clock else None
        try:
            return read_reservation(
                self._evaluate(self.keys.reservation(candidates, clock)), candidates
            )
        except Exception as error:
            self.breaker.note_failure(error, "reserve")
            return None

    def _evaluate(self, values: list[str | int]) -> Any:
        client = self.writer.client
        try:
            return client.execute_command("EVALSHA", RESERVE.digest, *values)
        except Exception as error:
            if not is_unknown_script(error):
                raise
            return client.execute_command("EVAL", RESERVE.text, *values)

    def _is_reachable(self) -> bool:
        writer = self.writer
        writer.start()
        if self.breaker.is_open:
            return False
        # The first connection is made behind the call: a token may take seconds to come.
        if not writer.has_knocked.wait(self.address.timeout):
            error = TimeoutError(f"no connection within {self.address.timeout} s")
            self.breaker.note_failure(error, "connect")
        return not self.breaker.is_open

    def full_for(self, candidates: Sequence[Candidate], now: float) -> dict[str, float]:
        return self.local.full_for(candidates, now)

    def count(self, reservation: Reservation, now: float) -> Reservation:
        """Count a shared reservation locally as well; its slot then stands for both."""
        if reservation.cooldowns:
            self.local.learn(reservation.cooldowns, now)
        if reservation.candidate is None:
            return reservation
        return reservation._replace(
            slot=join_slots(reservation.slot, self.local.count(reservation.candidate, now))
        )

    def settle(self, settlement: Settlement, now: float) -> None:
        # The entry goes to Redis only: local counters stand in for limits, but a purge needs one
        # list.
        shared, local = split_slot(settlement.slot)
        self.local.settle(settlement._replace(slot=local, entry=None), now)
        write = make_write(settlement, shared, time.monotonic(), time.time())
        if write is not None:
            self.writer.put(write)

    def give_back(self, candidate: Candidate, slot: int) -> None:
        """Undo a shared reservation that its caller did not use; `slot` is Redis's own."""
        self.settle(Settlement(candidate, join_slots(slot, 0), 0, refunds_request=True), 0.0)

    def remember(self, entry: LedgerEntry) -> None:
        self.writer.put(Write(time.monotonic(), entry=complete_entry(entry, time.time())))

    def forget(self, key: str) -> None:
        self.writer.put(Write(time.monotonic(), forgotten=key))

    def note_text(self, name: str, text: str) -> None:
        # The next request often comes here, and sooner than it is written.
        self.local.note_text(name, text)
        self.writer.put(Write(time.monotonic(), text=(name, text)))

    def note_context(self, stored_id: str, tokens: int) -> None:
        self.writer.put(Write(time.monotonic(), context=(stored_id, tokens)))

    def context_of(self, stored_id: str) -> int:
        return int(self._find(self.keys.context(stored_id)) or 0)

    def text_of(self, name: str) -> str | None:
        known = self.local.text_of(name)
        if known is not None:
            return known
        found = self._find(self.keys.text(name))
        return None if found is None else found.decode()

    def _find(self, key: str) -> bytes | None:
        """What is under a key that a call can do without."""
        if not self._is_reachable():
            return None
        try:
            found: bytes | None = self.writer.client.get(key)
        except Exception as error:
            self.breaker.note_failure(error, "find")
            return None
        return found

    def entries_of(
        self, end_user: str, *, after: LedgerEntry | None = None, limit: int = PAGE_SIZE
    ) -> tuple[LedgerEntry, ...]:
        self._require_written()
        texts = self._query(lambda client: self._read_page(client, end_user, after, limit))
        return tuple(decode_entry(text) for text in texts)

    def _read_page(
        self, client: Any, end_user: str, after: LedgerEntry | None, limit: int
    ) -> list[bytes]:
        index = self.keys.index(end_user)
        start = self._position(client, index, after)
        while ids := [each.decode() for each in client.zrange(index, start, start + limit - 1)]:
            texts = client.mget([self.keys.entry(each) for each in ids])
            # Entries expire by themselves, and `forget` deletes them; their ids stay in the index
            # until it is read.
            stale = [each for each, text in zip(ids, texts, strict=True) if text is None]
            if stale:
                client.zrem(index, *stale)
            if len(stale) < len(ids):
                return [text for text in texts if text is not None]
        return []

    def _position(self, client: Any, index: str, after: LedgerEntry | None) -> int:
        if after is None:
            return 0
        rank = client.zrank(index, after.response_id)
        if rank is not None:
            return int(rank) + 1
        # It was forgotten meanwhile. Some that expire in the same millisecond may come again.
        return int(client.zcount(index, "-inf", f"({round(after.expires * 1000)}"))

    def _require_written(self) -> None:
        # What a call has just settled may be waiting still, and would be missing in the page.
        if not self.flush():
            raise _refuse(TimeoutError("writes are still outstanding"))

    def objects_of(
        self,
        kind: str,
        *,
        owner: str | None = None,
        end_user: str | None = None,
        facet: str | None = None,
        after: LedgerEntry | None = None,
        limit: int = PAGE_SIZE,
        is_descending: bool = False,
    ) -> tuple[LedgerEntry, ...]:
        name = self.keys.objects(list_name(kind, owner, end_user))

        def is_wanted(entry: LedgerEntry) -> bool:
            return entry.is_for(owner, end_user, facet) and follows(entry, after, is_descending)

        self._require_written()
        return self._query(
            lambda client: self._read_objects(client, name, after, limit, is_wanted, is_descending)
        )

    def _read_objects(
        self,
        client: Any,
        name: str,
        after: LedgerEntry | None,
        limit: int,
        is_wanted: Callable[[LedgerEntry], bool],
        is_descending: bool,
    ) -> tuple[LedgerEntry, ...]:
        start = 0
        if after is not None:
            mark = f"({round(after.created * 1000)}"
            bounds = (mark, "+inf") if is_descending else ("-inf", mark)
            start = int(client.zcount(name, *bounds))
        found: list[LedgerEntry] = []
        while keys := client.zrange(name, start, start + limit - 1, desc=is_descending):
            texts = client.mget([self.keys.object(each.decode()) for each in keys])
            stale = [key for key, text in zip(keys, texts, strict=True) if text is None]
            if stale:
                client.zrem(name, *stale)
            entries = [decode_entry(text) for text in texts if text is not None]
            found += [entry for entry in entries if is_wanted(entry)]
            if len(found) >= limit:
                break
            start += len(entries)
        return tuple(found[:limit])

    def find_objects(self, keys: Sequence[str]) -> dict[str, LedgerEntry]:
        if not keys:
            return {}
        self._require_written()
        texts = self._query(lambda client: client.mget([self.keys.object(key) for key in keys]))
        pairs = zip(keys, texts, strict=True)
        return {key: decode_entry(text) for key, text in pairs if text is not None}

    def _query(self, question: "Callable[[Any], _Answer]") -> "_Answer":
        if not self._is_reachable():
            raise _refuse(ConnectionError("out of reach"))
        try:
            return question(self.writer.client)
        except ValueError:
            # Redis answers; what it holds there is not ours.
            raise
        except Exception as error:
            self.breaker.note_failure(error, "ledger")
            raise _refuse(error) from error

    def flush(self, timeout: float = 5.0) -> bool:
        return self.writer.flush(timeout)

    def close(self) -> None:
        self.writer.close()


def _refuse(error: Exception) -> APIConnectionError:
    return APIConnectionError(
        f"The router's shared state cannot be reached ({type(error).__name__}: {error}).",
        hint="A list of what is stored must not have gaps: try again when Redis answers.",
    )
