"""WebSockets on the network: handshakes, what stands in between, what dies, who leaves."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.server import ServerConnection

from azure_responses import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AzureResponses,
    InternalServerError,
)
from azure_responses.emulator import Emulator
from azure_responses.protocol.socket_frames import SocketSettings
from tests.clients.relay import Relay
from tests.clients.socket_bench import WHOLE, Bench, continuing, inputs, play, play_on, read
from tests.clients.websocket_server import WebSocketServer, answer_whole, events_of, refusal
from tests.doctor.sockets import closed_port, make_certificate, tls_context


def test_headers_and_query_of_the_call_are_those_of_the_handshake(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        await bench.ask()
        [handshake] = bench.server.handshakes
        assert handshake.path == "/openai/v1/responses?subscription=s"
        assert handshake.headers["x-own"] == "1"
        assert handshake.headers["user-agent"].startswith("azure-responses/")
        assert handshake.headers.get_all("host") == [bench.server.url.removeprefix("http://")]
        assert "content-type" not in handshake.headers

    given: dict[str, Any] = {
        "default_headers": {"x-own": "1"},
        "default_query": {"subscription": "s"},
    }
    play(runner, scenario, WebSocketServer(), **given)


def test_a_refused_handshake_is_the_error_of_its_status(runner: str) -> None:
    body = json.dumps({"error": {"code": "401", "message": "Access denied: invalid key."}})

    async def scenario(bench: Bench) -> None:
        with pytest.raises(AuthenticationError, match="invalid key") as caught:
            await bench.ask()
        assert caught.value.request_id == "r1"
        assert await bench.ask() == WHOLE

    play(runner, scenario, WebSocketServer(refuse=[refusal(401, body, apim_request_id="r1")]))


def test_a_busy_handshake_is_tried_again_when_it_asks_for_it(
    runner: str, naps: list[float]
) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        assert naps == [3.0, 4.0]

    refused = [refusal(429, retry_after="3"), refusal(503, retry_after="4")]
    play(runner, scenario, WebSocketServer(refuse=refused), max_retries=2)


def test_an_unavailable_service_fails_the_call_without_retries(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(InternalServerError):
            await bench.ask()

    play(runner, scenario, WebSocketServer(refuse=[refusal(503)]))


def test_a_refused_token_is_replaced_in_the_next_handshake(runner: str) -> None:
    tokens = iter(["first", "second"])
    body = json.dumps({"error": {"code": "401", "message": "The token has expired."}})

    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        sent = [handshake.headers["authorization"] for handshake in bench.server.handshakes]
        assert sent == ["Bearer first", "Bearer second"]

    play(
        runner,
        scenario,
        WebSocketServer(refuse=[refusal(401, body)]),
        api_key=None,
        azure_ad_token_provider=lambda: next(tokens),
    )


def test_a_token_that_a_frame_refuses_is_replaced_with_its_socket(runner: str) -> None:
    tokens = iter(["first", "second"])

    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        error = {"code": "401", "message": "The token has expired."}
        if number == 1:
            connection.send(json.dumps({"type": "error", "status": 401, "error": error}))
        else:
            answer_whole(connection, request, number)

    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        sent = [handshake.headers["authorization"] for handshake in bench.server.handshakes]
        assert sent == ["Bearer first", "Bearer second"]

    given: dict[str, Any] = {"api_key": None, "azure_ad_token_provider": lambda: next(tokens)}
    play(runner, scenario, WebSocketServer(answer), **given)


class _Credential:
    """A TokenCredential that notes what tokens are for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        self.scopes += scopes
        return AccessToken("t", int(time.time()) + 3600)


@pytest.mark.parametrize(
    ("endpoint", "scope", "expected"),
    [
        ("https://r.openai.azure.com", None, "https://ai.azure.com/.default"),
        ("https://r.openai.azure.us", None, "https://cognitiveservices.azure.us/.default"),
        ("https://r.openai.azure.com", "api://own/.default", "api://own/.default"),
    ],
)
def test_tokens_of_sockets_are_for_projects_unless_the_caller_or_the_cloud_says_otherwise(
    endpoint: str, scope: str | None, expected: str
) -> None:
    pytest.importorskip("azure.core")
    credential = _Credential()
    with AzureResponses(endpoint, credential=credential, scope=scope) as client:
        credentials = client._executor._credentials.of_sockets()
        assert credentials.header() == ("authorization", "Bearer t")
        assert credentials is client._executor._credentials.of_sockets()
    assert credential.scopes == [expected]


