"""Which groups stand in for which."""

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Literal

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment import ANY_MODEL
from azure_responses.routing.settings import RouterSettings

__all__ = ["FallbackKind", "Fallbacks"]

FallbackKind = Literal["general", "context window", "content policy"]


class Fallbacks:
    """The chains of a router's settings, checked against its groups.

    Raises:
        ConfigurationError: a chain names a group that does not exist.
    """

    def __init__(self, settings: RouterSettings, groups: Collection[str]) -> None:
        self._aliases = settings.aliases
        self._default = settings.default_fallbacks
        self._chains: Mapping[FallbackKind, Mapping[str, tuple[str, ...]]] = {
            "general": self._resolved(settings.fallbacks),
            "context window": self._resolved(settings.context_window_fallbacks),
            "content policy": self._resolved(settings.content_policy_fallbacks),
        }
        if ANY_MODEL not in groups:
            self._check(settings, {*groups, *settings.aliases})

    def _resolved(self, chains: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """By the groups' own names; what is written for a group and for its alias adds up."""
        resolved: dict[str, tuple[str, ...]] = {}
        for group, names in chains.items():
            own = self._aliases.get(group, group)
            resolved[own] = (*resolved.get(own, ()), *names)
        return resolved

    def chain(self, kind: FallbackKind, group: str) -> tuple[str, ...]:
        """The groups to ask after `group`, in order, under their own names."""
        named = self._chains[kind].get(group)
        if named is None:
            named = self._default if kind == "general" else ()
        return tuple(self._aliases.get(name, name) for name in named)

    def _check(self, settings: RouterSettings, groups: Collection[str]) -> None:
        _refuse_unknown("default_fallbacks", settings.default_fallbacks, groups)
        for key, chains in (
            ("fallbacks", settings.fallbacks),
            ("context_window_fallbacks", settings.context_window_fallbacks),
            ("content_policy_fallbacks", settings.content_policy_fallbacks),
        ):
            for group, names in chains.items():
                _refuse_unknown(key, (group, *names), groups)


def _refuse_unknown(key: str, names: Collection[str], groups: Collection[str]) -> None:
    for name in names:
        if name not in groups:
            near = get_close_matches(name, list(groups), n=1)
            raise ConfigurationError(
                f"{key} names the group {name!r}, which the model list does not have.",
                hint=f"Did you mean {near[0]!r}?" if near else "Add it to the model list.",
            )
