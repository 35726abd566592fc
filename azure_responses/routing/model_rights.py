"""Which models a caller may call, who is limited to some names.

A name is that of a group, of an alias, a pattern (`gpt-5*`), or an access group of deployments, as
in LiteLLM's keys.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from azure_responses.routing.deployment_registry import DeploymentRegistry

__all__ = ["EVERY_MODEL", "ModelRights", "is_named"]

EVERY_MODEL = "all-proxy-models"
"""LiteLLM's name for all models of a gateway."""


class ModelRights:
    """Says which models those may call who are limited to some names.

    Args:
        registry: knows groups, aliases and access groups.
    """

    def __init__(self, registry: DeploymentRegistry) -> None:
        self._registry = registry
        self.access_groups = {name for one in registry.deployments for name in one.access_groups}

    def allow(self, names: Sequence[str], model: str) -> bool:
        """True where one of the names is that of the model.

        A name of a group covers its aliases, but the name of an alias does not cover the group.
        """
        if is_named(model, names):
            return True
        group = self._registry.resolve(model)
        if group != model and is_named(group, names):
            return True
        return bool(self.access_groups) and self._is_member(names, model)

    def unknown(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are no group, alias, access group or pattern."""
        known = {*self._registry.groups, *self._registry.settings.aliases, *self.access_groups}
        return [
            name
            for name in names
            if name not in known and not _is_pattern(name) and not self._registry.group(name)
        ]

    def _is_member(self, names: Sequence[str], model: str) -> bool:
        members = self._registry.group_of(model)
        return any(group in names for one in members for group in one.access_groups)


def is_named(model: str, names: Sequence[str]) -> bool:
    """True where a model is one of these names, or like one of these patterns."""
    if model in names or EVERY_MODEL in names:
        return True
    return any(fnmatchcase(model, name) for name in names)


def _is_pattern(name: str) -> bool:
    return name == EVERY_MODEL or any(sign in name for sign in "*?[")
