"""Values are counted, before a body is read, nearly as its reader would find them."""

import json
import random
from typing import Any

import pytest

from azure_responses.gateway import body_reader
from azure_responses.gateway.body_reader import count_values, has_long_number


def _values(value: Any) -> int:
    """Values as the count sees them: all but the first of each list or object, and these."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return max(1, len(value)) + sum(_values(each) for each in inner)
    return 0


def _make(draw: random.Random, depth: int = 0) -> Any:
    kind = draw.randrange(4 if depth < 4 else 2)
    if kind == 0:
        return "".join(draw.choices('a,[{"\\\n:é', k=draw.randrange(8)))
    if kind == 1:
        return draw.choice([0, -1.5, None, True])
    values = [_make(draw, depth + 1) for _ in range(draw.randrange(6))]
    return values if kind == 2 else {f'{n}"\\,': each for n, each in enumerate(values)}


@pytest.mark.parametrize("window", [3, 7, 64, 10**6])
def test_commas_and_brackets_in_strings_are_no_values(
    monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(body_reader, "_WINDOW", window)
    monkeypatch.setattr(body_reader, "_ESCAPES_PER_VALUE", 10**9)
    draw = random.Random(4)
    for _ in range(300):
        value = [_make(draw) for _ in range(4)]
        expected = _values(value)
        # One less is too many, so that they have to be told apart.
        assert count_values(json.dumps(value).encode(), expected - 1) == expected
        assert count_values(json.dumps(value, ensure_ascii=False).encode(), 0) > 0


def test_counting_stops_where_there_are_too_many() -> None:
    body = b"[" + b"[]," * 1_000_000 + b"0]"
    assert 1000 < count_values(body, 1000) < 600_000


def test_text_full_of_structure_is_one_value() -> None:
    body = json.dumps({"input": json.dumps([{"a": [1, 2, 3]}] * 50_000)}).encode()
    assert body.count(b",") > 100_000
    assert count_values(body, 60_000) < 60_000


def test_escapes_count_for_a_part() -> None:
    assert count_values(b'{"input":"' + b"\\u0041" * 2000 + b'"}', 1000) == 101


@pytest.mark.parametrize("text", [b'"%b"', b'"\\\\\\"%b"', b'["a", "%b", 1]'])
def test_digits_in_a_text_are_no_long_number(text: bytes) -> None:
    digits = b"9" * 600_000
    assert not has_long_number(text % digits)
    assert has_long_number(text.replace(b"%b", b"") + b"%b" % digits)
    assert has_long_number(b'{"a":%b}' % (b"1" * 2000))
    assert not has_long_number(b"[" + b"123456789," * 1000 + b"0]")
