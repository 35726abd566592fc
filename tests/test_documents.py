"""What README.md and docs/ say is true: examples run, files load, tables agree with the code.

The Python examples of one document are run in order and share their names, as they are read,
against a served emulator. Commands of `azure-responses` are parsed, and those that end by
themselves are run. An example that cannot run says why in a comment on the line before it:
`<!-- not run: it needs a gateway -->`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import yaml

import azure_responses
from azure_responses import AzureResponses, cli, errors
from azure_responses.emulator import Emulator
from azure_responses.emulator.server import read_settings
from azure_responses.errors import ConfigurationError
from azure_responses.gateway.config_file import validate
from azure_responses.pricing import PriceBook
from azure_responses.protocol.endpoint import resolve_endpoint
from azure_responses.protocol.environment import ENVIRONMENT, EVERY_VARIABLE
from tests.documents import DOCS, DOCUMENTS, EXAMPLES, ROOT, Example, in_language, name_of

_LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")
# Commands that end by themselves, and need neither a resource nor a file.
_ENDING = ("ask", "doctor")
_NEEDY = ("--endpoint", "--resume", "@", "--config")


_every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)


def _commands(example: Example) -> list[list[str]]:
    """The words of each `azure-responses` command of a shell example, on its own or in a pipe."""
    text = example.text.replace("\\\n", " ")
    parts = [part.strip() for line in text.splitlines() for part in re.split(r"\||&&", line)]
    # Variables may stand before a command, and an ampersand after it.
    bare = [re.sub(r"^(?:\w+=\S* +)+|\s*&$", "", part) for part in parts]
    found = [part for part in bare if part.startswith("azure-responses ")]
    return [shlex.split(part, comments=True)[1:] for part in found]


def _rows(path: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    document = (DOCS / path).read_text(encoding="utf-8")
    section = re.split(r"^#+ ", document.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Emulator().serve() as server:
        yield server.url


def _clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variables in EVERY_VARIABLE.values():
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


@_every_document
def test_the_examples_of_a_document_run_in_the_order_they_are_read(
    path: Path, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _clear_environment(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", url)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "emulator-key")
    examples = [example for example in in_language("python") if example.path == path]
    codes = [(_compile(example), example) for example in examples]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    try:
        for code, example in codes:
            if example.reason is None:
                exec(code, namespace)
    finally:
        _close_clients(namespace)


@_every_document
def test_every_fenced_block_names_its_language(path: Path) -> None:
    document = path.read_text(encoding="utf-8")
    fences = re.findall(r"^\s*```", document, re.MULTILINE)
    assert len(fences) == 2 * len([example for example in EXAMPLES if example.path == path])


def test_the_readme_has_examples() -> None:
    readme = [example for example in in_language("python") if example.path.name == "README.md"]
    assert len(readme) >= 8


def _readme_command(number: int) -> str:
    shell = [example for example in in_language("sh") if example.path.name == "README.md"]
    return shell[number].text.strip()


def test_the_first_command_prints_a_story(monkeypatch: pytest.MonkeyPatch) -> None:
    install, ask = _readme_command(0).split(" && ")
    assert install == "pip install '.[cli]'"
    program, *arguments = shlex.split(ask)
    assert program == "azure-responses"
    _clear_environment(monkeypatch)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "azure_responses", *arguments]
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert asked.returncode == 0, asked.stderr
    assert "unicorn" in asked.stdout
    assert "emulator" in asked.stderr


def test_the_second_command_installs_and_tests() -> None:
    assert re.fullmatch(r"pip install '\.\[test\]' && python -m pytest\b.*", _readme_command(1))


@pytest.mark.parametrize("example", in_language("sh"), ids=str)
def test_every_command_is_one_the_program_takes(
    example: Example, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in _commands(example):
        parsed = cli._parser().parse_args(words)
        assert callable(parsed.run)


@pytest.mark.parametrize("example", in_language("sh"), ids=str)
def test_a_command_that_ends_by_itself_succeeds(
    example: Example, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _clear_environment(monkeypatch)
    for words in _commands(example):
        needs_nothing = words[0] in _ENDING and not any(word.startswith(_NEEDY) for word in words)
        if example.reason is None and needs_nothing and "-" not in words:
            assert cli.main(words) == 0, capsys.readouterr().err


def _check_pricing(text: str) -> None:
    PriceBook().configure(yaml.safe_load(text)["pricing"])


def _check_emulator(text: str) -> None:
    read_settings(yaml.safe_load(text))


def _check_gateway(text: str) -> None:
    variables = re.findall(r"os\.environ/(\w+)", text)
    environ = dict.fromkeys(variables, "https://my-resource.openai.azure.com")
    assert [str(problem) for problem in validate(text, environ)] == []


_CHECKS: dict[str, Callable[[str], None]] = {
    "model_list": _check_gateway,
    "resources": _check_emulator,
    "pricing": _check_pricing,
}


@pytest.mark.parametrize("example", in_language("yaml"), ids=str)
def test_every_configuration_is_one_the_program_takes(example: Example) -> None:
    for document in yaml.safe_load_all(example.text):
        known = [check for key, check in _CHECKS.items() if key in (document or ())]
        # What LiteLLM is to read is not for our gateway.
        is_ours = example.reason is None and example.path.name != "litellm-plugin.md"
        if known and is_ours:
            known[0](example.text)


def test_every_other_file_can_be_parsed() -> None:
    for example in in_language("json"):
        assert json.loads(example.text), example
    for example in in_language("toml"):
        assert tomllib.loads(example.text), example


def _slugs(path: Path) -> set[str]:
    """The anchors of a document's headings, as code hosts and the site make them."""
    prose = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?)\s*$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _is_broken(path: Path, target: str, anchor: str) -> bool:
    found = (path.parent / target).resolve() if target else path
    return not found.exists() or bool(anchor and anchor not in _slugs(found))


