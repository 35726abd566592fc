"""A response before its output, and its usage."""

from azure_responses.bridge.response_object import begin_response, usage_of


def test_a_response_repeats_the_request_and_fills_in_the_defaults() -> None:
    tools = [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]
    asked = {"model": "gpt", "instructions": "Be brief.", "tools": tools, "temperature": 0}
    asked |= {"reasoning": {"effort": "low"}, "text": {"verbosity": "low"}, "metadata": {"a": "b"}}
    response = begin_response(asked, response_id="resp_1", model="d", created_at=7.9)
    assert response["model"] == "gpt"
    assert response["created_at"] == 7
    assert response["temperature"] == 0
    assert response["top_p"] == 1.0
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert response["metadata"] == {"a": "b"}
    assert response["tools"] == [
        {
            "type": "function",
            "description": None,
            "parameters": None,
            "strict": True,
            "name": "f",
        },
        {"type": "custom", "name": "c"},
    ]


def test_a_response_without_a_model_names_the_deployment() -> None:
    assert begin_response({}, response_id="r", model="kimi", created_at=0)["model"] == "kimi"


def test_usage_has_every_count_that_the_openai_package_reads() -> None:
    assert usage_of(5, 7, cached_tokens=2, reasoning_tokens=3, cache_write_tokens=1) == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
        "output_tokens": 7,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 12,
    }
    assert usage_of(1, 1)["input_tokens_details"] == {"cached_tokens": 0, "cache_write_tokens": 0}
