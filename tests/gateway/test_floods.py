"""Attacks on a served gateway, and what they cost others: megabytes, and seconds of waiting.

Each prints what it measured; `pytest -s` shows it. The bounds leave room for a busy machine: what
these tests are about made the figures worse by a factor of ten or more.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.gateway.floods import Flooded, Measured, percentile, send_for, serve_flooded
from tests.gateway.gateways import KEY

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")

_POST = b"POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
_MOST_SECONDS = 0.5
_ATTACK_SECONDS = 1.0


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flooded]:
    with serve_flooded(tmp_path_factory.mktemp("gateway"), max_connections=1500) as running:
        yield running


def _check(measured: Measured, attack: str, megabytes: float) -> None:
    measured.show(attack)
    assert measured.growth < megabytes
    # A call that another process of a busy machine kept waiting is no fault: who stalls everybody
    # leaves time for a few calls only, most of them slow.
    assert percentile(measured.calls, 0.9) < _MOST_SECONDS
    assert percentile(measured.probes, 0.9) < _MOST_SECONDS


def _send(gateway: Flooded, count: int, data: bytes) -> None:
    """So many callers send as fast as they can, and read nothing."""
    with ExitStack() as stack:
        threads = [
            threading.Thread(
                target=send_for,
                args=(gateway.connect(stack, receive_buffer=4096), data, _ATTACK_SECONDS),
            )
            for _ in range(count)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize(
    ("path", "key"), [("/v1/models", "no-key"), ("/openapi.json", "no-key"), ("/v1/models", KEY)]
)
def test_requests_sent_back_to_back_and_never_read_hold_little_memory(
    gateway: Flooded, path: str, key: str
) -> None:
    request = f"GET {path} HTTP/1.1\r\nhost: x\r\napi-key: {key}\r\n\r\n".encode()
    with gateway.watch() as measured:
        _send(gateway, 10, request * 500)
    _check(measured, f"10 connections that pipeline GET {path} with {key}", 40)


def test_heads_without_end_hold_little_memory(gateway: Flooded) -> None:
    with gateway.watch() as measured, ExitStack() as stack:
        for _ in range(1000):
            gateway.connect(stack).send(_POST + b"a: b\r\n" * 150 + b"c: " + b"d" * 60_000)
        time.sleep(_ATTACK_SECONDS)
    # 32 MB of them are kept; 60 were sent.
    _check(measured, "1000 heads of 60 kB without an end", 100)


def test_bodies_without_a_key_are_not_kept(gateway: Flooded) -> None:
    head = _POST + b"api-key: no-key\r\ncontent-length: 50000000\r\n\r\n"
    with gateway.watch() as measured:
        _send(gateway, 10, head + b"x" * 50_000_000)
    _check(measured, "10 bodies of 50 MB without a key", 40)


def test_bodies_of_which_the_rest_does_not_come_keep_nobody_out(gateway: Flooded) -> None:
    head = _POST + f"api-key: {KEY}\r\ncontent-length: 50000000\r\n\r\n".encode()
    with gateway.watch() as measured, ExitStack() as stack:
        # More than there are places for calls.
        for _ in range(1200):
            gateway.connect(stack).sendall(head + b'{"input": "')
        time.sleep(_ATTACK_SECONDS)
    _check(measured, "1200 bodies of which the rest does not come", 60)


def test_connections_that_send_nothing_keep_nobody_out(gateway: Flooded) -> None:
    with gateway.watch() as measured, ExitStack() as stack:
        for _ in range(2000):
            gateway.connect(stack)
        time.sleep(_ATTACK_SECONDS)
        with ExitStack() as others:
            late = gateway.connect(others)
            late.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert b"200 OK" in late.recv(4096)
    _check(measured, "2000 connections that send nothing", 60)


_DENSE = {
    "lists": b"[" + b"[]," * 10_000_000 + b"0]",
    "objects": b"[" + b"{}," * 10_000_000 + b"0]",
    "pairs": b"[{" + b",".join(b'"%07d":0' % n for n in range(2_000_000)) + b"}]",
    "equal keys": b"[{" + b'"a" :0,' * 4_000_000 + b'"b":0}]',
    "nesting": b"[" * 15_000_000 + b"]" * 15_000_000,
    "numbers": b"[" + (b"9" * 4000 + b",") * 7000 + b"0]",
    "escapes": b'"' + b"\\u0041" * 5_000_000 + b'"',
    "quotes": b'"' + b'\\"[,' * 7_000_000 + b'"',
}


@pytest.mark.parametrize("kind", _DENSE)
def test_a_body_of_very_many_values_keeps_nobody_waiting(gateway: Flooded, kind: str) -> None:
    body = b'{"model":"chat","input":%b}' % _DENSE[kind]
    with gateway.watch() as measured, gateway.client() as client:
        found = client.post("/v1/responses", content=body)
    _check(measured, f"{len(body):,} bytes of {kind}: {found.status_code}", 180)
    assert found.status_code in (400, 413)


@pytest.mark.parametrize(
    ("path", "field"), [("responses", "input"), ("chat/completions", "messages")]
)
def test_bodies_of_as_many_values_as_may_be_keep_nobody_waiting(
    gateway: Flooded, path: str, field: str
) -> None:
    messages = [{"role": "user", "content": "x"}] * 30_000
    body = json.dumps({"model": "chat", field: messages}).encode()

    def ask() -> None:
        with gateway.client() as client:
            assert client.post(f"/v1/{path}", content=body).status_code == 200

    with gateway.watch() as measured, ThreadPoolExecutor(4) as callers:
        for call in [callers.submit(ask) for _ in range(8)]:
            call.result()
    _check(measured, f"8 bodies of 90,000 values to {path}", 250)


def test_a_body_of_one_long_text_is_taken(gateway: Flooded) -> None:
    body = b'{"model":"chat","input":"%b"}' % (b"A" * 30_000_000)
    with gateway.watch() as measured, gateway.client() as client:
        assert client.post("/v1/responses", content=body).status_code == 200
    _check(measured, "30 MB of one text", 250)
