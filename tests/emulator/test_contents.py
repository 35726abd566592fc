"""Bytes in memory and in temporary files read the same."""

from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.contents import ContentWriter, StoredContent


def written(pieces: list[bytes], most: int | None = 16) -> StoredContent:
    writer = ContentWriter(most)
    for piece in pieces:
        writer.write(piece)
    return writer.finish()


@given(st.lists(st.binary(max_size=20)), st.integers(0, 60), st.integers(0, 60))
def test_a_content_reads_like_its_bytes_wherever_it_is_kept(
    pieces: list[bytes], begin: int, end: int
) -> None:
    whole, content = b"".join(pieces), written(pieces)
    assert content.is_in_memory == (len(whole) <= 16)
    assert (content.size, content.read()) == (len(whole), whole)
    begin, end = sorted((min(begin, len(whole)), min(end, len(whole))))
    assert content.read(begin, end) == whole[begin:end]
    assert content.part(begin, end).read() == whole[begin:end]
    assert b"".join(content.pieces(7)) == whole


@given(st.lists(st.sampled_from([b"ab", b"ba", b"\n", b"aab\n"]), max_size=30), st.integers(0, 9))
def test_lines_and_places_are_found_wherever_it_is_kept(pieces: list[bytes], begin: int) -> None:
    whole, content = b"".join(pieces), written(pieces)
    lines = whole.split(b"\n")
    assert list(content.lines()) == (lines if lines[-1] else lines[:-1])
    assert content.find(b"ab", begin) == whole.find(b"ab", begin)


def test_a_needle_is_found_across_the_end_of_a_piece() -> None:
    content = written([b"x" * (256 * 1024 - 2), b"needle", b"x" * 1000])
    assert content.find(b"needle") == 256 * 1024 - 2
    assert content.find(b"haystack") == -1


def test_without_a_limit_everything_stays_in_memory() -> None:
    assert written([b"x" * 100], most=None).is_in_memory


def test_parts_are_joined() -> None:
    joined = ContentWriter.join([StoredContent(b"ab"), StoredContent(b""), written([b"c" * 20])])
    assert joined.read() == b"ab" + b"c" * 20
