"""One emulated resource at work: its configuration and everything it has come to hold."""

import hashlib
import random
from collections.abc import Sequence
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.http_messages import ReceivedRequest
from azure_responses.emulator.identifiers import IdentifierMint
from azure_responses.emulator.limits import UsageWindow
from azure_responses.emulator.object_store import BoundedDict, ObjectStore
from azure_responses.emulator.reasoning_cipher import ReasoningCipher
from azure_responses.emulator.resources import Assumptions, EmulatedDeployment, Resource
from azure_responses.emulator.response_store import ResponseStore
from azure_responses.emulator.service_errors import deployment_not_found, invalid_type
from azure_responses.emulator.timing import Clock, Latency, ReadLag
from azure_responses.emulator.token_issuer import TokenIssuer

__all__ = [
    "Account",
    "find_account",
    "is_azure_host",
]

# More than the deployments of a resource, and less than all names that callers think of.
_MOST_WINDOWS = 1000


class Account:
    """A resource, its stored responses, files and conversations, its cipher and its limits."""

    def __init__(
        self,
        resource: Resource,
        clock: Clock,
        issuer: TokenIssuer,
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
        self.cipher = ReasoningCipher(hashlib.sha256(self._seed.encode()).digest())
        self.mint = IdentifierMint(self._seed, self.clock.now)
        self.objects = ObjectStore(self.mint, self.clock)
        self.dice = random.Random(self._seed)
        self.prefixes = engine.PrefixMemory()
        self.windows: dict[str, UsageWindow] = BoundedDict(_MOST_WINDOWS)

    def deployment(self, name: Any) -> EmulatedDeployment:
        """The deployment of that name; raises ServiceError in the resource's wording."""
        if name is None or name == "":
            raise deployment_not_found("model_not_found", None)
        if not isinstance(name, str):
            raise invalid_type("model", "a string", name)
        deployment = self.resource.find_deployment(name)
        if deployment is None:
            raise deployment_not_found(self.resource.missing_deployment, name)
        return deployment

    def window(self, deployment: EmulatedDeployment) -> UsageWindow:
        """The deployment's last minute, for its limits."""
        return self.windows.setdefault(deployment.name, UsageWindow())

    def region(self, deployment: EmulatedDeployment | None = None) -> str:
        """Where a deployment runs; the resource's own region for None."""
        return (deployment.region if deployment else None) or self.resource.region

    def latency_of(self, deployment: EmulatedDeployment) -> Latency:
        """How long a deployment takes to answer."""
        return deployment.latency or self.latency


_SUFFIXES = (
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.us",
    ".openai.azure.cn",
)
_REGIONAL = ".api.cognitive.microsoft.com"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", "testserver"})
_PREFIX = "/resources/"


def find_account(
    accounts: Sequence[Account], received: ReceivedRequest, answers_any_host: bool
) -> tuple[Account | None, str]:
    """The account meant and the path that is left; None where the host does not resolve."""
    if received.path.startswith(_PREFIX):
        name, _, rest = received.path.removeprefix(_PREFIX).partition("/")
        return _named(accounts, name), "/" + rest
    gateway = _behind_gateway(accounts, received)
    if gateway is not None:
        return gateway
    return _by_host(accounts, received, answers_any_host), received.path


def is_azure_host(host: str) -> bool:
    """True for a name that only Azure gives out."""
    return host.endswith((*_SUFFIXES, _REGIONAL))


def _named(accounts: Sequence[Account], name: str) -> Account | None:
    return next((account for account in accounts if account.resource.name == name), None)


def _behind_gateway(
    accounts: Sequence[Account], received: ReceivedRequest
) -> tuple[Account, str] | None:
    for account in accounts:
        for address in account.resource.hosts:
            host, slash, prefix = address.partition("/")
            if host == received.host and received.path.startswith(slash + prefix):
                return account, received.path.removeprefix(slash + prefix.rstrip("/"))
    return None


def _by_host(
    accounts: Sequence[Account], received: ReceivedRequest, answers_any_host: bool
) -> Account | None:
    host = received.host
    if host in _LOOPBACK:
        return accounts[0]
    if host.endswith(_REGIONAL):
        return accounts[0] if answers_any_host else _by_key(accounts, received)
    suffix = next((suffix for suffix in (*_SUFFIXES, ".localhost") if host.endswith(suffix)), None)
    if suffix is None:
        # Served on a loopback port under another name (a container, a proxy).
        return accounts[0] if received.is_loopback else None
    if answers_any_host:
        return accounts[0]
    return _named(accounts, host.removesuffix(suffix))


def _by_key(accounts: Sequence[Account], received: ReceivedRequest) -> Account | None:
    """A regional host serves every resource of the region; the key says which is meant."""
    region = received.host.removesuffix(_REGIONAL)
    near = [account for account in accounts if _slug(account.resource.region) == region]
    key = received.headers.get("api-key")
    holders = [account for account in near if key in account.resource.keys]
    return next(iter(holders or near), None)


def _slug(region: str) -> str:
    return region.lower().replace(" ", "")
