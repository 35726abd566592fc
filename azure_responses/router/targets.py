"""The deployments of a router, each with the client that calls it.

Deployments of one endpoint, credential and version share a client, and with it connections and
tokens. An async client belongs to one event loop.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._async.executor import AsyncExecutor
from azure_responses._sync.client import AzureResponses
from azure_responses._sync.executor import Executor
from azure_responses.errors import ConfigurationError, CredentialError
from azure_responses.fork import new_lock
from azure_responses.protocol.settings import resolve_settings
from azure_responses.router.assertions import federated_terms, make_assertion
from azure_responses.router.upstream import ResponsesUpstream, Upstream
from azure_responses.routing.deployment import ANY_MODEL, Deployment
from azure_responses.routing.entry_defaults import PARAMS_KEYS
from azure_responses.types.result import Pricer, Result

__all__ = [
    "AsyncTarget",
    "AsyncTargets",
    "ClientFactory",
    "GivenClients",
    "Target",
    "Targets",
    "check_connections",
    "make_async_credential",
    "make_credential",
    "take_clients",
]

C = TypeVar("C")

# A router tries again by itself, elsewhere; what concerns one stored response stays with the
# client.
_FIXED = {"max_retries": 0, "read_after_write": True}


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A deployment and the client that calls it; its retries are off.

    `pricer` says what a result cost where the entry says more of it than the client knows.
    """

    deployment: Deployment
    client: AzureResponses
    upstream: Upstream
    pricer: Pricer | None = None

    @property
    def drops_params(self) -> bool:
        """Chat completions may lose what cannot be sent, by the entry or by its client."""
        return self.client._configuration.drop_params

    @property
    def sender(self) -> Executor:
        """What sends the client's calls, for who makes them otherwise."""
        return self.client._executor


@dataclass(frozen=True, slots=True, eq=False)
class AsyncTarget:
    """A deployment and the async client that calls it; its retries are off.

    `pricer` says what a result cost where the entry says more of it than the client knows.
    """

    deployment: Deployment
    client: AsyncAzureResponses
    upstream: Upstream
    pricer: Pricer | None = None

    @property
    def drops_params(self) -> bool:
        """Chat completions may lose what cannot be sent, by the entry or by its client."""
        return self.client._configuration.drop_params

    @property
    def sender(self) -> AsyncExecutor:
        """What sends the client's calls, for who makes them otherwise."""
        return self.client._executor


@dataclass(frozen=True, eq=False)
class ClientFactory(Generic[C]):
    """Makes the clients of deployments.

    Attributes:
        make: the class of the clients.
        arguments: of every client: network, telemetry, timeout.
        given: deployment id → the client in its entry; the router never closes it.
        others: ids of deployments whose entries have only a client of the other kind.
        credential_of: makes a credential of an entry's service principal.
    """

    make: Callable[..., C]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    others: Collection[str] = ()
    credential_of: Callable[[Mapping[str, str]], Any] | None = None

    def create(self, deployment: Deployment, models: "_Models") -> C:
        """A new client; `models` says what is known of the deployments that it calls."""
        if deployment.id in self.others:
            kind = "async_client" if self.make is AsyncAzureResponses else "client"
            raise ConfigurationError(
                f"The entry of {deployment.id!r} has a client of the other kind only.",
                hint=f"Add {kind}=… to the entry, or give it an endpoint and a key.",
            )
        arguments = {**self.arguments, **deployment.connection, **_FIXED}
        principal = arguments.pop("service_principal", None)
        if principal is not None and self.credential_of is not None:
            arguments["credential"] = self._make_credential(principal)
        return self.make(**arguments, **models.arguments())

    def _make_credential(self, principal: Mapping[str, str]) -> Any:
        assert self.credential_of is not None
        try:
            return self.credential_of(principal)
        except ValueError as error:
            # What azure-identity says of a tenant or a secret that cannot be one.
            raise CredentialError(
                f"The credential of the entry cannot be made: {error}",
                hint="Check tenant_id, client_id and client_secret of the entry.",
            ) from error


class _Models:
    """What entries say of the models behind the deployments of one client."""

    def __init__(self) -> None:
        self._base_models: dict[str, str] = {}
        self._apis: dict[str, str] = {}
        self._facts: dict[str, Mapping[str, Any]] = {}

    def add(self, deployment: Deployment) -> None:
        if deployment.base_model:
            self._base_models[deployment.model] = deployment.base_model
        if deployment.api != "auto":
            self._apis[deployment.model] = deployment.api
        if deployment.facts:
            self._facts[deployment.model] = deployment.facts

    def arguments(self) -> dict[str, Any]:
        """The arguments of the client."""
        given: dict[str, dict[str, Any]] = {
            "base_model": self._base_models,
            "api": self._apis,
            "facts": self._facts,
        }
        return {name: {**value} for name, value in given.items() if value}


