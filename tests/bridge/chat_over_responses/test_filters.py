from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.filters import choice_filters, prompt_filters
from azure_responses.types import ContentFilter

HATE = {"hate": {"filtered": False, "severity": "safe"}}
SEXUAL = {"sexual": {"filtered": True, "severity": "high"}}


def _verdict(source: str | None, results: dict[str, Any] | None) -> ContentFilter:
    return ContentFilter.model_validate({"source_type": source, "content_filter_results": results})


def test_verdicts_on_one_completion_become_one() -> None:
    filters = [_verdict("completion", HATE), _verdict("completion", SEXUAL)]
    assert choice_filters(filters) == {"content_filter_results": {**HATE, **SEXUAL}}


def test_prompts_are_numbered_and_a_verdict_of_unknown_source_counts_as_one() -> None:
    results = prompt_filters([_verdict("prompt", HATE), _verdict(None, None)])
    assert results is not None
    assert [result.to_dict() for result in results] == [
        {"prompt_index": 0, "content_filter_results": HATE},
        {"prompt_index": 1},
    ]


@pytest.mark.parametrize("filters", [None, [], "in_memory", [{"raw": 1}]])
def test_what_is_no_verdict_says_nothing(filters: Any) -> None:
    assert prompt_filters(filters) is None
    assert choice_filters(filters) == {}
