"""One emulated resource at work: its configuration and everything it has come to hold."""

import hashlib
import random
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.assumptions import Assumptions
from azure_responses.emulator.bounds import BoundedDict
from azure_responses.emulator.clock import Clock
from azure_responses.emulator.holdings import Holdings
from azure_responses.emulator.identifiers import IdentifierMint
from azure_responses.emulator.issuer import Issuer
from azure_responses.emulator.latency import Latency, ReadLag
from azure_responses.emulator.limits import Window
from azure_responses.emulator.refusals import deployment_not_found, invalid_request
from azure_responses.emulator.resources import Deployment, Resource
from azure_responses.emulator.store import ResponseStore
from azure_responses.emulator.vault import Vault

__all__ = ["Account"]

# More than the deployments of a resource, and less than all names that callers think of.
_MOST_WINDOWS = 1000


class Account:
    """A resource, its stored responses, files and conversations, its vault and its limits."""

    def __init__(
        self,
        resource: Resource,
        clock: Clock,
        issuer: Issuer,
        *,
        seed: int,
        latency: Latency,
        read_lag: ReadLag,
        assumptions: Assumptions,
    ) -> None:
        self.resource = resource
        self.clock = clock
        self.issuer = issuer
        self.latency = latency
        self.read_lag = read_lag
        self.assumptions = assumptions
        self._seed = f"{seed}/{resource.name}"
        self.reset()

    def reset(self) -> None:
        """Forget everything but the configuration, and start the ids anew."""
        self.store = ResponseStore()
        self.vault = Vault(hashlib.sha256(self._seed.encode()).digest())
        self.mint = IdentifierMint(self._seed, self.clock.now)
        self.holdings = Holdings(self.mint, self.clock)
        self.dice = random.Random(self._seed)
        self.prefixes = engine.PrefixMemory()
        self.windows: dict[str, Window] = BoundedDict(_MOST_WINDOWS)

    def deployment(self, name: Any) -> Deployment:
        """The deployment of that name; raises Refusal, in the resource's wording, for none."""
        if name is None or name == "":
            raise deployment_not_found("model_not_found", None)
        if not isinstance(name, str):
            raise invalid_request(
                f"Invalid type for 'model': expected a string, but got {_type_name(name)} instead.",
                "model",
                "invalid_type",
            )
        deployment = self.resource.find_deployment(name)
        if deployment is None:
            raise deployment_not_found(self.resource.missing_deployment, name)
        return deployment

    def window(self, deployment: Deployment) -> Window:
        """The deployment's last minute, for its limits."""
        return self.windows.setdefault(deployment.name, Window())

    def region(self, deployment: Deployment | None = None) -> str:
        """Where a deployment runs; the resource's own region for None."""
        return (deployment.region if deployment else None) or self.resource.region

    def latency_of(self, deployment: Deployment) -> Latency:
        """How long a deployment takes to answer."""
        return deployment.latency or self.latency


def _type_name(value: object) -> str:
    names = {bool: "a boolean", int: "an integer", float: "a decimal number", list: "an array"}
    return names.get(type(value), "an object")
