from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.usage import to_usage
from azure_responses.types import Usage

COUNTS = {"input_tokens": 9, "output_tokens": 4, "total_tokens": 13}
RENAMED = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        (
            {"input_tokens_details": {"cached_tokens": 2}},
            {"prompt_tokens_details": {"cached_tokens": 2}},
        ),
        (
            {"input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}},
            {"prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3}},
        ),
        (
            {"output_tokens_details": {"reasoning_tokens": 1}},
            {"completion_tokens_details": {"reasoning_tokens": 1}},
        ),
        (
            {"output_tokens_details": {"reasoning_tokens": 1, "dreaming_tokens": 8}},
            {"completion_tokens_details": {"reasoning_tokens": 1, "dreaming_tokens": 8}},
        ),
        ({"energy": 3}, {"energy": 3}),
    ],
)
def test_every_count_and_detail_is_renamed(given: dict[str, Any], expected: dict[str, Any]) -> None:
    usage = to_usage(Usage.model_validate({**COUNTS, **given}))
    assert usage is not None
    assert usage.to_dict() == {**RENAMED, **expected}


def test_raw_counts_are_read_too() -> None:
    usage = to_usage({**COUNTS, "output_tokens_details": None})
    assert usage is not None
    assert usage.to_dict() == RENAMED


def test_no_usage_is_none() -> None:
    assert to_usage(None) is None


@pytest.mark.parametrize("odd", [[], "9", 9, True, [[]]])
def test_usage_that_is_no_object_is_none(odd: Any) -> None:
    assert to_usage(odd) is None
