"""The body of a request, as long as it is not too long and does not take for ever."""

import asyncio
from collections.abc import Callable, Mapping

from azure_responses.gateway.asgi_reply import Receive
from azure_responses.gateway.error_response import ErrorResponse, error_response
from azure_responses.gateway.json_size import count_values, has_long_number

__all__ = ["BodyMemory", "CallerLeft", "Refused", "read_body", "check_json"]

# Between two pieces, and for all of them together.
_PIECE_SECONDS = 20.0
_ALL_SECONDS = 300.0
# What a browser sends across origins without asking first, besides plain GETs.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_CLOSE = {"connection": "close"}
# A shorter body is not counted: there cannot be enough calls at once to make much of them.
_LITTLE = 64 * 1024


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, error: ErrorResponse) -> None:
        super().__init__(error.code)
        self.error = error


class CallerLeft(Exception):
    """Nobody is there to be answered."""


class BodyMemory:
    """Counts the bodies that one process holds, of all calls and of each caller.

    Args:
        most: bytes of all bodies. One caller may hold half of them, so that none can keep the
            others out.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, int] = {}
        self._sum = 0

    def take(self, caller: str, size: int) -> None:
        """Count a part of a caller's body; raises Refused (503) where there is no room for it."""
        held = self._held.get(caller, 0) + size
        if self._sum + size > self._most or held > self._most // 2:
            raise Refused(_no_room())
        self._held[caller] = held
        self._sum += size

    def give_back(self, caller: str, size: int) -> None:
        """A body that was counted is not held any more."""
        self._sum -= size
        self._held[caller] -= size
        if not self._held[caller]:
            del self._held[caller]


async def read_body(
    receive: Receive, headers: Mapping[str, str], limit: int, take: Callable[[int], None]
) -> bytes:
    """The whole body.

    Args:
        take: asked for room for each part of a body that is not short; may raise Refused.

    Raises:
        Refused: it is longer than `limit` bytes (413), encoded or a form (415), or slow (408).
        CallerLeft: the connection was closed before its end.
    """
    _check_headers(headers, limit)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ALL_SECONDS
    pieces: list[bytes] = []
    size = 0
    while True:
        try:
            async with asyncio.timeout_at(min(loop.time() + _PIECE_SECONDS, deadline)):
                message = await receive()
        except TimeoutError:
            raise Refused(_slow()) from None
        if message["type"] == "http.disconnect":
            raise CallerLeft
        piece: bytes = message.get("body", b"")
        counted = size if size > _LITTLE else 0
        size += len(piece)
        if size > limit:
            raise Refused(_too_large(limit))
        if size > _LITTLE:
            take(size - counted)
        pieces.append(piece)
        if not message.get("more_body", False):
            return piece if len(pieces) == 1 else b"".join(pieces)


def check_json(body: bytes, most: int) -> int:
    """About how many values the body holds; raises Refused where it would take long to read."""
    values = count_values(body, most)
    if values > most:
        raise Refused(_too_many_values(most))
    if has_long_number(body):
        raise Refused(_long_number())
    return values


def _too_many_values(most: int) -> ErrorResponse:
    return error_response(
        413,
        f"The body holds more than {most:,} JSON values (general_settings.max_body_values).",
        code="request_too_large",
    )


def _long_number() -> ErrorResponse:
    return error_response(
        400, "A number in the body has more than 500 digits.", code="invalid_json"
    )


def _check_headers(headers: Mapping[str, str], limit: int) -> None:
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise Refused(_too_large(limit))
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise Refused(
            _unsupported(f"The body is encoded as {encoding[:40]!r}.", "Send it as it is.")
        )
    kind = headers.get("content-type", "").lower()
    if kind.startswith(_FORMS):
        raise Refused(
            _unsupported(
                "The body is not declared as JSON.", "Send content-type: application/json."
            )
        )


def _unsupported(message: str, fix: str) -> ErrorResponse:
    return error_response(415, f"{message} {fix}", code="unsupported_media_type", headers=_CLOSE)


def _too_large(limit: int) -> ErrorResponse:
    return error_response(
        413,
        f"The body is longer than {limit:,} bytes (general_settings.max_body_bytes).",
        code="request_too_large",
        headers=_CLOSE,
    )


def _no_room() -> ErrorResponse:
    return error_response(
        503,
        "The bodies of the calls in progress are too long together "
        "(general_settings.max_bodies_bytes). Try again when some have ended.",
        code="gateway_saturated",
        type="server_error",
        retry_after=1.0,
        headers=_CLOSE,
    )


def _slow() -> ErrorResponse:
    return error_response(
        408, "The body took too long to arrive.", code="request_timeout", headers=_CLOSE
    )