@_every_document
def test_every_link_between_documents_leads_somewhere(path: Path) -> None:
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    assert [
        f"{target}#{anchor}" for target, anchor in links if _is_broken(path, target, anchor)
    ] == []


@pytest.mark.parametrize("path", DOCUMENTS[1:], ids=name_of)
def test_a_page_of_the_site_links_to_pages_of_the_site(path: Path) -> None:
    targets = [target for target, _ in _LINK.findall(path.read_text(encoding="utf-8")) if target]
    found = [(path.parent / target).resolve() for target in targets]
    own = [path for path in DOCS.rglob("*") if path.is_file()] + [ROOT / "CHANGELOG.md"]
    assert [target for target in found if target not in own] == []


@_every_document
def test_a_list_has_an_empty_line_before_it(path: Path) -> None:
    # Code hosts make a list without it, and the site a paragraph.
    prose = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    bullet = r"(?:[-*]|\d+\.) "
    assert re.findall(rf"^(?!\s|{bullet}|[|#>]).+\n{bullet}.*$", prose, re.MULTILINE) == []


def _extras() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"])


@_every_document
def test_every_extra_that_is_named_exists(path: Path) -> None:
    lists = re.findall(r"azure-responses\[([\w,-]+)\]", path.read_text(encoding="utf-8"))
    assert {extra for names in lists for extra in names.split(",")} <= _extras()


def test_every_extra_is_explained() -> None:
    decision = (DOCS / "decisions" / "0005-dependencies.md").read_text(encoding="utf-8")
    assert [name for name in _extras() if f"| `{name}` |" not in decision] == []


@pytest.mark.parametrize("row", _rows("endpoints.md", "What a URL becomes"), ids=" ".join)
def test_an_endpoint_becomes_what_the_table_says(row: list[str]) -> None:
    endpoint, version, called = (cell.strip("`") for cell in row)
    given = None if version == "–" else version
    if called == "refused":
        with pytest.raises(ConfigurationError):
            resolve_endpoint(endpoint, given)
        return
    url, _, warning = called.partition("`, ")
    resolved = resolve_endpoint(endpoint, given)
    assert resolved.url("responses") == url
    assert bool(resolved.warnings) == (warning == "with a warning")


def test_the_variables_are_those_the_table_says() -> None:
    rows = _rows("endpoints.md", "Where the settings come from")
    assert [tuple(re.findall(r"`(\w+)`", row[2])) for row in rows] == list(ENVIRONMENT.values())


def test_the_scopes_are_those_the_table_says() -> None:
    hosts = (
        "r.services.ai.azure.com/api/projects/p",
        "r.services.ai.azure.com",
        "k.eastus2.models.ai.azure.com",
        "r.openai.azure.com",
        "r.openai.azure.us",
        "r.openai.azure.cn",
    )
    scopes = [resolve_endpoint(host).scope for host in hosts]
    rows = _rows("authentication.md", "The audience of a token")
    assert [row[1].strip("`") for row in rows] == scopes


def test_every_exception_is_explained() -> None:
    page = (DOCS / "errors.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^### (\w+)$", page, re.MULTILINE))
    # Names of the openai package are further names of the same classes.
    own = {name for name in errors.__all__ if getattr(errors, name).__name__ == name}
    assert explained - {"TypeError"} == own - {"AzureResponsesError"}


def test_every_command_is_on_its_page() -> None:
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    parser = cli._parser()
    commands = next(action.choices for action in parser._actions if action.choices)
    assert [name for name in commands if f"| `{name}` |" not in page] == []


def test_every_module_that_the_architecture_names_exists() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)*\w+\.py)`", text)
    assert len(named) > 30
    missing = {name for name in named if not (ROOT / "azure_responses" / name).exists()}
    assert missing - {name for name in named if (ROOT / name).exists()} == set()


def test_every_script_is_in_its_table() -> None:
    listed = {row[0].strip("`") for row in _rows("contributing.md", "Contributing")}
    scripts = {
        f"scripts/{path.name}"
        for path in (ROOT / "scripts").iterdir()
        if path.is_file() and path.suffix != ".json"
    }
    assert listed == scripts


def test_every_decision_is_in_its_index() -> None:
    decisions = {path.name for path in (DOCS / "decisions").glob("0*.md")}
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\]\((0[^)]+)\)", index)) == decisions


def test_what_is_exported_is_what_the_examples_import() -> None:
    # A name that an example imports from the package itself is public.
    imported = [
        name.strip()
        for example in in_language("python")
        for names in re.findall(r"^from azure_responses import ([\w, ]+)$", example.text, re.M)
        for name in names.split(",")
    ]
    modules = {path.stem for path in (ROOT / "azure_responses").iterdir()}
    assert set(imported) <= {*azure_responses.__all__, *modules}


@_every_document
def test_every_row_of_a_table_has_the_columns_of_its_head(path: Path) -> None:
    # Code hosts end a cell at a bar even inside code, so that every bar of a row counts.
    prose = re.sub(r"^```.*?^```$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n)+", prose, re.MULTILINE):
        bars = [len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()]
        assert set(bars) == {bars[0]}, table
