"""Which state a router gets for what it was told."""

from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.store.interface import AsyncStateStore, StateStore
from azure_responses.store.memory import AsyncMemoryState, MemoryState

__all__ = ["open_state"]


def open_state(
    state: str | MemoryState | None = None,
    *,
    prefix: str = "azure-responses",
    timeout: float = 0.25,
    credential: Any = None,
) -> tuple[StateStore, AsyncStateStore]:
    """The sync and the async face of one state; nothing is connected yet.

    Args:
        state: a URL such as "redis://host:6379/0"; None keeps the state in this process; a
            `MemoryState` is shared by the routers of this process that are given it.
        prefix: of every key in Redis; routers with the same prefix share their state.
        timeout: seconds for which a call waits for Redis before local counters take over.
        credential: an azure-identity credential or a redis CredentialProvider, for Entra ID.

    Raises ConfigurationError for a URL that cannot be used and for a missing package.
    """
    if state is None or isinstance(state, MemoryState):
        memory = state or MemoryState()
        return memory, AsyncMemoryState(memory)
    if not isinstance(state, str):
        raise ConfigurationError(
            f"state is a {type(state).__name__}; expected a URL.",
            hint="Pass state='redis://host:6379/0', or leave it out.",
        )
    # Imported only here: a router without a shared state has no use for it.
    from azure_responses.store.async_redis_state import AsyncRedisState
    from azure_responses.store.connection import read_address
    from azure_responses.store.redis_state import RedisState

    address = read_address(state, timeout=timeout, credential=credential)
    shared = RedisState(address, prefix=prefix)
    return shared, AsyncRedisState(shared)