class _Clients(Generic[C]):
    """Clients by how they connect, made when they are first needed."""

    def __init__(self, deployments: Iterable[Deployment], factory: ClientFactory[C]) -> None:
        self._factory = factory
        self._lock = new_lock()
        self._made: dict[str, C] = {}
        self._models: dict[str, _Models] = {}
        # One client serves all deployments of its endpoint, each with what its entry says.
        for one in deployments:
            self._models.setdefault(_key(one), _Models()).add(one)

    def of(self, deployment: Deployment) -> C:
        given = self._factory.given.get(deployment.id)
        if given is not None:
            # A copy with the same connections: for its owner the client goes on to retry.
            routed: C = given.with_options(**_FIXED)
            return routed
        key = _key(deployment)
        with self._lock:
            client = self._made.get(key)
            if client is None:
                models = self._models.get(key) or _Models()
                client = self._made[key] = self._factory.create(deployment, models)
            return client

    def knows_more(self, deployment: Deployment) -> bool:
        """The entry brings a client, which has prices and model names of its own."""
        return deployment.id in self._factory.given

    def forget(self) -> None:
        self._made = {}

    def take_all(self) -> list[C]:
        """The clients made so far, which are forgotten."""
        with self._lock:
            made, self._made = list(self._made.values()), {}
        return made


class _Upstreams:
    """What makes the calls of each client: deployments that share one share it too."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Any, Upstream] = WeakKeyDictionary()

    def of(self, client: AzureResponses | AsyncAzureResponses) -> Upstream:
        found = self._made.get(client)
        if found is None:
            found = self._made[client] = ResponsesUpstream(client._configuration.operations())
        return found


def _pricer_of(deployment: Deployment, *, is_known: bool) -> Pricer | None:
    """What prices the results of one entry; None where its client knows all that it says.

    A client knows deployments by their names at Azure, which two entries may share.
    """
    is_silent = deployment.prices is None and deployment.base_model is None
    if is_silent and (is_known or deployment.model == ANY_MODEL):
        return None
    return partial(_price, deployment)


def _price(deployment: Deployment, result: Result) -> Decimal | None:
    # Imported on use: most programs never ask for a cost, and the prices are a large table.
    from azure_responses.pricing import cost

    priced = cost(
        result,
        deployment=None if deployment.model == ANY_MODEL else deployment.model,
        base_model=deployment.base_model,
        prices=deployment.prices,
    )
    return None if priced is None else priced.total


def _key(deployment: Deployment) -> str:
    # A credential object is told apart by its identity, which its repr holds or hides alike.
    items = sorted(deployment.connection.items(), key=lambda item: item[0])
    told = [(n, v if isinstance(v, str | int | None) else id(v)) for n, v in items]
    # Two entries may call one deployment over different APIs: each needs a client of its own.
    return repr((told, deployment.api, sorted(deployment.facts.items())))


class Targets:
    """The sync targets of a router; safe to share between threads."""

    def __init__(
        self, deployments: Iterable[Deployment], factory: ClientFactory[AzureResponses]
    ) -> None:
        self._clients = _Clients(deployments, factory)
        self._upstreams = _Upstreams()
        self._targets: dict[str, Target] = {}

    def of(self, deployment: Deployment) -> Target:
        """The target of a deployment.

        Raises:
            ConfigurationError: no client can be made of its entry.
        """
        target = self._targets.get(deployment.id)
        if target is None:
            client = self._clients.of(deployment)
            upstream = self._upstreams.of(client)
            known = self._clients.knows_more(deployment)
            target = Target(deployment, client, upstream, _pricer_of(deployment, is_known=known))
            self._targets[deployment.id] = target
        return target

    def forget(self) -> None:
        """Forget the clients, in a forked process: credentials that were made for them are not its.

        The clients themselves have left the parent's connections.
        """
        self._targets = {}
        self._clients.forget()

    def close(self) -> None:
        """Close the clients that were made here."""
        self._targets = {}
        for client in self._clients.take_all():
            client.close()


class AsyncTargets:
    """The async targets of a router in one event loop."""

    def __init__(
        self, deployments: Iterable[Deployment], factory: ClientFactory[AsyncAzureResponses]
    ) -> None:
        self._clients = _Clients(deployments, factory)
        self._upstreams = _Upstreams()
        self._targets: dict[str, AsyncTarget] = {}

    def of(self, deployment: Deployment) -> AsyncTarget:
        """The target of a deployment.

        Raises:
            ConfigurationError: no client can be made of its entry.
        """
        target = self._targets.get(deployment.id)
        if target is None:
            client = self._clients.of(deployment)
            upstream = self._upstreams.of(client)
            known = self._clients.knows_more(deployment)
            target = AsyncTarget(
                deployment, client, upstream, _pricer_of(deployment, is_known=known)
            )
            self._targets[deployment.id] = target
        return target

    async def aclose(self) -> None:
        """Close the clients that were made here."""
        self._targets = {}
        for client in self._clients.take_all():
            await client.aclose()


_KEYS = ("client", "async_client")
# What a client decides before anything is sent.
_DECIDED = (
    "allow_insecure",
    "api_key",
    "api_version",
    "azure_ad_token",
    "azure_ad_token_provider",
    "base_url",
    "credential",
    "endpoint",
    "models_path",
    "preview_path",
    "provider",
    "scope",
    "strict_api_version",
)


class GivenClients:
    """The clients that entries have, by the place of the entry."""

    def __init__(self) -> None:
        self.sync: dict[int, AzureResponses] = {}
        self.asynchronous: dict[int, AsyncAzureResponses] = {}

    def __bool__(self) -> bool:
        return bool(self.sync or self.asynchronous)

    def of(self, deployments: Iterable[Deployment]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The sync and async clients by deployment id; `deployments` in the entries' order."""
        ids = [deployment.id for deployment in deployments]
        return (
            {ids[place]: client for place, client in self.sync.items()},
            {ids[place]: client for place, client in self.asynchronous.items()},
        )


