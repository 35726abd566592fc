"""What the documented set-up stands on: Azure, a Redis and a PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.conftest import empty_postgresql, postgresql_url
from tests.router_state.redis_server import PROGRAM, RedisServer, running
from tests.soak.served import Served
from tests.soak.stage import Stage

__all__ = ["azure", "empty_postgresql", "postgresql_url", "redis_server", "stage"]


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A Redis of the test's own."""
    if PROGRAM is None:
        pytest.skip("neither redis-server nor valkey-server is installed")
    pytest.importorskip("redis")
    with running(RedisServer()) as server:
        yield server


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """An Azure of two resources whose tokens take their time."""
    pytest.importorskip("uvicorn", reason="the gateway is served by uvicorn")
    pace = {"first_token": 0.02, "tokens_per_second": 200.0}
    return Stage(tmp_path, latency=pace, chunking=("async", "async"))


@pytest.fixture
def azure(stage: Stage) -> Iterator[Served]:
    """That Azure, running."""
    with stage.azure() as served:
        yield served