def emulated(runner: str) -> dict[str, Any]:
    """Arguments of a client whose HTTP is answered by an emulator, unlike its WebSockets."""
    emulator = Emulator()
    kind = httpx.Client if runner == "sync" else httpx.AsyncClient
    client = kind(transport=emulator.httpx_transport())
    return {"endpoint": emulator.endpoint, "api_key": emulator.api_key, "http_client": client}


@pytest.mark.parametrize("status", [404, 405, 426, 501])
def test_without_a_websocket_at_the_service_everything_goes_over_http(
    runner: str, status: int
) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.warns(UserWarning, match="goes on over HTTP"):
            assert (await bench.ask())[-1] == "response.completed"
        assert not bench.socket.is_websocket
        # With one warning: another one would fail the test.
        assert (await bench.ask())[-1] == "response.completed"
        assert len(bench.server.handshakes) == 1

    play(runner, scenario, WebSocketServer(refuse=[refusal(status)]), **emulated(runner))


def kill(connection: ServerConnection, _request: dict[str, Any], _number: int) -> None:
    """Leave without a goodbye."""
    connection.socket.shutdown(socket.SHUT_RDWR)


def test_after_too_many_lost_sockets_everything_goes_over_http(
    runner: str, naps: list[float]
) -> None:
    async def scenario(bench: Bench) -> None:
        for _ in range(2):
            with pytest.raises(APIConnectionError):
                await bench.ask()
        with pytest.warns(UserWarning, match="goes on over HTTP"):
            assert (await bench.ask())[-1] == "response.completed"
        assert len(bench.server.handshakes) == 5
        assert not bench.socket.is_websocket

    play(runner, scenario, WebSocketServer(kill), max_retries=1, **emulated(runner))


def test_a_turn_that_comes_to_its_end_makes_up_for_lost_sockets(runner: str) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        (answer_whole if number % 2 else kill)(connection, request, number)

    async def scenario(bench: Bench) -> None:
        for _ in range(8):
            assert await bench.ask() == WHOLE
        assert bench.socket.is_websocket

    play(runner, scenario, WebSocketServer(answer))


def test_one_broken_handshake_sends_one_call_over_http(runner: str) -> None:
    hang_ups = iter([True])

    async def scenario(bench: Bench) -> None:
        with Relay(bench.server.url, refuses=lambda: next(hang_ups, False)) as relay:
            bench.socket = bench.connect(relay.websocket_url)
            assert (await bench.ask())[-1] == "response.completed"
            assert bench.server.handshakes == []
            assert await bench.ask() == WHOLE
            assert bench.socket.is_websocket
            await bench.socket.aclose()

    play(runner, scenario, WebSocketServer(), **emulated(runner))


QUICK = SocketSettings(ping_interval=0.05, close_timeout=0.05)


