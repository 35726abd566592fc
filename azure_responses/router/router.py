"""Several deployments, regions and resources behind one name."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack
from weakref import WeakKeyDictionary, ref

from azure_responses.arguments import ClientArguments
from azure_responses.async_client import AsyncAzureResponses
from azure_responses.bridge import ReasoningCache
from azure_responses.client import AzureResponses
from azure_responses.errors import BadRequestError, ConfigurationError, ResponseNotFoundError
from azure_responses.event_loop import forget_closed_loops, running_loop
from azure_responses.fork import in_forked_child
from azure_responses.protocol.warning import warn_caller
from azure_responses.router.affinity_secret import find_secrets
from azure_responses.router.arguments import ChatOptions, check_end_user, check_id, check_options
from azure_responses.router.async_operations import AsyncRouterOperations
from azure_responses.router.async_routed_calls import AsyncRoutedCalls
from azure_responses.router.attempts import Setback
from azure_responses.router.operations import RouterOperations
from azure_responses.router.options import RouterOptions
from azure_responses.router.requests import RequestReader
from azure_responses.router.routed_calls import RoutedCalls
from azure_responses.router.rows import (
    check_connections,
    make_async_credential,
    make_credential,
    take_clients,
)
from azure_responses.router.targets import AsyncTargets, ClientFactory, Targets
from azure_responses.router_state.address import state_of
from azure_responses.router_state.opening import open_state
from azure_responses.router_state.purge import apurge, purge
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.ask import bid_on
from azure_responses.routing.erasure import judge_missing, require_origin
from azure_responses.routing.explain import Explanation
from azure_responses.routing.label import Labeller, is_label, show_id
from azure_responses.routing.ledger import PurgeReceipt
from azure_responses.routing.model_list import read_model_list
from azure_responses.routing.outcome import LedgerEntry
from azure_responses.routing.routing import Routing
from azure_responses.routing.settings import RouterSettings, read_settings
from azure_responses.telemetry.callback import Callbacks, await_callbacks, callbacks, run_callbacks
from azure_responses.telemetry.record import CallRecord

__all__ = ["Router"]

# Whose business an option is; the rest are routing's settings.
_OWN = frozenset(
    {
        "state",
        "state_prefix",
        "state_timeout",
        "state_credential",
        "affinity_secret",
        "accept_litellm_ids",
        "drop_params",
        "reasoning_cache",
        "on_retry",
        "http_client",
        "async_http_client",
    }
)
_CLIENTS = frozenset(ClientArguments.__annotations__) & frozenset(RouterOptions.__annotations__)
_NETWORK = (_CLIENTS - _OWN - {"timeout"}) | {"http_client", "async_http_client"}
_DEFAULT_TIMEOUT = 600.0
_PURGE_TIMEOUT = 30.0


class Router(RouterOperations, AsyncRouterOperations):
    """Calls the right deployment every time; safe to share between threads and event loops.

    Args:
        model_list: rows as LiteLLM's users write them: `model_name`, `litellm_params` (or
            `params`) and `model_info`. A row may bring an existing client (`client`,
            `async_client`) in place of an endpoint and a key; a `model_name` of "*" takes any
            model.
        options: see `RouterOptions`.

    Raises:
        ConfigurationError: rows or options that cannot be used; the nearest name is named.
    """

    def __init__(
        self, model_list: Iterable[Mapping[str, Any]], **options: Unpack[RouterOptions]
    ) -> None:
        given: dict[str, Any] = dict(options)
        rows, clients = take_clients(model_list)
        deployments = read_model_list(rows, os.environ, warn_caller)
        if clients:
            _warn_of_unheeded(given)
        settings = _read_settings(given)
        self._routing = Routing(deployments, settings)
        self._state, self._async_state = open_state(state_of(given), **_state_options(given))
        secret = given.get("affinity_secret")
        secrets = find_secrets(secret, os.environ, deployments, is_shared=self._state.is_shared)
        labeller = Labeller(secrets)
        accepts = _read_flag(given, "accept_litellm_ids")
        affinity = Affinity(labeller, deployments, accept_litellm_ids=accepts)
        self._cache = _read_cache(given.get("reasoning_cache"))
        self._chat_options = ChatOptions(_read_flag(given, "drop_params"), self._cache)
        self._reader = RequestReader(
            self._routing,
            labeller,
            affinity,
            timeout=given.get("timeout", _DEFAULT_TIMEOUT),
            cache=self._cache,
        )
        self._labeller = labeller
        self._on_retry = Callbacks(on_retry=given.get("on_retry")).on_retry
        sync, asynchronous = clients.of(deployments)
        check_connections(deployments, given, {*sync, *asynchronous}, os.environ)
        factory, self._async_factory = _factories(given, sync, asynchronous)
        targets = Targets(deployments, factory)
        self._calls = RoutedCalls(self._routing, self._state, targets, on_setback=self._tell)
        self._loops: WeakKeyDictionary[Any, AsyncRoutedCalls] = WeakKeyDictionary()
        self._last_loop: tuple[Callable[[], Any], AsyncRoutedCalls] | None = None
        in_forked_child(self, Router._leave_parent)

    @classmethod
    def of(
        cls,
        client: AzureResponses | AsyncAzureResponses,
        **options: Unpack[RouterOptions],
    ) -> Self:
        """A router of one client, which passes any model on."""
        kind = "client" if isinstance(client, AzureResponses) else "async_client"
        row = {"model_name": "*", kind: client, "model_info": {"id": "client"}}
        return cls([row], **options)

    @property
    def calls(self) -> RoutedCalls:
        """The loop under every sync call, for whoever has another kind of attempt."""
        return self._calls

    @property
    def async_calls(self) -> AsyncRoutedCalls:
        """The loop under every async call of the running event loop."""
        loop = running_loop()
        last = self._last_loop
        if last is not None and last[0]() is loop:
            return last[1]
        calls = self._loops.get(loop)
        if calls is None:
            targets = AsyncTargets(self._routing.deployments, self._async_factory)
            made = AsyncRoutedCalls(
                self._routing,
                self._async_state,
                targets,
                on_setback=self._atell,
                orphans=self._calls.orphans,
            )
            forget_closed_loops(self._loops)
            calls = self._loops.setdefault(loop, made)
        self._last_loop = (ref(loop), calls)
        return calls

    @property
    def reader(self) -> RequestReader:
        """Reads requests and their labels, for whoever has another kind of attempt."""
        return self._reader

    @property
    def chat_options(self) -> ChatOptions:
        """How chat completions are bridged, for whoever has another kind of attempt."""
        return self._chat_options

    @property
    def groups(self) -> tuple[str, ...]:
        """The model names callers may use."""
        return tuple(self._routing.groups)

    def adopt(self, id: str, *, deployment: str, owner: str | None = None) -> str:
        """The id that this router knows a stored thing by which it did not make.

        Args:
            id: as the service knows it, of a response, conversation, file, …
            deployment: the id of a deployment of the resource that stores it.
            owner: of use to this owner alone.

        Raises:
            ConfigurationError: there is no such deployment.
            BadRequestError: the id is none, or one that a router gave out.
        """
        found = self._routing.by_id(deployment)
        if found is None:
            known = ", ".join(one.id for one in self._routing.deployments)
            raise ConfigurationError(
                f"The router has no deployment {deployment!r}.",
                hint=f"Pass the model_info.id of a row, one of: {known}.",
            )
        return self._labeller.label_id(
            self._bare(id), deployment_tag=found.tag, resource_tag=found.resource, owner=owner
        )

    def explain(self, /, **request: Any) -> Explanation:
        """Which deployment would serve a call made now, and why the others would not.

        Takes what `responses` or, with `messages`, `completion` takes, and changes nothing. Of a
        shared state it says what this process knows.
        """
        stream = bool(request.pop("stream", False))
        ask = self._reader.read(request, is_stream=stream, is_chat="messages" in request).ask
        self._calls.orphans.settle()
        now = time.monotonic()
        bids = [bid_on(deployment, ask.tokens) for deployment in self._routing.deployments]
        return self._routing.explain(ask, now, self._state.full_for(bids, now))

    def purge(
        self,
        *,
        end_user: str,
        owner: str | None = None,
        timeout: float | None = _PURGE_TIMEOUT,
    ) -> PurgeReceipt:
        """Delete every stored response of an end user on the resource that stores it.

        What was made within the last minute and is not found counts as failed and not as gone: the
        service may only not show it yet.

        Args:
            end_user: the `safety_identifier`, else `user`, else `metadata.user_id` of the calls.
            owner: only the responses of this owner; None for all.
            timeout: seconds that each deletion may take, waits included. What a resource that is
                down for longer stores is listed as failed, and the rest is deleted.

        Raises:
            ConfigurationError: no end user is named, or an owner or a timeout that is none.
            APIConnectionError: the shared ledger cannot be read to its end.
        """

        def delete(entry: LedgerEntry) -> object:
            require_origin(self._routing, entry)
            try:
                return self.delete(self._label_of(entry), owner=entry.owner, timeout=timeout)
            except ResponseNotFoundError as error:
                raise judge_missing(error, entry, time.time()) from None

        check_options({"owner": owner, "timeout": timeout})
        return purge(self._state, check_end_user(end_user), delete, owner=owner)

    async def apurge(
        self,
        *,
        end_user: str,
        owner: str | None = None,
        timeout: float | None = _PURGE_TIMEOUT,
    ) -> PurgeReceipt:
        """`purge`, awaited; several deletions are under way at once."""

        async def delete(entry: LedgerEntry) -> object:
            require_origin(self._routing, entry)
            try:
                label = self._label_of(entry)
                return await self.adelete(label, owner=entry.owner, timeout=timeout)
            except ResponseNotFoundError as error:
                raise judge_missing(error, entry, time.time()) from None

        check_options({"owner": owner, "timeout": timeout})
        return await apurge(self._async_state, check_end_user(end_user), delete, owner=owner)

    def close(self) -> None:
        """Close the connections of sync calls and the state."""
        self._calls.targets.close()
        self._state.close()

    async def aclose(self) -> None:
        """Close the connections of this event loop's calls, those of sync calls, and the state."""
        calls = self._loops.pop(running_loop(), None)
        self._last_loop = None
        if calls is not None:
            await calls.targets.aclose()
        self._calls.targets.close()
        await self._async_state.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        groups = {name: len(group.deployments) for name, group in self._routing.groups.items()}
        return f"Router({groups}, strategy={self._routing.settings.strategy!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a router holds secrets and connections and cannot be pickled")

    def _leave_parent(self) -> None:
        self._calls.targets.forget()
        self._loops, self._last_loop = WeakKeyDictionary(), None
        self._routing.board.forget_calls()

    def _bare(self, id: Any) -> str:
        check_id(id)
        if id.isspace() or is_label(id):
            raise BadRequestError(
                f"{show_id(id)} is not an id of the service.",
                status_code=400,
                param="id",
                hint="Pass an id as the service gave it; one of a router's own needs no adopting.",
            )
        return str(id)

    def _label_of(self, entry: LedgerEntry) -> str:
        return self._labeller.label_id(
            entry.response_id,
            deployment_tag=entry.deployment,
            resource_tag=entry.resource,
            owner=entry.owner,
        )

    def _tell(self, setback: Setback) -> None:
        functions = [*callbacks.on_retry, *self._on_retry]
        if functions:
            run_callbacks(functions, _record(setback))

    async def _atell(self, setback: Setback) -> None:
        functions = [*callbacks.on_retry, *self._on_retry]
        if functions:
            await await_callbacks(functions, _record(setback))


