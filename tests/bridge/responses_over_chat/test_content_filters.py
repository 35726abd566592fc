"""Azure's verdicts in chunks and completions."""

from typing import Any

from azure_responses.bridge.responses_over_chat.content_filters import FilterVerdicts

from .cases import chunk, completion, read, stream

_SAFE = {"hate": {"filtered": False, "severity": "safe"}}
_LOW = {"hate": {"filtered": False, "severity": "low"}}
_BLOCKED = {"hate": {"filtered": True, "severity": "high"}}


def _choice(results: dict[str, Any]) -> FilterVerdicts:
    verdicts = FilterVerdicts()
    verdicts.add_choice({"content_filter_results": results})
    return verdicts


def test_without_verdicts_there_is_no_list() -> None:
    verdicts = FilterVerdicts()
    verdicts.add_prompts(None)
    verdicts.add_prompts([3])
    verdicts.add_choice({"content_filter_results": {}})
    assert verdicts.build() is None


def test_the_gravest_verdict_of_a_stream_is_the_responses() -> None:
    verdicts = _choice(_SAFE)
    for results in (_LOW, _SAFE, {"jailbreak": {"filtered": False, "detected": True}}):
        verdicts.add_choice({"content_filter_results": results})
    verdicts.add_choice({"content_filter_offsets": {"check_offset": 3}})
    assert verdicts.build() == [
        {
            "blocked": False,
            "source_type": "completion",
            "content_filter_results": {
                **_LOW,
                "jailbreak": {"filtered": False, "detected": True},
            },
            "content_filter_offsets": {"check_offset": 3},
        }
    ]


def test_a_verdict_of_an_odd_shape_is_kept() -> None:
    verdicts = _choice({"hate": "unknown", "error": {"code": 500, "message": "down"}})
    verdicts.add_choice({"content_filter_results": _SAFE})
    built = verdicts.build()
    assert built is not None
    (verdict,) = built
    assert verdict["content_filter_results"]["hate"] == _SAFE["hate"]
    assert _choice({"hate": "x"}).build() is not None


def test_a_filtered_answer_is_incomplete_with_the_verdicts_of_prompt_and_answer() -> None:
    prompts = [{"prompt_index": 0, "content_filter_results": _SAFE}]
    body = completion({"content": "Part"}, "content_filter", prompt_filter_results=prompts)
    body["choices"][0]["content_filter_results"] = _BLOCKED
    whole = read(body)
    assert whole["status"] == "incomplete"
    assert whole["incomplete_details"] == {"reason": "content_filter"}
    assert whole["content_filters"] == [
        {"blocked": False, "source_type": "prompt", "content_filter_results": _SAFE},
        {"blocked": True, "source_type": "completion", "content_filter_results": _BLOCKED},
    ]
    last = chunk("content_filter")
    last["choices"][0]["content_filter_results"] = _BLOCKED
    first: dict[str, Any] = {"choices": [], "prompt_filter_results": prompts}
    events = stream([first, chunk(content="Part"), last])
    assert events[-1]["type"] == "response.incomplete"
    assert events[-1]["response"] == whole
