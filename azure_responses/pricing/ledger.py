"""What calls cost together, by end user, model and deployment."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from azure_responses.fork import new_lock
from azure_responses.pricing.bill import Cost
from azure_responses.pricing.book import PriceBook, default_book
from azure_responses.pricing.prices import NOTHING
from azure_responses.pricing.sessions import ContainerSessions
from azure_responses.pricing.terms import PricedDeployment
from azure_responses.pricing.use import Tokens, Use, read_use

__all__ = ["Column", "Ledger", "LedgerRow"]

Column = Literal["end_user", "model", "deployment"]

_COLUMNS: tuple[Column, ...] = ("end_user", "model", "deployment")
_UNFINISHED = frozenset({"queued", "in_progress"})


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Calls taken together; None in a column that they do not share, or did not name.

    Attributes:
        cost: US dollars, of the calls whose cost is known.
        unpriced: calls whose cost is not known, or lacks that of a hosted tool.
    """

    end_user: str | None = None
    model: str | None = None
    deployment: str | None = None
    calls: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost: Decimal = NOTHING

    def plus(self, other: "LedgerRow") -> "LedgerRow":
        """This row with the numbers of another added."""
        names = [name for name in _numbers() if name != "cost"]
        sums = {name: getattr(self, name) + getattr(other, name) for name in names}
        return replace(self, **sums, cost=self.cost + other.cost)


def _numbers() -> list[str]:
    return [name for name in LedgerRow.__dataclass_fields__ if name not in _COLUMNS]


class Ledger:
    """Running totals; may be used from any number of threads and tasks.

    A response counts once, however often it is recorded: as itself, as the completion made of it,
    and again when it is retrieved. Unfinished responses are left for when they are done.

    Args:
        book: prices what comes without a cost; the package's own by default.
        remember: how many ids are kept to know a response again.
    """

    def __init__(self, book: PriceBook | None = None, *, remember: int = 10_000) -> None:
        self._book = book or default_book
        self._remember = remember
        self._rows: dict[tuple[str | None, ...], LedgerRow] = {}
        self._seen: OrderedDict[str | None, None] = OrderedDict()
        self._sessions = ContainerSessions()
        self._lock = new_lock()

    def record(
        self,
        result: Any,
        *,
        deployment: str | None = None,
        end_user: str | None = None,
        cost: Decimal | None = None,
        **known: Any,
    ) -> Decimal | None:
        """Add a call; the answer is its cost in US dollars, None where that is not known.

        A code interpreter container pays for one session an hour, however many calls use it.

        Args:
            result: what `cost` takes.
            deployment: the deployment's name, if not the one the reply's headers give.
            end_user: who it was for; else the reply's `safety_identifier`, else its `user`.
            cost: US dollars, where that is known better; else a log record's own, else the book's.
            known: further arguments of `cost`: `base_model`, `zone` and so on.

        Raises:
            ConfigurationError: `result` has no cost.
        """
        use = read_use(result)
        # What a standard deployment served for a full one is that deployment's cost.
        name = use.deployment if use.is_spilled and use.deployment else deployment or use.deployment
        said = PricedDeployment(**known)
        known_cost = use.recorded_cost if cost is None else cost
        with self._lock:
            paid = self._sessions.paid(use)
            is_new = self._admit(use)
        priced = None if known_cost is not None else self._book.price(use, deployment, said, paid)
        amount = known_cost if priced is None else priced.total
        if is_new:
            self._add(_row(use, end_user, name, amount, priced))
        return amount

    @property
    def total(self) -> Decimal:
        """US dollars, of the calls whose cost is known."""
        return sum((row.cost for row in self.rows()), NOTHING)

    def rows(self, by: Sequence[Column] = _COLUMNS) -> list[LedgerRow]:
        """The totals so far, one row for each combination of the columns, dearest first."""
        with self._lock:
            rows = list(self._rows.values())
        return _group(rows, by)

    def drain(self, by: Sequence[Column] = _COLUMNS) -> list[LedgerRow]:
        """`rows`, and start again from nothing; what is recorded meanwhile is in one of the two."""
        with self._lock:
            rows = list(self._rows.values())
            self._rows = {}
        return _group(rows, by)

    def export(self, by: Sequence[Column] = _COLUMNS) -> list[dict[str, Any]]:
        """`rows` as JSON has them, sums as text so that they stay exact."""
        return [asdict(row) | {"cost": format(row.cost, "f")} for row in self.rows(by)]

    def _admit(self, use: Use) -> bool:
        """True for a call to be counted: finished, and not counted before."""
        if use.status in _UNFINISHED or use.id in self._seen:
            return False
        if use.id is not None:
            # The oldest ids go: a response is recorded again soon or never.
            self._seen[use.id] = None
            while len(self._seen) > self._remember:
                self._seen.popitem(last=False)
        self._sessions.open(use)
        return True

    def _add(self, row: LedgerRow) -> None:
        key = tuple(getattr(row, column) for column in _COLUMNS)
        with self._lock:
            known = self._rows.get(key)
            self._rows[key] = row if known is None else known.plus(row)


def _row(
    use: Use,
    end_user: str | None,
    deployment: str | None,
    amount: Decimal | None,
    cost: Cost | None,
) -> LedgerRow:
    tokens = use.tokens or Tokens()
    is_whole = amount is not None and not (cost and cost.unpriced)
    return LedgerRow(
        end_user=end_user or use.end_user,
        model=use.model,
        deployment=deployment,
        calls=1,
        unpriced=0 if is_whole else 1,
        input_tokens=tokens.input,
        cached_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_write,
        output_tokens=tokens.output,
        reasoning_tokens=tokens.reasoning,
        cost=amount or NOTHING,
    )


def _group(rows: Iterable[LedgerRow], by: Sequence[Column]) -> list[LedgerRow]:
    groups: dict[tuple[str | None, ...], LedgerRow] = {}
    for row in rows:
        blanks: dict[str, Any] = {column: None for column in _COLUMNS if column not in by}
        shared = replace(row, **blanks)
        key = tuple(getattr(shared, column) for column in _COLUMNS)
        groups[key] = groups[key].plus(shared) if key in groups else shared
    return sorted(groups.values(), key=lambda row: (-row.cost, -row.calls, _key(row)))


def _key(row: LedgerRow) -> tuple[str, ...]:
    return tuple(getattr(row, column) or "" for column in _COLUMNS)
