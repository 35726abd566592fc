"""Vector stores and what file search finds in them."""

import httpx
import pytest

from azure_responses.emulator import Emulator, Resource
from tests.emulator.callers import create, open_client
from tests.emulator.operations.test_files import FILES, upload

STORES = "/openai/v1/vector_stores"


def test_a_store_counts_lists_and_gives_back_its_files(client: httpx.Client) -> None:
    first, second = upload(client, text="apples"), upload(client, text="pears")
    body = {"name": "fruit", "file_ids": [first], "metadata": {"a": "b"}}
    store = client.post(STORES, json=body).json()
    assert store["id"].startswith("vs_")
    assert (store["name"], store["metadata"], store["usage_bytes"]) == ("fruit", {"a": "b"}, 6)
    path = f"{STORES}/{store['id']}"
    attached = client.post(f"{path}/files", json={"file_id": second}).json()
    assert (attached["object"], attached["vector_store_id"]) == ("vector_store.file", store["id"])
    listed = client.get(f"{path}/files").json()["data"]
    assert [item["id"] for item in listed] == [second, first]
    assert client.get(f"{path}/files/{second}").json() == attached
    assert client.get(path).json()["file_counts"]["total"] == 2
    assert client.delete(f"{path}/files/{second}").json()["deleted"] is True
    assert client.get(f"{path}/files/{second}").status_code == 404
    client.delete(f"{FILES}/{first}")
    assert client.get(path).json()["file_counts"]["total"] == 0
    assert [item["id"] for item in client.get(STORES).json()["data"]] == [store["id"]]
    assert client.delete(path).json() == {
        "id": store["id"],
        "object": "vector_store.deleted",
        "deleted": True,
    }
    assert client.get(path).status_code == 404


def test_search_ranks_by_the_words_of_the_query(client: httpx.Client) -> None:
    one = upload(client, text="Apples are red.")
    two = upload(client, text="Green apples are sour apples.")
    upload(client, text="Apples outside the store.")
    store = client.post(STORES, json={"file_ids": [one, two]}).json()["id"]
    body = {"query": "green apples", "max_num_results": 5}
    page = client.post(f"{STORES}/{store}/search", json=body).json()
    assert [row["file_id"] for row in page["data"]] == [two, one]
    assert page["search_query"] == ["green apples"]
    several = client.post(f"{STORES}/{store}/search", json={"query": ["sour"]}).json()
    assert [row["file_id"] for row in several["data"]] == [two]
    assert client.post(f"{STORES}/{store}/search", json={}).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [("", {"file_ids": ["assistant-0"]}), ("/{}/files", {"file_id": "assistant-0"}),
     ("/{}/files", {})],
)  # fmt: skip
def test_unknown_files_are_not_attached(
    client: httpx.Client, path: str, body: dict[str, object]
) -> None:
    store = client.post(STORES).json()["id"]
    assert client.post(STORES + path.format(store), json=body).status_code == 404


def test_file_search_needs_a_store_of_the_same_resource() -> None:
    emulator = Emulator([Resource("a"), Resource("b")])
    with open_client(emulator) as client:
        elsewhere = client.post(f"https://b.openai.azure.com{STORES}", json={}).json()["id"]
        tool = {"type": "file_search", "vector_store_ids": [elsewhere]}
        reply = create(client, tools=[tool])
    assert reply.status_code == 404
    assert elsewhere in reply.json()["error"]["message"]


def test_file_search_finds_what_was_uploaded(client: httpx.Client) -> None:
    file_id = upload(client, text="The password of the garden gate is marigold.")
    store = client.post(STORES, json={"file_ids": [file_id]}).json()["id"]
    reply = create(
        client,
        input="Search the files: what is the password of the garden gate?",
        tools=[{"type": "file_search", "vector_store_ids": [store]}],
        tool_choice={"type": "file_search"},
        include=["file_search_call.results"],
    )
    assert reply.status_code == 200, reply.text
    assert file_id in reply.text
