"""Whether three books agree: the database, the spend log, and what the callers saw."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from azure_responses.gateway.database import open_database
from azure_responses.gateway.spend import to_dollars
from azure_responses.pricing import PriceBook
from tests.soak.calls import Call
from tests.soak.stage import MODEL

__all__ = ["Accounts", "balance", "database_total"]


@dataclass
class Accounts:
    """Sums in US dollars, and what does not agree.

    Attributes:
        database: the totals; log: the lines of the spend log.
        seen: what callers saw whole, priced by what they saw.
        seen_failed: the same of failed calls that name a usage.
        left: what the log says of calls whose callers had left.
        left_unpriced: such calls that Azure never named the usage of.
        left_unlogged: such calls that are in no book: they never reached a deployment.
        faults: one sentence for each thing that does not agree.
    """

    database: Decimal = Decimal(0)
    log: Decimal = Decimal(0)
    seen: Decimal = Decimal(0)
    seen_failed: Decimal = Decimal(0)
    left: Decimal = Decimal(0)
    left_unpriced: int = 0
    left_unlogged: int = 0
    faults: list[str] = field(default_factory=list)


def database_total(path: Path) -> Decimal:
    """What the totals of a database come to."""
    return _total(f"sqlite:///{path}")


def _total(url: str) -> Decimal:
    """What the database says was spent; what counts against budgets is that or more."""
    database = open_database(url)
    try:
        rows = sum(spent.cost for spent in database.totals().values())
        days = sum(cost for _, _, cost in database.daily_costs())
    finally:
        database.close()
    assert rows <= days, "the budgets are charged less than was spent"
    return to_dollars(rows)


def balance(calls: Iterable[Call], lines: Iterable[Mapping[str, Any]], url: str) -> Accounts:
    """Compare the books.

    Args:
        calls: all that were made.
        lines: the spend log.
        url: of the database.
    """
    accounts = Accounts(database=_total(url))
    by_call: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in lines:
        by_call[line["call_id"]].append(line)
        accounts.log += Decimal(line["cost"] or 0)
    prices = PriceBook()
    for call in calls:
        _compare(accounts, prices, call, by_call.pop(call.call_id, []))
    accounts.faults += [f"nobody made the call {call_id}" for call_id in by_call]
    if accounts.database != accounts.log:
        accounts.faults.append("the database and the spend log differ")
    if accounts.log != accounts.seen + accounts.seen_failed + accounts.left:
        accounts.faults.append("the spend log and what was seen differ")
    return accounts


def _compare(
    accounts: Accounts, prices: PriceBook, call: Call, lines: list[Mapping[str, Any]]
) -> None:
    if len(lines) > 1 or (lines and not call.is_billed):
        accounts.faults.append(f"{call} has {len(lines)} lines")
        return
    noted = Decimal(lines[0]["cost"]) if lines and lines[0]["cost"] is not None else None
    if call.outcome == "left":
        accounts.left += noted or 0
        accounts.left_unlogged += not lines
        accounts.left_unpriced += bool(lines) and noted is None
        return
    cost = prices.cost(call.body, base_model=MODEL) if call.body is not None else None
    seen = cost.total if cost is not None and call.is_billed else None
    if noted != seen or (call.outcome == "right" and call.is_billed and seen is None):
        accounts.faults.append(f"{call.kind} {call.call_id}: seen {seen}, noted {noted}")
    if call.outcome == "right":
        accounts.seen += seen or 0
    else:
        accounts.seen_failed += seen or 0
