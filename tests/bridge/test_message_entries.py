from typing import Any

import pytest

from azure_responses.bridge.message_blocks import Part
from azure_responses.bridge.message_entries import (
    ContentEntry,
    ThinkingEntry,
    ToolResultEntry,
    ToolUseEntry,
    WebSearchEntry,
)
from azure_responses.bridge.message_request import MessagesRequest, read_request
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.errors import BadRequestError, ConfigurationError

_HI = [{"role": "user", "content": "Hi"}]
_USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
_RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "2"}


def _read(unsupported: Unsupported | None = None, **parameters: Any) -> MessagesRequest:
    request = {"model": "m", "max_tokens": 100, "messages": _HI, **parameters}
    return read_request(request, unsupported or Unsupported())


def _entries(*messages: tuple[str, Any]) -> list[Any]:
    written = [{"role": role, "content": content} for role, content in messages]
    return _read(messages=written).entries


def test_messages_keep_their_order() -> None:
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    entries = _entries(
        ("user", "Go"),
        ("system", "Be brief."),
        ("assistant", [thinking, {"type": "text", "text": "One."}, _USE, "Two."]),
        ("user", [_RESULT, {"type": "text", "text": "Next"}]),
        ("assistant", [{"type": "redacted_thinking", "data": "d"}]),
        ("user", "End"),
    )
    assert entries == [
        ContentEntry("user", [Part("text", "Go")]),
        ContentEntry("system", [Part("text", "Be brief.")]),
        ThinkingEntry("Hm", "s"),
        ContentEntry("assistant", [Part("text", "One.")]),
        ToolUseEntry("toolu_1", "f", {"a": 1}),
        ContentEntry("assistant", [Part("text", "Two.")]),
        ToolResultEntry("toolu_1", [Part("text", "2")]),
        ContentEntry("user", [Part("text", "Next")]),
        ThinkingEntry("", "d"),
        ContentEntry("user", [Part("text", "End")]),
    ]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("No such file", [Part("text", "Error: No such file")]),
        ("Error: no", [Part("text", "Error: no")]),
        ("<tool_use_error>no", [Part("text", "<tool_use_error>no")]),
        (None, [Part("text", "Error:")]),
        (
            [{"type": "image", "source": {"type": "url", "url": "https://a"}}],
            [Part("text", "Error:"), Part("image", "https://a")],
        ),
    ],
)
def test_a_failed_call_says_so_in_its_text(content: Any, parts: list[Part]) -> None:
    result = {**_RESULT, "content": content, "is_error": True}
    assert _entries(("assistant", [_USE]), ("user", [result]))[-1].parts == parts


def test_a_search_and_its_result_are_one_entry() -> None:
    use = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}}
    page = {"type": "web_search_result", "title": "T", "url": "https://a"}
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [page, 1]}
    failed = {"type": "web_search_tool_result", "tool_use_id": "t", "content": {"type": "e"}}
    found = _entries(("assistant", [use, result, {**use, "id": "t"}, failed]), ("user", "Go"))
    assert found[:2] == [
        WebSearchEntry("s", "q", [("T", "https://a")]),
        WebSearchEntry("t", "q", []),
    ]
    assert found[0].describe() == "Searched the web for: q\n- T https://a"


def test_other_calls_on_anthropics_servers_are_left_out_with_a_warning() -> None:
    unsupported = Unsupported()
    blocks = [
        {"type": "server_tool_use", "id": "s", "name": "code_execution", "input": {}},
        {"type": "code_execution_tool_result", "tool_use_id": "s", "content": {}},
        {"type": "text", "text": "Done"},
    ]
    messages = [{"role": "assistant", "content": blocks}, *_HI]
    entries = _read(unsupported, messages=messages).entries
    assert entries[0] == ContentEntry("assistant", [Part("text", "Done")])
    assert len(unsupported.warnings) == 1


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([("assistant", [_USE])], "`tool_use` ids were found"),
        ([("assistant", [_USE]), ("user", "x"), ("assistant", "y")], "`tool_use` ids were found"),
        ([("assistant", [_USE]), ("user", "x")], "`tool_use` ids were found"),
        ([("user", [_RESULT])], "unexpected `tool_use_id`"),
        ([("assistant", [_USE]), ("user", [_RESULT, _RESULT])], "unexpected `tool_use_id`"),
        ([("assistant", [{**_USE, "id": ""}])], "id: Field required"),
        ([("user", [_USE])], "can only be in `assistant` messages"),
        ([("assistant", [_RESULT])], "can only be in `user` messages"),
        ([("assistant", [{**_USE, "input": "{}"}])], "input: Input should be"),
    ],
)
def test_calls_and_results_that_do_not_match_are_invalid(messages: Any, text: str) -> None:
    with pytest.raises(BadRequestError, match=text):
        _entries(*messages)


def test_a_picture_that_the_assistant_says_is_refused_or_left_out() -> None:
    image = {"type": "image", "source": {"type": "url", "url": "https://a"}}
    messages = [{"role": "assistant", "content": [image, {"type": "text", "text": "A"}]}, *_HI]
    with pytest.raises(ConfigurationError) as refused:
        _read(messages=messages)
    assert refused.value.param == "messages.0.content.0"
    entries = _read(Unsupported(drops_params=True), messages=messages).entries
    assert entries[0] == ContentEntry("assistant", [Part("text", "A")])


def test_a_request_that_is_nested_too_deeply_is_invalid() -> None:
    content: Any = "text"
    for _ in range(3000):
        content = [{"type": "document", "source": {"type": "content", "content": content}}]
    with pytest.raises(BadRequestError, match="nested too deeply"):
        _entries(("user", content))


def test_neighbouring_messages_of_the_assistant_share_their_calls() -> None:
    other = {**_USE, "id": "toolu_2"}
    results = [_RESULT, {**_RESULT, "tool_use_id": "toolu_2"}]
    entries = _entries(("assistant", [_USE]), ("assistant", [other]), ("user", results))
    assert [type(entry) for entry in entries] == [
        ToolUseEntry,
        ToolUseEntry,
        ToolResultEntry,
        ToolResultEntry,
    ]


def test_an_answer_that_the_caller_begins_is_refused_or_sent_as_an_earlier_one() -> None:
    messages = [*_HI, {"role": "assistant", "content": "{"}]
    with pytest.raises(ConfigurationError) as refused:
        _read(messages=messages)
    assert refused.value.param == "messages.1"
    unsupported = Unsupported(drops_params=True)
    assert len(_read(unsupported, messages=messages).entries) == 2
    assert len(unsupported.warnings) == 1
