"""Fixtures for the command's tests."""

import os
from collections.abc import Iterator

import pytest

from azure_responses.emulator import Emulator
from azure_responses.emulator.server import RunningServer


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that configures nothing."""
    for variable in list(os.environ):
        if variable.startswith("AZURE_") or variable in ("OPENAI_API_VERSION", "NO_COLOR"):
            monkeypatch.delenv(variable)


@pytest.fixture(scope="session")
def _running() -> Iterator[RunningServer]:
    # Starting and stopping a server takes longer than most tests.
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def served(
    bare: None, _running: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunningServer]:
    """A served emulator that the environment points to, with gpt-4.1 as its deployment.

    It is shared, and as new in each test but for its clock: leave that alone.
    """
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", _running.url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", _running.emulator.api_key)
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "gpt-4.1")
    yield _running
    _running.emulator.reset()
