"""Every client operation, replayed from cassettes with the network blocked.

`scripts/record` makes the cassettes anew from the emulator, over a loopback socket;
`scripts/record azure` makes them from the resource that AZURE_OPENAI_ENDPOINT names.
"""

import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from azure_responses import AsyncAzureResponses, AzureResponses, DeploymentNotFoundError
from azure_responses.cassettes import PLACEHOLDER_HOST, Scrubber, make_vcr
from azure_responses.emulator import Emulator, Latency
from tests.clients.both import seen_as_async

_FOLDER = Path(__file__).parent / "cassettes"
_SOURCE = os.environ.get("AZURE_RESPONSES_RECORD", "")
_LABELS = {
    "emulator": "from the azure-responses emulator over a loopback socket, not from Azure",
    "azure": "from an Azure OpenAI resource",
}
_CHAT, _REASONING = "gpt-4.1", "gpt-5-mini"


class Capital(BaseModel):
    """What the structured scenario asks for."""

    country: str
    city: str


_WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


async def text(client: Any) -> None:
    response = await client.responses.create(model=_CHAT, input="Reply with exactly: pong")
    assert response.output_text == "pong"


async def streamed_text(client: Any) -> None:
    async with client.responses.stream(model=_CHAT, input="Reply with exactly: pong") as stream:
        assert "".join([piece async for piece in stream.text_deltas()]) == "pong"
        assert (await stream.get_final_response()).status == "completed"


async def structured(client: Any) -> None:
    response = await client.responses.parse(
        model=_CHAT, input="What is the capital of France?", text_format=Capital
    )
    assert isinstance(response.output_parsed, Capital)


async def tool_call(client: Any) -> None:
    question = {"role": "user", "content": "What is the weather in Paris?"}
    first = await client.responses.create(
        model=_CHAT, input=[question], tools=[_WEATHER], tool_choice="required"
    )
    call = first.output[0]
    assert call.name == "get_weather"
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "19 degrees"}
    second = await client.responses.create(
        model=_CHAT, input=[question, call, result], tools=[_WEATHER]
    )
    assert "19" in second.output_text


async def encrypted_reasoning(client: Any) -> None:
    response = await client.responses.create(
        model=_REASONING,
        input="What is 17 * 3?",
        reasoning={"summary": "auto"},
        store=False,
        include=["reasoning.encrypted_content"],
    )
    assert response.output[0].type == "reasoning"
    assert response.output[0].encrypted_content
    assert "51" in response.output_text


async def conversation(client: Any) -> None:
    first = await client.responses.create(model=_CHAT, input="My name is Ada.")
    second = await client.responses.create(
        model=_CHAT, input="What is my name?", previous_response_id=first.id
    )
    assert "Ada" in second.output_text


async def stored(client: Any) -> None:
    created = await client.responses.create(model=_CHAT, input="Reply with exactly: pong")
    assert (await client.responses.retrieve(created.id)).output_text == "pong"
    items = [item async for item in client.responses.input_items.list(created.id)]
    assert len(items) == 1
    assert (await client.responses.delete(created.id)).deleted


async def background(client: Any) -> None:
    created = await client.responses.create(
        model=_CHAT, input="Reply with exactly: pong", background=True
    )
    finished = await client.responses.wait(created.id, poll_interval=0.2)
    assert finished.output_text == "pong"


async def cancelled(client: Any) -> None:
    created = await client.responses.create(
        model=_CHAT, input="Write an essay of ten pages.", background=True
    )
    assert (await client.responses.cancel(created.id)).status == "cancelled"


async def resumed_stream(client: Any) -> None:
    stream = await client.responses.create(
        model=_CHAT, input="Count from 1 to 5.", background=True, stream=True
    )
    events = [event async for event in stream]
    again = await client.responses.retrieve(events[-1].response.id, stream=True, starting_after=3)
    replayed = [event async for event in again]
    assert [event.sequence_number for event in replayed] == list(range(4, len(events)))


async def compacted(client: Any) -> None:
    result = await client.responses.compact(model=_CHAT, input="My name is Ada.")
    assert result.output


