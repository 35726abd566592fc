"""A gateway on a port, in front of the emulator: routes, refusals, headers and limits."""

import json
import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from azure_responses.emulator import EmulatedDeployment, Emulator, Fault, Latency, Resource
from azure_responses.errors import ConfigurationError
from azure_responses.gateway.app import create_app
from tests.gateway.compression import compress
from tests.gateway.gateways import KEY, Running, config_of, run_server, serve
from tests.openai_server.servers import make_emulator

CREATE = "/v1/responses"
HELLO = {"model": "chat", "input": "Say hello"}


@pytest.fixture
def emulator() -> Emulator:
    return make_emulator()


@pytest.fixture
def url(emulator: Emulator) -> Iterator[str]:
    with emulator.serve() as server:
        yield server.url


@pytest.fixture
def gateway(url: str) -> Iterator[Running]:
    with serve(config_of(url, "east", "west")) as running:
        yield running


def test_every_way_to_send_a_key_is_taken(gateway: Running) -> None:
    for headers in (
        {"authorization": f"Bearer {KEY}"},
        {"api-key": KEY},
        {"x-litellm-api-key": KEY},
    ):
        assert httpx.get(f"{gateway.url}/v1/models", headers=headers).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"api-key": "sk-wrong"}, {"authorization": "Basic x"}])
def test_nobody_is_let_in_without_a_key(gateway: Running, headers: dict[str, str]) -> None:
    for path in ("/v1/models", "/v1/responses/resp_1", "/nowhere"):
        found = httpx.get(gateway.url + path, headers=headers)
        assert found.status_code == 401
        assert found.json()["error"]["code"] == "invalid_api_key"


def test_a_deployments_refused_key_is_not_the_callers(url: str) -> None:
    config = config_of(url, "east")
    config["model_list"][0]["litellm_params"]["api_key"] = "refused-key-of-east"
    with serve(config) as running:
        found = httpx.post(running.url + CREATE, json=HELLO, headers={"api-key": KEY})
    assert found.status_code == 502
    assert found.json()["error"]["code"] == "deployment_credential_refused"
    assert "refused-key" not in found.text


def test_health_metrics_and_the_document_need_no_key(gateway: Running) -> None:
    for path in ("/health/liveliness", "/health/liveness"):
        assert httpx.get(gateway.url + path).json() == "I'm alive!"
    for path in ("/health/readiness", "/healthz", "/health"):
        found = httpx.get(gateway.url + path)
        assert found.json() == {
            "status": "healthy",
            "db": "not connected",
            "state": "not connected",
        }
    assert httpx.get(f"{gateway.url}/openapi.json").json()["openapi"] == "3.1.0"
    assert httpx.head(f"{gateway.url}/healthz").status_code == 200


def test_a_call_is_answered_with_the_headers_people_expect(gateway: Running) -> None:
    with gateway.client() as client:
        found = client.post(CREATE, json=HELLO, headers={"x-litellm-call-id": "call-7"})
    assert found.status_code == 200
    assert found.headers["x-litellm-call-id"] == "call-7"
    for name in ("x-request-id", "apim-request-id", "x-ms-region", "x-litellm-response-cost"):
        assert found.headers[name]


def test_limits_and_names_are_told_with_every_kind_of_answer() -> None:
    limited = EmulatedDeployment(
        "gpt",
        model="gpt-5-mini",
        tokens_per_minute=10_000,
        requests_per_minute=3,
        rate_limit_headers="present",
    )
    resource = Resource("east", keys=["key-of-east"], deployments=[limited])
    with (
        Emulator([resource]).serve() as server,
        serve(config_of(server.url, "east")) as gateway,
        gateway.client() as client,
    ):
        bodies = [HELLO, {**HELLO, "stream": True}, HELLO]
        found = [client.post(CREATE, json=body) for body in bodies]
        hurried = {"x-litellm-timeout": "0.5"}
        found.append(client.post(CREATE, json=HELLO, headers=hurried))
    assert [reply.status_code for reply in found] == [200, 200, 200, 429]
    for reply in found:
        assert "x-ratelimit-remaining-requests" in reply.headers
        for name in ("x-request-id", "apim-request-id", "x-ms-region", "x-litellm-model-id"):
            assert reply.headers[name]
        assert "x-litellm-attempted-retries" in reply.headers
        assert "x-litellm-overhead-duration-ms" in reply.headers


