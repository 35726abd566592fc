"""Bytes that follow the end of a reply are never the answer to the next call."""

import asyncio
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trio

from azure_responses import AsyncAzureResponses, AzureResponses, AzureResponsesError
from tests.clients.socket_server import SocketServer, streaming_head

_PAUSE = 0.15


def _body(text: str) -> bytes:
    part = {"type": "output_text", "text": text, "annotations": []}
    item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    body = {"id": "resp_1", "object": "response", "status": "completed", "output": [item]}
    return json.dumps(body).encode()


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(data), data)


def _whole(body: bytes, status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _in_chunks(body: bytes) -> bytes:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    return head + _chunked(body)


def _streamed(body: bytes) -> bytes:
    event = b'data: {"type":"response.completed","sequence_number":0,"response":%b}\n\n' % body
    return streaming_head() + _chunked(event)


def _refusal(_: bytes) -> bytes:
    return _whole(b'{"error":{"code":"bad","message":"Bad."}}', b"400 Bad Request")


def _empty(_: bytes) -> bytes:
    return b"HTTP/1.1 204 No Content\r\n\r\n"


_REPLIES: dict[str, Callable[[bytes], bytes]] = {
    "whole": _whole,
    "in chunks": _in_chunks,
    "streamed": _streamed,
    "refusal": _refusal,
    "empty": _empty,
}
# After each reply, in this order; aiohttp's parser forgets half of a reply with the next request.
_EXCESS = (
    _whole(_body("another's")),
    b"garbage\r\n\r\n",
    _whole(_body("another's"))[:40],
    b"",
)
_CALLS = len(_EXCESS)


def _server(reply: str, *, is_late: bool, has_excess: bool = True) -> SocketServer:
    def answer(connection: socket.socket) -> None:
        text = json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])["input"]
        right = _REPLIES[reply](_body(text))
        excess = _EXCESS[int(text)] if has_excess else b""
        if is_late:
            connection.sendall(right)
            time.sleep(_PAUSE / 3)
            connection.sendall(excess)
        else:
            connection.sendall(right + excess)

    server = SocketServer(answer)
    return server


def _sync(url: str, asked: dict[str, Any], pause: float, http_client: Any = None) -> list[str]:
    seen = []
    with AzureResponses(url, api_key="k", max_retries=0, http_client=http_client) as client:
        for number in range(_CALLS):
            try:
                answer: Any = client.responses.create(input=str(number), **asked)
                answer = answer.get_final_response() if "stream" in asked else answer
                seen.append(answer.output_text)
            except AzureResponsesError as error:
                seen.append(error.message)
            time.sleep(pause)
    return seen


def _sync_with_own(url: str, asked: dict[str, Any], pause: float) -> list[str]:
    with httpx.Client() as http_client:
        return _sync(url, asked, pause, http_client)


async def _async(url: str, asked: dict[str, Any], pause: float, sleep: Any) -> list[str]:
    seen = []
    async with AsyncAzureResponses(url, api_key="k", max_retries=0) as client:
        for number in range(_CALLS):
            try:
                answer: Any = await client.responses.create(input=str(number), **asked)
                answer = await answer.get_final_response() if "stream" in asked else answer
                seen.append(answer.output_text)
            except AzureResponsesError as error:
                seen.append(error.message)
            await sleep(pause)
    return seen


_CLIENTS: dict[str, Callable[[str, dict[str, Any], float], list[str]]] = {
    "sync": _sync,
    "sync, own http_client": _sync_with_own,
    "asyncio": lambda url, asked, pause: asyncio.run(_async(url, asked, pause, asyncio.sleep)),
    "trio": lambda url, asked, pause: trio.run(_async, url, asked, pause, trio.sleep),
}


@pytest.mark.parametrize("client", _CLIENTS)
@pytest.mark.parametrize(
    ("reply", "is_late"), [*((reply, False) for reply in _REPLIES), ("whole", True)]
)
def test_what_follows_a_reply_is_not_the_answer_to_the_next_call(
    reply: str, is_late: bool, client: str
) -> None:
    asked = {"model": "m", "stream": True} if reply == "streamed" else {"model": "m"}
    with _server(reply, is_late=is_late) as server:
        seen = _CLIENTS[client](server.url, asked, _PAUSE if is_late else 0)
    if reply in ("refusal", "empty"):
        assert len(set(seen)) == 1
        assert "another's" not in seen[0]
    else:
        assert seen == [str(number) for number in range(_CALLS)]
    assert server.opened >= _CALLS - 1


@pytest.mark.parametrize("client", _CLIENTS)
@pytest.mark.parametrize("reply", ["whole", "streamed"])
def test_a_connection_without_excess_is_used_again(reply: str, client: str) -> None:
    asked = {"model": "m", "stream": True} if reply == "streamed" else {"model": "m"}
    with _server(reply, is_late=False, has_excess=False) as server:
        seen = _CLIENTS[client](server.url, asked, 0)
    assert seen == [str(number) for number in range(_CALLS)]
    assert server.opened == 1
