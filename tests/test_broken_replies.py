"""However a reply breaks, every client ends within the call's timeout and says what happened."""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trio

from azure_responses import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncAzureResponses,
    AzureResponses,
    AzureResponsesError,
    InternalServerError,
    RateLimitError,
    Router,
    StreamInterruptedError,
)
from tests.broken_replies import BODY_FAULTS, HEAD_FAULTS, BrokenServer, Case, Fault, cases
from tests.doctor.sockets import accepting, make_certificate, tls_context
from tests.gateway.gateways import KEY, serve

_TIMEOUT = 1.5
# What a loaded machine with all the calls at once may add; what hangs takes twenty.
_BOUND = _TIMEOUT + 4.0
_CASES = cases()

# A caller's own sync client gives each of its reads the same time, in a head and within a chunk's
# size: nothing of ours comes between them.
_NOT_OURS = (
    HEAD_FAULTS["endless head"],
    HEAD_FAULTS["flood of 1xx"],
    BODY_FAULTS["endless chunk size"],
)

Seen = dict[tuple[str, bool], tuple[BaseException, float]]
"""What a call came to, by the name of its case and whether it was streamed; and in what time."""


@pytest.fixture(scope="module")
def server() -> Iterator[BrokenServer]:
    with BrokenServer() as running:
        yield running


def _calls() -> list[tuple[Case, bool]]:
    return [(case, is_stream) for case in _CASES for is_stream in (False, True)]


def _sync(call: Callable[[Case, bool], Any], without: Collection[Fault] = ()) -> Seen:
    def take(case: Case, is_stream: bool) -> tuple[BaseException, float]:
        began = time.monotonic()
        try:
            answer = call(case, is_stream)
        except AzureResponsesError as error:
            return error, time.monotonic() - began
        return LookupError(f"an answer: {answer!r:.200}"), time.monotonic() - began

    # Those that wait do so together; the others a few at a time, or the machine would be late.
    with ThreadPoolExecutor(24) as waiting, ThreadPoolExecutor(8) as pool:
        futures = {
            (c.name, s): (pool if c.fault.is_late is False else waiting).submit(take, c, s)
            for c, s in _calls()
            if c.fault not in without
        }
    return {name: future.result() for name, future in futures.items()}


async def _async(call: Callable[[Case, bool], Awaitable[Any]]) -> Seen:
    seen: Seen = {}
    places, waiting = anyio.Semaphore(4), anyio.Semaphore(16)

    async def take(case: Case, is_stream: bool) -> None:
        async with places if case.fault.is_late is False else waiting:
            began = time.monotonic()
            error: BaseException = LookupError("no end")
            try:
                with anyio.fail_after(_BOUND + 5):
                    error = LookupError(f"an answer: {await call(case, is_stream)!r:.200}")
            except (AzureResponsesError, TimeoutError) as caught:
                error = caught
            seen[case.name, is_stream] = error, time.monotonic() - began

    async with anyio.create_task_group() as group:
        # Those that wait last: their connections would be in the way of the others.
        for case, is_stream in sorted(
            _calls(), key=lambda call: call[0].fault.is_late is not False
        ):
            group.start_soon(take, case, is_stream)
    return seen


def _request(case: Case, is_stream: bool) -> dict[str, Any]:
    # Only what waits for it meets the timeout: a loaded machine must not make others late, nor the
    # head of an error, for whose body half of the time is left.
    if case.fault.is_late is False:
        timeout = _BOUND + 5
    else:
        timeout = _TIMEOUT if case.status == 200 else 2 * _TIMEOUT + 1
    return {"model": case.name, "input": "x", "stream": is_stream, "timeout": timeout}


def _call(client: Any, case: Case, is_stream: bool) -> Any:
    answer = client.create(**_request(case, is_stream))
    return list(answer) if is_stream else answer


async def _acall(client: Any, case: Case, is_stream: bool) -> Any:
    answer = await client.create(**_request(case, is_stream))
    return [event async for event in answer] if is_stream else answer


def _with_client(server: BrokenServer) -> Seen:
    with AzureResponses(server.url, api_key="k", max_retries=0) as client:
        return _sync(partial(_call, client.responses))


def _with_own_http_client(server: BrokenServer) -> Seen:
    with (
        httpx.Client(limits=httpx.Limits(max_connections=None)) as http_client,
        AzureResponses(server.url, api_key="k", max_retries=0, http_client=http_client) as client,
    ):
        return _sync(partial(_call, client.responses), without=_NOT_OURS)


async def _client(server: BrokenServer) -> Seen:
    async with AsyncAzureResponses(server.url, api_key="k", max_retries=0) as client:
        return await _async(partial(_acall, client.responses))


async def _own_http_client(server: BrokenServer) -> Seen:
    async with (
        httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as http_client,
        AsyncAzureResponses(
            server.url, api_key="k", max_retries=0, http_client=http_client
        ) as client,
    ):
        return await _async(partial(_acall, client.responses))


