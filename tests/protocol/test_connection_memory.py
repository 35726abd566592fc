"""What a WebSocket connection keeps of its responses, and how they are continued without a service.

The rules are those of OpenAI's WebSocket mode.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.protocol.connection_memory import ConnectionMemory
from azure_responses.types.items import OutputMessage

EVERY_KIND: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "g", "input": "x"},
    {"type": "shell_call", "id": "sh_1", "call_id": "c3", "action": {"commands": ["ls"]}},
    {"type": "apply_patch_call", "id": "ap_1", "call_id": "c4", "operation": {"type": "x"}},
    {"type": "computer_call", "id": "cu_1", "call_id": "c5", "action": {"type": "screenshot"}},
    {"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": []},
    {"type": "mcp_approval_request", "id": "mcpr_1", "name": "n", "arguments": "{}"},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "gBBB"},
    {"type": "image_generation_call", "id": "ig_1", "result": "aGk="},
    {"type": "something_new", "id": "new_1", "status": "completed", "of": {"any": ["shape"]}},
]


def _response(response_id: str, *items: Any, **fields: Any) -> dict[str, Any]:
    return {"id": response_id, "store": False, "output": list(items), **fields}


def _said(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": f"msg_{text}", "role": "assistant", "content": content}


def _asked(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def test_a_continuation_carries_the_items_of_all_turns_in_order() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1", _said("b")))
    memory.keep(None, {"input": "c", "previous_response_id": "r1"}, _response("r2", _said("d")))
    body = {"model": "m", "input": "e", "previous_response_id": "r2", "tools": []}
    assert memory.continued(body) == {
        "model": "m",
        "tools": [],
        "input": [_asked("a"), _said("b"), _asked("c"), _said("d"), _asked("e")],
    }


def test_items_of_every_kind_are_kept_as_they_were() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": []}, _response("r1", *EVERY_KIND))
    continued = memory.continued({"input": [], "previous_response_id": "r1"})
    assert continued == {"input": EVERY_KIND}


def test_messages_and_reasoning_lose_their_status_which_azure_refuses() -> None:
    memory = ConnectionMemory()
    reasoning = {"type": "reasoning", "encrypted_content": "g", "status": "completed"}
    message = {"type": "message", "content": [], "status": "completed"}
    memory.keep(None, {"input": "a"}, _response("r1", reasoning, message))
    continued = memory.continued({"previous_response_id": "r1"})
    assert continued is not None
    assert continued["input"][1:] == [
        {"type": "reasoning", "encrypted_content": "g"},
        {"type": "message", "content": []},
    ]


@pytest.mark.parametrize(
    ("fields", "store", "is_kept"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"encrypted_content": "g"}, False, True),
        ({"content": [{"type": "reasoning_text", "text": "t"}]}, False, True),
    ],
)
def test_reasoning_that_only_its_id_stands_for_is_left_out_where_nothing_stores_it(
    fields: dict[str, Any], store: bool, is_kept: bool
) -> None:
    memory, item = ConnectionMemory(), {"type": "reasoning", "id": "rs_1", **fields}
    memory.keep(None, {"input": []}, _response("r1", item, store=store))
    continued = memory.continued({"previous_response_id": "r1"})
    assert continued == {"input": [item] if is_kept else []}


def test_only_the_latest_response_of_a_lane_is_found() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1"))
    memory.keep(None, {"input": "b", "previous_response_id": "r1"}, _response("r2"))
    memory.keep("x", {"input": "c"}, _response("r3"))
    assert memory.find("r1") is None
    assert [memory.find(one).lane for one in ("r2", "r3")] == [None, "x"]  # type: ignore[union-attr]
    assert memory.continued({"input": "d", "previous_response_id": "r1"}) is None
    assert memory.continued({"input": "d"}) is None


def _chain(memory: ConnectionMemory, count: int) -> None:
    for number in range(1, count + 1):
        body = {"input": "a" * 100, "previous_response_id": f"r{number - 1}"}
        memory.keep(None, body if number > 1 else {"input": "a" * 100}, _response(f"r{number}"))


def test_as_many_earlier_responses_are_found_as_are_asked_for() -> None:
    memory = ConnectionMemory(most_earlier=2)
    _chain(memory, 4)
    assert [memory.find(f"r{number}") is not None for number in range(1, 5)] == [
        False,
        True,
        True,
        True,
    ]
    continued = memory.continued({"input": "b", "previous_response_id": "r2"})
    assert continued == {"input": [_asked("a" * 100), _asked("a" * 100), _asked("b")]}
    memory.clear()
    assert memory.find("r3") is None


def test_earlier_responses_cost_nothing_where_later_ones_have_their_items() -> None:
    plain, memory = ConnectionMemory(), ConnectionMemory(most_earlier=100)
    for one in (plain, memory):
        _chain(one, 50)
    assert memory.size == plain.size


def test_earlier_responses_go_before_the_latest_beyond_the_limit() -> None:
    memory = ConnectionMemory(most_bytes=500, most_earlier=10)
    memory.keep(None, {"input": "a" * 200}, _response("r1"))
    memory.keep("b", {"input": "b" * 100}, _response("r2"))
    memory.keep("b", {"input": "c" * 100}, _response("r3"))
    assert memory.find("r2") is None
    assert memory.find("r1")
    assert memory.find("r3")


def test_a_failed_continuation_forgets_the_response_it_named() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1"))
    memory.fail(None, {"input": "b", "previous_response_id": "r1"})
    assert memory.find("r1") is None


@pytest.mark.parametrize(
    ("lane", "body"),
    [("x", {"previous_response_id": "r1"}), (None, {"previous_response_id": "r0"}), (None, {})],
)
def test_a_failed_fork_or_another_failed_call_forgets_nothing(
    lane: str | None, body: dict[str, Any]
) -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1"))
    memory.fail(lane, body)
    assert memory.find("r1") is not None


def test_a_fork_goes_on_although_its_source_has_gone_on_meanwhile() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1", _said("b")))
    source = memory.find("r1")
    memory.keep(None, {"input": "c", "previous_response_id": "r1"}, _response("r2"))
    fork = {"input": "d", "previous_response_id": "r1"}
    memory.keep("x", fork, _response("r3"), continues=source)
    continued = memory.continued({"input": "e", "previous_response_id": "r3"})
    assert continued == {"input": [_asked("a"), _said("b"), _asked("d"), _asked("e")]}


def test_a_chain_that_began_elsewhere_names_the_response_before_it() -> None:
    memory = ConnectionMemory()
    first = {"input": "a", "previous_response_id": "r0"}
    memory.keep(None, first, _response("r1"))
    memory.keep(None, {"input": "b", "previous_response_id": "r1"}, _response("r2"))
    assert memory.continued({"input": "c", "previous_response_id": "r2"}) == {
        "previous_response_id": "r0",
        "input": [_asked("a"), _asked("b"), _asked("c")],
    }


@pytest.mark.parametrize(
    ("body", "response", "is_stored"),
    [
        ({}, {"id": "r1"}, True),
        ({"store": False}, {"id": "r1"}, False),
        ({"store": True}, {"id": "r1", "store": False}, False),
        ({"store": False}, {"id": "r1", "store": True}, True),
    ],
)
def test_the_response_says_whether_it_is_stored_and_else_its_request(
    body: dict[str, Any], response: dict[str, Any], is_stored: bool
) -> None:
    memory = ConnectionMemory()
    memory.keep(None, body, response)
    kept = memory.find("r1")
    assert kept is not None
    assert kept.is_stored is is_stored


@pytest.mark.parametrize(
    ("body", "response"),
    [
        ({"input": "a"}, {"output": []}),
        ({"input": "a", "conversation": "conv_1"}, {"id": "r2"}),
        ({"input": [float("nan")]}, {"id": "r2"}),
    ],
)
def test_what_cannot_be_continued_from_its_items_leaves_its_lane_empty(
    body: dict[str, Any], response: dict[str, Any]
) -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1"))
    memory.keep(None, body, response)
    assert (memory.find("r1"), memory.find("r2"), memory.size) == (None, None, 0)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [({"total_tokens": 7}, 7), ({"total_tokens": "7"}, 0), (None, 0)],
)
def test_the_tokens_of_a_response_are_known_to_its_continuation(usage: Any, tokens: int) -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1", usage=usage))
    kept = memory.find("r1")
    assert kept is not None
    assert kept.tokens == tokens


def test_the_responses_that_have_not_been_used_longest_go_first_beyond_the_limit() -> None:
    memory = ConnectionMemory(most_bytes=1000)
    for number in range(3):
        memory.keep(f"l{number}", {"input": "a" * 300}, _response(f"r{number}"))
    assert [memory.find(f"r{number}") is not None for number in range(3)] == [False, True, True]
    assert memory.size <= 1000


def test_what_is_longer_than_the_limit_alone_is_not_kept() -> None:
    memory = ConnectionMemory(most_bytes=1000)
    memory.keep(None, {"input": "a" * 2000}, _response("r1"))
    assert (memory.find("r1"), memory.size) == (None, 0)


def test_forks_share_what_they_have_in_common() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a" * 5000}, _response("r1"))
    alone = memory.size
    for number in range(8):
        body = {"input": "b", "previous_response_id": "r1"}
        memory.keep(f"l{number}", body, _response(f"f{number}"))
    assert memory.size < alone + 8 * 100


def test_typed_items_are_kept_as_the_json_that_is_sent_for_them() -> None:
    memory = ConnectionMemory()
    fields = {**_said("a"), "status": "completed"}
    items = [OutputMessage.model_validate(fields)]
    memory.keep(None, {"input": items}, _response("r1"))
    items.clear()
    assert memory.continued({"previous_response_id": "r1"}) == {"input": [_said("a")]}


def test_odd_inputs_and_outputs_are_no_items() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": {"a": 1}}, {"id": "r1", "store": False, "output": "x"})
    memory.keep(None, {"previous_response_id": "r1"}, _response("r2", "odd"))
    assert memory.continued({"previous_response_id": "r2"}) == {"input": ["odd"]}


@given(turns=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=8))
def test_a_chain_of_any_length_is_the_concatenation_of_its_turns(
    turns: list[tuple[str, str]],
) -> None:
    memory, expected, previous = ConnectionMemory(), [], None
    for number, (question, answer) in enumerate(turns):
        body = {"input": question, "store": False, "previous_response_id": previous}
        previous = f"r{number}"
        memory.keep(None, body, _response(previous, _said(answer)))
        expected += [_asked(question), _said(answer)]
    if turns:
        continued = memory.continued({"previous_response_id": previous})
        assert continued == {"input": expected}


def test_a_memory_that_is_cleared_knows_no_response() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "a"}, _response("r1", _said("b")))
    memory.clear()
    assert (memory.find("r1"), memory.size) == (None, 0)


def test_an_input_that_is_none_is_left_for_the_service_to_refuse() -> None:
    memory = ConnectionMemory()
    memory.keep(None, {"input": "hi", "store": False}, {"id": "resp_1", "output": []})
    body = {"previous_response_id": "resp_1", "store": False, "input": 7}
    assert memory.continued(body) == {"store": False, "input": 7}
