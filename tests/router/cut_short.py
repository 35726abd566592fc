"""A service whose content filter leaves nothing of some streams."""

import json
from typing import Any

import httpx

from azure_responses.emulator import Emulator

__all__ = ["CutShort"]


class CutShort(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport to an emulator whose content filter leaves nothing of some streams."""

    def __init__(self, emulator: Emulator, deployments: set[str]) -> None:
        self._inner: Any = emulator.httpx_transport()
        self._deployments = deployments

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._cut(request, request.read()) or self._inner.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        cut = self._cut(request, await request.aread())
        return cut or await self._inner.handle_async_request(request)

    def _cut(self, request: httpx.Request, body: bytes) -> httpx.Response | None:
        asked = json.loads(body) if body else {}
        if asked.get("model") not in self._deployments:
            return None
        response = {
            "id": "resp_00112233445566778899aabbccddeeff0011223344556677",
            "object": "response",
            "status": "incomplete",
            "incomplete_details": {"reason": "content_filter"},
            "output": [],
        }
        events: list[dict[str, Any]] = [
            {"type": "response.created", "response": {**response, "status": "in_progress"}},
            {"type": "response.incomplete", "response": response},
        ]
        frames = [
            f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': n})}\n\n"
            for n, event in enumerate(events)
        ]
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, content="".join(frames).encode())
