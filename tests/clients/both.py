"""Runs one scenario on the sync client and on the async one, under asyncio and trio.

A scenario is a coroutine function that takes an async client. For the sync client the same calls
are made through a facade whose coroutines never wait.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import anyio
import httpx

from azure_responses import AsyncAzureResponses, AzureResponses
from azure_responses.emulator import Emulator

__all__ = ["RUNNERS", "Scenario", "as_async", "run", "run_served", "seen_as_async"]

Scenario = Callable[[Any], Coroutine[Any, Any, None]]
RUNNERS = ("sync", "asyncio", "trio")

# What the async client offers without `await`.
_NOT_AWAITED = frozenset(
    {
        ("AzureResponses", "with_options"),
        ("AzureResponses", "copy"),
        ("Batches", "list"),
        ("Completions", "stream"),
        ("ContainerFiles", "list"),
        ("Containers", "list"),
        ("ConversationItems", "list"),
        ("Files", "list"),
        ("InputItemPages", "pages"),
        ("InputItems", "list"),
        ("Pages", "pages"),
        ("ResponseConnection", "create"),
        ("ResponseConnection", "successor"),
        ("ResponseSocket", "knows"),
        ("ResponseSocket", "side_events"),
        ("Responses", "connect"),
        ("Responses", "stream"),
        ("SkillVersions", "list"),
        ("Skills", "list"),
        ("SocketReply", "end_opening"),
        ("SocketReply", "note"),
        ("Stream", "text_deltas"),
        ("TurnStream", "text_deltas"),
        ("VectorStoreFileBatches", "list_files"),
        ("VectorStoreFiles", "content"),
        ("VectorStoreFiles", "list"),
        ("VectorStores", "list"),
        ("VectorStores", "search"),
        ("Webhooks", "list"),
        ("Webhooks", "unwrap"),
        ("Webhooks", "verify_signature"),
    }
)


class _Awaitable:
    """A sync object seen as its async twin."""

    def __init__(self, target: Any) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Any:
        name = {"aclose": "close"}.get(name, name)
        value = getattr(self._target, name)
        if not callable(value):
            return _wrap(value)
        if (type(self._target).__name__, name) in _NOT_AWAITED:
            return lambda *args, **kwargs: _wrap(value(*args, **kwargs))
        return _make_coroutine(value)

    async def __aenter__(self) -> Any:
        self._target.__enter__()
        return self

    async def __aexit__(self, *details: Any) -> None:
        self._target.__exit__(*details)

    def __aiter__(self) -> AsyncIterator[Any]:
        return _iterate(iter(self._target))

    async def __anext__(self) -> Any:
        return next(self._target)


def _make_coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        return _wrap(function(*args, **kwargs))

    return call


async def _iterate(iterator: Any) -> AsyncIterator[Any]:
    for value in iterator:
        yield value


def _wrap(value: Any) -> Any:
    name = type(value).__name__
    is_ours = type(value).__module__.startswith("azure_responses.") and not hasattr(
        value, "model_dump"
    )
    if is_ours and name not in ("BinaryContent", "RawResponse"):
        return _Awaitable(value)
    if name == "generator":
        return _iterate(value)
    return value


def as_async(target: Any) -> Any:
    """A sync object with the interface of its async twin."""
    return _Awaitable(target)


def seen_as_async(client: AzureResponses) -> Any:
    """The sync client with the async client's interface; nothing it returns ever waits."""
    return _Awaitable(client)


def run(runner: str, emulator: Emulator, scenario: Scenario, **arguments: Any) -> None:
    """Run a scenario with a client over the emulator, in process."""
    settings = {"endpoint": emulator.endpoint, "deployment": "gpt-4.1", **arguments}
    if not any(name in arguments for name in ("credential", "azure_ad_token_provider")):
        settings.setdefault("api_key", emulator.api_key)
    if runner == "sync":
        _run_sync(emulator, scenario, settings)
    else:
        anyio.run(_run_async, emulator, scenario, settings, backend=runner)


def run_served(runner: str, endpoint: str, scenario: Scenario, **arguments: Any) -> None:
    """Run a scenario with a client over the network."""
    settings = {"endpoint": endpoint, **arguments}
    if runner == "sync":
        with AzureResponses(**settings) as client:
            _play(scenario, client)
    else:
        anyio.run(_run_served_async, scenario, settings, backend=runner)


async def _run_served_async(scenario: Scenario, settings: dict[str, Any]) -> None:
    async with AsyncAzureResponses(**settings) as client:
        await scenario(client)


def _run_sync(emulator: Emulator, scenario: Scenario, settings: dict[str, Any]) -> None:
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(http_client=http_client, **settings) as client,
    ):
        _play(scenario, client)


def _play(scenario: Scenario, client: AzureResponses) -> None:
    coroutine = scenario(_Awaitable(client))
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("a scenario waited for something the sync client does not offer")


async def _run_async(emulator: Emulator, scenario: Scenario, settings: dict[str, Any]) -> None:
    transport = emulator.httpx_transport()
    async with (
        httpx.AsyncClient(transport=transport) as http_client,
        AsyncAzureResponses(http_client=http_client, **settings) as client,
    ):
        await scenario(client)
