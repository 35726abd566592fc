"""Which state a router gets."""

import subprocess
import sys

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.store.factory import open_state
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
