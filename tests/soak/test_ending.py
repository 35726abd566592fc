"""How a gateway under load ends: asked to, with time and without, and killed."""

import asyncio
import random
import signal
import socket
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.soak.accounts import balance, database_total
from tests.soak.answers import Streamed, read_native_stream
from tests.soak.calls import Call, Visit
from tests.soak.client import ApiCaller, Event, Reply
from tests.soak.served import Served
from tests.soak.soak import Figures, drive
from tests.soak.stage import MASTER_KEY, MODEL, Stage, gateway_settings, staged

pytest.importorskip("uvicorn", reason="the gateway and the emulator are served by uvicorn")
pytestmark = pytest.mark.xdist_group("soak")

_STREAMS = 40
_FLUSH = 1.0
# Events after which a stream is in its middle: its text has begun.
_MIDDLE = 8
# One stream takes several seconds, so that a busy machine too sends the signal in its middle.
_PACE = {"first_token": 0.05, "tokens_per_second": 30.0}
_DRAIN = 60


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An emulator that takes its time, and nothing goes wrong."""
    return Stage(tmp_path, latency=_PACE, chunking=("async", "async"))


def _visit(session: aiohttp.ClientSession, url: str, nonce: str, calls: list[Call]) -> Visit:
    caller = _Watched(session, url, MASTER_KEY)
    return Visit(caller, caller, nonce, random.Random(0), calls)


async def _stream(visit: Visit) -> Streamed | None:
    words = visit.words(100)
    return await visit.stream("native stream", words, input=f"Reply with exactly: {words}")


class _Watched(ApiCaller):
    """A caller whose streams are counted once they are in their middle."""

    begun = 0

    async def stream(
        self, path: str, call_id: str, body: dict[str, Any], events: int | None = None
    ) -> AsyncIterator[Event | Reply]:
        """The events, counted."""
        number = 0
        async for event in super().stream(path, call_id, body, events):
            number += 1
            if number == _MIDDLE:
                _Watched.begun += 1
            yield event


async def _until_in_the_middle(count: int) -> None:
    """Wait until so many streams are."""
    for _ in range(600):
        if _Watched.begun >= count:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"of {count} streams only {_Watched.begun} began")


@pytest.fixture(autouse=True)
def _count_anew() -> None:
    _Watched.begun = 0


async def _end_amid_streams(
    gateway: Served, calls: list[Call]
) -> tuple[list[Streamed | None], list[Reply], float]:
    """SIGTERM amid streams: what became of them, of a probe and of a new call, and the time."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        visits = [_visit(session, gateway.url, f"term{n}", calls) for n in range(_STREAMS)]
        streams = [asyncio.create_task(_stream(visit)) for visit in visits]
        await _until_in_the_middle(_STREAMS)
        gateway.signal(signal.SIGTERM)
        began = time.monotonic()
        await asyncio.sleep(0.2)
        assert not all(stream.done() for stream in streams)
        caller = ApiCaller(session, gateway.url, MASTER_KEY)
        body = {"model": MODEL, "input": "too late"}
        replies = [
            await caller.ask("GET", "/health/readiness", "probe"),
            await caller.ask("POST", "/v1/responses", "late", body),
        ]
        results = await asyncio.gather(*streams)
        return results, replies, began


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gateway_told_to_end_cuts_no_stream_and_takes_no_new_call(
    stage: Stage, workers: int
) -> None:
    calls: list[Call] = []
    with stage.azure() as azure:
        settings = gateway_settings(azure.url, drain_timeout=_DRAIN)
        with stage.gateway(settings, "--workers", str(workers)) as gateway:
            results, replies, began = asyncio.run(_end_amid_streams(gateway, calls))
            assert gateway.wait(_DRAIN) == 0
            took = time.monotonic() - began
    assert all(found is not None and found.is_whole for found in results)
    assert [reply.status for reply in replies] == [503, 503]
    assert replies[0].body["status"] == "shutting_down"
    assert replies[1].body["error"]["code"] == "shutting_down"
    assert replies[1].headers["retry-after"]
    assert took < _DRAIN
    url = f"sqlite:///{stage.folder / 'gateway.db'}"
    assert balance(calls, stage.spend_lines(), url).faults == []


