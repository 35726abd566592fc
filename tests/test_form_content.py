"""Forms as the body of a request: what callers give as files, and how it is read."""

import gzip
import io
import os
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.form_content import FormContent, async_form_content, form_content
from azure_responses.protocol.object_request import Form, FormFile

_BACKENDS = ("asyncio", "trio")


def _form(given: Any, *fields: tuple[str, str]) -> Form:
    return Form(fields, (FormFile("file", given),))


def _content_of(body: bytes) -> bytes:
    """The content of the form's only file."""
    return body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]


def _head_of(given: Any) -> str:
    return b"".join(form_content(_form(given))).split(b"\r\n\r\n")[0].decode()


def _repeats(content: FormContent) -> bool:
    return content.is_repeatable


async def _read(content: FormContent) -> bytes:
    return b"".join([piece async for piece in content])


def _pieces() -> Iterator[bytes]:
    yield b"one "
    yield b""
    yield b"two"


async def _async_pieces() -> AsyncIterator[bytes]:
    for piece in _pieces():
        yield piece


class _NoRewind(io.BytesIO):
    def seekable(self) -> bool:
        return False


class _Uploaded:
    """As a web framework gives an uploaded file."""

    name = "the-field"
    filename = "report.pdf"

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read


class _AsyncFile:
    """As a web framework gives an uploaded file."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    async def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


def _given(path: Path) -> dict[str, Any]:
    path.write_bytes(b"one two")
    return {
        "bytes": b"one two",
        "bytearray": bytearray(b"one two"),
        "memoryview": memoryview(b"one two"),
        "path": path,
        "text path": str(path),
        "file": io.BytesIO(b"one two"),
        "file that cannot be rewound": _NoRewind(b"one two"),
        "iterator": _pieces(),
        "list": [b"one ", b"two"],
        "tuple": ("a.txt", b"one two"),
    }


@pytest.mark.parametrize("name", _given(Path(tempfile.mkdtemp()) / "x"))
@pytest.mark.parametrize("backend", ["sync", *_BACKENDS])
def test_whatever_a_file_is_given_as_its_bytes_are_sent(
    name: str, backend: str, tmp_path: Path
) -> None:
    content = form_content(_form(_given(tmp_path / "a.txt")[name]))
    body = b"".join(content) if backend == "sync" else anyio.run(_read, content, backend=backend)
    assert _content_of(body) == b"one two"
    assert content.length in (None, len(body))
    is_known = name not in ("file that cannot be rewound", "iterator", "list")
    assert (content.length is not None) is is_known


@pytest.mark.parametrize("backend", _BACKENDS)
@pytest.mark.parametrize("make", [_async_pieces, lambda: _AsyncFile(b"one two")])
def test_what_is_read_by_awaiting_is_for_async_clients(make: Any, backend: str) -> None:
    async def read() -> bytes:
        return await _read(await async_form_content(_form(make())))

    assert _content_of(anyio.run(read, backend=backend)) == b"one two"
    with pytest.raises(ConfigurationError, match="sync client") as caught:
        form_content(_form(make()))
    assert "AsyncAzureResponses" in (caught.value.hint or "")


def test_fields_stand_before_files() -> None:
    body = b"".join(form_content(_form(b"x" * 10, ("purpose", "batch"), ("a", "ä"))))
    assert body.index(b"batch") < body.index("ä".encode()) < body.index(b"filename")


def test_a_file_is_sent_from_its_beginning_as_the_openai_package_does() -> None:
    file = io.BytesIO()
    file.write(b"just written")
    content = form_content(_form(file))
    assert _content_of(b"".join(content)) == b"just written"
    # Again, for another attempt.
    assert content.is_repeatable
    assert _content_of(b"".join(content)) == b"just written"


@pytest.mark.parametrize("given", [_pieces(), _NoRewind(b"one two"), iter([b"one two"])])
def test_what_can_be_read_once_can_be_sent_until_it_is_begun(given: Any) -> None:
    content = form_content(_form(given))
    assert _repeats(content)
    next(piece for piece in content if b"one" in piece)
    assert not _repeats(content)
    with pytest.raises(ConfigurationError, match="only once"):
        b"".join(content)


def test_an_async_iterator_that_was_begun_cannot_be_sent_again() -> None:
    async def twice() -> None:
        content = await async_form_content(_form(_async_pieces()))
        assert _repeats(content)
        await _read(content)
        assert not _repeats(content)
        with pytest.raises(ConfigurationError, match="only once"):
            await _read(content)

    anyio.run(twice)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (b"x", "upload"),
        (io.BytesIO(b"x"), "upload"),
        ((None, b"x"), "upload"),
        (_Uploaded(b"x"), "report.pdf"),
        (("report.pdf", b"x"), "report.pdf"),
    ],
)
def test_a_file_has_the_name_that_is_known(given: Any, name: str) -> None:
    assert f'filename="{name}"' in _head_of(given)


def test_a_path_and_an_open_file_give_their_last_part_as_the_name(tmp_path: Path) -> None:
    path = tmp_path / "täglich.pdf"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        assert 'filename="täglich.pdf"' in _head_of(file)
    assert 'filename="täglich.pdf"' in _head_of(path)
    assert 'filename="b.txt"' in _head_of(("b.txt", path))
    with tempfile.TemporaryFile() as unnamed:
        assert 'filename="upload"' in _head_of(unnamed)


def test_the_content_type_is_guessed_unless_it_is_given() -> None:
    assert "Content-Type: application/pdf" in _head_of(("a.pdf", b"x"))
    assert "Content-Type: application/octet-stream" in _head_of(("a.jsonl", b"x"))
    assert "Content-Type: text/x" in _head_of(("a.pdf", b"x", "text/x"))
    head = _head_of(("a.pdf", b"x", None, {"CONTENT-TYPE": "text/y", "X-A": "1"}))
    assert "Content-Type: text/y" in head
    assert "X-A: 1" in head


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "as a int"),
        ({"a": b"x"}, "as a dict"),
        (None, "as a NoneType"),
        (io.StringIO("text"), "text mode"),
        (("a.txt",), "tuple of 1"),
        (("a.txt", b"x", None, {}, 1), "tuple of 5"),
        (("a.txt", b"x", None, ["X-A"]), "not a mapping"),
    ],
)
def test_what_is_no_file_is_refused_before_anything_is_sent(given: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        form_content(_form(given))


def test_a_file_opened_as_text_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    with path.open() as file, pytest.raises(ConfigurationError, match="text mode") as caught:
        form_content(_form(file))
    assert "'rb'" in (caught.value.hint or "")


@pytest.mark.parametrize("piece", ["text", 5, None])
def test_a_piece_that_is_no_bytes_is_refused(piece: Any) -> None:
    with pytest.raises(ConfigurationError, match="not bytes"):
        b"".join(form_content(_form([piece])))


def test_a_closed_file_and_a_path_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    closed = io.BytesIO(b"x")
    closed.close()
    with pytest.raises(ConfigurationError, match="closed"):
        form_content(_form(closed))
    with pytest.raises(FileNotFoundError):
        form_content(_form(tmp_path / "missing"))
    with pytest.raises(IsADirectoryError):
        form_content(_form(tmp_path))


def test_of_a_file_that_grows_the_announced_beginning_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 100)
    content = form_content(_form(path))
    path.write_bytes(b"a" * 100 + b"b" * 100)
    body = b"".join(content)
    assert len(body) == content.length
    assert _content_of(body) == b"a" * 100


def test_a_file_that_shrinks_is_no_complete_body(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"a" * 100)
    content = form_content(_form(path))
    path.write_bytes(b"a" * 40)
    with pytest.raises(ConfigurationError, match="60 of 100 bytes are missing"):
        b"".join(content)


def test_a_compressed_file_is_sent_as_what_it_holds() -> None:
    packed = gzip.compress(b"one two")
    content = form_content(_form(gzip.GzipFile(fileobj=io.BytesIO(packed))))
    assert _content_of(b"".join(content)) == b"one two"


class _NoEnd(io.BytesIO):
    def seek(self, offset: int, whence: int = 0, /) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("seek")
        return super().seek(offset, whence)


def test_a_file_without_a_known_end_is_sent_without_a_length() -> None:
    content = form_content(_form(_NoEnd(b"one two")))
    assert content.length is None
    assert _content_of(b"".join(content)) == b"one two"


def test_a_pipe_is_sent_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"one two",))
    content = form_content(_form(path))
    writer.start()
    assert content.length is None
    assert _content_of(b"".join(content)) == b"one two"
    writer.join(5)


def test_a_file_that_does_not_block_is_not_taken_for_a_short_one() -> None:
    left, right = socket.socketpair()
    with left, right, left.makefile("rb", buffering=0) as file:
        left.setblocking(False)
        with pytest.raises(ConfigurationError, match="NoneType"):
            b"".join(form_content(_form(_Unbuffered(file))))


class _Unbuffered:
    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int) -> Any:
        return self._file.read(size) if size else b""


@given(st.lists(st.binary(max_size=200_000), max_size=4))
def test_pieces_of_any_size_are_sent_whole_in_small_ones(pieces: list[bytes]) -> None:
    sent = list(form_content(_form(iter(pieces))))
    assert _content_of(b"".join(sent)) == b"".join(pieces)
    assert max(map(len, sent)) <= 64 * 1024


@pytest.mark.parametrize("backend", _BACKENDS)
def test_an_error_of_the_callers_iterator_is_raised_as_it_is(backend: str) -> None:
    def failing() -> Iterator[bytes]:
        yield b"x"
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        anyio.run(_read, form_content(_form(failing())), backend=backend)


@pytest.mark.parametrize("backend", _BACKENDS)
def test_a_reader_that_leaves_early_closes_the_file(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"a" * 3_000_000)

    async def leave() -> None:
        pieces = aiter(form_content(_form(path)))
        for _ in range(3):
            await anext(pieces)
        await pieces.aclose()  # type: ignore[attr-defined]

    before = len(os.listdir("/proc/self/fd"))
    anyio.run(leave, backend=backend)
    assert len(os.listdir("/proc/self/fd")) <= before
