"""The settings of a router: strategy, retries, cooldowns, fallbacks."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, cast, get_args

from azure_responses.errors import ConfigurationError
from azure_responses.routing.litellm_keys import look_at, suggest
from azure_responses.routing.model_aliases import ALIAS_KEYS, read_aliases
from azure_responses.routing.prompt_cache_keys import (
    AFFINITY_KINDS,
    AffinityKind,
)
from azure_responses.routing.strategies import STRATEGIES, STRATEGY_ALIASES, Strategy

__all__ = [
    "SETTING_KEYS",
    "SHELL_KEYS",
    "OnOriginDown",
    "RouterSettings",
    "read_settings",
]

OnOriginDown = Literal["fail", "strip", "replay"]

SHELL_KEYS = frozenset(
    {
        "affinity_secret",
        "default_litellm_params",
        "owner",
        "redis_db",
        "redis_host",
        "redis_password",
        "redis_port",
        "redis_url",
        "state",
    }
)
"""Keys of `router_settings` that do not concern the choice of a deployment; `Router` reads them."""

# LiteLLM's pre-call checks besides the kinds of affinity: what the first ones do happens here
# without a switch, since ids carry their origin and limits are always enforced; the others have no
# counterpart.
_IN_IDS = frozenset({"encrypted_content_affinity", "responses_api_deployment_check"})
_CHECKS_SERVED = _IN_IDS | AFFINITY_KINDS | {"enforce_model_rate_limits"}
_CHECKS_KNOWN = frozenset({"forward_client_headers_by_model_group", "router_budget_limiting"})
_USUAL_AFFINITY: frozenset[AffinityKind] = frozenset({"session_affinity", "prompt_caching"})

_Chains = Mapping[str, tuple[str, ...]]
_Warn = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """How a router chooses and gives up; times are in seconds.

    Attributes:
        strategy: a name in `STRATEGIES`.
        num_retries: further attempts within one group. A 429 or 503 that says when to come back
            uses up none; with 0 it is raised at once.
        allowed_fails: so many consecutive failures start a cooldown of the deployment.
        cooldown_time, longest_cooldown: how long its cooldown is where neither the service nor its
            entry says so, and the most that doubling makes of it while failures go on.
        fallbacks, context_window_fallbacks, content_policy_fallbacks: group → groups to try.
        default_fallbacks: for groups that `fallbacks` does not name.
        max_fallbacks: other groups one call may be given to.
        timeout: for a call in all, retries and waits included; None is no limit.
        stream_timeout: the same for streams; None is that of other calls.
        disable_cooldowns: no failure and no limit keeps a deployment from getting calls.
        on_origin_down: what becomes of a call whose resource cannot serve it.
        retry_delay: the least time before a deployment is tried again.
        retry_ratio, retry_floor: retries allowed per call, and per second besides.
        aliases: other names of groups.
        hidden_aliases: those that lists of models leave out.
        always_include_stream_usage: streams of chats report their usage, unless the caller says
            not to.
        replicate_files: uploads go to every resource of the group, unless they say otherwise.
        enforced_params: parameters without which a server refuses a call; dots lead into objects.
        enforce_user_param: the end user is one of them, by any of its names.
        user_header_name: the header of a server's calls that names the end user, in lower case.
        enable_tag_filtering: the tags of a call choose among the deployments of its group.
        tag_filtering_match_any: one of the call's tags is enough.
        reasoning_auto_summary: calls that ask for reasoning ask for its summary too.
        prompt_cache_affinity: calls prefer the deployment that has their prompt in its cache.
        affinity_checks: kinds of affinity asked for besides.
        group_affinity: group → the kinds of affinity it has in place of those.
        affinity_ttl: for how long a call prefers the deployment of the call before; None leaves it
            to the model.
    """

    strategy: Strategy = "weighted"
    num_retries: int = 2
    allowed_fails: int = 3
    cooldown_time: float = 30.0
    longest_cooldown: float = 300.0
    fallbacks: _Chains = field(default_factory=dict)
    context_window_fallbacks: _Chains = field(default_factory=dict)
    content_policy_fallbacks: _Chains = field(default_factory=dict)
    default_fallbacks: tuple[str, ...] = ()
    max_fallbacks: int = 5
    timeout: float | None = 600.0
    stream_timeout: float | None = None
    disable_cooldowns: bool = False
    on_origin_down: OnOriginDown = "fail"
    retry_delay: float = 0.0
    retry_ratio: float = 0.2
    retry_floor: float = 10.0
    aliases: Mapping[str, str] = field(default_factory=dict)
    hidden_aliases: frozenset[str] = frozenset()
    replicate_files: bool = False
    always_include_stream_usage: bool = False
    enforced_params: tuple[str, ...] = ()
    enforce_user_param: bool = False
    user_header_name: str | None = None
    enable_tag_filtering: bool = False
    tag_filtering_match_any: bool = True
    reasoning_auto_summary: bool = False
    prompt_cache_affinity: bool = True
    affinity_checks: frozenset[AffinityKind] = frozenset()
    group_affinity: Mapping[str, frozenset[AffinityKind]] = field(default_factory=dict)
    affinity_ttl: float | None = None

    def timeout_of(self, *, is_stream: bool) -> float | None:
        """Seconds for a call in all; None is no limit."""
        return self.stream_timeout if is_stream and self.stream_timeout else self.timeout

    @property
    def required(self) -> tuple[str, ...]:
        """Parameters without which a server refuses a call."""
        return (*self.enforced_params, *(("user",) if self.enforce_user_param else ()))

    def affinity_of(self, group: str) -> frozenset[AffinityKind]:
        """What ties the calls of a group, by its own name, to a deployment."""
        own = self.group_affinity.get(group)
        if own is not None:
            return own
        return self.affinity_checks | (_USUAL_AFFINITY if self.prompt_cache_affinity else set())

    @property
    def needs_headroom(self) -> bool:
        """The strategy goes by what deployments have left: read headers, estimate tokens."""
        return STRATEGIES[self.strategy].needs_headroom


def read_settings(options: Mapping[str, Any], warn: _Warn | None = None) -> RouterSettings:
    """Our arguments and LiteLLM's `router_settings`, by name, → settings.

    `routing_strategy` and `retry_after` are read as `strategy` and `retry_delay`,
    `model_group_alias` and `model_alias_map` as further `aliases`; None leaves a key at its
    default, but a timeout of None is no limit. `warn` gets
    one sentence for each key without a counterpart here; see `litellm_keys`. `SHELL_KEYS` are
    skipped.

    Raises:
        ConfigurationError: an unknown key or a value that cannot be used.
    """
    values: dict[str, Any] = {}
    # In their order: where a setting is given by two names, the later one counts.
    for key, value in options.items():
        if key in _READERS:
            name, read = _READERS[key]
            if value is not None or key == "timeout":
                values[name] = read(key, value)
        elif key == "optional_pre_call_checks":
            values["affinity_checks"] = _read_checks(key, value or (), warn or _ignore)
        elif key in ALIAS_KEYS:
            continue
        # An unknown key is refused: a misspelt setting that is ignored is found in an outage.
        elif key not in SHELL_KEYS:
            _warn_unused(key, value, warn or _ignore)
    aliases, hidden = read_aliases(options)
    return RouterSettings(**_without_star(values), aliases=aliases, hidden_aliases=hidden)


def _ignore(_: str) -> None:
    """For callers that want no warnings."""


def _warn_unused(key: str, value: Any, warn: _Warn) -> None:
    finding = look_at("router_settings", key, value)
    if finding is None:
        near = suggest("router_settings", key, also=SETTING_KEYS | SHELL_KEYS)
        raise ConfigurationError(
            f"The router has no setting {key!r}.",
            hint=f"Did you mean {near!r}?" if near else "Leave it out.",
        )
    if finding.is_error:
        raise ConfigurationError(f"The router setting {key!r} is refused.", hint=finding.hint)
    warn(f"The router setting {key!r} has no effect. {finding.hint}")


def _read_checks(key: str, checks: object, warn: _Warn) -> frozenset[AffinityKind]:
    """The kinds of affinity among LiteLLM's pre-call checks."""
    if not isinstance(checks, list | tuple) or not all(isinstance(one, str) for one in checks):
        raise ConfigurationError(f"{key} is {checks!r}.", hint="Give a list of names.")
    for check in checks:
        if check in _CHECKS_KNOWN:
            warn(f"The pre-call check {check!r} has no effect here.")
        elif check not in _CHECKS_SERVED:
            hint = _suggest(check, [*_CHECKS_SERVED, *_CHECKS_KNOWN]) or "Leave it out."
            raise ConfigurationError(f"There is no pre-call check {check!r}.", hint=hint)
    return frozenset(kind for kind in AFFINITY_KINDS if kind in checks)


