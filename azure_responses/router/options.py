"""What a router is made of besides its rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from azure_responses.call_options import ConnectionArguments, ServingArguments
from azure_responses.routing.settings import OnOriginDown
from azure_responses.routing.strategies import StrategyName

__all__ = ["RouterOptions"]

_Chains = Sequence[Mapping[str, Sequence[str]]] | Mapping[str, Sequence[str]]


class RouterOptions(ConnectionArguments, ServingArguments, total=False):
    """What a router is made of besides its rows; every option has a default."""

    routing_strategy: StrategyName
    """How a deployment is chosen; the default is "weighted"."""
    strategy: StrategyName
    """Another name of `routing_strategy`."""
    num_retries: int
    """Further attempts in one group, 2 by default; a 429 or 503 that says when to come back uses
    up none."""
    allowed_fails: int
    """Failures in a row after which a deployment is cooled down; the default is 3."""
    cooldown_time: float
    """Seconds of a cooldown where neither the service nor the row says how long; the default is
    30."""
    longest_cooldown: float
    """Most seconds that doubling makes of a cooldown; the default is 300."""
    fallbacks: _Chains
    """Groups to try after another one failed: `[{"gpt": ["gpt-backup"]}]`."""
    context_window_fallbacks: _Chains
    """Groups to try where the input exceeds the context window, in the form of `fallbacks`."""
    content_policy_fallbacks: _Chains
    """Groups to try where the content filter refuses, in the form of `fallbacks`."""
    default_fallbacks: Sequence[str]
    """Groups to try after those that `fallbacks` does not name."""
    max_fallbacks: int
    """Most other groups that one call may be given to; the default is 5."""
    retry_delay: float
    """Least seconds before a deployment is tried again; the default is 0."""
    retry_ratio: float
    """Retries allowed per call, so that an outage is not made worse; the default is 0.2."""
    retry_floor: float
    """Retries allowed per second besides `retry_ratio`; the default is 10."""
    aliases: Mapping[str, str]
    """Other names of groups: `{"gpt-4": "gpt"}`."""
    model_group_alias: Mapping[str, Any]
    """LiteLLM's name of `aliases`."""
    optional_pre_call_checks: Sequence[str]
    """LiteLLM's checks; they change nothing, since ids find their resource without them."""
    state: Any
    """Where limits, cooldowns and the ledger are kept: "redis://…" shares them between processes,
    None keeps them in this one."""
    redis_url: str
    """LiteLLM's name of `state`."""
    redis_host: str
    """Host of Redis, as LiteLLM takes it; `state` says the same in one URL."""
    redis_port: int | str
    """Port of Redis, as LiteLLM takes it."""
    redis_password: str
    """Password of Redis, as LiteLLM takes it."""
    redis_db: int
    """Number of the database in Redis, as LiteLLM takes it."""
    state_prefix: str
    """Beginning of every key in Redis, so that applications can share one."""
    state_timeout: float
    """Most seconds for which a call waits for Redis; the default is 0.25."""
    state_credential: Any
    """Credential of azure-identity for Redis with Entra ID."""
    affinity_secret: str | bytes | Sequence[str | bytes] | None
    """Signs the ids given out; of several the first signs and all verify; None takes
    AZURE_RESPONSES_AFFINITY_SECRET, else derives one."""
    accept_litellm_ids: bool
    """True understands response ids that LiteLLM gave out, which are not signed."""
    on_origin_down: OnOriginDown
    """What to do where the only resource that can serve a call is down: "fail" (the default),
    "strip" or "replay"."""
    timeout: float | None
    """Seconds for a call in all, retries and waits included; None is no limit."""
    http_client: httpx.Client | None
    """Sync HTTP client that all clients use in place of their own; never closed by the router."""
    async_http_client: httpx.AsyncClient | None
    """Async HTTP client that all clients use in place of their own; never closed by the router."""