def _rows(server: BrokenServer) -> list[dict[str, Any]]:
    return [
        {
            "model_name": case.name,
            "litellm_params": {
                "model": f"azure/{case.name}",
                "api_base": server.url,
                "api_key": "k",
            },
        }
        for case in _CASES
    ]


_SETTINGS: dict[str, Any] = {"num_retries": 0, "cooldown_time": 0, "timeout": 60}


def _with_router(server: BrokenServer) -> Seen:
    with Router(_rows(server), affinity_secret="s" * 32, **_SETTINGS) as router:

        def call(case: Case, is_stream: bool) -> Any:
            answer = router.responses(**_request(case, is_stream))
            return list(answer) if is_stream else answer

        return _sync(call)


async def _router(server: BrokenServer) -> Seen:
    async with Router(_rows(server), affinity_secret="s" * 32, **_SETTINGS) as router:

        async def call(case: Case, is_stream: bool) -> Any:
            answer: Any = await router.aresponses(**_request(case, is_stream))
            return [event async for event in answer] if is_stream else answer

        return await _async(call)


_DRIVERS: dict[str, Callable[[BrokenServer], Seen]] = {
    "sync": _with_client,
    "sync, own http_client": _with_own_http_client,
    "asyncio": lambda server: asyncio.run(_client(server)),
    "asyncio, own http_client": lambda server: asyncio.run(_own_http_client(server)),
    "trio": lambda server: trio.run(_client, server),
    "sync router": _with_router,
    "async router": lambda server: asyncio.run(_router(server)),
    "trio router": lambda server: trio.run(_router, server),
}


def _is_late(error: BaseException) -> bool:
    return isinstance(error, APITimeoutError) or isinstance(error.__cause__, APITimeoutError)


def _complaint(case: Case, is_stream: bool, error: BaseException) -> str | None:
    """What is wrong with an error, or None."""
    if case.status != 200:
        wanted: Any = RateLimitError if case.status == 429 else InternalServerError
        return None if type(error) is wanted else "no status"
    kinds: tuple[type[BaseException], ...] = (APIConnectionError,)
    if case.fault.may_pass and not is_stream:
        kinds += (APIStatusError,)
    if is_stream and not case.is_in_head:
        kinds += (StreamInterruptedError,)
    # On a loaded machine a late one may be late with its head already.
    is_cut = is_stream and case.has_begun and case.fault.encoding is None and not _is_late(error)
    if not isinstance(error, kinds) or (is_cut and not isinstance(error, StreamInterruptedError)):
        return "wrong class"
    if case.fault.is_late is None or case.fault.may_pass:
        return None
    return None if _is_late(error) == case.fault.is_late else "late or not"


@pytest.mark.filterwarnings("ignore:Async generator.*:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("driver", _DRIVERS)
def test_a_broken_reply_ends_in_time_and_with_the_right_error(
    server: BrokenServer, driver: str
) -> None:
    # Trio reports httpx's own generators, which are not finished when a stream is cut.
    seen = _DRIVERS[driver](server)
    _show(driver, {name: seconds for name, (_, seconds) in seen.items()})
    wrong = []
    by_name = {case.name: case for case in _CASES}
    for (name, is_stream), (error, seconds) in seen.items():
        case = by_name[name]
        complaint = _complaint(case, is_stream, error)
        complaint = f"{seconds:.1f} s" if seconds > _BOUND else complaint
        if complaint:
            wrong.append(f"{case.name} {is_stream=}: {complaint}: {error!r}")
    assert not wrong, "\n".join(wrong)


def _show(driver: str, seconds: dict[tuple[str, bool], float]) -> None:
    for fault in (*HEAD_FAULTS, *BODY_FAULTS):
        found = [s for (name, _), s in seconds.items() if name.endswith("." + fault)]
        print(f"{driver:24} {fault:26} {max(found, default=0):5.2f} s")


async def _ask_gateway(client: httpx.AsyncClient, path: str, case: Case, is_stream: bool) -> Any:
    body: dict[str, Any] = {"model": case.name, "stream": is_stream}
    if path.endswith("responses"):
        body["input"] = "x"
    else:
        body["messages"] = [{"role": "user", "content": "x"}]
    timeout = _request(case, is_stream)["timeout"]
    reply = await client.post(path, json=body, headers={"x-litellm-timeout": str(timeout)})
    events = []
    for line in reply.text.split("\n"):
        with suppress(ValueError):
            events.append(json.loads(line.removeprefix("data: ")))
    return reply.status_code, events


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions"])
def test_a_gateway_tells_of_a_broken_reply_in_time(server: BrokenServer, path: str) -> None:
    config = {
        "model_list": _rows(server),
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32},
        "router_settings": _SETTINGS,
    }
    answers: dict[tuple[str, bool], Any] = {}

    async def ask(url: str) -> Seen:
        headers = {"authorization": f"Bearer {KEY}"}
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(
            base_url=url, headers=headers, timeout=30, limits=limits
        ) as client:

            async def call(case: Case, is_stream: bool) -> None:
                answers[case.name, is_stream] = await _ask_gateway(client, path, case, is_stream)

            return await _async(call)

    with serve(config) as gateway:
        seen = asyncio.run(ask(gateway.url))
    _show(f"gateway {path[4:]}", {name: seconds for name, (_, seconds) in seen.items()})
    slow = {name: seconds for name, (_, seconds) in seen.items() if seconds > _BOUND}
    assert slow == {}
    wrong = []
    for case, is_stream in _calls():
        status, events = answers[case.name, is_stream]
        if not _is_told(case, is_stream, status, events):
            wrong.append(f"{case.name} {is_stream=}: {status} {events[-1:]}")
    assert not wrong, "\n".join(wrong)


