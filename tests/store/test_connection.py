"""How Redis is reached, and whether it is."""

import asyncio
import base64
import builtins
import datetime
import ipaddress
import json
import logging
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from azure_responses.errors import ConfigurationError
from azure_responses.store.async_redis_state import AsyncRedisState
from azure_responses.store.connection import (
    CircuitBreaker,
    make_async_client,
    make_client,
    read_address,
)
from azure_responses.store.redis_state import RedisState
from tests.store.redis_server import PROGRAM, RedisServer, running
from tests.store.samples import candidate_for, entry, is_eventually, outage_is_said, settlement

needs_server = pytest.mark.skipif(
    PROGRAM is None, reason="neither redis-server nor valkey-server is installed"
)


@pytest.mark.parametrize(
    ("url", "expected", "name"),
    [
        ("redis://cache", "redis://cache", "cache:6379"),
        ("redis://cache:7000/2", "redis://cache:7000/2", "cache:7000/2"),
        ("rediss://me:hush@cache:6380/0", "rediss://me:hush@cache:6380/0", "cache:6380/0"),
        ("valkey://cache", "redis://cache", "cache:6379"),
        ("VALKEYS://cache", "rediss://cache", "cache:6379"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock?db=1", "/run/redis.sock"),
        ("rediss://cache?entra=true&db=1", "rediss://cache?db=1", "cache:6379"),
    ],
)
def test_a_url_is_read(url: str, expected: str, name: str) -> None:
    address = read_address(url)
    assert (address.url, address.name) == (expected, name)
    assert address.uses_entra == ("entra" in url)
    assert "hush" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "cache:6379",
        "http://:hush@cache",
        "redis://:hush@",
        "redis://:hush@cache:nine",
        "redis://:hush@cache/first",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match="state URL") as caught:
        read_address(url)
    assert "redis://host:6379/0" in str(caught.value)
    assert "hush" not in f"{caught.value!r} {caught.value}"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("query", ["socket_timeout=long", "shards=3"])
@pytest.mark.parametrize("make", [make_client, make_async_client])
def test_a_url_that_asks_for_what_does_not_exist_is_refused(make: Any, query: str) -> None:
    # Unsaid, every connection would fail, and look like an outage without end.
    with pytest.raises(ConfigurationError, match="state URL asks for") as caught:
        make(read_address(f"redis://:hush@cache/0?{query}"))
    assert "hush" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("timeout", [0, -1.0, "0.25", None])
def test_a_timeout_of_nothing_is_refused(timeout: Any) -> None:
    with pytest.raises(ConfigurationError, match="state_timeout"):
        read_address("redis://cache", timeout=timeout)


def test_a_password_and_entra_id_are_one_too_many() -> None:
    with pytest.raises(ConfigurationError, match="password"):
        read_address("rediss://:hush@cache?entra=true")
    with pytest.raises(ConfigurationError, match="password"):
        read_address("rediss://:hush@cache", credential=FakeCredential("me"))


@pytest.mark.parametrize(
    ("missing", "url", "extra"),
    [
        ("redis", "redis://cache", "azure-responses[redis]"),
        ("redis_entraid", "rediss://cache?entra=true", "azure-responses[entra-redis]"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, missing: str, url: str, extra: str
) -> None:
    real = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.partition(".")[0] == missing:
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigurationError, match="not installed") as caught:
        make_client(read_address(url))
    assert extra in str(caught.value)


def test_without_a_credential_entra_id_means_the_default_one() -> None:
    pytest.importorskip("redis_entraid")
    client = make_client(read_address("rediss://cache?entra=true"))
    assert client.connection_pool.connection_kwargs["credential_provider"] is not None
    client.close()


class FakeCredential:
    """Hands out tokens whose holder is `oid`."""

    def __init__(self, oid: str) -> None:
        self._oid = oid
        self.scopes: list[str] = []

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken(_token(self._oid), int(time.time()) + 3600)


def _token(oid: str) -> str:
    claims = {"oid": oid, "iat": 1_000_000_000, "exp": 4_000_000_000}
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([text.rstrip("=") for text in texts] + ["c2ln"])


def _both_reserve(state: RedisState) -> bool:
    async def story() -> bool:
        twin = AsyncRedisState(state)
        reserved = (await twin.reserve([candidate_for()], 0.0)).candidate is not None
        reserved &= not state.is_degraded
        await twin.aclose()
        return reserved

    reserved = state.reserve([candidate_for()], 0.0).candidate is not None and not state.is_degraded
    return reserved and asyncio.run(story())


def test_entra_id_signs_in_with_the_token_of_the_credential(redis_server: RedisServer) -> None:
    pytest.importorskip("redis_entraid")
    admin: Any = make_client(read_address(redis_server.url))
    admin.execute_command("ACL", "SETUSER", "me", "on", f">{_token('me')}", "~*", "+@all")
    admin.execute_command("ACL", "SETUSER", "default", "off")
    credential = FakeCredential("me")
    state = RedisState(read_address(redis_server.url, timeout=5, credential=credential))
    assert _both_reserve(state)
    assert set(credential.scopes) == {"https://redis.azure.com/.default"}
    state.close()
    admin.close()


def test_a_provider_of_redis_py_is_used_as_it_is(redis_server: RedisServer) -> None:
    from redis.credentials import UsernamePasswordCredentialProvider

    admin: Any = make_client(read_address(redis_server.url))
    admin.execute_command("ACL", "SETUSER", "me", "on", ">hush", "~*", "+@all")
    admin.execute_command("ACL", "SETUSER", "default", "off")
    provider = UsernamePasswordCredentialProvider("me", "hush")
    state = RedisState(read_address(redis_server.url, timeout=5, credential=provider))
    assert _both_reserve(state)
    state.close()
    admin.close()


def test_a_user_and_a_password_of_the_url_sign_in(redis_server: RedisServer) -> None:
    admin: Any = make_client(read_address(redis_server.url))
    admin.execute_command("ACL", "SETUSER", "me", "on", ">hu%sh", "~*", "+@all")
    admin.execute_command("ACL", "SETUSER", "default", "off")
    url = redis_server.url.replace("//", "//me:hu%25sh@")
    state = RedisState(read_address(url, timeout=5))
    assert _both_reserve(state)
    state.close()
    admin.close()


@needs_server
def test_rediss_is_tls(tmp_path: Path) -> None:
    certificate, key = _make_certificate(tmp_path)
    server = RedisServer()
    port = server.second_port
    server.options = (
        *("--tls-port", str(port), "--tls-cert-file", str(certificate)),
        *("--tls-key-file", str(key), "--tls-ca-cert-file", str(certificate)),
        *("--tls-auth-clients", "no"),
    )
    try:
        with running(server):
            _try_tls(f"rediss://127.0.0.1:{port}/0", certificate)
    except RuntimeError:
        pytest.skip("this server is built without TLS")


def _try_tls(url: str, certificate: Path) -> None:
    state = RedisState(read_address(f"{url}?ssl_ca_certs={certificate}", timeout=5))
    assert _both_reserve(state)
    state.close()
    distrustful = RedisState(read_address(url, timeout=5))
    with outage_is_said("CERTIFICATE_VERIFY_FAILED"):
        distrustful.reserve([candidate_for()], 0.0)
    distrustful.close()


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "cache")])
    now = datetime.datetime.now(datetime.UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    builder = builder.public_key(private.public_key()).serial_number(1)
    builder = builder.not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1))
    builder = builder.add_extension(host, critical=False)
    signed = builder.sign(private, hashes.SHA256())
    certificate, key = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, key


