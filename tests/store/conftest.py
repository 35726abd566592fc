"""A real Redis for the tests of the shared state."""

from collections.abc import Iterator

import pytest

from tests.store.redis_server import PROGRAM, RedisServer, running


@pytest.fixture(scope="session")
def lasting_server() -> Iterator[RedisServer]:
    """One server for all the tests that leave it running."""
    yield from _serve()


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server of the test's own, which it may kill."""
    yield from _serve()


def _serve() -> Iterator[RedisServer]:
    if PROGRAM is None:
        pytest.skip("neither redis-server nor valkey-server is installed")
    pytest.importorskip("redis")
    with running(RedisServer()) as server:
        yield server
