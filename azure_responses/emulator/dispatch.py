"""One request on its way through the emulator: who is asked, for what, with which faults."""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import isinf
from typing import Any, Never
from urllib.parse import parse_qsl

from pydantic_core import to_json

from azure_responses.emulator import engine
from azure_responses.emulator.agent_store import AgentStore
from azure_responses.emulator.faults import STREAM_FAULTS, Fault, FaultScript, error_of
from azure_responses.emulator.http_messages import PlannedReply, ReceivedRequest
from azure_responses.emulator.limits import (
    Shortage,
    UsageWindow,
    rate_limit_error,
    rate_limit_headers,
)
from azure_responses.emulator.model_catalog import find_deployed
from azure_responses.emulator.object_store import BoundedDict, ObjectStore
from azure_responses.emulator.opaque_values import IdentifierMint, ReasoningCipher
from azure_responses.emulator.resources import Assumptions, EmulatedDeployment, Resource
from azure_responses.emulator.response_store import ResponseStore
from azure_responses.emulator.routes import MatchedRoute
from azure_responses.emulator.service_errors import (
    ServiceError,
    deployment_not_found,
    invalid_json,
    invalid_type,
)
from azure_responses.emulator.timing import Clock, Latency, ReadLag
from azure_responses.emulator.token_issuer import TokenIssuer

__all__ = [
    "SERVERLESS", "Account", "EmulatedCall", "admit", "find_account", "find_shortage",
    "is_azure_host", "make_generation", "serve", "shortage_error",
]  # fmt: skip

# More than the deployments of a resource, and less than all names that callers think of.
_MOST_WINDOWS = 1000
_MOST_CALLS = 10_000
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
        self.mint = IdentifierMint(seed, self.clock.now)
        self.objects = ObjectStore(self.mint, self.clock)
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
            self.projects[name] = made
        return self.projects[name]

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
_OLDER = ("models", "serverless")
_MODEL_HEADER = "x-ms-model-mesh-model-name"


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
        owners = (one for one in accounts if one.resource.find_deployment(_endpoint(one, host)))
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


def _endpoint(account: Account, host: str) -> str:
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


@dataclass
class EmulatedCall:
    """What an operation is given."""

    account: Account
    route: MatchedRoute
    received: ReceivedRequest
    script: FaultScript
    faults: list[Fault] = field(default_factory=list)
    # What an agent makes of the body, and where it asks for consent.
    given: dict[str, Any] | None = None
    consent_link: str | None = None

    @property
    def now(self) -> float:
        """Unix seconds by the emulator's clock."""
        return self.account.clock.now()

    @property
    def api_version(self) -> str | None:
        """The dated version, None on the other surfaces."""
        return self.route.api_version if self.route.surface == "dated" else None

    @cached_property
    def parsed(self) -> Any:
        """The body's JSON whatever it is; None where it is not JSON.

        Half a surrogate pair is not: the service says that it could not parse such a body. Nor is
        a body that is nested too deep to be read.
        """
        try:
            parsed = json.loads(
                self.received.body, parse_constant=_refuse_constant, parse_float=_read_float
            )
            # No reply could repeat half a pair, nor so many levels inside its own.
            to_json([[[[[[[[parsed]]]]]]]])
        except (ValueError, RecursionError):
            return None
        return parsed

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object sent; raises ServiceError (400) for other JSON."""
        if self.given is not None:
            return self.given
        parsed = self.parsed
        if not isinstance(parsed, dict):
            raise invalid_json()
        return parsed

    @property
    def optional_body(self) -> dict[str, Any]:
        """The same, where an empty body stands for an empty object."""
        return self.body if self.received.body else {}

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query; of one given twice, the last."""
        return dict(parse_qsl(self.received.query))

    @cached_property
    def deployment_name(self) -> Any:
        """What the caller asked for by name, before anything is checked."""
        if self.route.operation.model_in == "path":
            return self.route.ids[0]
        named = self.parsed.get("model") if isinstance(self.parsed, dict) else None
        if self.route.operation.model_in is None:
            return None
        if named is None and self.route.surface == "models":
            return self.received.headers.get(_MODEL_HEADER)
        # A serverless endpoint is one deployment: most callers name no other.
        if named is None and self.received.host.endswith(SERVERLESS):
            return _endpoint(self.account, self.received.host)
        return named

    @property
    def is_streamed(self) -> bool:
        """True where the caller asked for events."""
        if self.route.operation.stream_in == "query":
            return self.query.get("stream") == "true"
        parsed = self.parsed if self.route.operation.stream_in == "body" else None
        return isinstance(parsed, dict) and parsed.get("stream") is True

    def match_faults(self, deployment: str | None) -> list[Fault]:
        """The faults that strike this call on that deployment; counts it as a request."""
        # Most emulators have no faults, and this is asked for every request.
        if not len(self.script):
            return []
        resource = self.account.resource.name
        return self.script.match(self.route.operation.name, resource, deployment, self.is_streamed)

    def raise_fault(self) -> None:
        """Raise the error of the first fault that answers with one."""
        for fault in self.faults:
            error = error_of(fault)
            if error is not None:
                raise error

    def stream_fault(self) -> Fault | None:
        """The fault that makes a 200 stream fail, if any."""
        return next((fault for fault in self.faults if fault.kind in STREAM_FAULTS), None)


