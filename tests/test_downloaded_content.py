"""The content of a stored file, as a download gives it."""

import gc
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.downloaded_content import (
    BinaryContent,
    Chunker,
    LineReader,
    TextReader,
    charset_of,
    replace_file,
)
from azure_responses.errors import APIConnectionError


def _content(*pieces: bytes, **headers: str) -> BinaryContent:
    content = BinaryContent({name.replace("_", "-"): value for name, value in headers.items()})
    for piece in pieces:
        content.append(piece)
    return content


def _through(reader: Any, pieces: list[bytes]) -> list[Any]:
    found = [part for piece in pieces for part in reader.add(piece)]
    return [*found, *reader.end()]


@given(st.lists(st.binary(max_size=20)), st.integers(1, 7))
def test_chunks_have_one_size_except_the_last(pieces: list[bytes], size: int) -> None:
    chunks = _through(Chunker(size), pieces)
    assert b"".join(chunks) == b"".join(pieces)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(chunks)


@given(st.text(), st.integers(1, 5))
def test_a_character_may_be_cut_between_pieces(text: str, size: int) -> None:
    whole = text.encode()
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert "".join(_through(TextReader("utf-8"), pieces)) == text
    *ended, last = text.split("\n")
    expected = [*(line.removesuffix("\r") for line in ended), *([last] if last else [])]
    assert _through(LineReader("utf-8"), pieces) == expected


def test_only_a_line_feed_ends_a_line() -> None:
    # The separator inside of the JSON is no end of a line, whatever Python calls one.
    lines = _through(LineReader("utf-8"), ['{"a":"x\u2028y"}\r\n'.encode(), b"\n{}"])
    assert lines == ['{"a":"x\u2028y"}', "", "{}"]


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [
        ("", "utf-8"),
        ("text/plain", "utf-8"),
        ('text/plain; charset="ISO-8859-1"', "iso8859-1"),
        ("text/plain; charset=no-such", "utf-8"),
    ],
)
def test_the_content_type_names_the_encoding(kind: str, encoding: str) -> None:
    assert charset_of({"content-type": kind}) == encoding


def test_the_content_is_read_in_every_form_any_number_of_times(tmp_path: Path) -> None:
    content = _content(b'{"a": ', b"1}\nb", content_type="text/plain", content_length="10")
    assert content.read() == content.content == content.read() == b'{"a": 1}\nb'
    assert content.text == '{"a": 1}\nb'
    assert list(content.iter_bytes(4)) == list(content.iter_raw(4)) == [b'{"a"', b": 1}", b"\nb"]
    assert "".join(content.iter_text(1)) == content.text
    assert list(content.iter_lines()) == ['{"a": 1}', "b"]
    assert _content(b'{"a": 1}').json() == {"a": 1}
    content.write_to_file(tmp_path / "a")
    content.stream_to_file(str(tmp_path / "b"), chunk_size=3)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() == content.read()
    assert repr(content) == "BinaryContent(content_type='text/plain', content_length='10')"
    assert _content(apim_request_id="apim-1").request_id == "apim-1"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_async_programs_have_the_openai_packages_names(backend: str, tmp_path: Path) -> None:
    async def read() -> None:
        content = _content(b"one\ntwo")
        assert await content.aread() == b"one\ntwo"
        assert [piece async for piece in await content.aiter_bytes(4)] == [b"one\n", b"two"]
        assert [piece async for piece in await content.aiter_raw()] == [b"one\ntwo"]
        assert [text async for text in await content.aiter_text()] == ["one\ntwo"]
        assert [line async for line in await content.aiter_lines()] == ["one", "two"]
        await content.astream_to_file(tmp_path / "a")
        await content.aclose()

    anyio.run(read, backend=backend)
    assert (tmp_path / "a").read_bytes() == b"one\ntwo"


def test_two_readers_do_not_disturb_each_other() -> None:
    content = _content(b"abcdef")
    first, second = content.iter_bytes(2), content.iter_bytes(3)
    assert [next(first), next(second), next(first), next(second)] == [b"ab", b"abc", b"cd", b"def"]


def test_large_content_is_kept_on_disk_until_nothing_refers_to_it() -> None:
    before = len(os.listdir("/proc/self/fd"))
    content = _content(*[b"x" * 2**20] * 9)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    assert sum(map(len, content.iter_bytes())) == 9 * 2**20
    del content
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_closed_content_says_so() -> None:
    content = _content(b"x")
    content.close()
    content.close()
    for read in (content.read, lambda: list(content.iter_bytes())):
        with pytest.raises(APIConnectionError, match="closed"):
            read()


def test_a_file_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with suppress(ValueError), replace_file(path) as file:
        file.write(b"ne")
        raise ValueError("broken")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_with_its_mode_and_through_its_link(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_bytes(b"old")
    path.chmod(0o640)
    link.symlink_to(path)
    with replace_file(link) as file:
        file.write(b"new")
    assert link.is_symlink()
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_device_is_written_as_it_is() -> None:
    with replace_file("/dev/null") as file:
        file.write(b"x")
    assert not os.path.isfile("/dev/null")


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replace_file(tmp_path / "missing" / "a"):
        raise AssertionError("nothing to write to")
    with pytest.raises(IsADirectoryError), replace_file(tmp_path):
        raise AssertionError("nothing to write to")
