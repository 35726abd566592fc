"""The documented set-up for real: two gateways behind nginx, driven by the openai package."""

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.soak.served import Served, free_port
from tests.soak.stage import MASTER_KEY, MODEL, Stage
from tests.store.redis_server import RedisServer

if TYPE_CHECKING:
    import openai
else:
    openai = pytest.importorskip("openai")
pytestmark = pytest.mark.xdist_group("soak")

_FILES = Path(__file__).parents[2] / "docs" / "deploy"


@pytest.fixture
def gateways(
    stage: Stage, azure: Served, redis_server: RedisServer, fresh_postgresql: str
) -> Iterator[list[Served]]:
    """Two processes with the documented configuration, word for word."""
    environment = {
        "AZURE_EAST_ENDPOINT": f"{azure.url}/resources/east",
        "AZURE_EAST_API_KEY": "east-key",
        "AZURE_WEST_ENDPOINT": f"{azure.url}/resources/west",
        "AZURE_WEST_API_KEY": "west-key",
        "GATEWAY_MASTER_KEY": MASTER_KEY,
        "GATEWAY_AFFINITY_SECRET": "7c1d5e90b3f24a68",
        "GATEWAY_DATABASE_URL": fresh_postgresql,
        "GATEWAY_REDIS_URL": redis_server.url,
    }
    shutil.copy(_FILES / "config.yaml", stage.folder)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                Served(
                    *("serve", "--config", "config.yaml", "--port", "0"),
                    folder=stage.folder,
                    name=name,
                    environment={**environment, "GATEWAY_SPEND_LOG": f"{name}.jsonl"},
                )
            )
            for name in ("one", "two")
        ]


@contextmanager
def _nginx(folder: Path, gateways: list[Served]) -> Iterator[str]:
    """nginx with the documented configuration, but for addresses; its URL."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    text, port = (_FILES / "nginx.conf").read_text(), free_port()
    for number, gateway in enumerate(gateways, 1):
        text = text.replace(f"gateway-{number}:4000", f"127.0.0.1:{gateway.port}")
    text = text.replace("listen 8080;", f"listen 127.0.0.1:{port};")
    (folder / "nginx.conf").write_text(text.replace("/tmp/", f"{folder}/"))
    words = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    with (folder / "nginx.log").open("w") as log:
        process = subprocess.Popen([*words, "-g", "daemon off;"], stderr=log)
        try:
            _await_ready(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            if httpx.get(f"{url}/health/readiness").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "nginx does not come up"
        time.sleep(0.1)


def _words(number: int) -> str:
    return " ".join(f"w{number}-{place}" for place in range(60))


def test_the_documented_set_up_serves_the_openai_package(
    stage: Stage, gateways: list[Served]
) -> None:
    # nginx as root hands its workers to another account, which has to reach its folders.
    stage.folder.chmod(0o755)
    with _nginx(stage.folder, gateways) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key=MASTER_KEY, max_retries=0)
        names = {_serves(gateways) for _ in range(2)}
        assert names == {(200, 200)}
        for number in range(6):
            _talk(client, number)
        _end_one_amid_calls(client, gateways[0])
        # The other one goes on alone, and knows what the first one gave out.
        _talk(client, 7)
        client.close()


def _serves(gateways: list[Served]) -> tuple[int, ...]:
    return tuple(httpx.get(f"{gateway.url}/health/readiness").status_code for gateway in gateways)


def _talk(client: "openai.OpenAI", number: int) -> None:
    first = client.responses.create(model=MODEL, input=f"My code is south{number}.")
    second = client.responses.create(
        model=MODEL, input="What is my code?", previous_response_id=first.id
    )
    assert second.output_text == f"Your code is south{number}."
    words = _words(number)
    with client.responses.stream(model=MODEL, input=f"Reply with exactly: {words}") as stream:
        pieces = [event.delta for event in stream if event.type == "response.output_text.delta"]
    assert "".join(pieces) == words
    assert len(pieces) > 10
    chat = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": f"Reply with exactly: {words}"}]
    )
    assert chat.choices[0].message.content == words


def _end_one_amid_calls(client: "openai.OpenAI", gateway: Served) -> None:
    """SIGTERM for one replica while calls go on through nginx: none of them fails."""
    errors: list[BaseException] = []
    is_over = threading.Event()

    def call(number: int) -> None:
        try:
            while not is_over.is_set():
                _talk(client, number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    code = gateway.stop(timeout=70)
    time.sleep(1)
    is_over.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert code == 0


def test_events_pass_the_proxy_when_they_come(stage: Stage, gateways: list[Served]) -> None:
    stage.folder.chmod(0o755)
    with _nginx(stage.folder, gateways) as url:
        body = {"model": MODEL, "input": f"Reply with exactly: {_words(1)}", "stream": True}
        headers = {"authorization": f"Bearer {MASTER_KEY}"}
        with httpx.stream(
            "POST", f"{url}/v1/responses", json=body, headers=headers, timeout=30
        ) as got:
            assert got.headers["content-type"].startswith("text/event-stream")
            pieces = list(got.iter_raw())
    # A proxy that buffers would hand out the whole of it at once.
    assert len(pieces) > 20
    assert len(re.findall(rb"response\.output_text\.delta\n", b"".join(pieces))) > 20
