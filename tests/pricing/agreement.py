"""What recorded replies cost by our reckoning and by LiteLLM's, from the same figures."""

import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from azure_responses.pricing import PriceBook
from tests.pricing.figures import figures_path
from tests.recordings import Exchange, exchanges

__all__ = ["Comparison", "compare", "report"]

_ENDS = {"response.completed", "response.incomplete", "response.failed"}
_SESSION, _FILE_SEARCH, _SEARCH = Decimal("0.033"), Decimal("0.0025"), Decimal("0.014")


@dataclass(frozen=True)
class Comparison:
    """One reply: US dollars, None where not priced; `reasons` are ours for the difference."""

    model: str
    ours: Decimal | None
    theirs: float | None
    reasons: tuple[str, ...]
    expected: Decimal

    @property
    def difference(self) -> float:
        """What we ask more than they do."""
        return float(self.ours or 0) - (self.theirs or 0.0)


def compare() -> list[Comparison]:
    """Every recorded reply with token counts; skips where there is no LiteLLM."""
    replies = [reply for exchange in exchanges() for reply in _replies(exchange)]
    costs = _ask_litellm(replies)
    book = PriceBook()
    rows = []
    for reply, theirs in zip(replies, costs, strict=True):
        cost = book.cost(reply)
        reasons = dict(_reasons(reply))
        rows.append(
            Comparison(
                model=reply["model"],
                ours=None if cost is None else cost.total,
                theirs=theirs,
                reasons=tuple(reasons),
                expected=sum(reasons.values(), Decimal(0)),
            )
        )
    return rows


def _replies(exchange: Exchange) -> Iterator[dict[str, Any]]:
    found = [
        event.get("response") for event in exchange.event_objects() if event.get("type") in _ENDS
    ]
    for reply in [exchange.body, *found]:
        if not isinstance(reply, dict) or not reply.get("usage") or not reply.get("model"):
            continue
        if reply.get("object") in ("response", "chat.completion"):
            yield reply


def _reasons(reply: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    """Why we ask more or less than LiteLLM, and how much."""
    items = reply.get("output") or []
    kinds = Counter(item.get("type") for item in items)
    containers = {
        item.get("container_id") or (item.get("environment") or {}).get("container_id")
        for item in items
        if item.get("type") in ("code_interpreter_call", "shell_call")
    } - {None}
    if containers:
        yield "LiteLLM does not bill container sessions", len(containers) * _SESSION
    if kinds["file_search_call"]:
        yield "LiteLLM does not bill file search", kinds["file_search_call"] * _FILE_SEARCH
    pages = [
        item
        for item in items
        if item.get("type") == "web_search_call"
        and (item.get("action") or {}).get("type", "search") != "search"
    ]
    if pages:
        yield "LiteLLM bills pages opened as searches", -len(pages) * _SEARCH


def _python() -> str:
    """An interpreter that has LiteLLM."""
    named = os.environ.get("AZURE_RESPONSES_LITELLM")
    if named:
        return named
    if importlib.util.find_spec("litellm") is None:
        pytest.skip("no LiteLLM: set AZURE_RESPONSES_LITELLM to a Python that has it")
    return sys.executable


def _ask_litellm(replies: list[dict[str, Any]]) -> list[float | None]:
    asked = subprocess.run(
        [_python(), str(Path(__file__).with_name("litellm_peer.py")), str(figures_path())],
        input="".join(json.dumps(reply) + "\n" for reply in replies),
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert asked.returncode == 0, asked.stderr
    lines = [line for line in asked.stdout.splitlines() if line.startswith('{"cost"')]
    return [json.loads(line)["cost"] for line in lines]


def report(rows: list[Comparison]) -> str:
    """How many agree, and the others by their reason."""
    agreed = [row for row in rows if row.ours is not None and abs(row.difference) < 1e-9]
    lines = [f"{len(agreed)} of {len(rows)} replies cost the same"]
    kinds: Counter[str] = Counter()
    for row in rows:
        if row in agreed:
            continue
        if row.ours is None:
            kinds["neither prices " + row.model if row.theirs is None else row.model] += 1
        elif row.theirs is None:
            kinds[f"LiteLLM has no price of azure/{row.model}"] += 1
        else:
            kinds[" and ".join(row.reasons) or f"unexplained: {row}"] += 1
    return "\n".join([*lines, *(f"{count:5}  {kind}" for kind, count in kinds.most_common())])
