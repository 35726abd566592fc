"""Runs one scenario on a router's sync calls and on its async ones, under asyncio and trio.

A scenario is a coroutine function that takes a router seen as async: `router.responses(…)` is
awaited, whichever half of the router answers.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx

from azure_responses import Router
from azure_responses.emulator import EmulatedDeployment, Emulator, Resource

__all__ = [
    "RUNNERS",
    "Asynchronous",
    "Scenario",
    "SeenAsAsync",
    "emulate",
    "rows_of",
    "run",
]

Scenario = Callable[[Any], Coroutine[Any, Any, None]]
RUNNERS = ("sync", "asyncio", "trio")

_NAMES = ("east", "west", "north", "south", *(f"region{number}" for number in range(5, 11)))


def emulate(count: int = 2, *deployments: EmulatedDeployment, **options: Any) -> Emulator:
    """So many resources with the same deployments, gpt-5 unless others are given."""
    found = deployments or (EmulatedDeployment("gpt-5"),)
    return Emulator(
        [Resource(name, deployments=found) for name in _NAMES[:count]], log_size=20_000, **options
    )


def rows_of(emulator: Emulator, count: int = 2, **params: Any) -> list[dict[str, Any]]:
    """One row of the group "gpt" per resource, its id the resource's name."""
    return [
        {
            "model_name": "gpt",
            "litellm_params": {
                "model": "azure/gpt-5",
                "api_key": emulator.api_key,
                "api_base": f"https://{name}.openai.azure.com",
                **params,
            },
            "model_info": {"id": name},
        }
        for name in _NAMES[:count]
    ]


class SeenAsAsync:
    """The sync calls of a router, awaited; none of them ever waits."""

    def __init__(self, router: Router) -> None:
        self.router = router

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.router, {"aclose": "close"}.get(name, name))
        if name in ("import_id", "adopt", "explain"):
            return function
        if name == "stream":
            return _entered(function)
        if name == "input_items":
            return lambda *args, **options: _Stream(function(*args, **options))

        async def call(*args: Any, **options: Any) -> Any:
            answer = function(*args, **options)
            return _Stream(answer) if hasattr(answer, "__next__") else answer

        return call


class Asynchronous:
    """The async calls of a router under the names of the sync ones."""

    def __init__(self, router: Router) -> None:
        self.router = router

    def __getattr__(self, name: str) -> Any:
        if name in ("import_id", "adopt", "explain", "aclose"):
            return getattr(self.router, name)
        return getattr(self.router, {"wait": "await_"}.get(name, f"a{name}"))


class _Stream:
    """A sync stream or its pages, iterated with `async for`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.inner, {"aclose": "close"}.get(name, name))
        if not callable(value):
            return value
        if name in ("text_deltas", "pages"):
            return lambda *args: _iterate(value(*args))

        async def call(*args: Any, **options: Any) -> Any:
            return value(*args, **options)

        return call

    async def __aenter__(self) -> Any:
        self.inner.__enter__()
        return self

    async def __aexit__(self, *details: Any) -> None:
        self.inner.__exit__(*details)

    def __aiter__(self) -> AsyncIterator[Any]:
        return _iterate(iter(self.inner))

    async def __anext__(self) -> Any:
        return next(self.inner)


async def _iterate(iterator: Any) -> AsyncIterator[Any]:
    for value in iterator:
        yield value


def _entered(function: Callable[..., Any]) -> Callable[..., Any]:
    @asynccontextmanager
    async def enter(**options: Any) -> AsyncIterator[Any]:
        with function(**options) as stream:
            yield _Stream(stream)

    return enter


def run(
    runner: str,
    emulator: Emulator,
    scenario: Scenario,
    rows: Sequence[Mapping[str, Any]] | None = None,
    *,
    transport: Any = None,
    **options: Any,
) -> None:
    """Run a scenario with a router over the emulator, in process."""
    rows = rows_of(emulator) if rows is None else rows
    transport = transport or emulator.httpx_transport()
    if runner == "sync":
        _run_sync(scenario, rows, transport, options)
    else:
        anyio.run(_run_async, scenario, rows, transport, options, backend=runner)


def _run_sync(
    scenario: Scenario, rows: Sequence[Mapping[str, Any]], transport: Any, options: Any
) -> None:
    with (
        httpx.Client(transport=transport) as http_client,
        Router(rows, http_client=http_client, **options) as router,
    ):
        coroutine = scenario(SeenAsAsync(router))
        try:
            coroutine.send(None)
        except StopIteration:
            return
        raise AssertionError("a scenario waited for something the sync calls do not offer")


async def _run_async(
    scenario: Scenario, rows: Sequence[Mapping[str, Any]], transport: Any, options: Any
) -> None:
    async with (
        httpx.AsyncClient(transport=transport) as http_client,
        Router(rows, async_http_client=http_client, **options) as router,
    ):
        await scenario(Asynchronous(router))
