"""Reads the body of a request within limits of size, time and number of JSON values."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from azure_responses.gateway.asgi_reply import ErrorResponse, Receive, error_response
from azure_responses.gateway.body_encodings import TooLong, decompress, read_encodings
from azure_responses.protocol.form_reader import is_multipart

__all__ = [
    "BodyMemory",
    "CallerLeft",
    "Computer",
    "WorkerThreads",
    "LARGE",
    "Refused",
    "SHORT",
    "check_headers",
    "check_json",
    "count_values",
    "has_long_number",
    "read_body",
    "read_short_body",
    "receive_piece",
    "too_large",
]

_WINDOW = 256 * 1024
_BEGINNINGS = b",[{"
# Strings full of escapes take their time as well.
_ESCAPES_PER_VALUE = 20
# Reading a whole number takes the square of its length. Every sixteenth byte is looked at first.
_STEP = 16
_LONGEST_NUMBER = 512
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % _LONGEST_NUMBER)
_MANY_DIGITS = re.compile(rb"[0-9]{%d}" % (_LONGEST_NUMBER // _STEP))


def count_values(body: bytes, most: int) -> int:
    """About how many values a body holds; more than `most` may be counted in part.

    Every twenty escapes in strings count as a value. It counts bytes, which is a hundredth of the
    work of reading them, and stops where there are too many.
    """
    # Commas and brackets in strings begin no value. Telling them apart takes longer, so it is done
    # only where all of them together are too many.
    count = _count_anywhere(body, most)
    return count if count <= most else _count_outside_strings(body, most)


def _count_anywhere(text: bytes, most: int) -> int:
    count = 0
    for start in range(0, len(text), _WINDOW):
        end = start + _WINDOW
        for byte in _BEGINNINGS:
            count += text.count(byte, start, end)
        count += text.count(b"\\", start, end) // _ESCAPES_PER_VALUE
        if count > most:
            break
    return count


def _count_outside_strings(body: bytes, most: int) -> int:
    count = 0
    for window, structure in _split(body):
        count += window.count(b"\\") // _ESCAPES_PER_VALUE
        count += sum(structure.count(byte) for byte in _BEGINNINGS)
        if count > most:
            break
    return count


def has_long_number(body: bytes) -> bool:
    """True where a number has more than about 512 digits, which takes long to read."""
    steps = (body[start : start + _WINDOW : _STEP] for start in range(0, len(body), _WINDOW))
    # Nearly no text has so many digits on end, but some may.
    return any(_MANY_DIGITS.search(digits) for digits in steps) and any(
        _LONG_NUMBER.search(structure) for _, structure in _split(body)
    )


def _split(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Pieces of a body, each with the part of it that is outside strings."""
    start, is_inside = 0, False
    while start < len(body):
        window = body[start : start + _WINDOW]
        if (len(window) - len(window.rstrip(b"\\"))) % 2 and start + len(window) < len(body):
            # The escape ends in the next window.
            window = window[:-1]
        start += len(window)
        parts = window.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        yield window, b"".join(parts[is_inside::2])
        is_inside ^= len(parts) % 2 == 0


SHORT = 4096
"""Bytes of a body that is not measured: it cannot hold many values."""

LARGE = 256 * 1024
"""Bytes of a body that is measured in a thread."""

_FEW_VALUES = 2000
_LONG = 512 * 1024
_MANY_VALUES = 20_000
# Threads share one interpreter: with more of them the event loop would wait longer for its turn.
_AT_ONCE = 2

Computer = Callable[[Callable[[], Any]], Awaitable[Any]]


class WorkerThreads:
    """Where bodies are worked on, by what they hold; used from one event loop."""

    def __init__(self) -> None:
        self._usual = _Pool(_AT_ONCE)
        self._heavy = _Pool(1)

    def choose(self, values: int, size: int) -> Computer | None:
        """What runs the work on a body of so many values and bytes; None for this thread.

        Bodies of very many values wait for one another; other callers do not wait for them.
        """
        if values > _MANY_VALUES:
            return self._heavy
        return self._usual if values > _FEW_VALUES or size > _LONG else None


class _Pool:
    """A few threads at a time."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def __call__(self, function: Callable[[], Any]) -> Any:
        async with self._places:
            return await asyncio.to_thread(function)


# Between two pieces, and for all of them together.
_PIECE_SECONDS = 20.0
_ALL_SECONDS = 300.0
# What a browser sends across origins without a preflight request, besides plain GETs.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_CLOSE = {"connection": "close"}
_LIMIT = "general_settings.max_body_bytes"
# A shorter body is not counted: max_concurrent_requests of them are few megabytes.
_LITTLE = 64 * 1024


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, error: ErrorResponse) -> None:
        super().__init__(error.code)
        self.error = error


class CallerLeft(Exception):
    """The caller closed the connection before the end of the body."""


class BodyMemory:
    """Counts the bodies that one process holds, of all calls and of each caller.

    Args:
        most: bytes of all bodies. One caller may hold half of them, so that no caller can take
            the room of all others.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, int] = {}
        self._sum = 0

    def take(self, caller: str, size: int) -> None:
        """Count a part of a caller's body; raises Refused (503) if it does not fit."""
        held = self._held.get(caller, 0) + size
        if self._sum + size > self._most or held > self._most // 2:
            raise Refused(_no_room())
        self._held[caller] = held
        self._sum += size

    def give_back(self, caller: str, size: int) -> None:
        """Stop counting so many bytes of a caller."""
        self._sum -= size
        self._held[caller] -= size
        if not self._held[caller]:
            del self._held[caller]


