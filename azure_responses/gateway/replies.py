"""Whole replies to an ASGI server."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from pydantic_core import to_json

from azure_responses.gateway.denial import Denial

__all__ = ["Header", "Receive", "Scope", "Send", "denial_headers", "send_denial", "send_reply"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]


async def send_reply(send: Send, status: int, headers: Sequence[Header], body: bytes) -> None:
    """Send a reply whose headers are complete."""
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def send_denial(send: Send, denial: Denial, call_id: str) -> None:
    """Send a refusal."""
    body = to_json(denial.body)
    await send_reply(send, denial.status, denial_headers(denial, call_id, len(body)), body)


def denial_headers(denial: Denial, call_id: str, length: int) -> list[Header]:
    """The headers of a refusal."""
    return [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % length),
        (b"x-request-id", call_id.encode()),
        (b"x-litellm-call-id", call_id.encode()),
        *((name.encode(), value.encode("latin-1")) for name, value in denial.headers.items()),
    ]