def _is_told(case: Case, is_stream: bool, status: int, events: list[Any]) -> bool:
    if case.status != 200:
        return status == case.status
    late = (502, 504) if case.fault.is_late is None else (504 if case.fault.is_late else 502,)
    if is_stream and case.has_begun and status == 200:
        error = events[-1].get("error", events[-1])
        return case.fault.may_pass or error["status"] in late
    return status in late or (case.fault.may_pass and status in (502, 504))


_FLOOD = """
import asyncio, sys, time
from pathlib import Path
from azure_responses import APIConnectionError, AsyncAzureResponses, AzureResponses
from azure_responses import StreamInterruptedError

url, kind, model = sys.argv[1:]
given = {"model": model, "input": "x", "stream": model.startswith("stream")}

def sync():
    with AzureResponses(url, api_key="k", max_retries=0, timeout=60) as client:
        answer = client.responses.create(**given)
        list(answer)

async def asynchronous():
    async with AsyncAzureResponses(url, api_key="k", max_retries=0, timeout=60) as client:
        answer = await client.responses.create(**given)
        async for _ in answer:
            pass

def peak():
    # Of this program alone; getrusage would count its parent's.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024

before = peak()
began = time.monotonic()
try:
    sync() if kind == "sync" else asyncio.run(asynchronous())
except (APIConnectionError, StreamInterruptedError) as error:
    message = str(error)
print(f"{time.monotonic() - began:.1f} {peak() - before} {message}")
"""


def _flood(connection: socket.socket) -> None:
    connection.settimeout(60)
    request = b""
    while not request.endswith(b"}"):
        request += connection.recv(65536)
    is_stream = b'"stream":true' in request
    kind = b"text/event-stream" if is_stream else b"application/json"
    connection.sendall(
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: " + kind + b"\r\n\r\n"
    )
    block = b"x" * 2**20
    while True:
        connection.sendall(b"%x\r\n%b\r\n" % (len(block), block))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("model", ["whole", "stream"])
def test_a_reply_without_end_is_given_up_before_it_fills_the_memory(kind: str, model: str) -> None:
    with accepting(_flood) as port:
        found = subprocess.run(
            [sys.executable, "-c", _FLOOD, f"http://127.0.0.1:{port}", kind, model],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
    seconds, peak, message = found.split(" ", 2)
    print(f"{kind:8} {model:8} {seconds} s, {peak} MiB above the start: {message}")
    assert "128 MiB" in message
    # What arrived, and what came in while it was looked at.
    assert int(peak) < 300


def _break_off_tls(context: ssl.SSLContext) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            request = b""
            while not request.endswith(b"}"):
                request += encrypted.recv(65536)
            is_stream = b'"stream":true' in request
            kind = b"text/event-stream" if is_stream else b"application/json"
            head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: "
            encrypted.sendall(head + kind + b"\r\n\r\n11\r\ndata: {")
            # The connection is closed below TLS, which says no goodbye.
            socket.socket(fileno=encrypted.detach()).close()

    return answer


@pytest.mark.parametrize("is_stream", [False, True])
def test_tls_that_breaks_off_is_a_broken_connection(tmp_path: Path, is_stream: bool) -> None:
    certificate, key = make_certificate(tmp_path)
    options: dict[str, Any] = {"api_key": "k", "max_retries": 0, "verify": str(certificate)}
    case = next(case for case in _CASES if case.fault.is_late is False)

    async def call(url: str) -> None:
        async with AsyncAzureResponses(url, **options) as client:
            await _acall(client.responses, case, is_stream)

    with accepting(_break_off_tls(tls_context(certificate, key))) as port:
        url = f"https://127.0.0.1:{port}"
        wanted = StreamInterruptedError if is_stream else APIConnectionError
        with AzureResponses(url, **options) as client, pytest.raises(wanted):
            _call(client.responses, case, is_stream)
        with pytest.raises(wanted):
            asyncio.run(call(url))
        with pytest.raises(wanted):
            trio.run(call, url)
