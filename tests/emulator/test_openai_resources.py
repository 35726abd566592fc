"""The openai package's resources beside responses, against the served emulator."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from azure_responses.emulator import Emulator
from azure_responses.emulator.server import RunningServer

openai = pytest.importorskip("openai", reason="the openai package is not installed")

VERSION = "2025-04-01-preview"
# Calls that the package marks so; Azure has them all the same.
_DEPRECATED = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
MANIFEST = b"---\nname: reports\ndescription: Write reports.\n---\n"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with Emulator().serve() as running:
        yield running


@pytest.fixture
def v1(server: RunningServer) -> Iterator[Any]:
    url, key = f"{server.url}/openai/v1/", server.emulator.api_key
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture
def dated(server: RunningServer) -> Iterator[Any]:
    key = server.emulator.api_key
    with openai.AzureOpenAI(
        azure_endpoint=server.url, api_version=VERSION, api_key=key, max_retries=0
    ) as client:
        yield client


@pytest.fixture(params=["v1", "dated"])
def client(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def batch_file(count: int, model: str = "gpt-4.1") -> bytes:
    lines = [
        {
            "custom_id": f"task-{number}",
            "method": "POST",
            "url": "/v1/responses",
            "body": {"model": model, "input": f"Reply with exactly: {number}"},
        }
        for number in range(count)
    ]
    return b"\n".join(json.dumps(one).encode() for one in lines)


def test_files(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(b"apples")
    expiry = {"anchor": "created_at", "seconds": 3600}
    file = client.files.create(file=path, purpose="assistants", expires_after=expiry)
    assert (file.bytes, file.expires_at - file.created_at) == (6, 3600)
    assert client.files.retrieve(file.id) == file
    assert client.files.wait_for_processing(file.id).status == "processed"
    assert file.id in [one.id for one in client.files.list(purpose="assistants", limit=1)]
    assert client.files.content(file.id).read() == b"apples"
    with client.files.with_streaming_response.content(file.id) as reply:
        assert b"".join(reply.iter_bytes()) == b"apples"
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)


def test_uploads(client: Any) -> None:
    content = b"0123456789" * 10
    file = client.uploads.upload_file_chunked(
        file=content,
        filename="a.txt",
        bytes=len(content),
        mime_type="text/plain",
        purpose="assistants",
        part_size=30,
        md5=hashlib.md5(content).hexdigest(),
    ).file
    assert client.files.content(file.id).read() == content
    upload = client.uploads.create(
        bytes=1, filename="a", mime_type="text/plain", purpose="assistants"
    )
    assert client.uploads.parts.create(upload.id, data=b"x").upload_id == upload.id
    assert client.uploads.cancel(upload.id).status == "cancelled"


def test_vector_stores(client: Any) -> None:
    store = client.vector_stores.create(name="fruit", metadata={"a": "b"})
    first = client.vector_stores.files.upload_and_poll(
        vector_store_id=store.id, file=("apples.txt", b"apples are red")
    )
    assert (first.status, first.vector_store_id) == ("completed", store.id)
    batch = client.vector_stores.file_batches.upload_and_poll(
        store.id, files=[("pears.txt", b"pears are green"), ("plums.txt", b"plums are blue")]
    )
    assert (batch.status, batch.file_counts.completed) == ("completed", 2)
    listed = client.vector_stores.file_batches.list_files(batch.id, vector_store_id=store.id)
    assert len(list(listed)) == 2
    changed = client.vector_stores.files.update(
        first.id, vector_store_id=store.id, attributes={"colour": "red"}
    )
    assert changed.attributes == {"colour": "red"}
    filters = {"type": "eq", "key": "colour", "value": "red"}
    found = client.vector_stores.search(store.id, query="what is red?", filters=filters)
    assert [one.file_id for one in found] == [first.id]
    text = client.vector_stores.files.content(first.id, vector_store_id=store.id)
    assert [one.text for one in text] == ["apples are red"]
    assert client.vector_stores.update(store.id, name="new").name == "new"
    assert store.id in [one.id for one in client.vector_stores.list(limit=2)]
    assert len(list(client.vector_stores.files.list(store.id, limit=1))) == 3
    assert client.vector_stores.files.delete(first.id, vector_store_id=store.id).deleted
    assert client.vector_stores.retrieve(store.id).file_counts.total == 2
    assert client.vector_stores.delete(store.id).deleted


def test_batches(client: Any) -> None:
    file = client.files.create(file=("in.jsonl", batch_file(3)), purpose="batch")
    batch = client.batches.create(
        input_file_id=file.id,
        endpoint="/v1/responses",
        completion_window="24h",
        metadata={"a": "b"},
        output_expires_after={"anchor": "created_at", "seconds": 1_209_600},
    )
    assert batch.status == "validating"
    batch = client.batches.retrieve(batch.id)
    assert (batch.status, batch.request_counts.completed) == ("completed", 3)
    answers = client.files.content(batch.output_file_id).text.splitlines()
    assert {json.loads(one)["custom_id"] for one in answers} == {"task-0", "task-1", "task-2"}
    assert batch.id in [one.id for one in client.batches.list(limit=1)]
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(batch.id)


def test_containers(v1: Any) -> None:
    container = v1.containers.create(name="box", memory_limit="4g")
    assert (container.status, container.memory_limit) == ("running", "4g")
    file = v1.containers.files.create(container.id, file=("a.csv", b"1,2"))
    stored = v1.files.create(file=("b.csv", b"3,4"), purpose="assistants")
    copied = v1.containers.files.create(container.id, file_id=stored.id)
    assert v1.containers.files.content.retrieve(file.id, container_id=container.id).read() == b"1,2"
    listed = [one.id for one in v1.containers.files.list(container.id, limit=1)]
    assert sorted(listed) == sorted([file.id, copied.id])
    assert v1.containers.files.retrieve(file.id, container_id=container.id).path.endswith("a.csv")
    v1.containers.files.delete(file.id, container_id=container.id)
    assert container.id in [one.id for one in v1.containers.list(limit=1)]
    v1.containers.delete(container.id)


def test_conversations(v1: Any) -> None:
    item = {"type": "message", "role": "user", "content": "My name is Ada."}
    conversation = v1.conversations.create(items=[item], metadata={"a": "b"})
    response = v1.responses.create(
        model="gpt-4.1", input="What is my name?", conversation=conversation.id
    )
    assert "Ada" in response.output_text
    added = v1.conversations.items.create(conversation.id, items=[item] * 20)
    assert len(added.data) == 20
    with pytest.raises(openai.BadRequestError):
        v1.conversations.items.create(conversation.id, items=[item] * 21)
    listed = list(v1.conversations.items.list(conversation.id, limit=7, order="asc"))
    assert len(listed) == 23
    first = v1.conversations.items.retrieve(listed[0].id, conversation_id=conversation.id)
    assert first.id == listed[0].id
    v1.conversations.items.delete(first.id, conversation_id=conversation.id)
    changed = v1.conversations.update(conversation.id, metadata={"c": "d"})
    assert changed.metadata == {"c": "d"}
    assert v1.conversations.delete(conversation.id).deleted


def test_skills(v1: Any) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("reports/SKILL.md", MANIFEST)
    skill = v1.skills.create(files=("skill.zip", buffer.getvalue()))
    files = [("reports/SKILL.md", MANIFEST), ("reports/run.py", b"print()")]
    version = v1.skills.versions.create(skill.id, files=files, default=True)
    assert (version.version, version.skill_id) == ("2", skill.id)
    assert v1.skills.retrieve(skill.id).default_version == "2"
    assert v1.skills.update(skill.id, default_version="1").default_version == "1"
    content = v1.skills.versions.content.retrieve("2", skill_id=skill.id).read()
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        assert opened.namelist() == ["reports/SKILL.md", "reports/run.py"]
    assert v1.skills.content.retrieve(skill.id).read() == buffer.getvalue()
    assert [one.version for one in v1.skills.versions.list(skill.id, order="asc")] == ["1", "2"]
    assert v1.skills.versions.retrieve("2", skill_id=skill.id) == version
    assert v1.skills.versions.delete("2", skill_id=skill.id).deleted
    assert skill.id in [one.id for one in v1.skills.list(limit=1)]
    assert v1.skills.delete(skill.id).deleted


def test_embeddings(client: Any) -> None:
    # The package asks for base64 and unpacks it.
    reply = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"], dimensions=8)
    assert [len(one.embedding) for one in reply.data] == [8, 8]
    assert reply.usage.total_tokens == 2


def test_images(client: Any) -> None:
    made = client.images.generate(model="gpt-image-1", prompt="A blue cat.", n=2)
    assert len(made.data) == 2
    image = ("cat.png", b"\x89PNG")
    changed = client.images.edit(model="gpt-image-1", image=[image, image], prompt="Make it red.")
    assert changed.usage.input_tokens_details.image_tokens > 0
    stream = client.images.generate(
        model="gpt-image-1", prompt="A cat.", stream=True, partial_images=2
    )
    assert [event.type for event in stream][-1] == "image_generation.completed"


@_DEPRECATED
def test_variations_of_images(v1: Any) -> None:
    reply = v1.images.create_variation(image=("cat.png", b"\x89PNG"), model="dall-e-2")
    assert reply.data[0].url


@_DEPRECATED
def test_audio(client: Any) -> None:
    speech = client.audio.speech.create(
        model="tts", input="Hello there.", voice="alloy", response_format="wav"
    )
    sound = ("a.wav", speech.read())
    assert client.audio.transcriptions.create(model="whisper", file=sound).text == "Hello there."
    verbose = client.audio.transcriptions.create(
        model="whisper", file=sound, response_format="verbose_json"
    )
    assert verbose.segments[0].text == "Hello there."
    srt = client.audio.transcriptions.create(model="whisper", file=sound, response_format="srt")
    assert "-->" in srt
    assert client.audio.translations.create(model="whisper", file=sound).text == "Hello there."
    stream = client.audio.transcriptions.create(model="gpt-4o-transcribe", file=sound, stream=True)
    assert [event.type for event in stream][-1] == "transcript.text.done"
    with client.audio.speech.with_streaming_response.create(
        model="tts", input="Hello there.", voice="alloy"
    ) as reply:
        assert sum(len(piece) for piece in reply.iter_bytes()) > 1000


@pytest.mark.anyio
async def test_the_asynchronous_client(server: RunningServer) -> None:
    url, key = f"{server.url}/openai/v1/", server.emulator.api_key
    async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as client:
        file = await client.files.create(file=("in.jsonl", batch_file(2)), purpose="batch")
        batch = await client.batches.create(
            input_file_id=file.id, endpoint="/v1/responses", completion_window="24h"
        )
        batch = await client.batches.retrieve(batch.id)
        assert batch.status == "completed"
        store = await client.vector_stores.create(file_ids=[file.id])
        async for one in client.vector_stores.files.list(store.id):
            assert one.id == file.id
