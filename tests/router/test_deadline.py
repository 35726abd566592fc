"""Timeouts of routed calls and of their attempts."""

import json
import math
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses import APITimeoutError, Router
from azure_responses.timeouts import (
    OpeningTimeout,
    deadline_of,
    for_stream,
    limit_of,
    limited_phases,
    shorten,
)
from azure_responses.transport import Timeout, phases_of
from tests.clients.socket_server import event, streaming_head
from tests.doctor.sockets import accepting, make_certificate, tls_context


def test_a_deadline_is_as_far_away_as_the_caller_waits() -> None:
    before = time.monotonic()
    deadline = deadline_of(5.0)
    assert deadline is not None
    assert before + 5 <= deadline <= time.monotonic() + 5


def test_without_a_timeout_the_deadline_never_comes() -> None:
    assert deadline_of(None) == math.inf


@pytest.mark.parametrize(
    ("timeout", "left", "expected"),
    [
        (10.0, None, 10.0),
        (10.0, math.inf, 10.0),
        (10.0, 9.9, 10.0),
        (10.0, 4.0, 4.0),
        (None, 4.0, 4.0),
        (httpx.Timeout(10.0, connect=1.0), 4.0, httpx.Timeout(4.0, connect=1.0)),
        (httpx.Timeout(None), 4.0, httpx.Timeout(4.0)),
    ],
)
def test_an_attempt_may_take_no_more_than_what_is_left(
    timeout: Timeout, left: float | None, expected: Timeout
) -> None:
    assert shorten(timeout, left) == expected


@pytest.mark.parametrize(
    ("timeout", "left", "own", "expected", "opening"),
    [
        (10.0, None, None, 10.0, None),
        (10.0, math.inf, None, 10.0, None),
        (10.0, 9.9, None, 10.0, 9.9),
        (10.0, 4.0, 4.0, 4.0, 4.0),
        (10.0, 8.0, 4.0, 4.0, 4.0),
        (None, 4.0, 4.0, 4.0, 4.0),
    ],
)
def test_a_stream_that_has_all_its_time_is_asked_for_as_usual(
    timeout: Timeout,
    left: float | None,
    own: float | None,
    expected: Timeout,
    opening: float | None,
) -> None:
    asked = for_stream(timeout, left, own)
    assert phases_of(asked) == phases_of(expected)
    assert getattr(asked, "opening", None) == opening


@pytest.mark.parametrize(("own", "silence"), [(None, 10.0), (6.0, 6.0)])
def test_a_stream_that_is_late_may_be_as_silent_as_any_other(
    own: float | None, silence: float
) -> None:
    timeout = for_stream(10.0, 4.0, own)
    assert isinstance(timeout, OpeningTimeout)
    assert (timeout.opening, timeout.read) == (4.0, silence)
    limit = limit_of(timeout)
    phases = limited_phases(timeout, limit)
    assert all(phases[name] <= 4.0 for name in ("connect", "pool", "write"))  # type: ignore[operator]
    assert (phases["read"], 3 < limit.left() <= 4) == (silence, True)


def test_a_stream_without_a_timeout_may_be_silent_for_ever() -> None:
    assert phases_of(for_stream(None, 4.0, None))["read"] is None


_TEXT = {"item_id": "m", "output_index": 0, "content_index": 0, "delta": "once", "logprobs": []}
_EVENTS: dict[str, dict[str, Any]] = {
    "response.created": {"response": {"id": "r", "object": "response", "output": []}},
    "response.output_text.delta": _TEXT,
}
_OPENING = b"".join(
    event(kind, json.dumps({"type": kind, "sequence_number": number, **fields}))
    for number, (kind, fields) in enumerate(_EVENTS.items())
)
_DONE = event(
    "response.completed",
    '{"type":"response.completed","sequence_number":2,"response":{"id":"r","object":"response",'
    '"status":"completed","output":[]}}',
)
_FAILURE = b"HTTP/1.1 500 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"
_TIMEOUT = 2.5
_FIRST = 1.5
_SILENCE = 1.3


class _Tunnel:
    """A proxy, and at the end of its tunnels a service that fails late and then streams."""

    def __init__(self, folder: Path, *, answers: bool) -> None:
        self.certificate, key = make_certificate(folder, "r.example.com")
        self._context = tls_context(self.certificate, key)
        self._answers = answers
        self._attempts = 0

    def serve(self, connection: socket.socket) -> None:
        assert connection.recv(65536).startswith(b"CONNECT r.example.com:443 ")
        time.sleep(0.05)
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with self._context.wrap_socket(connection, server_side=True) as encrypted:
            self._attempts += 1
            while not encrypted.recv(65536).endswith(b"}"):
                pass
            if self._attempts == 1:
                time.sleep(_FIRST)
                encrypted.sendall(_FAILURE)
            elif self._answers:
                encrypted.sendall(streaming_head() + _OPENING)
                time.sleep(_SILENCE)
                encrypted.sendall(_DONE + b"0\r\n\r\n")
            else:
                encrypted.recv(1)


@contextmanager
def _routed(tunnel: _Tunnel, *, has_own_client: bool) -> Iterator[Router]:
    row = {"model": "azure/gpt", "api_base": "https://r.example.com", "api_key": "k"}
    options: dict[str, Any] = {
        "num_retries": 1,
        "retry_delay": 0.01,
        "timeout": _TIMEOUT,
        "affinity_secret": "s" * 32,
    }
    rows = [{"model_name": "gpt", "litellm_params": row}]
    trusted = ssl.create_default_context(cafile=str(tunnel.certificate))
    with accepting(tunnel.serve) as port, ExitStack() as stack:
        proxy = f"http://127.0.0.1:{port}"
        if has_own_client:
            options["http_client"] = stack.enter_context(httpx.Client(proxy=proxy, verify=trusted))
        else:
            options |= {"proxy": proxy, "verify": trusted}
        yield stack.enter_context(Router(rows, **options))


@pytest.mark.parametrize("has_own_client", [False, True])
def test_a_late_attempt_through_a_proxy_may_be_silent_between_its_events(
    tmp_path: Path, has_own_client: bool
) -> None:
    tunnel = _Tunnel(tmp_path, answers=True)
    with _routed(tunnel, has_own_client=has_own_client) as router:
        stream: Any = router.responses(model="gpt", input="x", stream=True)
        assert [event.type for event in stream][-1] == "response.completed"


@pytest.mark.parametrize("has_own_client", [False, True])
def test_a_late_attempt_through_a_proxy_has_no_more_time_for_its_headers_than_is_left(
    tmp_path: Path, has_own_client: bool
) -> None:
    tunnel = _Tunnel(tmp_path, answers=False)
    with _routed(tunnel, has_own_client=has_own_client) as router:
        began = time.monotonic()
        with pytest.raises(APITimeoutError):
            router.responses(model="gpt", input="x", stream=True)
        # With the time of one silence it would be a second and a half more.
        assert time.monotonic() - began < _FIRST + _TIMEOUT - 0.4
