"""The emulator on a loopback port: a uvicorn server, in a thread of its own where wanted."""

import logging
import socket
import threading
import time
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from azure_responses.emulator.asgi import AsgiApplication

if TYPE_CHECKING:
    import uvicorn

__all__ = ["RunningServer", "listen", "make_server"]


class Served(Protocol):
    """What a server needs of an emulator."""

    @property
    def asgi(self) -> AsgiApplication:
        """The emulator as an ASGI application."""


_START_SECONDS = 10.0


def make_server(emulator: Served) -> "uvicorn.Server":
    """A uvicorn server for an emulator, silent and with the headers of Azure alone."""
    try:
        import uvicorn
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"Serving the emulator needs {error.name}: pip install 'azure-responses[cli]'",
            name=error.name,
        ) from None
    # Azure sends its own Date, and no Server header was recorded.
    config = uvicorn.Config(
        emulator.asgi,
        lifespan="off",
        log_level="error",
        access_log=False,
        date_header=False,
        server_header=False,
        ws="websockets-sansio" if find_spec("websockets") else "none",
        ws_per_message_deflate=False,
        # A caller who has gone is noticed by the connection; a debugger may take its time.
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_error)
    return uvicorn.Server(config)


def _is_error(record: logging.LogRecord) -> bool:
    # uvicorn 0.54 says so of each WebSocket that is refused with a status, as ASGI allows.
    return record.msg != "ASGI callable returned without completing handshake."


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on; port 0 takes any free one.

    Raises OSError, and OverflowError for an invalid port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Without the name of its protocol asyncio leaves on what holds short events back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # From now on callers wait in the queue instead of being refused until uvicorn is up.
        listener.listen(2048)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


class RunningServer:
    """A context manager that serves an emulator from a thread; needs the `cli` extra (uvicorn).

    Attributes:
        emulator: the one served.
        port: the port in use, once started.
        url: `http://127.0.0.1:<port>`, which serves as the endpoint of the first resource.
    """

    def __init__(self, emulator: Served, host: str = "127.0.0.1", port: int = 0) -> None:
        self.emulator: Any = emulator
        self._host = host
        self._wanted_port = port

    @property
    def port(self) -> int:
        """The port in use."""
        port: int = self._listener.getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """What serves as the endpoint of the first resource."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    def resource_url(self, name: str) -> str:
        """The endpoint of one of several resources."""
        return f"{self.url}/resources/{name}"

    def start(self) -> "RunningServer":
        """Serve from now on, until `stop`."""
        self._server = make_server(self.emulator)
        self._listener = listen(self._host, self._wanted_port)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), daemon=True, name="azure-emulator"
        )
        self._thread.start()
        # Requests would wait in the queue, but a server that fails to start must be noticed.
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the emulator's server did not start")
            time.sleep(0.005)
        return self

    def __enter__(self) -> "RunningServer":
        return self.start()

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()
        self.emulator.close()

    def stop(self) -> None:
        """End the server and its connections."""
        self._server.should_exit = True
        self._thread.join(timeout=_START_SECONDS)
        self._listener.close()
