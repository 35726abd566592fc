"""Reasoning in tags at the start of a text."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.responses_over_chat.think_tags import ThinkTagReader


def _read(*pieces: str) -> tuple[str, str]:
    reader = ThinkTagReader()
    said = [*map(reader.feed, pieces), reader.finish()]
    return "".join(one.reasoning for one in said), "".join(one.text for one in said)


@pytest.mark.parametrize(
    ("text", "reasoning", "answer"),
    [
        ("<think>\nHm.\n</think>\n\nHi", "Hm.", "Hi"),
        ("\n <think>Hm</think>Hi</think>", "Hm", "Hi</think>"),
        ("Hi <think>no</think>", "", "Hi <think>no</think>"),
        ("<thin air>", "", "<thin air>"),
        ("<think></think>Hi", "", "Hi"),
        ("<think>\n\n</think>\n\nHi\n", "", "Hi\n"),
        ("<think>Broken off </th", "Broken off </th", ""),
        ("<think>a </thx b</think>c", "a </thx b", "c"),
        ("<think", "", "<think"),
        ("  ", "", "  "),
        ("", "", ""),
    ],
)
def test_reasoning_is_told_from_the_answer(text: str, reasoning: str, answer: str) -> None:
    assert _read(text) == (reasoning, answer)
    assert _read(*text) == (reasoning, answer)


_text = st.lists(
    st.sampled_from(["<think>", "</think>", "\n", " ", "a", "<", "/", "think", ">"]), max_size=12
).map("".join)


@given(_text, st.lists(st.integers(0, 60), max_size=6))
def test_the_cuts_between_pieces_change_nothing(text: str, cuts: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    assert _read(*pieces) == _read(text)
