"""Files, vector stores, containers and conversations through a gateway, by the openai package."""

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.gateway.gateways import KEY, Running, config_of, serve

_NAMES = ("east", "west", "north")
_NORTH = "sk-key-of-the-north-0123456789abcdef"
_OTHER = "sk-key-of-another-owner-0123456789ab"
_LIMITED = "sk-key-with-a-limit-0123456789abcdef"
_POOR = "sk-key-without-money-0123456789abcdef"


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    deployments = [EmulatedDeployment("gpt", model="gpt-5-mini")]
    resources = [Resource(n, keys=[f"key-of-{n}"], deployments=deployments) for n in _NAMES]
    return Emulator(resources, log_size=5000)


@pytest.fixture(scope="module")
def gateway(emulator: Emulator) -> Iterator[Running]:
    with emulator.serve() as server:
        config = config_of(server.url, *_NAMES)
        own = [{**row, "model_name": row["model_info"]["id"]} for row in config["model_list"]]
        config["model_list"] += [{**row, "model_info": {"base_model": "gpt-5-mini"}} for row in own]
        config["virtual_keys"] = [
            {"name": "north", "key": _NORTH, "models": ["north"], "owner": "master"},
            {"name": "other", "key": _OTHER},
            {"name": "limited", "key": _LIMITED, "rpm": 3, "tpm": 10},
            {"name": "poor", "key": _POOR, "budget": 0.000001},
        ]
        with serve(config) as running:
            yield running


def _client(gateway: Running, model: str | None = None, key: str = KEY) -> openai.OpenAI:
    headers = {} if model is None else {"x-azr-model": model}
    return openai.OpenAI(
        base_url=f"{gateway.url}/v1", api_key=key, max_retries=0, default_headers=headers
    )


def _upload(client: openai.OpenAI) -> Any:
    return client.files.create(file=("notes.txt", b"My name is Ann."), purpose="assistants")


def test_files_are_uploaded_listed_downloaded_and_deleted(
    gateway: Running, emulator: Emulator
) -> None:
    client = _client(gateway, "west")
    file = _upload(client)
    assert emulator.requests[-1].resource == "west"
    assert client.files.retrieve(file.id).filename == "notes.txt"
    assert file.id in [each.id for each in client.files.list()]
    assert client.files.content(file.id).read() == b"My name is Ann."
    with client.files.with_streaming_response.content(file.id) as download:
        assert b"".join(download.iter_bytes()) == b"My name is Ann."
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_vector_stores_hold_files_and_are_searched(gateway: Running, emulator: Emulator) -> None:
    client = _client(gateway, "east")
    file = _upload(client)
    store = client.vector_stores.create(name="notes", metadata={"team": "a"})
    added = client.vector_stores.files.create(store.id, file_id=file.id)
    assert (added.id, added.vector_store_id) == (file.id, store.id)
    assert [each.id for each in client.vector_stores.files.list(store.id)] == [file.id]
    found = client.vector_stores.search(store.id, query="name").data
    assert [(each.file_id, each.filename) for each in found] == [(file.id, "notes.txt")]
    batch = client.vector_stores.file_batches.create(store.id, file_ids=[file.id])
    listed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id)
    assert [each.id for each in listed] == [file.id]
    response = client.responses.create(
        model="chat",
        input="What is my name?",
        tools=[{"type": "file_search", "vector_store_ids": [store.id]}],
        tool_choice="required",
    )
    assert "Ann" in response.output_text
    renamed = client.vector_stores.update(store.id, name="other")
    assert (renamed.id, renamed.metadata) == (store.id, {"team": "a"})
    assert client.vector_stores.files.delete(file.id, vector_store_id=store.id).deleted
    assert client.vector_stores.delete(store.id).id == store.id
    assert {entry.resource for entry in list(emulator.requests)[-10:]} == {"east"}


def test_containers_have_files_that_code_interpreter_uses(gateway: Running) -> None:
    client = _client(gateway, "north")
    file = _upload(client)
    container = client.containers.create(name="box", file_ids=[file.id])
    inside = client.containers.files.create(container.id, file=("b.txt", b"inside"))
    copied = client.containers.files.create(container.id, file_id=file.id)
    assert inside.container_id == copied.container_id == container.id
    ids = [each.id for each in client.containers.files.list(container.id)]
    assert {inside.id, copied.id} < set(ids)
    content = client.containers.files.content.retrieve(inside.id, container_id=container.id)
    assert content.read() == b"inside"
    response = client.responses.create(
        model="chat",
        input="Plot 1, 2 and 3.",
        tools=[{"type": "code_interpreter", "container": container.id}],
        tool_choice="required",
    )
    (note,) = [
        note
        for item in response.output
        if item.type == "message"
        for part in item.content
        if part.type == "output_text"
        for note in part.annotations
    ]
    assert note.type == "container_file_citation"
    assert note.container_id == container.id
    plot = client.containers.files.content.retrieve(note.file_id, container_id=note.container_id)
    assert plot.read().startswith(b"\x89PNG")
    client.containers.files.delete(inside.id, container_id=container.id)
    client.containers.delete(container.id)


