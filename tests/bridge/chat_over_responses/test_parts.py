from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.parts import (
    read_input_parts,
    read_output,
    read_text,
    text_part,
)
from azure_responses.errors import ConfigurationError


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("plain", {"type": "input_text", "text": "plain"}),
        (
            {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}},
            {
                "type": "input_text",
                "text": "a",
                "prompt_cache_breakpoint": {"mode": "explicit"},
            },
        ),
        (
            {"type": "image_url", "image_url": "https://x/y.png"},
            {"type": "input_image", "detail": "auto", "image_url": "https://x/y.png"},
        ),
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,", "detail": "low"}},
            {"type": "input_image", "detail": "low", "image_url": "data:image/png;base64,"},
        ),
        (
            {"type": "image_url", "image_url": {"file_id": "file-1"}},
            {"type": "input_image", "detail": "auto", "file_id": "file-1"},
        ),
        (
            {"type": "file", "file": {"file_id": "assistant-1", "filename": None}},
            {"type": "input_file", "file_id": "assistant-1"},
        ),
        (
            {"type": "file", "file": {"file_data": "data:,", "filename": "a.pdf"}},
            {"type": "input_file", "file_data": "data:,", "filename": "a.pdf"},
        ),
        (
            {"type": "file", "file": {"file_url": "https://x/a.pdf", "detail": "low"}},
            {"type": "input_file", "file_url": "https://x/a.pdf", "detail": "low"},
        ),
        (
            {"type": "file", "file": {"file_id": "https://x/a.pdf"}},
            {"type": "input_file", "file_url": "https://x/a.pdf"},
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        ),
        ({"type": "input_text", "text": "a"}, {"type": "input_text", "text": "a"}),
        (
            {"type": "input_image", "image_url": "u", "file_id": None},
            {"type": "input_image", "image_url": "u"},
        ),
    ],
)
def test_every_kind_of_part(part: Any, expected: dict[str, Any]) -> None:
    assert read_input_parts([part], "p") == [expected]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video_url", "video_url": {"url": "u"}},
        {"type": "document"},
        {"type": "thinking", "thinking": "hm"},
        {"text": "no type"},
        {"type": ["text"]},
        {"type": "text"},
        {"type": "image_url", "image_url": {}},
        {"type": "image_url"},
        {"type": "file", "file": {"filename": "a.pdf"}},
        {"type": "input_audio"},
        7,
    ],
)
def test_a_part_that_cannot_be_sent_is_an_error_that_names_its_place(part: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"messages\[2\]\.content\[0\]"):
        read_input_parts([part], "messages[2].content")


def test_content_that_is_neither_text_nor_parts_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="content is int"):
        read_input_parts(7, "content")


def test_text_is_one_part() -> None:
    assert read_input_parts("a", "p") == [text_part("a")]


@pytest.mark.parametrize(
    ("content", "text"), [(None, ""), ("a", "a"), ([{"type": "text", "text": "a"}, "b"], "ab")]
)
def test_text_is_joined_where_only_text_can_stand(content: Any, text: str) -> None:
    assert read_text(content, "p") == text


def test_an_image_cannot_stand_for_text() -> None:
    with pytest.raises(ConfigurationError, match="input_image"):
        read_text([{"type": "image_url", "image_url": "u"}], "p")


@pytest.mark.parametrize(
    ("content", "output"), [(None, ""), ("a", "a"), ([], []), (["a"], [text_part("a")])]
)
def test_a_tools_output_stays_text_or_parts(content: Any, output: Any) -> None:
    assert read_output(content, "p") == output
