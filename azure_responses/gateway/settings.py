"""Everything that configures a gateway."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_responses.gateway.keys import StoredKey

__all__ = ["GatewaySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What a configuration file says, or its absence; variables are resolved.

    Attributes:
        model_list: the rows as `Router` takes them.
        router: further arguments of `Router`: `routing_strategy`, `fallbacks`, `num_retries`…
        keys: the master key and the virtual keys of the file, hashed.
        weakest_key: why one of those keys is easy to guess, or None; see `safety`.
        database_url: of keys and totals, as SQLAlchemy has it; None keeps them in memory.
        state: URL of the Redis that replicas share, or None.
        spend_log: the file of JSON lines, or None.
        spend_flush_interval: seconds between writes; what a crash may lose.
        key_refresh_interval: seconds within which a change of keys in the database counts.
        max_body_bytes: the longest request.
        max_body_values: of JSON in one request, whose number is what takes time and memory.
        max_bodies_bytes: the bodies of all calls at once in a process; half of it for one key.
        max_connections: open at once in a process; beyond them the one that has waited longest for
            a request is closed.
        max_concurrent_requests: calls in progress at once in a process.
        max_queued_requests: further calls that wait for a place.
        queue_timeout: seconds a call waits for a place before it is answered 503.
        drain_timeout: seconds that calls in progress have at shutdown.
        keepalive_seconds: silence in a stream after which a comment is sent; 0 sends none.
        affinity_secrets: sign ids of responses; the first signs, all are accepted.
        allowed_hosts: names that `Host` may have; empty is those of the loopback where no key is
            asked for, and any where one is.
        allow_unauthenticated: callers need no key, on any address.
        budget_status: HTTP status for a spent budget.
        drop_params: drop parameters a model does not take instead of refusing them.
        callbacks: `module.attribute` of callables told of every call.
        pricing: the section that `PriceBook.configure` reads.
        json_logs: log lines of JSON.
        metrics: serve /metrics.
        metrics_key: opens /metrics, as the master key does; None leaves it open to all.
        metrics_need_key: any key opens it, and nothing else.
    """

    model_list: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    router: Mapping[str, Any] = field(default_factory=dict, repr=False)
    keys: tuple[StoredKey, ...] = ()
    weakest_key: str | None = None
    database_url: str | None = field(default=None, repr=False)
    state: str | None = field(default=None, repr=False)
    spend_log: Path | None = None
    spend_flush_interval: float = 1.0
    key_refresh_interval: float = 5.0
    max_body_bytes: int = 64 * 1024 * 1024
    max_body_values: int = 100_000
    max_bodies_bytes: int = 512 * 1024 * 1024
    max_connections: int = 4000
    max_concurrent_requests: int = 1000
    max_queued_requests: int = 1000
    queue_timeout: float = 30.0
    drain_timeout: float = 30.0
    keepalive_seconds: float = 15.0
    affinity_secrets: tuple[str, ...] = field(default=(), repr=False)
    allowed_hosts: tuple[str, ...] = ()
    allow_unauthenticated: bool = False
    budget_status: int = 429
    drop_params: bool = False
    callbacks: tuple[str, ...] = ()
    pricing: Mapping[str, Any] = field(default_factory=dict)
    json_logs: bool = False
    metrics: bool = True
    metrics_key: str | None = field(default=None, repr=False)
    metrics_need_key: bool = False
