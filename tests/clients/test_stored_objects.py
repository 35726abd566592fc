"""Containers, batches, skills, webhooks and token counts, over the emulator."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from azure_responses import AsyncAzureResponses, AzureResponses
from azure_responses.emulator import Emulator
from azure_responses.errors import (
    BadRequestError,
    ConfigurationError,
    ConflictError,
    InvalidWebhookSignatureError,
    NotFoundError,
)
from azure_responses.protocol.webhook_signature import sign
from azure_responses.types import Batch, ResponseCompletedWebhookEvent
from tests.clients.both import run

# --- containers -----------------------------------------------------------------------------------


def test_a_container_holds_files(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        stored = await client.files.create(file=("b.txt", b"B"), purpose="assistants")
        made = await client.containers.create(name="work", file_ids=[stored.id])
        files = client.containers.files
        put = await files.create(made.id, file=("a.txt", b"A"))
        assert put.path.endswith("a.txt")
        copied = await files.create(made.id, file_id=stored.id)
        assert (await files.retrieve(put.id, container_id=made.id)) == put
        assert {file.id async for file in files.list(made.id)} >= {put.id, copied.id}
        content = await files.content.retrieve(put.id, container_id=made.id)
        assert content.read() == b"A"
        assert await files.delete(put.id, container_id=made.id) is None
        assert [one.id async for one in client.containers.list()] == [made.id]
        assert await client.containers.delete(made.id) is None
        with pytest.raises(NotFoundError) as caught:
            await client.containers.retrieve(made.id)
        assert "create another one" in str(caught.value.hint)

    run(runner, emulator, scenario)


def test_a_container_that_has_expired_says_what_to_do(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = await client.containers.create(name="work")
        emulator.clock.advance(21 * 60)
        with pytest.raises(BadRequestError) as caught:
            await client.containers.files.create(made.id, file=b"A")
        assert "create another one" in str(caught.value.hint)

    run(runner, emulator, scenario)


@pytest.mark.parametrize("given", [{}, {"file": b"A", "file_id": "file-1"}])
def test_a_container_gets_one_file_at_a_time(
    runner: str, emulator: Emulator, given: dict[str, Any]
) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(ConfigurationError, match="one file at a time"):
            await client.containers.files.create("cntr_1", **given)

    run(runner, emulator, scenario)


def test_a_file_of_a_container_is_read_as_it_arrives(emulator: Emulator) -> None:
    with AzureResponses(
        emulator.endpoint,
        api_key=emulator.api_key,
        http_client=httpx.Client(transport=emulator.httpx_transport()),
    ) as client:
        made = client.containers.create(name="work")
        put = client.containers.files.create(made.id, file=("a.txt", b"A" * 1000))
        stream = client.containers.files.content.with_streaming_response
        with stream.retrieve(put.id, container_id=made.id) as content:
            assert b"".join(content.iter_bytes(10)) == b"A" * 1000


# --- batches --------------------------------------------------------------------------------------


def test_a_batch_is_followed_to_its_end() -> None:
    states = ["validating", "in_progress", "finalizing", "completed"]
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        status = "validating" if request.method == "POST" else states[len(asked) - 2]
        return httpx.Response(200, json={"id": "batch_1", "status": status})

    with AzureResponses(
        "https://r.openai.azure.com",
        api_key="k",
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    ) as client:
        made = client.batches.create(
            completion_window="24h", endpoint="/v1/responses", input_file_id="file-1"
        )
        seen: list[Batch] = []
        ended = client.batches.wait(made.id, poll_interval=0, on_progress=seen.append)
        assert [batch.status for batch in seen] == states
        assert ended.status == "completed"


def test_a_batch_is_made_listed_and_cancelled_only_before_its_end(
    runner: str, emulator: Emulator
) -> None:
    line = {
        "custom_id": "1",
        "method": "POST",
        "url": "/v1/responses",
        "body": {"model": "gpt-4.1-batch", "input": "hi"},
    }

    async def scenario(client: Any) -> None:
        content = json.dumps(line).encode() + b"\n"
        stored = await client.files.create(file=("in.jsonl", content), purpose="batch")
        made = await client.batches.create(
            completion_window="24h",
            endpoint="/v1/responses",
            input_file_id=stored.id,
            metadata={"a": "b"},
        )
        assert made.status == "validating"
        ended = await client.batches.wait(made.id, poll_interval=0)
        assert ended == await client.batches.retrieve(made.id)
        assert [batch.id async for batch in client.batches.list(limit=1)] == [made.id]
        with pytest.raises(ConflictError, match="Cannot cancel"):
            await client.batches.cancel(made.id)

    run(runner, emulator, scenario)


# --- skills ---------------------------------------------------------------------------------------

_SKILL = b"---\nname: tables\ndescription: Reads tables.\n---\nRead the table."


def test_a_skill_has_versions(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        made = await client.skills.create(files=[("tables/SKILL.md", _SKILL)])
        assert (made.name, made.default_version) == ("tables", "1")
        versions = client.skills.versions
        second = await versions.create(
            made.id, files=[("tables/SKILL.md", _SKILL + b" Twice.")], default=False
        )
        changed = await client.skills.update(made.id, default_version=second.version)
        assert changed.default_version == second.version
        assert len([one async for one in versions.list(made.id)]) == 2
        content = await versions.content.retrieve("1", skill_id=made.id)
        with zipfile.ZipFile(io.BytesIO(content.read())) as archive:
            assert archive.read(archive.namelist()[0]) == _SKILL
        newest = await client.skills.content.retrieve(made.id)
        assert newest.read() != content.read()
        assert (await versions.retrieve("1", skill_id=made.id)).version == "1"
        assert (await versions.delete("1", skill_id=made.id)).deleted
        assert [one.id async for one in client.skills.list()] == [made.id]
        assert (await client.skills.delete(made.id)).deleted
        with pytest.raises(NotFoundError):
            await client.skills.retrieve(made.id)

    run(runner, emulator, scenario)


def test_a_skill_may_be_one_zip_file(runner: str, emulator: Emulator) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as written:
        written.writestr("tables/SKILL.md", _SKILL)

    async def scenario(client: Any) -> None:
        made = await client.skills.create(files=("tables.zip", archive.getvalue()))
        assert made.name == "tables"

    run(runner, emulator, scenario)


# --- webhooks -------------------------------------------------------------------------------------

_SECRET = "whsec_c2VjcmV0IG9mIGEgdGVzdA=="
_EVENT = json.dumps(
    {"id": "evt_1", "type": "response.completed", "created_at": 1, "data": {"id": "resp_1"}}
)


@pytest.mark.parametrize("kind", [AzureResponses, AsyncAzureResponses])
@pytest.mark.parametrize("source", ["argument", "client", "environment", "openai's"])
def test_a_webhook_is_unwrapped_with_the_secret_of_its_endpoint(
    kind: Any, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "environment":
        monkeypatch.setenv("AZURE_OPENAI_WEBHOOK_SECRET", f" {_SECRET}\n")
        monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", "another")
    if source == "openai's":
        monkeypatch.setenv("AZURE_OPENAI_WEBHOOK_SECRET", "")
        monkeypatch.setenv("OPENAI_WEBHOOK_SECRET", _SECRET)
    of_client = {"webhook_secret": ["old", _SECRET]} if source == "client" else {}
    client = kind("https://r.openai.azure.com", api_key="k", **of_client)
    of_call = {"secret": _SECRET} if source == "argument" else {}
    headers = sign(_EVENT, "evt_1", int(time.time()), _SECRET)
    event = client.webhooks.unwrap(_EVENT, headers, **of_call)
    assert isinstance(event, ResponseCompletedWebhookEvent)
    client.webhooks.verify_signature(_EVENT.encode(), headers, **of_call)
    with pytest.raises(InvalidWebhookSignatureError):
        client.webhooks.unwrap(_EVENT + " ", headers, **of_call)
    assert "whsec" not in repr(client)


def test_without_a_secret_no_webhook_is_believed() -> None:
    client = AzureResponses("https://r.openai.azure.com", api_key="k")
    with pytest.raises(ConfigurationError, match="no secret") as caught:
        client.webhooks.unwrap(_EVENT, {})
    assert "OPENAI_WEBHOOK_SECRET" in str(caught.value.hint)


def test_webhook_endpoints_are_managed(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        webhooks, url = client.webhooks, "https://example.com/hooks"
        made = await webhooks.create(name="n", url=url, event_types=["batch.completed"])
        assert made.signing_secret.startswith("whsec_")
        shown = await webhooks.retrieve(made.id)
        assert (shown.name, shown.url, shown.event_types) == ("n", url, ["batch.completed"])
        changed = await webhooks.update(made.id, name="m", event_types=["batch.failed"])
        assert (changed.name, changed.url, changed.event_types) == ("m", url, ["batch.failed"])
        assert [one async for one in webhooks.list()] == [changed]
        assert (await webhooks.delete(made.id)).deleted
        with pytest.raises(NotFoundError):
            await webhooks.update(made.id, name="x")

    run(runner, emulator, scenario)


def test_what_azure_does_not_offer_of_webhooks_says_so(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        webhooks = client.webhooks
        made = await webhooks.create(
            name="n", url="https://example.com", event_types=["batch.completed"]
        )
        calls: list[Callable[[], Any]] = [
            lambda: webhooks.rotate_secret(made.id, keep_old_secret_active_for_24_hours=True),
            lambda: webhooks.test(made.id, event_type="batch.completed"),
            lambda: webhooks.event_types.list(),
        ]
        for call in calls:
            with pytest.raises(NotFoundError) as caught:
                await call()
            assert "creates, lists, reads, updates and deletes" in str(caught.value.hint)

    run(runner, emulator, scenario)


# --- token counts ---------------------------------------------------------------------------------


def test_azure_does_not_count_and_the_error_says_what_does(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        with pytest.raises(NotFoundError) as caught:
            await client.responses.input_tokens.count(input="hi")
        assert "`usage` of a response has the count" in str(caught.value.hint)

    run(runner, emulator, scenario)


def test_a_service_that_counts_is_believed() -> None:
    asked: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, json.loads(request.content)))
        body = {"object": "response.input_tokens", "input_tokens": 11}
        return httpx.Response(200, json=body)

    with AzureResponses(
        "https://r.openai.azure.com",
        api_key="k",
        deployment="gpt-5",
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
    ) as client:
        counted = client.responses.input_tokens.count(input="hi", tools=[], truncation="auto")
    assert counted.input_tokens == 11
    body = {"model": "gpt-5", "input": "hi", "tools": [], "truncation": "auto"}
    assert asked == [("/openai/v1/responses/input_tokens", body)]


def test_claude_counts_what_a_response_would_send(runner: str, emulator: Emulator) -> None:
    async def scenario(client: Any) -> None:
        model = "claude-sonnet-4-5"
        tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
        asked = {"model": model, "input": "How long?", "instructions": "Be short."}
        made = await client.responses.create(**asked, tools=[tool])
        counted = await client.responses.input_tokens.count(**asked, tools=[tool])
        assert counted.input_tokens == made.usage.input_tokens
        assert not counted.is_estimate
        assert emulator.requests[-1].path.endswith("/anthropic/v1/messages/count_tokens")
        longer = await client.responses.input_tokens.count(
            model=model, input="And now?", previous_response_id=made.id
        )
        assert longer.input_tokens > counted.input_tokens - 20

    run(runner, emulator, scenario)


def test_over_chat_a_count_is_an_estimate_and_nothing_is_sent(
    runner: str, emulator: Emulator
) -> None:
    async def scenario(client: Any) -> None:
        counted = await client.responses.input_tokens.count(
            input="word " * 100, model="kimi-k2.5", extra_headers={"x-a": "1"}
        )
        assert (counted.input_tokens, counted.is_estimate) == (125, True)
        assert counted.object == "response.input_tokens"
        assert not emulator.requests

    run(runner, emulator, scenario)
