"""A loop of twenty tool calls by a caller that does as little as one can, over either transport.

`python -m tests.benchmarks.tool_loop` reads a plan from standard input and prints what it took:
a process of its own, so that the callers do not share an interpreter with what they measure.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import aiohttp
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["TURNS", "Peer", "run_alternating", "run_at_once", "tool_turn"]

TURNS = 20
_TIMEOUT = 600.0
_INCLUDE = ["reasoning.encrypted_content"]
_SCRIPT = "call"

JSON = dict[str, Any]


@dataclass(frozen=True)
class Peer:
    """What the callers talk to.

    Attributes:
        url: of the endpoint, its path included, with the scheme http.
        transport: `websocket`; `http` sends the whole input each time; `stored` continues a stored
            response over HTTP.
    """

    name: str
    url: str
    key: str
    model: str
    transport: str = "websocket"


def tool_turn(model: str, previous: JSON | None) -> JSON:
    """The body of the next turn: a question, or the result of the call in `previous`."""
    body: JSON = {"model": model, "store": False, "include": _INCLUDE}
    if previous is None:
        return {**body, "input": _SCRIPT}
    return {**body, "previous_response_id": previous["id"], "input": _results(previous)}


def _results(response: JSON) -> list[JSON]:
    return [
        {"type": "function_call_output", "call_id": item["call_id"], "output": _SCRIPT}
        for item in response["output"]
        if item["type"] == "function_call"
    ]


class _Caller(Protocol):
    async def turn(self, previous: JSON | None) -> JSON:
        """Make the next turn of the loop: its response."""


class _SocketCaller:
    def __init__(self, peer: Peer, socket: ClientConnection) -> None:
        self._peer = peer
        self._socket = socket

    async def turn(self, previous: JSON | None) -> JSON:
        body = tool_turn(self._peer.model, previous)
        await self._socket.send(json.dumps({"type": "response.create", **body}))
        while True:
            event = json.loads(await self._socket.recv())
            if event["type"] == "response.completed":
                return dict(event["response"])
            if event["type"] in ("error", "response.failed"):
                raise RuntimeError(f"{self._peer.name}: {event}")


class _HttpCaller:
    def __init__(self, peer: Peer, session: aiohttp.ClientSession) -> None:
        self._peer = peer
        self._session = session
        self._items: list[JSON] = []

    async def turn(self, previous: JSON | None) -> JSON:
        headers = {"authorization": f"Bearer {self._peer.key}"}
        body = self._body(previous)
        async with self._session.post(self._peer.url, json=body, headers=headers) as reply:
            if reply.status != 200:
                raise RuntimeError(f"{self._peer.name}: {await reply.text()}")
            async for event in _events(reply.content):
                if event["type"] == "response.completed":
                    response = dict(event["response"])
        return response

    def _body(self, previous: JSON | None) -> JSON:
        body = {**tool_turn(self._peer.model, previous), "stream": True}
        if self._peer.transport == "stored":
            return {**body, "store": True}
        if previous is None:
            self._items = [{"role": "user", "content": body["input"]}]
        else:
            self._items += [*previous["output"], *_results(previous)]
        body.pop("previous_response_id", None)
        return {**body, "input": self._items}


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[JSON]:
    async for line in content:
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


async def _enter(stack: AsyncExitStack, peer: Peer) -> _Caller:
    if peer.transport != "websocket":
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        session = aiohttp.ClientSession(timeout=timeout, read_bufsize=2**22)
        return _HttpCaller(peer, await stack.enter_async_context(session))
    headers = {"authorization": f"Bearer {peer.key}"}
    socket = connect(
        peer.url.replace("http", "ws", 1),
        additional_headers=headers,
        compression=None,
        max_size=None,
    )
    return _SocketCaller(peer, await stack.enter_async_context(socket))


async def _alternate(peers: list[Peer], loops: int) -> list[list[float]]:
    """Seconds of each turn, for each peer; every turn is made with one peer after the other."""
    async with AsyncExitStack() as stack:
        callers = [await _enter(stack, peer) for peer in peers]
        seconds: list[list[float]] = [[] for _ in peers]
        for number in range(loops):
            last: list[JSON | None] = [None] * len(peers)
            for _ in range(TURNS):
                # Who goes first changes, so that none always runs after the same neighbour.
                for place in range(len(peers)):
                    which = (place + number) % len(peers)
                    began = time.perf_counter()
                    last[which] = await callers[which].turn(last[which])
                    seconds[which].append(time.perf_counter() - began)
        # Connections are opened and code is compiled in the first loop.
        return [one[TURNS:] for one in seconds]


async def _at_once(peer: Peer, callers: int, loops: int) -> float:
    """Seconds per turn of so many callers, each of whom makes whole loops."""
    async with AsyncExitStack() as stack:
        entered = [await _enter(stack, peer) for _ in range(callers)]

        async def run(caller: _Caller, count: int) -> None:
            for _ in range(count):
                last: JSON | None = None
                for _ in range(TURNS):
                    last = await caller.turn(last)

        await asyncio.gather(*(run(caller, 1) for caller in entered))
        began = time.perf_counter()
        await asyncio.gather(*(run(caller, loops) for caller in entered))
        return (time.perf_counter() - began) / (callers * loops * TURNS)


def run_alternating(peers: list[Peer], loops: int) -> list[list[float]]:
    """Seconds of each turn, for each peer."""
    seconds: list[list[float]] = _run({"peers": [asdict(one) for one in peers], "loops": loops})
    return seconds


def run_at_once(peer: Peer, *, callers: int, loops: int) -> float:
    """Seconds per turn of so many callers at once."""
    seconds: float = _run({"peers": [asdict(peer)], "loops": loops, "callers": callers})
    return seconds


def _run(plan: JSON) -> Any:
    command = [sys.executable, "-m", "tests.benchmarks.tool_loop"]
    done = subprocess.run(
        command, input=json.dumps(plan), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def _main() -> None:
    plan = json.loads(sys.stdin.read())
    peers = [Peer(**fields) for fields in plan["peers"]]
    work: Any
    if "callers" in plan:
        work = _at_once(peers[0], plan["callers"], plan["loops"])
    else:
        work = _alternate(peers, plan["loops"])
    print(json.dumps(asyncio.run(work)))


if __name__ == "__main__":
    _main()
