"""`azure-responses serve`: what it checks before it listens."""

from pathlib import Path

import pytest

from azure_responses.cli import main

GOOD = """
model_list:
  - model_name: gpt
    litellm_params: {model: azure/gpt-5, api_base: "https://r.openai.azure.com", api_key: k}
"""


def test_a_good_configuration_is_said_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    assert main(["serve", "--check", "--config", str(path)]) == 0
    assert "no errors" in capsys.readouterr().out


def test_findings_are_shown_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD.replace("azure/gpt-5", "bedrock/x") + "surprise: 1\n")
    assert main(["serve", "--check", "--config", str(path)]) == 2
    shown = capsys.readouterr().out
    assert "surprise" in shown
    assert "1 error" in shown


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("router_settings: {fallbacks: [{gpt: [nowhere]}]}", "line 5: router_settings.fallbacks"),
        ("litellm_settings: {default_fallbacks: [nowhere]}", "line 5: litellm_settings.default"),
        ("general_settings: {redis_url: localhost}", "The state URL"),
        ("litellm_settings: {callbacks: [nowhere.at_all]}", "callback nowhere.at_all"),
    ],
)
def test_what_only_shows_when_all_is_put_together_is_shown_too(
    addition: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD + addition + "\n")
    assert main(["serve", "--check", "--config", str(path)]) == 2
    shown = capsys.readouterr().out
    assert words in shown
    assert "1 error" in shown


def test_a_folder_that_is_not_here_may_be_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD + "general_settings: {spend_log: /nowhere/spend.jsonl}\n")
    assert main(["serve", "--check", "--config", str(path)]) == 0
    assert "no folder /nowhere" in capsys.readouterr().out


def test_the_environment_is_checked_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://r.openai.azure.com")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "key")
    assert main(["serve", "--check"]) == 0
    assert "ready" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--check", "--config", "/nowhere/config.yaml"], "cannot be read"),
        (["--config", "/nowhere/config.yaml"], "cannot be read"),
        (["--workers", "0"], "--workers"),
        (["--emulator", "--config", "x"], "exclude each other"),
        ([], "endpoint"),
    ],
)
def test_what_cannot_be_served_is_said(
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["serve", *arguments]) == 2
    assert words in capsys.readouterr().err
