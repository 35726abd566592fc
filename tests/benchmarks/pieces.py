"""A transport that answers with given pieces of a stream, without a network."""

from collections.abc import Callable, Iterator

import httpx

__all__ = ["PiecesTransport", "cut"]


class _Pieces(httpx.SyncByteStream):
    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces


class PiecesTransport(httpx.BaseTransport):
    """Answers every request with a stream of what `make` makes."""

    def __init__(self, make: Callable[[], Iterator[bytes]]) -> None:
        self._make = make

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=headers, stream=_Pieces(self._make()))


def cut(data: bytes, size: int) -> list[bytes]:
    """`data` in pieces of `size` bytes."""
    return [data[start : start + size] for start in range(0, len(data), size)]
