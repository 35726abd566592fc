"""Fixtures for the clients' tests."""

import logging
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import pytest

from azure_responses import callbacks
from azure_responses.emulator import Clock, Emulator
from tests.clients.both import RUNNERS
from tests.clients.listeners import Collector, Keeper, Told

_VARIABLES = (
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
)


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    """Which client a scenario runs on."""
    return str(request.param)


@pytest.fixture
def emulator() -> Emulator:
    """A fresh Azure."""
    return Emulator()


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays the client asked for, none of which is waited; jitter is always the largest."""
    taken: list[float] = []
    real_sleep, real_wait, own = anyio.sleep, time.sleep, threading.get_ident()

    def nap(seconds: float) -> None:
        # Threads of servers wait as well, and would otherwise spin.
        if threading.get_ident() != own:
            real_wait(seconds)
            return
        taken.append(seconds)

    async def nap_async(seconds: float) -> None:
        if threading.get_ident() != own:
            await real_sleep(seconds)
            return
        # The emulator's transport yields to the loop with sleep(0), which is no wait of ours.
        if seconds:
            taken.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr(time, "sleep", nap)
    monkeypatch.setattr(anyio, "sleep", nap_async)
    monkeypatch.setattr(random, "random", lambda: 0.999)
    return taken


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Collector:
    for variable in _VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    return Collector()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def log() -> Iterator[list[logging.LogRecord]]:
    """The records of the package's logger from INFO up."""
    keeper = Keeper()
    logger = logging.getLogger("azure_responses")
    logger.addHandler(keeper)
    logger.setLevel(logging.INFO)
    yield keeper.kept
    logger.removeHandler(keeper)
    logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _no_module_callbacks() -> Iterator[None]:
    yield
    callbacks.clear()


def names(events: list[Any]) -> list[str]:
    """The types of some events."""
    return [event.type for event in events]


async def read(stream: Any, seen: list[Any]) -> None:
    """Read a stream to its end, noting each event before whatever comes after it is raised."""
    async for event in stream:
        seen.append(event)


def let_time_pass(clock: Clock, monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    """Make the emulator's clock the client's too: it moves on by what the client sleeps."""
    real_sleep, real_wait, own = anyio.sleep, time.sleep, threading.get_ident()

    def nap(seconds: float) -> None:
        # Threads of servers wait as well: they would spin, and move this clock on.
        if threading.get_ident() != own:
            real_wait(seconds)
            return
        naps.append(seconds)
        clock.advance(seconds)

    async def nap_async(seconds: float) -> None:
        if threading.get_ident() != own:
            await real_sleep(seconds)
            return
        nap(seconds)

    monkeypatch.setattr(time, "sleep", nap)
    monkeypatch.setattr(anyio, "sleep", nap_async)
    monkeypatch.setattr(time, "monotonic", clock.now)
