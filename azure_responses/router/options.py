"""What a router is made of besides its rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

import httpx

from azure_responses.bridge import ReasoningCache
from azure_responses.routing.settings import OnOriginDown, StrategyName
from azure_responses.telemetry.callback import Callback

__all__ = ["RouterOptions"]

_Chains = Sequence[Mapping[str, Sequence[str]]] | Mapping[str, Sequence[str]]


class RouterOptions(TypedDict, total=False):
    """What a router is made of besides its rows; every option has a default.

    Attributes:
        routing_strategy: "weighted", "least-busy", "latency" or "headroom".
        num_retries: further attempts within one group. A 429 or 503 that says when to come back
            uses up none; with 0 it is raised at once.
        allowed_fails: so many failures in a row cool a deployment down.
        cooldown_time, longest_cooldown: how long it sits out, in seconds, where neither the
            service nor its row says so, and the most that doubling makes of it.
        fallbacks, context_window_fallbacks, content_policy_fallbacks: `[{"gpt": ["gpt-backup"]}]`.
        default_fallbacks: groups for those that `fallbacks` does not name.
        max_fallbacks: other groups one call may be given to.
        retry_delay: the least time before a deployment is tried again, in seconds.
        retry_ratio, retry_floor: retries allowed per call, and per second besides.
        aliases, model_group_alias: other names of groups.
        optional_pre_call_checks: LiteLLM's; affinity needs none of them.
        state: "redis://…" to share limits, cooldowns and the ledger; None keeps them here.
        redis_url, redis_host, redis_port, redis_password, redis_db: what LiteLLM says it with.
        state_prefix, state_timeout, state_credential: of the keys in Redis; seconds a call waits
            for it; an azure-identity credential for it.
        affinity_secret: signs the ids given out; of several the first signs and all verify. None
            takes AZURE_RESPONSES_AFFINITY_SECRET, else derives one from the API keys.
        accept_litellm_ids: understand response ids that LiteLLM gave out. They are not signed.
        on_origin_down: "fail", "strip" or "replay", where the one resource that can serve a call
            cannot.
        timeout: seconds for a call in all, retries and waits included; None is no limit.
        drop_params, reasoning_cache: of chat completions, as clients take them.
        on_request, on_response, on_error: told of every attempt with a CallRecord.
        on_retry: told when a call moves on to its next attempt.
        http_client, async_http_client: used by every client instead of their own.
    """

    routing_strategy: StrategyName
    strategy: StrategyName
    num_retries: int
    allowed_fails: int
    cooldown_time: float
    longest_cooldown: float
    fallbacks: _Chains
    context_window_fallbacks: _Chains
    content_policy_fallbacks: _Chains
    default_fallbacks: Sequence[str]
    max_fallbacks: int
    retry_delay: float
    retry_ratio: float
    retry_floor: float
    aliases: Mapping[str, str]
    model_group_alias: Mapping[str, Any]
    optional_pre_call_checks: Sequence[str]
    state: Any
    redis_url: str
    redis_host: str
    redis_port: int | str
    redis_password: str
    redis_db: int
    state_prefix: str
    state_timeout: float
    state_credential: Any
    affinity_secret: str | bytes | Sequence[str | bytes] | None
    accept_litellm_ids: bool
    on_origin_down: OnOriginDown
    timeout: float | None
    drop_params: bool
    reasoning_cache: bool | ReasoningCache
    on_request: Callback | Iterable[Callback] | None
    on_response: Callback | Iterable[Callback] | None
    on_error: Callback | Iterable[Callback] | None
    on_retry: Callback | Iterable[Callback] | None
    capture_content: bool | None
    tracer_provider: Any
    meter_provider: Any
    default_headers: Mapping[str, str | None] | None
    default_query: Mapping[str, Any] | None
    scope: str | None
    strict_api_version: bool
    preview_path: bool
    allow_insecure: bool
    proxy: str | httpx.Proxy | None
    verify: Any
    cert: Any
    limits: httpx.Limits
    http_client: httpx.Client | None
    async_http_client: httpx.AsyncClient | None