# Python's reader takes NaN and Infinity, which are not JSON.
def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _read_float(digits: str) -> float:
    # 1e999 would become infinity, which no JSON can repeat.
    number = float(digits)
    if isinf(number):
        raise ValueError(digits)
    return number


Work = Callable[[EmulatedCall, EmulatedDeployment], PlannedReply]

# Microsoft's spillover page names these.
_SPILLING = (429, 500, 503)


def serve(call: EmulatedCall, deployment: EmulatedDeployment, work: Work) -> PlannedReply:
    """`work` on the deployment, or on its spillover target where a provisioned one cannot.

    After Microsoft's spillover page: 429, 500, 503 and over-long input trigger it, the
    deployment's own setting wins over `x-ms-spillover-deployment`, and where the second one fails
    too its answer is the one returned.
    """
    try:
        return work(call, deployment)
    except ServiceError as error:
        target = _spillover_target(call, deployment)
        if target is None or not _spills(error):
            raise
        headers = _spillover_headers(deployment, target, error)
    # The second deployment has faults of its own; those of the first stay with the first.
    second = replace(call, faults=call.match_faults(target.name))
    try:
        reply = work(second, target)
    except ServiceError as error:
        error.headers.update(headers)
        raise
    # x-ms-deployment-name and the like then name the deployment that answered.
    known = [pair for pair in reply.headers if pair[0] not in headers]
    reply.headers = [*known, *headers.items()]
    return reply


def _spillover_target(
    call: EmulatedCall, deployment: EmulatedDeployment
) -> EmulatedDeployment | None:
    # Microsoft: only provisioned deployments spill over, and only within their resource.
    if deployment.kind != "provisioned":
        return None
    name = deployment.spillover_to or call.received.headers.get("x-ms-spillover-deployment")
    return call.account.resource.find_deployment(name) if name else None


def _spills(error: ServiceError) -> bool:
    return error.status in _SPILLING or _error_code(error) == "context_length_exceeded"


def _error_code(error: ServiceError) -> str:
    fields = error.body.get("error") or {}
    return str(fields.get("code") or error.status)


def _spillover_headers(
    source: EmulatedDeployment, target: EmulatedDeployment, error: ServiceError
) -> dict[str, str]:
    return {
        "x-ms-spillover-from-deployment": source.name,
        "x-ms-deployment-name": target.name,
        "x-ms-spillover-error": _error_code(error),
        "x-ms-is-spilled-over": "true",
    }


def find_shortage(
    call: EmulatedCall, deployment: EmulatedDeployment, tokens: int
) -> Shortage | None:
    """What the deployment lacks for a call of so many tokens."""
    return call.account.window(deployment).shortage(deployment, call.now, tokens)


def shortage_error(
    call: EmulatedCall, deployment: EmulatedDeployment, shortage: Shortage
) -> ServiceError:
    """HTTP 429 with the headers of an exhausted deployment."""
    region, operation = call.account.region(deployment), call.route.operation.name
    error = rate_limit_error(deployment, region, shortage, operation, call.api_version)
    # Chat completions always name the limits, and so does any 429.
    mode = "present" if deployment.rate_limit_headers == "absent" else None
    window = call.account.window(deployment)
    error.headers.update(rate_limit_headers(deployment, window, call.now, mode))
    return error


def admit(call: EmulatedCall, deployment: EmulatedDeployment, tokens: int) -> None:
    """Raise HTTP 429 where the deployment has no room for the call."""
    shortage = find_shortage(call, deployment, tokens)
    if shortage is not None:
        raise shortage_error(call, deployment, shortage)


def make_generation(
    call: EmulatedCall,
    deployment: EmulatedDeployment,
    request: dict[str, Any],
    history: Sequence[dict[str, Any]] = (),
) -> engine.Generation:
    """What the engine needs to answer a request on a deployment."""
    account, model = call.account, find_deployed(deployment)
    if call.route.operation.name != "chat":
        model = model.on_responses()
    return engine.Generation(
        request=request,
        deployment=deployment.name,
        model=model,
        created_at=int(call.now),
        identifiers=account.mint,
        cipher=account.cipher,
        history=list(history),
        headers=call.received.headers,
        dated=call.route.surface == "dated",
        find_file=account.objects.find_file,
        search=account.objects.search,
        chunking=deployment.chunking,
        prefixes=account.prefixes,
        consent_link=call.consent_link,
        thinks_aloud=call.route.surface in _OLDER and model.thinks_aloud,
    )
