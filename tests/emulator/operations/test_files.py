"""Files, multipart and JSON."""

import httpx
import pytest

from azure_responses.emulator import Clock, Emulator, Resource
from azure_responses.emulator.object_store import ObjectStore
from azure_responses.emulator.opaque_values import IdentifierMint
from tests.emulator.callers import open_client

FILES = "/openai/v1/files"


def upload(client: httpx.Client, purpose: str = "assistants", text: str = "ein Text") -> str:
    reply = client.post(
        FILES, data={"purpose": purpose}, files={"file": ("notes.txt", text.encode())}
    )
    assert reply.status_code == 200, reply.text
    name: str = reply.json()["id"]
    return name


def test_an_uploaded_file_can_be_read_listed_and_deleted(client: httpx.Client) -> None:
    file_id = upload(client, text="Grüße\r\n--")
    assert file_id.startswith("assistant-")
    shown = client.get(f"{FILES}/{file_id}").json()
    assert (shown["filename"], shown["purpose"], shown["status"]) == (
        "notes.txt", "assistants", "processed",
    )  # fmt: skip
    content = client.get(f"{FILES}/{file_id}/content").content
    assert content == "Grüße\r\n--".encode()
    assert shown["bytes"] == len(content)
    assert client.get(FILES).json()["data"] == [shown]
    assert client.get(FILES, params={"purpose": "batch"}).json()["data"] == []
    deleted = client.delete(f"{FILES}/{file_id}").json()
    assert deleted == {"object": "file", "id": file_id, "deleted": True}
    assert client.get(f"{FILES}/{file_id}").status_code == 404


def test_a_file_can_be_sent_as_json(client: httpx.Client) -> None:
    body = {"filename": "a.txt", "purpose": "assistants", "content": "hello"}
    file = client.post(FILES, json=body).json()
    assert (file["filename"], file["bytes"]) == ("a.txt", 5)


def test_purpose_user_data_is_not_supported(client: httpx.Client) -> None:
    body = {"filename": "a.txt", "purpose": "user_data", "content": "hello"}
    reply = client.post(FILES, json=body)
    assert reply.status_code == 400
    assert reply.json()["error"]["param"] == "purpose"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"nonsense", "multipart/form-data"),
        (b"[]", "multipart/form-data"),
        (b'{"purpose": "assistants"}', "'file'"),
        (b'{"filename": "a"}', "'purpose'"),
    ],
)
def test_an_incomplete_upload_is_refused(client: httpx.Client, body: bytes, message: str) -> None:
    reply = client.post(FILES, content=body)
    assert reply.status_code == 400
    assert message in reply.json()["error"]["message"]


def test_a_file_belongs_to_its_resource() -> None:
    emulator = Emulator([Resource("a"), Resource("b")])
    with open_client(emulator) as client:
        file_id = upload(client)
        assert client.get(f"https://b.openai.azure.com{FILES}/{file_id}").status_code == 404


def test_the_dated_surface_has_files_too(client: httpx.Client) -> None:
    file_id = upload(client)
    reply = client.get(f"/openai/files/{file_id}?api-version=2024-10-21")
    assert reply.json()["id"] == file_id


def test_the_oldest_files_go_where_there_are_too_many_and_their_stores_lose_them(
    client: httpx.Client,
) -> None:
    first = upload(client)
    store = client.post("/openai/v1/vector_stores", json={"file_ids": [first]}).json()
    for _ in range(1000):
        upload(client)
    assert client.get(f"{FILES}/{first}").status_code == 404
    shown = client.get(f"/openai/v1/vector_stores/{store['id']}").json()
    assert shown["file_counts"]["total"] == 0


def test_files_take_no_more_memory_than_they_may() -> None:
    clock = Clock()
    holdings = ObjectStore(IdentifierMint("seed", clock.now), clock)
    container = holdings.add_container("auto")
    container.add({"id": "cfile_1"}, b"x" * 10)
    old = holdings.add_file("a", "assistants", b"x" * 20)
    kept = holdings.add_file("b", "assistants", b"x" * 30)
    holdings.make_room(256 * 1024 * 1024 - 40)
    assert list(holdings.files) == [kept.id]
    assert old.id not in holdings.files
    holdings.make_room(256 * 1024 * 1024)
    assert (list(holdings.files), container.contents, container.files) == ([], {}, {})
