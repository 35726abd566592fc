"""Files arrive as the openai package sends them."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest

from azure_responses import AzureResponses

_REPLY = {"id": "f", "object": "file", "bytes": 1, "created_at": 1, "filename": "a"}
_GIVEN: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda path: b"x",
    "a file": lambda path: io.BytesIO(b"x"),
    "a file that was written": lambda path: _written(),
    "a path": lambda path: path,
    "a name": lambda path: ("a.txt", b"x"),
    "a name that needs quoting": lambda path: ('ä"q\\b\r\n.md', b"x"),
    "a name of a path": lambda path: ("n.json", path),
    "a content type": lambda path: ("n.x", b"x", "text/y"),
    "headers": lambda path: ("n.x", b"x", "text/y", {"X-A": "1"}),
}


def _written() -> io.BytesIO:
    file = io.BytesIO()
    file.write(b"x")
    return file


def _lines(request: Any) -> list[bytes]:
    """The lines of a form, in any order and case: ours has its fields first."""
    found = re.search("boundary=([^;]+)", request.headers["content-type"])
    assert found
    assert int(request.headers["content-length"]) == len(request.content)
    body = request.content.replace(found[1].strip('"').encode(), b"boundary")
    return sorted(line.lower() for line in body.split(b"\r\n"))


@pytest.mark.parametrize("name", _GIVEN)
def test_a_form_has_the_lines_of_the_openai_packages(name: str, tmp_path: Path) -> None:
    sent: list[list[bytes]] = []
    path = tmp_path / "ä b.pdf"
    path.write_bytes(b"x")
    more: dict[str, Any] = {
        "purpose": "assistants",
        "expires_after": {"anchor": "created_at", "seconds": 3600},
        "extra_body": {"more": {"a": [1, 2]}, "flag": True},
    }

    def answer(request: Any) -> Any:
        request.read()
        sent.append(_lines(request))
        library = httpx if isinstance(request, httpx.Request) else httpx2
        return library.Response(200, json={**_REPLY, "purpose": "batch", "status": "processed"})

    theirs = httpx2.Client(transport=httpx2.MockTransport(answer))
    with openai.OpenAI(base_url="https://o.example/v1", api_key="k", http_client=theirs) as client:
        client.files.create(file=_GIVEN[name](path), **more)
    with (
        httpx.Client(transport=httpx.MockTransport(answer)) as own,
        AzureResponses("https://r.openai.azure.com", api_key="k" * 32, http_client=own) as ours,
    ):
        ours.files.create(file=_GIVEN[name](path), **more)
    assert sent[0] == sent[1]
