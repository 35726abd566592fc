"""The HTTP clients under the shells, and the translation of their exceptions."""

import asyncio
import gc
import inspect
import pickle
import socket
import ssl
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakSet

import aiohttp
import anyio
import httpx
import pytest
import trio
from aiohttp.client_reqrep import ConnectionKey
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from azure_responses import AsyncAzureResponses, AzureResponses
from azure_responses.connection_errors import async_mapped_errors, mapped_errors
from azure_responses.errors import (
    APIConnectionError,
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
)
from azure_responses.protocol.http_message import Request
from azure_responses.timeouts import limit_of
from azure_responses.transport import (
    LoopTransport,
    NetworkOptions,
    Timeout,
    build_headers,
    build_request,
    is_event_stream,
    make_transport,
    merge_request,
    parse_url,
    patience_of,
    phases_of,
    read_timeout,
    refuse_wrong_client,
)
from tests.protocol.samples import make_call

_BACKENDS = ["asyncio", "trio"]


def _exceptions(module: ModuleType) -> list[type[Exception]]:
    return [
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]


def _make(kind: type[Exception]) -> Exception:
    """An instance, whatever its constructor wants."""
    for arguments in (("m",), (), ("m", None), ("m", 1), (None, OSError(1, "m")), (None, ())):
        try:
            return kind(*arguments)
        except (TypeError, AttributeError):
            continue
    request = httpx.Request("GET", "https://r.example.com", headers={"api-key": "hush"})
    return kind("m", request=request, response=httpx.Response(500))  # type: ignore[call-arg]


def _map(error: Exception) -> BaseException:
    with pytest.raises(AzureResponsesError) as caught, mapped_errors():
        raise error
    return caught.value


def _map_async(error: Exception, backend: str = "asyncio") -> BaseException:
    async def work() -> None:
        with async_mapped_errors():
            raise error

    with pytest.raises(AzureResponsesError) as caught:
        anyio.run(work, backend=backend)
    return caught.value


_HTTPX = _exceptions(httpx)
_OURS = {
    httpx.InvalidURL: ConfigurationError,
    httpx.CookieConflict: ConfigurationError,
    httpx.UnsupportedProtocol: ConfigurationError,
}


@pytest.mark.parametrize("kind", _HTTPX, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("map_error", [_map, _map_async])
def test_every_exception_of_httpx_becomes_one_of_ours(
    kind: type[Exception], map_error: Callable[[Exception], BaseException]
) -> None:
    assert len(_HTTPX) > 25
    error = _make(kind)
    mapped = map_error(error)
    is_timeout = issubclass(kind, httpx.TimeoutException)
    expected = APITimeoutError if is_timeout else _OURS.get(kind, APIConnectionError)
    assert type(mapped) is expected
    assert mapped.__cause__ is error
    assert str(mapped)


def _make_aiohttp(kind: type[Any]) -> Exception:
    url = URL("https://r.example.com")
    arguments: tuple[Any, ...] = ()
    if issubclass(kind, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        key = ConnectionKey("r.example.com", 443, True, True, None, None, None)
        arguments = (key, OSError(1, "refused"))
    elif issubclass(kind, aiohttp.ClientResponseError):
        headers: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
        arguments = (aiohttp.RequestInfo(url, "GET", headers, url), ())
    elif issubclass(kind, aiohttp.InvalidURL):
        arguments = (url,)
    elif issubclass(kind, aiohttp.ServerFingerprintMismatch):
        arguments = (b"expected", b"got", "r.example.com", 443)
    error: Exception = kind(*arguments)
    return error


_AIOHTTP = [kind for kind in _exceptions(aiohttp) if issubclass(kind, aiohttp.ClientError)]


@pytest.mark.parametrize("kind", _AIOHTTP, ids=lambda kind: kind.__name__)
def test_every_client_exception_of_aiohttp_becomes_one_of_ours(kind: type[Exception]) -> None:
    assert len(_AIOHTTP) > 15
    error = _make_aiohttp(kind)
    expected = APITimeoutError if issubclass(kind, TimeoutError) else APIConnectionError
    mapped = _map_async(error)
    assert type(mapped) is expected
    assert mapped.__cause__ is error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (TimeoutError(), APITimeoutError),
        (ConnectionResetError("reset"), APIConnectionError),
        (BrokenPipeError(), APIConnectionError),
        (ssl.SSLError("certificate verify failed"), APIConnectionError),
    ],
)
@pytest.mark.parametrize("backend", _BACKENDS)
def test_what_escapes_the_async_libraries_is_mapped_too(
    error: Exception, expected: type[Exception], backend: str
) -> None:
    assert type(_map_async(error, backend)) is expected


