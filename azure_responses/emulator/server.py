"""The emulator in the foreground, for the command line."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

from azure_responses.emulator.loopback import RunningServer, listen, make_server
from azure_responses.emulator.service import Emulator
from azure_responses.emulator.settings import load_settings

if TYPE_CHECKING:
    import uvicorn

__all__ = ["RunningServer", "environment_lines", "run"]

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
