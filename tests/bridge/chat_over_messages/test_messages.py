from typing import Any

import pytest

from azure_responses.bridge.chat_over_messages import ChatOverMessages
from azure_responses.errors import BadRequestError, ConfigurationError

from ..anthropic_sdk import context


def _convert(
    *messages: Any, drops: bool = False, overrides: Any = None, **parameters: Any
) -> ChatOverMessages:
    request = {"model": "m", "messages": list(messages), **parameters}
    made = context("claude-sonnet-5", drops=drops, overrides=overrides)
    return ChatOverMessages(request, made)


def _write(*messages: Any, **options: Any) -> list[Any]:
    sent: list[Any] = _convert(*messages, **options).write()["messages"]
    return sent


def _user(content: Any = "Hi", **fields: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **fields}


def _call(call_id: str = "call_1", **function: Any) -> dict[str, Any]:
    about = {"name": "f", "arguments": '{"a":1}', **function}
    return {"id": call_id, "type": "function", "function": about}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


_MARK = {"cache_control": {"type": "ephemeral"}}


def test_the_conversation_keeps_its_order_and_results_share_a_message() -> None:
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    hidden = {"type": "redacted_thinking", "data": "d"}
    sent = _write(
        _user("Go"),
        {
            "role": "assistant",
            "content": "One.",
            "reasoning_content": "Hm",
            "thinking_blocks": [{**thinking, **_MARK}, hidden, {"type": "thinking"}, 1],
            "tool_calls": [_call(), _call("call_2", arguments="")],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        {"role": "tool", "tool_call_id": "call_2", "content": [_text("2"), _text("3")]},
        _user("Next"),
    )
    use = {"type": "tool_use", "name": "f"}
    assert sent == [
        {"role": "user", "content": [_text("Go")]},
        {
            "role": "assistant",
            "content": [
                thinking,
                hidden,
                _text("One."),
                {**use, "id": "call_1", "input": {"a": 1}},
                {**use, "id": "call_2", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "1"},
                {
                    "type": "tool_result",
                    "tool_use_id": "call_2",
                    "content": [_text("2"), _text("3")],
                },
                _text("Next"),
            ],
        },
    ]


def test_all_kinds_of_parts_become_blocks() -> None:
    native = {"type": "document", "source": {"type": "text", "data": "a"}}
    (message,) = _write(
        _user(
            [
                "one",
                {**_text("two"), **_MARK},
                {"type": "image_url", "image_url": "https://a/b.png"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}},
                {"type": "file", "file": {"file_id": "https://a/b.pdf", "filename": "Plan"}},
                native,
                {**native, "cache_control": {"type": "ephemeral", "scope": "global"}},
            ]
        )
    )
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "AA"}
    png = {"type": "base64", "media_type": "image/png", "data": "AA"}
    assert message["content"] == [
        _text("one"),
        {**_text("two"), **_MARK},
        {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
        {"type": "image", "source": png},
        {"type": "document", "source": pdf},
        {
            "type": "document",
            "source": {"type": "url", "url": "https://a/b.pdf"},
            "title": "Plan",
        },
        native,
        {**native, **_MARK},
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "image_url", "image_url": {"file_id": "file-1"}},
        {"type": "video_url", "video_url": {"url": "https://a"}},
    ],
)
def test_parts_that_claude_does_not_take_are_refused_by_name(part: Any) -> None:
    with pytest.raises(ConfigurationError) as refused:
        _write(_user([_text("a"), part]))
    assert str(refused.value.param).startswith("messages[0].content")
    assert _write(_user([_text("a"), part]), drops=True) == [_user([_text("a")])]


def test_the_names_of_speakers_go_into_the_text() -> None:
    assert _write(_user("Hi", name="Ann")) == [_user([_text("Ann: "), _text("Hi")])]


def test_leading_instructions_are_the_system_prompt() -> None:
    body = _convert(
        {"role": "system", "content": "One.", **_MARK},
        {"role": "developer", "content": [_text("Two.")]},
        _user(),
        response_format={"type": "json_object"},
    ).write()
    assert body["system"] == [
        {**_text("One."), **_MARK},
        _text("Two."),
        _text("Answer with one JSON object and nothing else."),
    ]
    assert body["messages"] == [_user([_text("Hi")])]


@pytest.mark.parametrize("takes", [True, False])
def test_later_instructions_stay_in_their_place(takes: bool) -> None:
    overrides = {"takes_system_messages": takes}
    sent = _write(_user(), {"role": "system", "content": "Now."}, overrides=overrides)
    if takes:
        assert sent[1] == {"role": "system", "content": [_text("Now.")]}
    else:
        assert sent[0]["content"][1] == _text("<instructions>\nNow.\n</instructions>")


def test_instructions_alone_are_what_the_user_says() -> None:
    assert _write({"role": "system", "content": "Go"}) == [_user([_text("Go")])]


def test_a_picture_in_a_system_prompt_is_refused() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://a"}}
    system = {"role": "system", "content": [picture]}
    with pytest.raises(ConfigurationError) as refused:
        _write(system, _user())
    assert refused.value.param == "messages[0].content"
    assert len(_write(system, _user(), drops=True)) == 1


