"""What a router is made of, by its model_list and options; its sync and async calls share it."""

import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from hmac import digest
from typing import Any
from weakref import WeakKeyDictionary, ref

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._async.response_store import AsyncMemoryResponseStore, AsyncResponseStore
from azure_responses._sync.client import AzureResponses
from azure_responses._sync.response_store import MemoryResponseStore
from azure_responses.bridge import ReasoningCache
from azure_responses.bridge.conversions import LazySealer
from azure_responses.call_options import ClientArguments
from azure_responses.errors import ConfigurationError
from azure_responses.event_loop import forget_closed_loops, running_loop
from azure_responses.fork import in_forked_child
from azure_responses.protocol.environment import ENVIRONMENT, EVERY_VARIABLE
from azure_responses.protocol.stored_response import ResponseMemory
from azure_responses.protocol.warning import warn_caller
from azure_responses.router._async.routed_calls import AsyncRoutedCalls
from azure_responses.router._sync.routed_calls import RoutedCalls
from azure_responses.router.arguments import ChatOptions, RouterOptions
from azure_responses.router.attempts import FailedAttempt
from azure_responses.router.request_reader import RequestReader
from azure_responses.router.targets import (
    AsyncTargets,
    ClientFactory,
    Targets,
    check_connections,
    make_async_credential,
    make_credential,
    take_clients,
)
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.entry_defaults import read_defaults, with_defaults
from azure_responses.routing.model_list import read_model_list
from azure_responses.routing.prompt_cache_keys import PromptCacheKeys
from azure_responses.routing.settings import RouterSettings, read_settings
from azure_responses.routing.signed_id import IdSigner
from azure_responses.store.factory import open_state, open_texts, state_of
from azure_responses.telemetry.callback import (
    Callbacks,
    async_run_callbacks,
    callbacks,
    run_callbacks,
)
from azure_responses.telemetry.record import CallRecord

__all__ = [
    "ENVIRONMENT_VARIABLE",
    "RouterParts",
    "find_secrets",
]

# Options that are read here; the rest are the settings of routing.
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
        "response_texts",
    }
)
_CLIENTS = frozenset(ClientArguments.__annotations__) & frozenset(RouterOptions.__annotations__)
_NETWORK = (_CLIENTS - _OWN - {"timeout"}) | {"http_client", "async_http_client"}
_DEFAULT_TIMEOUT = 600.0


