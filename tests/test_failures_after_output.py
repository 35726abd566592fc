"""A failure after output is the same failure in a stream of events and in one of chat chunks."""

import asyncio
import json
import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
import trio

from azure_responses import (
    APITimeoutError,
    AsyncAzureResponses,
    AzureResponses,
    AzureResponsesError,
    ContentFilterError,
    ContextWindowExceededError,
    InternalServerError,
    RateLimitError,
    ResponseFailedError,
    Router,
    StreamInterruptedError,
)
from tests.clients.socket_server import SocketServer, event, streaming_head
from tests.gateway.gateways import KEY, serve

_RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "output": []}
_TEXT = {"item_id": "m", "output_index": 0, "content_index": 0, "logprobs": [], "delta": "once"}
_EVENTS: dict[str, dict[str, Any]] = {
    "response.created": {"response": {**_RESPONSE, "status": "in_progress"}},
    "response.output_text.delta": _TEXT,
}
_OPENING = streaming_head() + b"".join(
    event(kind, json.dumps({"type": kind, "sequence_number": number, **fields}))
    for number, (kind, fields) in enumerate(_EVENTS.items())
)
_USAGE = {"input_tokens": 7, "output_tokens": 5, "total_tokens": 12}


def _failed(error: dict[str, Any] | None) -> bytes:
    response = {**_RESPONSE, "status": "failed", "error": error, "usage": _USAGE}
    fields = {"type": "response.failed", "sequence_number": 2, "response": response}
    return event("response.failed", json.dumps(fields))


def _error(error: dict[str, Any], *, nested: bool) -> bytes:
    fields = {"error": error} if nested else error
    return event("error", json.dumps({"type": "error", "sequence_number": 3, **fields}))


def _orders(code: str) -> list[bytes]:
    """The same failure as Azure and its gateways tell it."""
    if code in ("", "stall"):
        return [b""]
    error = {"code": code, "message": "Alas."}
    if code == "image_too_large":
        # Said by an `error` event it blames the request, and is another class.
        return [_failed(error)]
    return [
        _failed(error),
        _error(error, nested=False),
        _error(error, nested=True),
        _failed(None) + _error(error, nested=True),
    ]


_FAILURES: dict[str, tuple[Any, str, int]] = {
    "rate_limit_exceeded": (RateLimitError, "rate_limit_exceeded", 429),
    "content_filter": (ContentFilterError, "content_filter", 400),
    "context_length_exceeded": (ContextWindowExceededError, "context_length_exceeded", 400),
    "server_error": (InternalServerError, "server_error", 500),
    "image_too_large": (ResponseFailedError, "image_too_large", 502),
    # No event: the connection is closed, or stays open.
    "": (StreamInterruptedError, "upstream_error", 502),
    "stall": (StreamInterruptedError, "timeout", 504),
}
_CASES = [
    pytest.param(code, data, id=f"{code or 'broken off'}-{number}")
    for code in _FAILURES
    for number, data in enumerate(_orders(code))
]
_each = pytest.mark.parametrize(("code", "data"), _CASES)


class _Failing:
    """Sends some output, and then what it is told to."""

    def __init__(self) -> None:
        self.code, self.data = "", b""

    def answer(self, connection: socket.socket) -> None:
        connection.sendall(_OPENING + self.data)
        if self.code != "":
            # After a failure nothing is waited for; a stall ends with the caller's time.
            connection.settimeout(10)
            connection.recv(1)
        raise ConnectionError


@pytest.fixture(scope="module")
def failing() -> Iterator[tuple[SocketServer, _Failing]]:
    script = _Failing()
    with SocketServer(script.answer) as server:
        yield server, script


def _row(url: str) -> dict[str, Any]:
    return {
        "model_name": "chat",
        "litellm_params": {"model": "azure/gpt", "api_base": url, "api_key": "k"},
    }


_SETTINGS: dict[str, Any] = {"num_retries": 0, "cooldown_time": 0}
_NATIVE: dict[str, Any] = {"model": "chat", "input": "x", "stream": True}
_CHAT: dict[str, Any] = {
    "model": "chat",
    "messages": [{"role": "user", "content": "x"}],
    "stream": True,
}


def _parameters(code: str, *, chat: bool) -> dict[str, Any]:
    # Only a stall meets it: a loaded machine must make nothing else late.
    return {**(_CHAT if chat else _NATIVE), "timeout": 1.2 if code == "stall" else 20}


def _sync(url: str, code: str, chat: bool) -> None:
    with AzureResponses(url, api_key="k", max_retries=0) as client:
        create: Any = client.chat.completions.create if chat else client.responses.create
        list(create(**_parameters(code, chat=chat)))


