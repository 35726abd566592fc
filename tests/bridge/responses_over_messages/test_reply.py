"""What Claude answers becomes the items of a response, and its stream says the same."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bridge.responses_over_messages.cases import (
    SEALER,
    events_of,
    make,
    message,
    read,
    sse,
    stream,
    streamed,
)

_TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}},
    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]},
    {"type": "custom", "name": "patch"},
    {"type": "shell"},
]


def _use(name: str, given: Any, call_id: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def _thinking(text: str = "Let me see.", signature: str = "c2ln") -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def _output(*blocks: Any, **around: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = read(message(*blocks, **around), {"tools": _TOOLS})["output"]
    return items


def test_text_is_a_message() -> None:
    response = read(message("Hello!"), {"model": "claude", "metadata": {"a": "b"}})
    assert (response["status"], response["model"]) == ("completed", "claude")
    assert response["metadata"] == {"a": "b"}
    assert response["id"].startswith("resp_")
    item = response["output"][0]
    assert item["content"] == [
        {"type": "output_text", "text": "Hello!", "annotations": [], "logprobs": []}
    ]
    assert (item["role"], item["status"]) == ("assistant", "completed")


def test_neighbouring_texts_are_one_text() -> None:
    items = _output("one ", "two", _use("weather", {}), "three")
    texts = [item["content"][0]["text"] for item in items if item["type"] == "message"]
    assert texts == ["one two", "three"]


def test_nothing_empty_is_announced() -> None:
    assert _output("") == []
    assert read(message())["output"] == []


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("end_turn", "completed", None),
        ("stop_sequence", "completed", None),
        ("tool_use", "completed", None),
        ("max_tokens", "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", "incomplete", "max_output_tokens"),
    ],
)
def test_the_reason_to_stop_is_the_status(reason: str, status: str, why: str | None) -> None:
    response = read(message("Hi", reason=reason))
    assert response["status"] == status
    assert response["incomplete_details"] == (None if why is None else {"reason": why})
    assert response["output"][0]["status"] == status


def test_a_refusal_is_incomplete_and_holds_the_refusal() -> None:
    details = {"type": "refusal", "category": "bio", "explanation": "Not that."}
    response = read(message("So", reason="refusal", stop_details=details))
    assert response["incomplete_details"] == {"reason": "content_filter"}
    parts = response["output"][0]["content"]
    assert [part["type"] for part in parts] == ["output_text", "refusal"]
    assert parts[1]["refusal"] == "Not that."
    plain = read(message(_use("weather", {}), reason="refusal"), {"tools": _TOOLS})["output"]
    assert [item["status"] for item in plain] == ["completed", "incomplete"]
    assert plain[1]["content"][0]["refusal"]


def test_usage_counts_the_cache_as_input() -> None:
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 20,
        "cache_read_input_tokens": 30,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 4},
        "service_tier": "standard",
    }
    response = read(message("Hi", usage=usage))
    assert response["usage"] == {
        "input_tokens": 60,
        "input_tokens_details": {"cached_tokens": 30, "cache_write_tokens": 20},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 69,
    }
    assert response["service_tier"] == "default"
    assert read(message("Hi", usage=None))["usage"] is None


def test_a_call_is_a_function_call_with_its_namespace() -> None:
    items = _output(_use("weather", {"city": "Århus"}), _use("crm__find", {}, "toolu_2"))
    assert [(item["call_id"], item["name"], item["arguments"]) for item in items] == [
        ("toolu_1", "weather", '{"city": "Århus"}'),
        ("toolu_2", "find", "{}"),
    ]
    assert [item.get("namespace") for item in items] == [None, "crm"]
    assert [item["status"] for item in items] == ["completed", "completed"]


def test_a_custom_call_holds_the_text() -> None:
    items = _output(_use("patch", {"input": "*** Begin\n"}), _use("patch", {"other": 1}))
    assert [(item["type"], item["input"]) for item in items] == [
        ("custom_tool_call", "*** Begin\n"),
        ("custom_tool_call", '{"other": 1}'),
    ]


def test_a_shell_call_is_whole_or_a_function_call() -> None:
    good, bad = _output(_use("shell", {"commands": ["ls"]}), _use("shell", {"run": "ls"}))
    assert (good["type"], good["action"]["commands"]) == ("shell_call", ["ls"])
    assert (bad["type"], bad["arguments"]) == ("function_call", '{"run": "ls"}')


def test_a_call_that_was_cut_off_is_incomplete() -> None:
    items = _output(_use("weather", {}), _use("weather", {"c": 1}), reason="max_tokens")
    assert [item["status"] for item in items] == ["completed", "incomplete"]


def test_each_block_of_thinking_is_an_item_with_its_own_signature() -> None:
    blocks = [
        _thinking("one", "MQ=="),
        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
        _use("weather", {}),
        _thinking("", "Mg=="),
        _use("weather", {}),
    ]
    items = _output(*blocks)
    reasoning = [item for item in items if item["type"] == "reasoning"]
    assert [item["type"] for item in items] == [
        "reasoning",
        "reasoning",
        "function_call",
        "reasoning",
        "function_call",
    ]
    sealed = [SEALER.open("claude", item["encrypted_content"]) for item in reasoning]
    assert sealed == [{"block": blocks[0]}, {"block": blocks[1]}, {"block": blocks[3]}]
    assert reasoning[0]["content"] == [{"type": "reasoning_text", "text": "one"}]
    assert [reasoning[0]["summary"], reasoning[1]["content"]] == [[], []]


def test_a_summary_shows_the_thinking_too() -> None:
    for name in ("summary", "generate_summary"):
        response = read(message(_thinking("one"), "Hi"), {"reasoning": {name: "auto"}})
        assert response["output"][0]["summary"] == [{"type": "summary_text", "text": "one"}]


def test_thinking_without_a_signature_is_not_sealed() -> None:
    assert "encrypted_content" not in _output(_thinking("one", ""))[0]


def test_citations_are_annotations_of_the_joined_text() -> None:
    web = {"type": "web_search_result_location", "url": "https://a.example", "title": "A"}
    found = {"type": "search_result_location", "source": "https://b.example", "title": None}
    page = {
        "type": "page_location",
        "document_index": 2,
        "document_title": "c.pdf",
        "file_id": None,
        "cited_text": "…",
    }
    blocks = [
        "See ",
        {"type": "text", "text": "Ä and", "citations": [web]},
        {"type": "text", "text": " B", "citations": [found, page]},
    ]
    part = _output(*blocks)[0]["content"][0]
    assert part["text"] == "See Ä and B"
    assert part["annotations"] == [
        {
            "type": "url_citation",
            "url": "https://a.example",
            "title": "A",
            "start_index": 4,
            "end_index": 9,
        },
        {
            "type": "url_citation",
            "url": "https://b.example",
            "title": "",
            "start_index": 9,
            "end_index": 11,
        },
        {
            "type": "file_citation",
            "file_id": "",
            "filename": "c.pdf",
            "index": 2,
            "start_index": 9,
            "end_index": 11,
        },
    ]
    empty = {"type": "text", "text": "", "citations": [web]}
    assert _output(empty) == []


def test_blocks_of_other_kinds_are_passed_over() -> None:
    used = {"type": "server_tool_use", "id": "srv", "name": "web_search", "input": {"query": "q"}}
    items = _output(used, "not a block", "Hi")
    assert [item["type"] for item in items] == ["message"]
    assert len(_output(*([None, 5, "Hi"]))) == 1


@pytest.mark.parametrize("body", [{}, {"error": {"type": "api_error"}}, {"content": "text"}])
def test_a_body_that_is_not_a_message_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="content"):
        read(body)


def test_a_reply_without_a_reason_to_stop_is_complete() -> None:
    assert read({"content": [{"type": "text", "text": "Hi"}]})["status"] == "completed"


# --- whole replies and streams ---------------------------------------------------------------

_TEXT = st.text(max_size=12)
_JSON = st.dictionaries(
    _TEXT, st.one_of(_TEXT, st.integers(), st.lists(_TEXT, max_size=2)), max_size=2
)
_CITED = st.builds(
    lambda text, url: {
        "type": "text",
        "text": text,
        "citations": [{"type": "web_search_result_location", "url": url, "title": url}],
    },
    _TEXT,
    _TEXT,
)
_BLOCK = st.one_of(
    _TEXT,
    _CITED,
    st.builds(_thinking, _TEXT, st.text("AZaz09+/", min_size=1, max_size=6)),
    st.just({"type": "redacted_thinking", "data": "ZGF0YQ=="}),
    st.builds(_use, st.sampled_from(["weather", "crm__find", "patch", "shell"]), _JSON),
    st.builds(lambda text: _use("patch", {"input": text}), _TEXT),
    st.builds(lambda text: _use("shell", {"commands": [text]}), _TEXT),
)
_REASON = st.sampled_from(["end_turn", "tool_use", "max_tokens", "refusal"])


def _comparable(response: dict[str, Any]) -> dict[str, Any]:
    """A response with what is sealed in the open: no text is sealed twice as the same."""
    output = [
        {**item, "encrypted_content": SEALER.open("claude", item["encrypted_content"])}
        if "encrypted_content" in item
        else item
        for item in response["output"]
    ]
    return {**response, "output": output}


@given(
    st.lists(_BLOCK, max_size=5),
    _REASON,
    st.integers(1, 7),
    st.lists(st.integers(0, 9_999), max_size=8),
)
def test_a_stream_says_the_same_however_it_is_cut(
    blocks: list[Any], reason: str, size: int, places: list[int]
) -> None:
    whole = message(*blocks, reason=reason)
    parameters = {"tools": _TOOLS, "reasoning": {"summary": "auto"}}
    data = sse(streamed(whole, size))
    conversion = make(parameters)
    conversion.write()
    state = conversion.stream()
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    pieces = [state.receive(data[one:other]) for one, other in pairwise(edges)]
    events = events_of(b"".join([*pieces, state.end()]))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    final = events[-1]["response"]
    assert final == state.final
    assert _comparable(final) == _comparable(read(whole, parameters))
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert sorted(item["id"] for item in done) == sorted(item["id"] for item in final["output"])
    assert all(item in done for item in final["output"])


def test_the_events_stand_in_the_exact_order() -> None:
    whole = message(_thinking("ab"), "Hello", _use("patch", {"input": "xy"}), reason="tool_use")
    kinds = [
        event["type"].removeprefix("response.")
        for event in stream(streamed(whole), {"tools": _TOOLS})
    ]
    assert kinds == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "custom_tool_call_input.delta",
        "custom_tool_call_input.done",
        "output_item.done",
        "completed",
    ]


def test_the_signature_is_in_the_item_that_is_done() -> None:
    events = stream(streamed(message(_thinking("ab"), "Hi")))
    done = next(event for event in events if event["type"] == "response.output_item.done")
    assert SEALER.open("claude", done["item"]["encrypted_content"]) == {"block": _thinking("ab")}
