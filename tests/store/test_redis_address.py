"""Redis's address from LiteLLM's settings."""

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.store.factory import redis_address, state_of


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