@pytest.mark.parametrize("path", [CREATE, "/v1/chat/completions"])
def test_a_silence_that_a_caller_does_not_wait_out_blames_no_deployment(path: str) -> None:
    slow = EmulatedDeployment("gpt", model="gpt-5-mini")
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=[slow])])
    emulator.faults.add(Fault("stall", operation="create", after_events=6))
    messages = [{"role": "user", "content": "Say hello to everybody"}]
    body = {**HELLO, "messages": messages, "stream": True}
    body.pop("messages" if path == CREATE else "input")
    with (
        emulator.serve() as server,
        serve(config_of(server.url, "east")) as gateway,
        gateway.client() as client,
        ThreadPoolExecutor(4) as pool,
    ):

        def hurry(_: int) -> str:
            return client.post(path, json=body, headers={"x-litellm-timeout": "1.2"}).text

        assert all("error" in text for text in pool.map(hurry, range(4)))
        health = gateway.app.gateway.router.parts.reader.routing.health
        assert health.statuses["east"].cooldown.failures == 0


@pytest.mark.parametrize("path", [CREATE, "/v1/chat/completions"])
def test_callers_in_a_hurry_do_not_shut_a_deployment_to_everybody(path: str) -> None:
    # litellm#41223: by a header, or by leaving.
    slow = EmulatedDeployment("gpt", model="gpt-5-mini")
    emulator = Emulator([Resource("east", keys=["key-of-east"], deployments=[slow])])
    emulator.faults.add(Fault("stall-before-headers", operation="create"))
    body = {**HELLO, "messages": [{"role": "user", "content": "hi"}]}
    body.pop("messages" if path == CREATE else "input")
    with (
        emulator.serve() as server,
        serve(config_of(server.url, "east")) as gateway,
        gateway.client() as client,
        ThreadPoolExecutor(12) as pool,
    ):

        def hurry(number: int) -> None:
            asked = {**body, "stream": number % 2 == 0}
            if number < 6:
                found = client.post(path, json=asked, headers={"x-litellm-timeout": "1.2"})
                assert found.status_code in (408, 504), found.text
            else:
                with pytest.raises(httpx.ReadTimeout):
                    client.post(path, json=asked, timeout=1.2)

        list(pool.map(hurry, range(12)))
        emulator.faults.clear()
        began = time.monotonic()
        assert client.post(path, json=body).status_code == 200
        assert time.monotonic() - began < 10


def test_azure_is_told_the_calls_name_and_nothing_of_the_caller(
    gateway: Running, emulator: Emulator
) -> None:
    with gateway.client() as client:
        client.post(CREATE, json=HELLO, headers={"x-request-id": "mine", "cookie": "a=b"})
    sent = emulator.requests[-1].headers
    assert sent["x-ms-client-request-id"] == "mine"
    assert "cookie" not in sent
    assert "authorization" not in sent


def test_metrics_count_calls_tokens_and_cost_without_secrets(gateway: Running) -> None:
    with gateway.client() as client:
        client.post(CREATE, json={**HELLO, "user": "somebody@example.com"})
        client.post(CREATE, json={**HELLO, "stream": True})
        client.post(CREATE, json={"model": "nobody"})
        text = client.get("/metrics").text
    assert "azure_responses_calls_total{deployment=" in text
    assert 'operation="create",status="200"' in text
    assert 'azure_responses_tokens_total{deployment="' in text
    assert "azure_responses_cost_usd_total" in text
    assert "azure_responses_time_to_first_output_seconds" in text
    assert "azure_responses_deployment_cooling_down" in text
    assert "somebody" not in text
    assert "sk-" not in text


