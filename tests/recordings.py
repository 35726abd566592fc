"""Recorded public traffic that nobody on this project wrote, read for conformance tests.

The recordings are not part of the project: they are looked for in `../shared/wire` beside the
checkout, or where AZURE_RESPONSES_WIRE says. The OpenAPI descriptions likewise, in
`../shared/spec` or AZURE_RESPONSES_SPEC. Tests that need them skip where they are absent.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Exchange", "exchanges", "openapi", "wire_folder"]

_ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its reply.

    `body` is the parsed JSON, `sse` the raw text of the reply (a stream, or JSON again), `events`
    a list of event objects where the source kept those instead; each may be None.
    """

    id: str
    provider: str
    authenticity: str
    method: str | None
    url: str | None
    status: int | None
    request: Any
    response_headers: dict[str, Any]
    body: Any
    sse: str | None
    events: list[dict[str, Any]] | None

    def event_objects(self) -> list[dict[str, Any]]:
        """The JSON objects of the stream, in order; lines that are not JSON are left out."""
        if self.events is not None:
            return self.events
        return list(_data_objects(self.sse or ""))


def _data_objects(text: str) -> Iterator[dict[str, Any]]:
    # Not str.splitlines: JSON may hold U+2028, which ends a line for Python but not in a stream.
    for line in text.split("\n"):
        if not line.startswith("data:"):
            continue
        try:
            value = json.loads(line.removeprefix("data:"))
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable) or _ROOT.parent / "shared" / name)
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder.name!r}: set {variable}", allow_module_level=True)
    return folder


def wire_folder() -> Path:
    """The folder of recordings; skips the calling test where it is absent."""
    return _folder("AZURE_RESPONSES_WIRE", "wire")


@cache
def exchanges() -> tuple[Exchange, ...]:
    """Every recorded exchange, in file order; skips the calling test where they are absent."""
    rows = []
    for path in sorted(wire_folder().glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").rstrip("\n").split("\n"):
            row = json.loads(line)
            if "authenticity" in row:
                rows.append(_exchange(row))
    return tuple(rows)


def _exchange(row: dict[str, Any]) -> Exchange:
    known: dict[str, Any] = {name: row.get(name) for name in Exchange.__dataclass_fields__}
    known["response_headers"] = known["response_headers"] or {}
    return Exchange(**known)


@cache
def openapi(name: str) -> dict[str, Any]:
    """An OpenAPI description by file name; skips the calling test where it is absent."""
    path = _folder("AZURE_RESPONSES_SPEC", "spec") / name
    description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return description
