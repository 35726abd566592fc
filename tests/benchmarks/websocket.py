"""A loop of twenty tool calls over WebSocket and over HTTP, and what a WebSocket's event costs.

The resource is the scripted one of tests/soak, in a process of its own. The gateway is compared
with a bare pass-through in the same run; both carry every turn of the same loop in turns.
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect

from azure_responses import AsyncAzureResponses
from tests.benchmarks.comparison import Comparison, Contender, Target, compare
from tests.benchmarks.measured_server import MeasuredServer, start_server
from tests.benchmarks.tool_loop import TURNS, Peer, run_alternating, run_at_once, tool_turn
from tests.soak.scripted_upstream import KEY, upstream_process

__all__ = ["describe_websocket"]

_PATH = "/openai/v1/responses"
_MASTER_KEY = "sk-benchmark-0123456789abcdef"
_MOST_ADDED = 1.0
_DELTAS = 2000
_EVENTS = _DELTAS + 8
_BARE = "websockets + json.loads"

_CONFIG = """
model_list:
  - model_name: native
    litellm_params: {{model: azure/gpt-5-mini, api_base: "{url}", api_key: {key}, websocket: true}}
    model_info: {{id: native}}
  - model_name: http
    litellm_params: {{model: azure/gpt-5-mini, api_base: "{url}", api_key: {key}}}
    model_info: {{id: http}}
general_settings:
  master_key: {master}
  affinity_secret: benchmark-benchmark-benchmark
"""

JSON = dict[str, Any]
_Turn = Callable[[JSON], Coroutine[Any, Any, Any]]
_Work = Callable[[str, _Turn], Coroutine[Any, Any, None]]


def describe_websocket(stub: str) -> Iterator[str]:
    """The figures, and whether each target is met."""
    with ExitStack() as stack:
        url = stack.enter_context(upstream_process())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "gateway.yaml").write_text(_CONFIG.format(url=url, key=KEY, master=_MASTER_KEY))
        gateway, floor = (
            stack.enter_context(start_server(name, [sys.executable, *words], os.environ))
            for name, words in _commands(folder, url)
        )
        yield from _describe_added(gateway, floor)
        yield from _describe_rates(gateway, floor)
    with upstream_process() as url, asyncio.Runner() as runner:
        for comparison in (_compare_loops(runner, url), _compare_events(runner, url)):
            yield from comparison.lines()


def _commands(folder: Path, url: str) -> Iterator[tuple[str, list[str]]]:
    configuration = str(folder / "gateway.yaml")
    serve = ["-m", "azure_responses", "serve", "--config", configuration, "--port"]
    yield "azure_responses", serve
    target = url.replace("http", "ws", 1) + _PATH
    yield "pass-through", ["-m", "tests.benchmarks.websocket_floor", target]


# --- the gateway ----------------------------------------------------------------------------------


def _peers(gateway: MeasuredServer, floor: MeasuredServer) -> list[Peer]:
    url = f"{gateway.url}/v1/responses"
    return [
        Peer("gateway", url, _MASTER_KEY, "native"),
        Peer("pass-through", floor.url + _PATH, KEY, "native"),
        Peer("gateway, HTTP behind it", url, _MASTER_KEY, "http"),
        Peer("gateway, HTTP both ways", url, _MASTER_KEY, "http", "http"),
    ]


def _describe_added(gateway: MeasuredServer, floor: MeasuredServer) -> Iterator[str]:
    yield f"\nwebsocket, one loop of {TURNS} turns after the other: a turn"
    peers = _peers(gateway, floor)
    seconds = run_alternating(peers, 21)
    floor_p50, floor_p99 = _percentiles(seconds[1])
    for peer, turns in zip(peers, seconds, strict=True):
        p50, p99 = _percentiles(turns)
        added = f"   added {p50 - floor_p50:+.2f}, {p99 - floor_p99:+.2f}"
        yield f"  {peer.name:28}p50{p50:7.2f} ms   p99{p99:7.2f} ms{added}"
    added_p50 = _percentiles(seconds[0])[0] - floor_p50
    verdict = "met" if added_p50 <= _MOST_ADDED else "MISSED"
    yield f"  target: at most {_MOST_ADDED:.1f} ms added at p50: {added_p50:.2f}: {verdict}"


def _percentiles(seconds: list[float]) -> tuple[float, float]:
    return median(seconds) * 1e3, quantiles(seconds, n=100)[98] * 1e3


def _describe_rates(gateway: MeasuredServer, floor: MeasuredServer) -> Iterator[str]:
    for callers, loops in ((1, 10), (50, 2)):
        yield f"\nwebsocket, loops of {TURNS} turns, {callers} at once"
        for peer in _peers(gateway, floor):
            server = floor if peer.name == floor.name else gateway
            walls, cpus = [], []
            for _ in range(3):
                before = server.cpu()
                walls.append(run_at_once(peer, callers=callers, loops=loops))
                # The loop that opens connections does not count, but costs.
                cpus.append((server.cpu() - before) / (callers * (loops + 1) * TURNS))
            wall, cpu = median(walls), median(cpus) * 1e6
            yield f"  {peer.name:28}{1 / wall:8.0f} turns/s{cpu:9.0f} µs CPU"
    yield from (f"  {one.name:28}RSS {one.megabytes():6.0f} MB" for one in (gateway, floor))


# --- the client -----------------------------------------------------------------------------------


class _Clients:
    """The clients that are compared, connected to one resource; an async context manager."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> "_Clients":
        enter = self._stack.enter_async_context
        self.ours = await enter(AsyncAzureResponses(self._url, api_key=KEY))
        self.connection = await enter(self.ours.responses.connect(model="m"))
        socket = self._url.replace("http", "ws", 1)
        openai = await enter(
            AsyncOpenAI(
                api_key=KEY,
                base_url=f"{self._url}/openai/v1",
                websocket_base_url=f"{socket}/openai/v1",
            )
        )
        self.openai = await enter(openai.responses.connect())
        headers = {"authorization": f"Bearer {KEY}"}
        self.bare: ClientConnection = await enter(
            connect(socket + _PATH, additional_headers=headers, compression=None, max_size=None)
        )
        return self

    async def __aexit__(self, *about: Any) -> None:
        await self._stack.aclose()

    async def turn(self, body: JSON) -> Any:
        """A turn of ours: the response."""
        async with self.connection.create(**body) as stream:
            return await stream.get_final_response()

    async def http_turn(self, body: JSON) -> Any:
        """A call of ours over HTTP: the response."""
        async with self.ours.responses.stream(**body) as stream:
            return await stream.get_final_response()

    async def openai_turn(self, body: JSON) -> Any:
        """A turn of the openai package: the response."""
        await self.openai.response.create(**body)
        async for event in self.openai:
            if event.type == "response.completed":
                return event.response
        raise RuntimeError("no end")

    async def bare_turn(self, body: JSON) -> Any:
        """A turn without a client: the response as it came."""
        await self.bare.send(json.dumps({"type": "response.create", **body}))
        while True:
            event = json.loads(await self.bare.recv())
            if event["type"] == "response.completed":
                return event["response"]


