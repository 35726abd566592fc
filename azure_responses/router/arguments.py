"""What the calls of a router take besides what a client's do."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, get_args

import httpx

from azure_responses.bridge import ReasoningCache, ReasoningKnowledge
from azure_responses.call_options import (
    CallOptions,
    ChatArguments,
    CompactArguments,
    ConnectionArguments,
    CreateArguments,
    ServingArguments,
    ToolRunArguments,
)
from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.settings import OnOriginDown
from azure_responses.routing.strategies import StrategyName

__all__ = [
    "ChatOptions",
    "EXTRAS",
    "RoutedOptions",
    "RouterArguments",
    "RouterChatArguments",
    "RouterCompactArguments",
    "RouterOptions",
    "RouterToolArguments",
    "check_end_user",
    "check_id",
    "check_options",
    "check_start",
    "end_user_of",
    "is_altered",
    "list_messages",
    "query_of",
    "read_history",
]

EXTRAS = ("extra_headers", "extra_query", "extra_body")
"""What a call may add to what is sent."""

# `safety_identifier` took the place of `user` in the API; where both stand, it counts.
_END_USERS = ("safety_identifier", "user")
# Headers by which a caller says as whom, or where, Azure (or API Management before it) is called.
_ALTERING = frozenset(
    {"api-key", "authorization", "host", "ocp-apim-subscription-key", "x-api-key"}
)
# Such as x-ms-oai-image-generation-deployment, which names another deployment.
_ALTERING_START = "x-ms-oai-"


class RoutedOptions(CallOptions, total=False):
    """What any call of a router may add."""

    owner: str | None
    """Who asks; ids given out for an owner are of use to that owner alone."""
    on_origin_down: OnOriginDown | None
    """For this call, in place of the router's own."""
    history: Iterable[Any] | None
    """Input items to send in place of `previous_response_id` where on_origin_down="replay" needs
    them; None reads the stored ones."""


class DropOptions(TypedDict, total=False):
    """What is left out of one call."""

    drop_params: bool | None
    """True leaves out of this call, with a warning, what the deployment does not take; False has it
    refused, whatever the router and the deployment say."""
    additional_drop_params: Sequence[str] | None
    """Parameters to leave out of this call, or paths into them: `tools[*].function.strict`."""


class RouterArguments(CreateArguments, RoutedOptions, DropOptions, total=False):
    """Every parameter of a response, and the options of a routed call."""


class RouterToolArguments(ToolRunArguments, RoutedOptions, DropOptions, total=False):
    """Every parameter of a response, the options of a tool loop, and those of routed calls."""


class RouterChatArguments(ChatArguments, RoutedOptions, DropOptions, total=False):
    """Every parameter of a chat completion, and the options of a routed call."""


class RouterCompactArguments(CompactArguments, RoutedOptions, DropOptions, total=False):
    """Every parameter of a compaction, and the options of a routed call."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How chat completions are served.

    Attributes:
        drop_params: leave out, with a warning, what the Responses API cannot do.
        reasoning_cache: restores what chat clients dropped.
    """

    drop_params: bool = False
    reasoning_cache: ReasoningCache | None = None
    knowledge: dict[str, ReasoningKnowledge] = field(default_factory=dict)

    def knowledge_of(self, deployment: Deployment) -> ReasoningKnowledge:
        """What has been learned of a deployment's reasoning."""
        known = self.knowledge.get(deployment.id)
        if known is None:
            # Another thread may have made it meanwhile, and learned from it.
            known = self.knowledge.setdefault(deployment.id, ReasoningKnowledge())
        return known


def check_options(given: Mapping[str, Any]) -> None:
    """Refuse options of a call that mean nothing, before anything is sent.

    Raises:
        ConfigurationError: naming the option.
    """
    owner = given.get("owner")
    if owner is not None and not isinstance(owner, str):
        raise _refuse("owner", owner, "Pass a string, or None for ids of use to everybody.")
    _check_timeout(given.get("timeout"))
    drops = given.get("drop_params")
    if drops is not None and not isinstance(drops, bool):
        raise _refuse("drop_params", drops, "Pass True or False.")
    choice = given.get("on_origin_down")
    if choice is not None and choice not in get_args(OnOriginDown):
        names = ", ".join(get_args(OnOriginDown))
        raise _refuse("on_origin_down", choice, f"Use one of {names}.")
    history = given.get("history")
    # Strings and mappings can be iterated too: over letters, and over names of fields.
    if isinstance(history, str | bytes | Mapping) or not isinstance(history, Iterable | None):
        raise _refuse("history", history, "Pass a list of input items.")


def read_history(given: Iterable[Any] | None) -> list[Any] | None:
    """The items of `history`, which more than one attempt may need.

    Raises:
        ConfigurationError: one of them is no input item.
    """
    if given is None:
        return None
    items = list(given)
    for place, item in enumerate(items):
        if not (isinstance(item, Mapping) or hasattr(item, "model_dump")):
            hint = "Pass input items, such as {'role': 'user', 'content': …}."
            raise _refuse(f"history[{place}]", item, hint)
    return items


def check_id(response_id: Any, field: str = "response_id") -> str:
    """The id, if it may be one.

    Raises:
        BadRequestError: it is no string, or none of any length.
    """
    if isinstance(response_id, str) and response_id:
        return response_id
    raise BadRequestError(
        f"{field} is a string, not {_show(response_id)}.",
        status_code=400,
        param=field,
        hint="Pass an id as the router gave it.",
    )


