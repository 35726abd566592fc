"""Input items as the messages of a chat, row by row."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.input_items import COMPACTED
from azure_responses.errors import BadRequestError, ConfigurationError

from .cases import SEALER, convert, make, told

_PNG = "data:image/png;base64,iVBORw0KGgo="


def _said(role: str, *texts: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"role": role, "content": [{"type": kind, "text": text} for text in texts]}


def _call(call_id: str, name: str = "f", arguments: str = "{}", **more: Any) -> dict[str, Any]:
    fields = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", **fields, **more}


def _output(call_id: str, output: Any = "ok", kind: str = "function_call") -> dict[str, Any]:
    return {"type": f"{kind}_output", "call_id": call_id, "output": output}


def _sent(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def test_text_is_a_message_of_the_user() -> None:
    assert told("Hi") == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("role", ["user", "system", "assistant"])
def test_messages_keep_their_role(role: str) -> None:
    assert told([_said(role, "Hi")]) == [{"role": role, "content": "Hi"}]
    assert told([{"role": role, "content": "Hi"}]) == [{"role": role, "content": "Hi"}]


@pytest.mark.parametrize(("deployment", "role"), [("gpt-4o", "developer"), ("kimi", "system")])
def test_developers_are_the_system_outside_openais_families(deployment: str, role: str) -> None:
    assert told([_said("developer", "Hi")], deployment) == [{"role": role, "content": "Hi"}]


@pytest.mark.parametrize(("deployment", "role"), [("o3", "developer"), ("gpt-4o", "system")])
def test_instructions_have_the_role_of_the_family(deployment: str, role: str) -> None:
    body, _ = convert({"instructions": "Be brief."}, deployment)
    assert body["messages"][0] == {"role": role, "content": "Be brief."}


def test_several_parts_of_a_message_stay_apart() -> None:
    assert told([_said("user", "One", "Two")]) == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}],
        }
    ]


def test_the_parts_of_an_answer_are_one_text_and_answers_in_a_row_one_message() -> None:
    items = [_said("assistant", "One", " two"), _said("assistant", "Three")]
    assert told(items) == [{"role": "assistant", "content": "One two\n\nThree"}]


@pytest.mark.parametrize(
    ("deployment", "sent"),
    [
        ("gpt-4o", {"role": "assistant", "content": None, "refusal": "No."}),
        ("kimi", {"role": "assistant", "content": "No."}),
    ],
)
def test_a_refusal_is_one_where_the_family_knows_it(deployment: str, sent: dict[str, Any]) -> None:
    part = {"type": "refusal", "refusal": "No."}
    assert told([{"role": "assistant", "content": [part]}], deployment) == [sent]


def test_annotations_and_log_probabilities_of_earlier_output_are_dropped() -> None:
    part = {"type": "output_text", "text": "Hi", "annotations": [{"type": "x"}], "logprobs": [1]}
    item = {"type": "message", "id": "m", "role": "assistant", "content": [part]}
    assert told([{**item, "status": "completed", "phase": "final_answer"}]) == [
        {"role": "assistant", "content": "Hi"}
    ]


def test_an_empty_answer_is_still_a_message() -> None:
    assert told([_said("user", "Hi"), _said("assistant"), _said("user", "Well?")])[1] == {
        "role": "assistant",
        "content": "",
    }


def test_an_image_in_an_answer_is_refused_by_name() -> None:
    item = {"role": "assistant", "content": [{"type": "input_image", "image_url": _PNG}]}
    with pytest.raises(ConfigurationError, match=r"^input\[0\]\.content\[0\] is not supported"):
        convert({"input": [item]})


def test_calls_between_two_outputs_are_one_message_with_the_text_before_them() -> None:
    items = [
        _said("user", "Hi"),
        _said("assistant", "I look."),
        _call("c1", arguments='{"a":1}'),
        _call("c2"),
        _output("c1", "one"),
        _output("c2", "two"),
        _call("c3"),
        _output("c3", "three"),
    ]
    assert told(items)[1:] == [
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [_sent("c1", arguments='{"a":1}'), _sent("c2")],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "one"},
        {"role": "tool", "tool_call_id": "c2", "content": "two"},
        {"role": "assistant", "content": None, "tool_calls": [_sent("c3")]},
        {"role": "tool", "tool_call_id": "c3", "content": "three"},
    ]


def test_an_output_that_comes_late_still_stands_behind_its_call() -> None:
    items = [_call("c1"), _said("user", "Meanwhile"), _output("c1")]
    assert [message["role"] for message in told(items)] == ["assistant", "tool", "user"]


def test_the_item_id_is_never_the_id_of_the_call() -> None:
    items = [_call("c1", id="fc_1"), {**_output("c1"), "id": "fco_1"}]
    call, output = told(items)
    assert call["tool_calls"][0]["id"] == output["tool_call_id"] == "c1"


def test_a_long_id_is_the_same_short_one_in_call_and_output() -> None:
    call, output = told([_call("c" * 80), _output("c" * 80)])
    assert call["tool_calls"][0]["id"] == output["tool_call_id"]
    assert len(output["tool_call_id"]) <= 40


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([_call("c1")], "No tool output found for function call c1."),
        (
            [_call("c1"), _output("c1"), _output("c2")],
            "No tool call found for function call output with call_id c2.",
        ),
        ([_output("c1"), _call("c1")], "No tool call found for function call output"),
        (
            [{"type": "custom_tool_call", "call_id": "c1", "name": "c", "input": "x"}],
            "No tool output found for custom tool call c1.",
        ),
        (
            [_output("c1", kind="apply_patch_call")],
            "No tool call found for apply patch call output with call_id c1.",
        ),
    ],
)
def test_calls_and_outputs_that_do_not_fit_are_refused_and_not_repaired(
    items: list[Any], message: str
) -> None:
    with pytest.raises(BadRequestError, match=message) as caught:
        convert({"input": items}, drops_params=True)
    assert (caught.value.status_code, caught.value.param) == (400, "input")


def test_the_texts_of_an_output_are_joined() -> None:
    parts = [{"type": "input_text", "text": "one"}, {"type": "input_text", "text": "two"}]
    assert told([_call("c1"), _output("c1", parts)])[1]["content"] == "one\ntwo"


def test_pictures_come_after_all_outputs_of_the_turn() -> None:
    picture = {"type": "input_image", "image_url": _PNG, "detail": "low"}
    items = [
        _call("c1"),
        _call("c2"),
        _output("c1", [{"type": "input_text", "text": "See."}, picture]),
        _output("c2", "two"),
        _said("user", "Well?"),
    ]
    first, second, shown, asked = told(items)[1:]
    assert first["content"].startswith("See.\n[The next message")
    assert second["content"] == "two"
    assert shown["role"] == "user"
    assert shown["content"] == [
        {"type": "text", "text": "Returned by the call c1:"},
        {"type": "image_url", "image_url": {"url": _PNG, "detail": "low"}},
    ]
    assert asked["content"] == "Well?"


def test_a_custom_call_is_a_function_call_or_native() -> None:
    items = [
        {"type": "custom_tool_call", "call_id": "c1", "name": "c", "input": 'x "y"\n'},
        _output("c1", "done", "custom_tool_call"),
    ]
    call, output = told(items, "kimi")
    assert call["tool_calls"] == [_sent("c1", "c", '{"input":"x \\"y\\"\\n"}')]
    assert output["content"] == "done"
    (native,) = told(items, "gpt-5")[0]["tool_calls"]
    custom = {"name": "c", "input": 'x "y"\n'}
    assert native == {"id": "c1", "type": "custom", "custom": custom}


def test_a_call_in_a_namespace_has_the_flat_name() -> None:
    tools = [{"type": "function", "name": "f", "strict": False}]
    space = {"type": "namespace", "name": "crm", "tools": tools}
    items = [_call("c1", namespace="crm"), _output("c1")]
    body, _ = convert({"input": items, "tools": [space]})
    name = body["tools"][0]["function"]["name"]
    assert body["messages"][0]["tool_calls"][0]["function"]["name"] == name == "crm__f"


def _family_reasoning(text: str, family: str = "kimi") -> dict[str, Any]:
    sealed = SEALER.seal(family, {"text": text})
    return {"type": "reasoning", "summary": [], "encrypted_content": sealed}


def test_reasoning_is_sent_back_to_the_family_that_made_it() -> None:
    items = [_said("user", "Hi"), _family_reasoning("Hm."), _said("assistant", "Hello")]
    assert told(items, "kimi-k2.5")[1] == {
        "role": "assistant",
        "content": "Hello",
        "reasoning_content": "Hm.",
    }
    # Another family has no use for it, and is not asked about.
    assert told(items, "mistral-large")[1] == {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize("field", ["content", "summary"])
def test_reasoning_that_is_readable_is_sent_back(field: str) -> None:
    kind = "reasoning_text" if field == "content" else "summary_text"
    item = {"type": "reasoning", "summary": [], field: [{"type": kind, "text": "Hm."}]}
    (call, _) = told([item, _call("c1"), _output("c1")], "deepseek-v3.2")
    assert call["reasoning_content"] == "Hm."
    assert call["content"] is None


def test_several_stretches_of_reasoning_stay_in_their_order() -> None:
    items = [
        _family_reasoning("One"),
        _said("assistant", "Hi"),
        _family_reasoning("Two"),
        _call("c1"),
        _output("c1"),
        _family_reasoning("Three"),
        _said("assistant", "Bye"),
    ]
    messages = told(items, "kimi-k2.5")
    assert [message.get("reasoning_content") for message in messages] == [
        "One\n\nTwo",
        None,
        "Three",
    ]


@pytest.mark.parametrize("sealed", ["gAAAAABfromOpenAI", "arsealed1.damaged", "ErsBfromAnthropic"])
def test_foreign_reasoning_is_left_out_and_counted(sealed: str) -> None:
    foreign = {"type": "reasoning", "summary": [], "encrypted_content": sealed}
    items = [foreign, _said("assistant", "Hi"), _family_reasoning("x", "deepseek")]
    body, warnings = convert({"input": items}, "kimi-k2.5")
    assert body["messages"] == [{"role": "assistant", "content": "Hi"}]
    assert [warning[:29] for warning in warnings] == ["2 reasoning items were left o"]


def test_reasoning_without_text_or_answer_says_nothing() -> None:
    empty = {"type": "reasoning", "summary": [], "encrypted_content": SEALER.seal("kimi", {})}
    items = [empty, _said("assistant", "Hi"), _family_reasoning("lost"), _said("user", "So?")]
    assert [message.get("reasoning_content") for message in told(items, "kimi")] == [None, None]


def test_a_reference_to_an_unknown_item_is_refused_as_the_service_does() -> None:
    for item in ({"type": "item_reference", "id": "msg_x"}, {"id": "msg_x"}):
        with pytest.raises(BadRequestError, match=r"^400: Item with id 'msg_x' not found\.$"):
            convert({"input": [item]})


def test_a_compaction_of_ours_stands_for_its_items() -> None:
    sealed = SEALER.seal(COMPACTED, {"items": [{"type": "message", **_said("user", "Before")}]})
    item = {"type": "compaction", "encrypted_content": sealed}
    assert [message["content"] for message in told([item, _said("user", "Now")])] == [
        "Before",
        "Now",
    ]
    empty = {"type": "compaction", "encrypted_content": SEALER.seal(COMPACTED, {})}
    assert len(told([empty, _said("user", "Now")])) == 1


def test_a_compaction_of_others_is_refused_as_the_service_does() -> None:
    item = {"type": "compaction", "encrypted_content": "gAAAA_somewhere_else="}
    with pytest.raises(BadRequestError, match=r"gAAA\.\.\.lse= could not be verified") as caught:
        convert({"input": [item]})
    assert caught.value.code == "invalid_encrypted_content"


_FOUND = {"type": "function", "name": "found", "parameters": {"type": "object"}, "strict": False}


@pytest.mark.parametrize("execution", ["server", "client"])
def test_tools_that_a_search_found_are_offered(execution: str) -> None:
    items = [
        _said("user", "Hi"),
        {"type": "tool_search_call", "call_id": "t1", "execution": execution, "arguments": {}},
        {
            "type": "tool_search_output",
            "call_id": "t1",
            "execution": execution,
            "tools": [_FOUND],
        },
    ]
    body, warnings = convert({"input": items})
    assert [tool["function"]["name"] for tool in body["tools"]] == ["found"]
    assert warnings == ()
    roles = [message["role"] for message in body["messages"]]
    # A search of the service's own is no call that the model has to see.
    assert roles == (["user"] if execution == "server" else ["user", "assistant", "tool"])


def test_additional_tools_are_offered() -> None:
    items = [_said("user", "Hi"), {"type": "additional_tools", "tools": [_FOUND]}]
    body, _ = convert({"input": items})
    assert [tool["function"]["name"] for tool in body["tools"]] == ["found"]
    assert len(body["messages"]) == 1


_SEARCHED = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "azure"},
}
_RUN = {
    "type": "shell_call",
    "call_id": "s1",
    "action": {"commands": ["ls"]},
    "environment": {"type": "container_reference", "container_id": "cntr_1"},
}


@pytest.mark.parametrize("item", [_SEARCHED, _RUN, {"type": "mcp_list_tools", "tools": []}])
def test_hosted_history_is_left_out_with_a_warning(item: dict[str, Any]) -> None:
    body, warnings = convert({"input": [_said("user", "Hi"), item]})
    assert len(body["messages"]) == 1
    assert warnings == (
        f"input[1] was left out. The service ran this {item['type']!r}, and chat completions has "
        "no such history.",
    )


def test_hosted_history_may_be_told_as_text() -> None:
    output = {"type": "shell_call_output", "call_id": "s1", "output": [{"stdout": "a"}]}
    image = {"type": "image_generation_call", "id": "ig_1", "result": "aGk=", "prompt": "p"}
    items = [_said("user", "Hi"), _SEARCHED, _RUN, output, image, _said("assistant", "Done")]
    body, warnings = convert({"input": items}, hosted_history="text")
    assert warnings == ()
    text = body["messages"][1]["content"]
    assert '[web_search_call: {"action": {"type": "search", "query": "azure"}}]' in text
    assert '{"output": [{"stdout": "a"}]}' in text
    assert '[image_generation_call: {"prompt": "p"}]' in text
    assert text.endswith("Done")


@pytest.mark.parametrize(
    ("call", "output", "arguments", "content"),
    [
        (
            {"type": "shell_call", "action": {"commands": ["ls"], "timeout_ms": None}},
            {"output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit"}}]},
            '{"commands":["ls"]}',
            '[{"stdout":"a","stderr":"","outcome":{"type":"exit"}}]',
        ),
        (
            {
                "type": "apply_patch_call",
                "operation": {"type": "update_file", "path": "a", "diff": "-b"},
            },
            {"output": None, "status": "completed"},
            '{"type":"update_file","path":"a","diff":"-b"}',
            "completed",
        ),
        (
            {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls"]}},
            {"output": '{"stdout":"a"}'},
            '{"command":["ls"]}',
            '{"stdout":"a"}',
        ),
    ],
)
def test_a_shell_and_a_patch_are_functions_with_fixed_schemas(
    call: dict[str, Any], output: dict[str, Any], arguments: str, content: str
) -> None:
    kind = call["type"]
    items = [
        {**call, "call_id": "c1"},
        {"type": f"{kind}_output", "call_id": "c1", **output},
    ]
    tool = kind.removesuffix("_call")
    body, _ = convert({"input": items, "tools": [{"type": tool}]})
    asked, answered = body["messages"]
    assert asked["tool_calls"] == [_sent("c1", tool, arguments)]
    assert answered == {"role": "tool", "tool_call_id": "c1", "content": content}
    assert body["tools"][0]["function"]["name"] == tool


def test_the_output_of_a_local_shell_may_name_the_item() -> None:
    call = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c1", "action": {"command": []}}
    output = {"type": "local_shell_call_output", "id": "lsh_1", "output": "a"}
    assert told([call, output])[1] == {"role": "tool", "tool_call_id": "c1", "content": "a"}


def test_a_screenshot_is_shown_to_the_model() -> None:
    call = {"type": "computer_call", "call_id": "c1", "actions": [{"type": "screenshot"}]}
    shot = {"type": "computer_screenshot", "image_url": _PNG}
    messages = told([call, _output("c1", shot, "computer_call")])
    assert messages[2]["content"][1]["image_url"]["url"] == _PNG


def test_items_of_an_unknown_kind_are_refused_by_name() -> None:
    item = {"type": "item_of_tomorrow", "id": "p"}
    with pytest.raises(ConfigurationError, match="cannot take an item 'item_of_tomorrow'"):
        convert({"input": [item]})
    body, warnings = convert({"input": [item, _said("user", "Hi")]}, drops_params=True)
    assert (len(body["messages"]), len(warnings)) == (1, 1)


def test_a_message_of_which_nothing_is_left_is_left_out() -> None:
    picture = {"type": "input_image", "file_id": "file_1"}
    items = [{"role": "user", "content": [picture]}, _said("user", "Hi")]
    body, _ = convert({"input": items}, drops_params=True)
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


@pytest.mark.parametrize("given", [[], [_said("user", "Hi")]])
def test_every_item_that_was_sent_gets_an_id(given: list[Any]) -> None:
    items = [*given, _call("c1"), {**_output("c1"), "id": "kept"}]
    conversion = make({"input": items})
    conversion.write([{"type": "message", "id": "old", **_said("user", "Before")}])
    ids = [item["id"] for item in conversion.input_items]
    assert len(ids) == len(set(ids)) == len(items)
    assert ids[-1] == "kept"


_turns = st.lists(
    st.sampled_from(["user", "text", "reasoning", "call", "calls", "late"]), max_size=8
)


def _items(kind: str, number: int, late: list[Any]) -> list[Any]:
    first, second = f"a{number}", f"b{number}"
    if kind == "late":
        late.append(_output(first))
    return {
        "user": [_said("user", kind)],
        "text": [_said("assistant", kind)],
        "reasoning": [_family_reasoning(kind)],
        "call": [_call(first), _output(first)],
        "calls": [_call(first), _call(second), _output(second), _output(first)],
        "late": [_call(first)],
    }[kind]


@given(_turns)
def test_every_call_is_followed_at_once_by_its_outputs(kinds: list[str]) -> None:
    late: list[Any] = []
    items = [item for n, kind in enumerate(kinds) for item in _items(kind, n, late)]
    messages = told([*items, *late], "kimi-k2.5")
    waiting: set[str] = set()
    for message in messages:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        else:
            assert not waiting
            waiting = {call["id"] for call in message.get("tool_calls") or ()}
    assert not waiting
    roles = [message["role"] for message in messages]
    assert ("assistant", "assistant") not in set(itertools.pairwise(roles))
