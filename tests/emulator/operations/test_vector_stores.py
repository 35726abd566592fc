"""Vector stores and what file search finds in them."""

from typing import Any

import httpx
import pytest

from azure_responses.emulator import Clock, Emulator, Resource
from tests.emulator.callers import BEGIN, create, open_client
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


def make_store(client: httpx.Client, *texts: str, **fields: Any) -> tuple[str, list[str]]:
    files = [upload(client, text=text) for text in texts]
    store = client.post(STORES, json={"file_ids": files, **fields}).json()
    return f"{STORES}/{store['id']}", files


def test_a_store_is_changed_field_by_field(client: httpx.Client) -> None:
    path, _ = make_store(client, name="old", metadata={"a": "b"})
    assert client.post(path, json={"name": "new"}).json()["metadata"] == {"a": "b"}
    expiry = {"anchor": "last_active_at", "days": 2}
    shown = client.post(path, json={"metadata": {"c": "d"}, "expires_after": expiry}).json()
    assert (shown["name"], shown["metadata"], shown["expires_after"]) == (
        "new", {"c": "d"}, expiry,
    )  # fmt: skip
    assert shown["expires_at"] == BEGIN + 2 * 86400
    assert client.post(path, json={"expires_after": None}).json()["expires_at"] is None
    for body in (
        {"name": 1},
        {"expires_after": {"anchor": "created_at", "days": 1}},
        {"expires_after": {"anchor": "last_active_at", "days": 0}},
        {"expires_after": {"anchor": "last_active_at", "days": 366}},
        {"expires_after": {"anchor": "last_active_at", "days": "1"}},
        {"metadata": {str(number): "x" for number in range(17)}},
    ):
        assert client.post(path, json=body).status_code == 400


def test_a_store_expires_when_it_is_not_used(emulator: Emulator, client: httpx.Client) -> None:
    expiry = {"anchor": "last_active_at", "days": 1}
    path, _ = make_store(client, "apples", expires_after=expiry)
    emulator.clock.advance(86_399)
    assert client.post(f"{path}/search", json={"query": "apples"}).status_code == 200
    emulator.clock.advance(86_399)
    assert client.get(path).json()["status"] == "completed"
    emulator.clock.advance(1)
    assert client.get(path).json()["status"] == "expired"
    assert client.post(f"{path}/search", json={"query": "apples"}).status_code == 400


def test_attributes_of_files_are_kept_changed_and_filtered_by(client: httpx.Client) -> None:
    path, (first, second) = make_store(client, "apples one", "apples two")
    attributes = {"year": 2026, "kind": "note", "draft": False}
    shown = client.post(f"{path}/files/{first}", json={"attributes": attributes}).json()
    assert shown["attributes"] == attributes
    assert client.post(f"{path}/files/{first}", json={}).status_code == 400

    def find(filters: dict[str, Any]) -> list[str]:
        reply = client.post(f"{path}/search", json={"query": "apples", "filters": filters})
        return [row["file_id"] for row in reply.json()["data"]]

    year = {"type": "gte", "key": "year", "value": 2026}
    draft = {"type": "eq", "key": "draft", "value": True}
    assert find(year) == [first]
    assert find({"type": "and", "filters": [year, draft]}) == []
    assert find({"type": "or", "filters": [year, draft]}) == [first]
    assert find({"type": "nin", "key": "kind", "value": ["note"]}) == [second]
    for filters in (
        {"type": "like", "key": "a", "value": "b"},
        {"type": "eq", "key": "a"},
        {"type": "and"},
        {"type": "and", "filters": ["x"]},
    ):
        body = {"query": "apples", "filters": filters}
        assert client.post(f"{path}/search", json=body).status_code == 400


def test_the_text_of_a_file_of_a_store_can_be_read(client: httpx.Client) -> None:
    path, (file_id,) = make_store(client, "apples")
    page = client.get(f"{path}/files/{file_id}/content").json()
    assert page["data"] == [{"type": "text", "text": "apples"}]
    assert client.get(f"{path}/files/assistant-0/content").status_code == 404


def test_files_are_indexed_by_the_clock() -> None:
    emulator = Emulator(clock=Clock(BEGIN), indexing_seconds=30)
    with open_client(emulator) as client:
        path, (file_id,) = make_store(client, "apples")
        assert client.get(path).json()["status"] == "in_progress"
        assert client.get(f"{path}/files/{file_id}").json()["status"] == "in_progress"
        assert client.post(f"{path}/search", json={"query": "apples"}).json()["data"] == []
        emulator.clock.advance(30)
        assert client.get(path).json()["file_counts"]["completed"] == 1
        assert client.post(f"{path}/search", json={"query": "apples"}).json()["data"]


