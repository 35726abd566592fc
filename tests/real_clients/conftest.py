"""The gateway that the clients of a module call."""

from collections.abc import Iterator

import pytest

from tests.real_clients.driving import MODES, Stage, set_stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway over two resources, one for each module of tests."""
    with set_stage(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    """How a client's calls reach the router: over HTTP, or in its own process."""
    return str(request.param)
