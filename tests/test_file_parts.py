"""Large files in parts."""

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.file_parts import FileParts
from azure_responses.form_content import form_content
from azure_responses.protocol.object_request import Form, FormFile


class _NoRewind(io.BytesIO):
    def seekable(self) -> bool:
        return False


def _sent(part: Any) -> bytes:
    body = b"".join(form_content(Form(files=(FormFile("data", part),))))
    return body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]


@given(st.binary(max_size=300), st.integers(1, 100), st.booleans())
def test_the_parts_are_the_whole_in_order(content: bytes, size: int, rewinds: bool) -> None:
    file = io.BytesIO(content) if rewinds else _NoRewind(content)
    with FileParts(file, "a.txt", len(content), size) as parts:
        sent = [_sent(part) for part in parts]
    assert b"".join(sent) == content
    assert all(len(each) == size for each in sent[:-1])
    assert not file.closed


def test_a_part_can_be_sent_again_after_the_next_one() -> None:
    with FileParts(b"abcdef", "a.txt", None, 4) as parts:
        first, second = parts
        assert (parts.size, parts.name) == (6, "a.txt")
        assert [_sent(first), _sent(second), _sent(first)] == [b"abcd", b"ef", b"abcd"]


def test_a_path_says_its_name_and_size_and_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"abc")
    with FileParts(path, None, None, 2) as parts:
        assert (parts.name, parts.size) == ("a.pdf", 3)
        sent = [_sent(part) for part in parts]
    assert sent == [b"ab", b"c"]
    with path.open("rb") as file, FileParts(file, None, None, 5) as parts:
        assert parts.name == "a.pdf"


@pytest.mark.parametrize(
    ("given", "name", "size", "part_size", "words"),
    [
        (b"x", None, None, 1, "no name"),
        (io.BytesIO(b"x"), None, None, 1, "no name"),
        (_NoRewind(b"x"), "a", None, 1, "not known before the end"),
        (b"x", "a", None, 0, "part_size"),
        (io.StringIO("x"), "a", 1, 1, "binary mode"),
        (5, "a", 1, 1, "binary mode"),
    ],
)
def test_what_cannot_be_cut_is_refused_before_anything_is_sent(
    given: Any, name: str | None, size: int | None, part_size: int, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        FileParts(given, name, size, part_size)


@pytest.mark.parametrize("file", [io.BytesIO(b"abc"), _NoRewind(b"abc")])
def test_fewer_bytes_than_announced_are_an_error(file: Any) -> None:
    with pytest.raises(ConfigurationError, match="2 bytes too early"):
        [_sent(part) for part in FileParts(file, "a", 5, 5)]