def test_a_stream_comes_in_events(gateway: Running) -> None:
    with (
        gateway.client() as client,
        client.stream("POST", CREATE, json={**HELLO, "stream": True}) as reply,
    ):
        lines = [line for line in reply.iter_lines() if line]
    assert reply.headers["x-accel-buffering"] == "no"
    assert lines[0] == "event: response.created"
    assert json.loads(lines[-1].removeprefix("data: "))["type"] == "response.completed"


def test_comments_keep_a_silent_stream_alive() -> None:
    emulator = make_emulator(latency=Latency(first_token=1.2))
    with (
        emulator.serve() as server,
        serve(config_of(server.url, "east", keepalive_seconds=0.25)) as gateway,
        gateway.client() as client,
        client.stream("POST", CREATE, json={**HELLO, "stream": True}) as reply,
    ):
        text = reply.read().decode()
    assert text.startswith(": ping\n\n")
    assert text.count(": ping") >= 2
    assert "event: response.completed" in text


def test_a_failure_after_a_comment_is_an_event(emulator: Emulator, url: str) -> None:
    emulator.faults.add(Fault("stall-before-headers", seconds=1.0))
    config = config_of(url, "east", keepalive_seconds=0.2)
    config["router_settings"] = {"num_retries": 0}
    with serve(config) as gateway, gateway.client() as client:
        for path, body in (
            (CREATE, HELLO),
            (
                "/v1/chat/completions",
                {"model": "chat", "messages": [{"role": "user", "content": "x"}]},
            ),
        ):
            with client.stream("POST", path, json={**body, "stream": True}) as reply:
                text = reply.read().decode()
            assert reply.status_code == 200
            assert text.startswith(": ping\n\n")
            data = [line for line in text.splitlines() if line.startswith("data: {")]
            assert "upstream" in data[-1]


@contextmanager
def _serve_by_any_server(config: Mapping[str, Any]) -> Iterator[Running]:
    """A gateway on a server that knows nothing of it."""
    app = create_app(config)
    with run_server(uvicorn.Server(uvicorn.Config(app, log_config=None))) as port:
        yield Running(f"http://127.0.0.1:{port}", app)


@pytest.mark.parametrize("server_of", [serve, _serve_by_any_server], ids=["own", "any"])
# A body of that size stops the reading of its connection meanwhile.
@pytest.mark.parametrize("padding", [0, 500_000])
def test_azure_is_let_go_when_the_caller_leaves(server_of: Any, padding: int) -> None:
    emulator = make_emulator(latency=Latency(first_token=0.1, tokens_per_second=20))
    body = {**HELLO, "input": "[[azure:length:2000]]" + "x" * padding, "stream": True}
    with emulator.serve() as server, server_of(config_of(server.url, "east")) as gateway:
        with gateway.client() as client:
            with client.stream("POST", CREATE, json=body) as reply:
                next(reply.iter_bytes())
            with pytest.raises(httpx.ReadTimeout):
                client.post(CREATE, json={**body, "stream": False}, timeout=0.5)
        deadline = time.monotonic() + 10
        limit = gateway.app.gateway.concurrency
        while limit.in_progress and time.monotonic() < deadline:
            time.sleep(0.02)
        assert limit.in_progress == 0
        assert gateway.app.gateway.shutdown.tasks == set()


def test_a_body_too_long_is_refused(url: str) -> None:
    with serve(config_of(url, "east", max_body_bytes=1000)) as gateway, gateway.client() as client:
        long = {**HELLO, "input": "x" * 2000}
        assert client.post(CREATE, json=long).status_code == 413
        pieces = iter([b'{"input":"', b"x" * 2000, b'"}'])
        found = client.post(CREATE, content=pieces, headers={"content-type": "application/json"})
        assert found.status_code == 413
        assert found.json()["error"]["code"] == "request_too_large"
        assert client.post(CREATE, json=HELLO).status_code == 200


