"""What importing loads, and what may import what."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.tree import PACKAGE, module_name, modules

_HEAVY = (
    "aiohttp", "anyio", "azure", "httpx", "prompt_toolkit", "pydantic", "rich", "starlette",
    "uvicorn", "yaml",
)  # fmt: skip


def _loaded_by(statement: str) -> set[str]:
    """The heavy distributions that a fresh interpreter has loaded after a statement."""
    program = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-c", program]
    printed = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    return set(printed.stdout.split()) & set(_HEAVY)


@pytest.mark.parametrize(
    "statement",
    [
        "import azure_responses",
        "import azure_responses.types",
        "import azure_responses.errors",
        "from azure_responses import RateLimitError, __version__",
    ],
)
def test_the_front_door_loads_no_library(statement: str) -> None:
    assert _loaded_by(statement) == set()


def test_a_sync_client_loads_neither_identity_nor_aiohttp() -> None:
    client = "from azure_responses import AzureResponses; AzureResponses('https://r.example', "
    # httpx itself loads rich where it is installed, for a command of its own.
    assert _loaded_by(client + "api_key='k')") - {"rich"} == {"anyio", "httpx", "pydantic"}


def test_an_async_client_loads_no_identity() -> None:
    client = "from azure_responses import AsyncAzureResponses as C; C('https://r.example', "
    assert "azure" not in _loaded_by(client + "api_key='k')")


def test_the_pure_parts_load_pydantic_alone() -> None:
    pure = [
        name
        for name in map(module_name, modules())
        if name.startswith(("azure_responses.types", "azure_responses.protocol"))
    ]
    assert _loaded_by(f"import {', '.join(pure)}") == {"pydantic"}


def test_a_question_on_the_command_line_loads_no_line_editor() -> None:
    asked = "from azure_responses.cli import main; main(['ask', 'hi'])"
    assert "prompt_toolkit" not in _loaded_by(asked)


def test_an_emulator_loads_no_server_before_it_serves() -> None:
    loaded = _loaded_by("from azure_responses.emulator import Emulator; Emulator()")
    assert loaded.isdisjoint({"azure", "uvicorn", "yaml", "pydantic"})


def test_no_module_imports_itself_in_a_circle() -> None:
    names = {module_name(path) for path in modules()}
    graph = {module_name(path): set(_imports(path)) & names for path in modules()}
    # Raises CycleError, which names the circle.
    assert list(TopologicalSorter(graph).static_order())


def _imports(path: Path) -> Iterator[str]:
    """What a module imports while it is being imported; not in functions or for type checkers."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in _statements(ast.parse(path.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*start, *(node.module or "").split(".")]).rstrip(".")
            for alias in node.names:
                yield f"{origin}.{alias.name}"
            if not _submodules_only(origin, node):
                yield origin


def _submodules_only(origin: str, node: ast.ImportFrom) -> bool:
    """True for `from package import module`: the package itself is not asked for anything."""
    folder = PACKAGE.parent.joinpath(*origin.split("."))
    names = [alias.name for alias in node.names]
    return all((folder / f"{name}.py").exists() or (folder / name).is_dir() for name in names)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _statements(node.orelse)
        elif isinstance(node, ast.If):
            yield from _statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _statements([*node.body, *node.orelse, *node.finalbody])
        else:
            yield node
