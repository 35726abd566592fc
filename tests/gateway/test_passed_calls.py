"""Embeddings, images and audio through the gateway, by the openai package and by curl."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from azure_responses.emulator import Emulator
from tests.gateway.gateways import KEY, Running, serve
from tests.gateway.upstreams import Sent, Upstream, reply, serve_upstream

MODELS = {
    "emb": "text-embedding-3-small",
    "image": "gpt-image-1",
    "hear": "gpt-4o-transcribe",
    "whisper": "whisper",
    "speak": "tts",
}


def config(*upstreams: Upstream, version: str | None = None, **general: Any) -> dict[str, Any]:
    entries = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"azure/my-{name}",
                "api_base": upstream.url,
                "api_key": f"key-{number}",
                **({"api_version": version} if version else {}),
            },
            "model_info": {
                "id": f"{name}-{number}",
                "base_model": model,
                "mode": "embedding" if name == "emb" else "audio_speech",
            },
        }
        for number, upstream in enumerate(upstreams)
        for name, model in MODELS.items()
    ]
    return {
        "model_list": entries,
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32, **general},
        "virtual_keys": [{"key": "sk-limited-" + "0" * 40, "name": "limited", "models": ["emb"]}],
    }


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with serve_upstream() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    log = tmp_path_factory.mktemp("spend") / "spend.jsonl"
    with serve(config(upstream, spend_log=str(log))) as one:
        one.log = log  # type: ignore[attr-defined]
        yield one


@pytest.fixture(autouse=True)
def _anew(upstream: Upstream, gateway: Running) -> None:
    upstream.sent.clear()
    upstream.answers.clear()
    gateway.known = lines_of(gateway)  # type: ignore[attr-defined]


def lines_of(gateway: Running) -> list[str]:
    log: Path = gateway.log  # type: ignore[attr-defined]
    return log.read_text().splitlines() if log.exists() else []


def client_of(gateway: Running, **options: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key=KEY, base_url=f"{gateway.url}/v1", max_retries=0, **options)


@pytest.fixture
def client(gateway: Running) -> Iterator[openai.OpenAI]:
    with client_of(gateway) as one:
        yield one


def spent(gateway: Running, operation: str) -> dict[str, Any]:
    """The line of the spend log that is new."""
    for _ in range(200):
        new = lines_of(gateway)[len(gateway.known) :]  # type: ignore[attr-defined]
        found = [line for line in map(json.loads, new) if line["operation"] == operation]
        if found:
            return found[-1]  # type: ignore[no-any-return]
        time.sleep(0.02)
    raise AssertionError(f"there is no {operation}")


def test_embeddings_pass_with_the_deployments_own_name(
    client: openai.OpenAI, upstream: Upstream, gateway: Running
) -> None:
    made = client.embeddings.create(model="emb", input=["one", "two"], encoding_format="float")
    assert made.data[0].embedding == [0.25, -0.0000001]
    (sent,) = upstream.sent
    assert sent.path == "/openai/v1/embeddings"
    assert sent.json == {"model": "my-emb", "input": ["one", "two"], "encoding_format": "float"}
    assert sent.headers["api-key"] == "key-0"
    line = spent(gateway, "embeddings")
    # 1000 x $0.022 per million
    assert (float(line["cost"]), line["usage"]["input_tokens"]) == (0.000022, 1000)
    assert (line["model_group"], line["call_type"]) == ("emb", "embeddings")


def test_a_reply_passes_byte_for_byte(gateway: Running, upstream: Upstream) -> None:
    body = b'{"object":"list", "data":[ 1.00e-3 ],\n"usage":{"prompt_tokens":1,"total_tokens":1}}'
    upstream.answers["embeddings"] = whole(body)
    with gateway.client() as http:
        found = http.post("/v1/embeddings", json={"model": "emb", "input": "x"})
    assert found.content == body
    assert found.headers["content-type"] == "application/json"


def whole(body: bytes, kind: str = "application/json", status: str = "200 OK") -> Any:
    async def answer(sent: Sent, writer: asyncio.StreamWriter) -> None:
        reply(writer, body, kind, status)

    return answer


def test_images_are_made(client: openai.OpenAI, upstream: Upstream, gateway: Running) -> None:
    made = client.images.generate(model="image", prompt="A cat.")
    assert made.data is not None
    assert made.data[0].b64_json == "AAAA"
    assert upstream.sent[0].path == "/openai/v1/images/generations"
    assert float(spent(gateway, "images.generations")["cost"]) == 0.0407


def test_images_are_edited(client: openai.OpenAI, upstream: Upstream) -> None:
    images = [("a.png", b"\x89PNG" * 1000, "image/png"), ("b.png", b"PNG", "image/png")]
    client.images.edit(model="image", image=images, prompt="A dög.")
    (sent,) = upstream.sent
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="model"\r\n\r\nmy-image\r\n' in sent.body
    assert b"\x89PNG" * 1000 in sent.body
    assert "A dög.".encode() in sent.body


def test_speech_is_written_down(
    client: openai.OpenAI, upstream: Upstream, gateway: Running
) -> None:
    made = client.audio.transcriptions.create(model="hear", file=("a.mp3", b"\xff\xfb" * 500))
    assert made.text == "Hello."
    assert b'name="model"\r\n\r\nmy-hear\r\n' in upstream.sent[0].body
    assert float(spent(gateway, "audio.transcriptions")["cost"]) == 0.00052


# Both are deprecated in the openai package.
@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_translations_and_variations_pass(
    client: openai.OpenAI, upstream: Upstream, gateway: Running
) -> None:
    translated = client.audio.translations.create(model="whisper", file=("a.mp3", b"\xff"))
    assert translated.text == "Hello."
    # 10 s at $0.0001
    assert float(spent(gateway, "audio.translations")["cost"]) == 0.001
    client.images.create_variation(model="image", image=("b.png", b"PNG", "image/png"))
    assert upstream.sent[1].path == "/openai/v1/images/variations"
    # An operator sees that no price is known.
    assert spent(gateway, "images.variations")["cost"] is None


def test_a_transcription_may_be_text(client: openai.OpenAI, upstream: Upstream) -> None:
    upstream.answers["transcriptions"] = whole(b"1\n00:00 --> 00:01\nHi", "text/plain; x=y")
    made = client.audio.transcriptions.create(
        model="whisper", file=("a.mp3", b"\xff"), response_format="srt"
    )
    assert made == "1\n00:00 --> 00:01\nHi"


def chunked(*pieces: bytes, kind: str, ending: bytes = b"0\r\n\r\n", pause: float = 0.0) -> Any:
    async def answer(sent: Sent, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head.encode())
        for piece in pieces:
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(pause)
        writer.write(ending)
        await writer.drain()
        if not ending:
            writer.close()

    return answer


def test_speech_arrives_while_it_is_made(
    client: openai.OpenAI, upstream: Upstream, gateway: Running
) -> None:
    upstream.answers["speech"] = chunked(*[b"\x00\xff" * 500] * 3, kind="audio/mpeg", pause=0.05)
    with client.audio.speech.with_streaming_response.create(
        model="speak", voice="alloy", input="x" * 1000
    ) as found:
        assert found.headers["content-type"] == "audio/mpeg"
        assert b"".join(found.iter_bytes()) == b"\x00\xff" * 1500
    assert upstream.sent[0].json["model"] == "my-speak"
    assert float(spent(gateway, "audio.speech")["cost"]) == 0.015


def test_speech_that_breaks_off_does_not_look_whole(gateway: Running, upstream: Upstream) -> None:
    upstream.answers["speech"] = chunked(b"\x00" * 99, kind="audio/mpeg", ending=b"", pause=0.05)
    with gateway.client() as http, pytest.raises(httpx.RemoteProtocolError):
        http.post("/v1/audio/speech", json={"model": "speak", "voice": "a", "input": "x"})


def event(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def test_images_are_streamed(client: openai.OpenAI, upstream: Upstream, gateway: Running) -> None:
    usage = {
        "total_tokens": 50,
        "input_tokens": 50,
        "output_tokens": 0,
        "input_tokens_details": {"text_tokens": 50, "image_tokens": 0},
    }
    first = event("image_generation.partial_image", b64_json="A" * 5000, partial_image_index=0)
    last = event("image_generation.completed", b64_json="AA", usage=usage)
    upstream.answers["generations"] = chunked(
        first[:100], first[100:] + last[:-1], last[-1:], kind="text/event-stream", pause=0.02
    )
    events = list(client.images.generate(model="image", prompt="A cat.", stream=True))
    assert [one.type for one in events] == [
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert upstream.sent[0].json["stream"] is True
    line = spent(gateway, "images.generations")
    assert (float(line["cost"]), line["stream"]) == (0.00025, True)


def test_a_form_may_ask_for_a_stream(client: openai.OpenAI, upstream: Upstream) -> None:
    delta = event("transcript.text.delta", delta="Hi")
    upstream.answers["transcriptions"] = chunked(
        delta, event("transcript.text.done", text="Hi"), kind="text/event-stream"
    )
    events = client.audio.transcriptions.create(model="hear", file=("a.mp3", b"\xff"), stream=True)
    assert [one.type for one in events] == ["transcript.text.delta", "transcript.text.done"]


def test_a_stream_that_breaks_off_ends_with_an_error(
    client: openai.OpenAI, upstream: Upstream
) -> None:
    first = event("image_generation.partial_image", b64_json="A", partial_image_index=0)
    upstream.answers["generations"] = chunked(
        first, kind="text/event-stream", ending=b"", pause=0.05
    )
    with pytest.raises(openai.APIError):
        list(client.images.generate(model="image", prompt="A cat.", stream=True))


def test_a_failure_is_answered_as_azure_says_it(client: openai.OpenAI, upstream: Upstream) -> None:
    error = {"error": {"code": "content_policy_violation", "message": "No.", "type": "x"}}
    upstream.answers["generations"] = whole(json.dumps(error).encode(), status="400 Bad Request")
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="image", prompt="A cat.")
    assert caught.value.code == "content_policy_violation"


def test_a_page_in_the_place_of_an_answer_is_an_error(
    client: openai.OpenAI, upstream: Upstream
) -> None:
    upstream.answers["embeddings"] = whole(b"<html>", "text/html")
    with pytest.raises(openai.APIStatusError):
        client.embeddings.create(model="emb", input="x")


def test_what_a_deployment_does_not_offer_gets_a_hint(gateway: Running, upstream: Upstream) -> None:
    upstream.answers["generations"] = whole(
        b'{"error":{"code":"404","message":"Resource not found"}}', status="404 Not Found"
    )
    with gateway.client() as http:
        found = http.post("/v1/images/generations", json={"model": "image", "prompt": "x"})
        assert found.status_code == 404
        assert "api_version" in found.json()["error"]["hint"]
        # No cooldown: the deployment is not at fault.
        upstream.answers.clear()
        assert http.post("/v1/images/generations", json={"model": "image"}).status_code == 200


def test_a_key_is_for_its_models_only(gateway: Running, upstream: Upstream) -> None:
    with gateway.client("sk-limited-" + "0" * 40) as http:
        ok = http.post("/v1/embeddings", json={"model": "emb", "input": "x"})
        refused = http.post("/v1/images/generations", json={"model": "image", "prompt": "x"})
        file = {"file": ("a.mp3", b"x")}
        form = http.post("/v1/audio/transcriptions", data={"model": "hear"}, files=file)
    assert ok.status_code == 200
    assert (refused.status_code, form.status_code) == (403, 403)
    assert upstream.paths() == ["/openai/v1/embeddings"]


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        ("/v1/embeddings", {"json": {"input": "x"}}),
        ("/v1/embeddings", {"json": {"model": "unknown", "input": "x"}}),
        ("/v1/embeddings", {"content": b"{"}),
        ("/v1/embeddings", {"json": {"model": "emb", "api_base": "http://x"}}),
        ("/v1/embeddings", {"json": {"model": "emb", "stream": True}}),
        ("/v1/embeddings", {"data": {"model": "emb"}, "files": {"f": b"x"}}),
        ("/v1/audio/transcriptions", {"data": {"api_key": "x"}, "files": {"file": b"x"}}),
        ("/v1/audio/transcriptions", {"data": {"model": ["hear", "x"]}, "files": {"file": b"x"}}),
        ("/v1/audio/transcriptions", {"data": {}, "files": {"file": b"x"}}),
        (
            "/v1/audio/transcriptions",
            {
                "content": b"--x\r\n",
                "headers": {"content-type": "multipart/form-data; boundary=x"},
            },
        ),
        (
            "/v1/audio/transcriptions",
            {"content": b"", "headers": {"content-type": "multipart/form-data"}},
        ),
    ],
)
def test_what_cannot_be_passed_is_refused(
    gateway: Running, upstream: Upstream, path: str, request_: dict[str, Any]
) -> None:
    with gateway.client() as http:
        found = http.post(path, **request_)
    assert found.status_code in (400, 404, 415), found.text
    assert "error" in found.json()
    assert upstream.sent == []


def test_curl_sends_fields_in_any_order(
    gateway: Running, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "a.mp3").write_bytes(b"\xff\xfb" * 100)
    for order in (
        ["-F", "file=@a.mp3", "-F", "model=hear"],
        ["-F", "model=hear", "-F", "file=@a.mp3"],
    ):
        url = f"{gateway.url}/v1/audio/transcriptions"
        command = ["curl", "-sS", "-H", f"Authorization: Bearer {KEY}", *order, url]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=20, check=True)
        assert json.loads(found.stdout)["text"] == "Hello."
        assert b"my-hear" in upstream.sent[-1].body


def test_azure_clients_name_the_deployment_in_the_path(
    gateway: Running, upstream: Upstream
) -> None:
    azure = openai.AzureOpenAI(
        api_key=KEY, azure_endpoint=gateway.url, api_version="2024-10-21", max_retries=0
    )
    with azure:
        azure.embeddings.create(model="emb", input="x")
        azure.audio.transcriptions.create(model="hear", file=("a.mp3", b"x"))
    assert upstream.paths() == ["/openai/v1/embeddings", "/openai/v1/audio/transcriptions"]
    assert upstream.sent[0].json["model"] == "my-emb"


# The warning is about responses only.
@pytest.mark.filterwarnings("ignore:api_version '2024-10-21' is older:UserWarning")
@pytest.mark.parametrize("version", ["2025-04-01-preview", "2024-10-21"])
def test_dated_versions_have_the_deployment_in_the_path(upstream: Upstream, version: str) -> None:
    with serve(config(upstream, version=version)) as gateway, client_of(gateway) as client:
        client.embeddings.create(model="emb", input="x")
        client.audio.transcriptions.create(model="hear", file=("a.mp3", b"x"))
    assert upstream.paths() == [
        f"/openai/deployments/my-emb/embeddings?api-version={version}",
        f"/openai/deployments/my-hear/audio/transcriptions?api-version={version}",
    ]


def test_another_resource_takes_over(upstream: Upstream) -> None:
    with serve_upstream() as broken:
        for name in ("embeddings", "transcriptions", "speech", "generations"):
            broken.answers[name] = whole(b"{}", status="500 Internal Server Error")
        upstream.answers["speech"] = whole(b"sound", "audio/mpeg")
        with serve(config(broken, upstream)) as gateway, client_of(gateway) as client:
            # Each call goes to one of two: with so many the broken one is never left out.
            for _ in range(8):
                client.embeddings.create(model="emb", input="x")
                client.audio.transcriptions.create(model="hear", file=("a.mp3", b"\xff" * 999))
                made = client.audio.speech.create(model="speak", voice="alloy", input="x")
                assert made.content == b"sound"
    assert len(upstream.sent) == 24
    assert broken.sent


def test_a_responses_call_to_embeddings_gets_azures_error(
    gateway: Running, upstream: Upstream
) -> None:
    error = {"error": {"code": "OperationNotSupported", "message": "Not with this model."}}
    refusal = whole(json.dumps(error).encode(), status="400 Bad Request")
    upstream.answers |= {"responses": refusal, "completions": refusal}
    with gateway.client() as http:
        found = http.post("/v1/responses", json={"model": "emb", "input": "x"})
    assert found.status_code == 400
    assert "Not with this model." in found.json()["error"]["message"]


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_the_openai_package_over_the_emulator(tmp_path: Path) -> None:
    log = tmp_path / "spend.jsonl"
    names = ["text-embedding-3-small", "gpt-image-1", "tts", "whisper", "gpt-4o-transcribe"]
    with Emulator().serve() as server:
        params = {"api_base": server.url, "api_key": server.emulator.api_key}
        entries = [
            {"model_name": name, "litellm_params": {"model": f"azure/{name}", **params}}
            for name in names
        ]
        general = {"master_key": KEY, "spend_log": str(log), "spend_flush_interval": 0.1}
        settings = {"model_list": entries, "general_settings": general}
        with serve(settings) as gateway, client_of(gateway) as client:
            made = client.embeddings.create(model=names[0], input=["a", "b"], dimensions=8)
            assert [len(one.embedding) for one in made.data] == [8, 8]
            client.images.edit(model=names[1], image=("a.png", b"\x89PNG"), prompt="Make it red.")
            events = client.images.generate(model=names[1], prompt="A cat.", stream=True)
            assert [one.type for one in events][-1] == "image_generation.completed"
            with client.audio.speech.with_streaming_response.create(
                model="tts", input="Hello there.", voice="alloy", response_format="wav"
            ) as reply:
                sound = ("a.wav", b"".join(reply.iter_bytes()))
            for model in names[3:]:
                heard = client.audio.transcriptions.create(model=model, file=sound)
                assert heard.text == "Hello there."
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["operation"] for line in lines} == {
        "embeddings",
        "images.edits",
        "images.generations",
        "audio.speech",
        "audio.transcriptions",
    }
    priced = {line["deployment"]: line["cost"] for line in lines}
    assert None not in (priced[name] for name in names if name != "whisper")