@pytest.mark.parametrize("error", [ValueError("m"), KeyboardInterrupt(), APIConnectionError("m")])
def test_what_is_not_the_networks_fault_passes_through(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, mapped_errors():
        raise error
    assert caught.value is error


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("[Errno -2] Name or service not known", "resource name"),
        ("nodename nor servname provided", "resource name"),
        ("[Errno 11001] getaddrinfo failed", "resource name"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "verify="),
        ("All connection attempts failed", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("kind", [httpx.ConnectError, OSError])
def test_connection_errors_have_hints(
    kind: type[Exception], message: str, words: str | None
) -> None:
    mapped = _map_async(kind(message))
    assert isinstance(mapped, APIConnectionError)
    assert message in mapped.message
    assert mapped.hint is None if words is None else words in (mapped.hint or "")


def test_the_credential_does_not_hang_on_the_exception() -> None:
    request = httpx.Request("POST", "https://r.example.com?k=hush", headers={"api-key": "hush"})
    error = httpx.ReadTimeout("m", request=request)
    mapped = _map(error)
    assert error.request.headers.get("api-key") is None
    assert "hush" not in repr(vars(error)) + repr(vars(mapped)) + str(error.request.url)
    assert pickle.loads(pickle.dumps(mapped)).message == mapped.args[0]


# Timeouts.


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (600.0, {"connect": 10.0, "read": 600.0, "write": 600.0, "pool": 600.0}),
        (3, {"connect": 3, "read": 3, "write": 3, "pool": 3}),
        (None, {"connect": 10.0, "read": None, "write": None, "pool": None}),
        (
            httpx.Timeout(5.0, connect=60.0, pool=None),
            {"connect": 60.0, "read": 5.0, "write": 5.0, "pool": None},
        ),
    ],
)
def test_a_timeout_has_four_phases(timeout: Timeout, expected: dict[str, float | None]) -> None:
    assert phases_of(timeout) == expected


@pytest.mark.parametrize(
    ("timeout", "expected"), [(7.5, 7.5), (None, None), (httpx.Timeout(5.0, read=9.0), 9.0)]
)
def test_patience_is_the_time_for_reading(timeout: Timeout, expected: float | None) -> None:
    assert patience_of(timeout) == expected


