"""The emulator as a command: what emulator.yaml says, and serving in the foreground."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from azure_responses.emulator.faults import Fault
from azure_responses.emulator.resources import (
    Assumptions,
    EmulatedAgent,
    EmulatedDeployment,
    Resource,
)
from azure_responses.emulator.running_server import RunningServer, listen, make_server
from azure_responses.emulator.service import Emulator
from azure_responses.emulator.timing import BatchTiming, Clock, Latency, ReadLag
from azure_responses.emulator.webhook_sender import WEBHOOK_RETRIES
from azure_responses.emulator.websocket_mode import WebSocketMode

if TYPE_CHECKING:
    import uvicorn

__all__ = [
    "EmulatorSettings", "RunningServer", "SettingsError", "environment_lines", "load_settings",
    "read_settings", "run",
]  # fmt: skip

_Kind = TypeVar("_Kind")


class SettingsError(ValueError):
    """The configuration is wrong; the message names the place and the fix."""


@dataclass
class EmulatorSettings:
    """What emulator.yaml says."""

    resources: list[Resource] | None = None
    seed: int = 0
    latency: Latency = field(default_factory=Latency)
    read_lag: ReadLag = field(default_factory=ReadLag)
    faults: list[Fault] = field(default_factory=list)
    clock: float | None = None
    strict_deployments: bool = False
    assumptions: Assumptions = field(default_factory=Assumptions)
    batch_timing: BatchTiming = field(default_factory=BatchTiming)
    indexing_seconds: float = 0.0
    webhook_retries: list[float] = field(default_factory=lambda: list(WEBHOOK_RETRIES))
    allowed_hosts: list[str] = field(default_factory=list)
    websocket: WebSocketMode = field(default_factory=WebSocketMode)

    def make_emulator(self) -> Emulator:
        """An emulator of these settings."""
        emulator = Emulator(
            self.resources,
            clock=Clock(self.clock),
            seed=self.seed,
            latency=self.latency,
            read_lag=self.read_lag,
            strict_deployments=self.strict_deployments,
            assumptions=self.assumptions,
            batch_timing=self.batch_timing,
            indexing_seconds=self.indexing_seconds,
            webhook_retries=self.webhook_retries,
            allowed_hosts=self.allowed_hosts,
            websocket=self.websocket,
        )
        for fault in self.faults:
            emulator.faults.add(fault)
        return emulator


def load_settings(path: str | Path) -> EmulatorSettings:
    """Read a file; raises SettingsError for what is wrong in it, OSError where it is not there."""
    import yaml

    text = Path(path).read_text(encoding="utf-8")
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from None
    try:
        return read_settings({} if data is None else data)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


def read_settings(data: Any) -> EmulatorSettings:
    """Settings from parsed YAML; raises SettingsError naming the place."""
    settings = _build(EmulatorSettings, data, "")
    for name in ("seed", "clock", "indexing_seconds"):
        value = getattr(settings, name)
        if name in data and not _is_number(value):
            raise SettingsError(f"{name} must be a number, not {value!r}")
    retries = _list(settings.webhook_retries, "webhook_retries")
    if not all(_is_number(seconds) and seconds >= 0 for seconds in retries):
        raise SettingsError("webhook_retries must be numbers of seconds")
    if settings.resources is not None and settings.strict_deployments:
        raise SettingsError(
            "strict_deployments is for the default resource; say it in each resource instead"
        )
    if settings.clock is not None:
        settings.clock = float(settings.clock)
    hosts = _list(settings.allowed_hosts, "allowed_hosts")
    settings.allowed_hosts = [str(name) for name in hosts]
    return settings


# Which keys of a mapping are mappings of their own, or lists of them.
_PARTS: dict[type[Any], dict[str, type[Any]]] = {
    EmulatorSettings: {
        "resources": Resource,
        "latency": Latency,
        "read_lag": ReadLag,
        "faults": Fault,
        "assumptions": Assumptions,
        "batch_timing": BatchTiming,
        "websocket": WebSocketMode,
    },
    Resource: {"deployments": EmulatedDeployment, "agents": EmulatedAgent},
    EmulatedDeployment: {"latency": Latency},
}
_LISTS = ("resources", "faults", "deployments", "agents")
# A deployment or an agent without options is its name alone.
_SHORT = (EmulatedDeployment, EmulatedAgent)


def _build(kind: type[_Kind], data: Any, place: str) -> _Kind:
    if isinstance(data, str) and kind in _SHORT:
        data = {"name": data}
    _check_keys(data, tuple(item.name for item in fields(kind)), place or "the file")  # type: ignore[arg-type]
    values = dict(data)
    for name, part in _PARTS.get(kind, {}).items():
        inner = f"{place}.{name}".lstrip(".")
        if values.get(name) is None:
            continue
        if name in _LISTS:
            listed = enumerate(_list(values[name], inner))
            values[name] = [_build(part, item, f"{inner}[{index}]") for index, item in listed]
        else:
            values[name] = _build(part, values[name], inner)
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        message = str(error).replace(f"{kind.__name__}.__init__() ", "")
        raise SettingsError(f"{place}: {message}") from None


def _check_keys(data: Any, known: tuple[str, ...], place: str) -> None:
    if not isinstance(data, Mapping):
        raise SettingsError(f"{place} must be a mapping with any of: {', '.join(known)}")
    for key in data:
        if key not in known:
            raise SettingsError(f"{place}: unknown key {key!r}; known are: {', '.join(known)}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _list(data: Any, place: str) -> list[Any]:
    if not isinstance(data, list):
        raise SettingsError(f"{place} must be a list")
    return data


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
        host: the address to listen on; the loopback by default, since the keys are public.
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