class RouterParts:
    """Everything under a router; a Router and its async calls share one.

    Args:
        model_list, options: as `Router` takes them.

    Attributes:
        routing: decides.
        state, async_state: limits, cooldowns and stored responses.
        signer: makes and reads labels.
        reader: reads requests and their labels.
        chat_options: how chat completions are bridged.
        calls: the loop under every sync call.
        response_store: where the responses of deployments that store none are kept, for async use.
    """

    def __init__(self, model_list: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> None:
        given: dict[str, Any] = dict(options)
        rows, clients = take_clients(_completed(model_list, given))
        deployments = read_model_list(rows, os.environ, warn_caller)
        if clients:
            _warn_of_unheeded(given)
        settings = _read_settings(given)
        self.routing = DeploymentRegistry(deployments, settings)
        self.state, self.async_state = open_state(state_of(given), **_state_options(given))
        secret = given.get("affinity_secret")
        secrets = find_secrets(secret, os.environ, deployments, is_shared=self.state.is_shared)
        signer = IdSigner(secrets)
        accepts = _read_flag(given, "accept_litellm_ids")
        affinity = Affinity(signer, deployments, accept_litellm_ids=accepts)
        cache = _read_cache(given.get("reasoning_cache"))
        self.chat_options = ChatOptions(_read_flag(given, "drop_params"), cache)
        self.reader = RequestReader(
            self.routing,
            signer,
            affinity,
            cache_keys=PromptCacheKeys(secrets[0]),
            timeout=given.get("timeout", _DEFAULT_TIMEOUT),
            chat_options=self.chat_options,
        )
        self.signer = signer
        self._on_retry = Callbacks(on_retry=given.get("on_retry")).on_retry
        sync, asynchronous = clients.of(deployments)
        check_connections(deployments, given, {*sync, *asynchronous}, os.environ)
        if given.get("sealing_secret") is None:
            given["sealing_secret"] = secrets
        stores = self._response_stores(given)
        self.response_store: AsyncResponseStore = stores[1]
        factory, self._async_factory = _factories(given, sync, asynchronous, stores)
        targets = Targets(deployments, factory)
        self.calls = RoutedCalls(self.routing, self.state, targets, on_failed_attempt=self._tell)
        self._loops: WeakKeyDictionary[Any, AsyncRoutedCalls] = WeakKeyDictionary()
        self._last_loop: tuple[Callable[[], Any], AsyncRoutedCalls] | None = None
        # Connections and calls under way belong to the parent.
        in_forked_child(self, RouterParts._leave_parent)

    def _response_stores(self, options: Mapping[str, Any]) -> tuple[Any, Any]:
        """Where the responses of other APIs' deployments are kept: sync, async, for all clients."""
        texts = options.get("response_texts") or open_texts(self.state, **_state_options(options))
        if texts is not None:
            # Imported only here: a router without a shared state has no use for it.
            from azure_responses.store.response_texts import AsyncSharedResponses, SharedResponses

            shared = SharedResponses(texts, LazySealer(options["sealing_secret"], os.urandom))
            return shared, AsyncSharedResponses(shared)
        memory = ResponseMemory()
        return MemoryResponseStore(memory), AsyncMemoryResponseStore(memory)

    @property
    def async_calls(self) -> AsyncRoutedCalls:
        """The loop under every async call of the running event loop."""
        loop = running_loop()
        # Nearly every call is made in the event loop of the call before it.
        last = self._last_loop
        if last is not None and last[0]() is loop:
            return last[1]
        calls = self._loops.get(loop)
        if calls is None:
            targets = AsyncTargets(self.routing.deployments, self._async_factory)
            made = AsyncRoutedCalls(
                self.routing,
                self.async_state,
                targets,
                on_failed_attempt=self._atell,
                abandoned_streams=self.calls.abandoned_streams,
            )
            forget_closed_loops(self._loops)
            calls = self._loops.setdefault(loop, made)
        self._last_loop = (ref(loop), calls)
        return calls

    def close(self) -> None:
        """Close the connections of sync calls and the state."""
        self.calls.targets.close()
        self.state.close()

    async def leave_loop(self) -> None:
        """Close the connections of this event loop's calls."""
        calls = self._loops.pop(running_loop(), None)
        self._last_loop = None
        if calls is not None:
            await calls.targets.aclose()

    async def aclose(self) -> None:
        """Close the connections of this event loop's calls, those of sync calls, and the state."""
        await self.leave_loop()
        self.calls.targets.close()
        await self.async_state.aclose()

    def _leave_parent(self) -> None:
        self.calls.targets.forget()
        self._loops, self._last_loop = WeakKeyDictionary(), None
        self.routing.health.forget_calls()

    # Callbacks are looked up each time: they may be registered after the router was made.
    def _tell(self, failed_attempt: FailedAttempt) -> None:
        functions = [*callbacks.on_retry, *self._on_retry]
        if functions:
            run_callbacks(functions, _record(failed_attempt))

    async def _atell(self, failed_attempt: FailedAttempt) -> None:
        functions = [*callbacks.on_retry, *self._on_retry]
        if functions:
            await async_run_callbacks(functions, _record(failed_attempt))


def _factories(
    options: Mapping[str, Any],
    sync: Mapping[str, Any],
    asynchronous: Mapping[str, Any],
    stores: tuple[Any, Any],
) -> tuple[ClientFactory[AzureResponses], ClientFactory[AsyncAzureResponses]]:
    """What makes the clients of entries that have none."""
    shared = {n: options[n] for n in _CLIENTS if n in options and n not in _OWN}
    return (
        ClientFactory(
            AzureResponses,
            _client_arguments(shared, options.get("http_client"), stores[0]),
            sync,
            asynchronous.keys() - sync.keys(),
            make_credential,
        ),
        ClientFactory(
            AsyncAzureResponses,
            _client_arguments(shared, options.get("async_http_client"), stores[1]),
            asynchronous,
            sync.keys() - asynchronous.keys(),
            make_async_credential,
        ),
    )


def _record(failed_attempt: FailedAttempt) -> CallRecord:
    return CallRecord(
        call_type="responses",
        operation="create",
        deployment=failed_attempt.deployment.model,
        deployment_id=failed_attempt.deployment.id,
        group=failed_attempt.deployment.group,
        router_attempt=failed_attempt.attempts,
        attempts=failed_attempt.attempts,
        error=failed_attempt.error,
        retry_delay=failed_attempt.delay,
    )


def _completed(entries: Any, options: dict[str, Any]) -> Any:
    """The entries with the parameters that LiteLLM's `default_litellm_params` give to all."""
    defaults = read_defaults(options.pop("default_litellm_params", None))
    # Anything else is refused by `read_model_list`, which says what entries look like.
    is_list = isinstance(entries, list | tuple)
    return [with_defaults(entry, defaults) for entry in entries] if is_list else entries


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
        # Known names first: `api_key` is near to `api`, but it is not a misspelt `api`.
        if _BELONG_TO_ROWS & set(unknown):
            error.hint = "Endpoints and credentials belong into the entries of model_list."
        elif near and repr(unknown[0]) in error.message:
            error.hint = f"Did you mean {' or '.join(map(repr, near))}?"
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
            f"{', '.join(names)} of the router has no effect on the clients in model_list, "
            "which keep their own. Give it to them."
        )


