"""Files and uploads in parts, over the emulator."""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from opentelemetry.trace import StatusCode

from azure_responses import (
    APITimeoutError,
    AsyncAzureResponses,
    AzureResponses,
    BadRequestError,
    ConfigurationError,
    NotFoundError,
)
from azure_responses.emulator import Emulator, Fault
from azure_responses.types import FileObject
from tests.clients.both import run
from tests.clients.listeners import Collector

_LINES = b'{"a": 1}\n{"b": 2}\n'


def test_a_file_is_made_described_listed_read_and_deleted(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = await client.files.create(file=("in.jsonl", _LINES), purpose="batch")
        assert (made.filename, made.bytes, made.purpose) == ("in.jsonl", len(_LINES), "batch")
        assert made.request_id
        assert await client.files.retrieve(made.id) == made
        assert await client.files.wait(made.id, timeout=5) == made
        assert await client.files.wait_for_processing(made.id) == made
        assert [file.id async for file in client.files.list(purpose="batch")] == [made.id]
        content = await client.files.content(made.id)
        assert content.read() == _LINES
        assert content.text == _LINES.decode()
        assert [json.loads(line) for line in content.iter_lines()] == [{"a": 1}, {"b": 2}]
        assert content.request_id
        assert await client.files.retrieve_content(made.id) == _LINES.decode()
        gone = await client.files.delete(made.id)
        assert (gone.id, gone.deleted) == (made.id, True)
        with pytest.raises(NotFoundError) as caught:
            await client.files.retrieve(made.id)
        assert "deleted, has expired" in (caught.value.hint or "")

    run(runner, emulator, scenario)


def test_a_path_and_an_expiry_are_sent(runner: str, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "Größen.jsonl"
    path.write_bytes(_LINES)

    async def scenario(client: Any) -> None:
        expiry = {"anchor": "created_at", "seconds": 1_209_600}
        made = await client.files.create(file=path, purpose="batch", expires_after=expiry)
        assert made.filename == "Größen.jsonl"
        assert made.expires_at == made.created_at + 1_209_600
        made = await client.files.create(
            file=path, purpose="assistants", extra_body={"purpose": "batch"}
        )
        assert made.purpose == "batch"

    run(runner, emulator, scenario)


def test_a_list_is_walked_over_its_pages(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = [
            (await client.files.create(file=("a.txt", b"x"), purpose="assistants")).id
            for _ in range(5)
        ]
        files = client.files.list(limit=2, order="asc")
        assert [file.id async for file in files] == made
        assert [len(page.data) async for page in client.files.list(limit=2).pages()] == [2, 2, 1]
        after = [file.id async for file in client.files.list(after=made[2], order="asc")]
        assert after == made[3:]

    run(runner, emulator, scenario)


def test_pages_have_the_names_of_the_openai_package(emulator: Emulator) -> None:
    with (
        httpx.Client(transport=emulator.httpx_transport()) as own,
        AzureResponses(emulator.endpoint, api_key=emulator.api_key, http_client=own) as client,
    ):
        made = [client.files.create(file=b"x", purpose="assistants").id for _ in range(3)]
        page = client.files.list(limit=2, order="asc")
        assert [file.id for file in page.data] == made[:2]
        assert (page.has_more, page.first_id, page.last_id) == (True, made[0], made[1])
        assert page.has_next_page()
        second = page.get_next_page()
        assert [file.id for file in second.data] == made[2:]
        assert not second.has_next_page()
        with pytest.raises(RuntimeError):
            second.get_next_page()
        assert [len(each.data) for each in page.iter_pages()] == [2, 1]
        assert page.first().request_id


def test_an_async_list_is_awaited_or_iterated(emulator: Emulator) -> None:
    async def read() -> None:
        async with (
            httpx.AsyncClient(transport=emulator.httpx_transport()) as own,
            AsyncAzureResponses(
                emulator.endpoint, api_key=emulator.api_key, http_client=own
            ) as client,
        ):
            made = [
                (await client.files.create(file=b"x", purpose="assistants")).id for _ in range(3)
            ]
            with pytest.raises(Exception, match="has not been fetched"):
                _ = client.files.list().data
            page = await client.files.list(limit=2, order="asc")
            assert ([file.id for file in page.data], page.has_more) == (made[:2], True)
            assert (page.first_id, page.last_id) == (made[0], made[1])
            assert [len(each.data) async for each in page.iter_pages()] == [2, 1]
            second = await page.get_next_page()
            assert not second.has_next_page()
            with pytest.raises(RuntimeError):
                await second.get_next_page()

    anyio.run(read)


def test_azures_refusals_say_what_to_do(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(BadRequestError) as caught:
            await client.files.create(file=b"x", purpose="user_data")
        assert "'assistants'" in (caught.value.hint or "")
        with pytest.raises(ConfigurationError):
            await client.files.create(file=io.StringIO("x"), purpose="assistants")
        with pytest.raises(FileNotFoundError):
            await client.files.create(file=Path("missing"), purpose="assistants")
        with pytest.raises(TypeError, match="limits"):
            await client.files.retrieve("f", limits=1)
        with pytest.raises(ConfigurationError, match="cannot be part of a URL"):
            await client.files.retrieve("")

    run(runner, emulator, scenario)


def test_a_failed_call_is_tried_again_and_a_download_too(
    runner: str, emulator: Emulator, naps: list[float]
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.files.create(file=("a.jsonl", _LINES), purpose="batch")
        emulator.faults.add(Fault("http-503", times=1))
        assert (await client.files.content(made.id)).read() == _LINES
        emulator.faults.add(Fault("http-503", times=1))
        again = await client.files.create(file=("a.jsonl", _LINES), purpose="batch")
        assert again.bytes == len(_LINES)
        assert len(naps) == 2

    run(runner, emulator, scenario)


def test_a_download_is_read_as_it_arrives(emulator: Emulator, tmp_path: Path) -> None:
    with (
        httpx.Client(transport=emulator.httpx_transport()) as own,
        AzureResponses(emulator.endpoint, api_key=emulator.api_key, http_client=own) as client,
    ):
        made = client.files.create(file=("a.jsonl", _LINES), purpose="batch")
        stream = client.files.with_streaming_response
        with stream.content(made.id) as content:
            assert list(content.iter_bytes(8))[:2] == [_LINES[:8], _LINES[8:16]]
        with stream.content(made.id) as content:
            assert list(content.iter_lines()) == ['{"a": 1}', '{"b": 2}']
        with stream.content(made.id) as content:
            assert "".join(content.iter_text(3)) == _LINES.decode()
        with stream.content(made.id) as content:
            content.stream_to_file(tmp_path / "a")
        with stream.content(made.id) as content:
            assert content.request_id
            assert content.text() == _LINES.decode()
            content.close()
    assert (tmp_path / "a").read_bytes() == _LINES


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_async_download_is_read_as_it_arrives(
    backend: str, emulator: Emulator, tmp_path: Path
) -> None:
    async def scenario(client: Any) -> None:
        made = await client.files.create(file=("a.jsonl", _LINES), purpose="batch")
        stream = client.files.with_streaming_response
        async with stream.content(made.id) as content:
            pieces = [piece async for piece in content.iter_bytes(8)]
            assert pieces[0] == _LINES[:8]
        async with stream.content(made.id) as content:
            assert [line async for line in content.iter_lines()] == ['{"a": 1}', '{"b": 2}']
        async with stream.content(made.id) as content:
            assert "".join([text async for text in content.iter_text(3)]) == _LINES.decode()
        async with stream.content(made.id) as content:
            await content.stream_to_file(tmp_path / "a")
        async with stream.content(made.id) as content:
            assert await content.text() == _LINES.decode()
            await content.close()

    run(backend, emulator, scenario)
    assert (tmp_path / "a").read_bytes() == _LINES


# --- waiting --------------------------------------------------------------------------------------


def _file(status: str) -> httpx.Response:
    body = {"id": "f1", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch"}
    return httpx.Response(200, json={**body, "object": "file", "status": status})


def _waiting_client(*statuses: str) -> AzureResponses:
    left = [*statuses]
    transport = httpx.MockTransport(lambda _: _file(left.pop(0) if left[1:] else left[0]))
    own = httpx.Client(transport=transport)
    return AzureResponses("https://r.openai.azure.com", api_key="k" * 32, http_client=own)


def test_a_wait_tells_of_each_poll_and_ends_with_any_last_status() -> None:
    seen: list[str] = []
    client = _waiting_client("pending", "running", "processed")
    file = client.files.wait("f1", poll_interval=0, on_progress=lambda f: seen.append(f.status))
    assert file.status == "processed"
    assert seen == ["pending", "running", "processed"]
    assert _waiting_client("error").files.wait_for_processing("f1").status == "error"


def test_a_wait_whose_time_is_up_says_so() -> None:
    client = _waiting_client("pending")
    with pytest.raises(APITimeoutError, match="File f1 is still pending"):
        client.files.wait_for_processing("f1", poll_interval=0.01, max_wait_seconds=0.05)


# --- uploads in parts -----------------------------------------------------------------------------


def test_an_upload_in_parts_becomes_a_file(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        upload = await client.uploads.create(
            bytes=6, filename="a.txt", mime_type="text/plain", purpose="assistants"
        )
        assert upload.status == "pending"
        parts = [
            (await client.uploads.parts.create(upload.id, data=data)).id
            for data in (b"abc", b"def")
        ]
        done = await client.uploads.complete(upload.id, part_ids=parts)
        assert (done.status, done.file.bytes) == ("completed", 6)
        assert isinstance(done.file, FileObject)
        other = await client.uploads.create(
            bytes=6, filename="a.txt", mime_type="text/plain", purpose="assistants"
        )
        assert (await client.uploads.cancel(other.id)).status == "cancelled"

    run(runner, emulator, scenario)


@pytest.mark.parametrize("kind", ["bytes", "path", "text path", "file", "stream"])
def test_a_file_is_cut_into_parts(
    runner: str, emulator: Emulator, kind: str, tmp_path: Path
) -> None:
    whole = bytes(range(256)) * 10
    path = tmp_path / "a.txt"
    path.write_bytes(whole)

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return False

    given: dict[str, tuple[Any, dict[str, Any]]] = {
        "bytes": (whole, {"filename": "a.txt"}),
        "path": (path, {}),
        "text path": (str(path), {}),
        "file": (io.BytesIO(whole), {"filename": "a.txt"}),
        "stream": (Stream(whole), {"filename": "a.txt", "bytes": len(whole)}),
    }
    file, more = given[kind]
    checksum = hashlib.md5(whole, usedforsecurity=False).hexdigest()

    async def scenario(client: Any) -> None:
        done = await client.uploads.upload_file_chunked(
            file=file,
            mime_type="text/plain",
            purpose="batch",
            part_size=1000,
            md5=checksum,
            **more,
        )
        assert (done.status, done.filename, done.file.bytes) == ("completed", "a.txt", len(whole))
        assert (await client.files.content(done.file.id)).read() == whole

    run(runner, emulator, scenario)


def test_an_upload_whose_part_fails_is_cancelled(runner: str, emulator: Emulator) -> None:
    states: list[str] = []

    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="3 bytes too early"):
            await client.uploads.upload_file_chunked(
                file=b"abc", filename="a", bytes=6, mime_type="text/plain", purpose="batch"
            )
        states.extend(str(call) for call in emulator.requests if "cancel" in str(call))

    run(runner, emulator, scenario)
    assert len(states) == 1


def test_bytes_need_a_name(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="no name"):
            await client.uploads.upload_file_chunked(
                file=b"abc", mime_type="text/plain", purpose="batch"
            )

    run(runner, emulator, scenario)


# --- telemetry ------------------------------------------------------------------------------------


def test_uploads_and_downloads_are_spans_of_their_own(
    runner: str, emulator: Emulator, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "true")

    async def scenario(client: Any) -> None:
        made = await client.files.create(file=("a.jsonl", _LINES), purpose="batch")
        await client.files.content(made.id)
        await client.files.delete(made.id)
        with pytest.raises(NotFoundError):
            await client.files.content(made.id)

    run(runner, emulator, scenario, **collector.arguments)
    names = [span.name.split()[0] for span in collector.spans]
    assert names == ["files.create", "files.content", "files.delete", "files.content"]
    assert collector.spans[-1].status.status_code is StatusCode.ERROR
