"""One small call, typed: sync one after another, async fifty at once."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import Any

import httpx
from openai import AsyncAzureOpenAI, AzureOpenAI

from azure_responses import AsyncAzureResponses, AzureResponses
from tests.benchmarks.bodies import PROMPT
from tests.benchmarks.comparison import Comparison, Contender, Target, compare

__all__ = ["compare_async_calls", "compare_sync_calls"]

_PATH = "/small/openai/v1/responses"
_BODY: dict[str, Any] = {"model": "gpt-5-mini", "input": PROMPT, "max_output_tokens": 100}
_AT_ONCE = 50
_VERSION = "2025-04-01-preview"

_Call = Callable[[], Awaitable[Any]]
_Opener = Callable[[], AbstractAsyncContextManager[_Call]]


def compare_sync_calls(stub: str) -> list[Comparison]:
    """`responses.create` against a bare post and `json.loads`."""
    with (
        AzureResponses(f"{stub}/small", api_key="key") as ours,
        httpx.Client(headers={"api-key": "key"}) as bare,
        AzureOpenAI(azure_endpoint=f"{stub}/small", api_key="key", api_version=_VERSION) as openai,
    ):
        contenders = [
            _repeated("azure_responses", lambda: ours.responses.create(**_BODY)),
            _repeated(
                "httpx.Client", lambda: json.loads(bare.post(stub + _PATH, json=_BODY).content)
            ),
            _repeated("openai", lambda: openai.responses.create(**_BODY)),
            *_litellm(stub),
        ]
        targets = [Target("httpx.Client", 1.20)]
        return [compare("sync responses.create", "call", contenders, targets)]


def _repeated(name: str, call: Callable[[], Any], calls: int = 200) -> Contender:
    def run() -> None:
        for _ in range(calls):
            call()

    return Contender(name, run, calls)


def _litellm(stub: str) -> list[Contender]:
    if not find_spec("litellm"):
        return []
    import litellm  # type: ignore[import-not-found, unused-ignore]

    def call() -> None:
        litellm.responses(
            **{**_BODY, "model": "azure/gpt-5-mini"},
            api_base=f"{stub}/small",
            api_key="key",
            api_version=_VERSION,
        )

    return [_repeated("litellm", call, calls=30)]


def compare_async_calls(stub: str) -> list[Comparison]:
    """Fifty at once with clients that stay and with new ones, and one call after another.

    httpx's pool keeps fewer connections the longer a client works under load, and is the faster for
    it: a client that has just been opened shows the other end.
    """
    openers = _openers(stub)
    targets = [Target("httpx.AsyncClient", 0.15), Target("openai", 0.25)]
    title = "async responses.create"
    with asyncio.Runner() as runner:
        fresh = [_contender(runner, name, _burst_anew(open_)) for name, open_ in openers.items()]
        comparisons = [compare(f"{title}, {_AT_ONCE} at once, new clients", "call", fresh, targets)]
        stack = AsyncExitStack()
        calls = {
            name: runner.run(stack.enter_async_context(open_())) for name, open_ in openers.items()
        }
        try:
            warm = [_contender(runner, name, _burst(call)) for name, call in calls.items()]
            turns = [_contender(runner, name, _in_turn(call)) for name, call in calls.items()]
            comparisons += [
                compare(f"{title}, {_AT_ONCE} at once, warm clients", "call", warm, targets),
                compare(f"{title}, one at a time", "call", turns),
            ]
        finally:
            runner.run(stack.aclose())
        return comparisons


def _openers(stub: str) -> dict[str, _Opener]:
    """How each contender is opened; what is opened makes one call."""

    @asynccontextmanager
    async def open_ours() -> AsyncIterator[_Call]:
        async with AsyncAzureResponses(f"{stub}/small", api_key="key") as client:
            yield lambda: client.responses.create(**_BODY)

    @asynccontextmanager
    async def open_bare() -> AsyncIterator[_Call]:
        async with httpx.AsyncClient(headers={"api-key": "key"}) as client:

            async def post() -> Any:
                return json.loads((await client.post(stub + _PATH, json=_BODY)).content)

            yield post

    @asynccontextmanager
    async def open_openai() -> AsyncIterator[_Call]:
        async with AsyncAzureOpenAI(
            azure_endpoint=f"{stub}/small", api_key="key", api_version=_VERSION
        ) as client:
            yield lambda: client.responses.create(**_BODY)

    return {
        "azure_responses": open_ours,
        "httpx.AsyncClient": open_bare,
        "openai": open_openai,
    }


_CALLS = 400


def _contender(runner: asyncio.Runner, name: str, work: _Call) -> Contender:
    async def run() -> None:
        await work()

    return Contender(name, lambda: runner.run(run()), _CALLS)


def _burst(call: _Call) -> _Call:
    """Makes all the calls, `_AT_ONCE` of them at any time."""

    async def run() -> None:
        turns = asyncio.Semaphore(_AT_ONCE)

        async def work() -> None:
            async with turns:
                await call()

        await asyncio.gather(*(work() for _ in range(_CALLS)))

    return run


def _burst_anew(open_: _Opener) -> _Call:
    """A burst of a client that is opened for it."""

    async def run() -> None:
        async with open_() as call:
            await _burst(call)()

    return run


def _in_turn(call: _Call) -> _Call:
    """Makes all the calls one after another."""

    async def run() -> None:
        for _ in range(_CALLS):
            await call()

    return run
