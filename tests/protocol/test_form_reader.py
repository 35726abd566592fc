"""Multipart forms, read in pieces."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.protocol.form_reader import FormError, FormPart, FormReader, find_boundary

TYPE = "multipart/form-data; boundary=XX"


def read(pieces: Iterable[bytes], content_type: str = TYPE) -> list[tuple[FormPart, bytes]]:
    reader = FormReader(content_type)
    parts: list[tuple[FormPart, bytes]] = []
    for piece in pieces:
        for found in reader.feed(piece):
            if isinstance(found, FormPart):
                parts.append((found, b""))
            else:
                part, content = parts[-1]
                parts[-1] = part, content + found
    reader.finish()
    return parts


def form(*parts: tuple[str, bytes], end: bytes = b"--XX--\r\n") -> bytes:
    return b"".join(b"--XX\r\n%b\r\n\r\n%b\r\n" % (h.encode(), c) for h, c in parts) + end


def field(name: str, value: bytes = b"v") -> tuple[str, bytes]:
    return f'Content-Disposition: form-data; name="{name}"', value


def split(data: bytes, cuts: Sequence[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def refusal(data: bytes, content_type: str = TYPE) -> str:
    with pytest.raises(FormError) as caught:
        read([data], content_type)
    with pytest.raises(FormError):
        read([data[i : i + 1] for i in range(len(data))], content_type)
    return caught.value.message


def test_fields_and_files_come_in_the_order_of_the_form() -> None:
    file = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/x'
    parts = read([form(field("purpose", b"batch"), (file, b"one\r\n--X\r\ntwo"), field("e", b""))])
    assert [(part.name, part.filename, content) for part, content in parts] == [
        ("purpose", None, b"batch"),
        ("file", "a.txt", b"one\r\n--X\r\ntwo"),
        ("e", None, b""),
    ]
    assert [part.is_file for part, _ in parts] == [False, True, False]
    assert parts[1][0].content_type == "text/x"


def test_a_part_says_where_its_boundary_begins() -> None:
    data = form(field("a"), field("b", b"--XX"[:3]))
    starts = [part.start for part, _ in read([data])]
    assert [data[start : start + 4] for start in starts] == [b"--XX", b"--XX"]
    assert starts[0] == 0


_CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\r", b"\n", b"-", b"X", b"a"]), max_size=12).map(b"".join),
).filter(lambda content: b"\r\n--XX" not in b"\r\n" + content + b"\r\n")


@given(
    st.lists(st.tuples(st.sampled_from("abc"), _CONTENTS), max_size=5),
    st.lists(st.integers(0, 1000), max_size=30),
)
def test_any_split_of_a_form_gives_the_same_fields(
    parts: list[tuple[str, bytes]], cuts: list[int]
) -> None:
    data = form(*(field(name, content) for name, content in parts))
    for pieces in ([data], split(data, cuts), [data[i : i + 1] for i in range(len(data))]):
        assert [(part.name, content) for part, content in read(pieces)] == parts


@given(
    st.dictionaries(st.text("abc[]_.", min_size=1, max_size=9), st.text(max_size=30), max_size=4),
    st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    st.binary(max_size=200),
    st.integers(1, 64),
)
def test_what_httpx_writes_is_read(
    fields: dict[str, str], filename: str, content: bytes, size: int
) -> None:
    files = {"file": (filename.replace("\\", "/"), content, "text/plain")}
    request = httpx.Request("POST", "http://x", data=fields, files=files)
    data = request.read()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    parts = read(pieces, request.headers["content-type"])
    assert {part.name: text.decode() for part, text in parts[:-1]} == fields
    assert (parts[-1][0].name, parts[-1][1]) == ("file", content)


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=6))
def test_bytes_of_any_kind_are_a_form_or_refused(data: bytes, cuts: list[int]) -> None:
    outcomes = []
    for pieces in ([data], split(data, cuts)):
        try:
            outcomes.append(str(read([b"--XX\r\n", *pieces])))
        except FormError:
            outcomes.append("refused")
    assert outcomes[0] == outcomes[1]


def test_a_form_without_parts_is_empty() -> None:
    assert read([b"--XX--"]) == []
    assert read([b"--XX--\r\n"]) == []


def test_a_quoted_boundary_is_read() -> None:
    assert find_boundary('multipart/form-data; charset=utf-8; boundary="a b:c"; ') == b"a b:c"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "multipart/mixed; boundary=XX",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary="a"; boundary="b"',
        'multipart/form-data; boundary="a\\"b"',
        "multipart/form-data; boundary=" + "a" * 71,
        'multipart/form-data; boundary="ends with a space "',
        "multipart/form-data; boundary=a b",
    ],
)
def test_a_header_without_a_valid_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(FormError):
        FormReader(content_type)


@pytest.mark.parametrize("size", range(1, 12))
def test_a_form_that_is_cut_is_refused(size: int) -> None:
    data = form(field("a"))
    # Without its last line end it is whole.
    assert "before its last boundary" in refusal(data[: -size - 2])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"before\r\n" + form(field("a")), "begin"),
        (b"--YY\r\n", "begin"),
        (form(field("a")) + b"more", "follow the last"),
        (form(field("a")) + b"\r\n", "follow the last"),
        (form(field("a", b"b\r\n--XXY\r\n")), "followed by other text"),
        (form(field("a", b"b\r\n--XX \r\n")), "followed by other text"),
        (form(("", b"")), "header of a part"),
        (form(("Content-Type: text/plain", b"")), "content-disposition"),
        (form(('Content-Disposition: attachment; name="a"', b"")), "content-disposition"),
        (form(("Content-Disposition: form-data", b"")), "name of a part"),
        (form(field("")), "name of a part"),
        (form(field("mo\\del")), "name of a part"),
        (form(field("mo%64el")), "name of a part"),
        (form(field('a\\"b')), "name of a part"),
        (form(field("é")), "name of a part"),
        (form(field("n" * 257)), "name of a part"),
        (form(field('a"; name="model')), "named twice"),
        (form(field("a\"; name*=utf-8''model; x=\"")), "named twice"),
        (form(field('a"; filename="x\\"; name="model')), "parameters"),
        (form(field('a" b="c')), "parameters"),
        (form((field("a")[0] + "\r\n" + field("b")[0], b"")), "there twice"),
        (form((field("a")[0] + "\r\n folded", b"")), "header of a part"),
        (form((field("a")[0] + "\r\nspaced : b", b"")), "header of a part"),
        (form((field("a")[0] + "\r\n: b", b"")), "header of a part"),
        (form((field("a")[0] + "\nContent-Type: b", b"")), "control characters"),
        (form(("X: \rContent-Disposition: form-data", b"")), "control characters"),
        (form((field("a")[0] + "\r\nX: \0", b"")), "control characters"),
        (form((field("a")[0] + "\r\nContent-Transfer-Encoding: base64", b"")), "encoded"),
        (form((field("a")[0] + "\r\nX: " + "x" * 9000, b"")), "longer than 8,192"),
        (b"--XX\r\n" + b"x" * 9000, "longer than 8,192"),
        (form(*[field("a")] * 1001), "more than 1,000 parts"),
        (b"--XX\r\n" + field("a")[0].encode() + b"\r\n\r\n--XX--", "neither content nor"),
        (b"--XX\n" + field("a")[0].encode() + b"\n\nv\n--XX--\n", "followed by other text"),
        (b"", "before its last boundary"),
    ],
)
def test_a_form_that_is_invalid_or_ambiguous_is_refused(data: bytes, reason: str) -> None:
    assert reason in refusal(data)


def test_older_writers_name_files_that_are_not_ascii() -> None:
    head = "Content-Disposition: form-data; name=file; filename*=utf-8''%E4.txt"
    ((part, _),) = read([form((head, b"x"))])
    assert (part.name, part.filename) == ("file", "utf-8''%E4.txt")


def test_little_is_held_of_a_long_part() -> None:
    reader = FormReader(TYPE)
    for _ in reader.feed(b"--XX\r\n" + field("a")[0].encode() + b"\r\n\r\n"):
        pass
    piece = b"\r\n--X" * 20_000
    for _ in range(5):
        assert sum(len(found) for found in reader.feed(piece) if isinstance(found, bytes)) > 99_990
    assert len(reader._held) < 10
