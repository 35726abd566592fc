"""`content_filters`: what Azure's content filter says of the prompt and of the completion.

Shapes as recorded on /openai/v1/responses from February to September 2026. The offsets count
hidden system text too, which is why the prompt's `end_offset` lies beyond the prompt.
"""

from typing import Any

__all__ = ["PROMPT_BLOCKED", "describe_filters", "prompt_results", "completion_results"]

_HIDDEN_PROMPT = 846
_CATEGORIES = ("hate", "sexual", "violence", "self_harm")


def prompt_results(is_blocked: bool = False) -> dict[str, Any]:
    """Results for a prompt; a blocked one was taken for a jailbreak."""
    jailbreak = {"detected": is_blocked, "filtered": is_blocked}
    return {**_severities(), "jailbreak": jailbreak}


def completion_results(is_blocked: bool = False) -> dict[str, Any]:
    """Results for a completion; a blocked one was violent."""
    undetected = {"detected": False, "filtered": False}
    results = {
        "protected_material_text": dict(undetected),
        "protected_material_code": dict(undetected),
        **_severities(),
    }
    if is_blocked:
        results["violence"] = {"filtered": True, "severity": "high"}
    return results


def _severities() -> dict[str, Any]:
    return {name: {"filtered": False, "severity": "safe"} for name in _CATEGORIES}


def _entry(source: str, is_blocked: bool, results: dict[str, Any], end: int) -> dict[str, Any]:
    return {
        "blocked": is_blocked,
        "source_type": source,
        "content_filter_raw": [],
        "content_filter_results": results,
        "content_filter_offsets": {"start_offset": 0, "end_offset": end, "check_offset": 0},
    }


def describe_filters(prompt: int, completion: int, is_blocked: bool) -> list[dict[str, Any]]:
    """The array of a finished response; lengths in characters."""
    return [
        _entry("prompt", False, prompt_results(), prompt + _HIDDEN_PROMPT),
        _entry("completion", is_blocked, completion_results(is_blocked), completion),
    ]


# The body of a 400 for a prompt the filter stopped, as users reported it in 2026.
PROMPT_BLOCKED: dict[str, Any] = {
    "error": {
        "message": (
            "The response was filtered due to the prompt triggering Azure OpenAI’s content "
            "management policy. Please modify your prompt and retry. To learn more about our "
            "content filtering policies please read our documentation: "
            "https://go.microsoft.com/fwlink/?linkid=2198766"
        ),
        "type": "invalid_request_error",
        "param": "prompt",
        "code": "content_filter",
        "content_filters": [_entry("prompt", True, prompt_results(True), _HIDDEN_PROMPT)],
        "innererror": {"code": "ContentFiltered"},
    }
}