def _factories(
    options: Mapping[str, Any], sync: Mapping[str, Any], asynchronous: Mapping[str, Any]
) -> tuple[ClientFactory[AzureResponses], ClientFactory[AsyncAzureResponses]]:
    """What makes the clients of rows that brought none along."""
    shared = {n: options[n] for n in _CLIENTS if n in options and n not in _OWN}
    return (
        ClientFactory(
            AzureResponses,
            _with_http_client(shared, options.get("http_client")),
            sync,
            asynchronous.keys() - sync.keys(),
            make_credential,
        ),
        ClientFactory(
            AsyncAzureResponses,
            _with_http_client(shared, options.get("async_http_client")),
            asynchronous,
            sync.keys() - asynchronous.keys(),
            make_async_credential,
        ),
    )


def _record(setback: Setback) -> CallRecord:
    return CallRecord(
        call_type="responses",
        operation="create",
        deployment=setback.deployment.model,
        deployment_id=setback.deployment.id,
        group=setback.deployment.group,
        router_attempt=setback.attempts,
        attempts=setback.attempts,
        error=setback.error,
        retry_delay=setback.delay,
    )


def _read_settings(options: Mapping[str, Any]) -> RouterSettings:
    rest = {n: v for n, v in options.items() if n == "timeout" or n not in _OWN | _CLIENTS}
    if "owner" in rest:
        raise ConfigurationError("A router has no owner.", hint="Pass owner= with each call.")
    try:
        return read_settings(rest, warn_caller)
    except ConfigurationError as error:
        unknown = [name for name in rest if name not in RouterOptions.__annotations__]
        near = [
            found
            for name in unknown
            for found in get_close_matches(name, list(RouterOptions.__annotations__), n=3)
        ]
        if near and repr(unknown[0]) in error.message:
            error.hint = f"Did you mean {' or '.join(map(repr, near))}?"
        elif _BELONG_TO_ROWS & set(unknown):
            error.hint = "Endpoints and credentials belong into the rows of model_list."
        raise


