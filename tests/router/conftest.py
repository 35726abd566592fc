"""Fixtures for the router's tests."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses import callbacks
from azure_responses.emulator import Clock, Emulator
from azure_responses.protocol.environment import EVERY_VARIABLE
from azure_responses.router.parts import ENVIRONMENT_VARIABLE
from tests.clients.conftest import let_time_pass
from tests.router.both import RUNNERS, emulate

__all__ = ["OnlyMilliseconds"]


@pytest.fixture(params=RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    """Which half of the router a scenario runs on."""
    return str(request.param)


@pytest.fixture
def clock() -> Clock:
    """The emulator's time, and with `naps` everybody's."""
    return Clock(1_790_000_000)


@pytest.fixture
def emulator(clock: Clock) -> Emulator:
    """Two resources with a gpt-5 each."""
    return emulate(clock=clock)


@pytest.fixture
def naps(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that were asked for; nobody sleeps, the clock moves on instead."""
    taken: list[float] = []
    let_time_pass(clock, monkeypatch, taken)
    return taken


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for names in (*EVERY_VARIABLE.values(), (ENVIRONMENT_VARIABLE,)):
        for name in names:
            monkeypatch.delenv(name, raising=False)
    yield
    callbacks.clear()


class OnlyMilliseconds(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport whose refusals say when to come back in `retry-after-ms` alone."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = self._inner.handle_request(request)
        response.headers.pop("retry-after", None)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response: httpx.Response = await self._inner.handle_async_request(request)
        response.headers.pop("retry-after", None)
        return response