@pytest.mark.parametrize(
    "odd", [0, -1, 0.0, float("nan"), "5", (1, 2), [], httpx.Timeout(5.0, connect=0)]
)
def test_a_timeout_that_is_no_time_is_refused_before_anything_is_sent(odd: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout is") as caught:
        read_timeout(odd)
    assert "None for no limit" in (caught.value.hint or "")


@pytest.mark.parametrize("timeout", [5, 0.001, None, httpx.Timeout(5.0), httpx.Timeout(None)])
def test_a_timeout_is_taken_as_it_is(timeout: Timeout) -> None:
    assert read_timeout(timeout) is timeout


@pytest.mark.parametrize("timeout", [float("inf"), 1e300])
def test_more_than_anybody_can_wait_is_no_limit(timeout: float) -> None:
    assert read_timeout(timeout) is None


# Requests and replies.


def test_one_attempt_carries_its_headers_its_credential_and_its_timeouts() -> None:
    call = make_call(headers={"x-a": "1"})
    headers = build_headers(call, ("api-key", "k"))
    assert headers["user-agent"].startswith("azure-responses/")
    assert (headers["x-a"], headers["api-key"]) == ("1", "k")
    assert call.secret == "k"
    request = build_request(call.request, headers, 5.0, limit_of(5.0))
    assert (request.method, str(request.url)) == ("POST", call.request.url)
    assert request.headers["api-key"] == "k"
    assert request.extensions["timeout"] == phases_of(5.0)


def test_a_bearer_is_remembered_without_its_scheme() -> None:
    call = make_call()
    build_headers(call, ("authorization", "Bearer t"))
    assert call.secret == "t"


def test_without_a_credential_the_callers_headers_are_all() -> None:
    call = make_call(headers={"User-Agent": "mine", "api-key": "k"})
    headers = build_headers(call, None)
    assert headers["api-key"] == "k"
    assert call.secret is None


def test_a_callers_client_adds_its_own_headers_below_ours() -> None:
    with httpx.Client(headers={"x-own": "1", "x-a": "0"}) as http_client:
        request = merge_request(http_client, make_call().request, {"x-a": "1"}, None)
    assert (request.headers["x-own"], request.headers["x-a"]) == ("1", "1")
    assert request.extensions["timeout"] == phases_of(None)


def test_a_client_of_the_wrong_kind_is_named() -> None:
    refuse_wrong_client(httpx.Client(), httpx.Client)
    with pytest.raises(ConfigurationError, match=r"httpx\.Client; expected an httpx\.AsyncClient"):
        refuse_wrong_client(httpx.Client(), httpx.AsyncClient)


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {"content-type": "text/event-stream; charset=utf-8"}, True),
        (200, {"content-type": "Text/Event-Stream"}, True),
        (200, {}, True),
        (200, {"content-type": "application/json"}, False),
        (200, {"content-type": "text/html"}, False),
        (429, {"content-type": "text/event-stream"}, False),
        (302, {}, False),
    ],
)
def test_which_replies_stream_events(status: int, headers: dict[str, str], expected: bool) -> None:
    assert is_event_stream(httpx.Response(status, headers=headers)) is expected


def test_urls_are_parsed_once() -> None:
    assert parse_url("https://r.example.com/x") is parse_url("https://r.example.com/x")


# Certificates.


def test_certificates_come_from_where_verify_says(tmp_path: Path) -> None:
    import certifi

    assert NetworkOptions().ssl_context().verify_mode is ssl.CERT_REQUIRED
    assert NetworkOptions(verify=False).ssl_context().verify_mode is ssl.CERT_NONE
    context = ssl.create_default_context()
    assert NetworkOptions(verify=context).ssl_context() is context
    assert NetworkOptions(verify=certifi.where()).ssl_context().cert_store_stats()["x509"] > 10
    assert NetworkOptions(verify=str(tmp_path)).ssl_context().verify_mode is ssl.CERT_REQUIRED


class _Chain(ssl.SSLContext):
    """Notes what it is told to load."""

    loaded: tuple[Any, ...] = ()

    def load_cert_chain(self, *chain: Any, **_: Any) -> None:
        self.loaded = chain


@pytest.mark.parametrize(
    ("cert", "loaded"),
    [("c.pem", ("c.pem",)), (("c.pem", "k.pem"), ("c.pem", "k.pem")), (None, ())],
)
def test_a_client_certificate_is_loaded_without_a_warning(
    cert: Any, loaded: tuple[str, ...]
) -> None:
    context = _Chain(ssl.PROTOCOL_TLS_CLIENT)
    assert NetworkOptions(verify=context, cert=cert).ssl_context() is context
    assert context.loaded == loaded


@pytest.mark.parametrize("name", ["missing.pem", "garbage.pem"])
@pytest.mark.parametrize("field", ["verify", "cert"])
def test_certificates_that_cannot_be_read_are_a_clear_error(
    name: str, field: str, tmp_path: Path
) -> None:
    (tmp_path / "garbage.pem").write_text("garbage")
    connection = NetworkOptions(**{field: str(tmp_path / name)})  # type: ignore[arg-type]
    for make in (
        connection.ssl_context,
        lambda: make_transport(connection, "https://r.example.com"),
    ):
        with pytest.raises(ConfigurationError, match="certificates cannot be read") as caught:
            make()
        assert "PEM" in (caught.value.hint or "")


