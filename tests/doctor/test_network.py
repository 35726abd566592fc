"""DNS, TCP, proxy and TLS, against real sockets."""

import base64
import socket
import ssl
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses.doctor.findings import Finding
from azure_responses.doctor.probes import find_network_path, probe_network
from azure_responses.transport import NetworkOptions
from tests.doctor.sockets import accepting, closed_port, make_certificate, tls_context


def _examine(origin: str, **connection: Any) -> dict[str, Finding]:
    configured = NetworkOptions(**connection)
    path = find_network_path(origin, configured)
    return {finding.name: finding for finding in probe_network(path, configured, 5.0)}


def _verdicts(found: dict[str, Finding]) -> list[bool | None]:
    return [finding.ok for finding in found.values()]


def _swallow(connection: socket.socket) -> None:
    connection.recv(1)


def test_a_host_name_that_does_not_exist_is_a_dns_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = _examine("https://mistyped.openai.azure.com")
    assert _verdicts(found) == [False, None, None]
    assert found["dns"].detail == (
        "mistyped.openai.azure.com does not resolve: Name or service not known"
    )
    assert "'mistyped'" in (found["dns"].fix or "")
    assert found["tcp"].detail == "skipped: dns failed"


def test_a_proxy_that_does_not_exist_is_a_dns_failure_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(host: str, *_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, f"{host} unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    found = _examine("https://r.openai.azure.com", proxy="http://proxy.corp:3128")
    assert "proxy.corp does not resolve" in found["dns"].detail
    assert "HTTPS_PROXY" in (found["dns"].fix or "")


def test_a_host_name_that_cannot_be_one_is_a_dns_failure() -> None:
    found = _examine(f"https://{'a' * 70}.openai.azure.com")
    assert found["dns"].ok is False


@pytest.mark.parametrize(
    ("addresses", "is_private"),
    [(["20.1.2.3"], False), (["10.0.0.4"], True), (["fe80::1%eth0"], True)],
)
def test_a_private_address_is_named_as_one(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], is_private: bool
) -> None:
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)

    def refuse(*_: Any, **__: Any) -> Any:
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", refuse)
    found = _examine("https://r.openai.azure.com")
    assert ("private" in found["dns"].detail) is is_private
    assert found["tcp"].detail == "no connection to r.openai.azure.com:443: timed out"


def test_a_closed_port_is_a_tcp_failure() -> None:
    found = _examine(f"https://127.0.0.1:{closed_port()}")
    assert _verdicts(found) == [True, False, None]
    assert "Connection refused" in found["tcp"].detail
    assert "HTTPS_PROXY" in (found["tcp"].fix or "")


def test_a_closed_proxy_is_a_tcp_failure_of_its_own() -> None:
    found = _examine("https://r.example.com", proxy=f"http://127.0.0.1:{closed_port()}")
    assert "no connection to the proxy 127.0.0.1" in found["tcp"].detail
    assert "Check HTTPS_PROXY" in (found["tcp"].fix or "")


def test_plain_http_needs_no_tls() -> None:
    with accepting(_swallow) as port:
        found = _examine(f"http://127.0.0.1:{port}")
    assert _verdicts(found) == [True, True, None]
    assert "no TLS" in found["tls"].detail
    assert found["tcp"].seconds is not None


def _serve_tls(certificate: Path, key: Path) -> Any:
    context = tls_context(certificate, key)

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(1)

    return answer


