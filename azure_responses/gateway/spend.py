"""What calls cost, by key, end user, model and day: gathered in memory, handed over in batches."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal
from hashlib import sha256
from typing import NamedTuple

from azure_responses.gateway.key_table import ApiCaller
from azure_responses.openai_server.call_summary import CallSummary

__all__ = [
    "DAY",
    "PICO",
    "day_of",
    "show_dollars",
    "to_dollars",
    "to_pico",
    "LONGEST_NAME",
    "OVERFLOW",
    "SpendBatch",
    "SpendKey",
    "SpendTotals",
    "Spent",
    "end_user_of",
    "fit_name",
    "spent_by",
]

_WIDE = Context(prec=60)

PICO = 10**12
"""Parts of a dollar.

The cheapest token in the packaged prices is far below a millionth of a dollar, so a sum in
millionths would lose part of most calls. A price per million tokens with six decimals is a whole
number of these. A column of 64 bits holds nine million dollars of them.
"""


def to_pico(dollars: Decimal) -> int:
    """US dollars as millionths of a millionth; what is finer than that is rounded, half to even."""
    return int(dollars.scaleb(12, _WIDE).to_integral_value(ROUND_HALF_EVEN, _WIDE))


def to_dollars(pico: int) -> Decimal:
    """The US dollars of a sum, exactly."""
    return Decimal(pico).scaleb(-12, _WIDE)


def show_dollars(pico: int, digits: int = 2) -> str:
    """The US dollars of a sum to read: with so many digits, and more where it is finer."""
    whole, _, parts = f"{to_dollars(pico):.12f}".partition(".")
    return f"{whole}.{parts[:digits]}{parts[digits:].rstrip('0')}"


DAY = 86_400


def day_of(now: float) -> int:
    """The day of unix seconds, counted from 1970-01-01 in UTC."""
    return int(now // DAY)


OVERFLOW = "(others)"
"""The end user under whom calls are counted while too many different ones wait to be written."""

LONGEST_NAME = 200
"""Characters of a name in totals and logs."""


def fit_name(name: str | None) -> str:
    """A name as every database can keep it; "" for none.

    PostgreSQL takes neither NUL nor half a surrogate pair, and no index an entry of any length.
    One such name must not keep the whole batch from being written. A long name is shortened, and
    ends in its hash.
    """
    if not name:
        return ""
    if len(name) <= LONGEST_NAME and name.isascii() and name.isprintable():
        return name
    text = name.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if len(text) <= LONGEST_NAME:
        return text
    digest = sha256(text.encode()).hexdigest()[:16]
    return f"{text[: LONGEST_NAME - 17]}~{digest}"


class SpendKey(NamedTuple):
    """What a total is of; `day` counts from 1970-01-01 in UTC."""

    key_id: str
    end_user: str
    model: str
    day: int


@dataclass(slots=True)
class Spent:
    """Sums over calls; `cost` in millionths of a millionth of a US dollar.

    `unpriced` are the calls whose cost is not known, `failed` those without a result. `held` is
    what was reserved for calls that had a budget and whose cost is not known: it counts against
    that budget and is part of no total.
    """

    cost: int = 0
    calls: int = 0
    failed: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    held: int = 0

    @property
    def charged(self) -> int:
        """What counts against a budget."""
        return self.cost + self.held

    def add(self, other: "Spent") -> None:
        """Add the sums of others to these."""
        self.cost += other.cost
        self.calls += other.calls
        self.failed += other.failed
        self.unpriced += other.unpriced
        self.input_tokens += other.input_tokens
        self.cached_tokens += other.cached_tokens
        self.output_tokens += other.output_tokens
        self.reasoning_tokens += other.reasoning_tokens
        self.held += other.held


# No real call comes near these limits. A larger number would overflow the column of 64 bits, and
# no later total could be written.
_MOST_COST = 100_000 * PICO
_MOST_TOKENS = 2**40


def end_user_of(caller: ApiCaller, call: CallSummary) -> str | None:
    """For whom a call counts: as the request says, the response, or else the key."""
    return call.end_user or (call.use and call.use.end_user) or caller.end_user


def spent_by(caller: ApiCaller, call: CallSummary, held: int = 0) -> tuple[SpendKey, Spent]:
    """What to count of a call that is over, and under what.

    Args:
        held: what counts against the budget of the key where the cost is not known; see `Spent`.
    """
    key = SpendKey(
        caller.key_id,
        fit_name(end_user_of(caller, call)),
        fit_name(call.group),
        # The day on which it ended: only then its cost is known.
        day_of(call.started_at + call.latency),
    )
    use, cost = call.use, call.cost
    # A failed response comes with HTTP 200, and without a count of tokens.
    has_failed = use is None or (use.tokens is None and use.status == "failed")
    spent = Spent(calls=1, failed=int(has_failed))
    if use is not None and use.tokens is not None:
        tokens = use.tokens
        spent.input_tokens = _fit(tokens.input, _MOST_TOKENS)
        spent.cached_tokens = _fit(tokens.cached, _MOST_TOKENS)
        spent.output_tokens = _fit(tokens.output, _MOST_TOKENS)
        spent.reasoning_tokens = _fit(tokens.reasoning, _MOST_TOKENS)
    if cost is not None:
        spent.cost = _fit(to_pico(cost), _MOST_COST)
    else:
        spent.unpriced = int(not has_failed)
        spent.held = _fit(held, _MOST_COST)
    return key, spent


def _fit(number: int, most: int) -> int:
    return min(max(number, 0), most)


@dataclass(frozen=True, slots=True)
class SpendBatch:
    """What is to be written in one transaction.

    A batch keeps its number when it has to be written again, so that a database which took it
    without being able to say so does not count it twice.
    """

    number: int
    rows: Mapping[SpendKey, Spent] = field(repr=False)


class SpendTotals:
    """Sums since the last batch, and what each key has spent in all.

    May be used from any number of threads; no call waits for a database.

    Args:
        most_rows: different combinations that may wait; beyond them end users are taken together,
            so that no money is lost however long a database is away.
    """

    def __init__(self, *, most_rows: int = 50_000) -> None:
        self._most_rows = most_rows
        self._lock = threading.Lock()
        self._waiting: dict[SpendKey, Spent] = {}
        self._batch: SpendBatch | None = None
        self._number = 0
        # What a database has, and what it has not yet, by key.
        self._written: defaultdict[str, _Days] = defaultdict(_Days)
        self._unwritten: defaultdict[str, _Days] = defaultdict(_Days)

    def add(self, key: SpendKey, spent: Spent) -> None:
        """Count a call."""
        with self._lock:
            known = self._waiting.get(key)
            if known is None:
                # End users are names that callers choose, in any number.
                if len(self._waiting) >= self._most_rows:
                    key = key._replace(end_user=OVERFLOW)
                known = self._waiting.setdefault(key, Spent())
            known.add(spent)
            self._unwritten[key.key_id].add(key.day, spent.charged)

    def spent(self, key_id: str, since: int = 0) -> int:
        """What a key has spent since the first moment of a day, written or not."""
        with self._lock:
            return sum(
                days.since(since)
                for days in (self._written.get(key_id), self._unwritten.get(key_id))
                if days is not None
            )

    def take(self) -> SpendBatch | None:
        """What is to be written next: the same batch until it is `written`; None for nothing."""
        with self._lock:
            if self._batch is None and self._waiting:
                self._number += 1
                self._batch = SpendBatch(self._number, self._waiting)
                self._waiting = {}
            return self._batch

    @property
    def is_being_written(self) -> bool:
        """True between `take` and `written`."""
        with self._lock:
            return self._batch is not None

    def add_written(self, key: SpendKey, spent: Spent) -> None:
        """Count what is in the database already."""
        with self._lock:
            self._written[key.key_id].add(key.day, spent.charged)

    def written(self, batch: SpendBatch) -> None:
        """The batch is in the database for good."""
        with self._lock:
            assert self._batch is batch
            self._batch = None
            for key, spent in batch.rows.items():
                self._unwritten[key.key_id].add(key.day, -spent.charged)
                self._written[key.key_id].add(key.day, spent.charged)
            # Keys that have spent nothing since would stay for ever.
            for key_id in [name for name, days in self._unwritten.items() if not days.costs]:
                del self._unwritten[key_id]

    def replace_totals(
        self, totals: Iterable[tuple[str, int, int]], key_ids: Iterable[str] | None = None
    ) -> None:
        """Take what the database has by now, other replicas' calls among it.

        Call it where no batch is between `take` and `written`.

        Args:
            totals: key id, day, cost.
            key_ids: whose totals these are; None for those of all keys.
        """
        fresh: defaultdict[str, _Days] = defaultdict(_Days)
        for key_id, day, cost in totals:
            fresh[key_id].add(day, cost)
        with self._lock:
            if key_ids is None:
                self._written = fresh
            else:
                self._written.update({key_id: fresh[key_id] for key_id in key_ids})


class _Days:
    """Costs by day, and their sum, which a key without a period is asked for on every call."""

    __slots__ = ("costs", "total")

    def __init__(self) -> None:
        self.costs: dict[int, int] = {}
        self.total = 0

    def add(self, day: int, cost: int) -> None:
        self.total += cost
        left = self.costs.get(day, 0) + cost
        if left:
            self.costs[day] = left
        else:
            self.costs.pop(day, None)

    def since(self, first: int) -> int:
        if first <= 0:
            return self.total
        return sum(cost for day, cost in self.costs.items() if day >= first)
