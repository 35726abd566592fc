"""The least a Python gateway for WebSockets can do: carry frames both ways, unread.

`python -m tests.benchmarks.websocket_floor URL PORT` passes each connection on to one of its own.
"""

import asyncio
import sys

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


async def _pump(
    source: ClientConnection | ServerConnection, target: ClientConnection | ServerConnection
) -> None:
    try:
        while True:
            await target.send(await source.recv())
    except ConnectionClosed:
        await target.close()


async def _main(url: str, port: int) -> None:
    async def pass_on(caller: ServerConnection) -> None:
        request = caller.request
        assert request is not None
        headers = {"authorization": request.headers["authorization"]}
        async with connect(
            url, additional_headers=headers, compression=None, max_size=None, ping_interval=None
        ) as upstream:
            await asyncio.gather(_pump(caller, upstream), _pump(upstream, caller))

    async with serve(
        pass_on, "127.0.0.1", port, compression=None, max_size=None, ping_interval=None
    ) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
