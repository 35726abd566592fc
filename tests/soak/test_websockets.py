"""Two hundred callers of WebSockets with a hundred turns each: what the gateway holds."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.tool_loop import tool_turn
from tests.gateway.gateways import KEY
from tests.gateway.socket_callers import scripted_config
from tests.soak.scripted_upstream import upstream_process
from tests.soak.served import HAS_PROC, Served

_CALLERS = 200
_TURNS = 110
_LOOP = 10
# After so many turns the bounded caches are full: memory was 124 MB after 20 turns, 150 MB after 80
# and after 110, and 152 MB after 140.
_WARM = 80
# Of 6,000 turns between the two looks: one kilobyte kept of each would be 6 MB.
_MOST_GROWTH_MB = 6

JSON = dict[str, Any]

pytestmark = pytest.mark.skipif(not HAS_PROC, reason="descriptors cannot be counted here")


async def _make_turns(socket: ClientConnection, model: str, count: int) -> None:
    """Loops of tool calls, each of which is a chain of its own."""
    previous: JSON | None = None
    for number in range(count):
        body = tool_turn(model, previous if number % _LOOP else None)
        await socket.send(json.dumps({"type": "response.create", **body}))
        previous = await _read_turn(socket)


async def _read_turn(socket: ClientConnection) -> JSON:
    while True:
        event = json.loads(await socket.recv())
        if event["type"] in ("error", "response.failed"):
            raise AssertionError(event)
        if event["type"] == "response.completed":
            return dict(event["response"])


async def _run(gateway: Served, model: str) -> tuple[list[float], Counter[str]]:
    """The memory after the first turns of all callers and after all, and what is open meanwhile."""
    target = gateway.url.replace("http", "ws", 1) + "/v1/responses"
    headers = {"authorization": f"Bearer {KEY}"}
    sockets = [
        await connect(target, additional_headers=headers, compression=None, open_timeout=30)
        for _ in range(_CALLERS)
    ]
    try:
        memory = []
        for turns in (_WARM, _TURNS - _WARM):
            await asyncio.gather(*(_make_turns(socket, model, turns) for socket in sockets))
            memory.append(gateway.resident_mb())
        return memory, gateway.open_kinds()
    finally:
        await asyncio.gather(*(socket.close() for socket in sockets))


@pytest.mark.parametrize("model", ["native", "http"])
def test_two_hundred_connections_with_a_hundred_turns_leave_nothing_behind(
    tmp_path: Path, model: str
) -> None:
    with upstream_process() as url:
        (tmp_path / "gateway.yaml").write_text(json.dumps(scripted_config(url)))
        words = ("serve", "--config", "gateway.yaml", "--port", "0")
        with Served(*words, folder=tmp_path, name="gateway") as gateway:
            before = gateway.open_kinds()
            memory, meanwhile = asyncio.run(_run(gateway, model))
            assert meanwhile["from a caller"] == _CALLERS
            upstream = f"to port {url.rpartition(':')[2]}"
            if model == "native":
                assert meanwhile[upstream] == _CALLERS
            assert memory[1] - memory[0] < _MOST_GROWTH_MB, memory
            assert _until(lambda: gateway.open_kinds()["from a caller"] == 0)
            if model == "native":
                assert _until(lambda: gateway.open_kinds()[upstream] == 0)
            after = gateway.open_kinds()
            del before[upstream], after[upstream]
            assert after == before
            assert "Traceback" not in gateway.log.read_text()


def _until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