@needs_server
def test_a_cluster_takes_every_operation_since_one_node_holds_all_keys(tmp_path: Path) -> None:
    server = RedisServer("--cluster-enabled", "yes", "--dir", str(tmp_path))
    # Otherwise its bus takes the port 10,000 above, which need not exist.
    server.options += ("--cluster-port", str(server.second_port))
    with running(server):
        _try_cluster(server)


def _try_cluster(server: RedisServer) -> None:
    admin: Any = make_client(read_address(server.url))
    admin.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
    assert is_eventually(lambda: admin.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
    state = RedisState(read_address(server.url, timeout=5))
    assert _both_reserve(state)
    reservation = state.reserve([candidate_for("one", tpm=100), candidate_for("two", rpm=1)], 0.0)
    state.settle(settlement(reservation, used=1, cooldown=9.0, entry=entry("resp_a")), 0.0)
    assert [each.response_id for each in state.entries_of("ann")] == ["resp_a"]
    assert not state.is_degraded
    state.close()
    admin.close()


def test_an_outage_is_said_once_and_so_is_its_end(caplog: pytest.LogCaptureFixture) -> None:
    breaker = CircuitBreaker("host:1/0")
    with caplog.at_level(logging.WARNING), outage_is_said("host:1/0") as warned:
        breaker.note_failure(ConnectionError("refused"), "reserve")
        breaker.note_failure(ConnectionError("refused"), "connect")
    assert len(warned) == 1
    states = [breaker.is_open]
    breaker.note_recovery(dropped=3)
    breaker.note_recovery()
    assert [*states, breaker.is_open] == [True, False]
    first, last = [record.getMessage() for record in caplog.records]
    assert "ConnectionError: refused" in first
    assert "3 writes were dropped" in last


def test_the_next_outage_is_said_again() -> None:
    breaker = CircuitBreaker("host:1/0")
    for _ in range(2):
        with outage_is_said():
            breaker.note_failure(ConnectionError("refused"), "reserve")
        breaker.note_recovery()


def test_a_program_that_turns_warnings_into_errors_loses_no_call() -> None:
    breaker = CircuitBreaker("host:1/0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        breaker.note_failure(ConnectionError("refused"), "reserve")
    assert breaker.is_open


def test_every_error_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: provider)
    breaker = CircuitBreaker("host:1/0")
    with outage_is_said():
        for _ in range(3):
            breaker.note_failure(TimeoutError("late"), "reserve")
    assert _points(reader) == [
        (3, {"azure_responses.operation": "reserve", "error.type": "TimeoutError"})
    ]


def test_nothing_is_counted_for_a_program_without_opentelemetry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "opentelemetry")
    breaker = CircuitBreaker("host:1/0")
    with outage_is_said():
        breaker.note_failure(TimeoutError("late"), "reserve")
    assert breaker.is_open


def _points(reader: InMemoryMetricReader) -> list[tuple[float, dict[str, object]]]:
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "azure_responses.router.state_errors"
    points = [point for point in metric.data.data_points if isinstance(point, NumberDataPoint)]
    return [(point.value, dict(point.attributes or {})) for point in points]