# Real sockets.


class _Server(ThreadingHTTPServer):
    """Answers every request with the name of the connection it came over."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lines: list[str] = []
        self.released = threading.Semaphore(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        self.server.lines.append(f"{self.requestline} over {self.client_address[1]}")
        self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path.endswith("/hang-up"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = str(self.client_address[1]).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.send_header("set-cookie", "a=b")
        self.end_headers()
        self.wfile.write(body)

    def finish(self) -> None:
        super().finish()
        self.server.released.release()

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


@contextmanager
def _serving() -> Iterator[_Server]:
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with _serving() as server:
        yield server


@pytest.fixture
def strict_about_resources() -> Iterator[None]:
    """Fails for a socket that was left open, also one found only by the garbage collector."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    leaks = [str(warning.message) for warning in caught if warning.category is ResourceWarning]
    assert leaks == []


async def _post(transport: LoopTransport, url: str, body: bytes = b"{}") -> str:
    response = await transport.send(Request("POST", url, {}, body), {}, 5.0, limit_of(5.0))
    try:
        return b"".join([chunk async for chunk in response.aiter_bytes()]).decode()
    finally:
        await response.aclose()


def _run_without_ending_generators(main: Any) -> None:
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main)
    loop.close()


def _wait_released(server: _Server, count: int) -> None:
    for _ in range(count):
        assert server.released.acquire(timeout=5)


@pytest.mark.usefixtures("strict_about_resources")
@pytest.mark.parametrize("backend", _BACKENDS)
def test_a_body_of_megabytes_is_sent_whole_and_without_a_warning(
    backend: str, server: _Server
) -> None:
    async def work() -> None:
        transport = LoopTransport(NetworkOptions(), server.url)
        # The second call is understood only if the first body ended where it said.
        ports = [await _post(transport, server.url, bytes(3 * 2**20)) for _ in range(2)]
        assert len(set(ports)) == 1
        await transport.aclose()

    anyio.run(work, backend=backend)
    _wait_released(server, 1)


@pytest.mark.usefixtures("strict_about_resources")
@pytest.mark.parametrize("backend", _BACKENDS)
def test_calls_in_one_loop_share_a_connection_and_closing_releases_it(
    backend: str, server: _Server
) -> None:
    async def work() -> None:
        transport = LoopTransport(NetworkOptions(), server.url)
        ports = [await _post(transport, server.url) for _ in range(3)]
        assert len(set(ports)) == 1
        await transport.aclose()
        await transport.aclose()

    anyio.run(work, backend=backend)
    _wait_released(server, 1)


@pytest.mark.usefixtures("strict_about_resources")
@pytest.mark.parametrize("backend", _BACKENDS)
def test_the_end_of_a_loop_releases_its_connections_and_the_next_loop_opens_its_own(
    backend: str, server: _Server
) -> None:
    transport = LoopTransport(NetworkOptions(), server.url)
    ports = []
    for count in (1, 2):
        ports.append(anyio.run(_post, transport, server.url, backend=backend))
        _wait_released(server, 1)
        assert len(server.lines) == count
    assert ports[0] != ports[1]
    anyio.run(transport.aclose, backend=backend)


@pytest.mark.usefixtures("strict_about_resources")
def test_a_transport_serves_asyncio_and_trio_by_turns(server: _Server) -> None:
    transport = LoopTransport(NetworkOptions(), server.url)
    for number in range(4):
        backend = _BACKENDS[number % 2]
        assert anyio.run(_post, transport, server.url, backend=backend)
    _wait_released(server, 4)


@pytest.mark.usefixtures("strict_about_resources")
def test_plain_asyncio_run_and_trio_run_work_too(server: _Server) -> None:
    transport = LoopTransport(NetworkOptions(), server.url)
    assert asyncio.run(_post(transport, server.url))
    assert asyncio.run(_post(transport, server.url))
    assert trio.run(_post, transport, server.url)


