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
