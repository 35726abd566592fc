"""Stored objects of the openai package: vector stores, conversations, batches, webhooks, ….

The resources and their results have the same names here, so that only the client changes.
"""

from openai import AsyncAzureOpenAI, AzureOpenAI


def search(client: AzureOpenAI) -> list[str]:
    """A vector store is filled and searched."""
    store = client.vector_stores.create(name="n", metadata={"a": "b"}, file_ids=["file-1"])
    added = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("a.txt", b"text"), attributes={"year": 2026, "draft": True}
    )
    if added.status == "failed" and added.last_error is not None:
        print(added.last_error.message)
    batch = client.vector_stores.file_batches.create_and_poll(
        store.id, file_ids=[added.id], poll_interval_ms=100
    )
    print(batch.file_counts.completed + batch.file_counts.failed)
    client.vector_stores.update(store.id, name=None, expires_after=None)
    found = client.vector_stores.search(
        store.id, query="q", filters={"type": "eq", "key": "year", "value": 2026}
    )
    return [part.text for one in found for part in one.content if one.score > 0.5]


def converse(client: AzureOpenAI) -> list[str]:
    """A conversation is begun, read and deleted."""
    made = client.conversations.create(
        items=[{"type": "message", "role": "user", "content": "x"}], metadata={"a": "b"}
    )
    client.responses.create(model="m", input="x", conversation=made.id)
    added = client.conversations.items.create(
        made.id, items=[{"type": "message", "role": "user", "content": "x"}]
    )
    page = client.conversations.items.list(made.id, order="asc", limit=10)
    kinds = [str(item.type) for item in [*added.data, *page.data, *page]]
    if client.conversations.delete(made.id).deleted and page.has_next_page():
        kinds += [str(item.type) for item in page.get_next_page().data]
    return kinds


def run(client: AzureOpenAI) -> int:
    """A batch is made and looked at, and a container holds its output."""
    batch = client.batches.create(
        completion_window="24h", endpoint="/v1/responses", input_file_id="file-1"
    )
    for one in client.batches.list(limit=10):
        print(one.id, one.status)
    container = client.containers.create(name="n", file_ids=["file-1"], memory_limit="1g")
    put = client.containers.files.create(container.id, file=b"content")
    content = client.containers.files.content.retrieve(put.id, container_id=container.id)
    client.containers.delete(container.id)
    print(content.read()[:3], put.path)
    counted = client.responses.input_tokens.count(model="m", input="x")
    return counted.input_tokens + (batch.request_counts.total if batch.request_counts else 0)


def receive(client: AzureOpenAI, body: bytes, headers: dict[str, str]) -> str:
    """A webhook is verified; its type says what it is about."""
    client.webhooks.verify_signature(body, headers, secret="whsec_x", tolerance=60)
    event = client.webhooks.unwrap(body, headers, secret="whsec_x")
    if event.type == "response.completed":
        return event.data.id
    if event.type == "realtime.call.incoming":
        return event.data.call_id
    return event.id


async def look(client: AsyncAzureOpenAI) -> list[str]:
    """The async client is awaited, and its lists are iterated."""
    skill = await client.skills.create(files=[("s/SKILL.md", b"text")])
    version = await client.skills.versions.create(skill.id, files=[("s/SKILL.md", b"text")])
    await client.skills.update(skill.id, default_version=version.version)
    found = [one.name async for one in client.skills.list(limit=5)]
    first = await client.vector_stores.list(limit=5)
    return found + [store.id for store in first.data]