async def read_body(
    receive: Receive,
    headers: Mapping[str, str],
    limit: int,
    take: Callable[[int], None],
    *,
    takes_form: bool = False,
) -> bytes:
    """The whole body, decompressed.

    Args:
        take: asked for room for each part of a body that is not short; may raise Refused.
        takes_form: it may be a multipart form.

    Raises:
        Refused: it is longer than `limit` bytes (413), also once it is decompressed; it cannot be
            decompressed or is a form (415); or it is slow (408).
        CallerLeft: the connection was closed before its end.
    """
    check_headers(headers, limit, _LIMIT, takes_form=takes_form)
    deadline = asyncio.get_running_loop().time() + _ALL_SECONDS
    pieces: list[bytes] = []
    size = 0
    while True:
        piece, has_more = await receive_piece(receive, deadline)
        counted = size if size > _LITTLE else 0
        size += len(piece)
        if size > limit:
            raise Refused(too_large(limit, _LIMIT))
        if size > _LITTLE:
            take(size - counted)
        pieces.append(piece)
        if not has_more:
            break
    body = piece if len(pieces) == 1 else b"".join(pieces)
    if "content-encoding" in headers:
        body = await _decompress(body, headers["content-encoding"], limit)
        if len(body) > max(size, _LITTLE):
            take(len(body) - (size if size > _LITTLE else 0))
    return body


async def _decompress(body: bytes, header: str, limit: int) -> bytes:
    encodings = read_encodings(header)
    if not encodings:
        return body
    try:
        return await asyncio.to_thread(decompress, body, encodings, limit)
    except TooLong:
        raise Refused(too_large(limit, _LIMIT)) from None
    except ValueError:
        raise Refused(
            error_response(
                400, f"The body is not a whole {header[:40]} stream.", code="invalid_encoding"
            )
        ) from None
    except ImportError as error:
        install = "Install azure-responses[gateway], or send it as it is."
        raise Refused(_unsupported(f"{error.name} is not installed.", install)) from None


async def read_short_body(
    receive: Receive, headers: Mapping[str, str], limit: int, most_values: int
) -> bytes:
    """The whole body of a JSON request that is too short to count in `BodyMemory`.

    Raises:
        Refused: as by `read_body` and `check_json`.
        CallerLeft: the connection was closed before its end.
    """
    body = await read_body(receive, headers, limit, lambda size: None)
    check_json(body, most_values)
    return body


async def receive_piece(receive: Receive, deadline: float) -> tuple[bytes, bool]:
    """The next piece of a body, and whether more follows.

    Args:
        deadline: of the whole body, by the clock of the event loop.

    Raises:
        Refused: it does not come in 20 seconds, or before the deadline (408).
        CallerLeft: the connection was closed before the end of the body.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout_at(min(loop.time() + _PIECE_SECONDS, deadline)):
            message = await receive()
    except TimeoutError:
        raise Refused(_slow()) from None
    if message["type"] == "http.disconnect":
        raise CallerLeft
    piece: bytes = message.get("body", b"")
    return piece, message.get("more_body", False)


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


def check_headers(
    headers: Mapping[str, str], limit: int, setting: str, *, takes_form: bool
) -> None:
    """Raise Refused for a body that its headers show to be too long, or that cannot be read."""
    length = headers.get("content-length", "")
    if length.isdecimal() and int(length[:20]) > limit:
        raise Refused(too_large(limit, setting))
    encoding = headers.get("content-encoding", "")
    kind = headers.get("content-type", "").lower()
    encodings = read_encodings(encoding)
    # A form is passed on as it arrives: its fields are read on the way.
    if encodings is None or (encodings and kind.startswith(_FORMS)):
        allowed = "gzip, deflate, zstd or br, and forms as they are"
        raise Refused(
            _unsupported(f"The body is encoded as {encoding[:40]!r}.", f"Send it as {allowed}.")
        )
    if kind.startswith(_FORMS) and not (takes_form and is_multipart(kind)):
        raise Refused(
            _unsupported(
                "The body is not declared as JSON.", "Send content-type: application/json."
            )
        )


def _unsupported(message: str, fix: str) -> ErrorResponse:
    return error_response(415, f"{message} {fix}", code="unsupported_media_type", headers=_CLOSE)


def too_large(limit: int, setting: str) -> ErrorResponse:
    """The refusal of a body that is longer than a setting allows."""
    return error_response(
        413,
        f"The body is longer than {limit:,} bytes ({setting}).",
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
