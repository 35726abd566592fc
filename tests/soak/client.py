"""A caller of the gateway that trusts nothing: it reads bytes, and judges every one of them."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

__all__ = ["ApiCaller", "Event", "Reply", "Wrong", "is_honest"]

_HONEST = frozenset({408, 429, 500, 502, 503, 504})
_DONE = "[DONE]"


class Wrong(Exception):
    """What no gateway may do: the soak has found something."""


@dataclass(frozen=True)
class Reply:
    """A whole reply."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Event:
    """One server-sent event; `data` is None for `[DONE]`."""

    name: str | None
    data: dict[str, Any] | None


def is_honest(status: int, body: Any) -> bool:
    """True for an error that the OpenAI SDK reads, and that blames Azure or the load for itself."""
    error = body.get("error") if isinstance(body, dict) else None
    return status in _HONEST and isinstance(error, dict) and _has_shape(error)


def _has_shape(error: Mapping[str, Any]) -> bool:
    texts = (error.get("message"), error.get("type"), error.get("code"))
    return all(isinstance(text, str) and text for text in texts)


class ApiCaller:
    """Requests with one key.

    Args:
        session: shared by all callers.
        url: of the gateway.
        key: sent as a bearer.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str) -> None:
        self.session = session
        self.url = url
        self._key = key

    def headers(self, call_id: str) -> dict[str, str]:
        """Of a request; the call id is what the spend log will name it by."""
        return {"authorization": f"Bearer {self._key}", "x-litellm-call-id": call_id}

    async def ask(
        self, method: str, path: str, call_id: str, body: dict[str, Any] | None = None
    ) -> Reply:
        """One request and its whole reply."""
        headers = self.headers(call_id)
        try:
            async with self.session.request(
                method, self.url + path, json=body, headers=headers
            ) as got:
                content = await got.read()
        except aiohttp.ClientError as error:
            raise Wrong(f"{method} {path}: the connection failed: {error!r}") from error
        return Reply(got.status, got.headers, _parse(content))

    async def stream(
        self, path: str, call_id: str, body: dict[str, Any], events: int | None = None
    ) -> AsyncIterator[Event | Reply]:
        """The events of a streamed call, or a reply where there is no stream.

        With `events` the caller hangs up after so many.
        """
        headers = self.headers(call_id)
        try:
            async with self.session.post(
                self.url + path, json={**body, "stream": True}, headers=headers
            ) as got:
                if got.status != 200:
                    yield Reply(got.status, got.headers, _parse(await got.read()))
                    return
                async for event in _events(got.content):
                    yield event
                    events = None if events is None else events - 1
                    if events == 0:
                        got.close()
                        return
        except aiohttp.ClientError as error:
            raise Wrong(f"POST {path}: the stream was cut: {error!r}") from error


def _parse(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError as error:
        raise Wrong(f"this is not JSON: {content[:200]!r}") from error
    if not isinstance(body, dict):
        raise Wrong(f"this is no object: {content[:200]!r}")
    return body


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[Event]:
    pending = b""
    async for chunk in content.iter_any():
        *frames, pending = (pending + chunk).split(b"\n\n")
        for frame in frames:
            event = _event(frame.decode())
            if event is not None:
                yield event
    if pending:
        raise Wrong(f"the stream ended inside an event: {pending[:200]!r}")


def _event(frame: str) -> Event | None:
    name, data = None, None
    for line in frame.split("\n"):
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            data = line[6:]
        elif not line.startswith(":"):
            raise Wrong(f"this is no line of an event: {line[:200]!r}")
    if data is None:
        return None
    return Event(name, None if data == _DONE else _parse(data.encode()))