def test_a_large_body_is_read_like_any_other(gateway: Running) -> None:
    with gateway.client() as client:
        large = {**HELLO, "metadata": {"k": "x" * 700_000}}
        assert client.post(CREATE, json=large).json()["error"]["param"].startswith("metadata")
        broken = b'{"input":"' + b"x" * 700_000
        assert client.post(CREATE, content=broken).json()["error"]["code"] == "invalid_json"
        many = client.post(CREATE, content=b"[" * 700_000)
        assert (many.status_code, many.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-encoding": "compress"}, 415),
        ({"content-encoding": "gzip"}, 400),
        ({"content-type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_only_json_is_read(gateway: Running, headers: dict[str, str], status: int) -> None:
    with gateway.client() as client:
        found = client.post(CREATE, content=json.dumps(HELLO).encode(), headers=headers)
    assert found.status_code == status


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd", "br"])
def test_a_compressed_body_is_answered_like_a_plain_one(gateway: Running, encoding: str) -> None:
    body = compress(encoding, json.dumps(HELLO).encode())
    with gateway.client() as client:
        found = client.post(CREATE, content=body, headers={"content-encoding": encoding})
        plain = client.post(CREATE, json=HELLO)
    assert found.status_code == 200
    assert found.json()["output"][0]["type"] == plain.json()["output"][0]["type"]


def test_a_short_body_that_stands_for_gigabytes_is_refused(gateway: Running) -> None:
    bomb = compress("zstd", b" " * 2**27)
    assert len(bomb) < 10_000
    with gateway.client() as client:
        found = client.post(CREATE, content=bomb, headers={"content-encoding": "zstd"})
        assert client.post(CREATE, json=HELLO).status_code == 200
    assert (found.status_code, found.json()["error"]["code"]) == (413, "request_too_large")


def test_a_caller_who_leaves_while_sending_is_forgotten(gateway: Running) -> None:
    host, port = gateway.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST {CREATE} HTTP/1.1\r\nhost: x\r\napi-key: {KEY}\r\ncontent-length: 100\r\n\r\n"
        connection.sendall(head.encode() + b'{"model"')
        time.sleep(0.1)
    deadline = time.monotonic() + 5
    while gateway.app.gateway.shutdown.tasks and time.monotonic() < deadline:
        time.sleep(0.02)
    assert gateway.app.gateway.concurrency.in_progress == 0


def test_a_full_gateway_says_when_to_come_back() -> None:
    emulator = make_emulator(latency=Latency(first_token=0.8))
    general = {"max_concurrent_requests": 1, "max_queued_requests": 1, "queue_timeout": 5}
    with emulator.serve() as server, serve(config_of(server.url, "east", **general)) as gateway:
        replies = _ask_at_once(gateway, 4)
    statuses = sorted(reply.status_code for reply in replies)
    assert statuses == [200, 200, 503, 503]
    refused = next(reply for reply in replies if reply.status_code == 503)
    assert refused.headers["retry-after"] == "1"
    assert refused.json()["error"]["code"] == "gateway_saturated"


def test_waiting_for_a_place_ends() -> None:
    emulator = make_emulator(latency=Latency(first_token=1.0))
    general = {"max_concurrent_requests": 1, "max_queued_requests": 5, "queue_timeout": 0.2}
    with emulator.serve() as server, serve(config_of(server.url, "east", **general)) as gateway:
        statuses = sorted(reply.status_code for reply in _ask_at_once(gateway, 3))
    assert statuses == [200, 503, 503]


def _ask_at_once(gateway: Running, count: int) -> list[httpx.Response]:
    from concurrent.futures import ThreadPoolExecutor

    with gateway.client() as client, ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: client.post(CREATE, json=HELLO), range(count)))


def test_what_callers_make_up_is_in_no_metric_and_no_log_line(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    config = config_of(url, "east", metrics_key="sk-metrics-0123456789")
    config["model_list"][0]["model_name"] = "*"
    with serve(config) as gateway, gateway.client() as client, caplog.at_level("INFO"):
        for number in range(20):
            made_up = f"made-up-{number}\nINFO forged"
            client.post(CREATE, json={**HELLO, "model": made_up, "user": f"somebody-{number}"})
        long = client.post(CREATE, json={**HELLO, "model": "m" * 600})
        nameless = client.post(CREATE, json={**HELLO, "user": "u" * 600})
        assert client.get("/metrics", headers={"authorization": "none"}).status_code == 401
        text = client.get(
            "/metrics", headers={"authorization": "Bearer sk-metrics-0123456789"}
        ).text
    assert {long.status_code, nameless.status_code} == {400}
    assert "longer than 512" in long.json()["error"]["message"]
    assert "safety_identifier" in nameless.json()["error"]["hint"]
    assert "made-up" not in text
    assert "somebody" not in text
    assert 'group="*"' in text
    assert all("\n" not in record.getMessage() for record in caplog.records)


def test_unknown_paths_and_methods_are_told_apart(gateway: Running) -> None:
    with gateway.client() as client:
        assert client.get("/v1/nothing").json()["error"]["code"] == "unknown_url"
        wrong = client.put(CREATE, json=HELLO)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")


def test_keys_share_nothing_and_have_their_limits(url: str) -> None:
    config = config_of(url, "east", "west")
    config["virtual_keys"] = [
        {"key": "sk-alice-0123456789-abcdef", "name": "alice", "models": ["chat"], "rpm": 3},
        {"key": "sk-bob-0123456789-abcdefgh", "name": "bob", "models": ["other"]},
    ]
    with serve(config) as gateway:
        with gateway.client("sk-alice-0123456789-abcdef") as alice:
            made = alice.post(CREATE, json=HELLO).json()["id"]
            assert alice.get(f"{CREATE}/{made}").status_code == 200
            alice.post(CREATE, json=HELLO)
            alice.post(CREATE, json=HELLO)
            limited = alice.post(CREATE, json=HELLO)
            assert (limited.status_code, "retry-after" in limited.headers) == (429, True)
        with gateway.client("sk-bob-0123456789-abcdefgh") as bob:
            assert bob.get(f"{CREATE}/{made}").status_code == 404
            assert bob.post(CREATE, json=HELLO).status_code == 403
            assert bob.get("/v1/models").json()["data"] == []
        with gateway.client() as master:
            assert master.get(f"{CREATE}/{made}").status_code == 404


def test_what_calls_cost_is_kept(url: str, tmp_path: Any) -> None:
    log = tmp_path / "spend.jsonl"
    with serve(config_of(url, "east", spend_log=str(log))) as gateway, gateway.client() as client:
        client.post(CREATE, json={**HELLO, "user": "u-1"})
        client.post(CREATE, json={**HELLO, "stream": True})
        chat = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
        client.post("/v1/chat/completions", json=chat)
        client.get("/v1/models")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["call_type"] for line in lines] == ["responses", "responses", "chat_completions"]
    assert all(float(line["cost"]) > 0 for line in lines)
    assert lines[0]["end_user"] == "u-1"
    assert lines[0]["key_id"] == "master"
    assert lines[1]["stream"] is True


def test_a_gateway_without_keys_is_open_to_this_machine(url: str) -> None:
    config = config_of(url, "east")
    del config["general_settings"]["master_key"]
    with serve(config) as gateway:
        found = httpx.post(gateway.url + CREATE, json=HELLO, headers={"api-key": "any"})
        assert found.status_code == 200
        assert httpx.post(gateway.url + CREATE, json=HELLO).status_code == 200


def test_a_configuration_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(ConfigurationError):
        create_app({"model_list": []})
    with pytest.raises(ConfigurationError, match="callback"):
        create_app(
            {
                "model_list": [
                    {
                        "model_name": "m",
                        "params": {
                            "model": "azure/m",
                            "api_base": "https://r.openai.azure.com",
                            "api_key": "k",
                        },
                    }
                ],
                "litellm_settings": {"callbacks": ["nowhere.nothing"]},
            }
        )


def test_a_trace_is_continued(gateway: Running) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    target = gateway.app.gateway.router
    target._parts._async_factory.arguments["tracer_provider"] = provider  # type: ignore[index]
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with gateway.client() as client:
        client.post(CREATE, json=HELLO, headers={"traceparent": parent})
    provider.shutdown()
    (span,) = spans.get_finished_spans()
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent is not None
