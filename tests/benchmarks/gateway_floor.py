"""The least a Python gateway can do: read a request, send it on, pass the answer back."""

import json
import os
from typing import Any

import aiohttp
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

__all__ = ["app"]

_HEADERS = {"api-key": "key", "content-type": "application/json"}
_sessions: list[aiohttp.ClientSession] = []


def _session() -> aiohttp.ClientSession:
    if not _sessions:
        connector = aiohttp.TCPConnector(limit=0)
        _sessions.append(aiohttp.ClientSession(connector=connector, auto_decompress=False))
    return _sessions[0]


async def _pass_on(request: Request) -> Response:
    body = await request.body()
    parsed: dict[str, Any] = json.loads(body)
    kind = "stream" if parsed.get("stream") else "small"
    url = f"{os.environ['BENCHMARK_STUB']}/{kind}/openai/v1/responses"
    reply = await _session().post(url, data=body, headers=_HEADERS)
    if kind == "stream":
        return StreamingResponse(reply.content.iter_any(), media_type="text/event-stream")
    content = await reply.read()
    json.loads(content)
    return Response(content, media_type="application/json")


app = Starlette(routes=[Route("/v1/responses", _pass_on, methods=["POST"])])