_BELONG_TO_ROWS = frozenset({"api_key", "endpoint", "azure_endpoint", "api_base", "api_version"})


def _state_options(options: Mapping[str, Any]) -> dict[str, Any]:
    names = {"state_prefix": "prefix", "state_timeout": "timeout", "state_credential": "credential"}
    return {name: options[key] for key, name in names.items() if options.get(key) is not None}


def _client_arguments(arguments: Mapping[str, Any], client: Any, store: Any) -> dict[str, Any]:
    given = {**arguments, "response_store": store}
    return {**given, "http_client": client} if client is not None else given


_LOG = logging.getLogger("azure_responses.router")

ENVIRONMENT_VARIABLE = "AZURE_RESPONSES_AFFINITY_SECRET"

# The number is for another derivation, which must not make the same secret.
_KEY = b"azure_responses affinity secret 1"


def find_secrets(
    given: str | bytes | Sequence[str | bytes] | None,
    environ: Mapping[str, str],
    deployments: Iterable[Deployment],
    *,
    is_shared: bool,
) -> list[bytes]:
    """The secrets of a router: the first signs, all verify.

    What was given, else the environment's, else one derived from the deployments' API keys, so
    that a restart and a replica with the same entries agree by themselves, else a random one.

    `is_shared` says that there certainly are replicas; a derived secret is then worth a
    warning, since their rows may come to differ.
    """
    # An empty variable, as containers set it, counts as none.
    explicit = (environ.get(ENVIRONMENT_VARIABLE) or None) if given is None else given
    if explicit is not None:
        return [_bytes(one) for one in _listed(explicit)]
    if is_shared:
        warn_caller(
            "The router shares its state but has no affinity_secret: replicas whose entries or "
            f"keys differ do not know each other's ids. Pass affinity_secret=…, or set "
            f"{ENVIRONMENT_VARIABLE}."
        )
    found = [one.connection.get("api_key") for one in deployments]
    found += [environ.get(name) for name in ENVIRONMENT["api_key"]]
    # In order and once each: how the entries are arranged must not change the secret.
    keys = sorted({key for key in found if isinstance(key, str) and key})
    # Last, so that a further variable does not change the secret of a router that has keys.
    keys = keys or sorted(filter(None, map(environ.get, EVERY_VARIABLE["api_key"])))
    if keys:
        return [digest(_KEY, "\0".join(keys).encode(), "sha256")]
    _LOG.warning(
        "No affinity_secret was given and no API key to derive one from: the ids this router gives "
        "out are of no use to another process, nor after a restart."
    )
    return [secrets.token_bytes(32)]


def _listed(given: str | bytes | Sequence[str | bytes]) -> Sequence[str | bytes]:
    listed = [given] if isinstance(given, str | bytes) else given
    if isinstance(listed, list | tuple) and all(isinstance(one, str | bytes) for one in listed):
        return listed
    raise ConfigurationError(
        "affinity_secret is neither a string nor a list of them.",
        hint="Pass a string of 16 bytes or more; of several, the first signs and all verify.",
    )


def _bytes(secret: str | bytes) -> bytes:
    # The environment has half surrogates in place of bytes that are not UTF-8.
    return secret.encode("utf-8", "surrogatepass") if isinstance(secret, str) else secret
