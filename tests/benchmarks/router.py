"""A routed call against a plain client's call, with few deployments and with many."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from azure_responses import AsyncAzureResponses, AzureResponses, Router
from tests.benchmarks.bodies import PROMPT
from tests.benchmarks.comparison import Comparison, Contender, Target, compare

__all__ = ["compare_router"]

_BODY: dict[str, Any] = {"input": PROMPT, "max_output_tokens": 100}
_SIZES = (2, 100)
_CALLS = 300
_AT_ONCE = 50
_PLAIN = "plain client"

_Call = Callable[[], Awaitable[Any]]


def _rows(stub: str, count: int) -> list[dict[str, Any]]:
    """Rows of one endpoint: what is measured is choosing, not opening connections."""
    return [
        {
            "model_name": "gpt",
            "litellm_params": {
                "model": f"azure/gpt-5-mini-{number}",
                "api_base": f"{stub}/small",
                "api_key": "key",
            },
        }
        for number in range(count)
    ]


def compare_router(stub: str) -> Iterator[Comparison]:
    """Sync, async one at a time, and async fifty at once; each with 2 and with 100 deployments."""
    yield from _compare_sync(stub)
    yield from _compare_async(stub)


def _targets() -> list[Target]:
    return [Target(_PLAIN, 1.20)]


def _compare_sync(stub: str) -> Iterator[Comparison]:
    for count in _SIZES:
        with (
            AzureResponses(f"{stub}/small", api_key="key") as client,
            Router(_rows(stub, count)) as router,
        ):

            def routed(router: Router = router) -> None:
                for _ in range(_CALLS):
                    router.responses(model="gpt", **_BODY)

            def plain(client: AzureResponses = client) -> None:
                for _ in range(_CALLS):
                    client.responses.create(model="gpt-5-mini", **_BODY)

            contenders = [Contender("router", routed, _CALLS), Contender(_PLAIN, plain, _CALLS)]
            yield compare(f"sync, {count} deployments", "call", contenders, _targets(), rounds=15)


def _compare_async(stub: str) -> Iterator[Comparison]:
    for count in _SIZES:
        with asyncio.Runner() as runner:
            client = AsyncAzureResponses(f"{stub}/small", api_key="key")
            router = Router(_rows(stub, count))

            def plain(client: AsyncAzureResponses = client) -> Awaitable[Any]:
                return client.responses.create(model="gpt-5-mini", **_BODY)

            def routed(router: Router = router) -> Awaitable[Any]:
                return router.aresponses(model="gpt", **_BODY)

            try:
                for at_once in (1, _AT_ONCE):
                    contenders = [
                        _contender(runner, "router", routed, at_once),
                        _contender(runner, _PLAIN, plain, at_once),
                    ]
                    title = f"async, {at_once} at once, {count} deployments"
                    yield compare(title, "call", contenders, _targets(), rounds=15)
            finally:
                runner.run(router.aclose())
                runner.run(client.aclose())


def _contender(runner: asyncio.Runner, name: str, call: _Call, at_once: int) -> Contender:
    async def work(turns: int) -> None:
        for _ in range(turns):
            await call()

    async def run() -> None:
        await asyncio.gather(*(work(_CALLS // at_once) for _ in range(at_once)))

    return Contender(name, lambda: runner.run(run()), _CALLS)
