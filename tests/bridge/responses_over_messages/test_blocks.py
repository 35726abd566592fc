"""Pictures and documents are sent to Claude in the form it takes, or refused by name."""

import base64
from typing import Any

import pytest

from azure_responses.errors import BadRequestError, ConfigurationError
from tests.bridge.responses_over_messages.cases import convert, told

_PDF = base64.b64encode(b"%PDF-1.7 ...").decode()


def _block(part: dict[str, Any]) -> Any:
    return told([{"role": "user", "content": [part]}])[0]["content"][0]


def _image(url: Any, **fields: Any) -> dict[str, Any]:
    return {"type": "input_image", "image_url": url, **fields}


def _file(**fields: Any) -> dict[str, Any]:
    return {"type": "input_file", **fields}


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://example.com/a.png", {"type": "url", "url": "https://example.com/a.png"}),
        (
            "data:image/png;base64,AAAA",
            {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        ),
        (
            "data:image/jpg;base64,AAAA",
            {"type": "base64", "media_type": "image/jpeg", "data": "AAAA"},
        ),
        (
            "DATA:image/gif;name=a;base64,AAAA",
            {"type": "base64", "media_type": "image/gif", "data": "AAAA"},
        ),
        ("data:image/webp,%00", {"type": "base64", "media_type": "image/webp", "data": "AA=="}),
    ],
)
def test_an_image_is_sent_by_url_or_as_base64(url: str, source: dict[str, str]) -> None:
    assert _block(_image(url, detail="high")) == {"type": "image", "source": source}


@pytest.mark.parametrize(
    ("part", "source"),
    [
        (
            _file(file_data=f"data:application/pdf;base64,{_PDF}"),
            {"type": "base64", "media_type": "application/pdf", "data": _PDF},
        ),
        (
            _file(file_data=_PDF),
            {"type": "base64", "media_type": "application/pdf", "data": _PDF},
        ),
        (
            _file(file_url="https://example.com/a.pdf"),
            {"type": "url", "url": "https://example.com/a.pdf"},
        ),
        (
            _file(file_data="data:text/markdown;base64,w6k="),
            {"type": "text", "media_type": "text/plain", "data": "é"},
        ),
        (
            _file(file_data="data:,a%20b"),
            {"type": "text", "media_type": "text/plain", "data": "a b"},
        ),
        (
            _file(file_data="data:application/json;base64,e30="),
            {"type": "text", "media_type": "text/plain", "data": "{}"},
        ),
        (
            _file(file_data="YSxi", filename="table.CSV"),
            {"type": "text", "media_type": "text/plain", "data": "a,b"},
        ),
    ],
)
def test_a_file_is_a_document(part: dict[str, Any], source: dict[str, str]) -> None:
    block = _block(part)
    assert (block["type"], block["source"]) == ("document", source)


def test_a_document_keeps_its_name_and_is_cited_where_that_is_asked() -> None:
    block = _block(_file(file_data=_PDF, filename="a.pdf", citations={"enabled": True}))
    assert (block["title"], block["citations"]) == ("a.pdf", {"enabled": True})
    assert "title" not in _block(_file(file_data=_PDF))


def test_a_file_that_is_an_image_is_an_image() -> None:
    assert (
        _block(_file(file_data="AAAA", filename="a.jpeg"))["source"]["media_type"] == "image/jpeg"
    )


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (_image(None, file_id="file_1"), "input[0].content[0].file_id"),
        (_image("data:image/tiff;base64,AAAA"), "input[0].content[0].image_url"),
        (_file(file_id="file_1"), "input[0].content[0].file_id"),
        (_file(file_data="data:application/zip;base64,AAAA"), "input[0].content[0].file_data"),
        (_file(file_data="AAAA"), "input[0].content[0].file_data"),
        ({"type": "input_audio", "input_audio": {}}, "input[0].content[0]"),
    ],
)
def test_what_claude_does_not_take_is_refused_by_name_or_dropped(part: Any, param: str) -> None:
    text = {"type": "input_text", "text": "See."}
    parameters = {"input": [{"role": "user", "content": [part, text]}]}
    with pytest.raises(ConfigurationError) as caught:
        convert(parameters)
    assert caught.value.param == param
    body, warnings = convert(parameters, drops_params=True)
    assert [block["type"] for block in body["messages"][0]["content"]] == ["text"]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    "part",
    [
        {"text": "no type"},
        _image(None),
        _image(""),
        _image({"url": "https://example.com"}),
        _image("data:nonsense"),
        _file(),
        _file(file_data="data:text/plain;base64,/w=="),
        _file(file_data="data:text/plain;base64,?"),
    ],
)
def test_an_invalid_part_is_refused(part: dict[str, Any]) -> None:
    with pytest.raises(BadRequestError, match=r"input\[0\]\.content\[0\]"):
        convert({"input": [{"role": "user", "content": [part]}]})


def test_a_part_may_end_what_is_cached() -> None:
    part = {"type": "input_text", "text": "long"}
    own = {"type": "ephemeral", "ttl": "1h", "scope": "global"}
    body, warnings = convert(
        {"input": [{"role": "user", "content": [{**part, "cache_control": own}]}]}
    )
    assert body["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral", "ttl": "1h"}
    assert warnings == (
        "input[0].content[0].cache_control.scope was left out. Claude in Foundry refuses it.",
    )
    marked = _block({**part, "prompt_cache_breakpoint": {"mode": "explicit"}})
    assert marked["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" not in _block(part)