@pytest.mark.usefixtures("strict_about_resources")
def test_threads_with_loops_of_their_own_share_a_transport_at_the_same_time(
    server: _Server,
) -> None:
    transport = LoopTransport(NetworkOptions(), server.url)
    together = threading.Barrier(4)

    async def work() -> set[str]:
        ports = {await _post(transport, server.url)}
        # Every loop has its connection now, and goes on using it beside the others.
        await asyncio.to_thread(together.wait, 30)
        return ports | {await _post(transport, server.url) for _ in range(10)}

    with ThreadPoolExecutor(4) as pool:
        found = [each.result() for each in [pool.submit(asyncio.run, work()) for _ in range(4)]]
    assert [len(ports) for ports in found] == [1, 1, 1, 1]
    assert len(set.union(*found)) == 4
    _wait_released(server, 4)


@pytest.mark.parametrize("run", [asyncio.run, _run_without_ending_generators])
@pytest.mark.filterwarnings("ignore:unclosed|Unclosed:ResourceWarning")
def test_a_loop_that_has_ended_is_not_kept(run: Any, server: _Server) -> None:
    transport = LoopTransport(NetworkOptions(), server.url)
    loops: WeakSet[Any] = WeakSet()

    async def work(transport: LoopTransport) -> None:
        loops.add(asyncio.get_running_loop())
        await _post(transport, server.url)

    for _ in range(3):
        run(work(transport))
        gc.collect()
    assert len(loops) <= 1
    # What such a loop leaves open is found here, and not by whoever comes next.
    del transport
    gc.collect()


@pytest.mark.usefixtures("strict_about_resources")
def test_a_closed_transport_may_be_used_again(server: _Server) -> None:
    async def work() -> None:
        transport = LoopTransport(NetworkOptions(), server.url)
        await transport.aclose()
        first = await _post(transport, server.url)
        await transport.aclose()
        assert await _post(transport, server.url) != first
        await transport.aclose()

    asyncio.run(work())


@pytest.mark.usefixtures("strict_about_resources")
@pytest.mark.parametrize("backend", _BACKENDS)
def test_calls_at_once_share_one_transport(backend: str, server: _Server) -> None:
    async def work() -> None:
        transport = LoopTransport(NetworkOptions(), server.url)
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(_post, transport, server.url)
        await transport.aclose()

    anyio.run(work, backend=backend)
    assert len(server.lines) == 10
    _wait_released(server, len({line.rpartition(" ")[2] for line in server.lines}))


@pytest.mark.parametrize("backend", _BACKENDS)
def test_a_server_that_hangs_up_is_a_connection_error_and_no_timeout(
    backend: str, server: _Server
) -> None:
    async def work() -> None:
        transport = LoopTransport(NetworkOptions(), server.url)
        try:
            with async_mapped_errors():
                await _post(transport, f"{server.url}/hang-up")
        finally:
            await transport.aclose()

    with pytest.raises(APIConnectionError) as caught:
        anyio.run(work, backend=backend)
    assert type(caught.value) is APIConnectionError


@pytest.mark.parametrize("backend", _BACKENDS)
def test_a_server_that_does_not_answer_is_a_timeout(backend: str) -> None:
    async def work(url: str) -> None:
        transport = LoopTransport(NetworkOptions(), url)
        try:
            with async_mapped_errors():
                await transport.send(Request("POST", url, {}), {}, 0.05, limit_of(0.05))
        finally:
            await transport.aclose()

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(APITimeoutError):
        anyio.run(work, f"http://127.0.0.1:{listener.getsockname()[1]}", backend=backend)