def take_clients(entries: Any) -> tuple[list[Any], GivenClients]:
    """The entries with the endpoints of the clients in their place, and the clients."""
    given = GivenClients()
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        # Refused by `read_model_list`, which says what entries look like.
        return entries, given  # type: ignore[return-value]
    rows = []
    for place, entry in enumerate(entries):
        rows.append(_take(place, entry, given) if _has_client(entry) else entry)
    return rows, given


def _has_client(entry: Any) -> bool:
    return isinstance(entry, Mapping) and any(entry.get(key) is not None for key in _KEYS)


def _take(place: int, entry: Mapping[str, Any], given: GivenClients) -> dict[str, Any]:
    row = {name: value for name, value in entry.items() if name not in _KEYS}
    for client in filter(None, (entry.get(key) for key in _KEYS)):
        if isinstance(client, AzureResponses):
            given.sync[place] = client
        elif isinstance(client, AsyncAzureResponses):
            given.asynchronous[place] = client
        else:
            raise ConfigurationError(
                f"model_list entry {place + 1}: its client is a {type(client).__name__}.",
                hint="Pass an AzureResponses as client, an AsyncAzureResponses as async_client.",
            )
        name = next((one for one in PARAMS_KEYS if one in row), "params")
        # The endpoint names the resource, which is how ids find their way back to it.
        params = {"model": ANY_MODEL, **(row.get(name) or {}), "api_base": client.endpoint}
        row[name] = params
    return row


def check_connections(
    deployments: Iterable[Deployment],
    arguments: Mapping[str, Any],
    given: Collection[str],
    environ: Mapping[str, str],
) -> None:
    """Find entries of which no client could be made now, and not in the call that first needs it.

    Args:
        deployments: in the order of the entries.
        arguments: of every client.
        given: ids of deployments whose entries have a client.
        environ: the environment.

    Raises:
        ConfigurationError: an empty key, two credentials, a version Azure does not have, a key
            that would travel unencrypted, …; the entry is named.
    """
    for number, one in enumerate(deployments, 1):
        connection = {**arguments, **one.connection}
        decided = {name: connection[name] for name in _DECIDED if name in connection}
        # The client exists, so its settings were checked when it was made.
        if one.id in given:
            continue
        try:
            _check_principal(connection.get("service_principal"), environ)
            endpoint = resolve_settings(environ, **decided).endpoint
            if one.is_websocket and endpoint.websocket_url(is_undocumented_tried=True) is None:
                raise ConfigurationError(
                    f"websocket is true, and {endpoint.url('responses')} has no WebSocket.",
                    hint="Only the v1 API has one: leave api_version out, or websocket.",
                )
        except ConfigurationError as error:
            raise ConfigurationError(
                f"model_list entry {number} ({one.group!r}): {error.message}", hint=error.hint
            ) from None


def _check_principal(principal: Mapping[str, str] | None, environ: Mapping[str, str]) -> None:
    if principal is not None and "assertion" in principal:
        federated_terms(principal, environ)
        make_assertion(principal["assertion"])


def make_credential(principal: Mapping[str, str]) -> Any:
    """A service principal's credential, for a sync client; by a secret, or by a federated token."""
    from azure.identity import ClientAssertionCredential, ClientSecretCredential

    if "assertion" in principal:
        terms = federated_terms(principal, os.environ)
        return ClientAssertionCredential(**terms, func=make_assertion(principal["assertion"]))
    return ClientSecretCredential(**principal)


def make_async_credential(principal: Mapping[str, str]) -> Any:
    """A service principal's credential, for an async client."""
    from azure.identity.aio import ClientAssertionCredential, ClientSecretCredential

    if "assertion" in principal:
        terms = federated_terms(principal, os.environ)
        return ClientAssertionCredential(**terms, func=make_assertion(principal["assertion"]))
    return ClientSecretCredential(**principal)
