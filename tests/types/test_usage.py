from azure_responses.types import Usage


def test_details_are_reached_in_one_step() -> None:
    usage = Usage.model_validate(
        {
            "input_tokens": 20,
            "input_tokens_details": {"cached_tokens": 16, "cache_write_tokens": 4},
            "output_tokens": 30,
            "output_tokens_details": {"reasoning_tokens": 10},
            "total_tokens": 50,
        }
    )
    assert usage.cached_tokens == 16
    assert usage.cache_write_tokens == 4
    assert usage.reasoning_tokens == 10


def test_absent_details_count_as_zero() -> None:
    usage = Usage(input_tokens=1)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (0, 0, 0)