@pytest.mark.parametrize("backend", _BACKENDS)
def test_a_port_where_nobody_listens_is_a_connection_error(backend: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def work() -> None:
        transport = LoopTransport(NetworkOptions(), url)
        with async_mapped_errors():
            await _post(transport, url)

    with pytest.raises(APIConnectionError) as caught:
        anyio.run(work, backend=backend)
    assert type(caught.value) is APIConnectionError


def test_the_sync_transport_keeps_and_releases_its_connection(server: _Server) -> None:
    with make_transport(NetworkOptions(), server.url) as transport:
        ports = set()
        for _ in range(3):
            response = transport.handle_request(httpx.Request("POST", server.url))
            ports.add(response.read())
            response.close()
        assert len(ports) == 1
    _wait_released(server, 1)


# Proxies.


def _line_through(transport: httpx.BaseTransport, server: _Server) -> str:
    with transport:
        response = transport.handle_request(httpx.Request("POST", "http://r.example.com/x"))
        response.read()
        response.close()
    return server.lines[-1].partition(" over ")[0]


_PROXIED = "POST http://r.example.com/x HTTP/1.1"


def _async_line_through(
    backend: str, connection: NetworkOptions, server: _Server, url: str = "http://r.example.com/x"
) -> str:
    async def work() -> None:
        transport = LoopTransport(connection, url.rpartition("/")[0])
        await _post(transport, url)
        await transport.aclose()

    anyio.run(work, backend=backend)
    return server.lines[-1].partition(" over ")[0]


@pytest.mark.parametrize("make_proxy", [str, httpx.Proxy])
def test_a_given_proxy_is_used(make_proxy: Callable[[str], Any], server: _Server) -> None:
    connection = NetworkOptions(proxy=make_proxy(server.url))
    assert _line_through(make_transport(connection, "http://r.example.com"), server) == _PROXIED
    for backend in _BACKENDS:
        assert _async_line_through(backend, connection, server) == _PROXIED


@pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("has_scheme", [True, False])
def test_the_environments_proxy_is_used(
    variable: str, has_scheme: bool, server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = server.url if has_scheme else server.url.removeprefix("http://")
    monkeypatch.setenv(variable, value)
    transport = make_transport(NetworkOptions(), "http://r.example.com")
    assert _line_through(transport, server) == _PROXIED
    for backend in _BACKENDS:
        assert _async_line_through(backend, NetworkOptions(), server) == _PROXIED


@pytest.mark.parametrize("backend", _BACKENDS)
def test_no_proxy_is_obeyed(backend: str, server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    with make_transport(NetworkOptions(), server.url) as transport:
        transport.handle_request(httpx.Request("POST", server.url)).close()
    url = f"{server.url}/x"
    assert _async_line_through(backend, NetworkOptions(), server, url) == "POST /x HTTP/1.1"


def test_the_environment_is_not_asked_about_another_scheme(
    server: _Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with make_transport(NetworkOptions(), server.url) as transport:
        transport.handle_request(httpx.Request("POST", server.url)).close()
    assert len(server.lines) == 1


@pytest.mark.parametrize("proxy", ["nonsense", "ftp://x", "http//x", 5])
def test_a_proxy_that_is_none_is_named_without_its_url(proxy: Any) -> None:
    connection = NetworkOptions(proxy=proxy)
    with pytest.raises(ConfigurationError, match="proxy") as caught:
        make_transport(connection, "https://r.example.com")
    assert str(proxy) not in str(caught.value)
    for backend in _BACKENDS:
        with pytest.raises(ConfigurationError, match="proxy"):
            anyio.run(
                _post, LoopTransport(connection, "https://r.example.com"), "/x", backend=backend
            )


def test_a_socks_proxy_of_the_environment_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://user:secret@127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "socksio", None)
    origin = "https://r.example.com"
    with pytest.raises(ConfigurationError, match="SOCKS") as caught:
        make_transport(NetworkOptions(), origin)
    assert "httpx[socks]" in (caught.value.hint or "")
    for backend in _BACKENDS:
        with pytest.raises(ConfigurationError, match="SOCKS") as caught:
            anyio.run(_post, LoopTransport(NetworkOptions(), origin), "/x", backend=backend)
        assert "secret" not in str(caught.value)


def test_an_endpoint_where_nothing_listens_is_explained() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    client = AzureResponses(url, api_key="k", max_retries=0)
    with client, pytest.raises(APIConnectionError) as caught:
        client.responses.create(model="gpt", input="hi")
    assert "azure-responses emulate" in (caught.value.hint or "")

    async def ask() -> None:
        async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
            with pytest.raises(APIConnectionError) as caught:
                await client.responses.create(model="gpt", input="hi")
        assert "azure-responses emulate" in (caught.value.hint or "")

    for backend in _BACKENDS:
        anyio.run(ask, backend=backend)
