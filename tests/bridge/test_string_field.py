"""A string field is decoded the same however its JSON text is cut."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.string_field import StringFieldDecoder, read_string_field


def _decode(pieces: list[str]) -> str:
    decoder = StringFieldDecoder("input")
    return "".join([decoder.feed(piece) for piece in pieces]) + decoder.finish()


def _cut(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@given(st.text(), st.booleans(), st.lists(st.integers(0, 10_000), max_size=12))
def test_text_survives_any_cut(text: str, is_ascii: bool, places: list[int]) -> None:
    arguments = json.dumps({"input": text}, ensure_ascii=is_ascii)
    assert _decode(_cut(arguments, places)) == text


_FRAGMENTS = ['{"input":', '"', "\\", "u", "d83d", "\\ude00", "x", "}", " ", "\\u00", "é", "\ud800"]


@given(
    st.lists(st.sampled_from(_FRAGMENTS), max_size=12).map("".join),
    st.lists(st.integers(0, 100), max_size=6),
)
def test_broken_text_is_read_the_same_however_it_is_cut(text: str, places: list[int]) -> None:
    whole = read_string_field(text, "input")
    assert _decode(_cut(text, places)) == whole
    assert whole.isascii() or whole.encode()  # No lone surrogate is left: it could not be sent.


def test_text_streams_while_it_arrives() -> None:
    decoder = StringFieldDecoder("input")
    pieces = ['{"in', 'put": "*** Be', "gin\\", "n", "\\ud83d", "\\ude00", 'x"', "}"]
    assert [decoder.feed(piece) for piece in pieces] == [
        "",
        "*** Be",
        "gin",
        "\n",
        "",
        "😀",
        "x",
        "",
    ]
    assert decoder.finish() == ""
    assert decoder.feed("more") == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", ""),
        ("ls -l", "ls -l"),
        ('"ls"', '"ls"'),
        ('{"command": "ls"}', '{"command": "ls"}'),
        ('{"input": 5}', '{"input": 5}'),
        ('{"why": "a", "input": "ls"}', "ls"),
        ('{"why": "a", "input": "\\ud800"}', "�"),
        ('{"input": "cut off', "cut off"),
        ('{"input": "cut \\', "cut "),
        ('{"input": "cut \\ud83d', "cut �"),
        ('{"input": "\\ud83dx"}', "�x"),
        ('{"input": "\\ud83d\\u0041"}', "�A"),
        ('{"input": "\\ude00"}', "�"),
        ('{"input": "\\d+ \\uZZZZ"}', "\\d+ \\uZZZZ"),
        ('{"input": "two\nlines"}', "two\nlines"),
        ('{"input": "a"} and more', "a"),
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_arguments_of_every_shape_give_a_text(arguments: str, text: str) -> None:
    assert read_string_field(arguments, "input") == text


def test_long_arguments_without_the_field_are_read_once() -> None:
    decoder = StringFieldDecoder("input")
    pieces = ['{"a":"', *['b"'] * 200_000]
    assert not any(decoder.feed(piece) for piece in pieces)
    assert decoder.finish() == "".join(pieces)
