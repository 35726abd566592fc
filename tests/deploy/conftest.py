"""What the documented set-up stands on: Azure, a Redis and a PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.gateway.conftest import PostgreSQL, postgresql
from tests.soak.served import Served
from tests.soak.stage import Stage
from tests.store.redis_server import PROGRAM, RedisServer, running

__all__ = ["azure", "fresh_postgresql", "postgresql", "redis_server", "stage"]


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    """A Redis of these tests' own."""
    if PROGRAM is None:
        pytest.skip("neither redis-server nor valkey-server is installed")
    pytest.importorskip("redis")
    with running(RedisServer()) as server:
        yield server


@pytest.fixture(scope="module")
def fresh_postgresql(postgresql: PostgreSQL) -> str:
    """The URL of a PostgreSQL without our tables."""
    import psycopg

    with psycopg.connect(postgresql.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgresql.url


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """An Azure of two resources whose tokens take their time."""
    pytest.importorskip("uvicorn", reason="the gateway is served by uvicorn")
    pace = {"first_token": 0.02, "tokens_per_second": 200.0}
    return Stage(tmp_path_factory.mktemp("deploy"), latency=pace, chunking=("async", "async"))


@pytest.fixture(scope="module")
def azure(stage: Stage) -> Iterator[Served]:
    """That Azure, running."""
    with stage.azure() as served:
        yield served
