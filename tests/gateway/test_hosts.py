"""A page of another machine reads nothing of a gateway that asks for no key."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from azure_responses.emulator.server import RunningServer
from azure_responses.gateway.authentication import HostRules, read_host
from tests.browser import dump
from tests.gateway.gateways import KEY, Running, config_of, serve
from tests.openai_server.servers import make_emulator

_OWN = (
    *("localhost", "localhost:4000", "LOCALHOST", "localhost.", "localhost.:80", "a.localhost"),
    *("127.0.0.1", "127.0.0.1:4000", "127.9.9.9", "[::1]", "[::1]:4000", "[::ffff:127.0.0.1]:1"),
    *("127.0.0.1:", " localhost "),
)
_FOREIGN = (
    *("evil.example", "evil.example:4000", "EVIL.example.", "localhost.evil.example", "", ":4000"),
    *("127.0.0.1.evil.example", "10.0.0.1", "[::2]", "0.0.0.0", "evil.example, localhost", "::1"),
    *("localhost@evil.example", "evil.example@localhost", "localhost/..", "localhost:x", "[::1"),
    *("127.0.0.1:80:80", "[evil.example]", "xn--lcalhost-9ya", "localhоst", "127.1", "l ocalhost"),
    *("127.0.0.1\t.evil", "localhostevil.example", "notlocalhost", "x" * 300),
)
_PATHS = (
    *("/v1/models", "/v1/models/chat", "/v1/responses/resp_1", "/v1/responses/resp_1/input_items"),
    *("/metrics", "/health", "/healthz", "/health/readiness", "/health/liveliness"),
    *("/health/liveness", "/openapi.json", "/models", "/openai/v1/models", "/", "/nothing"),
)


def _headers(**named: str) -> list[tuple[bytes, bytes]]:
    return [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]


@pytest.mark.parametrize("host", _OWN)
def test_names_of_the_loopback_are_its_own(host: str) -> None:
    assert HostRules().check(_headers(host=host), "1.1") is None


@pytest.mark.parametrize("host", _FOREIGN)
def test_any_other_name_is_foreign(host: str) -> None:
    response = HostRules().check(_headers(host=host), "1.1")
    assert response is not None
    assert (response.status, response.code) == (403, "host_not_allowed")
    assert len(response.body["error"]["message"]) < 400


@pytest.mark.parametrize(("allowed", "host", "is_own"), [
    ("gateway.internal", "gateway.internal:80", True),
    ("Gateway.internal.", "gateway.INTERNAL.", True),
    ("gateway.internal", "a.gateway.internal", False), ("*.internal", "a.b.internal", True),
    ("*.internal", "internal", False), ("*.internal", "evilinternal", False),
    ("*", "evil.example", True), ("10.0.0.1", "10.0.0.1:4000", True), ("*", "bad host", False),
])  # fmt: skip
def test_configured_names_are_answered_for(allowed: str, host: str, is_own: bool) -> None:
    hosts = HostRules([allowed])
    assert (hosts.check(_headers(host=host), "1.1") is None) is is_own
    assert hosts.check(_headers(host="localhost"), "1.1") is None


def test_one_host_is_needed_and_no_forwarded_one_counts() -> None:
    hosts = HostRules()
    for headers in ([], [*_headers(host="localhost"), *_headers(host="localhost")]):
        response = hosts.check(headers, "1.1")
        assert response is not None
        assert (response.status, response.code) == (400, "invalid_host")
    assert hosts.check([], "1.0") is None
    forwarded = _headers(
        host="evil.example", x_forwarded_host="localhost", forwarded="host=localhost"
    )
    assert hosts.check(forwarded, "1.1") is not None


@pytest.mark.parametrize(("headers", "is_refused"), [
    ({"sec_fetch_site": "cross-site"}, True), ({"sec_fetch_site": "Cross-Site "}, True),
    ({"sec_fetch_site": "same-site"}, False), ({"sec_fetch_site": "same-origin"}, False),
    ({"sec_fetch_site": "none"}, False), ({}, False), ({"origin": "null"}, True),
    ({"origin": "https://evil.example"}, True), ({"origin": "http://localhost:3000"}, False),
    ({"origin": "http://[::1"}, True),
    ({"origin": "http://localhost:3000", "sec_fetch_site": "cross-site"}, False),
])  # fmt: skip
def test_pages_of_other_sites_are_refused(headers: dict[str, str], is_refused: bool) -> None:
    response = HostRules().check(_headers(host="localhost", **headers), "1.1")
    assert (response is not None) is is_refused
    assert response is None or response.code == "origin_not_allowed"
    # Where a key is asked for, a page has none.
    assert HostRules(["a"], refuses_pages=False).check(_headers(host="a", **headers), "1.1") is None


@pytest.mark.parametrize("text", ["a" * 254, "a b", "", "[::1", "a:b", "a:123456"])
def test_what_is_no_host_is_not_read(text: str) -> None:
    assert read_host(text) is None


def _config(url: str, **general: Any) -> dict[str, Any]:
    config = config_of(url, "east", **general)
    del config["general_settings"]["master_key"]
    return config


@pytest.fixture(scope="module")
def open_gateway() -> Iterator[Running]:
    with (
        RunningServer(make_emulator()) as served,
        serve(_config(served.url, allowed_hosts="gateway.internal")) as running,
    ):
        yield running


def _ask(running: Running, head: str) -> tuple[int, bytes]:
    """Status and whole reply of a request whose head is exactly this."""
    parts = urlsplit(running.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as caller:
        caller.sendall(head.encode("latin-1"))
        reply = b""
        while piece := caller.recv(65536):
            reply += piece
    return int(reply.split(b" ", 2)[1]), reply


def _get(running: Running, path: str, host: str, *more: str) -> tuple[int, bytes]:
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *more]
    return _ask(running, "\r\n".join(lines) + "\r\n\r\n")


@pytest.mark.parametrize("path", _PATHS)
def test_no_path_answers_a_foreign_host(open_gateway: Running, path: str) -> None:
    for host in ("evil.example", "evil.example:4000"):
        status, reply = _get(open_gateway, path, host)
        assert (status, b"host_not_allowed" in reply) == (403, True)
    assert _get(open_gateway, path, "localhost", "Sec-Fetch-Site: cross-site")[0] == 403
    for host in ("localhost:4000", "[::1]", "gateway.internal"):
        assert _get(open_gateway, path, host)[0] in (200, 400, 404)


def test_the_host_of_an_absolute_target_counts(open_gateway: Running) -> None:
    for target, host, status in (
        ("http://evil.example/metrics", "localhost", 403),
        ("http://localhost/metrics", "evil.example", 200),
        ("http://[::1]:4000/metrics", "evil.example", 200),
        ("http://localhost@evil.example/metrics", "localhost", 403),
    ):
        assert _get(open_gateway, target, host)[0] == status, target


def test_a_request_of_http_1_0_needs_no_host(open_gateway: Running) -> None:
    assert _ask(open_gateway, "GET /metrics HTTP/1.0\r\n\r\n")[0] == 200
    assert _ask(open_gateway, "GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n")[0] == 403
    assert _ask(open_gateway, "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")[0] == 400
    twice = _get(open_gateway, "/metrics", "localhost", "Host: evil.example")
    assert twice[0] == 400


def test_a_post_of_a_foreign_host_is_refused_before_its_body_is_read(open_gateway: Running) -> None:
    head = "POST /v1/responses HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 9\r\n\r\n"
    parts = urlsplit(open_gateway.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as caller:
        caller.sendall(head.encode())
        assert caller.recv(65536).startswith(b"HTTP/1.1 403 ")


def test_a_gateway_with_a_key_answers_any_host_unless_hosts_are_named() -> None:
    auth = f"Authorization: Bearer {KEY}"
    with RunningServer(make_emulator()) as served:
        with serve(config_of(served.url, "east")) as running:
            assert _get(running, "/v1/models", "any.example", auth)[0] == 200
        with serve(config_of(served.url, "east", allowed_hosts=["a.example"])) as running:
            assert _get(running, "/v1/models", "a.example", auth)[0] == 200
            assert _get(running, "/v1/models", "b.example", auth)[0] == 403
        with serve(_config(served.url, allow_unauthenticated=True)) as running:
            assert _get(running, "/v1/models", "any.example")[0] == 200


def test_chromium_reads_nothing_by_rebinding(open_gateway: Running, tmp_path: Path) -> None:
    port = urlsplit(open_gateway.url).port
    seen = dump(f"http://evil.example:{port}/v1/models", tmp_path / "a", "evil.example")
    assert "host_not_allowed" in seen
    assert "chat" not in seen
    assert "chat" in dump(f"http://localhost:{port}/v1/models", tmp_path / "b", "evil.example")
