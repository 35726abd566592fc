"""What one typed event costs, and one enormous event in tiny pieces."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
from openai import AzureOpenAI

from azure_responses import AsyncAzureResponses, AzureResponses
from tests.benchmarks.bodies import (
    EVENT_COUNT,
    PROMPT,
    encode_event,
    make_deltas,
    make_response,
)
from tests.benchmarks.comparison import Comparison, Contender, Target, compare
from tests.benchmarks.pieces import PiecesTransport, cut

__all__ = ["compare_events", "compare_large_event"]

_PATH = "/stream/openai/v1/responses"
_BODY: dict[str, Any] = {"model": "gpt-5-mini", "input": PROMPT, "stream": True}
_LARGE = 2_000_000
_PIECE = 512
_TARGET = Target("httpx iter_lines + json.loads", 2.0)


def _count(events: Iterable[Any]) -> None:
    count = sum(1 for _ in events)
    assert count == EVENT_COUNT, count


def _parsed_lines(lines: Iterable[str]) -> Iterator[Any]:
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line[6:])


def compare_events(stub: str) -> list[Comparison]:
    """A stream of some two thousand events, per event, sync and async."""
    return [_compare_sync(stub), _compare_async(stub)]


def _compare_sync(stub: str) -> Comparison:
    with (
        AzureResponses(f"{stub}/stream", api_key="key") as ours,
        httpx.Client(headers={"api-key": "key"}) as bare,
        AzureOpenAI(
            azure_endpoint=f"{stub}/stream", api_key="key", api_version="2025-04-01-preview"
        ) as openai,
    ):

        def read_lines() -> None:
            with bare.stream("POST", stub + _PATH, json=_BODY) as reply:
                _count(_parsed_lines(reply.iter_lines()))

        runs: dict[str, Callable[[], None]] = {
            "azure_responses": lambda: _count(ours.responses.create(**_BODY)),
            _TARGET.peer: read_lines,
            "openai": lambda: _count(openai.responses.create(**_BODY)),
        }
        contenders = [Contender(name, run, EVENT_COUNT) for name, run in runs.items()]
        return compare(
            "typed stream event", "event", contenders, [_TARGET, Target("openai", 1 / 7)]
        )


def _compare_async(stub: str) -> Comparison:
    ours = AsyncAzureResponses(f"{stub}/stream", api_key="key")
    bare = httpx.AsyncClient(headers={"api-key": "key"})

    async def read_events() -> None:
        count = 0
        async for _ in await ours.responses.create(**_BODY):
            count += 1
        assert count == EVENT_COUNT, count

    async def read_lines() -> None:
        async with bare.stream("POST", stub + _PATH, json=_BODY) as reply:
            count = 0
            async for line in reply.aiter_lines():
                if line.startswith("data: "):
                    json.loads(line[6:])
                    count += 1
        assert count == EVENT_COUNT, count

    with asyncio.Runner() as runner:
        contenders = [
            Contender("azure_responses", lambda: runner.run(read_events()), EVENT_COUNT),
            Contender(_TARGET.peer, lambda: runner.run(read_lines()), EVENT_COUNT),
        ]
        try:
            return compare("typed stream event, async", "event", contenders, [_TARGET])
        finally:
            runner.run(ours.aclose())
            runner.run(bare.aclose())


def compare_large_event(_stub: str) -> list[Comparison]:
    """2 MB in 512-byte pieces: as one event, and as many small ones; linear if alike."""
    large = [encode_event(4, "response.output_text.done", **_place(), text="x" * _LARGE)]
    small = list(make_deltas(_LARGE // len(next(make_deltas(1, first=4))), first=4))
    contenders = [
        Contender("one event", _reader(large), units=1),
        Contender("small events", _reader(small), units=1),
    ]
    targets = [Target("small events", 3.0)]
    return [compare("2 MB in 512-byte pieces", "stream", contenders, targets, rounds=7)]


def _place() -> dict[str, Any]:
    return {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}


def _reader(events: list[bytes]) -> Callable[[], None]:
    """Reads a stream with these events in its middle, through a client."""
    begun = make_response(status="in_progress", output=[], usage=None)
    opening = encode_event(0, "response.created", response=begun)
    ending = encode_event(len(events) + 4, "response.completed", response=make_response())
    pieces = cut(b"".join([opening, *events, ending]), _PIECE)

    def run() -> None:
        with (
            httpx.Client(transport=PiecesTransport(lambda: iter(pieces))) as http_client,
            AzureResponses("https://r.example", api_key="key", http_client=http_client) as client,
        ):
            assert sum(1 for _ in client.responses.create(**_BODY)) == len(events) + 2

    return run
