"""`os.environ/NAME` anywhere in a configuration, replaced by the variable's value."""

from collections.abc import Mapping
from typing import Any

from azure_responses.gateway.document import Document
from azure_responses.gateway.findings import Finding, Path, show_path

__all__ = ["expand"]

_PREFIX = "os.environ/"


def expand(document: Document, environ: Mapping[str, str]) -> None:
    """Replace every `os.environ/NAME` in place; one that is not set becomes a finding and None."""
    document.value = _expand(document.value, (), document, environ)


def _expand(value: Any, path: Path, document: Document, environ: Mapping[str, str]) -> Any:
    if isinstance(value, str) and value.startswith(_PREFIX):
        return _look_up(value.removeprefix(_PREFIX).strip(), path, document, environ)
    if isinstance(value, dict):
        return {
            name: _expand(item, (*path, name), document, environ) for name, item in value.items()
        }
    if isinstance(value, list):
        return [
            _expand(item, (*path, index), document, environ) for index, item in enumerate(value)
        ]
    return value


def _look_up(name: str, path: Path, document: Document, environ: Mapping[str, str]) -> str | None:
    if environ.get(name, "").strip():
        return environ[name].strip()
    state = "is empty" if name in environ else "is not set"
    document.findings.append(
        Finding(
            "error",
            f"The environment variable {name or '(no name)'} {state}.",
            show_path(path),
            document.line(path),
            f"Set {name}, or write the value here.",
        )
    )
    return None