async def _outlive(gateway: Served) -> Streamed:
    """A stream that takes longer than the gateway waits."""
    async with aiohttp.ClientSession() as session:
        caller = _Watched(session, gateway.url, MASTER_KEY)
        words = " ".join(f"w{n}" for n in range(400))
        body = {"model": MODEL, "input": f"Reply with exactly: {words}"}
        events = caller.stream("/v1/responses", "long", body)
        reading = asyncio.create_task(read_native_stream(events))
        await _until_in_the_middle(1)
        gateway.signal(signal.SIGTERM)
        return await reading


def test_a_stream_beyond_the_drain_timeout_is_told_why_it_ends(tmp_path: Path) -> None:
    stage = Stage(
        tmp_path,
        latency={"first_token": 0.05, "tokens_per_second": 20.0},
        chunking=("async", "async"),
    )
    with staged(stage, drain_timeout=1) as (_, gateway):
        began = time.monotonic()
        found = asyncio.run(_outlive(gateway))
        assert gateway.wait(10) == 0
        assert time.monotonic() - began < 30
    assert found.error is not None
    assert found.error["code"] == "shutting_down"


async def _load_until_killed(gateway: Served, keys: list[str], figures: Figures) -> float:
    """Kill the gateway in the middle of a load; the moment in which it was."""
    load = asyncio.create_task(drive(figures, [gateway.url], keys, 10_000, at_once=20))
    while len([call for call in figures.calls if call.outcome]) < 150:
        await asyncio.sleep(0.05)
    await asyncio.sleep(2 * _FLUSH)
    killed = time.monotonic()
    gateway.kill()
    load.cancel()
    await asyncio.gather(load, return_exceptions=True)
    return killed


def test_a_killed_gateway_loses_no_more_than_its_last_flush_interval(tmp_path: Path) -> None:
    stage, figures, database = Stage(tmp_path), Figures(), tmp_path / "gateway.db"
    with stage.azure() as azure:
        settings = gateway_settings(azure.url, spend_flush_interval=_FLUSH, key_refresh_interval=1)
        gateway = stage.gateway(settings)
        keys = stage.make_keys(2, "--budget", "5")
        with gateway:
            killed = asyncio.run(_load_until_killed(gateway, keys, figures))
        noted, kept = _check_books(stage, figures, killed), database_total(database)
        with stage.gateway(settings) as again:
            assert asyncio.run(_ask_again(again, keys[0])) == 200
            assert again.stop() == 0
    assert kept <= noted
    assert database_total(database) > kept
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _check_books(stage: Stage, figures: Figures, killed: float) -> Decimal:
    """What ended before the last interval is in both books; the sum of the spend log."""
    noted = {line["call_id"]: Decimal(line["cost"] or 0) for line in stage.spend_lines()}
    # A flush takes a moment itself, hence a half more.
    safe = [
        call.call_id
        for call in figures.calls
        if call.is_billed and call.outcome == "right" and call.ended < killed - 1.5 * _FLUSH
    ]
    assert len(safe) > 50
    assert [call_id for call_id in safe if call_id not in noted] == []
    certain = sum((noted[call_id] for call_id in safe), Decimal(0))
    assert certain <= database_total(stage.folder / "gateway.db")
    return sum(noted.values(), Decimal(0))


async def _ask_again(gateway: Served, key: str) -> int:
    async with aiohttp.ClientSession() as session:
        body = {"model": MODEL, "input": "Reply with exactly: again"}
        reply = await ApiCaller(session, gateway.url, key).ask(
            "POST", "/v1/responses", "again", body
        )
        return reply.status


def test_workers_end_with_the_process_that_made_them(stage: Stage) -> None:
    with stage.azure() as azure:
        gateway = stage.gateway(gateway_settings(azure.url), "--workers", "2")
        with gateway:
            gateway.signal(signal.SIGKILL)
            gateway.wait(10)
            deadline = time.monotonic() + 20
            while _answers(gateway.port):
                assert time.monotonic() < deadline, "the workers go on"
                time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
