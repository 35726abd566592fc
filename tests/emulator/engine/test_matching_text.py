"""Texts match the regular expressions that callers prescribe."""

import re

import pytest

from azure_responses.emulator.engine.matching_text import match_pattern


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
