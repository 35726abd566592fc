from typing import Any

import pytest

from azure_responses.bridge.native_chat import fit_chat
from azure_responses.protocol.families import facts_of

_ANSWER = {
    "role": "assistant",
    "content": "A",
    "reasoning_content": "Hm",
    "thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "s"}],
    "reasoning_items": [{}],
}


@pytest.mark.parametrize(
    ("deployment", "kept"),
    [
        ("kimi-k2.5", {"role", "content", "reasoning_content"}),
        ("mistral-large-3", {"role", "content"}),
        ("unknown", {"role", "content", "reasoning_content"}),
    ],
)
def test_what_an_earlier_turn_of_another_deployment_left_is_not_sent(
    deployment: str, kept: set[str]
) -> None:
    chat: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}, _ANSWER]}
    fitted, warnings = fit_chat(chat, facts_of(deployment), drops_params=False)
    assert fitted["messages"][1].keys() == kept
    assert fitted["messages"][0] is chat["messages"][0]
    assert warnings == ()


@pytest.mark.parametrize(
    ("deployment", "reasoning", "sent"),
    [
        ("kimi-k2.5", None, "."),
        ("kimi-k2.5", "", "."),
        ("kimi-k2.5", "Hm", "Hm"),
        ("deepseek-v3.2", None, None),
    ],
)
def test_a_call_whose_reasoning_is_lost_gets_a_stand_in_where_the_model_insists(
    deployment: str, reasoning: str | None, sent: str | None
) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    if reasoning is not None:
        said["reasoning_content"] = reasoning
    chat = {"messages": [said, {"role": "tool", "tool_call_id": "c", "content": "1"}]}
    fitted, _ = fit_chat(chat, facts_of(deployment), drops_params=False)
    assert fitted["messages"][0].get("reasoning_content") == sent
