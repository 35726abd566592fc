"""Programs as people write them pass mypy and pyright, and wrong ones do not.

The programs are those of README.md and docs/, and programs written for the openai package: as they
are, and with their imports changed to ours.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import DOCUMENTS, ROOT, in_language, name_of

_PROGRAMS = Path(__file__).parent / "programs"
# They need no other change than that of the import.
_DROP_IN = Path(__file__).parent.parent / "clients" / "programs"
_RENAMED = {
    r"openai\.types\.responses": "azure_responses.types",
    r"from openai import": "from azure_responses import",
    r"(Async)?AzureOpenAI": r"\1AzureResponses",
}
# A line ends with the reason why a type checker must refuse it.
_WRONG = """
import azure_responses
from azure_responses import AzureResponses


def main(client: AzureResponses) -> None:
    for item in client.responses.create(model="m", input="x").output:
        if item.type == "function_call":
            print(item.content)  # wrong: a call has no content
            print(item.call_idd)  # wrong: misspelt
    for event in client.responses.create(model="m", input="x", stream=True):
        if event.type == "response.output_text.delta":
            print(event.response)  # wrong: a delta has no response
        print(event.delta)  # wrong: not every event has a delta
    completion = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}]
    )
    for call in completion.choices[0].message.tool_calls or []:
        if call.type == "function":
            call.function.name + 1  # wrong: a name is text
    client.chat.completions.create(messages=[], temprature=1)  # wrong: misspelt
    azure_responses.completion(messages=[], max_token=1)  # wrong: misspelt
    azure_responses.Router([]).completion(messages=[], ownr="me")  # wrong: misspelt
    azure_responses.Router([], cooldwn_time=1)  # wrong: misspelt
"""


def _as_ours(program: str) -> str:
    for pattern, replacement in _RENAMED.items():
        program = re.sub(pattern, replacement, program)
    return program


def _program_of(document: Path) -> str:
    """The examples of a document in the order they are read, each on its own line."""
    program = ""
    for example in in_language("python"):
        if example.path == document and example.reason is None:
            program += "\n" * (example.line - 1 - program.count("\n")) + example.text
    return program


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of every program, for one run of each type checker."""
    folder = tmp_path_factory.mktemp("programs")
    for document in DOCUMENTS:
        if program := _program_of(document):
            name = re.sub(r"\W", "_", name_of(document).removesuffix(".md"))
            (folder / f"{name}.py").write_text(program, encoding="utf-8")
    for path in _PROGRAMS.glob("[!_]*.py"):
        text = path.read_text(encoding="utf-8")
        (folder / f"openai_{path.name}").write_text(text, encoding="utf-8")
        (folder / f"ours_{path.name}").write_text(_as_ours(text), encoding="utf-8")
    for path in _DROP_IN.glob("[!_]*.py"):
        text = path.read_text(encoding="utf-8")
        ours = text.replace("\nfrom openai import", "\nfrom azure_responses import")
        (folder / f"drop_in_{path.name}").write_text(ours, encoding="utf-8")
    (folder / "wrong.py").write_text(_WRONG, encoding="utf-8")
    return folder


def _wrong_lines() -> set[int]:
    return {number for number, line in enumerate(_WRONG.splitlines(), 1) if "# wrong" in line}


def _judge(errors: list[tuple[str, int, str]]) -> None:
    """Exactly the lines that are wrong are refused."""
    unexpected = [error for error in errors if error[0] != "wrong.py"]
    assert unexpected == []
    assert {line for _, line, _ in errors} == _wrong_lines()


def test_programs_pass_mypy_and_wrong_ones_do_not(programs: Path) -> None:
    checked = subprocess.run(
        # The examples of a document share one module; their names may be used anew.
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--allow-redefinition",
            "--cache-dir=.cache",
            ".",
        ],
        cwd=programs,
        env={**os.environ, "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    found = re.findall(r"^(\w+\.py):(\d+): error: (.*)$", checked.stdout, re.MULTILINE)
    assert found, checked.stdout + checked.stderr
    _judge([(name, int(line), message) for name, line, message in found])


def test_programs_pass_pyright_and_wrong_ones_do_not(programs: Path) -> None:
    modules = os.environ.get("AZURE_RESPONSES_NODE_MODULES")
    if modules is None or not (Path(modules) / "pyright").is_dir():
        pytest.skip("AZURE_RESPONSES_NODE_MODULES names no folder with the npm package pyright")
    node = shutil.which("node")
    assert node is not None
    settings = {"pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (programs / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    program = str(Path(modules) / "pyright" / "index.js")
    checked = subprocess.run(
        [node, program, "--outputjson", "--pythonpath", sys.executable, "."],
        cwd=programs,
        capture_output=True,
        text=True,
        timeout=280,
    )
    report = json.loads(checked.stdout)
    _judge(
        [
            (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["message"])
            for found in report["generalDiagnostics"]
            if found["severity"] == "error"
        ]
    )
