"""What a model refuses while it reasons is left out, and nothing given is changed."""

import copy
from typing import Any

import pytest

from azure_responses.bridge import without_sampling

_LOGPROBS = "message.output_text.logprobs"


def test_sampling_is_dropped_by_name() -> None:
    given = {"temperature": 1, "top_p": 0, "top_logprobs": 1, "include": ["a", _LOGPROBS], "b": 1}
    before = copy.deepcopy(given)
    left, dropped = without_sampling(given)
    assert left == {"include": ["a"], "b": 1}
    # A temperature of 1 is what a model has by itself, so nothing is lost with it.
    assert [sentence.split()[0] for sentence in dropped] == ["top_p", "top_logprobs", "logprobs"]
    assert given == before


@pytest.mark.parametrize("given", [
    {}, {"temperature": None}, {"include": ["a"]}, {"include": _LOGPROBS}, {"include": None},
    {"temperature": 0.5, "reasoning": {"effort": "none"}},
])  # fmt: skip
def test_what_needs_no_dropping_stays_the_same_object(given: dict[str, Any]) -> None:
    left, dropped = without_sampling(given)
    assert left is given
    assert dropped == []


@pytest.mark.parametrize("reasoning", [None, {}, {"effort": "low"}, "none", 7])
def test_only_the_effort_none_stops_the_reasoning(reasoning: Any) -> None:
    left, _ = without_sampling({"temperature": 0.5, "reasoning": reasoning})
    assert left == {"reasoning": reasoning}
