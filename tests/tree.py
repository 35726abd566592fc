"""The source files of the package and of its tests, as a tree."""

from pathlib import Path

__all__ = ["PACKAGE", "TESTS", "module_name", "modules"]

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "azure_responses"


def modules() -> list[Path]:
    """Every module of the package, in order."""
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a module; a package's `__init__` is the package."""
    parts = list(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
