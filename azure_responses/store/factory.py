"""Which state a router gets, by our options or by LiteLLM's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from azure_responses.errors import ConfigurationError
from azure_responses.store.interface import AsyncStateAdapter, AsyncStateStore, StateStore
from azure_responses.store.memory import MemoryState

if TYPE_CHECKING:
    from azure_responses.store.response_texts import RedisTexts

__all__ = [
    "REDIS_KEYS",
    "redis_address",
    "state_of",
    "open_state",
    "open_texts",
]

REDIS_KEYS = frozenset({"redis_url", "redis_host", "redis_port", "redis_password", "redis_db"})


def redis_address(settings: Mapping[str, Any]) -> str | None:
    """`redis_url`, or one made of host, port, password and database; None where neither is."""
    if settings.get("redis_url"):
        return str(settings["redis_url"])
    if not settings.get("redis_host"):
        return None
    password, database = settings.get("redis_password"), settings.get("redis_db")
    who = f":{quote(str(password), safe='')}@" if password else ""
    path = "" if database is None else f"/{database}"
    return f"redis://{who}{settings['redis_host']}:{settings.get('redis_port') or 6379}{path}"


def state_of(options: Mapping[str, Any]) -> Any:
    """What a router is given as its state, by our name for it or by LiteLLM's; None for none.

    Raises:
        ConfigurationError: by both, or by less than an address: nothing would be shared.
    """
    state, address = options.get("state"), redis_address(options)
    if state is not None and address is not None:
        raise ConfigurationError(
            "Both state and Redis's own settings say where the shared state is.",
            hint="Pass only state='redis://…', or only redis_url or redis_host.",
        )
    # A password without a host is a mistake that would pass unseen: limits would hold per process.
    rest = [name for name in sorted(REDIS_KEYS) if options.get(name) is not None]
    if state is None and address is None and rest:
        raise ConfigurationError(
            f"{' and '.join(rest)} without a host: the state would not be shared.",
            hint="Pass redis_host as well, or state='redis://host:6379/0'.",
        )
    return state if address is None else address


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
        return memory, AsyncStateAdapter(memory)
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


def open_texts(
    state: StateStore, *, prefix: str = "azure-responses", **_others: Any
) -> "RedisTexts | None":
    """Where replicas share stored responses, beside their shared state; None without one."""
    address = getattr(state, "address", None)
    if address is None:
        return None
    from azure_responses.store.response_texts import RedisTexts

    return RedisTexts(address, prefix=prefix)
