"""Who is named when a connection fails: the service, or the proxy in front of it."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from azure_responses import APIConnectionError, APITimeoutError, AsyncAzureResponses, AzureResponses
from tests.doctor.sockets import accepting, closed_port

_ENDPOINT = "https://r.openai.azure.com"
_KEY = "0123456789abcdef0123456789abcdef"
_PASSWORD = "hunter2hunter2"
_CALL: dict[str, Any] = {"model": "m", "input": "x"}


def _ask_sync(brings_client: bool, **arguments: Any) -> None:
    http_client = httpx.Client(proxy=arguments.pop("proxy")) if brings_client else None
    with AzureResponses(
        api_key=_KEY, http_client=http_client, max_retries=0, **{"timeout": 20.0, **arguments}
    ) as client:
        try:
            client.responses.create(**_CALL)
        finally:
            if http_client is not None:
                http_client.close()


def _ask_async(backend: str) -> Callable[..., None]:
    async def ask(brings_client: bool, arguments: dict[str, Any]) -> None:
        http_client = httpx.AsyncClient(proxy=arguments.pop("proxy")) if brings_client else None
        async with AsyncAzureResponses(
            api_key=_KEY, http_client=http_client, max_retries=0, **{"timeout": 20.0, **arguments}
        ) as client:
            try:
                await client.responses.create(**_CALL)
            finally:
                if http_client is not None:
                    await http_client.aclose()

    def run(brings_client: bool, **arguments: Any) -> None:
        anyio.run(ask, brings_client, arguments, backend=backend)

    return run


_EVERY = pytest.mark.parametrize(
    "ask",
    [
        pytest.param(_ask_sync, id="sync"),
        *(pytest.param(_ask_async(name), id=name) for name in ("asyncio", "trio")),
    ],
)
_CLIENTS = pytest.mark.parametrize("brings_client", [False, True], ids=["own", "http_client"])


def _failure(ask: Any, brings_client: bool, proxy: str, **more: Any) -> APIConnectionError:
    with pytest.raises(APIConnectionError) as caught:
        ask(brings_client, endpoint=more.pop("endpoint", _ENDPOINT), proxy=proxy, **more)
    assert _PASSWORD not in str(caught.value)
    return caught.value


@_EVERY
@_CLIENTS
def test_a_proxy_that_refuses_connections_is_named(ask: Any, brings_client: bool) -> None:
    port = closed_port()
    error = _failure(ask, brings_client, f"http://user:{_PASSWORD}@127.0.0.1:{port}")
    assert f"The connection to the proxy http://127.0.0.1:{port} failed" in error.message
    assert "NO_PROXY" in (error.hint or "")


@_EVERY
@_CLIENTS
def test_a_proxy_that_is_silent_is_named(ask: Any, brings_client: bool) -> None:
    is_over = threading.Event()

    def be_silent(connection: socket.socket) -> None:
        is_over.wait(5)

    with accepting(be_silent) as port:
        error = _failure(ask, brings_client, f"http://127.0.0.1:{port}", timeout=0.4)
        is_over.set()
    assert isinstance(error, APITimeoutError)
    assert f"proxy http://127.0.0.1:{port}" in error.message


@_EVERY
@_CLIENTS
@pytest.mark.parametrize(
    ("reply", "hint"),
    [
        ("407 Proxy Authentication Required", "user and password"),
        ("403 Forbidden", "NO_PROXY"),
        ("502 Bad Gateway", "NO_PROXY"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_named(
    ask: Any, brings_client: bool, reply: str, hint: str
) -> None:
    asked: list[bytes] = []

    def refuse(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        connection.sendall(f"HTTP/1.1 {reply}\r\ncontent-length: 0\r\n\r\n".encode())

    with accepting(refuse) as port:
        proxy = f"http://user:{_PASSWORD}@127.0.0.1:{port}"
        error = _failure(ask, brings_client, proxy)
    assert f"The connection to the proxy http://127.0.0.1:{port} failed: {reply}" in error.message
    assert hint in (error.hint or "")
    assert b"proxy-authorization: basic " in asked[0].lower()


@_EVERY
def test_a_proxy_that_breaks_off_tls_is_named(ask: Any) -> None:
    def answer_in_plain(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with accepting(answer_in_plain) as port:
        error = _failure(ask, False, f"https://127.0.0.1:{port}")
    assert f"proxy https://127.0.0.1:{port}" in error.message


@_EVERY
def test_a_plain_endpoint_behind_a_proxy_that_refuses_names_it_too(ask: Any) -> None:
    port = closed_port()
    error = _failure(
        ask, False, f"http://127.0.0.1:{port}", endpoint="http://r.example", allow_insecure=True
    )
    assert f"The connection to the proxy http://127.0.0.1:{port} failed" in error.message


@_EVERY
def test_a_proxy_of_the_environment_is_named(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    port = closed_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{_PASSWORD}@127.0.0.1:{port}")
    with pytest.raises(APIConnectionError, match=f"proxy http://127.0.0.1:{port} failed") as caught:
        ask(False, endpoint=_ENDPOINT)
    assert _PASSWORD not in str(caught.value)


@_EVERY
def test_without_a_proxy_none_is_named(ask: Any) -> None:
    with pytest.raises(APIConnectionError, match=r"^The connection failed") as caught:
        ask(False, endpoint=f"http://127.0.0.1:{closed_port()}")
    assert "Nothing listens" in (caught.value.hint or "")
