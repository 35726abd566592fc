"""Every Python example in README.md and docs/ runs, against a served emulator.

The examples of one document are run in order and share their names, as they are read.

An example that cannot run says why in a comment on the line before it:
`<!-- not run: it needs a gateway -->`.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from azure_responses import AzureResponses
from azure_responses.emulator import Emulator
from azure_responses.protocol.settings import ENVIRONMENT

_ROOT = Path(__file__).parent.parent
_FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n+)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A fenced block: where it is, its text, and why it is not run (None where it is)."""

    path: Path
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.path.relative_to(_ROOT).as_posix()}:{self.line}"


def _examples(path: Path) -> Iterator[Example]:
    document = path.read_text(encoding="utf-8")
    for match in _FENCE.finditer(document):
        line = document.count("\n", 0, match.start("text")) + 1
        yield Example(path, line, match["language"], match["text"], match["reason"])


_DOCUMENTS = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
_EXAMPLES = [example for path in _DOCUMENTS for example in _examples(path)]
_COMMANDS = [
    example.text.strip()
    for example in _EXAMPLES
    if example.language == "sh" and example.path.name == "README.md"
]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Emulator().serve() as server:
        yield server.url


def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in ENVIRONMENT.values():
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)


def _close_clients(namespace: dict[str, Any]) -> None:
    """What an example leaves open, its process would close by ending."""
    for value in namespace.values():
        if isinstance(value, AzureResponses):
            value.close()


def _compile(example: Example) -> CodeType:
    """The example with its own line numbers, for the traceback."""
    return compile("\n" * (example.line - 1) + example.text, str(example.path), "exec")


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: path.name)
def test_the_examples_of_a_document_run_in_the_order_they_are_read(
    path: Path, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _clear_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "emulator-key")
    examples = [example for example in _EXAMPLES if example.path == path]
    codes = [(_compile(example), example) for example in examples if example.language == "python"]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for code, example in codes:
            if example.reason is None:
                exec(code, namespace)
    finally:
        _close_clients(namespace)


def test_the_readme_has_examples() -> None:
    languages = [example.language for example in _EXAMPLES]
    assert languages.count("python") >= 8


def test_the_first_command_prints_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    install, ask = _COMMANDS[0].split(" && ")
    assert install == "pip install '.[cli]'"
    program, *arguments = shlex.split(ask)
    assert program == "azure-responses"
    _clear_environment(monkeypatch)
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    command = [sys.executable, "-m", "azure_responses", *arguments]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, asked.stderr
    assert "unicorn" in asked.stdout
    assert "emulator" in asked.stderr


def test_the_second_command_installs_and_tests() -> None:
    assert re.fullmatch(r"pip install '\.\[test\]' && python -m pytest\b.*", _COMMANDS[1])


@pytest.mark.parametrize("path", _DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(path: Path) -> None:
    document = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document)
    assert [target for target in targets if not (path.parent / target).exists()] == []
