"""A page of another machine reads nothing of a served emulator, and changes nothing there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Emulator, Resource
from azure_responses.emulator.asgi import AllowedHosts
from azure_responses.emulator.server import RunningServer, read_settings
from tests.browser import dump

_PATHS = ("/openai/v1/models", "/openai/v1/responses/resp_1", "/_emulator/requests", "/", "/x")


@pytest.fixture(scope="module")
def served() -> Iterator[RunningServer]:
    with RunningServer(Emulator([Resource("east", hosts=["gw.example.com/team"])])) as running:
        yield running


def _refusal(server: Any = ("127.0.0.1", 80), allowed: Any = (), **named: Any) -> Any:
    headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in named.items()]
    return AllowedHosts(allowed).check({"server": server, "headers": headers})


@pytest.mark.parametrize("host", [
    "localhost", "LOCALHOST.:8080", "a.localhost", "127.0.0.1:8080", "127.2.3.4", "[::1]:8080",
    "[::ffff:127.0.0.1]", "east.openai.azure.com", "east.services.ai.azure.com:443",
    "swedencentral.api.cognitive.microsoft.com",
])  # fmt: skip
def test_its_own_names_and_those_of_azure_are_answered_for(host: str) -> None:
    assert _refusal(host=host) is None


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:8080", "localhost.evil.example", "openai.azure.com.evil.example",
    "", "10.0.0.1", "[::2]", "[::1", "localhost:x", "evil.example:80:80", "x" * 5000,
])  # fmt: skip
def test_other_names_are_refused(host: str) -> None:
    reply = _refusal(host=host)
    assert reply.status == 403
    assert len(reply.content) < 500


@pytest.mark.parametrize(("headers", "is_refused"), [
    ({"sec_fetch_site": "cross-site"}, True), ({"sec_fetch_site": "same-origin"}, False),
    ({"origin": "https://evil.example"}, True), ({"origin": "null"}, True),
    ({"origin": "http://[::1"}, True), ({"origin": "http://localhost:3000"}, False), ({}, False),
])  # fmt: skip
def test_pages_of_other_sites_are_refused(headers: dict[str, str], is_refused: bool) -> None:
    assert (_refusal(host="localhost", **headers) is not None) is is_refused


def test_other_addresses_and_allowed_names_are_for_whoever_serves_there() -> None:
    assert _refusal(("10.0.0.5", 80), host="azure") is None
    assert _refusal(None, host="azure") is None
    assert _refusal(host="azure").status == 403
    assert _refusal(allowed=("Azure.",), host="azure:80") is None
    assert _refusal(allowed=("*",), host="any.example", origin="https://any.example") is None
    assert _refusal() is None
    two = [(b"host", b"localhost"), (b"host", b"evil.example")]
    refused = AllowedHosts().check({"server": ("::1", 80), "headers": two})
    assert refused is not None
    assert refused.status == 400


def test_the_file_names_further_hosts() -> None:
    emulator = read_settings({"allowed_hosts": ["azure.internal"]}).make_emulator()
    with RunningServer(emulator) as running, httpx.Client() as client:
        headers = {"host": "azure.internal", "api-key": emulator.api_key}
        reply = client.get(f"{running.url}/openai/v1/models", headers=headers)
        assert reply.status_code == 200


@pytest.mark.parametrize("path", _PATHS)
def test_no_path_answers_a_page(served: RunningServer, path: str) -> None:
    with httpx.Client(headers={"api-key": served.emulator.api_key}) as client:
        for headers in (
            {"host": "evil.example"},
            {"origin": "https://evil.example"},
            {"sec-fetch-site": "cross-site"},
        ):
            for method in ("GET", "POST", "DELETE"):
                reply = client.request(method, served.url + path, headers=headers)
                assert reply.status_code == 403
                assert reply.json()["error"]["code"] == "host_not_allowed"
        own = client.get(served.url + path, headers={"host": "gw.example.com"})
        assert own.status_code != 403
    assert "evil.example" not in str(list(served.emulator.requests))


def test_chromium_reads_nothing_by_rebinding(served: RunningServer, tmp_path: Path) -> None:
    url = f"http://evil.example:{served.port}/openai/v1/models"
    assert "host_not_allowed" in dump(url, tmp_path, "evil.example")
