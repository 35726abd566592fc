"""61 cases of LiteLLM's bridge: what goes in, what LiteLLM 1.106.2 makes of it, and what we do.

The inputs and LiteLLM's answers, measured by running it, are in `litellm_cases.jsonl`. Where its
answer is right ours is the same; where ours differs, `DIFFERENT` has it with the reason.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["DIFFERENT", "Case", "cases"]


@dataclass(frozen=True)
class Case:
    """One case; `peer` is LiteLLM's answer, `expected` ours, `reason` why they differ if so."""

    name: str
    given: Any
    peer: Any
    expected: Any
    reason: str | None


def cases(letter: str) -> list[Case]:
    """The cases of messages (M), parameters (P), responses (R) or streams (S)."""
    text = (Path(__file__).parent / "litellm_cases.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    return [_case(row) for row in rows if row["case"].startswith(letter)]


def _case(row: dict[str, Any]) -> Case:
    expected, reason = DIFFERENT.get(row["case"], (row["peer"], None))
    return Case(f"{row['case']} {row['title']}", row["given"], row["peer"], expected, reason)


def _said(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def _function(name: str, strict: bool = False) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "parameters": {"type": "object", "properties": {}},
        "strict": strict,
    }


_ENCRYPTED = ["reasoning.encrypted_content"]
_REASONS = "a model that reasons is asked for its encrypted reasoning, or the next turn lacks it"
_LOST = "LiteLLM loses it"
_PATCH = {"type": "create_file", "path": "hello.py", "diff": "+print('hello world')\n"}
_USAGE = {
    "completion_tokens": 100,
    "prompt_tokens": 50,
    "total_tokens": 150,
    "completion_tokens_details": {"reasoning_tokens": 0},
    "prompt_tokens_details": {"cached_tokens": 0},
}


def _completion(message: dict[str, Any], finish: str = "stop", **around: Any) -> dict[str, Any]:
    return {
        "id": "resp_t",
        "created": 1,
        "model": "gpt-4o",
        "object": "chat.completion",
        "choices": [
            {"finish_reason": finish, "index": 0, "message": {"role": "assistant", **message}}
        ],
        "usage": _USAGE,
        **around,
    }


def _cut(reason: str) -> dict[str, Any]:
    return {"status": "incomplete", "incomplete_details": {"reason": reason}}


DIFFERENT: dict[str, tuple[Any, str]] = {
    "M5": (
        [_said("system", "Be terse"), _said("developer", "dev"), _said("user", "hi")],
        "the system's message keeps its place: LiteLLM joins such messages with a space and "
        "moves them in front of others",
    ),
    "M6": (
        [_said("assistant", "The answer is 42")],
        "reasoning without ciphertext or a stored id is refused; it is left out with a warning",
    ),
    "M7": (
        [
            _said("user", "Hello"),
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "greet"}],
                "encrypted_content": "enc1",
            },
            _said("assistant", "Hi there"),
            _said("user", "?"),
        ],
        "the ciphertext is the point of the block; LiteLLM's own tests ask for it",
    ),
    "P5": (
        {
            "tools": [_function("test")],
            "tool_choice": "auto",
            "parallel_tool_calls": False,
            "store": False,
        },
        "the Responses API is strict by default and wants parameters; chat completions neither",
    ),
    "P6": (
        {"reasoning": {"effort": "high"}, "include": _ENCRYPTED, "store": False},
        _REASONS,
    ),
    "P7": (
        {
            "reasoning": {"effort": "high", "summary": "detailed"},
            "include": _ENCRYPTED,
            "store": False,
        },
        _REASONS,
    ),
    "P10": (
        {"metadata": {"user_id": "123"}, "previous_response_id": "resp_abc"},
        "none: it continues a stored response, so nothing says not to store this one",
    ),
    "P11": ("refused", "a parameter that nobody knows is refused, not lost"),
    "P12": ("refused", "what cannot be sent is refused, not lost"),
    "P13": (
        {"top_logprobs": 3, "include": ["message.output_text.logprobs"], "store": False},
        "without the include no log probabilities come back",
    ),
    "P15": ({"store": False}, "stream is an argument of the call, told apart from parameters"),
    "P18": (
        {"tools": [_function("t")], "tool_choice": "required", "store": False},
        "as P5",
    ),
    "P19": (
        {
            "reasoning": {"effort": "high", "summary": "auto"},
            "previous_response_id": "resp_123",
            "include": _ENCRYPTED,
        },
        "custom_param stays in extra_body, and the reasoning as P7",
    ),
    "P20": (
        {
            "tools": [_function("f")],
            "tool_choice": "auto",
            "parallel_tool_calls": False,
            "store": False,
        },
        f"functions: {_LOST}",
    ),
    "R3": (
        _completion(
            {
                "content": "Here is some information with citations.",
                "annotations": [
                    {
                        "type": "url_citation",
                        "url_citation": {
                            "start_index": 0,
                            "end_index": 100,
                            "title": "Example Article",
                            "url": "https://example.com/article",
                        },
                    }
                ],
            }
        ),
        "chat completions nests the details of a citation",
    ),
    "R5": (
        _completion(
            {
                "tool_calls": [
                    {
                        "id": "call_patch_hello",
                        "type": "function",
                        "function": {
                            "name": "apply_patch",
                            "arguments": json.dumps(_PATCH, separators=(",", ":")),
                        },
                        "item": {
                            "id": "apc_001",
                            "type": "apply_patch_call",
                            "call_id": "call_patch_hello",
                            "operation": _PATCH,
                            "status": "completed",
                        },
                    }
                ]
            },
            "tool_calls",
        ),
        "the item rides along, so that it goes back as a patch and not as a function's call",
    ),
    "R7": (
        _completion({"content": "cut"}, "length", **_cut("max_output_tokens")),
        "status and cause are kept too",
    ),
    "R8": (
        _completion({"content": "cut"}, "content_filter", **_cut("content_filter")),
        "status and cause are kept too",
    ),
    "R9": (_completion({"refusal": "I'm sorry"}), f"the refusal: {_LOST}"),
    "R10": (
        _completion(
            {
                "content": "found",
                "hosted_items": [
                    {
                        "id": "ws_1",
                        "type": "web_search_call",
                        "status": "completed",
                        "action": {"type": "search", "query": "q"},
                    }
                ],
            }
        ),
        f"the search: {_LOST}",
    ),
    "R11": (
        _completion(
            {
                "content": "final",
                "commentary": "commentary",
                "output_order": [
                    {"type": "message", "text": 10, "refusal": 0, "phase": "commentary"},
                    {"type": "message", "text": 5, "refusal": 0, "phase": "final_answer"},
                ],
            }
        ),
        f"where one message ends and what each is for: {_LOST}",
    ),
    "R12": (_completion({"content": ""}), "an empty answer is an answer; LiteLLM raises"),
    "R13": ("InternalServerError", "LiteLLM raises too, but a ValueError whatever the code"),
    "R14": (
        _completion(
            {
                "tool_calls": [
                    {
                        "id": "call_c",
                        "type": "custom",
                        "custom": {"name": "sql", "input": "SELECT 1"},
                    }
                ]
            },
            "tool_calls",
        ),
        "a custom call is no function call with arguments that are no JSON",
    ),
    "S5": (
        {"calls": {"0": ["call_abc", "read_file", "{}"]}, "finish": ["tool_calls"]},
        f"a call that only the end tells: {_LOST}",
    ),
    "S6": (
        {
            "content": "Six",
            "finish": ["stop"],
            "usage": {
                "completion_tokens": 5,
                "prompt_tokens": 1226,
                "total_tokens": 1231,
                "completion_tokens_details": {"reasoning_tokens": 0},
                "prompt_tokens_details": {"cached_tokens": 1024},
            },
        },
        f"text that only the end tells: {_LOST}",
    ),
    "S11": ("InternalServerError", "a failed stream is a failure; LiteLLM goes on in silence"),
    "S12": ("InternalServerError", "as S11"),
    "S13": (
        {"news": ["response.output_item.added", "response.output_item.done"]},
        f"the progress of the search: {_LOST}",
    ),
    "S14": ({"refusal": "I'm sorry"}, f"the refusal: {_LOST}"),
    "S15": ({}, "a chunk is no event; LiteLLM meets them in its own cache"),
}
