"""The body of a request, as long as it is not too long and does not take for ever."""

import asyncio
from collections.abc import Mapping

from azure_responses.gateway.denial import Denial, deny
from azure_responses.gateway.replies import Receive

__all__ = ["CallerLeft", "Refused", "read_body"]

# Between two pieces, and for all of them together.
_PIECE_SECONDS = 20.0
_ALL_SECONDS = 300.0
# What a browser sends across origins without asking first, besides plain GETs.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_CLOSE = {"connection": "close"}


class Refused(Exception):
    """The request is answered with a denial."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.code)
        self.denial = denial


class CallerLeft(Exception):
    """Nobody is there to be answered."""


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The whole body.

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
        if not message.get("more_body", False) and not pieces:
            if len(piece) > limit:
                raise Refused(_too_large(limit))
            return piece
        size += len(piece)
        if size > limit:
            raise Refused(_too_large(limit))
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


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


def _unsupported(message: str, fix: str) -> Denial:
    return deny(415, f"{message} {fix}", code="unsupported_media_type", headers=_CLOSE)


def _too_large(limit: int) -> Denial:
    return deny(
        413, f"The body is longer than {limit:,} bytes.", code="request_too_large", headers=_CLOSE
    )


def _slow() -> Denial:
    return deny(408, "The body took too long to arrive.", code="request_timeout", headers=_CLOSE)
