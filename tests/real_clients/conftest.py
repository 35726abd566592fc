"""The gateway that the clients of a module call."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real_clients.driving import MODES, Stage, set_stage


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this test run, the same for all its processes."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "real_clients"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway over two resources, for tests that need no program."""
    with set_stage(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """How a client's calls go: to a gateway, to a router in its own process, or to Azure itself."""
    return str(request.param)
