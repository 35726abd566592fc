"""Chat → Messages → chat: what both can say comes back unchanged."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge.chat_over_messages import ChatOverMessages
from azure_responses.bridge.messages_over_chat import MessagesOverChat

from ..anthropic_sdk import context, in_pieces

_CLAUDE, _CHAT = "claude-opus-4-6", "deepseek-v3.2"
_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(
    str.strip
)
_image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
_parts = st.lists(
    _words.map(lambda text: {"type": "text", "text": text}) | st.just(_image),
    min_size=2,
    max_size=3,
)


def _call(call_id: str, text: str) -> dict[str, Any]:
    arguments = json.dumps({"a": text}, ensure_ascii=False, separators=(",", ":"))
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": arguments}}


@st.composite
def _conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Instructions, what is said, what is answered with calls, and what the calls return."""
    messages: list[dict[str, Any]] = []
    if draw(st.booleans()):
        messages.append({"role": "system", "content": draw(_words)})
    messages.append({"role": "user", "content": draw(_words | _parts)})
    for turn in range(draw(st.integers(0, 3))):
        text = draw(st.none() | _words)
        calls = [_call(f"c{turn}_{at}", draw(_words)) for at in range(draw(st.integers(0, 2)))]
        if text is None and not calls:
            continue
        answer: dict[str, Any] = {"role": "assistant", "content": text}
        messages.append({**answer, "tool_calls": calls} if calls else answer)
        messages += (
            {"role": "tool", "tool_call_id": call["id"], "content": draw(_words)} for call in calls
        )
        messages.append({"role": "user", "content": draw(_words | _parts)})
    return messages


_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "f",
            "description": "d",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    }
]
_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}
_FORM = {
    "type": "json_schema",
    "json_schema": {"name": "output", "schema": _SCHEMA, "strict": True},
}
_choices = st.sampled_from(
    ["auto", "required", "none", {"type": "function", "function": {"name": "f"}}]
)
_parameters = st.fixed_dictionaries(
    {"max_completion_tokens": st.integers(1, 9000)},
    optional={
        "temperature": st.floats(0, 0.9),
        "stop": st.lists(_words, min_size=1, max_size=4),
        "user": st.text("ab", min_size=1, max_size=9),
        "tool_choice": _choices,
        "response_format": st.just(_FORM),
    },
)


@settings(max_examples=150)
@given(_conversations(), _parameters)
def test_a_request_comes_back_unchanged(
    messages: list[dict[str, Any]], parameters: dict[str, Any]
) -> None:
    asked = {"model": _CHAT, "messages": messages, "tools": _TOOLS, **parameters}
    between = ChatOverMessages(asked, context(_CLAUDE)).write()
    assert MessagesOverChat(between, context(_CHAT)).write() == asked


def _completion(text: str | None, calls: list[Any], reasoning: str | None) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
    finish = "tool_calls" if calls else "stop"
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 7,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    return {"object": "chat.completion", "choices": [choice], "usage": usage}


@settings(max_examples=100)
@given(_words, st.integers(0, 2), st.none() | _words, st.integers(1, 50))
def test_an_answer_comes_back_and_its_reasoning_is_restored(
    text: str, count: int, reasoning: str | None, size: int
) -> None:
    given = _completion(text, [_call(f"c{at}", text) for at in range(count)], reasoning)
    asked = {"model": _CHAT, "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    outer = ChatOverMessages({**asked, "thinking": {"type": "adaptive"}}, context(_CLAUDE))
    inner = MessagesOverChat(outer.write(), context(_CHAT))
    inner.write()
    back = outer.read(inner.read(given))
    message = dict(back["choices"][0]["message"])
    blocks = message.pop("thinking_blocks", [])
    assert len(blocks) == (reasoning is not None)
    assert message == given["choices"][0]["message"]
    assert back["usage"] == given["usage"]
    assert back["choices"][0]["finish_reason"] == given["choices"][0]["finish_reason"]
    # As streams, cut anywhere.
    chunk = {**given["choices"][0], "delta": _as_delta(given["choices"][0]["message"])}
    events = inner.stream()
    sent = f"data: {json.dumps({**given, 'choices': [chunk]})}\n\ndata: [DONE]\n\n".encode()
    chunks = outer.stream()
    in_pieces(chunks, in_pieces(events, sent, size), size)
    assert chunks.final is not None
    assert chunks.final["choices"] == back["choices"]
    # The next turn.
    answers = [{"role": "tool", "tool_call_id": f"c{at}", "content": "1"} for at in range(count)]
    turn = [*asked["messages"], back["choices"][0]["message"], *answers]  # type: ignore[misc]
    turn.append({"role": "user", "content": "Next"})
    again = ChatOverMessages({"messages": turn}, context(_CLAUDE)).write()
    sent_back = MessagesOverChat(again, context(_CHAT)).write()["messages"][1]
    assert sent_back.get("reasoning_content") == reasoning


def _as_delta(message: dict[str, Any]) -> dict[str, Any]:
    calls = [{**call, "index": at} for at, call in enumerate(message.get("tool_calls", ()))]
    return {**message, "tool_calls": calls}