def test_files_that_cannot_be_indexed_say_why(client: httpx.Client) -> None:
    path, _ = make_store(client)
    for name, content, code in (("a.PNG", "x", "unsupported_file"), ("a.txt", "", "invalid_file")):
        body = {"filename": name, "purpose": "assistants", "content": content}
        file_id = client.post(FILES, json=body).json()["id"]
        shown = client.post(f"{path}/files", json={"file_id": file_id}).json()
        assert (shown["status"], shown["last_error"]["code"]) == ("failed", code)
    failed = client.get(f"{path}/files", params={"filter": "failed"}).json()["data"]
    assert len(failed) == 2
    assert client.get(f"{path}/files", params={"filter": "completed"}).json()["data"] == []
    assert client.get(f"{path}/files", params={"filter": "lost"}).status_code == 400


def test_a_batch_of_files_is_counted_listed_and_cancelled() -> None:
    emulator = Emulator(clock=Clock(BEGIN), indexing_seconds=30)
    with open_client(emulator) as client:
        path, _ = make_store(client)
        files = [upload(client, text=f"apples {number}") for number in range(3)]
        body = {"file_ids": files[:2], "attributes": {"a": "b"}}
        batch = client.post(f"{path}/file_batches", json=body).json()
        assert (batch["status"], batch["file_counts"]["in_progress"]) == ("in_progress", 2)
        emulator.clock.advance(30)
        place = f"{path}/file_batches/{batch['id']}"
        assert client.get(place).json()["status"] == "completed"
        assert client.post(f"{place}/cancel").json()["status"] == "completed"
        listed = client.get(f"{place}/files", params={"filter": "completed"}).json()["data"]
        assert {one["id"] for one in listed} == set(files[:2])
        assert listed[0]["attributes"] == {"a": "b"}
        own = [{"file_id": files[2], "attributes": {"c": 1}}]
        second = client.post(f"{path}/file_batches", json={"files": own}).json()
        stopped = client.post(f"{path}/file_batches/{second['id']}/cancel").json()
        assert (stopped["status"], stopped["file_counts"]["cancelled"]) == ("cancelled", 1)
        assert client.get(f"{path}/files/{files[2]}").json()["status"] == "cancelled"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"file_ids": [], "files": []},
        {"file_ids": ["assistant-0"]},
        {"files": [{"file_id": "assistant-0"}]},
        {"files": ["assistant-0"]},
        {"file_ids": ["assistant-0"] * 2001},
    ],
)
def test_an_invalid_batch_of_files_attaches_nothing(
    client: httpx.Client, body: dict[str, Any]
) -> None:
    path, _ = make_store(client)
    assert client.post(f"{path}/file_batches", json=body).status_code in (400, 404)
    assert client.get(path).json()["file_counts"]["total"] == 0
    assert client.get(f"{path}/file_batches/vsfb_0").status_code == 404


@pytest.mark.parametrize(
    ("strategy", "status"),
    [
        ({"type": "auto"}, 200),
        ({"type": "static", "static": {"max_chunk_size_tokens": 100}}, 400),
        ({"type": "static",
          "static": {"max_chunk_size_tokens": 100, "chunk_overlap_tokens": 50}}, 200),
        ({"type": "static", "static": {"max_chunk_size_tokens": 5000}}, 400),
        ({"type": "static", "static": {"max_chunk_size_tokens": "many"}}, 400),
        ({"type": "semantic"}, 400),
    ],
)  # fmt: skip
def test_a_chunking_strategy_has_its_limits(
    client: httpx.Client, strategy: dict[str, Any], status: int
) -> None:
    path, _ = make_store(client)
    body = {"file_id": upload(client, text="apples"), "chunking_strategy": strategy}
    reply = client.post(f"{path}/files", json=body)
    assert reply.status_code == status
    if status == 200:
        assert reply.json()["chunking_strategy"]["type"] == "static"


@pytest.mark.parametrize(
    "body",
    [
        {"query": "a", "max_num_results": 0},
        {"query": "a", "max_num_results": 51},
        {"query": "a", "max_num_results": "all"},
        {"query": [1]},
        {"query": "a", "ranking_options": {"score_threshold": "high"}},
    ],
)
def test_an_invalid_search_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    path, _ = make_store(client, "a")
    assert client.post(f"{path}/search", json=body).status_code == 400


def test_results_below_the_threshold_are_left_out(client: httpx.Client) -> None:
    path, _ = make_store(client, "apples", "apples too")
    body = {"query": "apples", "ranking_options": {"score_threshold": 0.5}}
    assert len(client.post(f"{path}/search", json=body).json()["data"]) == 1
