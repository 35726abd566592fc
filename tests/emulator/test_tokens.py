"""Token estimates: close, deterministic and never losing text."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.tokens import (
    count_image,
    count_items,
    count_request,
    count_text,
    split_tokens,
)


@given(st.text())
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(split_tokens(text)) == text


@given(st.text(), st.text())
def test_longer_text_never_costs_less_than_its_parts_less_one(first: str, second: str) -> None:
    assert count_text(first + second) >= max(count_text(first), count_text(second)) - 2


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("Hello, world!", 4, 4),
        ("The quick brown fox jumps over the lazy dog.", 10, 10),
        ("Olá!", 2, 2),
        ('{"location":"San Francisco"}', 6, 9),
        ("1234567", 3, 3),
        ("こんにちは", 1, 5),
        ("internationalisation", 2, 4),
    ],
)
def test_counts_are_close_to_the_real_tokenizer(text: str, least: int, most: int) -> None:
    assert least <= count_text(text) <= most


def test_an_image_costs_by_detail() -> None:
    assert count_image({"detail": "low"}) == 85
    assert count_image({"detail": "high"}) == count_image({}) == 765


@pytest.mark.parametrize(
    ("item", "tokens"),
    [
        ("text", 1),
        (None, 0),
        ({"role": "user", "content": "Hello"}, 5),
        ({"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}, 5),
        ({"role": "user", "content": [{"type": "input_image", "detail": "low"}]}, 89),
        ({"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}, 254),
        ({"role": "user", "content": [{"type": "input_file", "file_data": "?"}]}, 254),
        ({"role": "assistant", "content": [{"type": "refusal", "refusal": "No"}]}, 5),
        ({"role": "user", "content": ["Hello", 5, {"type": "odd"}]}, 5),
        ({"type": "function_call", "name": "f", "arguments": "{}"}, 6),
        ({"type": "function_call_output", "output": "Hello"}, 5),
        ({"type": "web_search_call", "action": {"type": "search"}}, 10),
    ],
)
def test_every_kind_of_item_is_counted(item: Any, tokens: int) -> None:
    assert abs(count_items([item]) - tokens) <= 1


def test_a_file_costs_by_its_size() -> None:
    data = "data:text/plain;base64," + base64.b64encode(b"x" * 8000).decode()
    assert count_items([{"content": [{"type": "input_file", "file_data": data}]}]) == 2004


def test_everything_the_model_reads_of_a_request_is_counted() -> None:
    bare = count_request({"input": "Hello"})
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    for more in (
        {"instructions": "Be brief."},
        {"tools": [{"type": "function", "name": "f", "parameters": schema}]},
        {"text": {"format": {"type": "json_schema", "schema": schema}}},
    ):
        assert count_request({"input": "Hello", **more}) > bare
    assert count_request({"input": "Hello"}, [{"role": "user", "content": "Hi"}]) > bare
    assert count_request({"input": [{"role": "user", "content": "Hello"}]}) == bare
    assert count_request({"messages": [{"role": "user", "content": "Hello"}]}) == bare
    assert count_request({"text": {"format": {"type": "text"}}}) == count_request({})
