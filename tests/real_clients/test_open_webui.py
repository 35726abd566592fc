"""Open WebUI, with the variables that its page shows."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.real_clients.driving import KEY, ROOT, Stage

_VARIABLE = "AZURE_RESPONSES_OPEN_WEBUI"
_PAGE = ROOT / "docs" / "clients" / "open-webui.md"
_PATIENCE = 120.0
HELLO = [{"role": "user", "content": "Reply with exactly: hello there"}]


def _variables(url: str) -> dict[str, str]:
    """Those of the page, with the address and the key of the tests."""
    block = re.findall(r"```sh\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    block = block.replace("http://127.0.0.1:4000", url).replace("sk-your-gateway-key", KEY)
    return dict(line.split("=", 1) for line in block.splitlines())


@pytest.fixture(scope="module")
def webui(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    program = os.environ.get(_VARIABLE)
    if not program:
        pytest.skip(f"no Open WebUI, which takes 7 GB: set {_VARIABLE} to its program")
    folder = tmp_path_factory.mktemp("open-webui")
    environment = {
        **os.environ,
        **_variables(stage.url),
        "DATA_DIR": str(folder),
        "WEBUI_SECRET_KEY": "s" * 32,
        "WEBUI_AUTH": "false",
        # Nothing is fetched that the test does not need.
        "OFFLINE_MODE": "true",
        "HF_HUB_OFFLINE": "1",
        "RAG_EMBEDDING_ENGINE": "openai",
        "NO_PROXY": "*",
    }
    url = "http://127.0.0.1:18595"
    command = [program, "serve", "--host", "127.0.0.1", "--port", "18595"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_for(url, process, folder / "log")
        signed_in = httpx.post(f"{url}/api/v1/auths/signin", json={"email": "", "password": ""})
        headers = {"authorization": f"Bearer {signed_in.json()['token']}"}
        with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
            # The models are read before the first chat.
            client.get("/api/models").raise_for_status()
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)


def _ask(webui: httpx.Client, model: str, **more: Any) -> httpx.Response:
    body = {"model": model, "messages": HELLO, **more}
    reply = webui.post("/api/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    return reply


def test_the_models_of_the_gateway_are_listed(webui: httpx.Client) -> None:
    listed = {model["id"] for model in webui.get("/api/models").json()["data"]}
    assert {"gpt-5-mini", "kimi-k2.5", "claude-sonnet-4-5"} <= listed


@pytest.mark.parametrize("model", ["gpt-5-mini", "kimi-k2.5", "claude-sonnet-4-5"])
def test_a_streamed_answer_ends_with_its_usage(webui: httpx.Client, model: str) -> None:
    options = {"include_usage": True}
    text = _ask(webui, model, stream=True, stream_options=options).text
    assert "hello there" in text
    assert '"total_tokens":' in text
    assert text.rstrip().endswith("data: [DONE]")


def test_reasoning_comes_beside_the_answer(webui: httpx.Client) -> None:
    message = _ask(webui, "kimi-k2.5", stream=False).json()["choices"][0]["message"]
    assert message["content"] == "hello there"
    assert message["reasoning_content"]