def _suggest(word: str, known: Sequence[str]) -> str | None:
    matches = get_close_matches(str(word), known, n=3)
    return f"Did you mean {' or '.join(map(repr, matches))}?" if matches else None


def _strategy(key: str, value: Any) -> Strategy:
    name = STRATEGY_ALIASES.get(str(value), str(value))
    if name not in STRATEGIES:
        raise ConfigurationError(
            f"{key} is {value!r}.", hint=f"Use one of {', '.join(STRATEGIES)}."
        )
    return cast(Strategy, name)


def _on_origin_down(key: str, value: Any) -> OnOriginDown:
    if value not in get_args(OnOriginDown):
        raise ConfigurationError(
            f"{key} is {value!r}.", hint=f"Use one of {', '.join(get_args(OnOriginDown))}."
        )
    return cast(OnOriginDown, value)


def _flag(key: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigurationError(f"{key} is {value!r}; it is true or false.")
    return value


def _whole(key: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigurationError(f"{key} is {value!r}; it is a whole number from 0.")
    return value


def _number(key: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared first: a whole number may be too large for a float.
    if not is_number or not 0 <= value <= sys.float_info.max:
        raise ConfigurationError(f"{key} is {value!r}; it is a number from 0.")
    return float(value)


def _seconds(key: str, value: Any) -> float:
    """A number, which may come as text out of the environment."""
    try:
        read = float(value) if isinstance(value, str) else value
    except ValueError:
        read = value
    return _number(key, read)


def _timeout(key: str, value: Any) -> float | None:
    # 0 means "no limit" in some programs and "give up at once" in others.
    seconds = None if value is None else _number(key, value)
    if seconds == 0:
        raise ConfigurationError(f"{key} is 0.", hint="Use None for no limit.")
    return seconds


def _names(key: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ConfigurationError(
            f"{key} holds something that is not a list of model names.",
            hint="Write it as ['gpt-backup', 'gpt-other'].",
        )
    return tuple(dict.fromkeys(names))


def _header(key: str, value: Any) -> str:
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        raise ConfigurationError(f"{key} is {value!r}.", hint="Write the name of a header.")
    return value.lower()


_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def _chains(key: str, value: Any) -> dict[str, tuple[str, ...]]:
    """LiteLLM's [{"gpt": ["gpt-backup"]}], or one mapping; a group named twice adds to its own."""
    entries = [value] if isinstance(value, Mapping) else value
    if not isinstance(entries, list | tuple) or not all(isinstance(e, Mapping) for e in entries):
        raise ConfigurationError(
            f"{key} is not a list of mappings.", hint=f"Write {key}=[{{'gpt': ['gpt-backup']}}]."
        )
    chains: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        for group, names in entry.items():
            chains[group] = (*chains.get(group, ()), *_names(key, names))
    return chains


def _group_affinity(key: str, value: Any) -> dict[str, frozenset[AffinityKind]]:
    """LiteLLM's {"gpt": ["session_affinity"]}; an empty list leaves a group without affinity."""
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"{key} is {value!r}.", hint=f"Write {key}={{'gpt': ['session_affinity']}}."
        )
    return {group: _affinity_kinds(key, kinds) for group, kinds in value.items()}


def _affinity_kinds(key: str, value: Any) -> frozenset[AffinityKind]:
    given = [value] if isinstance(value, str) else value or ()
    if not isinstance(given, list | tuple):
        raise ConfigurationError(f"{key} holds {value!r}.", hint="Give a list of names.")
    known = sorted(_IN_IDS | AFFINITY_KINDS)
    for kind in given:
        if kind not in known:
            hint = _suggest(kind, known) or f"Use some of {', '.join(known)}."
            raise ConfigurationError(f"{key} has no kind of affinity {kind!r}.", hint=hint)
    return frozenset(kind for kind in AFFINITY_KINDS if kind in given)


def _without_star(values: dict[str, Any]) -> dict[str, Any]:
    """LiteLLM writes default fallbacks also as those of the group "*"."""
    star = values.get("fallbacks", {}).pop("*", ())
    return {**values, "default_fallbacks": (*values.get("default_fallbacks", ()), *star)}


_READERS: Mapping[str, tuple[str, Callable[[str, Any], Any]]] = {
    "strategy": ("strategy", _strategy),
    "routing_strategy": ("strategy", _strategy),
    "num_retries": ("num_retries", _whole),
    "allowed_fails": ("allowed_fails", _whole),
    "cooldown_time": ("cooldown_time", _number),
    "longest_cooldown": ("longest_cooldown", _number),
    "fallbacks": ("fallbacks", _chains),
    "context_window_fallbacks": ("context_window_fallbacks", _chains),
    "content_policy_fallbacks": ("content_policy_fallbacks", _chains),
    "default_fallbacks": ("default_fallbacks", _names),
    "max_fallbacks": ("max_fallbacks", _whole),
    "timeout": ("timeout", _timeout),
    "stream_timeout": ("stream_timeout", _timeout),
    "disable_cooldowns": ("disable_cooldowns", _flag),
    "on_origin_down": ("on_origin_down", _on_origin_down),
    "retry_delay": ("retry_delay", _number),
    "retry_after": ("retry_delay", _number),
    "retry_ratio": ("retry_ratio", _number),
    "retry_floor": ("retry_floor", _number),
    "replicate_files": ("replicate_files", _flag),
    "always_include_stream_usage": ("always_include_stream_usage", _flag),
    "prompt_cache_affinity": ("prompt_cache_affinity", _flag),
    "reasoning_auto_summary": ("reasoning_auto_summary", _flag),
    "enable_tag_filtering": ("enable_tag_filtering", _flag),
    "enforced_params": ("enforced_params", _names),
    "enforce_user_param": ("enforce_user_param", _flag),
    "user_header_name": ("user_header_name", _header),
    "tag_filtering_match_any": ("tag_filtering_match_any", _flag),
    "deployment_affinity_ttl_seconds": ("affinity_ttl", _seconds),
    "model_group_affinity_config": ("group_affinity", _group_affinity),
}

SETTING_KEYS = frozenset(_READERS) | frozenset(ALIAS_KEYS) | {"optional_pre_call_checks"}
"""The names by which settings are given."""
