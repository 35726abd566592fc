"""`azure-responses codex-config`: what it prints and writes."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from azure_responses.cli import main

PROVIDER = {
    "name": "Azure",
    "base_url": "http://127.0.0.1:4000/v1",
    "env_key": "AZURE_RESPONSES_GATEWAY_KEY",
    "wire_api": "responses",
    "supports_websockets": True,
    "websocket_connect_timeout_ms": 15000,
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "codex"))
    for name in ("AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_ENDPOINT", "OPENAI_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "codex"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["codex-config", *arguments]) == 0
    return tomllib.loads(capsys.readouterr().out)


def test_the_configuration_of_a_gateway_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    found = printed(capsys, "--model", "gpt-5-mini")
    assert found == {
        "model": "gpt-5-mini",
        "model_provider": "azure-responses",
        "model_providers": {"azure-responses": PROVIDER},
    }


def test_everything_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    options = "--model m --base-url https://g/v1 --env-key K --effort high --context-window 9"
    found = printed(capsys, *options.split(), "--no-websockets")
    assert found["model_reasoning_effort"] == "high"
    assert found["model_context_window"] == 9
    provider = found["model_providers"]["azure-responses"]
    assert provider == {
        "name": "Azure",
        "base_url": "https://g/v1",
        "env_key": "K",
        "wire_api": "responses",
    }


def test_azure_itself_is_called_below_its_v1_path(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com/")
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "my-codex")
    found = printed(capsys, "--azure")
    provider = found["model_providers"]["azure-responses"]
    assert found["model"] == "my-codex"
    assert provider["base_url"] == "https://r.openai.azure.com/openai/v1"
    assert provider["env_key"] == "AZURE_OPENAI_API_KEY"
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-04-01-preview")
    assert main(["codex-config", "--azure"]) == 2
    assert "Unset OPENAI_API_VERSION" in capsys.readouterr().err


def test_writing_keeps_everything_else(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    path = home / "config.toml"
    path.write_text('# mine\n[tools]\nweb_search = true # yes\n[model_providers.x]\nname = "x"\n')
    for _ in range(2):
        assert main(["codex-config", "--model", "m", "--write"]) == 0
    text = path.read_text()
    found = tomllib.loads(text)
    assert found["model"] == "m"
    assert found["tools"] == {"web_search": True}
    assert found["model_providers"] == {"x": {"name": "x"}, "azure-responses": PROVIDER}
    assert "# mine" in text
    assert "# yes" in text
    assert main(["codex-config", "--model", "other", "--write"]) == 0
    assert "model was 'm'" in capsys.readouterr().err
    assert [each.name for each in home.iterdir()] == ["config.toml"]


def test_a_first_configuration_is_written(home: Path) -> None:
    assert main(["codex-config", "--model", "m", "--write"]) == 0
    assert tomllib.loads((home / "config.toml").read_text())["model"] == "m"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No model is named"),
        (["--model", "m", "--azure", "--base-url", "https://g/v1"], "exclude each other"),
    ],
)
def test_what_is_missing_is_said(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["codex-config", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_broken_file_is_not_written_over(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.mkdir()
    (home / "config.toml").write_text("[[[")
    assert main(["codex-config", "--model", "m", "--write"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert (home / "config.toml").read_text() == "[[["
