"""Callers of a WebSocket: one that reads turns, and raw frames for one that misbehaves."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode
from websockets.sync.client import ClientConnection, connect

from tests.gateway.gateways import KEY
from tests.soak.scripted_upstream import KEY as RESOURCE_KEY

__all__ = ["ENDINGS", "SocketCaller", "frame_bytes", "scripted_config", "socket_caller"]

ENDINGS = {"response.completed", "response.incomplete", "response.failed", "error"}
_SECONDS = 30.0

JSON = dict[str, Any]


def scripted_config(url: str, **general: Any) -> JSON:
    """A configuration with the groups `native` and `http` on a scripted resource."""
    rows = [
        {
            "model_name": name,
            "litellm_params": {
                "model": "azure/gpt",
                "api_base": url,
                "api_key": RESOURCE_KEY,
                **options,
            },
            "model_info": {"id": name, "base_model": "gpt-5-mini"},
        }
        for name, options in (("native", {"websocket": True}), ("http", {}))
    ]
    return {
        "model_list": rows,
        "router_settings": {"cooldown_time": 0.01},
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32, **general},
    }


class SocketCaller:
    """A connection, read event by event."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, **body: Any) -> None:
        """Send a `response.create`."""
        self.socket.send(json.dumps({"type": "response.create", **body}))

    def receive(self, seconds: float = _SECONDS) -> JSON:
        """The next frame."""
        frame: JSON = json.loads(self.socket.recv(timeout=seconds))
        return frame

    def events(self) -> Iterator[JSON]:
        """The frames of a turn, up to its end."""
        while True:
            event = self.receive()
            yield event
            if event["type"] in ENDINGS:
                return

    def turn(self, **body: Any) -> list[JSON]:
        """Make a turn: its frames."""
        self.send(**body)
        return list(self.events())

    def close_code(self) -> int:
        """Read to the end of the connection: the code it is closed with."""
        try:
            while True:
                self.socket.recv(timeout=_SECONDS)
        except ConnectionClosed as error:
            return 1006 if error.rcvd is None else error.rcvd.code


@contextmanager
def socket_caller(
    url: str, *, headers: Mapping[str, str] | None = None, **options: Any
) -> Iterator[SocketCaller]:
    """A connection to the gateway at `url`."""
    given = {"authorization": f"Bearer {KEY}", **(headers or {})}
    arguments = {"compression": None, "max_size": None, **options}
    target = url.replace("http", "ws", 1) + "/v1/responses"
    with connect(target, additional_headers=given, **arguments) as socket:
        yield SocketCaller(socket)


def frame_bytes(
    data: bytes, opcode: Opcode = Opcode.TEXT, *, fin: bool = True, rsv1: bool = False
) -> bytes:
    """A masked frame as it goes over the wire."""
    mask = os.urandom(4)
    length = len(data)
    head = bytes([fin << 7 | rsv1 << 6 | opcode])
    if length < 126:
        head += bytes([128 | length])
    elif length < 65536:
        head += bytes([254]) + length.to_bytes(2, "big")
    else:
        head += bytes([255]) + length.to_bytes(8, "big")
    masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
    return head + mask + masked
