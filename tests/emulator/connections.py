"""Bare callers of an emulator's WebSockets, so that tests see every frame."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from azure_responses.emulator import Emulator
from tests.emulator.callers import V1

__all__ = ["ENDS", "Connection", "open_connection"]

ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
Frame = dict[str, Any]


class Connection:
    """One connection. `model` and `input` have defaults."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def send(self, **frame: Any) -> None:
        self.socket.send(json.dumps(frame))

    def begin(self, **parameters: Any) -> None:
        """Send a `response.create`."""
        asked = {"model": "gpt-4.1", "input": "Say hello", **parameters}
        self.send(type="response.create", **asked)

    def receive(self, timeout: float = 5.0) -> Frame:
        frame: Frame = json.loads(self.socket.recv(timeout=timeout))
        return frame

    def read(self, *ends: str, lane: str | None = None) -> list[Frame]:
        """Every frame until one of these types, of this lane."""
        frames = [self.receive()]
        while frames[-1]["type"] not in (ends or ENDS) or frames[-1].get("stream_id") != lane:
            frames.append(self.receive())
        return frames

    def read_into(self, frames: list[Frame]) -> None:
        """Every frame until the connection ends, which raises."""
        while True:
            frames.append(self.receive())

    def turn(self, **parameters: Any) -> Frame:
        """The last frame of a turn."""
        self.begin(**parameters)
        return self.read(lane=parameters.get("stream_id"))[-1]


@contextmanager
def open_connection(
    emulator: Emulator, *, path: str = V1, key: str | None = None, **options: Any
) -> Iterator[Connection]:
    """A connection to the first resource of an emulator, over the loopback."""
    headers = {"Authorization": f"Bearer {key or emulator.api_key}"}
    headers |= options.pop("headers", {})
    url = emulator.httpx_transport().websocket_url(emulator.endpoint.replace("http", "ws") + path)
    # With a bounded queue a caller who reads nothing waits long for the answer to its close.
    options.setdefault("max_queue", None)
    with connect(url, additional_headers=headers, proxy=None, **options) as socket:
        yield Connection(socket)
