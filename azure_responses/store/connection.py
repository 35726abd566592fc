"""How to reach Redis, and whether it is reached."""

import contextlib
import logging
import re
import sys
import time
import warnings
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from azure_responses.errors import ConfigurationError
from azure_responses.fork import keep_for_ever, leave_socket, new_lock
from azure_responses.version import __version__

if TYPE_CHECKING:
    import redis
    import redis.asyncio

__all__ = [
    "RedisAddress",
    "leave_connections",
    "make_async_client",
    "make_client",
    "read_address",
    "CircuitBreaker",
]

_SCHEMES = {"redis": "redis", "rediss": "rediss", "valkey": "redis", "valkeys": "rediss"}
_SCOPE = "https://redis.azure.com/.default"
_DATABASE = re.compile(r"(?:/\d*)?")
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where Redis is and how to sign in.

    Attributes:
        url: for redis-py; may hold a password, and is never shown.
        name: host, port and database, for messages.
        timeout: seconds for which one command may take.
        credential: an azure-identity credential, a redis CredentialProvider, or None.
        uses_entra: sign in by Entra ID; without a credential by DefaultAzureCredential.
    """

    url: str = field(repr=False)
    name: str
    timeout: float
    credential: Any = field(default=None, repr=False)
    uses_entra: bool = False


def read_address(url: str, *, timeout: float = 0.25, credential: Any = None) -> RedisAddress:
    """Read a state URL: `redis://`, `rediss://` (TLS), `valkey://`, `valkeys://` or `unix://`.

    `?entra=true` signs in by Entra ID. Raises ConfigurationError; no message holds the URL,
    because it may hold a password.
    """
    if not isinstance(timeout, int | float) or not timeout > 0:
        raise ConfigurationError(
            f"state_timeout is {timeout!r}; it is a number above 0.",
            hint="Give seconds, such as 0.25.",
        )
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        raise _refuse_url("cannot be read as a URL") from None
    if scheme != "unix" and (scheme not in _SCHEMES or not host):
        raise _refuse_url(f"begins with {scheme!r} or names no host")
    if scheme != "unix" and not _DATABASE.fullmatch(parts.path):
        # redis-py would take any other path for database 0.
        raise _refuse_url("names a database that is not a number")
    query = parse_qsl(parts.query, keep_blank_values=True)
    wants_entra = any(key == "entra" and value.lower() in _TRUE for key, value in query)
    uses_entra = wants_entra or credential is not None
    has_password = bool(parts.password) or any(key == "password" for key, _ in query)
    _refuse_two_sign_ins(has_password, uses_entra)
    rest = urlencode([(key, value) for key, value in query if key != "entra"])
    # Not urlunsplit, which takes the slashes from a URL without a host.
    kept = f"{_SCHEMES.get(scheme, scheme)}://{parts.netloc}{parts.path}" + f"?{rest}" * bool(rest)
    name = parts.path if scheme == "unix" else f"{host}:{port or 6379}{parts.path}"
    return RedisAddress(kept, name, timeout, credential, uses_entra)


def _refuse_url(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"The state URL {reason}.",
        hint="Write redis://host:6379/0, or rediss://host:6380/0 for TLS.",
    )


def _refuse_two_sign_ins(has_password: bool, has_entra: bool) -> None:
    if has_password and has_entra:
        raise ConfigurationError(
            "The state URL holds a password, and Entra ID is asked for as well.",
            hint="Leave out the password, or leave out ?entra=true and state_credential.",
        )


def make_client(address: RedisAddress) -> "redis.Redis":
    """A sync client that neither retries nor waits longer than the address allows.

    Raises ConfigurationError when redis-py or redis-entraid is missing.
    """
    package = _import_redis()
    provider = _make_provider(address)
    pool = _make_pool(package.ConnectionPool, address, **_options(package, address, provider))
    # The client gets the provider too: it signs live connections in again in time.
    client: redis.Redis = package.Redis(connection_pool=pool, credential_provider=provider)
    client.auto_close_connection_pool = True
    return client


def make_async_client(address: RedisAddress) -> "redis.asyncio.Redis":
    """The same for one event loop of asyncio, with one connection."""
    package = _import_redis()
    from redis.asyncio import ConnectionPool, Redis

    provider = _make_provider(address)
    options = _options(package, address, provider)
    pool = _make_pool(ConnectionPool, address, max_connections=2, **options)
    client: redis.asyncio.Redis = Redis(connection_pool=pool, credential_provider=provider)
    client.auto_close_connection_pool = True
    return client


def leave_connections(client: "redis.asyncio.Redis") -> None:
    """Leave the connections of an async client to the parent, in a forked process.

    redis-py's sync connections look after themselves.
    """
    pool: Any = client.connection_pool
    for connection in (*pool._available_connections, *pool._in_use_connections):
        writer = connection._writer
        if writer is not None:
            leave_socket(writer.get_extra_info("socket"))
    # Collected, a connection would say that it was not closed.
    keep_for_ever(client)


def _make_pool(kind: Any, address: RedisAddress, **options: Any) -> Any:
    try:
        pool = kind.from_url(address.url, **options)
        # A connection is made to see whether it can be: what the URL asks for may not exist.
        pool.connection_class(**pool.connection_kwargs)
    except (TypeError, ValueError) as error:
        raise _refuse_url(f"asks for what redis-py does not have ({error})") from None
    return pool


def _options(redis: Any, address: RedisAddress, provider: Any) -> dict[str, Any]:
    options: dict[str, Any] = {
        "socket_timeout": address.timeout,
        "socket_connect_timeout": address.timeout,
        # A call waits for Redis only a quarter of a second by default; local counters are better
        # than a retry.
        "retry": redis.retry.Retry(redis.backoff.NoBackoff(), 0),
        "client_name": "azure-responses",
    }
    if provider is not None:
        options["credential_provider"] = provider
    return options


def _import_redis() -> Any:
    try:
        import redis
        import redis.backoff
        import redis.retry
    except ImportError as error:
        raise ConfigurationError(
            "A shared state needs redis-py, which is not installed.",
            hint="pip install 'azure-responses[redis]'",
        ) from error
    return redis


def _make_provider(address: RedisAddress) -> Any:
    if not address.uses_entra:
        return None
    _import_redis()
    from redis.credentials import CredentialProvider

    # One provider serves one client: it passes a renewed token to only one.
    if isinstance(address.credential, CredentialProvider):
        return address.credential
    return _make_entra_provider(address.credential)


def _make_entra_provider(credential: Any) -> Any:
    try:
        from redis.auth.token_manager import RetryPolicy, TokenManagerConfig
        from redis_entraid.cred_provider import EntraIdCredentialsProvider
        from redis_entraid.identity_provider import DefaultAzureCredentialProvider
    except ImportError as error:
        raise ConfigurationError(
            "Signing in to Redis by Entra ID needs redis-entraid and redis-py 5.3 or later, which "
            "are not installed.",
            hint="pip install 'azure-responses[entra-redis]'",
        ) from error
    if credential is None:
        from azure.identity import DefaultAzureCredential

        credential = DefaultAzureCredential()
    # Renewed at 70 % of its life; a token may take seconds to come, so it gets ten.
    config = TokenManagerConfig(0.7, 0, 10_000, RetryPolicy(3, 500))
    identity = DefaultAzureCredentialProvider(credential, scopes=(_SCOPE,))
    return EntraIdCredentialsProvider(identity, config)


_logger = logging.getLogger("azure_responses")


class CircuitBreaker:
    """Whether the shared state is out of reach.

    Args:
        address: where it is, without secrets.

    Attributes:
        is_open: True from the first error until the state answers again.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = new_lock()
        self._since = 0.0
        self.is_open = False

    def note_failure(self, error: BaseException, operation: str) -> None:
        """Count an error; the first of an outage is logged, with a warning."""
        _count(operation, type(error).__name__)
        with self._lock:
            if self.is_open:
                return
            self._since = time.monotonic()
            self.is_open = True
        text = (
            f"The router's shared state at {self._address} does not answer "
            f"({type(error).__name__}: {error}). Local counters take over: limits hold per "
            "process, and cooldowns are not shared, until it is back."
        )
        _logger.warning(text)
        _warn(text)

    def note_recovery(self, dropped: int = 0) -> None:
        """Say that the state answers again, and how many writes were lost meanwhile."""
        with self._lock:
            if not self.is_open:
                return
            self.is_open = False
            lasted = time.monotonic() - self._since
        _logger.warning(
            "The router's shared state at %s answers again after %.1f s; %d writes were dropped.",
            self._address,
            lasted,
            dropped,
        )


def _warn(text: str) -> None:
    # A program that turns warnings into errors still must not lose a call over this one; it has
    # been logged.
    with contextlib.suppress(UserWarning):
        warnings.warn(text, UserWarning, stacklevel=4)


def _count(operation: str, kind: str) -> None:
    # A program that never imported opentelemetry has nothing for the counter to write to.
    if "opentelemetry" not in sys.modules:
        return
    try:
        from opentelemetry import metrics
    except ImportError:  # pragma: no cover  (a namespace package without the API)
        return
    counter = _counter(metrics.get_meter_provider())
    counter.add(1, {"azure_responses.operation": operation, "error.type": kind})


@lru_cache(maxsize=8)
def _counter(provider: Any) -> Any:
    return provider.get_meter("azure_responses", __version__).create_counter(
        "azure_responses.router.state_errors",
        unit="{error}",
        description="Errors of the router's shared state; the calls went on by local counters.",
    )
