"""One process of the gateway under uvicorn, and several of them over one socket."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from prometheus_client.multiprocess import mark_process_dead

from azure_responses.gateway.app import GatewayApp, create_app
from azure_responses.gateway.call_log import set_up_logging
from azure_responses.gateway.caller_connection import CallerConnection
from azure_responses.gateway.caller_websocket import CallerWebSocket
from azure_responses.gateway.connection_limits import ConnectionLimits
from azure_responses.gateway.spend_writer import SpendLog

__all__ = ["GatewayServer", "ServeOptions", "listen", "validate_startup", "serve"]

# Signals and dead workers are noticed within this time.
_TICK = 0.1
# Objects before a garbage collection; the default of 700 would collect within each call.
_GARBAGE = 20_000
# Longer than the idle timeouts of usual load balancers, which must close first.
_KEEP_ALIVE = 75
# Well below the idle timeouts of usual load balancers.
_PING_INTERVAL = 20.0
# As uvicorn's default.
_BACKLOG = 2048
# A worker that dies at once must not be replaced in a tight loop.
_RESTART_PAUSE = 1.0
_MOST_FILES = 65_536
# A fifth of the default: see where it is set.
_SWITCH_INTERVAL = 0.001


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What every process of a gateway is started with.

    Attributes:
        config: path of the configuration; None reads the environment.
        environment: variables to set first.
        workers: how many processes.
        announcement: printed once calls are answered.
    """

    config: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    announcement: str = ""