async def _async(url: str, code: str, chat: bool) -> None:
    async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
        create: Any = client.chat.completions.create if chat else client.responses.create
        async for _ in await create(**_parameters(code, chat=chat)):
            pass


def _sync_router(url: str, code: str, chat: bool) -> None:
    with Router([_row(url)], affinity_secret="s" * 32, **_SETTINGS) as router:
        call: Any = router.completion if chat else router.responses
        list(call(**_parameters(code, chat=chat)))


async def _async_router(url: str, code: str, chat: bool) -> None:
    async with Router([_row(url)], affinity_secret="s" * 32, **_SETTINGS) as router:
        call: Any = router.acompletion if chat else router.aresponses
        async for _ in await call(**_parameters(code, chat=chat)):
            pass


_DRIVERS: dict[str, Callable[[str, str, bool], None]] = {
    "sync": _sync,
    "asyncio": lambda *arguments: asyncio.run(_async(*arguments)),
    "trio": lambda *arguments: trio.run(_async, *arguments),
    "sync router": _sync_router,
    "async router": lambda *arguments: asyncio.run(_async_router(*arguments)),
}


@pytest.mark.filterwarnings("ignore:Async generator.*httpx:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("chat", [False, True], ids=["responses", "chat"])
@pytest.mark.parametrize("driver", _DRIVERS)
@_each
def test_a_failure_after_output_keeps_its_class_and_code(
    failing: tuple[SocketServer, _Failing], code: str, data: bytes, driver: str, chat: bool
) -> None:
    server, script = failing
    script.code, script.data = code, data
    kind, _, status = _FAILURES[code]
    with pytest.raises(AzureResponsesError) as caught:
        _DRIVERS[driver](server.url, code, chat)
    error: Any = caught.value
    assert type(error) is kind
    if kind is StreamInterruptedError:
        assert isinstance(error.__cause__, APITimeoutError) == (code == "stall")
    else:
        assert error.code == code
        assert getattr(error, "status_code", 502) == status
    partial = error.partial
    text = partial.choices[0].message.content if chat else partial.id
    assert text == "once" if chat else text


@pytest.fixture(scope="module")
def gateway(failing: tuple[SocketServer, _Failing]) -> Iterator[str]:
    config = {
        "model_list": [_row(failing[0].url)],
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32},
        "router_settings": _SETTINGS,
    }
    with serve(config) as running:
        yield running.url


def _told(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The last error in a stream of the gateway."""
    timeout = str(body.pop("timeout"))
    headers = {"authorization": f"Bearer {KEY}", "x-litellm-timeout": timeout}
    reply = httpx.post(url + path, json=body, headers=headers, timeout=20)
    lines = [line for line in reply.text.split("\n") if line.startswith("data: {")]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("data: "))
    return found


def _logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """The lines of two calls, which are written after their answers."""
    deadline = time.monotonic() + 10
    while True:
        found = [record for record in caplog.records if hasattr(record, "served_call")]
        if len(found) == 2:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.005)


@_each
def test_a_gateway_tells_logs_and_counts_a_failure_after_output_as_on_both_routes(
    failing: tuple[SocketServer, _Failing],
    gateway: str,
    caplog: pytest.LogCaptureFixture,
    code: str,
    data: bytes,
) -> None:
    _, script = failing
    script.code, script.data = code, data
    _, wanted, status = _FAILURES[code]
    with caplog.at_level(logging.INFO, "azure_responses.gateway"):
        native = _told(gateway, "/v1/responses", _parameters(code, chat=False))
        chat = _told(gateway, "/v1/chat/completions", _parameters(code, chat=True))["error"]
        first, second = _logged(caplog)
    assert (chat["code"], chat["status"]) == (wanted, status)
    response = native.get("response") or {}
    assert (native.get("error") or response.get("error") or native)["code"] == wanted
    spent: Any = [vars(record)["served_call"][1] for record in (first, second)]
    assert spent[0].error_type == spent[1].error_type
    assert spent[0].cost == spent[1].cost
    if code not in ("", "stall"):
        assert spent[0].error_type == code
    # `operation: status code in …`: both lines name the failure.
    assert (
        first.getMessage().split(" in ")[0].split(": ")[1]
        == (second.getMessage().split(" in ")[0].split(": ")[1])
    )


def test_closing_a_chat_stream_that_failed_changes_nothing(
    failing: tuple[SocketServer, _Failing],
) -> None:
    server, script = failing
    script.code, script.data = "server_error", _orders("server_error")[0]
    with AzureResponses(server.url, api_key="k", max_retries=0) as client:
        stream: Any
        with closing(client.chat.completions.create(**_CHAT)) as stream:
            with pytest.raises(InternalServerError):
                list(stream)
            stream.close()
        assert list(stream) == []