async def models(client: Any) -> None:
    assert (await client.models.list()).data


async def raw(client: Any) -> None:
    reply = await client.responses.with_raw_response.create(
        model=_CHAT, input="Reply with exactly: pong"
    )
    assert reply.status_code == 200
    assert reply.request_id == "00000000-0000-0000-0000-000000000000" or _SOURCE


async def missing_deployment(client: Any) -> None:
    with pytest.raises(DeploymentNotFoundError):
        await client.responses.create(model="there-is-no-such-deployment", input="hi")


_SCENARIOS = [
    text,
    streamed_text,
    structured,
    tool_call,
    encrypted_reasoning,
    conversation,
    stored,
    background,
    cancelled,
    resumed_stream,
    compacted,
    models,
    raw,
    missing_deployment,
]


@pytest.fixture
def where(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The client's settings: the emulator or Azure when recording, nowhere when replaying."""
    if _SOURCE == "azure":
        yield {}
    elif _SOURCE == "emulator":
        from azure_responses.emulator import EmulatedDeployment, Resource
        from azure_responses.emulator.server import RunningServer

        slow = Latency(queued=0.1, running=0.3)
        deployments = [EmulatedDeployment(name) for name in (_CHAT, _REASONING)]
        emulator = Emulator([Resource("recorded", deployments=deployments)], latency=slow)
        with RunningServer(emulator) as server:
            yield {"endpoint": server.url, "api_key": emulator.api_key}
    else:
        _block_network(monkeypatch)
        yield {"endpoint": f"https://{PLACEHOLDER_HOST}", "api_key": "replayed"}


def _block_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a replayed test reached for the network")

    # asyncio's own wake-up socket is made by socketpair, which connects nothing.
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)


def _recorder() -> Any:
    mode = "all" if _SOURCE else "none"
    return make_vcr(str(_FOLDER), label=_LABELS.get(_SOURCE), record_mode=mode)


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=lambda scenario: str(scenario.__name__))
def test_sync_operations_replay(scenario: Any, where: dict[str, Any]) -> None:
    with (
        _recorder().use_cassette(f"sync/{scenario.__name__}.yaml") as cassette,
        AzureResponses(max_retries=0, **where) as client,
    ):
        coroutine = scenario(seen_as_async(client))
        with pytest.raises(StopIteration):
            coroutine.send(None)
    assert _SOURCE or cassette.all_played


@pytest.mark.parametrize("scenario", _SCENARIOS, ids=lambda scenario: str(scenario.__name__))
def test_async_operations_replay(scenario: Any, where: dict[str, Any]) -> None:
    async def main() -> None:
        async with AsyncAzureResponses(max_retries=0, **where) as client:
            await scenario(client)

    with _recorder().use_cassette(f"async/{scenario.__name__}.yaml") as cassette:
        anyio.run(main)
    assert _SOURCE or cassette.all_played


def _cassettes() -> list[Path]:
    return sorted(_FOLDER.rglob("*.yaml"))


_SECRETS = [
    r"api-key",
    r"authorization",
    r"bearer",
    r"cookie",
    r"subscription",
    r"emulator-key",
    r"eyJ[\w-]{10}",
    r"gAAAA",
    r"\b[0-9a-f]{32}\b",
    r"\b(?!0{8}-)[0-9a-f]{8}-[0-9a-f]{4}-",
    r"\b(?!resource\.)[\w-]+\.(openai|cognitiveservices|services\.ai)\.azure\.",
    r"127\.0\.0\.1|localhost",
]


@pytest.mark.parametrize("pattern", _SECRETS)
def test_no_cassette_holds_anything_that_looks_like_a_secret(pattern: str) -> None:
    assert len(_cassettes()) == 2 * len(_SCENARIOS)
    for path in _cassettes():
        found = re.search(pattern, path.read_text(encoding="utf-8"), re.IGNORECASE)
        assert found is None, f"{path.name}: {found}"


def test_every_cassette_says_where_it_was_recorded() -> None:
    for path in _cassettes():
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        assert first.removeprefix("recorded: ") in _LABELS.values(), path.name


