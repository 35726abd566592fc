"""The deployments of a router by name, and which groups stand in for which."""

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Literal

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment import ANY_MODEL, Deployment, Group
from azure_responses.routing.deployment_health import DeploymentHealth
from azure_responses.routing.failure_policy import RetryBudget
from azure_responses.routing.prompt_cache_keys import AffinityKind, CacheKeys
from azure_responses.routing.prompt_caches import PromptCaches
from azure_responses.routing.route_request import Pin, RouteRequest
from azure_responses.routing.settings import RouterSettings
from azure_responses.routing.strategies import STRATEGIES, RoutingContext
from azure_responses.routing.tag_routing import matching
from azure_responses.routing.token_estimate import StoredContexts

__all__ = [
    "DeploymentRegistry",
    "FallbackKind",
    "Fallbacks",
]

# Sets of resources that have copies of a file can be many.
_MOST_PINNED = 10_000


class DeploymentRegistry:
    """The deployments by name, tag and resource, and what a router knows of them.

    Attributes:
        deployments, settings: as given.
        strategy: that of the settings.
        health: what this process knows of the deployments.
        groups: by the names callers may use, without aliases.
        listed: the names that lists of models show: groups and aliases.
        fallbacks: the chains between groups.
        retry_budget: shared by all calls.
        contexts: how much is stored under the ids that passed through.
        prompt_caches: which deployments have seen which prompts.

    Raises:
        ConfigurationError: no deployments, two of one id or tag, or unknown fallback groups.
    """

    def __init__(
        self, deployments: Iterable[Deployment], settings: RouterSettings | None = None
    ) -> None:
        self.deployments = tuple(deployments)
        self.settings = settings or RouterSettings()
        self.strategy = STRATEGIES[self.settings.strategy]
        if not self.deployments:
            raise ConfigurationError("The router has no deployments.", hint="Pass a model_list.")
        self._by_id = {d.id: d for d in self.deployments}
        self._by_tag = {d.tag: d for d in self.deployments}
        # Tags are short hashes in the ids that callers hold: two deployments of one tag would get
        # each other's follow-ups.
        if not len(self._by_id) == len(self._by_tag) == len(self.deployments):
            raise ConfigurationError(
                "Two deployments have one id or one tag.", hint="Give each a model_info.id."
            )
        self._by_resource = _grouped((d.resource, d) for d in self.deployments)
        by_name = _grouped((d.group, d) for d in self.deployments)
        self.groups = {name: Group(name, members) for name, members in by_name.items()}
        self.fallbacks = Fallbacks(self.settings, self.groups)
        self._check_names()
        aliases = [a for a in self.settings.aliases if a not in self.settings.hidden_aliases]
        self.listed = tuple(dict.fromkeys(n for n in (*self.groups, *aliases) if n != ANY_MODEL))
        self.health = DeploymentHealth(self.deployments, self.settings)
        self.retry_budget = RetryBudget(self.settings.retry_ratio, self.settings.retry_floor)
        self.contexts = StoredContexts()
        self.prompt_caches = PromptCaches(self.settings.affinity_ttl)
        # A pinned call needs the part of a group that is on one resource; making it takes longer
        # than all the rest of a choice, and there are few.
        self._pinned: dict[tuple[str, ...], Group | None] = {}

    def resolve(self, model: str) -> str:
        """The group's own name for a name that may be an alias."""
        return self.settings.aliases.get(model, model)

    def group(self, model: str) -> Group | None:
        """The group behind a model name, an alias or "*"."""
        return self.groups.get(self.resolve(model)) or self.groups.get(ANY_MODEL)

    def callable_name(self, group: str, may_call: Callable[[str], bool] | None) -> str | None:
        """The name by which a caller may call a group, its own or an alias; None without one."""
        if may_call is None or may_call(group):
            return group
        aliases = (alias for alias, name in self.settings.aliases.items() if name == group)
        return next(filter(may_call, aliases), None)

    def group_of(self, model: str) -> tuple[Deployment, ...]:
        """The deployments behind a model name, an alias or "*"; empty when there is none."""
        group = self.group(model)
        return group.deployments if group else ()

    def batch_deployments(self, model: str) -> tuple[Deployment, ...]:
        """Those that execute batches of a model; empty where a gateway executes them itself."""
        members = self.group_of(model)
        if any(one.executes == "gateway" for one in members):
            return ()
        return tuple(one for one in members if one.is_batch)

    def batch_origin(self, resource: str) -> tuple[Deployment, str | None] | None:
        """What made the answers of the batches of a resource, and what callers call the model.

        The deployment is one that takes single calls where the group has one there: it goes on with
        a conversation that begins in a batch. The name is None where batches of several models are
        made there. None for a resource without batch deployments.
        """
        there = self.of_resource(resource)
        groups = dict.fromkeys(one.group for one in there if one.is_batch)
        if not groups:
            return None
        members = [one for one in there if one.group in groups]
        single = [one for one in members if not one.is_batch]
        return (single or members)[0], next(iter(groups)) if len(groups) == 1 else None

    def by_id(self, deployment_id: str) -> Deployment | None:
        """The deployment of that id."""
        return self._by_id.get(deployment_id)

    def by_tag(self, tag: str) -> Deployment | None:
        """The deployment of that tag."""
        return self._by_tag.get(tag)

    def of_resource(self, resource: str) -> tuple[Deployment, ...]:
        """The deployments of the resource with that tag."""
        return self._by_resource.get(resource, ())

    def sole_resource(self, model: str) -> str | None:
        """The tag of the one resource behind a model name; None when there are several or none."""
        resources = {d.resource for d in self.group_of(model)}
        return resources.pop() if len(resources) == 1 else None

    def similar(self, model: str) -> str | None:
        """A name callers may use that is much like this one."""
        near = get_close_matches(model, [*self.groups, *self.settings.aliases], n=1)
        return near[0] if near else None

    def affinity_of(self, model: str) -> frozenset[AffinityKind]:
        """What ties calls of a model name to a deployment; nothing where there is one alone."""
        name = self.resolve(model)
        chain = self.fallbacks.chain("general", name)
        if not any(_is_several(self.group_of(each)) for each in (name, *chain)):
            return frozenset()
        # The settings may name a group by the alias that the caller used, too.
        settings = self.settings
        return settings.affinity_of(model if model in settings.group_affinity else name)

    def choose(self, scope: Group, context: RoutingContext) -> list[Deployment]:
        """The deployments of a scope to try, the best first."""
        keys = context.request.cache
        if keys is None:
            return self.strategy.choose(scope, context)
        return self.prompt_caches.choose(keys, self.strategy, scope, context)

    def is_first_choice(self, deployment: Deployment, keys: CacheKeys) -> bool:
        """True where every replica that does not know the keys would choose this deployment."""
        group = self.groups[deployment.group]
        is_drawn = self.strategy.name == "weighted" and bool(group.tiers)
        return is_drawn and group.tiers[0].at(keys.keys[-1].chance) is deployment

    def scope(self, name: str, request: RouteRequest, pin: Pin | None) -> Group | None:
        """The deployments that may serve this call in a group; None when none may.

        `name` is the group's own. A pinned call stays on its resource: on the deployments of the
        group there, else on those there that have the same name at Azure; an operation on a stored
        thing may use any deployment there.
        """
        if pin is None or pin.is_wish:
            group = self.groups.get(name) or self.groups.get(ANY_MODEL)
            if group is None or not self.settings.enable_tag_filtering:
                return group
            return self._tagged(group, request.tags)
        key = (name if request.can_move else "", *pin.resources)
        if key in self._pinned:
            return self._pinned[key]
        members = self._on_resource(name, request, pin)
        # A weight of 0 keeps new calls away, but not those that only this resource can serve.
        is_pinned = not pin.others or not any(one.weight > 0 for one in members)
        scope = Group(name, members, is_pinned=is_pinned) if members else None
        # Names that are not configured reach "*": callers could make the cache grow for ever.
        if (name in self.groups or not request.can_move) and len(self._pinned) < _MOST_PINNED:
            self._pinned[key] = scope
        return scope

    def _tagged(self, group: Group, tags: tuple[str, ...]) -> Group | None:
        """The part of a group that a call with these tags may go to."""
        known = [tag for tag in tags if any(tag in one.tags for one in group.deployments)]
        # Other tags match nothing, whatever they are: callers could make the table grow for ever.
        others = () if len(known) == len(tags) else ("",)
        key = ("", group.name, *known, *others)
        if key in self._pinned:
            return self._pinned[key]
        any_of = self.settings.tag_filtering_match_any
        members = matching(group.deployments, tags, any_of=any_of)
        scope = Group(group.name, members) if members else None
        if len(self._pinned) < _MOST_PINNED:
            self._pinned[key] = scope
        return scope

    def _on_resource(self, name: str, request: RouteRequest, pin: Pin) -> list[Deployment]:
        there = [one for tag in pin.resources for one in self.of_resource(tag)]
        if not request.can_move:
            return there
        # A batch deployment stores things, but refuses each single call.
        there = [one for one in there if not one.is_batch]
        members = self.group_of(name)
        # Where the group has no deployment there, one that calls the same model reads the same
        # things: an application may have moved its group to another resource since.
        own = [d for d in members if d.resource in pin.resources and not d.is_batch]
        models = {d.name_for(name) for d in members}
        return own or [d for d in there if d.model in models]

    def _check_names(self) -> None:
        if ANY_MODEL not in self.groups:
            names = {*self.groups, *self.settings.aliases}
            _refuse_unknown(
                "model_group_affinity_config", tuple(self.settings.group_affinity), names
            )
        for alias, name in self.settings.aliases.items():
            if self.group(name) is None:
                raise ConfigurationError(
                    f"The alias {alias!r} stands for {name!r}, which the model list does not have.",
                    hint="Add it to the model list.",
                )


def _is_several(members: Iterable[Deployment]) -> bool:
    return sum(1 for one in members if one.weight > 0 and not one.is_batch) > 1


def _grouped(pairs: Iterable[tuple[str, Deployment]]) -> dict[str, tuple[Deployment, ...]]:
    grouped: dict[str, tuple[Deployment, ...]] = {}
    for key, deployment in pairs:
        grouped[key] = (*grouped.get(key, ()), deployment)
    return grouped


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
        # With "*" every name has deployments, so that no name in a chain can be wrong.
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