def _turns_of(clients: _Clients) -> dict[str, _Turn]:
    return {
        "azure_responses": clients.turn,
        _BARE: clients.bare_turn,
        "openai": clients.openai_turn,
        "azure_responses over HTTP": clients.http_turn,
    }


def _compare_loops(runner: asyncio.Runner, url: str) -> Comparison:
    async def loop(name: str, turn: _Turn) -> None:
        previous: JSON | None = None
        for _ in range(TURNS):
            body = tool_turn("m", previous)
            if name.endswith("HTTP"):
                body["store"] = True
            response = await turn(body)
            previous = response if isinstance(response, dict) else response.to_dict()

    return _compare(runner, url, f"websocket, {TURNS} turns with tools", "turn", TURNS, loop, [])


def _compare_events(runner: asyncio.Runner, url: str) -> Comparison:
    body = {"model": "m", "store": False, "input": f"text deltas={_DELTAS}"}

    async def read(name: str, turn: _Turn) -> None:
        await turn(body)

    title = f"websocket, a turn of {_EVENTS} events"
    return _compare(runner, url, title, "event", _EVENTS, read, [Target(_BARE, 2.0)])


def _run(runner: asyncio.Runner, work: _Work, name: str, turn: _Turn) -> None:
    runner.run(work(name, turn))


def _compare(
    runner: asyncio.Runner,
    url: str,
    title: str,
    unit: str,
    units: int,
    work: _Work,
    targets: list[Target],
) -> Comparison:
    clients = runner.run(_Clients(url).__aenter__())
    try:
        contenders = [
            Contender(name, partial(_run, runner, work, name, turn), units)
            for name, turn in _turns_of(clients).items()
        ]
        return compare(title, unit, contenders, targets, rounds=11)
    finally:
        runner.run(clients.__aexit__())