def test_streams_are_kept_as_readable_text() -> None:
    for folder in ("sync", "async"):
        cassette = (_FOLDER / folder / "streamed_text.yaml").read_text(encoding="utf-8")
        assert re.search(r"^ +event: response\.created$", cassette, re.MULTILINE)


def _scrubbed(body: str, *, host: str = "contoso-eu.openai.azure.com") -> tuple[Any, str]:
    import vcr.request

    scrubber = Scrubber()
    request = scrubber.request(
        vcr.request.Request(
            "POST",
            f"https://{host}/team/openai/v1/responses?subscription-key=abc123&api-version=preview",
            body.encode(),
            {"api-key": "k" * 32, "Cookie": "a=b", "Content-Type": "application/json"},
        )
    )
    reply = {
        "status": {"code": 200, "message": "OK"},
        "headers": {
            "Content-Type": ["text/event-stream"],
            "Set-Cookie": ["a=b"],
            "apim-request-id": ["985e0c9d-1234-1234-1234-123456789012"],
            "x-ratelimit-remaining-tokens": ["5"],
        },
        "body": {"string": body.encode()},
    }
    text = scrubber.response(reply)
    assert "Set-Cookie" not in text["headers"]
    assert text["headers"]["apim-request-id"] == ["00000000-0000-0000-0000-000000000000"]
    assert text["headers"]["x-ratelimit-remaining-tokens"] == ["5"]
    return request, text["body"]["string"].decode()


def test_requests_keep_path_and_version_and_lose_host_and_secrets() -> None:
    request, _ = _scrubbed("{}")
    assert request.uri == (
        "https://resource.openai.azure.com/team/openai/v1/responses?api-version=preview"
    )
    assert request.headers == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "secret",
    [
        "k" * 32,
        "contoso-eu",
        "fabrikam.cognitiveservices.azure.com",
        "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln",
        "gAAAAABo0123456789abcdef0123456789==",
        "2f1f3c2a-0000-4000-8000-1234567890ab",
    ],
)
def test_a_secret_is_taken_out_wherever_it_stands(secret: str) -> None:
    body = f'{{"input":"hello {secret} there","error":{{"message":"bad {secret}"}}}}'
    request, reply = _scrubbed(body)
    assert secret not in request.body.decode()
    assert secret not in reply
    assert "hello" in reply


def test_encrypted_reasoning_is_taken_out_of_json_and_of_streams() -> None:
    _, reply = _scrubbed('data: {"item":{"encrypted_content": "abc/def=="}}\n\n')
    assert reply == 'data: {"item":{"encrypted_content": "scrubbed"}}\n\n'


def test_vcrpy_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vcr", None)
    with pytest.raises(ModuleNotFoundError, match="pip install vcrpy"):
        make_vcr("cassettes")


def test_a_placeholder_for_a_key_garbles_no_cassette() -> None:
    import vcr.request

    scrubber, body = Scrubber(), '{"input":"a test","model":"gpt-5"}'
    uri = "https://contoso-eu.openai.azure.com/openai/v1/responses"
    for key in ("e", "test", "5", '"'):
        sent = vcr.request.Request("POST", uri, body.encode(), {"api-key": key})
        assert scrubber.request(sent).body == body.encode()


@pytest.mark.parametrize("side", ["sync", "asyncio", "trio"])
def test_an_upload_is_played_back_although_its_boundary_is_another(
    side: str, tmp_path: Path
) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"{}"

    async def upload(url: str) -> str:
        async with AsyncAzureResponses(url, api_key="emulator-key") as client:
            return (await client.files.create(file=("a.jsonl", pieces()), purpose="batch")).id

    def run(url: str) -> str:
        with make_vcr(str(tmp_path)).use_cassette("upload.yaml"):
            if side != "sync":
                return anyio.run(upload, url, backend=side)
            with AzureResponses(url, api_key="emulator-key") as client:
                return client.files.create(file=("a.jsonl", pieces()), purpose="batch").id

    with Emulator().serve() as server:
        recorded = run(server.url)
    assert run("http://127.0.0.1:1") == recorded
