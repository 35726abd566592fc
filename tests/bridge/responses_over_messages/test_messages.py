"""Each kind of item of a conversation is sent to Claude in its place."""

import json
from typing import Any

import pytest

from azure_responses.bridge.responses_over_messages.thinking import seal_block
from azure_responses.errors import BadRequestError, ConfigurationError
from tests.bridge.responses_over_messages.cases import (
    ADAPTIVE,
    BUDGET,
    SEALER,
    convert,
    make,
    told,
    written,
)


def _says(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _call(call_id: str = "call_1", **fields: Any) -> dict[str, Any]:
    item = {"type": "function_call", "call_id": call_id, "name": "weather", "arguments": "{}"}
    return {**item, **fields}


def _output(call_id: str = "call_1", output: Any = "18 °C", **fields: Any) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": output, **fields}


def _reasoning(block: dict[str, Any], family: str = "claude") -> dict[str, Any]:
    sealed = SEALER.seal(family, {"block": block})
    return {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed}


def _thinking(text: str = "Hm.", signature: str = "c2ln") -> dict[str, Any]:
    return {"type": "thinking", "thinking": text, "signature": signature}


def test_neighbouring_messages_of_one_role_are_merged() -> None:
    messages = told(
        [
            _user("a"),
            _user("b"),
            {"role": "assistant", "content": [{"type": "output_text", "text": "c"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "d"}]},
            _user("e"),
        ]
    )
    assert messages == [
        {"role": "user", "content": [_says("a"), _says("b")]},
        {"role": "assistant", "content": [_says("c"), _says("d")]},
        {"role": "user", "content": [_says("e")]},
    ]


def test_leading_system_and_developer_items_are_the_system_prompt() -> None:
    body = written(
        {
            "instructions": "i",
            "input": [
                {"role": "system", "content": "s"},
                {"role": "developer", "content": [{"type": "input_text", "text": "d"}]},
                _user("u"),
            ],
        }
    )
    assert body["system"] == [_says("i"), _says("s"), _says("d")]
    assert body["messages"] == [{"role": "user", "content": [_says("u")]}]


def test_instructions_alone_are_said_by_the_user() -> None:
    body = written(
        {"input": [{"role": "system", "content": "s"}, {"role": "developer", "content": "d"}]}
    )
    assert body["system"] == [_says("s")]
    assert body["messages"] == [
        {"role": "user", "content": [_says("<instructions>\nd\n</instructions>")]}
    ]


def test_an_image_in_the_system_prompt_is_refused() -> None:
    part = {"type": "input_image", "image_url": "https://example.com/a.png"}
    items = [{"role": "system", "content": [part]}, _user("u")]
    with pytest.raises(ConfigurationError, match="system prompt is text"):
        convert({"input": items})


def test_a_system_message_in_the_middle_is_marked_or_sent_as_one() -> None:
    picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
    items = [_user("a"), {"role": "developer", "content": [{"type": "input_text", "text": "d"}]}]
    marked = told([*items, _user("b")])[0]["content"]
    assert marked == [_says("a"), _says("<instructions>\nd\n</instructions>"), _says("b")]
    messages = told([*items, _user("b")], facts={"takes_system_messages": True})
    assert messages[1] == {"role": "system", "content": [_says("d")]}
    shown = told([_user("a"), {"role": "system", "content": [picture]}])[0]["content"]
    assert shown[1]["type"] == "image"


def test_claude_hears_the_user_first() -> None:
    messages = told([{"role": "assistant", "content": "Welcome!"}, _user("Hi")])
    assert [one["role"] for one in messages] == ["user", "assistant", "user"]


@pytest.mark.parametrize("items", [[], [_user(" ")], ""])
def test_an_empty_conversation_is_refused(items: Any) -> None:
    with pytest.raises(ConfigurationError, match="input is empty") as caught:
        convert({"input": items})
    assert caught.value.param == "input"


def test_a_message_of_the_assistant_at_the_end_is_a_prefill() -> None:
    items = [_user("Greek sun?"), {"role": "assistant", "content": "The answer is "}]
    assert told(items, BUDGET)[-1] == {"role": "assistant", "content": [_says("The answer is")]}
    thinking = {"input": items, "reasoning": {"effort": "low"}}
    for parameters, deployment in ((thinking, BUDGET), ({"input": items}, ADAPTIVE)):
        with pytest.raises(ConfigurationError, match="go on with it") as caught:
            convert(parameters, deployment)
        assert caught.value.param == "input"


def test_thinking_at_the_end_is_not_cut() -> None:
    items = [_user("a"), _reasoning(_thinking())]
    assert told(items, BUDGET)[-1]["content"] == [_thinking()]


def test_calls_and_results_stand_in_messages_that_follow_each_other() -> None:
    messages = told(
        [
            _user("Rome and Oslo?"),
            {"role": "assistant", "content": "I look."},
            _call("call_1", arguments='{"city": "Rome"}'),
            _call("call_2", arguments=""),
            _output("call_2", "5"),
            _user("Hurry."),
            _output("call_1", "18"),
        ]
    )
    assert messages[1:] == [
        {
            "role": "assistant",
            "content": [
                _says("I look."),
                {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Rome"}},
                {"type": "tool_use", "id": "call_2", "name": "weather", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "18"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "5"},
                _says("Hurry."),
            ],
        },
    ]


def test_results_stay_with_their_calls_when_the_model_calls_on() -> None:
    items = [
        _user("?"),
        _call("a"),
        _call("b"),
        _output("a"),
        _call("c"),
        _output("b"),
        _output("c"),
    ]
    roles = [
        (one["role"], [block.get("id") or block.get("tool_use_id") for block in one["content"]])
        for one in told(items)[1:]
    ]
    assert roles == [
        ("assistant", ["a", "b"]),
        ("user", ["a", "b"]),
        ("assistant", ["c"]),
        ("user", ["c"]),
    ]


@pytest.mark.parametrize("arguments", ["nonsense", "[1]", '"text"', "[" * 100_000])
def test_broken_arguments_are_shown_to_the_model_again(arguments: str) -> None:
    used = told([_user("?"), _call(arguments=arguments), _output()])[1]["content"][0]
    assert used["input"] == {"arguments": arguments}


def test_ids_of_other_services_are_made_valid_on_both_sides() -> None:
    messages = told([_user("?"), _call("call|fc_1"), _output("call|fc_1")])
    used, result = messages[1]["content"][0], messages[2]["content"][0]
    assert used["id"] == result["tool_use_id"]
    assert used["id"].startswith("toolu_")
    assert (
        used["id"]
        == told([_user("?"), _call("call|fc_1"), _output("call|fc_1")])[1]["content"][0]["id"]
    )


def test_a_result_may_hold_pictures_and_fail() -> None:
    parts = [
        {"type": "input_text", "text": "seen"},
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
    ]
    result = told([_user("?"), _call(), _output(output=parts, status="incomplete")])[2]["content"][
        0
    ]
    assert result["content"][0] == _says("seen")
    assert result["content"][1]["source"]["media_type"] == "image/png"
    assert result["is_error"] is True
    empty = told([_user("?"), _call(), _output(output="")])[2]["content"][0]
    assert empty == {"type": "tool_result", "tool_use_id": "call_1"}


def test_a_result_may_end_what_is_cached() -> None:
    marked = _output(cache_control={"type": "ephemeral"})
    result = told([_user("?"), _call(), marked])[2]["content"][0]
    assert result["cache_control"] == {"type": "ephemeral"}


def test_calls_of_every_kind_are_told_as_functions() -> None:
    screenshot = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AAAA"}
    items: list[dict[str, Any]] = [
        _user("?"),
        {"type": "custom_tool_call", "call_id": "a", "name": "patch", "input": "*** Begin"},
        {"type": "custom_tool_call_output", "call_id": "a", "output": "done"},
        {"type": "shell_call", "call_id": "b", "action": {"commands": ["ls"]}},
        {"type": "shell_call_output", "call_id": "b", "output": [{"stdout": "x"}]},
        {
            "type": "local_shell_call",
            "id": "l",
            "call_id": "c",
            "action": {"type": "exec", "command": ["ls"]},
        },
        {"type": "local_shell_call_output", "id": "l", "output": "x"},
        {
            "type": "apply_patch_call",
            "call_id": "d",
            "operation": {"type": "delete_file", "path": "p"},
        },
        {"type": "apply_patch_call_output", "call_id": "d", "status": "failed"},
        {"type": "computer_call", "call_id": "e", "actions": [{"type": "wait"}]},
        {"type": "computer_call_output", "call_id": "e", "output": screenshot},
        {
            "type": "tool_search_call",
            "call_id": "f",
            "execution": "client",
            "arguments": {"q": "x"},
        },
        {"type": "tool_search_output", "call_id": "f", "execution": "client", "tools": []},
    ]
    messages = told(items)
    calls = [one["content"][0] for one in messages if one["role"] == "assistant"]
    assert [(call["name"], call["input"]) for call in calls] == [
        ("patch", {"input": "*** Begin"}),
        ("shell", {"commands": ["ls"]}),
        ("local_shell", {"command": ["ls"]}),
        ("apply_patch", {"type": "delete_file", "path": "p"}),
        ("computer", {"actions": [{"type": "wait"}]}),
        ("tool_search", {"q": "x"}),
    ]
    results = [one["content"][0] for one in messages[2::2]]
    assert [result["tool_use_id"] for result in results] == ["a", "b", "c", "d", "e", "f"]
    assert [result.get("is_error", False) for result in results] == [False] * 3 + [True] + [
        False
    ] * 2
    assert results[4]["content"][0]["type"] == "image"


def test_tools_that_the_input_offers_are_sent() -> None:
    tool = {"type": "function", "name": "later", "strict": False}
    items: list[dict[str, Any]] = [
        {"type": "additional_tools", "role": "developer", "tools": [tool]},
        {"type": "tool_search_call", "call_id": None, "execution": "server", "arguments": {}},
        {"type": "tool_search_output", "execution": "server", "tools": [{**tool, "name": "found"}]},
        _user("?"),
    ]
    body = written({"input": items})
    assert [one["name"] for one in body["tools"]] == ["later", "found"]
    assert len(body["messages"]) == 1


def test_a_namespace_is_part_of_the_name_of_a_call() -> None:
    items = [_user("?"), _call(namespace="crm", name="find"), _output()]
    assert told(items)[1]["content"][0]["name"] == "crm__find"


@pytest.mark.parametrize(
    ("items", "words"),
    [
        ([_user("?"), _call()], "No tool output found for function call call_1."),
        ([_output()], "No tool call found for function call output with call_id call_1."),
    ],
)
def test_unmatched_calls_and_outputs_are_refused_as_azure_does(items: Any, words: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        convert({"input": items})
    assert caught.value.message == words


def test_sealed_thinking_comes_back_unchanged_and_in_its_place() -> None:
    redacted = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
    items = [
        _user("?"),
        _reasoning(_thinking("one")),
        _reasoning(redacted),
        _call("a"),
        _reasoning(_thinking("two")),
        _call("b"),
        _output("a"),
        _output("b"),
    ]
    blocks = told(items)[1]["content"]
    assert blocks[:2] == [_thinking("one"), redacted]
    assert blocks[3] == _thinking("two")
    assert [block["type"] for block in blocks[2::2]] == ["tool_use", "tool_use"]


def test_foreign_and_damaged_reasoning_is_left_out_and_counted() -> None:
    sealed = _reasoning(_thinking())["encrypted_content"]
    items = [
        _user("?"),
        _reasoning(_thinking(), "deepseek"),
        {"type": "reasoning", "summary": [], "encrypted_content": "gAAAAABo"},
        {"type": "reasoning", "summary": [], "encrypted_content": sealed[:-3] + "AAA"},
        {
            "type": "reasoning",
            "summary": [],
            "encrypted_content": SEALER.seal("claude", {"text": "x"}),
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"role": "assistant", "content": "Yes."},
        _user("!"),
    ]
    body, warnings = convert({"input": items})
    assert [one["role"] for one in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][1]["content"] == [_says("Yes.")]
    assert warnings == (
        "4 reasoning items were left out. Another model made them, or they were damaged.",
    )


def test_thinking_of_an_unknown_family_is_bound_to_the_deployment() -> None:
    conversion = make({}, "my-deployment")
    sealed = seal_block(_thinking(), conversion._context)
    item = {"type": "reasoning", "summary": [], "encrypted_content": sealed}
    parameters = {"input": [_user("a"), item, _user("b")], "max_output_tokens": 9}
    assert written(parameters, "my-deployment")["messages"][1]["content"] == [_thinking()]
    _, warnings = convert(parameters, "another")
    assert len(warnings) == 1


def test_older_models_do_not_think_on_in_a_turn_that_lost_its_thinking() -> None:
    lost = [_user("?"), _call(), _output()]
    body, warnings = convert({"input": lost, "reasoning": {"effort": "low"}}, BUDGET)
    assert "thinking" not in body
    assert warnings == (
        "reasoning was sent without thinking. Claude goes on with a turn that has no thinking of "
        "its own.",
    )
    kept = [_user("?"), _reasoning(_thinking()), _call("a"), _output("a"), _call("b"), _output("b")]
    assert "thinking" in written({"input": kept, "reasoning": {"effort": "low"}}, BUDGET)
    over = [*lost, {"role": "assistant", "content": "18."}, _user("And now?")]
    assert "thinking" in written({"input": over, "reasoning": {"effort": "low"}}, BUDGET)
    assert "thinking" in written({"input": lost, "reasoning": {"effort": "low"}}, ADAPTIVE)


_HOSTED: list[dict[str, Any]] = [
    {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"query": "q"}},
    {"type": "file_search_call", "id": "fs", "results": [{"text": "t"}]},
    {"type": "code_interpreter_call", "id": "ci", "code": "1+1", "container_id": "c"},
    {"type": "image_generation_call", "id": "ig", "result": "AAAA", "revised_prompt": "a cat"},
    {"type": "mcp_call", "id": "m", "name": "find", "arguments": "{}", "output": "o"},
    {
        "type": "shell_call",
        "call_id": "s",
        "environment": {"type": "container_auto"},
        "action": {"commands": ["ls"]},
    },
]


@pytest.mark.parametrize("item", _HOSTED)
def test_what_the_service_ran_is_left_out_with_a_warning_or_told_as_text(item: Any) -> None:
    items = [_user("?"), item, _user("!")]
    body, warnings = convert({"input": items})
    assert len(body["messages"]) == 1
    assert warnings[0].startswith("input[1] was left out.")
    remark = told(items, hosted_history="text")[1]["content"][0]["text"]
    assert remark.startswith(f"[{item['type']}: ")
    assert json.loads(remark[len(item["type"]) + 3 : -1])
    assert "AAAA" not in remark


def test_the_output_of_a_hosted_shell_belongs_to_it() -> None:
    items = [
        _user("?"),
        _HOSTED[-1],
        {"type": "shell_call_output", "call_id": "s", "output": []},
        _user("!"),
    ]
    _, warnings = convert({"input": items})
    assert [warning.split(" ")[0] for warning in warnings] == ["input[1]", "input[2]"]


def test_an_unknown_item_is_refused_or_dropped() -> None:
    items = [_user("?"), {"type": "telepathy", "id": "t"}]
    with pytest.raises(ConfigurationError, match="telepathy") as caught:
        convert({"input": items})
    assert caught.value.param == "input[1]"
    body, warnings = convert({"input": items}, drops_params=True)
    assert (len(body["messages"]), len(warnings)) == (1, 1)


def test_earlier_turns_come_first_and_are_not_counted_in_paths() -> None:
    history: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "b"}]},
        {"type": "mcp_call", "id": "m", "name": "find"},
    ]
    items = [_user("c"), {"type": "mcp_call", "id": "m", "name": "find"}]
    body, warnings = convert({"input": items, "previous_response_id": "resp_1"}, history=history)
    assert [one["content"] for one in body["messages"]] == [
        [_says("a")],
        [_says("b")],
        [_says("c")],
    ]
    assert [warning.split(" ")[0] for warning in warnings] == ["history[2]", "input[1]"]
