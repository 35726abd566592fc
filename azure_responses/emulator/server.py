"""The emulator on a loopback port: the server, and one in a thread for tests."""

import socket
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from azure_responses.emulator.asgi import AsgiApplication

if TYPE_CHECKING:
    import uvicorn
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from azure_responses.emulator.emulator_settings import load_settings
from azure_responses.emulator.service import Emulator

if TYPE_CHECKING:
    import uvicorn

__all__ = [
    "environment_lines",
    "listen",
    "make_server",
    "run",
    "RunningServer",
    "Served",
]


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
        ws="none",
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on; port 0 takes any free one.

    Raises OSError, and OverflowError for a port that is none.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
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

    def __enter__(self) -> "RunningServer":
        self._server = make_server(self.emulator)
        self._listener = listen(self._host, self._wanted_port)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), daemon=True, name="azure-emulator"
        )
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the emulator's server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=_START_SECONDS)
        self._listener.close()


# What README asks; a resource without deployments of its own takes any name.
_DEPLOYMENT = "gpt-5-mini"


def environment_lines(emulator: Emulator, url: str) -> list[str]:
    """What to paste into a shell so that clients find the emulator."""
    resource = emulator.resources[0]
    several = len(emulator.resources) > 1
    deployment = resource.deployments[0].name if resource.deployments else _DEPLOYMENT
    endpoint = f"{url}/resources/{resource.name}" if several else url
    return [
        f"export AZURE_OPENAI_ENDPOINT={endpoint}",
        f"export AZURE_OPENAI_API_KEY={resource.keys[0]}",
        f"export AZURE_OPENAI_DEPLOYMENT={deployment}",
    ]


def run(
    port: int = 8080,
    config: str | None = None,
    *,
    host: str = "127.0.0.1",
    output: TextIO | None = None,
) -> None:
    """Serve until interrupted, after printing the environment lines.

    Args:
        port: 0 takes any free one.
        config: path of an emulator.yaml; see docs/emulator.md.
        host: the address to listen on; the loopback unless told otherwise, as keys are public.
        output: where the lines go; standard output where None.

    Raises:
        SettingsError: the configuration file is wrong; the message says where.
        OSError: the port is taken.
    """
    emulator = load_settings(config).make_emulator() if config else Emulator()
    server = make_server(emulator)
    with listen(host, port) as listener:
        number = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{number}"
        # The server has shut down in order by the time it passes the interrupt on.
        with suppress(KeyboardInterrupt), _ending_on_interrupt(server):
            print(f"# Azure emulator on {url} (Ctrl-C ends it)", file=output)
            for line in environment_lines(emulator, url):
                print(line, file=output, flush=True)
            server.run([listener])


@contextmanager
def _ending_on_interrupt(server: "uvicorn.Server") -> Iterator[None]:
    """Ctrl-C ends the server, also before it has handlers of its own.

    A KeyboardInterrupt could get lost there: what is raised inside the callback of a weak
    reference is printed and ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        server.should_exit = True

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