def end_user_of(body: Mapping[str, Any]) -> str | None:
    """For whom a request is made, where it says so."""
    for name in _END_USERS:
        found = body.get(name)
        if found and isinstance(found, str):
            return found
    # Where the Messages API of Anthropic has it, and so the clients that come from there.
    metadata = body.get("metadata")
    found = metadata.get("user_id") if metadata and isinstance(metadata, Mapping) else None
    return found if found and isinstance(found, str) else None


def is_altered(options: Mapping[str, Any]) -> bool:
    """True where a caller's `extra_…` change as whom or what a deployment is called.

    What Azure refuses of that (401, 403, 404) says nothing about the deployment.
    """
    if options.get("extra_query"):
        return True
    extra = options.get("extra_body")
    if isinstance(extra, Mapping) and "model" in extra:
        return True
    headers = options.get("extra_headers")
    if not isinstance(headers, Mapping):
        return False
    names = (str(name).lower() for name in headers)
    return any(name in _ALTERING or name.startswith(_ALTERING_START) for name in names)


def list_messages(messages: Any) -> Any:
    """Messages that can be read again and again; what are none is for the bridge to refuse."""
    is_one = not isinstance(messages, Iterable) or isinstance(messages, str | bytes | Mapping)
    # A generator would be empty at the second attempt.
    return messages if is_one else list(messages)


def check_start(starting_after: int | None, *, stream: bool) -> None:
    """Refuse a place to start from where nothing is streamed.

    Raises:
        ConfigurationError: it would be lost.
    """
    if starting_after is not None and not stream:
        raise _refuse("starting_after", starting_after, "Pass stream=True as well.")


def query_of(include: Any = None, **given: Any) -> dict[str, Any]:
    """The query of a call about a stored response, as the service names it.

    Raises:
        ConfigurationError: `include` is a name alone, which is a list of letters to Python.
    """
    if isinstance(include, str):
        raise _refuse("include", include, f"Pass include=[{include!r}].")
    query = {name: str(value) for name, value in given.items() if value is not None}
    return {**query, "include[]": list(include)} if include else query


def check_end_user(end_user: Any) -> str:
    """The end user; a purge without one must not pass for a complete one.

    Raises:
        ConfigurationError: the end user is missing or empty.
    """
    if isinstance(end_user, str) and end_user:
        return end_user
    raise _refuse("end_user", end_user, "Name whose responses are to be deleted.")


def _check_timeout(timeout: Any) -> None:
    if timeout is None or isinstance(timeout, httpx.Timeout):
        return
    # True would be one second.
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or math.isnan(timeout):
        raise _refuse("timeout", timeout, "Pass seconds, an httpx.Timeout, or None for no limit.")


def _refuse(name: str, value: Any, hint: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is {_show(value)}.", hint=hint)


def _show(value: Any) -> str:
    # It may be a whole conversation, and errors end in logs.
    return repr(value)[:60]


_Chains = Sequence[Mapping[str, Sequence[str]]] | Mapping[str, Sequence[str]]


class RouterOptions(ConnectionArguments, ServingArguments, total=False):
    """What a router is made of besides its model_list; every option has a default."""

    routing_strategy: StrategyName
    """How a deployment is chosen; the default is "weighted"."""
    strategy: StrategyName
    """Another name of `routing_strategy`."""
    num_retries: int
    """Further attempts in one group, 2 by default; a 429 or 503 that says when to come back uses
    up none."""
    allowed_fails: int
    """Consecutive failures after which a deployment is cooled down; the default is 3."""
    cooldown_time: float
    """Seconds of a cooldown where neither the service nor the entry says how long; the default is
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
    """LiteLLM's checks, most of which are on without being named; "deployment_affinity" ties the
    calls of one owner to a deployment."""
    default_litellm_params: Mapping[str, Any]
    """Parameters of every entry that does not set them itself."""
    model_alias_map: Mapping[str, Any]
    """Further aliases, by LiteLLM's other name."""
    retry_after: float
    """LiteLLM's name of `retry_delay`."""
    stream_timeout: float | None
    """`timeout` of streams."""
    disable_cooldowns: bool
    """No failure and no limit keeps a deployment from getting calls."""
    enable_tag_filtering: bool
    """The tags of a call choose among the deployments of its group."""
    tag_filtering_match_any: bool
    """One of the call's tags is enough; the default is True."""
    reasoning_auto_summary: bool
    """Calls that ask for reasoning ask for its summary too."""
    always_include_stream_usage: bool
    """Streams of chats that come as bytes report their usage, unless the caller says not to."""
    prompt_cache_affinity: bool
    """Prefer the deployment that has the beginning of a call's prompt in its cache; the default is
    True."""
    deployment_affinity_ttl_seconds: float
    """Seconds after a call for which those that share its prompt cache prefer its deployment; the
    default is 600, and 86,400 for models after gpt-5.4."""
    model_group_affinity_config: Mapping[str, Sequence[str]]
    """Group → what ties its calls to a deployment, of "session_affinity", "prompt_caching" and
    "deployment_affinity"."""
    replicate_files: bool
    """Upload files to every resource of the group, so that calls with them may go to any; the
    default is False."""
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
    response_texts: Any
    """Where replicas share the responses of deployments that store none, such as those of chat
    completions; the default is Redis where `state` names it, else this process alone."""
    on_origin_down: OnOriginDown
    """What to do where the only resource that can serve a call is down: "fail" (the default),
    "strip" or "replay"."""
    timeout: float | None
    """Seconds for a call in all, retries and waits included; None is no limit."""
    http_client: httpx.Client | None
    """Sync HTTP client that all clients use in place of their own; never closed by the router."""
    async_http_client: httpx.AsyncClient | None
    """Async HTTP client that all clients use in place of their own; never closed by the router."""