def _read_flag(options: Mapping[str, Any], name: str) -> bool:
    value = options.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    # "no" is not False, and ids that are not signed would be understood.
    raise ConfigurationError(f"{name} is {value!r}.", hint="Pass True or False.")


def _read_cache(given: Any) -> ReasoningCache | None:
    if given is None or isinstance(given, ReasoningCache):
        return given
    if isinstance(given, bool):
        return ReasoningCache() if given else None
    raise ConfigurationError(
        f"reasoning_cache is {given!r}.", hint="Pass True, False or a ReasoningCache."
    )


def _warn_of_unheeded(options: Mapping[str, Any]) -> None:
    names = [n for n in sorted(_NETWORK) if options.get(n) is not None]
    if names:
        warn_caller(
            f"{', '.join(names)} of the router: no concern of the clients that rows brought along, "
            "which keep their own. Give it to them."
        )


_BELONG_TO_ROWS = frozenset({"api_key", "endpoint", "azure_endpoint", "api_base", "api_version"})


def _state_options(options: Mapping[str, Any]) -> dict[str, Any]:
    names = {"state_prefix": "prefix", "state_timeout": "timeout", "state_credential": "credential"}
    return {name: options[key] for key, name in names.items() if options.get(key) is not None}


def _with_http_client(arguments: Mapping[str, Any], client: Any) -> dict[str, Any]:
    return {**arguments, "http_client": client} if client is not None else dict(arguments)
