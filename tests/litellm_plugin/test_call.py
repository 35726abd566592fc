"""What LiteLLM hands to a custom provider, read."""

from typing import Any

from tests.litellm_plugin.peer import Peer


def _read(peer: Peer, **given: Any) -> Any:
    base = {"model": "dep", "messages": [{"role": "user", "content": "hi"}]}
    return peer.ask("read_call", **{**base, **given})["value"]


def test_connection_and_question_are_told_apart(litellm_peer: Peer) -> None:
    call = _read(
        litellm_peer,
        api_base="https://r.openai.azure.com",
        api_key="k",
        optional_params={"reasoning_effort": "low", "max_retries": 0, "preview_path": True},
        litellm_params={"api_version": "preview", "base_model": "azure/us/gpt-5"},
        headers={"x-a": "1"},
        timeout=30.0,
    )
    assert call["connection"] == {
        "endpoint": "https://r.openai.azure.com",
        "api_key": "k",
        "api_version": "preview",
        "max_retries": 0,
        "preview_path": True,
    }
    asked = {name: value for name, value in call["arguments"].items() if name != "messages"}
    assert asked == {
        "model": "dep",
        "reasoning_effort": "low",
        "extra_headers": {"x-a": "1"},
        "timeout": 30.0,
    }
    assert call["prices"] == ["gpt-5", "us", False]


def test_a_base_model_may_stand_in_the_models_information(litellm_peer: Peer) -> None:
    info = {"base_model": "gpt-5-mini", "input_cost_per_token": 0.1}
    call = _read(litellm_peer, litellm_params={"model_info": info})
    assert call["prices"] == ["gpt-5-mini", None, True]


def test_what_litellm_adds_to_messages_is_not_sent(litellm_peer: Peer) -> None:
    told = {
        "role": "assistant",
        "content": "hi",
        "provider_specific_fields": {"a": 1},
        "thinking_blocks": [
            {"type": "thinking", "thinking": "t", "id": "rs_1", "signature": "sealed"},
            {"type": "thinking", "thinking": "t", "signature": "of another provider"},
        ],
    }
    read = _read(litellm_peer, messages=[told])["arguments"]["messages"][0]
    assert "provider_specific_fields" not in read
    ours, foreign = read["thinking_blocks"]
    assert ours["encrypted_content"] == "sealed"
    assert "encrypted_content" not in foreign
