"""Decompresses the body of a request, up to a size."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

__all__ = ["ENCODINGS", "TooLong", "decompress", "read_encodings"]

# A short body may stand for one of gigabytes: no step makes more than this of it.
_STEP = 256 * 1024
# More than two, one over the other, are an attack and not a client.
_MOST_ENCODINGS = 2


class TooLong(Exception):
    """The body is longer than it may be, once it is decompressed."""


class _Broken(Exception):
    """The bytes are no stream of the encoding, or not all of it."""


class _Decompressor(Protocol):
    """What zlib and zstd have in common, as Python's own modules offer it."""

    @property
    def eof(self) -> bool:
        """The end of a stream was reached."""

    @property
    def unused_data(self) -> bytes:
        """What follows the end."""


_Pieces = Iterator[bytes]


def _zlib_pieces(body: bytes, window: int) -> _Pieces:
    stream = zlib.decompressobj(window)
    left = body
    while left:
        yield stream.decompress(left, _STEP)
        left = stream.unconsumed_tail
        # A gzip file may be several, one behind the other.
        if stream.eof and stream.unused_data:
            left, stream = stream.unused_data, zlib.decompressobj(window)
    yield stream.flush(_STEP)
    _require_end(stream)


def _gzip_pieces(body: bytes) -> _Pieces:
    return _zlib_pieces(body, 16 + zlib.MAX_WBITS)


def _deflate_pieces(body: bytes) -> _Pieces:
    # RFC 9110 says zlib's format; some clients send the bare stream that is inside it.
    is_zlib = len(body) > 1 and body[0] & 15 == 8 and int.from_bytes(body[:2]) % 31 == 0
    return _zlib_pieces(body, zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


def _zstd_pieces(body: bytes) -> _Pieces:
    if sys.version_info >= (3, 14):
        from compression.zstd import ZstdDecompressor, ZstdError
    else:
        from backports.zstd import ZstdDecompressor, ZstdError

    stream, given = ZstdDecompressor(), body
    while True:
        try:
            piece = stream.decompress(given, _STEP)
        except ZstdError as error:
            raise _Broken from error
        yield piece
        given = b""
        if stream.eof:
            if not stream.unused_data:
                return
            given, stream = stream.unused_data, ZstdDecompressor()
        elif stream.needs_input and not piece:
            _require_end(stream)


def _brotli_pieces(body: bytes) -> _Pieces:
    import brotli

    stream, given = brotli.Decompressor(), body
    while not stream.is_finished():
        try:
            piece = stream.process(given, output_buffer_limit=_STEP)
        except brotli.error as error:
            raise _Broken from error
        yield piece
        given = b""
        if not piece and not stream.is_finished() and stream.can_accept_more_data():
            raise _Broken


def _require_end(stream: _Decompressor) -> None:
    if not stream.eof:
        raise _Broken


ENCODINGS: dict[str, Callable[[bytes], _Pieces]] = {
    "gzip": _gzip_pieces,
    "x-gzip": _gzip_pieces,
    "deflate": _deflate_pieces,
    "zstd": _zstd_pieces,
    "br": _brotli_pieces,
}
"""The values of Content-Encoding that can be undone."""


def read_encodings(header: str) -> list[str] | None:
    """The encodings of a Content-Encoding header, the first one first; None if one is unknown."""
    names = [name.strip() for name in header.lower().split(",")]
    names = [name for name in names if name not in ("", "identity")]
    is_known = len(names) <= _MOST_ENCODINGS and all(name in ENCODINGS for name in names)
    return names if is_known else None


def decompress(body: bytes, encodings: list[str], limit: int) -> bytes:
    """The body as it was before it was compressed.

    Raises:
        TooLong: it is longer than `limit` bytes; no more than that was made of it.
        ValueError: it is not compressed like that, or cut off.
    """
    for name in reversed(encodings):
        pieces: list[bytes] = []
        size = 0
        try:
            for piece in ENCODINGS[name](body):
                size += len(piece)
                if size > limit:
                    raise TooLong
                pieces.append(piece)
        except (_Broken, zlib.error) as error:
            raise ValueError(f"not {name}") from error
        body = b"".join(pieces)
    return body
