"""Messages for Claude in Foundry: what Azure refuses is left out, and nothing else."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.native_messages import fit_betas, fit_messages, refused_betas

PLAIN: dict[str, Any] = {
    "system": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}],
    "messages": [{"role": "user", "content": [{"type": "text", "text": "cache_control scope"}]}],
    "tools": [{"name": "t", "input_schema": {"properties": {"cache_control": {"scope": "x"}}}}],
}


def test_a_request_without_a_scope_stays_the_same_object() -> None:
    fitted, warnings = fit_messages(PLAIN)
    assert fitted is PLAIN
    assert warnings == ()


def test_a_scope_is_left_out_wherever_it_stands() -> None:
    scoped = {"type": "ephemeral", "ttl": "1h", "scope": "global"}
    block = {"type": "text", "text": "Hi", "cache_control": scoped}
    called = {"type": "tool_use", "input": {"cache_control": scoped}}
    messages = [{"role": "assistant", "content": [block, called]}]
    body = {"cache_control": scoped, "system": [block], "messages": messages}
    fitted, warnings = fit_messages(body)
    kept = {"type": "ephemeral", "ttl": "1h"}
    assert fitted["cache_control"] == kept
    assert fitted["system"][0]["cache_control"] == kept
    content = fitted["messages"][0]["content"]
    assert content[0]["cache_control"] == kept
    # The input of a tool is the caller's own data.
    assert content[1] is called
    assert warnings == ("cache_control.scope was left out, which Azure refuses.",)
    assert body["cache_control"] is scoped


def test_what_other_models_thought_and_searched_is_left_out() -> None:
    own = {"type": "thinking", "thinking": "Hm", "signature": "EqQB"}
    found = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01", "content": []}
    cited = {"type": "text", "text": "A", "citations": [{"encrypted_index": ""}]}
    kept = {"type": "text", "text": "B", "citations": [{"encrypted_index": "x"}, "odd"]}
    others = [
        {"type": "thinking", "thinking": "Hm", "signature": "arsealed1.abc"},
        {"type": "thinking", "thinking": "Hm", "signature": "0123abcd.arsealed1.abc"},
        {"type": "redacted_thinking", "data": "arsealed1.abc"},
        {"type": "server_tool_use", "id": "srvtoolu_ws_1", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_ws_1", "content": []},
    ]
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [own, *others, cited, found, kept, "odd"]},
        {"role": "assistant", "content": others},
        {"role": "user", "content": [{"type": "text", "text": "Go"}]},
    ]
    fitted, warnings = fit_messages({"messages": messages})
    assert fitted["messages"] == [
        messages[0],
        {"role": "assistant", "content": [own, {"type": "text", "text": "A"}, found, kept, "odd"]},
        messages[3],
    ]
    assert len(warnings) == 1
    assert fit_messages(fitted)[0] is fitted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["cache_control", "scope", "a"]), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["system", "messages", "cache_control"]), JSON))
def test_any_body_is_read(body: dict[str, Any]) -> None:
    fitted, warnings = fit_messages(body)
    assert (fitted is body) is (not warnings)
    assert fit_messages(fitted)[0] is fitted


def test_betas_that_azure_refuses_are_left_out() -> None:
    kept, warnings = fit_betas("a-1, prompt-caching-scope-2026-01-05,b-2,", {"b-2"})
    assert kept == "a-1"
    assert len(warnings) == 2


def test_a_refusal_names_the_betas() -> None:
    message = "Unexpected value(s) `a-1`, `b-2` for the `anthropic-beta` header. Please consult"
    assert refused_betas(message) == {"a-1", "b-2"}
    assert refused_betas("`max_tokens` is required") == frozenset()
