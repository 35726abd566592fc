"""Files, multipart and JSON."""

import re

import httpx
import pytest

from azure_responses.emulator import Clock, Emulator, Resource
from azure_responses.emulator.contents import ContentWriter, StoredContent
from azure_responses.emulator.object_store import ObjectStore
from azure_responses.emulator.opaque_values import IdentifierMint
from tests.emulator.callers import BEGIN, open_client

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


def test_files_of_other_purposes_than_azure_has_are_refused(client: httpx.Client) -> None:
    for purpose in ("user_data", "batch_output", ""):
        reply = client.post(FILES, data={"purpose": purpose}, files={"file": ("a", b"x")})
        assert (reply.status_code, reply.json()["error"]["param"]) == (400, "purpose")


def test_files_for_batches_have_other_ids_than_files_for_tools(client: httpx.Client) -> None:
    assert re.fullmatch(r"file-[0-9a-f]{32}", upload(client, "batch"))
    assert re.fullmatch(r"assistant-\w{22}", upload(client, "assistants"))


@pytest.mark.parametrize("form", ["expires_after[{}]", "expires_after.{}"])
def test_a_file_is_gone_once_it_has_expired(
    emulator: Emulator, client: httpx.Client, form: str
) -> None:
    data = {"purpose": "batch", form.format("anchor"): "created_at",
            form.format("seconds"): "1209600"}  # fmt: skip
    file = client.post(FILES, data=data, files={"file": ("a", b"x")}).json()
    assert file["expires_at"] == BEGIN + 1209600
    kept = upload(client, "batch")
    emulator.clock.advance(1209599)
    assert client.get(f"{FILES}/{file['id']}").status_code == 200
    emulator.clock.advance(1)
    assert client.get(f"{FILES}/{file['id']}").status_code == 404
    assert [one["id"] for one in client.get(FILES).json()["data"]] == [kept]


@pytest.mark.parametrize(
    ("expiry", "code"),
    [
        ({"anchor": "last_active_at", "seconds": 1209600}, "invalid_value"),
        ({"anchor": "created_at"}, "missing_required_parameter"),
        ({"anchor": "created_at", "seconds": 3600}, "integer_below_min_value"),
        ({"anchor": "created_at", "seconds": 2592001}, "integer_above_max_value"),
        ({"anchor": "created_at", "seconds": "soon"}, "invalid_type"),
    ],
)
def test_an_expiry_outside_its_limits_is_refused(
    client: httpx.Client, expiry: dict[str, object], code: str
) -> None:
    body = {"filename": "a", "purpose": "batch", "content": "x", "expires_after": expiry}
    reply = client.post(FILES, json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


def test_a_resource_holds_500_batch_files_that_do_not_expire(client: httpx.Client) -> None:
    for _ in range(500):
        last = upload(client, "batch")
    reply = client.post(FILES, data={"purpose": "batch"}, files={"file": ("a", b"x")})
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "code": "quotaExceeded",
        "message": "The quota for files without expiry is reached. The maximum is 500.",
    }
    data = {"purpose": "batch", "expires_after[seconds]": "1209600"}
    assert client.post(FILES, data=data, files={"file": ("a", b"x")}).status_code == 200
    assert upload(client, "assistants")
    client.delete(f"{FILES}/{last}")
    assert upload(client, "batch")


def test_a_resource_can_be_full() -> None:
    with open_client(Emulator([Resource("a", file_bytes=10)])) as client:
        kept = upload(client, text="x" * 6)
        body = {"filename": "a", "purpose": "assistants", "content": "x" * 5}
        reply = client.post(FILES, json=body)
        assert (reply.status_code, "storage quota" in reply.text) == (400, True)
        client.delete(f"{FILES}/{kept}")
        assert client.post(FILES, json=body).status_code == 200


def test_a_file_for_batches_has_at_most_200_mb(client: httpx.Client) -> None:
    files = {"file": ("a", b"x" * (200 * 1024**2 + 1))}
    reply = client.post(FILES, data={"purpose": "batch"}, files=files)
    assert reply.json()["error"]["message"] == "File is too large."


def test_only_so_many_temporary_files_are_open() -> None:
    clock = Clock()
    holdings = ObjectStore(IdentifierMint("seed", clock.now), clock)
    for _ in range(201):
        writer = ContentWriter(most=0)
        writer.write(b"x")
        holdings.add_file("a", "assistants", writer.finish())
    assert len(holdings.files) == 200
    holdings.add_file("b", "assistants", StoredContent(b"x"))
    assert len(holdings.files) == 201


def test_files_take_no_more_memory_than_they_may() -> None:
    clock = Clock()
    holdings = ObjectStore(IdentifierMint("seed", clock.now), clock)
    container = holdings.add_container("auto")
    container.add_file("a", StoredContent(b"x" * 10), "user", 0, "cfile_1")
    old = holdings.add_file("a", "assistants", StoredContent(b"x" * 20))
    kept = holdings.add_file("b", "assistants", StoredContent(b"x" * 30))
    # A content that only says how large it is.
    holdings.make_room(StoredContent(b"", size=256 * 1024 * 1024 - 40))
    assert list(holdings.files) == [kept.id]
    assert old.id not in holdings.files
    holdings.make_room(StoredContent(b"", size=256 * 1024 * 1024))
    assert (list(holdings.files), container.contents, container.files) == ([], {}, {})
