from typing import Any

import pytest

from azure_responses.bridge.message_blocks import Part, read_parts
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.errors import BadRequestError, ConfigurationError

_PDF = {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}


def _read(*blocks: Any, drops: bool = False) -> list[Part]:
    return read_parts(list(blocks), "messages.0.content", Unsupported(drops_params=drops))


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ("one", [Part("text", "one")]),
        ({"type": "text", "text": "one", "citations": [{}]}, [Part("text", "one")]),
        (
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": "AA"},
                "transformations": {"oversized_image": "downsize"},
            },
            [Part("image", "data:image/png;base64,AA")],
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
            [Part("image", "https://a/b.png")],
        ),
        (
            {"type": "document", "source": _PDF, "title": "Plan", "context": "Draft"},
            [
                Part("text", "Draft"),
                Part("file", "data:application/pdf;base64,JVBERg==", "Plan"),
            ],
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a/b.pdf"}},
            [Part("file", "https://a/b.pdf")],
        ),
        (
            {
                "type": "document",
                "title": "Plan",
                "source": {"type": "text", "media_type": "text/plain", "data": "All of it"},
            },
            [Part("text", "Document: Plan"), Part("text", "All of it")],
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "All of it"}},
            [Part("text", "All of it")],
        ),
        (
            {
                "type": "search_result",
                "title": "T",
                "source": "s",
                "content": [{"type": "text", "text": "found"}],
                "citations": {"enabled": False},
            },
            [Part("text", "Search result: T (s)"), Part("text", "found")],
        ),
        (
            {"type": "tool_reference", "tool_name": "f"},
            [Part("text", "The tool f is available.")],
        ),
    ],
)
def test_blocks_become_parts(block: Any, parts: list[Part]) -> None:
    assert _read(block) == parts


@pytest.mark.parametrize(
    ("block", "param"),
    [
        (
            {"type": "image", "source": {"type": "file", "file_id": "f"}},
            "messages.0.content.0.source",
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "f"}},
            "messages.0.content.0.source",
        ),
        (
            {"type": "document", "source": _PDF, "citations": {"enabled": True}},
            "messages.0.content.0.citations",
        ),
        (
            {
                "type": "image",
                "source": {"type": "url", "url": "https://a"},
                "transformations": {"oversized_image": "error"},
            },
            "messages.0.content.0.transformations",
        ),
        ({"type": "container_upload", "file_id": "f"}, "messages.0.content.0"),
    ],
)
def test_what_only_claude_reads_is_refused_or_left_out(block: Any, param: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _read(block)
    assert refused.value.param == param
    assert refused.value.hint
    unsupported = Unsupported(drops_params=True)
    read_parts([block], "messages.0.content", unsupported)
    assert unsupported.warnings[0].startswith(param)


@pytest.mark.parametrize(
    "block",
    [
        None,
        {},
        {"type": "video"},
        {"type": "text"},
        {"type": "image", "source": {"type": "ftp"}},
        {"type": "image", "source": None},
        {"type": "image", "source": {"type": "base64", "data": 1}},
        {"type": "document", "source": {"type": "content", "content": 1}},
    ],
)
def test_what_messages_does_not_have_is_invalid(block: Any) -> None:
    with pytest.raises(BadRequestError):
        _read(block)