class GatewayServer(uvicorn.Server):
    """Shuts down gracefully: after a signal it goes on until its calls have ended.

    Meanwhile the socket stays open, so that new calls and readiness probes get a 503 instead of a
    refused connection. A second signal ends it at once.
    """

    def __init__(self, app: GatewayApp, announcement: str = "") -> None:
        self._gateway = app.gateway
        self._announcement = announcement
        super().__init__(
            uvicorn.Config(
                app,
                http=_connections(app),
                lifespan="on",
                log_config=None,
                # Lower levels log what clients send: none may fill the log before it shows a key.
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws=_websockets(app),
                ws_max_size=app.gateway.settings.max_body_bytes,
                ws_ping_interval=_PING_INTERVAL,
                ws_ping_timeout=CallerWebSocket.read_seconds,
                # A message could be a thousand times as long as what was sent.
                ws_per_message_deflate=False,
                timeout_keep_alive=_KEEP_ALIVE,
                timeout_graceful_shutdown=2,
                backlog=_BACKLOG,
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: stop, or stop at once if it is not the first."""
        if sig == signal.SIGINT and multiprocessing.parent_process() is not None:
            return  # Ctrl-C goes to all processes at once; the parent passes on what it means.
        if self.should_exit:
            self.force_exit = True
        self._gateway.shutdown.begin()
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer calls, and say so."""
        await super().startup(sockets)
        # What is there by now stays: looking through it for garbage again and again is a good part
        # of a call. What calls leave behind is mostly no cycle, so it can wait a little.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_GARBAGE)
        if self.started and self._announcement:
            print(self._announcement, flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the calls under way end, then close."""
        shutdown = self._gateway.shutdown
        shutdown.begin()
        waiting = asyncio.ensure_future(shutdown.wait(self._gateway.settings.drain_timeout))
        while not (waiting.done() or self.force_exit):
            await asyncio.wait({waiting}, timeout=_TICK)
        waiting.cancel()
        await super().shutdown(sockets)


def _connections(app: GatewayApp) -> Any:
    """What uvicorn makes a connection with; they share one limit."""
    most = app.gateway.settings.max_connections
    return partial(CallerConnection, limits=ConnectionLimits(min(most, raise_file_limit() // 2)))


def _websockets(app: GatewayApp) -> Any:
    """What carries WebSockets; "none" leaves such requests to be refused over HTTP."""
    return CallerWebSocket if app.gateway.settings.websocket_connections else "none"


def raise_file_limit() -> int:
    """Allow this process as many open files as the system lets it; returns how many.

    The usual limit of 1,024 is there for programs that use select(), and is less than the calls
    that are answered at once, each of which takes two.
    """
    try:
        import resource
    except ImportError:
        return _MOST_FILES  # Windows has no such limit.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _MOST_FILES if soft == resource.RLIM_INFINITY else soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft
    return wanted


def serve(options: ServeOptions, listener: socket.socket) -> int:
    """Serve until a signal ends it; the result is the exit code."""
    if options.workers <= 1:
        return _work(options, listener)
    # Errors that would keep every worker from starting are raised once, here.
    validate_startup(options.config)
    with tempfile.TemporaryDirectory() as folder:
        # Where the processes keep their metrics, so that any of them can answer for all.
        os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
        return _Workers(options, listener).run()


def validate_startup(config: str | None) -> None:
    """Build all that a process serves, without connecting to other machines.

    Raises:
        ConfigurationError: the configuration cannot be used.
    """
    settings = create_app(config).gateway.settings
    if settings.spend_log is not None:
        SpendLog(settings.spend_log).close()


def _work(options: ServeOptions, listener: socket.socket) -> int:
    if multiprocessing.parent_process() is not None:
        # Until the server handles it: Ctrl-C is for the parent, which passes it on.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(options.environment)
    app = create_app(options.config)
    set_up_logging(is_json=app.gateway.settings.json_logs)
    # What a caller sends may stand in a warning. Shown as it came it could pose as another line,
    # and Python remembers each that it has shown: as many as callers make up.
    warnings.filterwarnings("ignore", category=UserWarning)
    # The event loop gets its turn within a millisecond while another thread works on a large body.
    sys.setswitchinterval(_SWITCH_INTERVAL)
    server = GatewayServer(app, options.announcement if options.workers <= 1 else "")
    try:
        server.run([listener])
    except KeyboardInterrupt:
        # uvicorn passes the interrupt on after an orderly end.
        return 0
    return 0 if server.started else 1


def _end_with_parent() -> None:
    """End a worker whose parent was killed: it would hold the port, without one to stop it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


class _Workers:
    """Processes over one socket; one that dies is replaced."""

    def __init__(self, options: ServeOptions, listener: socket.socket) -> None:
        self._options = options
        self._listener = listener
        # A fresh interpreter each: threads and event loops do not survive a fork.
        self._context = multiprocessing.get_context("spawn")
        self._is_ending = False
        self._processes: list[multiprocessing.process.BaseProcess] = []

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        for _ in range(self._options.workers):
            self._processes.append(self._start())
        print(self._options.announcement, flush=True)
        while not self._is_ending:
            time.sleep(_TICK)
            self._replace_dead()
        self._pass_on()
        for process in self._processes:
            process.join()
        return 0

    def _start(self) -> multiprocessing.process.BaseProcess:
        process = self._context.Process(target=_work, args=(self._options, self._listener))
        process.start()
        return process

    def _replace_dead(self) -> None:
        for place, process in enumerate(self._processes):
            if not process.is_alive() and not self._is_ending:
                logging.getLogger("azure_responses.gateway").error(
                    "A worker ended with code %s and is replaced", process.exitcode
                )
                # Its counts stay, but what it had in progress is over.
                mark_process_dead(process.pid)  # type: ignore[no-untyped-call]
                time.sleep(_RESTART_PAUSE)
                if not self._is_ending:
                    self._processes[place] = self._start()

    def _end(self, sig: int, frame: FrameType | None) -> None:
        # The first signal is passed on by `run`, when every process has started.
        if self._is_ending:
            self._pass_on()
        self._is_ending = True

    def _pass_on(self) -> None:
        for process in self._processes:
            if process.pid is not None and process.is_alive():
                os.kill(process.pid, signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises OSError for an address or port that cannot be used."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: otherwise asyncio leaves Nagle's algorithm on, by which a short event
    # waits 40 ms for the one after it.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # From now on callers wait in the queue instead of being refused until all is up.
        listener.listen(_BACKLOG)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener
