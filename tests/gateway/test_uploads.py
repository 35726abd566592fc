"""Files through the gateway: uploads and downloads that are longer than what is held."""

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.gateway.gateways import KEY, Running, run_process, serve
from tests.gateway.upstreams import Sent, Upstream, reply, serve_upstream

MIB = 1024 * 1024
LIMITED = "sk-limited-" + "0" * 40


def config(*upstreams: Upstream, **general: Any) -> dict[str, Any]:
    return {
        "model_list": [
            {
                "model_name": f"gpt-{number}",
                "litellm_params": {
                    "model": "azure/gpt",
                    "api_base": upstream.url,
                    "api_key": f"key-{number}",
                },
            }
            for number, upstream in enumerate(upstreams)
        ],
        "general_settings": {"master_key": KEY, "affinity_secret": "s" * 32, **general},
        "virtual_keys": [{"key": LIMITED, "name": "limited", "max_upload_bytes": 2 * MIB}],
    }


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with serve_upstream() as one:
        yield one


@pytest.fixture(scope="module")
def other() -> Iterator[Upstream]:
    with serve_upstream() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(upstream: Upstream) -> Iterator[Running]:
    with serve(config(upstream)) as one:
        yield one


@pytest.fixture(scope="module")
def pair(upstream: Upstream, other: Upstream) -> Iterator[Running]:
    with serve(config(upstream, other)) as one:
        yield one


@pytest.fixture(autouse=True)
def _anew(upstream: Upstream, other: Upstream) -> None:
    for one in (upstream, other):
        one.sent.clear()
        one.answers.clear()
        one.pause = 0.0


def client_of(gateway: Running, key: str = KEY) -> openai.OpenAI:
    return openai.OpenAI(api_key=key, base_url=f"{gateway.url}/v1", max_retries=0)


def wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def curl(gateway: Running, *arguments: str, folder: Path) -> Any:
    command = ["curl", "-sS", "-H", f"Authorization: Bearer {KEY}", *arguments]
    url = f"{gateway.url}/v1/files"
    found = subprocess.run([*command, url], cwd=folder, capture_output=True, timeout=60, check=True)
    return json.loads(found.stdout)


@pytest.mark.parametrize("size", [10, 5 * MIB])
def test_the_openai_package_uploads(gateway: Running, upstream: Upstream, size: int) -> None:
    content = b"0123456789\n" * (size // 11 + 1)
    with client_of(gateway) as client:
        made = client.files.create(file=("a.jsonl", content), purpose="assistants")
    assert made.id != "file-1"
    (sent,) = upstream.sent
    assert sent.headers["content-length"] == str(sent.size)
    assert "transfer-encoding" not in sent.headers
    assert b'name="purpose"\r\n\r\nassistants\r\n' in sent.body
    assert sent.size > len(content)


@pytest.mark.parametrize("size", [10, 3 * MIB])
def test_curl_sends_fields_in_any_order(
    pair: Running, upstream: Upstream, other: Upstream, tmp_path: Path, size: int
) -> None:
    (tmp_path / "a.txt").write_bytes(b"x" * size)
    fields = ["purpose=assistants", "model=gpt-1", "file=@a.txt"]
    for order in (fields, fields[::-1], [fields[0], fields[2], fields[1]]):
        arguments = [part for one in order for part in ("-F", one)]
        assert curl(pair, *arguments, folder=tmp_path)["object"] == "file"
    assert (len(upstream.sent), len(other.sent)) == (0, 3)
    for sent in other.sent:
        assert b"assistants" in sent.body or size > 10
        assert b'name="model"' not in sent.body


def test_litellms_fields_choose_the_resource_and_are_not_sent(
    pair: Running, other: Upstream
) -> None:
    with client_of(pair) as client:
        client.files.create(
            file=("a.txt", b"x" * 2 * MIB),
            purpose="assistants",
            extra_body={"target_model_names": "gpt-1", "custom_llm_provider": "azure"},
        )
    (sent,) = other.sent
    assert b"target_model_names" not in sent.body
    assert b"custom_llm_provider" not in sent.body


def test_without_a_choice_the_caller_is_asked_for_one(
    pair: Running, upstream: Upstream, other: Upstream
) -> None:
    for size in (10, 3 * MIB):
        with client_of(pair) as client, pytest.raises(openai.BadRequestError) as caught:
            client.files.create(file=("a.txt", b"x" * size), purpose="assistants")
        assert "gpt-0" in str(caught.value.body)
    assert upstream.sent == other.sent == []


def test_an_upload_of_unknown_length_is_sent_in_chunks(
    gateway: Running, upstream: Upstream
) -> None:
    head = (
        b'--XX\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )

    def pieces() -> Iterator[bytes]:
        yield head
        for _ in range(48):
            yield b"x" * 64 * 1024
        yield b"\r\n--XX--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=XX"}
    with gateway.client() as http:
        found = http.post("/v1/files", content=pieces(), headers=headers)
    assert found.status_code == 200
    (sent,) = upstream.sent
    assert sent.headers["transfer-encoding"] == "chunked"
    assert sent.size == len(head) + 3 * MIB + len(b"\r\n--XX--\r\n")


class HalfSent:
    """A connection over which a form is sent in part."""

    def __init__(self, gateway: Running, length: int | None) -> None:
        host, port = gateway.url.removeprefix("http://").split(":")
        self.connection = socket.create_connection((host, int(port)), timeout=10)
        framing = f"content-length: {length}" if length else "transfer-encoding: chunked"
        self.is_chunked = length is None
        head = (
            f"POST /v1/files HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {KEY}\r\n"
            f"content-type: multipart/form-data; boundary=XX\r\n{framing}\r\n\r\n"
        )
        self.connection.sendall(head.encode())

    def send(self, data: bytes) -> None:
        self.connection.sendall(b"%x\r\n%b\r\n" % (len(data), data) if self.is_chunked else data)

    def status(self) -> int:
        return int(self.connection.recv(64 * 1024).split(b" ")[1])


FORM = (
    b'--XX\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
)


def test_who_leaves_in_the_middle_ends_the_upload(gateway: Running, upstream: Upstream) -> None:
    half = HalfSent(gateway, 20 * MIB)
    half.send(FORM + b"x" * 4 * MIB)
    wait(lambda: bool(upstream.sent) and upstream.sent[0].size > 0)
    half.connection.close()
    time.sleep(0.3)
    (sent,) = upstream.sent
    assert not sent.is_whole
    wait(lambda: gateway.app.gateway.uploads.in_progress == 0)


@pytest.mark.parametrize("ending", [b"", b"\r\n--XX\r\n", b"\r\n--YY--\r\n"])
@pytest.mark.parametrize("size", [100, 4 * MIB])
@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_form_without_its_end_is_refused_and_never_whole_upstream(
    gateway: Running, upstream: Upstream, ending: bytes, size: int, is_chunked: bool
) -> None:
    body = FORM + b"x" * size + ending
    half = HalfSent(gateway, None if is_chunked else len(body))
    half.send(body)
    if is_chunked:
        half.connection.sendall(b"0\r\n\r\n")
    assert half.status() == 400
    half.connection.close()
    time.sleep(0.05)
    assert not any(sent.is_whole for sent in upstream.sent)


def test_an_upload_that_is_too_long_is_refused(gateway: Running, upstream: Upstream) -> None:
    with client_of(gateway, LIMITED) as client:
        client.files.create(file=("a.txt", b"x" * 2 * MIB), purpose="assistants")
        with pytest.raises(openai.APIStatusError) as caught:
            client.files.create(file=("a.txt", b"x" * 4 * MIB), purpose="assistants")
    assert caught.value.status_code == 413
    assert "max_upload_bytes of this API key" in str(caught.value)
    assert len(upstream.sent) == 1


def test_an_upload_that_becomes_too_long_is_cut_off(upstream: Upstream) -> None:
    with serve(config(upstream, max_upload_bytes=3 * MIB)) as gateway:
        half = HalfSent(gateway, None)
        half.send(FORM)
        for _ in range(80):
            half.send(b"x" * 64 * 1024)
        assert half.status() == 413
        half.connection.close()
        time.sleep(0.1)
    assert not any(sent.is_whole for sent in upstream.sent)


def test_slow_senders_take_no_places_of_calls(upstream: Upstream) -> None:
    upstream.answers["embeddings"] = _answer(b'{"object":"list","data":[]}')
    with serve(config(upstream, max_concurrent_requests=1)) as gateway:
        halves = [HalfSent(gateway, 20 * MIB) for _ in range(3)]
        for half in halves:
            half.send(FORM + b"x" * 2 * MIB)
        wait(lambda: len(upstream.sent) == 3)
        with gateway.client() as http:
            found = http.post("/v1/embeddings", json={"model": "gpt-0", "input": "x"})
        assert found.status_code == 200
        for half in halves:
            half.connection.close()


def _answer(body: bytes, kind: str = "application/json", status: str = "200 OK") -> Any:
    async def answer(sent: Sent, writer: asyncio.StreamWriter) -> None:
        reply(writer, body, kind, status)

    return answer


def test_a_short_upload_is_sent_again_and_a_long_one_is_not(upstream: Upstream) -> None:
    upstream.answers["files"] = _answer(b"{}", status="500 Internal Server Error")
    settings = config(upstream)
    settings["router_settings"] = {"num_retries": 1, "retry_after": 0}
    with serve(settings) as gateway, client_of(gateway) as client:
        for size, attempts in ((10, 2), (4 * MIB, 1)):
            upstream.sent.clear()
            with pytest.raises(openai.APIStatusError):
                client.files.create(file=("a.txt", b"x" * size), purpose="assistants")
            assert len(upstream.sent) == attempts


def test_a_long_upload_goes_elsewhere_before_its_first_byte_was_sent(upstream: Upstream) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    settings = config(upstream, upstream)
    for number, entry in enumerate(settings["model_list"]):
        entry["model_name"] = "gpt"
        entry["litellm_params"]["order"] = number
    settings["model_list"][0]["litellm_params"]["api_base"] = f"http://127.0.0.1:{port}"
    with serve(settings) as gateway, client_of(gateway) as client:
        client.files.create(
            file=("a.txt", b"x" * 4 * MIB), purpose="assistants", extra_body={"model": "gpt"}
        )
    assert len(upstream.sent) == 1


def test_a_slow_resource_slows_its_sender(gateway: Running, upstream: Upstream) -> None:
    upstream.pause = 2.0
    half, sent = HalfSent(gateway, 100 * MIB), 0
    half.connection.settimeout(1.0)
    half.send(FORM)
    with suppress(TimeoutError):
        while sent < 90 * MIB:
            sent += half.connection.send(b"x" * MIB)
    assert sent < 40 * MIB
    half.connection.close()


def test_who_leaves_a_download_ends_it_at_the_resource(
    gateway: Running, upstream: Upstream
) -> None:
    ended: list[int] = []

    async def answer(sent: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        written = 0
        try:
            while written < 1_000_000_000:
                writer.write(b"y" * MIB)
                written += MIB
                await writer.drain()
        finally:
            ended.append(written)

    upstream.answers["content"] = answer
    with gateway.client() as http:
        path = f"/v1/files/{made(http)}/content"
        with http.stream("GET", path) as found:
            next(found.iter_bytes())
    wait(lambda: bool(ended))
    assert ended[0] < 100 * MIB


def test_files_are_followed_by_their_ids(pair: Running, other: Upstream) -> None:
    other.answers["content"] = _answer(b"\xff\x00" * 10, "image/png")
    other.answers["containers"] = _answer(b'{"id":"cntr_1","object":"container"}')
    with client_of(pair) as client:
        made = client.files.create(
            file=("a.txt", b"x"), purpose="assistants", extra_body={"model": "gpt-1"}
        )
        assert client.files.content(made.id).content == b"\xff\x00" * 10
        container = client.containers.create(name="c", extra_headers={"x-azr-model": "gpt-1"})
        file = client.containers.files.create(container.id, file_id=made.id)
    assert file.id
    assert [sent.path for sent in other.sent] == [
        "/openai/v1/files",
        "/openai/v1/files/file-1/content",
        "/openai/v1/containers",
        "/openai/v1/containers/cntr_1/files",
    ]
    assert b"file-1" in other.sent[3].body
    assert made.id.encode() not in other.sent[3].body


def made(http: httpx.Client) -> str:
    """The id of a file that was uploaded."""
    file = {"file": ("a.txt", b"x")}
    found = http.post("/v1/files", data={"purpose": "assistants"}, files=file)
    return str(found.json()["id"])


def test_a_download_keeps_its_headers(gateway: Running, upstream: Upstream) -> None:
    async def answer(sent: Sent, writer: asyncio.StreamWriter) -> None:
        reply(
            writer,
            b"\x00" * MIB,
            "text/csv",
            more='content-disposition: attachment; filename="a"\r\n',
        )

    upstream.answers["content"] = answer
    with gateway.client() as http:
        path = f"/v1/files/{made(http)}/content"
        found = http.get(path, headers={"range": "bytes=0-1"})
    assert found.status_code == 200
    assert found.content == b"\x00" * MIB
    assert found.headers["content-type"] == "text/csv"
    assert found.headers["content-length"] == str(MIB)
    assert found.headers["content-disposition"] == 'attachment; filename="a"'
    assert found.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("framing", ["content-length: 9000000", "transfer-encoding: chunked"])
def test_a_download_that_breaks_off_does_not_look_whole(
    gateway: Running, upstream: Upstream, framing: str
) -> None:
    async def answer(sent: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode())
        piece = b"x" * 100_000
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if "chunked" in framing else piece)
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()

    upstream.answers["content"] = answer
    with gateway.client() as http:
        path = f"/v1/files/{made(http)}/content"
        with pytest.raises(httpx.RemoteProtocolError):
            http.get(path)


def test_a_missing_file_is_azures_404(gateway: Running, upstream: Upstream) -> None:
    upstream.answers["content"] = _answer(
        b'{"error":{"code":"not_found","message":"No such file."}}', status="404 Not Found"
    )
    with gateway.client() as http:
        found = http.get(f"/v1/files/{made(http)}/content")
    assert found.status_code == 404
    assert found.headers["content-type"] == "application/json"
    assert "No such file." in found.json()["error"]["message"]


@pytest.mark.parametrize("size", [0, 3 * MIB])
def test_an_input_file_of_a_batch_is_kept_by_the_gateway(
    upstream: Upstream, tmp_path: Path, size: int
) -> None:
    line = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"model": "gpt-0"}}
    line["body"] = {"model": "gpt-0", "input": "x" * size}
    content = json.dumps(line).encode()
    database = f"sqlite:///{tmp_path / 'gateway.db'}"
    with serve(config(upstream, database_url=database)) as gateway, client_of(gateway) as client:
        file = client.files.create(file=("a.jsonl", content), purpose="batch")
        assert (file.filename, file.bytes) == ("a.jsonl", len(content))
        assert client.files.content(file.id).content == content
    assert upstream.sent == []


def _form(size: int) -> tuple[Iterator[bytes], int, str]:
    ending = b"\r\n--XX--\r\n"
    block = bytes(range(256)) * 256
    digest = sha256(FORM)
    for _ in range(size // len(block)):
        digest.update(block)
    digest.update(ending)

    def pieces() -> Iterator[bytes]:
        yield FORM
        for _ in range(size // len(block)):
            yield block
        yield ending

    return pieces(), len(FORM) + size + len(ending), digest.hexdigest()


def test_memory_stays_flat_at_512_mb(upstream: Upstream, tmp_path: Path) -> None:
    size = 512 * MIB
    pieces, length, digest = _form(size)

    async def download(sent: Sent, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n".encode())
        for _ in range(size // MIB):
            writer.write(b"y" * MIB)
            await writer.drain()

    upstream.answers["content"] = download
    with run_process(config(upstream), tmp_path) as (url, process):
        headers = {"authorization": f"Bearer {KEY}"}
        form = {
            "content-type": "multipart/form-data; boundary=XX",
            "content-length": str(length),
        }
        with httpx.Client(base_url=url, headers=headers, timeout=120) as http:
            # What is loaded with the first calls is not the file's.
            short = FORM + b"x\r\n--XX--\r\n"
            sizes = {**form, "content-length": str(len(short))}
            file_id = http.post("/v1/files", content=short, headers=sizes).json()["id"]
            before, most = memory_of(process.pid), 0

            def note() -> None:
                nonlocal most
                most = max(most, memory_of(process.pid))

            found = http.post("/v1/files", content=_watched(pieces, note), headers=form)
            assert found.status_code == 200, found.text
            assert upstream.sent[-1].digest.hexdigest() == digest
            assert upstream.sent[-1].headers["content-length"] == str(length)
            received = 0
            with http.stream("GET", f"/v1/files/{file_id}/content") as reply_:
                for piece in reply_.iter_bytes(4 * MIB):
                    received += len(piece)
                    note()
            assert received == size
            assert most - before < 64 * MIB, (before // MIB, most // MIB)


def memory_of(process: int) -> int:
    """Bytes that a process has in memory."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * 4096


def _watched(pieces: Iterator[bytes], note: Callable[[], None]) -> Iterator[bytes]:
    for number, piece in enumerate(pieces):
        if number % 200 == 0:
            note()
        yield piece
