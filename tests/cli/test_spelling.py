"""Hints that the command line shows name options and variables, and no Python arguments."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from azure_responses.cli import main
from azure_responses.cli.terminal import spell
from azure_responses.emulator.server import RunningServer
from azure_responses.protocol.settings import resolve_settings
from tests.tree import PACKAGE

# Hints of arguments that no command passes on, or passes with values of its own.
_OUT_OF_REACH = (
    "Pass stream=True as well.",
    "Pass stream=True or stream=False to the call.",
    "Pass include=[",
    "an httpx.",
    "httpx[socks] and pass http_client",
    "azure_ad_token_provider.",
    "pass a token itself as azure_ad_token.",
    "pass a key as api_key.",
    "Leave `dimensions`",
    "CallableTool(",
    "Use client.responses.create(background=True).",
)
_ARGUMENTS = [name for name in inspect.signature(resolve_settings).parameters if "_" in name]
_PYTHON = re.compile(rf"\b(?:{'|'.join(_ARGUMENTS)})\b|\b[a-z_]+=(?=['\[{{…TF]|None| |$)")


_FULL_OF_HINTS = (
    "known_errors.py",
    "classify.py",
    "pasted_url.py",
    "probes.py",
    "token_claims.py",
)


def _files() -> list[Path]:
    """What the library says to the commands that call a resource."""
    folders = [PACKAGE / "protocol", PACKAGE / "doctor"]
    names = ("_sync/credentials.py", "token_source.py", "transport.py", "call_options.py")
    files = [PACKAGE / name for name in names]
    return files + [path for folder in folders for path in sorted(folder.glob("*.py"))]


def _hints() -> Iterator[str]:
    for path in _files():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("hint", "fix"):
                yield from _texts(node.value)
        if path.name in _FULL_OF_HINTS:
            yield from _texts(tree)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and "hint" in function.name:
                yield from _texts(function)


def _texts(node: ast.AST) -> Iterator[str]:
    """The sentences in a piece of code; what a formatted one is filled with is X."""
    documentation = {
        id(one.body[0].value)
        for one in ast.walk(node)
        if isinstance(one, ast.Module | ast.FunctionDef | ast.ClassDef)
        and isinstance(one.body[0], ast.Expr)
    }
    inside = {
        id(part) for one in ast.walk(node) if isinstance(one, ast.JoinedStr) for part in one.values
    }
    for one in ast.walk(node):
        if isinstance(one, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in one.values]
            yield "".join(map(str, parts))
        elif isinstance(one, ast.Constant) and id(one) not in documentation | inside:
            yield from [one.value] if isinstance(one.value, str) and " " in one.value else []


def test_no_hint_that_a_command_shows_is_in_python_s_spelling() -> None:
    hints = {hint for hint in _hints() if not any(part in hint for part in _OUT_OF_REACH)}
    assert len(hints) > 60
    assert sum(bool(_PYTHON.search(hint)) for hint in hints) > 15
    wrong = {hint: spell(hint) for hint in hints if _PYTHON.search(spell(hint))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("hint", "spelled"),
    [
        ("Pass model='<deployment name>', or set AZURE_OPENAI_DEPLOYMENT.",
         "Pass --model DEPLOYMENT, or set AZURE_OPENAI_DEPLOYMENT."),
        ("Pass endpoint='https://r.example' or set AZURE_OPENAI_ENDPOINT.",
         "Pass --endpoint https://r.example or set AZURE_OPENAI_ENDPOINT."),
        ("Use https, or pass allow_insecure=True if the network is trusted.", "Use https."),
        ("Shorten the input, or pass truncation='auto' to let the service drop the oldest items.",
         "Shorten the input."),
        ("Run `az login`, configure the credential, or pass api_key (or set "
         "AZURE_OPENAI_API_KEY).",
         "Run `az login`, configure the credential, or set AZURE_OPENAI_API_KEY."),
        ("Pass api_version='v1', or leave it out.", "Pass --api-version v1, or leave it out."),
        ("Check this machine's clock.", "Check this machine's clock."),
    ],
)  # fmt: skip
def test_a_hint_names_options_and_variables(hint: str, spelled: str) -> None:
    assert spell(hint) == spelled


@pytest.mark.parametrize("command", [["ask", "hi"], ["doctor"]])
def test_a_missing_deployment_is_told_in_options(
    served: RunningServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: list[str],
) -> None:
    monkeypatch.delenv("AZURE_OPENAI_DEPLOYMENT")
    assert main(command) != 0
    captured = capsys.readouterr()
    assert "Pass --model DEPLOYMENT, or set AZURE_OPENAI_DEPLOYMENT." in captured.out + captured.err


def test_a_wrong_version_is_told_in_options(
    served: RunningServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "hi", "--api-version", "2020"]) == 2
    assert "hint: Use v1, preview, latest or a date such as" in capsys.readouterr().err
