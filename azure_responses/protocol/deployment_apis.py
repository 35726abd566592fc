"""Which API each deployment of a client speaks: as configured, by its family, or as learned.

Azure does not say what a deployment speaks. A name or a base model usually tells the family; where
it does not, the Responses API is assumed. A deployment that refuses the API itself says so in words
that `known_errors` recognises. That costs one round trip, and is remembered.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, get_args

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.agents import AGENT_PREFIX
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.families import FamilyFacts

__all__ = ["APISetting", "DeploymentAPIs", "SpokenAPI", "describe_api"]

APISetting = Literal["auto", "responses", "chat", "messages"]
"""What a configuration may say: one of the three APIs, or "auto"."""

# Where any name is served, there is no end of names.
_MOST_DEPLOYMENTS = 1000


class SpokenAPI(NamedTuple):
    """What a deployment speaks, and how that is known.

    Attributes:
        name: the API.
        source: "assumed" of the Responses API where nothing else is known.
    """

    name: APIName
    source: Literal["configured", "family", "learned", "assumed"]

    @property
    def may_be_wrong(self) -> bool:
        """True where a refusal of the deployment may still teach another API."""
        return self.source in ("family", "assumed")


class DeploymentAPIs:
    """What the deployments of one client speak; safe to share between threads.

    Args:
        configured: one setting for all deployments, or a mapping from deployments to settings, in
            which "auto" and a missing deployment mean the same.
        family_api: the API of a deployment's family; None where the family is unknown.
        on_learned: told of what a refusal taught, so that other processes can learn it too.

    Raises:
        ConfigurationError: a setting that does not exist.
    """

    def __init__(
        self,
        configured: APISetting | Mapping[str, APISetting] | None,
        family_api: Callable[[str], APIName | None],
        on_learned: Callable[[str, APIName], None] | None = None,
    ) -> None:
        by_name = configured if isinstance(configured, Mapping) else {}
        for setting in by_name.values() if by_name else [configured or "auto"]:
            _check(setting)
        self._configured = by_name
        self._default = None if isinstance(configured, Mapping) else configured
        self._family_api = family_api
        self._on_learned = on_learned
        self._known: dict[str, SpokenAPI] = {}

    def of(self, deployment: str) -> SpokenAPI:
        """What a deployment speaks."""
        found = self._known.get(deployment)
        if found is None:
            found = self._decide(deployment)
            if len(self._known) < _MOST_DEPLOYMENTS:
                self._known[deployment] = found
        return found

    def learn(self, deployment: str, api: APIName) -> None:
        """A refusal has shown what a deployment speaks; a configured API stays as it is."""
        if self.of(deployment).source == "configured":
            return
        # Also of a table that is full: what was learned is worth more than what is worked out.
        self._known[deployment] = SpokenAPI(api, "learned")
        if self._on_learned is not None:
            self._on_learned(deployment, api)

    def _decide(self, deployment: str) -> SpokenAPI:
        # Whatever models the name of an agent reminds of.
        if deployment.startswith(AGENT_PREFIX):
            return SpokenAPI("responses", "configured")
        setting = self._configured.get(deployment) or self._default
        if setting is not None and setting != "auto":
            return SpokenAPI(setting, "configured")
        api = self._family_api(deployment)
        return SpokenAPI("responses", "assumed") if api is None else SpokenAPI(api, "family")


def _check(setting: object) -> None:
    if setting not in get_args(APISetting):
        raise ConfigurationError(
            f"api is {setting!r}.", hint=f"Use one of {', '.join(get_args(APISetting))}."
        )


_NAMES: Mapping[APIName, str] = {
    "responses": "the Responses API",
    "chat": "chat completions",
    "messages": "Messages",
}


def describe_api(spoken: SpokenAPI, facts: FamilyFacts) -> str:
    """What a deployment speaks and why, for people: "chat completions (as kimi does: …)"."""
    reasons = {
        "configured": "as configured",
        "family": f"as {facts.family} does: {facts.sources.get('api', 'its other facts')}",
        "learned": "as a refusal has shown",
        "assumed": "assumed, as its family is not known",
    }
    return f"{_NAMES[spoken.name]} ({reasons[spoken.source]})"
