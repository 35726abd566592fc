"""Vector stores, their files and searches, over the emulator."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from azure_responses import AzureResponses
from azure_responses.emulator import Emulator, Fault
from azure_responses.errors import (
    APITimeoutError,
    BadRequestError,
    ConfigurationError,
    NotFoundError,
)
from azure_responses.types import VectorStoreFile, VectorStoreFileBatch
from tests.clients.both import run

_MOON = ("moon.txt", b"The moon is cold.")
_SUN = ("sun.txt", b"The sun is warm.")


def test_a_store_is_created_changed_listed_and_deleted(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stores = client.vector_stores
        made = await stores.create(name="laws", metadata={"a": "b"}, description="of the land")
        changed = await stores.update(made.id, name="rules")
        assert (changed.name, changed.metadata) == ("rules", {"a": "b"})
        changed = await stores.update(made.id, metadata=None)
        assert changed.name == "rules"
        assert not changed.metadata
        await stores.create()
        assert len([store async for store in stores.list(limit=1)]) == 2
        assert (await stores.delete(made.id)).deleted
        with pytest.raises(NotFoundError):
            await stores.retrieve(made.id)

    run(runner, emulator, scenario)


def test_a_file_is_uploaded_indexed_found_and_taken_out(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        seen: list[VectorStoreFile] = []
        store = await client.vector_stores.create()
        files = client.vector_stores.files
        added = await files.upload_and_poll(
            vector_store_id=store.id,
            file=_MOON,
            attributes={"kind": "star"},
            on_progress=seen.append,
            poll_interval_ms=1,
        )
        assert added.status == "completed"
        assert seen[-1] == added
        found = [one async for one in client.vector_stores.search(store.id, query="cold moon")]
        assert [one.filename for one in found] == ["moon.txt"]
        assert [part.text async for part in files.content(added.id, vector_store_id=store.id)] == [
            "The moon is cold."
        ]
        changed = await files.update(added.id, vector_store_id=store.id, attributes={"kind": "m"})
        assert changed.attributes == {"kind": "m"}
        assert (await files.retrieve(added.id, vector_store_id=store.id)) == changed
        assert (await files.delete(added.id, vector_store_id=store.id)).deleted
        assert [one async for one in files.list(store.id)] == []

    run(runner, emulator, scenario)


def test_many_files_are_added_at_once(runner: str, emulator: Emulator, tmp_path: Path) -> None:
    path = tmp_path / "sun.txt"
    path.write_bytes(_SUN[1])

    def files() -> Iterator[Any]:
        yield path
        yield from [(f"{n}.txt", f"Text {n}".encode()) for n in range(11)]

    async def scenario(client: Any) -> None:
        seen: list[VectorStoreFileBatch] = []
        store = await client.vector_stores.create()
        stored = await client.files.create(file=_MOON, purpose="assistants")
        batches = client.vector_stores.file_batches
        batch = await batches.upload_and_poll(
            store.id,
            files=files(),
            file_ids=[stored.id],
            max_concurrency=3,
            attributes={"a": 1},
            on_progress=seen.append,
        )
        assert (batch.status, batch.file_counts.completed) == ("completed", 13)
        assert seen[-1] == batch
        listed = batches.list_files(batch.id, vector_store_id=store.id, limit=5, order="asc")
        assert len([one.id async for one in listed]) == 13

    run(runner, emulator, scenario)


def test_files_with_attributes_of_their_own_are_added(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        store = await client.vector_stores.create()
        stored = await client.files.create(file=_MOON, purpose="assistants")
        batch = await client.vector_stores.file_batches.create_and_poll(
            store.id, files=[{"file_id": stored.id, "attributes": {"year": 2026}}]
        )
        assert batch.file_counts.completed == 1
        read = await client.vector_stores.files.retrieve(stored.id, vector_store_id=store.id)
        assert read.attributes == {"year": 2026}

    run(runner, emulator, scenario)


def test_an_upload_that_fails_ends_the_others_and_says_what_is_stored(
    runner: str, emulator: Emulator
) -> None:
    taken: list[int] = []

    def files() -> Iterator[Any]:
        for number in range(100):
            taken.append(number)
            yield object() if number == 4 else (f"{number}.txt", b"text")

    async def scenario(client: Any) -> None:
        store = await client.vector_stores.create()
        with pytest.raises(ConfigurationError) as caught:
            await client.vector_stores.file_batches.upload_and_poll(
                store.id, files=files(), max_concurrency=2
            )
        [note] = caught.value.__notes__
        stored = [file.id async for file in client.files.list()]
        assert stored
        assert all(file_id in note for file_id in stored)
        assert len(taken) < 10

    run(runner, emulator, scenario)


def test_a_file_that_cannot_be_added_is_named(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(NotFoundError) as caught:
            await client.vector_stores.files.upload(vector_store_id="vs_gone", file=_MOON)
        stored = [file.id async for file in client.files.list()]
        assert caught.value.__notes__ == [f"Uploaded already, and not deleted: {stored[0]}."]

    run(runner, emulator, scenario)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "5", None])
def test_an_odd_number_of_uploads_at_a_time_is_refused(
    runner: str, emulator: Emulator, limit: Any
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="max_concurrency"):
            await client.vector_stores.file_batches.upload_and_poll(
                "vs_1", files=[_MOON], max_concurrency=limit
            )

    run(runner, emulator, scenario)


def test_no_file_at_all_is_refused(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="no files"):
            await client.vector_stores.file_batches.upload_and_poll("vs_1", files=[])

    run(runner, emulator, scenario)


def test_a_generator_that_fails_ends_the_uploads(runner: str, emulator: Emulator) -> None:
    def files() -> Iterator[Any]:
        yield _MOON
        raise BadFolder

    async def scenario(client: Any) -> None:
        with pytest.raises(BadFolder):
            await client.vector_stores.file_batches.upload_and_poll("vs_1", files=files())

    run(runner, emulator, scenario)


class BadFolder(Exception):
    """What a caller's generator may raise."""


