"""Fixtures for the clients' tests."""

import random
import time
from typing import Any

import anyio
import pytest

from azure_responses.emulator import Clock, Emulator
from tests.clients.both import RUNNERS


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
    """The delays the client asked for; nobody sleeps, and jitter is always the largest."""
    taken: list[float] = []
    real_sleep = anyio.sleep

    def nap(seconds: float) -> None:
        taken.append(seconds)

    async def nap_async(seconds: float) -> None:
        # The emulator's transport yields to the loop with sleep(0), which is no wait of ours.
        if seconds:
            taken.append(seconds)
        await real_sleep(0)

    monkeypatch.setattr(time, "sleep", nap)
    monkeypatch.setattr(anyio, "sleep", nap_async)
    monkeypatch.setattr(random, "random", lambda: 0.999)
    return taken


def names(events: list[Any]) -> list[str]:
    """The types of some events."""
    return [event.type for event in events]


async def read(stream: Any, seen: list[Any]) -> None:
    """Read a stream to its end, noting each event before whatever comes after it is raised."""
    async for event in stream:
        seen.append(event)


def let_time_pass(clock: Clock, monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    """Make the emulator's clock the client's too: it moves on by what the client sleeps."""

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock.advance(seconds)

    async def nap_async(seconds: float) -> None:
        nap(seconds)

    monkeypatch.setattr(time, "sleep", nap)
    monkeypatch.setattr(anyio, "sleep", nap_async)
    monkeypatch.setattr(time, "monotonic", clock.now)
