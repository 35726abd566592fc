# Written by scripts/unasync: change the file of this name in ../_async instead.
"""Downloads of stored files: complete, or as they arrive."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Protocol, TypeVar

from azure_responses._sync.concurrency import run_in_thread
from azure_responses._sync.object_calls import Download
from azure_responses.downloaded_content import (
    BinaryContent,
    Chunker,
    LineReader,
    TextReader,
    charset_of,
    replace_file,
)
from azure_responses.types.result import request_id_of

__all__ = ["StreamedContent", "collect"]

T = TypeVar("T", covariant=True)


def collect(download: Download) -> BinaryContent:
    """The whole content of a download; raises the errors of the download."""
    content = BinaryContent(download.headers)
    try:
        with closing(download):
            for piece in download:
                content.append(piece)
    except BaseException:
        content.close()
        raise
    return content


class _Reader(Protocol[T]):
    def add(self, piece: bytes) -> Iterator[T]: ...

    def end(self) -> Iterator[T]: ...


class StreamedContent:
    """The content of a stored file as it arrives, to be read once.

    It offers what the openai package's `with_streaming_response` gives.

    Attributes:
        headers: of the reply, in lower case.
    """

    def __init__(self, download: Download) -> None:
        self.headers: Mapping[str, str] = download.headers
        self._download = download

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`; quote it to Azure support."""
        return request_id_of(self.headers)

    def read(self) -> bytes:
        """All bytes that are left."""
        return b"".join([piece for piece in self._download])

    def text(self) -> str:
        """`read` as text, in the encoding that the content type names, else UTF-8."""
        return self.read().decode(charset_of(self.headers), "replace")

    def json(self) -> Any:
        """The content as a JSON value."""
        return json.loads(self.read())

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The bytes as they arrive, or in chunks of one size."""
        yield from self._each(Chunker(chunk_size))

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """The text as it arrives; `chunk_size` is in bytes."""
        reader = TextReader(charset_of(self.headers))
        for piece in self.iter_bytes(chunk_size):
            for text in reader.add(piece):
                yield text
        for text in reader.end():
            yield text

    def iter_lines(self) -> Iterator[str]:
        """The lines as they arrive, without their ends."""
        yield from self._each(LineReader(charset_of(self.headers)))

    def stream_to_file(
        self, file: "str | os.PathLike[str]", *, chunk_size: int | None = None
    ) -> None:
        """Write the bytes to a path, which exists only when all of them have come."""
        with replace_file(file) as target:
            for chunk in self.iter_bytes(chunk_size or _WRITTEN_AT_ONCE):
                run_in_thread(lambda piece=chunk: target.write(piece))  # type: ignore[misc]

    def close(self) -> None:
        """Release the connection."""
        self._download.close()

    def _each(self, reader: _Reader[T]) -> Iterator[T]:
        for piece in self._download:
            for found in reader.add(piece):
                yield found
        for found in reader.end():
            yield found


# A thread for each piece of the network would take longer than writing it.
_WRITTEN_AT_ONCE = 2**20
