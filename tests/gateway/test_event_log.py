"""The events of a background response: numbered, read by several, split as they come."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from azure_responses.gateway.event_log import EventLog, event_frame

BEGUN = {"id": "resp_1", "status": "in_progress"}


def types_of(content: bytes) -> list[str]:
    lines = [line for line in content.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line[6:])["type"] for line in lines]


async def collect(log: EventLog, after: int = -1) -> bytes:
    return b"".join([piece async for piece in log.follow(after)])


async def pieces(content: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def test_each_reader_gets_every_event_behind_its_number() -> None:
    async def run() -> list[bytes]:
        log = EventLog(BEGUN)
        readers = [asyncio.create_task(collect(log, after)) for after in (-1, 0, 9)]
        await asyncio.sleep(0)
        log.add(b'event: a\ndata: {"type":"a"}\n\n')
        await asyncio.sleep(0)
        log.close({**BEGUN, "status": "completed"})
        return [*await asyncio.gather(*readers), await collect(log)]

    first, second, late, again = asyncio.run(run())
    expected = ["response.created", "response.in_progress", "a", "response.completed"]
    assert types_of(first) == types_of(again) == expected
    assert types_of(second) == expected[1:]
    assert late == b""


def test_a_stream_is_kept_without_its_first_and_last_events_however_it_is_cut() -> None:
    done = {**BEGUN, "status": "completed"}
    content = (
        event_frame("response.created", 0, BEGUN)
        + b'event: x\ndata: {"type":"x"}\n\n: a comment\n\n'
        + event_frame("response.completed", 2, done)
    )

    async def run(size: int) -> tuple[Any, bytes]:
        log = EventLog(BEGUN)
        ending = await log.receive(pieces(content, size))
        log.close(None)
        return ending, await collect(log, 1)

    for size in (1, 7, len(content)):
        ending, kept = asyncio.run(run(size))
        assert ending["response"] == done
        assert types_of(kept) == ["x"]