def test_a_wait_has_an_end(runner: str, emulator: Emulator, naps: list[float]) -> None:
    async def scenario(client: Any) -> None:
        store = await client.vector_stores.create()
        stored = await client.files.create(file=_MOON, purpose="assistants")
        await client.vector_stores.files.create(store.id, file_id=stored.id)
        with pytest.raises(ConfigurationError, match="poll_interval_ms"):
            await client.vector_stores.files.poll(
                stored.id, vector_store_id=store.id, poll_interval_ms=-1
            )
        done = await client.vector_stores.files.poll(
            stored.id, vector_store_id=store.id, max_wait_seconds=0, extra_headers={"x-a": "b"}
        )
        assert done.status == "completed"

    run(runner, emulator, scenario)


def test_a_poll_follows_the_service_until_the_work_is_done() -> None:
    """Against a service that takes its time and says when to ask again."""
    asked: list[float] = []
    states = ["in_progress", "in_progress", "completed"]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(time.monotonic())
        body = {"id": "file-1", "created_at": 1, "status": states[len(asked) - 1]}
        headers = {"openai-poll-after-ms": "200"}
        return httpx.Response(200, json={**body, "vector_store_id": "vs"}, headers=headers)

    seen: list[str] = []
    with AzureResponses(
        "https://r.openai.azure.com",
        api_key="k",
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    ) as client:
        done = client.vector_stores.files.poll(
            "file-1", vector_store_id="vs", on_progress=lambda file: seen.append(file.status)
        )
        assert done.status == "completed"
        assert seen == states
        assert asked[1] - asked[0] >= 0.2
        asked.clear()
        with pytest.raises(APITimeoutError, match="File file-1 is still in_progress"):
            client.vector_stores.files.poll("file-1", vector_store_id="vs", max_wait_seconds=0.1)


def test_uploads_of_a_sync_client_run_at_the_same_time() -> None:
    at_work: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/files"):
            with lock:
                at_work.append(1)
                most.append(len(at_work))
            time.sleep(0.05)
            with lock:
                at_work.pop()
        return httpx.Response(200, json={"id": "x", "created_at": 1, "status": "completed"})

    with AzureResponses(
        "https://r.openai.azure.com",
        api_key="k",
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    ) as client:
        client.vector_stores.file_batches.upload_and_poll(
            "vs", files=[_MOON] * 9, max_concurrency=3
        )
    assert max(most) == 3


def test_a_failed_creation_is_not_tried_for_ever(runner: str, emulator: Emulator) -> None:
    emulator.faults.add(Fault("http-503"))

    async def scenario(client: Any) -> None:
        with pytest.raises(Exception, match="503"):
            await client.vector_stores.create()

    run(runner, emulator, scenario, max_retries=0)


def test_a_missing_query_is_the_services_error(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        store = await client.vector_stores.create()
        with pytest.raises(BadRequestError):
            async for _ in client.vector_stores.search(store.id, query=""):
                pass

    run(runner, emulator, scenario)
