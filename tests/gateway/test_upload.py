"""Forms that are received and sent on piece by piece."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.gateway import body_reader
from azure_responses.gateway.body_reader import CallerLeft, Refused
from azure_responses.gateway.upload import PieceReader, ReceivedUpload

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


TYPE = "multipart/form-data; boundary=XX"
MIB = 1024 * 1024
END = b"--XX--\r\n"


def part(name: str, value: bytes, more: str = "") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"{more}'
    return b"--XX\r\n%b\r\n\r\n%b\r\n" % (head.encode(), value)


def file(size: int) -> bytes:
    return part("file", b"0123456789abcde\n" * (size // 16), '; filename="a"')


class Sender:
    """An ASGI `receive` that gives a body in pieces, and then what `ending` says."""

    def __init__(self, body: bytes, size: int = 64 * 1024, *, ending: str = "end") -> None:
        self.sent = 0
        self._body, self._size, self._ending = body, size, ending

    async def __call__(self) -> dict[str, Any]:
        piece = self._body[self.sent : self.sent + self._size]
        self.sent += len(piece)
        more = self.sent < len(self._body) or self._ending != "end"
        if not piece and self._ending == "leave":
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": more}


def received(
    sender: Sender, length: int | None = None, limit: int = 512 * MIB, content_type: str = TYPE
) -> ReceivedUpload:
    headers = {} if length is None else {"content-length": str(length)}
    reader = PieceReader(sender, headers, limit, "general_settings.max_upload_bytes")
    reader.check()
    return ReceivedUpload(reader, content_type, lambda size: None)


async def collect(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def sent(
    body: bytes,
    changes: Mapping[str, str | None],
    *,
    size: int = 64 * 1024,
    is_decided: Callable[[Mapping[str, str]], bool] = lambda values: True,
) -> tuple[bytes, ReceivedUpload]:
    upload = received(Sender(body, size), len(body))
    try:
        await upload.read_head(is_decided)
        content = upload.content(changes)
        length = content.length
        found = await collect(aiter(content))
        assert length == len(found)
        return found, upload
    finally:
        upload.close()


def refusal(body: bytes, **options: Any) -> Any:
    with pytest.raises(Refused) as caught:
        asyncio.run(sent(body, {"model": None}, **options))
    return caught.value.error


async def test_a_short_form_is_held_and_its_fields_stand_in_any_order() -> None:
    body = file(1000) + part("model", b"gpt") + part("purpose", b"batch") + END
    found, upload = await sent(body, {"model": None})
    assert found == file(1000) + part("purpose", b"batch") + END
    assert upload.values == {"model": "gpt", "purpose": "batch"}
    assert upload.is_repeatable


async def test_a_long_form_passes_as_it_arrives() -> None:
    body = part("model", b"gpt") + part("purpose", b"batch") + file(5 * MIB) + END
    sender = Sender(body)
    upload = received(sender, len(body))
    await upload.read_head(lambda values: True)
    assert sender.sent < 2 * MIB
    content = upload.content({"model": None})
    assert (content.length, content.is_repeatable) == (len(body) - len(part("model", b"gpt")), True)
    pieces = aiter(content)
    found = await anext(pieces)
    assert not content.is_repeatable
    found += await collect(pieces)
    assert found == part("purpose", b"batch") + file(5 * MIB) + END


async def test_a_form_that_does_not_say_enough_is_written_to_a_file() -> None:
    body = file(3 * MIB) + part("model", b"gpt") + part("n", b"1") + END
    found, upload = await sent(body, {"model": "m"}, is_decided=lambda values: "model" in values)
    assert found == file(3 * MIB) + part("model", b"m") + part("n", b"1") + END
    assert upload.values == {"model": "gpt", "n": "1"}


async def test_what_is_kept_can_be_sent_twice() -> None:
    for size in (1000, 3 * MIB):
        body = file(size) + part("model", b"gpt") + END
        upload = received(Sender(body))
        await upload.read_head(lambda values: False)
        first = await collect(aiter(upload.content({"model": "a"})))
        assert upload.is_repeatable
        second = await collect(aiter(upload.content({"model": "b"})))
        assert first.replace(b"\r\na\r\n", b"\r\nb\r\n") == second
        upload.close()


async def test_a_length_that_is_not_announced_is_not_known() -> None:
    body = part("purpose", b"batch") + file(3 * MIB) + END
    upload = received(Sender(body))
    await upload.read_head(lambda values: True)
    assert upload.content({}).length is None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(["model", "purpose", "n", "file"]), unique=True),
    st.dictionaries(st.sampled_from(["model", "n", "other"]), st.none() | st.just("new")),
    st.integers(1, 70_000),
    st.booleans(),
)
def test_any_order_and_any_split_gives_the_same_form(
    names: list[str], changes: dict[str, str | None], size: int, is_long: bool
) -> None:
    parts = {name: part(name, name.encode()) for name in ("model", "purpose", "n")}
    parts["file"] = file(MIB + 200_000 if is_long else 1000)
    body = b"".join(parts[name] for name in names) + END
    kept = {**{name: parts[name] for name in names}}
    front = b""
    for name, value in changes.items():
        new = b"" if value is None else part(name, value.encode())
        if name in kept:
            kept[name] = new
        else:
            front += new
    found, _ = asyncio.run(
        sent(body, changes, size=max(size, 5000 if is_long else 1), is_decided=lambda values: False)
    )
    assert found == front + b"".join(kept.values()) + END


def test_a_field_that_decides_may_not_follow_a_file_that_was_begun() -> None:
    error = refusal(part("purpose", b"batch") + file(3 * MIB) + part("model", b"gpt") + END)
    assert error.status == 400
    assert "model has to come before the file" in error.body["error"]["message"]


@pytest.mark.parametrize("size", [100, 3 * MIB])
def test_a_field_that_decides_may_stand_only_once(size: int) -> None:
    error = refusal(part("model", b"a") + part("model", b"b") + file(size) + END)
    assert error.code == "invalid_form"


@pytest.mark.parametrize("size", [100, 3 * MIB])
@pytest.mark.parametrize("is_decided", [True, False])
def test_a_form_without_its_last_boundary_is_never_sent_to_its_end(
    size: int, is_decided: bool
) -> None:
    body = part("purpose", b"batch") + file(size)
    found = bytearray()

    async def send() -> None:
        upload = received(Sender(body), len(body))
        try:
            await upload.read_head(lambda values: is_decided)
            async for piece in upload.content({}):
                found.extend(piece)
        finally:
            upload.close()

    with pytest.raises(Refused):
        asyncio.run(send())
    assert len(found) < len(body)


async def test_a_caller_who_leaves_ends_the_sending() -> None:
    body = part("purpose", b"batch") + file(3 * MIB)
    upload = received(Sender(body, ending="leave"), len(body) + 1000)
    await upload.read_head(lambda values: True)
    with pytest.raises(CallerLeft):
        await collect(aiter(upload.content({})))


@pytest.mark.parametrize("announced", [True, False])
async def test_a_form_that_is_too_long_is_refused(announced: bool) -> None:
    body = part("purpose", b"batch") + file(3 * MIB) + END
    sender = Sender(body)

    async def send() -> None:
        upload = received(sender, len(body) if announced else None, limit=2 * MIB)
        await upload.read_head(lambda values: True)
        await collect(aiter(upload.content({})))

    with pytest.raises(Refused) as caught:
        await send()
    assert caught.value.error.status == 413
    assert "general_settings.max_upload_bytes" in caught.value.error.body["error"]["message"]
    assert (sender.sent == 0) == announced


async def test_a_slow_sender_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reader, "_PIECE_SECONDS", 0.05)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(10)
        return {}

    upload = ReceivedUpload(PieceReader(receive, {}, MIB, "x"), TYPE, lambda size: None)
    with pytest.raises(Refused) as caught:
        await upload.read_head(lambda values: True)
    assert caught.value.error.status == 408


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/json"])
def test_a_form_needs_a_boundary(content_type: str) -> None:
    with pytest.raises(Refused):
        asyncio.run(_receive(b"", content_type))


async def _receive(body: bytes, content_type: str) -> None:
    received(Sender(body), content_type=content_type)


async def test_what_is_held_is_counted() -> None:
    counted: list[int] = []
    body = part("purpose", b"batch") + file(3 * MIB) + END
    upload = ReceivedUpload(PieceReader(Sender(body), {}, 512 * MIB, "x"), TYPE, counted.append)
    await upload.read_head(lambda values: True)
    assert MIB < sum(counted) < MIB + 65 * 1024


async def test_an_upload_is_read_by_async_code_only() -> None:
    upload = received(Sender(END))
    await upload.read_head(lambda values: True)
    with pytest.raises(TypeError):
        iter(upload.content({}))
