"""The folders of the tests mirror the packages they test."""

import ast
from pathlib import Path

import pytest

from tests.costs import COSTS
from tests.tree import PACKAGE, TESTS, modules

# Folders whose tests are about what callers do, through whichever packages that goes.
_ABOUT_SCENARIOS = {"clients", "deploy", "real_clients", "soak", "typing"}
# The client is tested by what its callers do; the generated side runs the same scenarios.
_TESTED_ELSEWHERE = {"_async": "clients", "_sync": "clients"}
_SIDES = {"_async", "_sync"}


def _has_code(path: Path) -> bool:
    """True for a module with a function or a method: data needs no test of its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in ast.walk(tree))


def _packages() -> list[str]:
    """The packages that hold code, by their folder; both sides of a pair count as their parent."""
    folders = set()
    for path in modules():
        place = path.parent.relative_to(PACKAGE)
        if _has_code(path):
            folders.add(place.parent if place.name in _SIDES and place.parts[1:] else place)
    return sorted(folder.as_posix() for folder in folders if folder.parts)


@pytest.mark.parametrize("package", _packages())
def test_a_package_with_code_has_tests(package: str) -> None:
    folder = TESTS / _TESTED_ELSEWHERE.get(package, package)
    assert list(folder.glob("test_*.py")), f"{package} has no tests in {folder.name}/"


def test_a_folder_of_tests_is_named_after_its_package() -> None:
    folders = {path.parent.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    named = [
        folder for folder in folders if folder.parts and folder.parts[0] not in _ABOUT_SCENARIOS
    ]
    assert [
        str(folder) for folder in named if not (PACKAGE / folder / "__init__.py").exists()
    ] == []


def test_every_folder_of_code_is_a_package() -> None:
    # A folder without __init__.py imports all the same, but the import rules do not see it.
    folders = {path.parent for root in (PACKAGE, TESTS) for path in root.rglob("*.py")}
    assert [str(path) for path in sorted(folders) if not (path / "__init__.py").exists()] == []


@pytest.mark.parametrize("cost", COSTS)
def test_the_table_of_costs_names_files_of_tests(cost: str) -> None:
    assert [name for name in COSTS[cost] if not (TESTS / name).is_file()] == []
