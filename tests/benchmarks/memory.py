"""What a stream keeps in memory while it is read."""

import tracemalloc
from collections.abc import Iterable
from itertools import islice
from typing import Any

import httpx
from openai import AzureOpenAI

from azure_responses import AzureResponses
from tests.benchmarks.bodies import PROMPT, make_stream
from tests.benchmarks.pieces import PiecesTransport

__all__ = ["describe_memory"]

_BODY: dict[str, Any] = {"model": "gpt-5-mini", "input": PROMPT, "stream": True}
_EARLY = 2_000
_LATE = 40_000


def describe_memory(_stub: str) -> list[str]:
    """Memory held after many events, and how much of it has come since the early ones."""
    wire = sum(len(event) for event in islice(make_stream(_LATE), _EARLY, _LATE))
    lines = [f"\nmemory while streaming, {_EARLY:,} → {_LATE:,} events ({wire / 1e6:.1f} MB)"]
    # Any: of which httpx the openai package wants a client depends on its version.
    http_client: Any = httpx.Client(transport=PiecesTransport(lambda: make_stream(_LATE)))
    with (
        http_client,
        AzureResponses("https://r.example", api_key="key", http_client=http_client) as ours,
        AzureOpenAI(
            azure_endpoint="https://r.example",
            api_key="key",
            api_version="preview",
            http_client=http_client,
        ) as openai,
    ):
        lines.append(_row("azure_responses", ours.responses.create(**_BODY), wire))
        lines.append(_row("openai", openai.responses.create(**_BODY), wire))
    return lines


def _row(name: str, stream: Iterable[Any], wire: int) -> str:
    events = iter(stream)
    tracemalloc.start()
    try:
        held = [_held_after(events, count) for count in (_EARLY, _LATE - _EARLY)]
    finally:
        tracemalloc.stop()
    growth = held[1] - held[0]
    return (
        f"  {name:44}{held[1] / 1e3:8.0f} kB held, {growth / 1e3:+.0f} kB "
        f"({growth / (_LATE - _EARLY):+.1f} bytes an event, {growth / wire:.2%} of what arrived)"
    )


def _held_after(events: Iterable[Any], count: int) -> int:
    for _ in islice(events, count):
        pass
    return tracemalloc.get_traced_memory()[0]
