"""Messages → Responses → Messages: what both can say comes back unchanged."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from azure_responses.bridge.messages_over_responses import MessagesOverResponses
from azure_responses.bridge.responses_over_messages import ResponsesOverMessages

from ..anthropic_sdk import context, in_pieces, write_events

_CLAUDE = "claude-opus-4-6"
_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(
    str.strip
)
_texts = _words.map(lambda text: {"type": "text", "text": text})
_images = st.sampled_from(
    [
        {"type": "url", "url": "https://a/b.png"},
        {"type": "base64", "media_type": "image/png", "data": "aGk="},
    ]
).map(lambda source: {"type": "image", "source": source})
_documents = st.just(
    {
        "type": "document",
        "title": "Plan.pdf",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
    }
)
_said = st.lists(_texts | _images | _documents, min_size=1, max_size=3)
_results = st.one_of(_words, st.lists(_texts | _images, min_size=2, max_size=3))
_inputs = st.dictionaries(_words, st.one_of(st.integers(), _words, st.booleans()), max_size=2)


@st.composite
def _conversations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What is said, what is answered with calls, and what the calls return."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": draw(_said)}]
    for turn in range(draw(st.integers(0, 3))):
        calls = [
            {"type": "tool_use", "id": f"call_{turn}_{at}", "name": "f", "input": draw(_inputs)}
            for at in range(draw(st.integers(0, 2)))
        ]
        texts = draw(st.lists(_texts, min_size=0 if calls else 1, max_size=2))
        messages.append({"role": "assistant", "content": [*texts, *calls]})
        results = [
            {"type": "tool_result", "tool_use_id": call["id"], "content": draw(_results)}
            for call in calls
        ]
        said = draw(_said) if not results or draw(st.booleans()) else []
        messages.append({"role": "user", "content": [*results, *said]})
    return messages


_tools = [{"name": "f", "description": "d", "input_schema": {"type": "object", "properties": {}}}]
_choices = st.one_of(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["auto", "any"])},
        optional={"disable_parallel_tool_use": st.just(True)},
    ),
    st.just({"type": "tool", "name": "f"}),
    st.just({"type": "none"}),
)
_parameters = st.fixed_dictionaries(
    {"max_tokens": st.integers(16, 9000)},
    optional={
        "system": _words.map(lambda text: [{"type": "text", "text": text}]),
        "temperature": st.floats(0, 0.9),
        "metadata": st.text("ab", min_size=1, max_size=9).map(lambda user: {"user_id": user}),
        "tool_choice": _choices,
        "stream": st.just(True),
    },
)


@settings(max_examples=150)
@given(_conversations(), _parameters)
def test_a_request_comes_back_unchanged(
    messages: list[dict[str, Any]], parameters: dict[str, Any]
) -> None:
    asked = {"model": _CLAUDE, "messages": messages, "tools": _tools, **parameters}
    between = MessagesOverResponses(asked, context("gpt-4.1")).write()
    back = ResponsesOverMessages(between, context(_CLAUDE)).write()
    for tool in back["tools"]:
        # Not strict is what both mean where the caller does not say.
        assert tool.pop("strict") is False
    assert back == asked


_BLOCKS = st.lists(
    st.one_of(
        _texts,
        st.builds(
            lambda thought, sign: {"type": "thinking", "thinking": thought, "signature": sign},
            _words,
            st.text("abc", min_size=1, max_size=5),
        ),
    ),
    min_size=1,
    max_size=4,
).map(lambda blocks: [*blocks, {"type": "text", "text": "End"}])


def _joined(blocks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Kinds and texts, where neighbouring texts are one."""
    found: list[tuple[str, str]] = []
    for block in blocks:
        kind = block["type"]
        if kind == "text" and found and found[-1][0] == "text":
            found[-1] = ("text", found[-1][1] + block["text"])
        else:
            found.append((kind, block.get("thinking") or block.get("text") or ""))
    return found


@settings(max_examples=80)
@given(_BLOCKS, st.booleans())
def test_an_answer_comes_back_and_its_thinking_is_restored_for_claude(
    blocks: list[dict[str, Any]], streams: bool
) -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 7}
    answer = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": _CLAUDE,
        "content": blocks,
        "stop_reason": "end_turn",
        "usage": usage,
    }
    asked = {
        "max_tokens": 9000,
        "thinking": {"type": "adaptive"},
        "messages": [{"role": "user", "content": "Hi"}],
    }
    outer = MessagesOverResponses(asked, context("gpt-5"))
    between = outer.write()
    inner = ResponsesOverMessages(between, context(_CLAUDE))
    inner.write()
    response = inner.read(answer)
    if streams:
        ended = [{"type": "response.completed", "response": response}]
        stream = outer.stream()
        in_pieces(stream, write_events(ended))
        assert stream.final is not None
        message = stream.final
    else:
        message = outer.read(response)
    assert _joined(message["content"]) == _joined(blocks)
    assert message["usage"]["input_tokens"] == 5
    assert message["usage"]["cache_read_input_tokens"] == 3
    turns = [
        *asked["messages"],  # type: ignore[misc]
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "Next"},
    ]
    again = MessagesOverResponses({**asked, "messages": turns}, context("gpt-5")).write()
    back = ResponsesOverMessages(again, context(_CLAUDE)).write()
    sent = [block for block in back["messages"][1]["content"] if block["type"] == "thinking"]
    assert sent == [block for block in blocks if block["type"] == "thinking"]
