"""The keys of a configuration file that the gateway reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure_responses.errors import ConfigurationError
from azure_responses.gateway.allowed_addresses import Network, read_networks
from azure_responses.gateway.allowed_routes import read_routes
from azure_responses.gateway.key_table import StoredKey
from azure_responses.protocol.webhook_signature import sign
from azure_responses.routing.settings import SETTING_KEYS
from azure_responses.store.factory import REDIS_KEYS

__all__ = [
    "GENERAL",
    "GatewaySettings",
    "LITELLM",
    "ROUTER",
    "SECTIONS",
    "SECTION_NAMES",
    "Setting",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings:
    """What a configuration file says, or its absence; variables are resolved.

    Attributes:
        model_list: the entries as `Router` takes them.
        router: further arguments of `Router`: `routing_strategy`, `fallbacks`, `num_retries`…
        keys: the master key and the virtual keys of the file, hashed.
        weakest_key: why one of those keys is easy to guess, or None; see `key_strength`.
        database_url: of keys and totals, as SQLAlchemy has it; None keeps them in memory.
        state: URL of the Redis that replicas share, or None.
        spend_log: the file of JSON lines, or None.
        spend_flush_interval: seconds between writes; what a crash may lose.
        key_refresh_interval: seconds within which a change of keys in the database counts.
        max_body_bytes: the longest request.
        max_upload_bytes: the longest form with a file; Azure takes files of 512 MB.
        max_concurrent_uploads: in progress at once in a process, besides the calls.
        max_body_values: of JSON in one request, whose number is what takes time and memory.
        max_bodies_bytes: the bodies of all calls at once in a process; half of it for one key.
        max_connections: open at once in a process; beyond them the one that has waited longest for
            a request is closed.
        max_concurrent_requests: calls in progress at once in a process.
        max_queued_requests: further calls that wait for a place.
        batch_concurrency: requests of batches at once in a process.
        queue_timeout: seconds a call waits for a place before it is answered 503.
        drain_timeout: seconds that calls in progress have at shutdown.
        keepalive_seconds: silence in a stream after which a comment is sent; 0 sends none.
        websocket_connections: WebSockets open at once in a process; at most half of
            `max_connections`. 0 serves none: a request for one gets 426.
        websocket_connections_per_key: of which one key may have so many.
        websocket_max_seconds: after so long a WebSocket ends, when its calls have ended.
        websocket_idle_seconds: and after so long without a call and without a message; 0 waits for
            as long as it may last.
        affinity_secrets: sign ids of responses; the first signs, all are accepted.
        allowed_routes: the routes of the API that are served; empty is all.
        allowed_hosts: names that `Host` may have; empty is those of the loopback where no key is
            asked for, and any where one is.
        allowed_ips: addresses and networks from which callers may call; empty is all.
        use_x_forwarded_for: a proxy in front writes the caller's address into that header.
        allow_unauthenticated: callers need no key, on any address.
        budget_status: HTTP status for a spent budget.
        drop_params: drop parameters a model does not take instead of refusing them.
        callbacks: `module.attribute` of callables that are called with every call.
        pricing: the section that `PriceBook.configure` reads.
        json_logs: log lines of JSON.
        metrics: serve /metrics.
        metrics_key: opens /metrics, as the master key does; None leaves it open to all.
        metrics_need_key: any key opens it, and nothing else.
        background_health_checks: each process calls every deployment once per interval, whether the
            results are read or not.
        health_check_interval: seconds for which the result of such a call is shown.
        health_check_timeout: seconds that such a call may take.
        health_check_details: results say what is wrong, and where.
        enable_health_check_routing: a deployment whose call failed has a cooldown until the next.
        webhook_secrets: of the webhook endpoints of the resources, any of which may sign; none of
            them leaves /webhooks/azure closed.
        webhook_allow_http: webhooks of keys are also sent to URLs without TLS.
        webhook_allow_private: and to addresses that are not of the public network.
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
    max_upload_bytes: int = 512 * 1024 * 1024
    max_concurrent_uploads: int = 100
    max_body_values: int = 100_000
    max_bodies_bytes: int = 512 * 1024 * 1024
    max_connections: int = 4000
    max_concurrent_requests: int = 1000
    max_queued_requests: int = 1000
    batch_concurrency: int = 8
    queue_timeout: float = 30.0
    drain_timeout: float = 30.0
    keepalive_seconds: float = 15.0
    websocket_connections: int = 2000
    websocket_connections_per_key: int = 1000
    websocket_max_seconds: float = 3600.0
    websocket_idle_seconds: float = 0.0
    affinity_secrets: tuple[str, ...] = field(default=(), repr=False)
    allowed_routes: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    allowed_ips: tuple[Network, ...] = ()
    use_x_forwarded_for: bool = False
    allow_unauthenticated: bool = False
    budget_status: int = 429
    drop_params: bool = False
    callbacks: tuple[str, ...] = ()
    pricing: Mapping[str, Any] = field(default_factory=dict)
    json_logs: bool = False
    metrics: bool = True
    metrics_key: str | None = field(default=None, repr=False)
    metrics_need_key: bool = False
    background_health_checks: bool = False
    health_check_interval: float = 300.0
    health_check_timeout: float = 60.0
    health_check_details: bool = True
    enable_health_check_routing: bool = False
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    webhook_allow_http: bool = False
    webhook_allow_private: bool = False


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: which field it sets and how its value is read.

    `read` raises ValueError with what the value should be. Without a field it has no effect,
    because the gateway always does what the key asks for.
    """

    field: str | None
    read: Callable[[Any], Any]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("is not text; put it in quotation marks")
    return value.strip()


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither true nor false")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ValueError("is not a positive number of seconds")
    return float(value)


def _seconds_or_none(value: Any) -> float:
    return 0.0 if value == 0 and not isinstance(value, bool) else _seconds(value)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53:
        raise ValueError("is not a positive whole number")
    return value


def _count_or_none(value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _count(value)


def _megabytes(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
        raise ValueError("is not a positive number of megabytes")
    return int(value * 1024 * 1024) or 1


def _status(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 400 <= value <= 499:
        raise ValueError("is not an HTTP status from 400 to 499")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) and item for item in values):
        raise ValueError("is neither text nor a list of text")
    return tuple(values)


def _secrets(value: Any) -> tuple[str, ...]:
    secrets = _texts(value)
    try:
        for secret in secrets:
            sign(b"", "check", 0, secret)
    except ConfigurationError as error:
        raise ValueError(f"cannot verify webhooks: {error.message.removesuffix('.')}") from None
    return secrets


def _database(value: Any) -> str:
    text = _text(value)
    scheme = text.partition("://")[0].partition("+")[0]
    if "://" in text and scheme not in ("sqlite", "postgresql", "postgres"):
        raise ValueError("names no database this can use; write sqlite:///… or postgresql://…")
    return text


def _anything(value: Any) -> Any:
    return value


SECTION_NAMES: Mapping[str, str] = {
    "model_list": "model_list",
    "router_settings": "router_settings",
    "general_settings": "general_settings",
    "litellm_settings": "litellm_settings",
    # As written for Dheera AI, a fork of LiteLLM; see `PARAMS_KEYS` in routing/model_list.
    "dheera_ai_settings": "litellm_settings",
    "credential_list": "credential_list",
    "virtual_keys": "virtual_keys",
    "pricing": "pricing",
    "environment_variables": "environment_variables",
}
"""The sections by the names they may have."""

GENERAL: Mapping[str, Setting] = {
    "master_key": Setting("master_key", _text),
    "database_url": Setting("database_url", _database),
    "spend_log": Setting("spend_log", _text),
    "spend_flush_interval": Setting("spend_flush_interval", _seconds),
    "proxy_batch_write_at": Setting("spend_flush_interval", _seconds),
    "key_refresh_interval": Setting("key_refresh_interval", _seconds),
    "user_api_key_cache_ttl": Setting("key_refresh_interval", _seconds),
    "max_body_bytes": Setting("max_body_bytes", _count),
    "max_request_size_mb": Setting("max_body_bytes", _megabytes),
    "max_upload_bytes": Setting("max_upload_bytes", _count),
    "max_concurrent_uploads": Setting("max_concurrent_uploads", _count),
    "max_body_values": Setting("max_body_values", _count),
    "max_bodies_bytes": Setting("max_bodies_bytes", _count),
    "max_connections": Setting("max_connections", _count),
    "max_concurrent_requests": Setting("max_concurrent_requests", _count),
    "max_in_flight_requests_per_worker": Setting("max_concurrent_requests", _count),
    "max_queued_requests": Setting("max_queued_requests", _count_or_none),
    "max_queued_requests_per_worker": Setting("max_queued_requests", _count_or_none),
    "batch_concurrency": Setting("batch_concurrency", _count),
    "queue_timeout": Setting("queue_timeout", _seconds),
    "admission_queue_timeout_seconds": Setting("queue_timeout", _seconds),
    "drain_timeout": Setting("drain_timeout", _seconds_or_none),
    "keepalive_seconds": Setting("keepalive_seconds", _seconds_or_none),
    "websocket_connections": Setting("websocket_connections", _count_or_none),
    "websocket_connections_per_key": Setting("websocket_connections_per_key", _count),
    "websocket_max_seconds": Setting("websocket_max_seconds", _seconds),
    "websocket_idle_seconds": Setting("websocket_idle_seconds", _seconds_or_none),
    "affinity_secret": Setting("affinity_secrets", _texts),
    "allowed_hosts": Setting("allowed_hosts", _texts),
    "allowed_ips": Setting("allowed_ips", read_networks),
    "use_x_forwarded_for": Setting("use_x_forwarded_for", _flag),
    "global_max_parallel_requests": Setting("max_concurrent_requests", _count),
    "allowed_routes": Setting("allowed_routes", read_routes),
    "allow_unauthenticated": Setting("allow_unauthenticated", _flag),
    "enforced_params": Setting("router.enforced_params", _anything),
    "enforce_user_param": Setting("router.enforce_user_param", _flag),
    "user_header_name": Setting("router.user_header_name", _anything),
    "always_include_stream_usage": Setting("router.always_include_stream_usage", _flag),
    "redis_url": Setting("state", _text),
    "metrics": Setting("metrics", _flag),
    "metrics_key": Setting("metrics_key", _text),
    "background_health_checks": Setting("background_health_checks", _flag),
    "health_check_interval": Setting("health_check_interval", _seconds),
    "health_check_timeout": Setting("health_check_timeout", _seconds),
    "health_check_details": Setting("health_check_details", _flag),
    "enable_health_check_routing": Setting("enable_health_check_routing", _flag),
    "webhook_secrets": Setting("webhook_secrets", _secrets),
    "webhook_allow_http": Setting("webhook_allow_http", _flag),
    "webhook_allow_private": Setting("webhook_allow_private", _flag),
    # These two are read with the keys: they are terms of the master key.
    "webhook_url": Setting(None, _text),
    "webhook_secret": Setting(None, _text),
    # The gateway always cancels a call whose caller has left.
    "cancel_on_disconnect": Setting(None, _flag),
}

LITELLM: Mapping[str, Setting] = {
    "drop_params": Setting("drop_params", _flag),
    "callbacks": Setting("callbacks", _texts),
    "success_callback": Setting("callbacks", _texts),
    "failure_callback": Setting("callbacks", _texts),
    "budget_exceeded_status_code": Setting("budget_status", _status),
    "json_logs": Setting("json_logs", _flag),
    "require_auth_for_metrics_endpoint": Setting("metrics_need_key", _flag),
    "sse_keepalive_ping_interval_seconds": Setting("keepalive_seconds", _seconds_or_none),
    "num_retries": Setting("router.num_retries", _anything),
    "request_timeout": Setting("router.timeout", _anything),
    "stream_timeout": Setting("router.stream_timeout", _anything),
    "allowed_fails": Setting("router.allowed_fails", _anything),
    "fallbacks": Setting("router.fallbacks", _anything),
    "context_window_fallbacks": Setting("router.context_window_fallbacks", _anything),
    "content_policy_fallbacks": Setting("router.content_policy_fallbacks", _anything),
    "default_fallbacks": Setting("router.default_fallbacks", _anything),
    "max_fallbacks": Setting("router.max_fallbacks", _anything),
    # Read with the keys.
    "default_key_generate_params": Setting(None, _anything),
    "reasoning_auto_summary": Setting("router.reasoning_auto_summary", _flag),
    "model_alias_map": Setting("router.model_alias_map", _anything),
    # The gateway always does what these ask for: content is never logged, and results always have
    # their headers.
    "turn_off_message_logging": Setting(None, _flag),
    "redact_user_api_key_info": Setting(None, _flag),
    "return_response_headers": Setting(None, _flag),
    "include_cost_in_streaming_usage": Setting(None, _flag),
    "forward_traceparent_to_llm_provider": Setting(None, _flag),
    "suppress_debug_info": Setting(None, _flag),
}

ROUTER: frozenset[str] = SETTING_KEYS | {"affinity_secret", "default_litellm_params", "state"}
"""Arguments of `Router`, which reads their values itself."""

SECTIONS: Mapping[str, frozenset[str]] = {
    "general_settings": frozenset(GENERAL),
    "litellm_settings": frozenset(LITELLM),
    "router_settings": ROUTER | REDIS_KEYS,
}
