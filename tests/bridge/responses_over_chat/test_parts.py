"""Content parts of the Responses API as those of chat completions."""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError, ConfigurationError

from .cases import convert, told

_PNG = "data:image/png;base64,iVBORw0KGgo="
_PDF = "data:application/pdf;base64,JVBERi0="


def _content(*parts: dict[str, Any], **how: Any) -> Any:
    (message,) = told([{"role": "user", "content": list(parts)}], **how)
    return message["content"]


@pytest.mark.parametrize("detail", [None, "low", "high", "auto"])
def test_an_image_keeps_its_detail(detail: str | None) -> None:
    image = {"url": _PNG} if detail is None else {"url": _PNG, "detail": detail}
    part = {"type": "input_image", "image_url": _PNG, "detail": detail}
    assert _content(part) == [{"type": "image_url", "image_url": image}]


def test_the_original_detail_becomes_high_with_a_warning() -> None:
    part = {"type": "input_image", "image_url": _PNG, "detail": "original"}
    body, warnings = convert({"input": [{"role": "user", "content": [part]}]})
    assert body["messages"][0]["content"][0]["image_url"]["detail"] == "high"
    assert len(warnings) == 1


def test_audio_is_sent_where_the_family_takes_it() -> None:
    part = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    assert _content(part) == [part]
    with pytest.raises(ConfigurationError, match="takes no 'input_audio'"):
        _content(part, facts={"takes_audio": False})


def test_a_document_is_sent_where_the_family_takes_it() -> None:
    part = {"type": "input_file", "file_data": _PDF, "filename": "a.pdf"}
    file = {"file_data": _PDF, "filename": "a.pdf"}
    assert _content(part, facts={"takes_files": True}) == [{"type": "file", "file": file}]


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"type": "input_file", "file_data": _PDF}, "input[0].content[0]"),
        ({"type": "input_image", "file_id": "file_1"}, "input[0].content[0].file_id"),
        ({"type": "input_video", "url": "u"}, "input[0].content[0]"),
    ],
)
def test_other_parts_are_refused_by_name_or_dropped(part: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _content(part)
    assert caught.value.param == named
    assert caught.value.hint
    items = [{"role": "user", "content": [{"type": "input_text", "text": "Hi"}, part]}]
    body, warnings = convert({"input": items}, drops_params=True)
    assert body["messages"] == [{"role": "user", "content": "Hi"}]
    assert [warning.startswith("input[0].content[1]") for warning in warnings] == [True]


def test_the_refusal_of_an_image_by_its_id_names_what_can_be_sent_instead() -> None:
    with pytest.raises(ConfigurationError) as caught:
        _content({"type": "input_image", "file_id": "file_1"})
    assert "data URL or an https URL" in str(caught.value.hint)


@pytest.mark.parametrize("name", ["file_id", "file_url"])
def test_files_by_reference_are_refused_by_name(name: str) -> None:
    part = {"type": "input_file", name: "x"}
    with pytest.raises(ConfigurationError, match=rf"content\[0\]\.{name} is not supported"):
        _content(part, facts={"takes_files": True})
    body, _ = convert(
        {"input": [{"role": "user", "content": [part]}]},
        facts={"takes_files": True},
        drops_params=True,
    )
    assert body["messages"] == []


@pytest.mark.parametrize(
    ("part", "missing"),
    [
        ({"type": "input_image"}, "image_url"),
        ({"type": "input_file"}, "file_data"),
        ({}, "type"),
    ],
)
def test_parts_without_their_content_are_invalid(part: dict[str, Any], missing: str) -> None:
    with pytest.raises(BadRequestError, match="Missing required parameter") as caught:
        _content(part, facts={"takes_files": True})
    assert caught.value.param == f"input[0].content[0].{missing}"


def test_a_breakpoint_of_the_cache_is_left_out_with_a_warning() -> None:
    part = {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
    body, warnings = convert({"input": [{"role": "user", "content": [part]}]})
    assert body["messages"] == [{"role": "user", "content": "a"}]
    assert len(warnings) == 1


def test_a_document_that_a_tool_returned_is_shown_like_a_picture() -> None:
    part = {"type": "input_file", "file_data": _PDF, "filename": "a.pdf"}
    items = [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [part]},
    ]
    shown = told(items, facts={"takes_files": True})[2]
    assert shown["content"][1]["type"] == "file"
