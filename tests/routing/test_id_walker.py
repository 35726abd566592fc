"""Every place of an id is visited, nothing else is, and nothing given is changed."""

import copy
from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.routing.id_schema import REQUEST, Kind
from azure_responses.routing.id_walker import Path, format_path, to_plain, walk
from azure_responses.types import OutputMessage, Response


def _visit(body: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Path → kind and value of every place."""
    found = {}

    def note(kind: Kind, value: str, item: Mapping[str, Any], path: Path) -> str:
        found[format_path(path)] = kind.name, value
        return value

    walk(body, REQUEST, note)
    return found


def _shout(kind: Kind, value: Any, item: Mapping[str, Any], path: Path) -> Any:
    return value if kind is Kind.UNREADABLE else value.upper()


_BODY: dict[str, Any] = {
    "model": "m",
    "instructions": "resp_x",
    "metadata": {"id": "resp_x", "conversation": "conv_x"},
    "previous_response_id": "resp_a",
    "conversation": {"id": "conv_a"},
    "prompt": {"id": "pmpt_a", "variables": {"id": "text", "b": {"file_id": "file-a"}}},
    "tools": [
        {"type": "function", "parameters": {"properties": {"id": {"const": "x"}}}},
        {"type": "file_search", "vector_store_ids": ["vs_a", "vs_b"]},
        {"type": "code_interpreter", "container": "cntr_a"},
        {"type": "code_interpreter", "container": {"type": "auto", "file_ids": ["file-b"]}},
        {"type": "shell", "environment": {"container_id": "cntr_b"}},
        {"type": "image_generation", "input_image_mask": {"file_id": "file-c"}},
    ],
    "input": [
        {"role": "user", "content": "file-x"},
        {"role": "user", "content": [{"type": "input_file", "file_id": "file-d"}]},
        {"type": "message", "id": "msg_a", "role": "assistant", "content": [
            {"type": "output_text", "text": "resp_x", "annotations": [
                {"type": "container_file_citation", "container_id": "cntr_c", "file_id": "cfile_a"}
            ]},
        ]},
        {"type": "reasoning", "id": "rs_a", "encrypted_content": "gaaa", "summary": []},
        {"type": "function_call", "id": "fc_a", "call_id": "call_x", "arguments": '{"id":"x"}'},
        {"type": "function_call_output", "call_id": "call_x", "output": "file-x"},
        {"type": "computer_call_output", "output": {"file_id": "file-e"}},
        {"type": "mcp_approval_response", "approval_request_id": "mcpr_a"},
        {"type": "file_search_call", "id": "fs_a", "results": [{"file_id": "file-f", "text": ""}]},
    ],
}  # fmt: skip


def test_every_place_of_a_responses_body_is_visited_and_no_other() -> None:
    assert _visit(_BODY) == {
        "previous_response_id": ("STORED", "resp_a"),
        "conversation.id": ("STORED", "conv_a"),
        "prompt.id": ("STORED", "pmpt_a"),
        "prompt.variables.b.file_id": ("STORED", "file-a"),
        "tools[1].vector_store_ids[0]": ("STORED", "vs_a"),
        "tools[1].vector_store_ids[1]": ("STORED", "vs_b"),
        "tools[2].container": ("STORED", "cntr_a"),
        "tools[3].container.file_ids[0]": ("STORED", "file-b"),
        "tools[4].environment.container_id": ("STORED", "cntr_b"),
        "tools[5].input_image_mask.file_id": ("STORED", "file-c"),
        "input[1].content[0].file_id": ("STORED", "file-d"),
        "input[2].id": ("ITEM", "msg_a"),
        "input[2].content[0].annotations[0].container_id": ("CITED", "cntr_c"),
        "input[2].content[0].annotations[0].file_id": ("CITED", "cfile_a"),
        "input[3].encrypted_content": ("CIPHERTEXT", "gaaa"),
        "input[3].id": ("ITEM", "rs_a"),
        "input[4].id": ("ITEM", "fc_a"),
        "input[6].output.file_id": ("STORED", "file-e"),
        "input[7].approval_request_id": ("ITEM_NAME", "mcpr_a"),
        "input[8].id": ("ITEM", "fs_a"),
        "input[8].results[0].file_id": ("CITED", "file-f"),
    }


def test_every_place_of_a_chat_body_is_visited_and_no_other() -> None:
    message = {
        "role": "assistant",
        "content": "resp_x",
        "reasoning_items": [{"type": "reasoning", "id": "rs_a", "encrypted_content": "gaaa"}],
        "thinking_blocks": [{"thinking": "…", "id": "rs_b", "encrypted_content": "gbbb"}],
        "hosted_items": [
            {"type": "web_search_call", "id": "ws_a"},
            {"type": "compaction", "id": "cmp_a", "encrypted_content": "gccc"},
            {"type": "output_part", "part": {"type": "x", "file_id": "file-a"}},
        ],
        "annotations": [{"type": "file_path", "file_path": {"file_id": "file-b"}}],
        "tool_calls": [
            {"id": "call_a", "function": {"name": "f", "arguments": '{"file_id":"x"}'}},
            {"id": "mcpr_a", "item": {"type": "mcp_approval_request", "id": "mcpr_a"}},
        ],
    }
    parts = [{"type": "file", "file": {"file_id": "file-c"}}]
    answer = {"role": "tool", "tool_call_id": "mcpr_a", "content": parts}
    body = {"messages": [message, answer], "extra_body": {"previous_response_id": "resp_a"}}
    assert _visit(body) == {
        "messages[0].reasoning_items[0].encrypted_content": ("REASONING", "gaaa"),
        "messages[0].reasoning_items[0].id": ("REASONING_ITEM", "rs_a"),
        "messages[0].thinking_blocks[0].encrypted_content": ("REASONING", "gbbb"),
        "messages[0].thinking_blocks[0].id": ("REASONING_ITEM", "rs_b"),
        "messages[0].hosted_items[0].id": ("ITEM", "ws_a"),
        "messages[0].hosted_items[1].encrypted_content": ("CIPHERTEXT", "gccc"),
        "messages[0].hosted_items[1].id": ("ITEM", "cmp_a"),
        "messages[0].hosted_items[2].part.file_id": ("STORED", "file-a"),
        "messages[0].annotations[0].file_path.file_id": ("CITED", "file-b"),
        "messages[0].tool_calls[0].id": ("CALL", "call_a"),
        "messages[0].tool_calls[1].id": ("CALL", "mcpr_a"),
        "messages[0].tool_calls[1].item.id": ("ITEM", "mcpr_a"),
        "messages[1].content[0].file.file_id": ("STORED", "file-c"),
        "messages[1].tool_call_id": ("CALL", "mcpr_a"),
        "extra_body.previous_response_id": ("STORED", "resp_a"),
    }


def test_the_body_given_is_never_changed() -> None:
    before = copy.deepcopy(_BODY)
    changed = walk(_BODY, REQUEST, _shout)
    assert before == _BODY
    assert changed["tools"][1]["vector_store_ids"] == ["VS_A", "VS_B"]
    assert changed["prompt"]["variables"] == {"id": "text", "b": {"file_id": "FILE-A"}}
    assert changed["metadata"] is _BODY["metadata"]
    assert changed["tools"][0] is _BODY["tools"][0]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["id", "input", "content", "tools", "container", "prompt", "x"]), inner
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["input", "tools", "messages", "prompt", "x"]), _JSON))
def test_a_body_of_any_shape_is_itself_where_nothing_differs(body: dict[str, Any]) -> None:
    assert walk(body, REQUEST, lambda kind, value, item, path: value) is body


def test_deep_nesting_is_left_alone() -> None:
    nested: Any = []
    for _ in range(5000):
        nested = [nested]
    tools: Any = {}
    for _ in range(5000):
        tools = {"tools": tools}
    body = {"input": nested, "tools": tools}
    assert walk(body, REQUEST, _shout) is body


class _Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize("value", [1, 1.5, None, b"file-a", bytearray(b"a"), object(), _Colour.RED])
def test_what_is_no_json_is_left_to_the_encoder(value: Any) -> None:
    body = {"input": value, "prompt": {"variables": {"a": value}}}
    assert walk(body, REQUEST, _shout) is body


def test_iterables_and_other_mappings_are_walked() -> None:
    item = MappingProxyType({"type": "item_reference", "id": "msg_a"})
    for items in ((item,), iter([item]), {"k": item}.values()):
        assert walk({"input": items}, REQUEST, _shout)["input"] == [
            {"type": "item_reference", "id": "MSG_A"}
        ]


def test_models_become_what_is_sent_for_them() -> None:
    message = {
        "type": "message",
        "id": "msg_a",
        "role": "assistant",
        "status": "completed",
        "content": [{"type": "output_text", "text": "Hi"}],
    }
    call = {"type": "web_search_call", "id": "ws_a", "status": "completed"}
    response = Response.model_validate({"id": "resp_a", "output": [message, call]})
    before = response.to_dict()
    walked = walk({"input": response.output}, REQUEST, _shout)["input"]
    del message["status"]
    assert walked == [{**message, "id": "MSG_A"}, {**call, "id": "WS_A"}]
    assert response.to_dict() == before
    assert isinstance(response.output[0], OutputMessage)


def test_a_plain_value_stays_what_it_is() -> None:
    value = {"type": "message", "status": "completed"}
    assert to_plain(value) is value


def test_an_id_that_is_the_value_of_an_enum_is_read() -> None:
    class Known(Enum):
        MESSAGE = "msg_a"

    item = {"type": "item_reference", "id": Known.MESSAGE}
    assert walk({"input": [item]}, REQUEST, _shout) == {"input": [{**item, "id": "MSG_A"}]}