def test_a_socket_that_is_dead_between_two_turns_is_replaced(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with Relay(bench.server.url) as relay:
            bench.socket = bench.connect(relay.websocket_url)
            await bench.ask()
            relay.is_frozen = True
            time.sleep(0.06)
            thaw = threading.Timer(0.05, setattr, (relay, "is_frozen", False))
            thaw.start()
            assert await bench.ask(continuing(bench, "resp_1")) == WHOLE
            thaw.join()
            assert inputs(bench.server)[-1] == (2, ["all", "of", "it"])
            await bench.socket.aclose()

    play(runner, scenario, WebSocketServer(), settings=QUICK)


def test_a_socket_that_dies_in_a_turn_is_noticed_by_its_missing_pongs(runner: str) -> None:
    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        connection.send(json.dumps(events_of(number)[0]))

    async def scenario(bench: Bench) -> None:
        with Relay(bench.server.url) as relay:
            bench.socket = bench.connect(relay.websocket_url)
            reply = await bench.begin(timeout=30.0)
            await reply.read()
            relay.is_frozen = True
            with pytest.raises(APIConnectionError, match="pings"):
                await reply.read()
            await reply.aclose()

    play(runner, scenario, WebSocketServer(answer), settings=QUICK)


def test_a_slow_service_that_answers_pings_is_waited_for(runner: str) -> None:
    def answer(connection: ServerConnection, request: dict[str, Any], number: int) -> None:
        time.sleep(0.3)
        answer_whole(connection, request, number)

    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        time.sleep(0.1)
        assert await bench.ask() == WHOLE
        assert len(bench.server.handshakes) == 1

    play(runner, scenario, WebSocketServer(answer), settings=QUICK)


def test_a_reader_who_takes_his_time_keeps_the_socket(runner: str) -> None:
    def answer(connection: ServerConnection, _request: dict[str, Any], number: int) -> None:
        created, delta, completed = events_of(number)
        for event in (created, *[delta] * 2000, completed):
            connection.send(json.dumps(event))

    async def scenario(bench: Bench) -> None:
        reply = await bench.begin()
        await reply.read()
        time.sleep(0.2)
        assert len(await read(reply)) == 2001
        await reply.aclose()

    settings = SocketSettings(ping_interval=0.05, most_queued=16)
    play(runner, scenario, WebSocketServer(answer), settings=settings)


def test_redirects_are_not_followed(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(APIStatusError, match="302") as caught:
            await bench.ask()
        assert "redirected" in (caught.value.hint or "")
        assert elsewhere.handshakes == []

    with WebSocketServer() as elsewhere:
        location = elsewhere.url.replace("http", "ws", 1) + "/openai/v1/responses"
        play(runner, scenario, WebSocketServer(refuse=[refusal(302, location=location)]))


@pytest.mark.parametrize("source", ["argument", "environment"])
def test_a_proxy_is_asked_for_a_tunnel(
    runner: str, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE
        [asked] = relay.asked
        assert asked.startswith(f"CONNECT {bench.server.url[7:]} HTTP/1.1".encode())
        # "user:p@ss" in base64.
        assert b"Proxy-Authorization: Basic dXNlcjpwQHNz" in asked

    server = WebSocketServer()
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with server, Relay(server.url, is_proxy=True) as relay:
        proxy = f"http://user:p%40ss@{relay.host}"
        if source == "environment":
            monkeypatch.setenv("http_proxy", proxy)
        given: dict[str, Any] = {} if source == "environment" else {"proxy": proxy}
        play_on(runner, scenario, server, **given)


def test_a_proxy_that_refuses_is_named_without_its_password(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(APIConnectionError) as caught:
            await bench.ask()
        assert f"proxy http://127.0.0.1:{port}" in caught.value.message
        assert "secret12" not in str(caught.value)

    port = closed_port()
    play(runner, scenario, WebSocketServer(), proxy=f"http://user:secret12@127.0.0.1:{port}")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("is_proxied", [False, True])
def test_the_certificates_of_the_client_are_those_of_its_sockets(
    runner: str, certificate: tuple[Path, Path], is_proxied: bool
) -> None:
    async def scenario(bench: Bench) -> None:
        assert await bench.ask() == WHOLE

    server = WebSocketServer(context=tls_context(*certificate))
    with server, Relay(server.url, is_proxy=True) as relay:
        given: dict[str, Any] = {"proxy": f"http://{relay.host}"} if is_proxied else {}
        play_on(runner, scenario, server, verify=str(certificate[0]), **given)


def test_an_unknown_certificate_is_refused_with_a_hint(
    runner: str, certificate: tuple[Path, Path]
) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(APIConnectionError, match="certificate") as caught:
            await bench.ask()
        assert "verify=" in (caught.value.hint or "")

    play(runner, scenario, WebSocketServer(context=tls_context(*certificate)))


def test_an_http_client_of_the_caller_is_told_what_its_sockets_do(
    runner: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.warns(UserWarning, match="does not go through http_client"):
            assert await bench.ask() == WHOLE

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    server = WebSocketServer(context=tls_context(*certificate))
    play(runner, scenario, server, **emulated(runner))


def test_a_port_that_nothing_listens_on_is_a_failed_connection(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        bench.socket = bench.connect(f"ws://127.0.0.1:{closed_port()}/openai/v1/responses")
        with pytest.raises(APIConnectionError, match="connection failed"):
            await bench.ask()

    play(runner, scenario, WebSocketServer())


def test_a_handshake_that_takes_too_long_is_given_up(runner: str) -> None:
    async def scenario(bench: Bench) -> None:
        with Relay(bench.server.url) as relay:
            relay.is_frozen = True
            bench.socket = bench.connect(relay.websocket_url)
            with pytest.raises(APITimeoutError):
                await bench.ask()

    play(runner, scenario, WebSocketServer(), settings=SocketSettings(connect_timeout=0.1))
