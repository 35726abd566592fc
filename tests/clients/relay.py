"""A relay between a client and a server that can stop to pass anything on, or hang up."""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit

__all__ = ["Relay"]


class Relay:
    """Passes on the bytes of each connection to the server at a URL.

    Args:
        url: of the server.
        is_proxy: it is asked for a tunnel first.
        refuses: asked for each connection; true closes it after its first bytes.

    Attributes:
        is_frozen: nothing is passed on any more, and no connection is closed.
        opened: how many connections began.
        asked: what it was asked for as a proxy.
    """

    def __init__(
        self, url: str, refuses: Callable[[], bool] = lambda: False, *, is_proxy: bool = False
    ) -> None:
        parts = urlsplit(url)
        self.asked: list[bytes] = []
        self._is_proxy = is_proxy
        self.is_frozen = False
        self.opened = 0
        self._target = (parts.hostname or "", parts.port or 0)
        self._scheme = "wss" if parts.scheme == "https" else "ws"
        self._refuses = refuses
        self._is_over = False

    @property
    def host(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def websocket_url(self) -> str:
        """Where a WebSocket through the relay is opened."""
        return f"{self._scheme}://{self.host}/openai/v1/responses"

    def __enter__(self) -> "Relay":
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.opened += 1
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._target) as server, suppress(OSError):
            if self._refuses():
                client.recv(65536)
                return
            if self._is_proxy:
                self.asked.append(client.recv(65536))
                client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            others = {client: server, server: client}
            while not self._is_over:
                ready, _, _ = select.select([] if self.is_frozen else list(others), [], [], 0.01)
                for one in ready:
                    data = one.recv(65536)
                    if not data:
                        return
                    # What arrived before the relay froze is lost as well.
                    if not self.is_frozen:
                        others[one].sendall(data)
