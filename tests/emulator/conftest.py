"""An emulator whose clock only moves when told to, and a caller with its key."""

from collections.abc import Iterator

import httpx
import pytest

from azure_responses.emulator import Clock, Emulator
from tests.emulator.callers import BEGIN, open_client


@pytest.fixture
def emulator() -> Emulator:
    return Emulator(clock=Clock(BEGIN))


@pytest.fixture
def client(emulator: Emulator) -> Iterator[httpx.Client]:
    with open_client(emulator) as opened:
        yield opened