def test_a_conversation_that_the_assistant_begins_gets_an_opening() -> None:
    sent = _write({"role": "assistant", "content": "Hello"}, _user())
    assert sent[0]["content"] == [_text("[The conversation begins.]")]


def test_a_result_keeps_its_mark_of_the_cache_and_an_empty_one_has_no_content() -> None:
    answer = {"role": "assistant", "content": None, "tool_calls": [_call(), _call("call_2")]}
    sent = _write(
        _user(),
        answer,
        {"role": "tool", "tool_call_id": "call_1", "content": "1", **_MARK},
        {"role": "tool", "tool_call_id": "call_2", "content": ""},
    )
    assert sent[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "call_1", "content": "1", **_MARK},
        {"type": "tool_result", "tool_use_id": "call_2"},
    ]


def test_the_deprecated_form_of_calls_is_understood() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "f"}}
    sent = _write(_user(), called, {"role": "function", "name": "f", "content": "1"})
    assert sent[1]["content"][0]["id"] == sent[2]["content"][0]["tool_use_id"] == "call_1"


def test_custom_calls_and_broken_arguments_are_objects() -> None:
    custom = {"id": "call_1", "type": "custom", "custom": {"name": "g", "input": "x"}}
    broken = _call("call 2", arguments="{")
    sent = _write(
        _user(),
        {"role": "assistant", "tool_calls": [custom, broken]},
        {"role": "tool", "tool_call_id": "call_1", "content": "1"},
        {"role": "tool", "tool_call_id": "call 2", "content": "1"},
        tools=[{"type": "custom", "custom": {"name": "g"}}],
    )
    first, second = sent[1]["content"]
    assert first["input"] == {"input": "x"}
    assert second["input"] == {"arguments": "{"}
    # Claude refuses ids with other characters.
    assert second["id"] == sent[2]["content"][1]["tool_use_id"] != "call 2"


def test_refusals_and_thinking_among_the_parts_keep_their_place() -> None:
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    parts = [_text("One."), thinking, {"type": "refusal", "refusal": "No."}]
    sent = _write(_user(), {"role": "assistant", "content": parts, "refusal": "Never."}, _user())
    assert sent[1]["content"] == [thinking, _text("One."), _text("No."), _text("Never.")]


def test_fields_that_messages_does_not_have_are_left_out_with_a_warning() -> None:
    conversion = _convert(_user("Hi", color="red", weight=None))
    conversion.write()
    assert conversion.warnings == ("messages[0].color was left out: Messages has no place for it.",)
    own = {"role": "assistant", "content": "A", "reasoning_items": [{}], "commentary": "x"}
    conversion = _convert(_user(), own, _user())
    conversion.write()
    assert conversion.warnings == ()


def test_spoken_output_is_refused() -> None:
    spoken = {"role": "assistant", "content": None, "audio": {"id": "a"}}
    with pytest.raises(ConfigurationError) as refused:
        _write(_user(), spoken)
    assert refused.value.param == "messages[1].audio"
    assert len(_write(_user(), spoken, drops=True)) == 1


_CALLED = {"role": "assistant", "content": None, "tool_calls": [_call()]}
_RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "1"}


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ([{"role": "assistant", "content": ""}], "messages"),
        (["Hi"], "messages[0].role"),
        ([{"role": "bot", "content": "a"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([_user(1)], "messages[0].content"),
        ([_user([1])], "messages[0].content[0]"),
        ([_user([{"type": "text"}])], "messages[0].content[0].text"),
        ([_user(), _CALLED], "messages"),
        ([_user(), _CALLED, _user()], "messages[2]"),
        ([_user(), _RESULT], "messages[1].tool_call_id"),
        ([_user(), _CALLED, _RESULT, _RESULT], "messages[3].tool_call_id"),
        ([_user(), {"role": "function", "name": "f", "content": "1"}], "messages[1].name"),
        ([_user(), {"role": "assistant", "tool_calls": [1]}], "messages[1].tool_calls[0]"),
        (
            [_user(), {"role": "assistant", "tool_calls": [{**_call(), "id": ""}]}],
            "messages[1].tool_calls[0].id",
        ),
    ],
)
def test_what_chat_completions_refuses_is_invalid(messages: list[Any], param: str) -> None:
    with pytest.raises(BadRequestError) as invalid:
        _write(*messages)
    assert invalid.value.param == param


def test_a_request_without_messages_is_invalid() -> None:
    with pytest.raises(BadRequestError):
        ChatOverMessages({"messages": "Hi"}, context("claude-sonnet-5")).write()


_BEGUN = {"role": "assistant", "content": "{ "}


def test_the_beginning_of_an_answer_is_sent_where_the_model_takes_it() -> None:
    sent = _write(_user(), _BEGUN, overrides={"takes_prefill": True})
    assert sent[1]["content"] == [_text("{")]
    with pytest.raises(ConfigurationError) as refused:
        _write(_user(), _BEGUN, overrides={"takes_prefill": False})
    assert refused.value.param == "messages"
    kept = _write(_user(), _BEGUN, overrides={"takes_prefill": False}, drops=True)
    assert kept == [_user([_text("Hi")])]


def test_a_picture_as_the_beginning_of_an_answer_is_left_to_claude() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://a"}}
    begun = {"role": "assistant", "content": [picture]}
    assert _write(_user(), begun, overrides={"takes_prefill": True})[1]["content"] == [picture]
