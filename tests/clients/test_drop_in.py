"""One program, run with the openai package and with this one: it sees the same, line by line."""

import asyncio
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from azure_responses.emulator import Emulator

_PROGRAMS = Path(__file__).parent / "programs"
_VERSIONS = ("2025-04-01-preview",)


def _load(name: str, package: str) -> ModuleType:
    """A program whose import names a package; everything else in it stays as it is."""
    text = (_PROGRAMS / f"{name}.py").read_text(encoding="utf-8")
    assert text.count("\nfrom openai import ") == 1
    module = ModuleType(f"{name}_of_{package}")
    # pydantic looks for the names of a class in its module.
    sys.modules[module.__name__] = module
    replaced = text.replace("\nfrom openai import ", f"\nfrom {package} import ")
    exec(compile(replaced, f"{name}.py of {package}", "exec"), module.__dict__)
    return module


def _run(name: str, package: str, **arguments: Any) -> dict[str, list[Any]]:
    module = _load(name, package)
    emulator = Emulator()
    with emulator.serve() as server:
        found: Any = module.main(server.url, emulator.api_key, **arguments)
        return dict(asyncio.run(found)) if inspect.iscoroutine(found) else dict(found)


def _lines(found: dict[str, list[Any]]) -> Iterator[str]:
    for part, lines in found.items():
        for number, line in enumerate(lines):
            yield f"{part} {number}: {line!r}"


@pytest.mark.parametrize("version", _VERSIONS)
@pytest.mark.parametrize("name", ["azure_openai", "async_azure_openai"])
def test_a_program_sees_the_same_with_either_package(name: str, version: str) -> None:
    theirs = [*_lines(_run(name, "openai", api_version=version))]
    ours = [*_lines(_run(name, "azure_responses", api_version=version))]
    assert [line for line in theirs if "Error: " in line] == []
    assert ours == theirs
    assert len(ours) > 30