def test_a_trusted_certificate_is_shown_with_who_signed_it(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    with accepting(_serve_tls(certificate, key)) as port:
        found = _examine(f"https://127.0.0.1:{port}", verify=str(certificate))
    assert found["tls"].ok is True
    assert found["tls"].detail == "TLSv1.3, certificate by A Company Proxy"


def test_a_certificate_that_is_not_verified_is_said_to_be(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    with accepting(_serve_tls(certificate, key)) as port:
        found = _examine(f"https://127.0.0.1:{port}", verify=False)
    assert found["tls"].detail == "TLSv1.3, certificate not verified"


@pytest.mark.parametrize(
    ("host", "days", "trusts", "detail", "fix"),
    [
        ("127.0.0.1", 1, False, "self-signed certificate", "SSL_CERT_FILE"),
        ("elsewhere.example.com", 1, True, "mismatch", "for another host"),
        ("127.0.0.1", -1, True, "expired", "clock"),
    ],
)
def test_a_certificate_that_is_refused_has_its_own_fix(
    tmp_path: Path, host: str, days: int, trusts: bool, detail: str, fix: str
) -> None:
    certificate, key = make_certificate(tmp_path, host, days=days)
    verify: dict[str, Any] = {"verify": str(certificate)} if trusts else {}
    with accepting(_serve_tls(certificate, key)) as port:
        found = _examine(f"https://127.0.0.1:{port}", **verify)
    assert found["tls"].ok is False
    assert detail in found["tls"].detail
    assert fix in (found["tls"].fix or "")


def test_a_port_that_speaks_no_tls_is_a_tls_failure() -> None:
    with accepting(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad\r\n\r\n")) as port:
        found = _examine(f"https://127.0.0.1:{port}")
    assert found["tls"].ok is False
    assert "does not speak TLS" in (found["tls"].fix or "")


def test_certificates_that_cannot_be_read_are_a_tls_failure(tmp_path: Path) -> None:
    with accepting(_swallow) as port:
        found = _examine(f"https://127.0.0.1:{port}", verify=str(tmp_path / "none.pem"))
    assert "cannot be read" in found["tls"].detail
    assert "PEM" in (found["tls"].fix or "")


def _tunnel(seen: list[bytes], certificate: Path, key: Path) -> Any:
    context = tls_context(certificate, key)

    def answer(connection: socket.socket) -> None:
        seen.append(connection.recv(4096))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(connection, server_side=True) as encrypted:
            encrypted.recv(1)

    return answer


def test_tls_goes_through_a_proxy_with_its_login(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path, "r.example.com")
    seen: list[bytes] = []
    with accepting(_tunnel(seen, certificate, key)) as port:
        proxy = f"http://user:p%40ss@127.0.0.1:{port}"
        found = _examine("https://r.example.com", proxy=proxy, verify=str(certificate))
    assert found["tls"].ok is True
    assert f"through the proxy 127.0.0.1:{port}" in found["tls"].detail
    assert "the proxy resolves r.example.com" in found["dns"].detail
    login = base64.b64encode(b"user:p@ss").decode()
    assert seen == [
        b"CONNECT r.example.com:443 HTTP/1.1\r\nHost: r.example.com:443\r\n"
        + f"Proxy-Authorization: Basic {login}\r\n\r\n".encode()
    ]
    assert "p@ss" not in str(found)
    assert "p%40ss" not in str(found)


@pytest.mark.parametrize(
    ("reply", "detail", "fix"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407", "Put the login"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "403 Forbidden", "allowed on the proxy"),
        (b"", "no reply", "allowed on the proxy"),
    ],
)
def test_a_proxy_that_refuses_is_a_tls_failure(reply: bytes, detail: str, fix: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(reply)

    with accepting(answer) as port:
        found = _examine("https://r.example.com", proxy=httpx.Proxy(f"http://127.0.0.1:{port}"))
    assert found["tls"].ok is False
    assert detail in found["tls"].detail
    assert fix in (found["tls"].fix or "")


def test_a_proxy_that_says_nothing_is_a_tls_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    configured = NetworkOptions(proxy="http://127.0.0.1:1")
    ours, theirs = socket.socketpair()
    ours.settimeout(0.01)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: ours)
    path = find_network_path("https://r.example.com", configured)
    with theirs:
        found = list(probe_network(path, configured, 5.0))
    assert "the proxy does not answer: timed out" in found[-1].detail


def test_a_proxy_of_another_kind_is_left_to_the_call() -> None:
    with accepting(_swallow) as port:
        found = _examine("https://r.example.com", proxy=f"socks5://127.0.0.1:{port}")
    assert "a socks5 proxy" in found["tls"].detail


@pytest.mark.parametrize(
    ("environment", "hop"),
    [
        ({}, ("r.example.com", 443)),
        ({"HTTPS_PROXY": "http://p:3128"}, ("p", 3128)),
        ({"HTTPS_PROXY": "p:3128"}, ("p", 3128)),
        ({"ALL_PROXY": "http://p"}, ("p", 80)),
        ({"ALL_PROXY": "socks5://p"}, ("p", 1080)),
        ({"HTTP_PROXY": "http://p:3128"}, ("r.example.com", 443)),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "example.com"}, ("r.example.com", 443)),
    ],
)
def test_the_environments_proxy_is_obeyed(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], hop: tuple[str, int]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert find_network_path("https://r.example.com", NetworkOptions()).first_hop == hop


def test_a_handshake_error_without_words_is_named_by_its_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ssl.SSLError

    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", fail)
    with accepting(_swallow) as port:
        found = _examine(f"https://127.0.0.1:{port}")
    assert "SSLError" in found["tls"].detail
