"""curl, with the commands that people paste."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.real_clients.driving import KEY, Stage

Shell = Callable[[str], str]

# As LiteLLM's documentation has it, for a model behind `azure/responses/`.
_CHAT = """
curl http://localhost:4000/v1/chat/completions \\
  -X POST \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $DHEERA_AI_API_KEY" \\
  -d '{
    "model": "my-custom-o1-pro",
    "messages": [{"role": "user", "content": "Hello world"}]
  }'
"""
_RESPONSES = """
curl -N http://localhost:4000/v1/responses \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer $DHEERA_AI_API_KEY" \\
  -d '{"model": "gpt-5-mini", "input": "Reply with exactly: pong", "stream": true}'
"""
_AZURE = """
curl http://localhost:4000/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21 \\
  -H "Content-Type: application/json" -H "api-key: $DHEERA_AI_API_KEY" \\
  -d '{"messages": [{"role": "user", "content": "Reply with exactly: pong"}]}'
"""
_MODELS = 'curl http://localhost:4000/v1/models -H "Authorization: Bearer $DHEERA_AI_API_KEY"'
_NOBODY = "curl -i http://localhost:4000/v1/models"


@pytest.fixture
def shell(stage: Stage) -> Shell:
    """Runs a command against the gateway of this module."""
    if shutil.which("curl") is None:
        pytest.skip("no curl")

    def run(command: str) -> str:
        return subprocess.run(
            ["sh", "-c", command.replace("http://localhost:4000", stage.url)],
            env={**os.environ, "DHEERA_AI_API_KEY": KEY, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout

    return run


def test_a_chat_completion_is_answered_by_a_responses_deployment(
    shell: Shell, stage: Stage
) -> None:
    completion: Any = json.loads(shell(_CHAT))
    assert completion["object"] == "chat.completion"
    assert completion["choices"][0]["message"]["content"]
    request = stage.emulator.requests[-1]
    assert (request.operation, request.deployment) == ("create", "my-custom-o1-pro")


def test_a_response_is_streamed(shell: Shell) -> None:
    lines = shell(_RESPONSES).splitlines()
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert (events[0], events[-1]) == ("response.created", "response.completed")
    assert "response.output_text.delta" in events


def test_azures_path_and_header_do(shell: Shell) -> None:
    completion = json.loads(shell(_AZURE))
    assert completion["choices"][0]["message"]["content"] == "pong"


def test_the_models_are_listed(shell: Shell) -> None:
    assert "gpt-5-mini" in [model["id"] for model in json.loads(shell(_MODELS))["data"]]


def test_without_a_key_nothing_is_told(shell: Shell) -> None:
    head, _, body = shell(_NOBODY).partition("\n\n")
    assert " 401 " in head.splitlines()[0]
    assert json.loads(body)["error"]["code"] == "invalid_api_key"
