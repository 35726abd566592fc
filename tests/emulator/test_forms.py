"""Uploads as forms: what is well formed, what is cut off, and what is large."""

import tracemalloc
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from azure_responses.emulator import Emulator
from azure_responses.emulator.forms import SubmittedForm, read_form
from azure_responses.emulator.http_messages import ReceivedRequest
from azure_responses.emulator.service_errors import ServiceError
from tests.emulator.callers import open_client

FILES = "/openai/v1/files"
TYPE = "multipart/form-data; boundary=mark"


def read(body: bytes, content_type: str = TYPE) -> SubmittedForm:
    return read_form(ReceivedRequest("POST", "", "/", "", {"content-type": content_type}, body))


def part(head: str, body: bytes) -> bytes:
    return b"--mark\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n"


FIELD = part('Content-Disposition: form-data; name="purpose"', b"batch")
FILE = part(
    'Content-Disposition: form-data; name="file"; filename="a b.txt"\r\nContent-Type: text/plain',
    b"\r\n--not the mark\r\n",
)


def test_fields_and_files_are_read() -> None:
    form = read(b"a preamble\r\n" + FIELD + FILE + b"--mark--\r\nan epilogue")
    assert form.fields == {"purpose": "batch"}
    assert form.file().filename == "a b.txt"
    assert form.file().content.read() == b"\r\n--not the mark\r\n"


def test_an_empty_file_is_a_file() -> None:
    head = 'Content-Disposition: form-data; name="file"; filename="empty"'
    assert read(part(head, b"") + b"--mark--").file().content.size == 0


def test_a_file_may_have_a_name_beyond_ascii() -> None:
    for name in ('filename="Grüße.txt"', "filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"):
        head = f'Content-Disposition: form-data; name="file"; {name}'
        assert read(part(head, b"x") + b"--mark--").file().filename == "Grüße.txt"


def test_members_of_an_object_have_brackets_or_dots() -> None:
    head = 'Content-Disposition: form-data; name="{}"'
    body = part(head.format("a[b]"), b"1") + part(head.format("a.c"), b"2") + b"--mark--"
    assert read(body).object("a") == {"b": "1", "c": "2"}
    assert read(body).object("b") is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", TYPE),
        (b"--mark", TYPE),
        (b"no mark", TYPE),
        (FIELD, TYPE),
        ((FIELD + FILE)[:-20], TYPE),
        (b"--mark\r\nContent-Disposition: form-data", TYPE),
        (FIELD + b"--mark--", "multipart/form-data"),
        (FIELD * 1001 + b"--mark--", TYPE),
        (part("X: " + "x" * 20_000, b"x") + b"--mark--", TYPE),
        (part('Content-Disposition: form-data; name="a"', b"x" * 1_100_000) + b"--mark--", TYPE),
    ],
)
def test_a_form_that_is_cut_off_or_boundless_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(ServiceError) as caught:
        read(body, content_type)
    assert caught.value.status == 400


@pytest.mark.parametrize("length", range(0, len(FIELD + FILE) + 6, 7))
def test_every_beginning_of_a_form_is_refused(length: int) -> None:
    with pytest.raises(ServiceError):
        read((FIELD + FILE + b"--mark--")[:length])


class Zeros:
    """A file of many zeros that is never in memory."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        count = min(size, self.left)
        self.left -= count
        return b"\0" * count


def body(size: int) -> Iterator[bytes]:
    head = 'Content-Disposition: form-data; name="file"; filename="large"'
    yield part('Content-Disposition: form-data; name="purpose"', b"assistants")
    yield b"--mark\r\n" + head.encode() + b"\r\n\r\n"
    zeros = Zeros(size)
    while piece := zeros.read(65536):
        yield piece
    yield b"\r\n--mark--\r\n"


def test_a_large_upload_and_its_download_take_little_memory() -> None:
    size = 48 * 1024 * 1024
    with open_client(Emulator()) as client:
        tracemalloc.start()
        try:
            reply = client.post(FILES, content=body(size), headers={"content-type": TYPE})
            assert reply.json()["bytes"] == size
            with client.stream("GET", f"{FILES}/{reply.json()['id']}/content") as download:
                assert download.headers["content-length"] == str(size)
                assert sum(len(piece) for piece in download.iter_bytes()) == size
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


def test_a_large_upload_is_logged_with_its_first_fields() -> None:
    emulator = Emulator()
    with open_client(emulator) as client:
        client.post(FILES, content=body(5_000_000), headers={"content-type": TYPE})
    assert b"assistants" in emulator.requests[0].body
    assert len(emulator.requests[0].body) == 64 * 1024


def test_a_caller_who_fails_in_the_middle_leaves_nothing_behind() -> None:
    def broken() -> Iterator[bytes]:
        yield FIELD
        raise ValueError("lost")

    with open_client(Emulator()) as client:
        with pytest.raises(ValueError, match="lost"):
            client.post(FILES, content=broken(), headers={"content-type": TYPE})
        assert client.get(FILES).json()["data"] == []


@pytest.mark.anyio
async def test_an_asynchronous_upload_is_streamed_too() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in body(5_000_000):
            yield piece

    emulator = Emulator()
    async with httpx.AsyncClient(
        transport=emulator.httpx_transport(),
        base_url=emulator.endpoint,
        headers={"api-key": emulator.api_key, "content-type": TYPE},
    ) as client:
        reply = await client.post(FILES, content=pieces())
        assert reply.json()["bytes"] == 5_000_000
