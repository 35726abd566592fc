"""What a router is told once: strategy, retries, cooldowns, fallbacks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["OnOriginDown", "RouterSettings", "Strategy", "read_settings"]

Strategy = Literal["weighted", "least-busy", "latency", "headroom"]
OnOriginDown = Literal["fail", "strip", "replay"]


@dataclass(frozen=True, slots=True)
class RouterSettings:
    """How a router chooses and gives up; times are in seconds.

    Attributes:
        strategy: "weighted", "least-busy", "latency" or "headroom".
        num_retries: further attempts within one group.
        allowed_fails: so many failures in a row cool a deployment down.
        cooldown_time, longest_cooldown: how long it sits out where neither the service nor its
            row says so, and what a deployment that keeps failing is doubled to at most.
        fallbacks, context_window_fallbacks, content_policy_fallbacks: group → groups to try.
        default_fallbacks: for groups that `fallbacks` does not name.
        max_fallbacks: other groups one call may be given to.
        timeout: for a call in all, retries and waits included; None is no limit.
        on_origin_down: what becomes of a call whose resource cannot serve it.
        retry_delay: the least time before a deployment is tried again.
        retry_ratio, retry_floor: retries allowed per call, and per second besides.
        aliases: other names of groups.
    """

    strategy: Strategy = "weighted"
    num_retries: int = 2
    allowed_fails: int = 3
    cooldown_time: float = 30.0
    longest_cooldown: float = 300.0
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    context_window_fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    content_policy_fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default_fallbacks: tuple[str, ...] = ()
    max_fallbacks: int = 5
    timeout: float | None = 600.0
    on_origin_down: OnOriginDown = "fail"
    retry_delay: float = 0.0
    retry_ratio: float = 0.2
    retry_floor: float = 10.0
    aliases: Mapping[str, str] = field(default_factory=dict)


def read_settings(
    options: Mapping[str, Any], warn: Callable[[str], None] | None = None
) -> RouterSettings:
    """Our arguments and LiteLLM's `router_settings`, by name, → settings.

    `routing_strategy`, `model_group_alias` and `retry_after` are read as `strategy`, `aliases` and
    `retry_delay`. `warn` is told one sentence for each key that is known but not needed. Keys of
    the shells (`SHELL_KEYS`) are passed over.

    Raises:
        ConfigurationError: an unknown key or a value that cannot be used.
    """
    raise NotImplementedError
