"""Resources at work, and which of them a request is for."""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.agent_store import AgentStore
from azure_responses.emulator.batch_store import EmulatedBatch
from azure_responses.emulator.bounded_dict import BoundedDict
from azure_responses.emulator.http_messages import ReceivedRequest
from azure_responses.emulator.limits import UsageWindow
from azure_responses.emulator.object_store import ObjectStore
from azure_responses.emulator.opaque_values import IdentifierMint, ReasoningCipher
from azure_responses.emulator.resources import Assumptions, EmulatedDeployment, Resource
from azure_responses.emulator.response_store import ResponseStore
from azure_responses.emulator.service_errors import deployment_not_found, invalid_type
from azure_responses.emulator.timing import BatchTiming, Clock, Latency, ReadLag
from azure_responses.emulator.token_issuer import TokenIssuer
from azure_responses.emulator.webhook_sender import (
    EmulatedWebhook,
    WebhookDelivery,
    WebhookSender,
)
from azure_responses.emulator.websocket_mode import WebSocketMode

__all__ = ["SERVERLESS", "Account", "find_account", "is_azure_host", "serverless_name"]

# More than the deployments of a resource, and less than all names that callers think of.
_MOST_WINDOWS = 1000
_MOST_CALLS = 10_000
_MOST_BATCHES = 1000
_MOST_ENDPOINTS = 100
_MOST_PROJECTS = 1000


@dataclass
class Account:
    """A resource at work: its configuration, what it stores, its keys and its limits."""

    resource: Resource
    clock: Clock
    issuer: TokenIssuer
    seed: int
    latency: Latency
    read_lag: ReadLag
    assumptions: Assumptions
    batch_timing: BatchTiming
    indexing_seconds: float
    sender: WebhookSender
    websocket: WebSocketMode
    project: str | None = None

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything but the configuration, and start the ids anew."""
        # Resources of one seed differ: none can read what another encrypted.
        seed = f"{self.seed}/{self.resource.name}"
        if self.project is not None:
            seed += f"/{self.project}"
        declared = self.resource.agents
        if declared is not None:
            declared = [one for one in declared if one.project in (None, self.project)]
        self.agents = AgentStore(declared, int(self.clock.now()))
        # Each stores its own conversations, responses and files, as the resource does.
        self.projects: dict[str, Account] = BoundedDict(_MOST_PROJECTS)
        self.store = ResponseStore()
        self.cipher = ReasoningCipher(hashlib.sha256(seed.encode()).digest())
        # Anthropic's pages: signatures are valid on every platform, so on every resource, too.
        self.signer = ReasoningCipher(hashlib.sha256(b"anthropic").digest())
        self.mint = IdentifierMint(seed, self.clock.now)
        self.objects = ObjectStore(self.mint, self.clock)
        self.batches: dict[str, EmulatedBatch] = BoundedDict(_MOST_BATCHES)
        self.webhooks: dict[str, EmulatedWebhook] = BoundedDict(_MOST_ENDPOINTS)
        self.dice = random.Random(seed)
        # What `cached_tokens` is computed from.
        self.prefixes = engine.PrefixMemory()
        # How many thinking blocks stood before a call of Claude, by the call's id.
        self.thoughts: dict[str, int] = BoundedDict(_MOST_CALLS)
        self.windows: dict[str, UsageWindow] = BoundedDict(_MOST_WINDOWS)

    def of_project(self, name: str) -> "Account":
        """The same resource as one of its projects sees it: what is limited is shared."""
        if name not in self.projects:
            made = replace(self, project=name)
            made.windows, made.dice = self.windows, self.dice
            made.webhooks = self.webhooks
            self.projects[name] = made
        return self.projects[name]

    def notify(
        self, kind: str, object_id: str, at: float, is_void: Callable[[], bool] = lambda: False
    ) -> None:
        """Send an event to every endpoint that wants it, once the clock shows `at`.

        `is_void` says then whether the event did not happen after all.
        """
        wanted = [one for one in self.webhooks.values() if kind in one.event_types]
        if not wanted:
            return
        payload = {
            "object": "event",
            "id": "evt_" + self.mint.digits(32),
            "type": kind,
            "created_at": int(at),
            "data": {"id": object_id},
        }
        for endpoint in wanted:
            webhook_id = "wh_" + self.mint.digits(32)
            self.sender.add(WebhookDelivery(webhook_id, endpoint, payload, at, is_void))

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
# Of older resources without a name of their own: all of a region share the host.
_REGIONAL = ".api.cognitive.microsoft.com"
# Starlette's test client names its host "testserver".
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "[::1]", "testserver"})
_PREFIX = "/resources/"
# Serverless endpoints: `{name}.{region}.models.ai.azure.com`, named after their deployment.
SERVERLESS = ".models.ai.azure.com"


def find_account(
    accounts: Sequence[Account], received: ReceivedRequest, answers_any_host: bool
) -> tuple[Account | None, str]:
    """The account meant and the path that is left; None where the host does not resolve."""
    if received.path.startswith(_PREFIX):
        name, _, rest = received.path.removeprefix(_PREFIX).partition("/")
        return _named(accounts, name), "/" + rest
    # Hosts that the configuration names win over Azure's suffixes.
    gateway = _behind_gateway(accounts, received)
    if gateway is not None:
        return gateway
    return _by_host(accounts, received, answers_any_host), received.path


def is_azure_host(host: str) -> bool:
    """True for a name that only Azure gives out."""
    return host.endswith((*_SUFFIXES, _REGIONAL, SERVERLESS))


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
    if host.endswith(SERVERLESS):
        owners = (
            one for one in accounts if one.resource.find_deployment(serverless_name(one, host))
        )
        return accounts[0] if answers_any_host else next(owners, None)
    if host.endswith(_REGIONAL):
        return accounts[0] if answers_any_host else _by_key(accounts, received)
    # *.localhost leads to this machine, and keeps the names of several resources apart.
    suffix = next((suffix for suffix in (*_SUFFIXES, ".localhost") if host.endswith(suffix)), None)
    if suffix is None:
        # Served on a loopback port under another name (a container, a proxy).
        return accounts[0] if received.is_loopback else None
    if answers_any_host:
        return accounts[0]
    return _named(accounts, host.removesuffix(suffix))


def serverless_name(account: Account, host: str) -> str:
    """The deployment that a serverless host is named after; no host has capital letters."""
    name = host.partition(".")[0]
    deployments = account.resource.deployments or ()
    return next((one.name for one in deployments if one.name.lower() == name), name)


def _by_key(accounts: Sequence[Account], received: ReceivedRequest) -> Account | None:
    """A regional host serves every resource of the region; the key says which is meant."""
    region = received.host.removesuffix(_REGIONAL)
    near = [account for account in accounts if _slug(account.resource.region) == region]
    key = received.headers.get("api-key")
    holders = [account for account in near if key in account.resource.keys]
    # With a wrong key the first one answers, and says that the key is wrong.
    return next(iter(holders or near), None)


def _slug(region: str) -> str:
    return region.lower().replace(" ", "")
