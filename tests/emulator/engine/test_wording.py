"""Small parts of what the engine writes: sums, patterns, places, deltas and probabilities."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.engine.canned_answers import find_sum
from azure_responses.emulator.engine.item_events import obfuscate, split_deltas
from azure_responses.emulator.engine.matching_text import match_pattern
from azure_responses.emulator.engine.output_items import list_logprobs
from azure_responses.emulator.engine.prompt_values import find_places, split_words
from azure_responses.emulator.engine.transcript import read_text
from tests.emulator.engine.generations import said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("what is 17*3", ("17 * 3", "51")),
        ("1 - 5", ("1 - 5", "-4")),
        ("-3 + 5", ("-3 + 5", "2")),
        ("10 / 4", ("10 / 4", "2.5")),
        ("0.1+0.2", ("0.1 + 0.2", "0.3")),
        ("(1 + 2) * -3", ("(1 + 2) * -3", "-9")),
        ("007 + 1", None),
        ("(1 + 2", None),
        ("1 / 0", None),
        ("1+" * 200 + "1", None),
        ("on 2026-01-02 it rains", None),
        ("12/25/2026", None),
        ("no sum here", None),
        ("call 555", None),
    ],
)
def test_sums_are_found_and_solved(text: str, expected: tuple[str, str] | None) -> None:
    assert find_sum(text) == expected


@given(st.integers(-999, 999), st.integers(-999, 999), st.sampled_from("+-*"))
def test_sums_are_right(first: int, second: int, sign: str) -> None:
    expected = {"+": first + second, "-": first - second, "*": first * second}[sign]
    assert (find_sum(f"{first} {sign} ({second})") or ("", ""))[1] == str(expected)


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{5}(-\d{4})?$",
        r"[^abc]\w\s.\D\S\W",
        r"(foo)\1",
        r"(?i:ab)c",
        r"(?:a|b){2}",
        r"(?P<x>a)(?(x)b|c)",
        r"(?>ab)c",
        r"[\s]",
        r"[^\d\w]",
        r"^x*$",
        r"é+",
        r"[^x]",
    ],
)
def test_a_text_matches_its_pattern(pattern: str) -> None:
    text = match_pattern(pattern)
    assert text is not None
    assert re.search(pattern, text)


def test_lengths_are_kept_where_the_pattern_allows() -> None:
    assert len(match_pattern("^a+$", 7, 7) or "") == 7
    assert match_pattern("^a$", 2) is None
    assert len(match_pattern("b", 9) or "") >= 9


@pytest.mark.parametrize("pattern", ["(", "(?=a)b", "a{99999999999}"])
def test_some_patterns_have_no_text(pattern: str) -> None:
    assert match_pattern(pattern) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weather in Paris, Rome and Oslo?", ["Paris", "Rome", "Oslo"]),
        ("weather in Florence, Italy", ["Florence, Italy"]),
        ("compare in Paris or in Rome", ["Paris", "Rome"]),
        ("then Berlin, please", ["Berlin"]),
        ("the Amazon is long", ["Amazon"]),
        ("nowhere", []),
    ],
)
def test_places_are_found(text: str, expected: list[str]) -> None:
    assert find_places(text) == expected


def test_identifiers_are_split_into_words() -> None:
    assert split_words("cityName") == split_words("city_name") == ["city", "name"]


@given(st.text())
def test_deltas_are_the_text(text: str) -> None:
    for chunking in ("default", "async"):
        assert "".join(split_deltas(text, chunking)) == text


@given(st.text(), st.text())
def test_padding_fills_sixteen_characters(delta: str, key: str) -> None:
    padding = obfuscate(delta, key)
    assert (len(delta) + len(padding)) % 16 == 0
    assert re.fullmatch("[A-Za-z0-9]{1,16}", padding)


@given(st.text(min_size=1), st.integers(0, 20))
def test_probabilities_add_up_to_at_most_one(text: str, top: int) -> None:
    for entry in list_logprobs(text, top):
        assert len(entry["top_logprobs"]) == top
        assert sum(2.718281828 ** one["logprob"] for one in entry["top_logprobs"]) <= 1.00001


def test_text_is_read_from_any_content() -> None:
    assert read_text(None) == ""
    assert read_text({"a": 1}) == '{"a": 1}'
    assert read_text([{"type": "input_text", "text": "a"}, {"type": "input_image"}]) == "a"


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("What is the capital of France? Reply with just the word.", "Paris"),
        ("What is 2 + 2? Answer with only the number.", "4"),
        ("Reply with exactly the word pong.", "pong."),
        ("Reply with just the word: pong", "pong"),
    ],
)
def test_just_the_word_is_a_form_and_no_text(prompt: str, answer: str) -> None:
    assert said(prompt) == answer
