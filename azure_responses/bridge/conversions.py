"""Which conversion carries a call between two APIs, and what each conversion is given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import Any, Literal

from azure_responses.bridge.native_chat import fit_chat
from azure_responses.bridge.native_messages import fit_messages
from azure_responses.bridge.native_responses import fit_responses
from azure_responses.protocol.conversion import APIName, Conversion, ConversionContext, Sealer
from azure_responses.protocol.families import FamilyFacts, facts_of

__all__ = ["ConversionFactory", "LazySealer", "ResourceSealer"]

# (the caller's API, the deployment's) → package and class. Imported on use: most programs need none
# of them, and others one.
_CONVERSIONS: Mapping[tuple[APIName, APIName], tuple[str, str]] = {
    ("responses", "chat"): ("responses_over_chat", "ResponsesOverChat"),
    ("responses", "messages"): ("responses_over_messages", "ResponsesOverMessages"),
    ("messages", "responses"): ("messages_over_responses", "MessagesOverResponses"),
    ("messages", "chat"): ("messages_over_chat", "MessagesOverChat"),
    ("chat", "messages"): ("chat_over_messages", "ChatOverMessages"),
}


# Where any name is served, there is no end of names.
_MOST_DEPLOYMENTS = 1000


@dataclass(frozen=True)
class ConversionFactory:
    """Makes the conversions of one client's calls.

    Attributes:
        sealer: encrypts the reasoning that callers carry from turn to turn.
        new_id: makes an id with a given prefix.
        base_model_of: the model behind a deployment whose name does not say it.
        overrides: facts of the configuration, by deployment.
        hosted_history: what becomes of earlier calls of hosted tools.
        resource: what tells the client's resource from others; see `ResourceSealer`.
    """

    sealer: Sealer
    new_id: Callable[[str], str]
    base_model_of: Callable[[str], str | None]
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hosted_history: Literal["omit", "text"] = "omit"
    resource: str = ""
    # The table is searched with one pattern after another.
    _known: dict[str, FamilyFacts] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A mistake in the configuration is found now, and not by the first call that needs it.
        for deployment in self.overrides:
            self.facts(deployment)

    def make(
        self,
        caller: APIName,
        upstream: APIName,
        parameters: Mapping[str, Any],
        deployment: str,
        now: float,
        *,
        drops_params: bool,
    ) -> Conversion:
        """The conversion of one request.

        Args:
            caller, upstream: the two APIs, which differ.
            parameters: the request, as JSON.
            deployment: the name sent as `model`.
            now: unix seconds.
            drops_params: what cannot be sent is left out with a warning.
        """
        context = self._context(deployment, now, drops_params)
        if caller == "messages" and upstream == "responses":
            context = context._replace(sealer=ResourceSealer(self.sealer, self.resource))
        conversion: Conversion = _kind_of(caller, upstream)(parameters, context)
        return conversion

    def fit(
        self, api: APIName, parameters: Mapping[str, Any], deployment: str, *, drops_params: bool
    ) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """A request of the deployment's own API without what its model does not take.

        The same object where nothing had to be changed; and what was left out.
        """
        if api == "messages":
            return fit_messages(parameters)
        fit = fit_chat if api == "chat" else fit_responses
        return fit(parameters, self.facts(deployment), drops_params=drops_params)

    def restricts_responses(self, deployment: str) -> bool:
        """True where a request of the Responses API has to be fitted to the model."""
        return self.facts(deployment).restricts_responses

    def facts(self, deployment: str) -> FamilyFacts:
        """What the model of a deployment accepts."""
        found = self._known.get(deployment)
        if found is None:
            names = (self.base_model_of(deployment), deployment)
            found = facts_of(*names, overrides=self.overrides.get(deployment))
            if len(self._known) < _MOST_DEPLOYMENTS:
                self._known[deployment] = found
        return found

    def api_of(self, deployment: str) -> APIName | None:
        """What the deployments of a model's family speak; None where the family is unknown."""
        return self.facts(deployment).preferred_api

    def _context(self, deployment: str, now: float, drops_params: bool) -> ConversionContext:
        facts = self.facts(deployment)
        return ConversionContext(
            deployment,
            facts,
            self.sealer,
            self.new_id,
            now,
            drops_params,
            facts.max_output_tokens,
            self.hosted_history,
        )


@cache
def _kind_of(caller: APIName, upstream: APIName) -> Any:
    package, name = _CONVERSIONS[caller, upstream]
    return getattr(import_module(f"azure_responses.bridge.{package}"), name)


class ResourceSealer:
    """A sealer of what only one resource can read: the service encrypts reasoning for its own.

    In front of the sealed text stands which resource that is, so that a router can prefer it.
    Elsewhere it does not open, and the model thinks anew.

    Args:
        sealer: seals.
        resource: what tells the resource from others.
    """

    def __init__(self, sealer: Sealer, resource: str) -> None:
        self._sealer = sealer
        # As `routing.model_list.tag_of` names a resource.
        self._prefix = sha256(resource.encode()).hexdigest()[:8] + "."

    def seal(self, family: str, content: Mapping[str, Any]) -> str:
        """As of every sealer."""
        return self._prefix + self._sealer.seal(family, content)

    def open(self, family: str, text: str) -> dict[str, Any] | None:
        """As of every sealer."""
        if not text.startswith(self._prefix):
            return None
        return self._sealer.open(family, text.removeprefix(self._prefix))


class LazySealer:
    """A sealer that is made on first use: most programs have no reasoning to seal.

    Args:
        secret: None takes a random one; of several the first seals and all open.
        random_bytes: a source of secure random bytes.
    """

    def __init__(
        self,
        secret: str | bytes | Sequence[str | bytes] | None,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        given = [secret] if isinstance(secret, str | bytes) and secret else list(secret or ())
        self._secrets = given or [random_bytes(32)]
        self._random_bytes = random_bytes
        self._sealers: list[Sealer] = []

    def seal(self, family: str, content: Mapping[str, Any]) -> str:
        """As of every sealer."""
        return self._made()[0].seal(family, content)

    def open(self, family: str, text: str) -> dict[str, Any] | None:
        """As of every sealer."""
        opened = (sealer.open(family, text) for sealer in self._made())
        return next((content for content in opened if content is not None), None)

    def _made(self) -> list[Sealer]:
        if not self._sealers:
            # It loads a library of cryptography.
            module = import_module("azure_responses.bridge.sealed_reasoning")
            make = module.ReasoningSealer
            self._sealers = [make(secret, self._random_bytes) for secret in self._secrets]
        return self._sealers
