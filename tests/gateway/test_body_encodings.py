"""Compressed bodies of requests: whole, cut off, of other kinds, and too long."""

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.gateway.body_encodings import ENCODINGS, TooLong, decompress, read_encodings
from tests.gateway.compression import compress

_TEXT = b'{"input": "' + b"Guten Tag, \xc3\xa4rgerlich. " * 9000 + b'"}'
_PLENTY = 10**7


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_compressed_body_is_as_it_was(encoding: str) -> None:
    assert decompress(compress(encoding, _TEXT), [encoding], _PLENTY) == _TEXT
    assert decompress(compress(encoding, b""), [encoding], _PLENTY) == b""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_body_that_is_cut_off_is_refused(encoding: str) -> None:
    body = compress(encoding, _TEXT)
    for length in (0, 1, 5, len(body) // 2, len(body) - 1):
        with pytest.raises(ValueError, match=encoding):
            decompress(body[:length], [encoding], _PLENTY)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_more_is_made_of_a_body_than_it_may_be_long(encoding: str) -> None:
    with pytest.raises(TooLong):
        decompress(compress(encoding, _TEXT), [encoding], len(_TEXT) - 1)
    assert decompress(compress(encoding, _TEXT), [encoding], len(_TEXT)) == _TEXT


@given(st.sampled_from(sorted(ENCODINGS)), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(encoding: str, body: bytes) -> None:
    with contextlib.suppress(TooLong, ValueError):
        assert len(decompress(body, [encoding], 1000)) <= 1000


def test_a_bare_deflate_stream_is_read_too() -> None:
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = stream.compress(_TEXT) + stream.flush()
    assert decompress(body, ["deflate"], _PLENTY) == _TEXT


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_several_streams_behind_one_another_are_one_body(encoding: str) -> None:
    body = compress(encoding, b"one, ") + compress(encoding, b"two")
    assert decompress(body, [encoding], _PLENTY) == b"one, two"


def test_two_encodings_are_undone_from_the_last_one() -> None:
    names = read_encodings("BR, gzip")
    assert names == ["br", "gzip"]
    assert decompress(gzip.compress(compress("br", _TEXT)), names, _PLENTY) == _TEXT


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("", []),
        ("identity", []),
        (" Identity ,gzip", ["gzip"]),
        ("compress", None),
        ("gzip," * 3, None),
    ],
)
def test_the_header_names_known_encodings_or_is_refused(
    header: str, names: list[str] | None
) -> None:
    assert read_encodings(header) == names