def test_conversations_are_continued_by_responses(gateway: Running, emulator: Emulator) -> None:
    client = _client(gateway, "west")
    conversation = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "My name is Ann."}]
    )
    client.conversations.items.create(
        conversation.id, items=[{"type": "message", "role": "user", "content": "I am 7."}]
    )
    response = client.responses.create(
        model="chat", input="What is my name?", conversation=conversation.id
    )
    assert "Ann" in response.output_text
    assert emulator.requests[-1].resource == "west"
    assert response.conversation is not None
    assert response.conversation.id == conversation.id
    items = list(client.conversations.items.list(conversation.id, order="asc", limit=2))
    assert len(items) >= 4
    again = client.conversations.items.retrieve(str(items[0].id), conversation_id=conversation.id)
    assert again.id == items[0].id
    assert client.conversations.update(conversation.id, metadata={"a": "b"}).metadata == {"a": "b"}
    assert client.conversations.delete(conversation.id).id == conversation.id


def test_a_key_makes_objects_at_the_resources_of_its_models(
    gateway: Running, emulator: Emulator
) -> None:
    client = _client(gateway, key=_NORTH)
    made = client.vector_stores.create(name="v")
    assert emulator.requests[-1].resource == "north"
    with pytest.raises(openai.PermissionDeniedError) as caught:
        _client(gateway, "east", _NORTH).vector_stores.create(name="v")
    assert caught.value.code == "key_model_access_denied"
    # Keys of one owner share their objects.
    assert _client(gateway).vector_stores.retrieve(made.id).id == made.id


def test_another_key_finds_nothing(gateway: Running, emulator: Emulator) -> None:
    store = _client(gateway, "east").vector_stores.create(name="v")
    other = _client(gateway, "east", _OTHER)
    sent = len(emulator.requests)
    with pytest.raises(openai.NotFoundError):
        other.vector_stores.retrieve(store.id)
    with pytest.raises(openai.NotFoundError):
        other.responses.create(
            model="chat",
            input="x",
            tools=[{"type": "file_search", "vector_store_ids": [store.id]}],
        )
    assert len(emulator.requests) == sent


def test_calls_count_as_requests_of_their_key_without_tokens(gateway: Running) -> None:
    client = _client(gateway, "east", _LIMITED)
    store = client.vector_stores.create(name="v")
    client.vector_stores.retrieve(store.id)
    client.vector_stores.delete(store.id)
    with pytest.raises(openai.RateLimitError) as caught:
        client.vector_stores.create(name="v")
    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_a_key_whose_budget_is_spent_reads_and_deletes_but_makes_nothing(
    gateway: Running,
) -> None:
    client = _client(gateway, "east", _POOR)
    store = client.vector_stores.create(name="v")
    client.responses.create(model="chat", input="Tell me a story.")
    with pytest.raises(openai.RateLimitError) as caught:
        client.vector_stores.create(name="another")
    assert caught.value.code == "budget_exceeded"
    assert client.vector_stores.retrieve(store.id).id == store.id
    assert client.vector_stores.delete(store.id).deleted


def _wait_for_line(caplog: pytest.LogCaptureFixture, start: str) -> str:
    for _ in range(200):
        for record in list(caplog.records):
            if record.getMessage().startswith(start):
                return record.getMessage()
        time.sleep(0.02)
    raise AssertionError(f"no line of the log begins with {start!r}")


def test_calls_are_in_the_log_and_the_metrics_and_cost_nothing(
    gateway: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "azure_responses.gateway"):
        _client(gateway, "east").vector_stores.create(name="v")
        # It is written behind the reply.
        line = _wait_for_line(caplog, "vector_stores.create - east: 200 in")
    assert "$-" in line
    with gateway.client() as http:
        metrics = http.get("/metrics").text
    assert 'azure_responses_calls_total{deployment="' in metrics
    assert 'operation="vector_stores.create"' in metrics
