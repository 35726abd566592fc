"""Which state a router gets."""

import subprocess
import sys

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.store.factory import open_state, redis_address, state_of
from azure_responses.store.interface import AsyncStateAdapter
from azure_responses.store.memory import MemoryState
from tests.store.redis_server import RedisServer
from tests.store.samples import candidate_for


def test_the_state_is_in_memory_unless_told_otherwise() -> None:
    sync, asynchronous = open_state()
    assert isinstance(sync, MemoryState)
    assert isinstance(asynchronous, AsyncStateAdapter)


def test_routers_of_one_process_may_share_a_state() -> None:
    state = MemoryState()
    assert open_state(state)[0] is state


def test_a_url_opens_redis(lasting_server: RedisServer) -> None:
    sync, asynchronous = open_state(lasting_server.url, prefix="opening", timeout=5)
    assert sync.is_shared
    assert asynchronous.is_shared
    assert sync.reserve([candidate_for()], 0.0).candidate is not None
    assert not sync.is_degraded
    sync.close()


def test_anything_else_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="state is a int"):
        open_state(3)  # type: ignore[arg-type]


def test_a_state_in_memory_loads_no_redis() -> None:
    program = """
import sys
from azure_responses.store.factory import open_state
open_state()
sys.exit("redis" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize(
    ("settings", "address"),
    [
        ({}, None),
        ({"redis_port": 6380}, None),
        ({"redis_url": "rediss://cache:6380", "redis_host": "ignored"}, "rediss://cache:6380"),
        ({"redis_host": "cache"}, "redis://cache:6379"),
        (
            {"redis_host": "cache", "redis_port": "6380", "redis_password": "p@ss/word"},
            "redis://:p%40ss%2Fword@cache:6380",
        ),
        ({"redis_host": "cache", "redis_db": 0}, "redis://cache:6379/0"),
    ],
)
def test_litellms_redis_settings_become_one_address(
    settings: dict[str, object], address: str | None
) -> None:
    assert redis_address(settings) == address


def test_a_state_is_named_once() -> None:
    assert state_of({}) is None
    assert state_of({"state": "redis://cache", "redis_port": 6380}) == "redis://cache"
    assert state_of({"redis_host": "cache", "redis_db": 0}) == "redis://cache:6379/0"
    with pytest.raises(ConfigurationError, match="Both state and"):
        state_of({"state": "redis://cache", "redis_url": "redis://other"})
    with pytest.raises(ConfigurationError, match="redis_db and redis_port without a host"):
        state_of({"redis_port": 6380, "redis_db": 0})
