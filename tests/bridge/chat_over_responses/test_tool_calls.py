import json
from typing import Any

import pytest

from azure_responses.bridge.chat_over_responses.conversion_state import ConversionState
from azure_responses.bridge.chat_over_responses.tool_calls import (
    answer_id,
    answer_of,
    drop_nulls,
    read_calls,
    rebuild_call,
    to_tool_call,
)
from azure_responses.errors import ConfigurationError
from azure_responses.types import Response
from azure_responses.types.items import is_callers
from azure_responses.types.tools import CHAT_FORMS

PATCH = {"type": "delete_file", "path": "x"}
SHELL = {"commands": ["ls"], "max_output_length": 100}
ITEMS: dict[str, dict[str, Any]] = {
    "function_call": {"call_id": "c1", "name": "f", "arguments": "{}"},
    "custom_tool_call": {"call_id": "c1", "name": "g", "input": "x"},
    "apply_patch_call": {"call_id": "c1", "status": "completed", "operation": PATCH},
    "shell_call": {"call_id": "c1", "action": SHELL},
    "local_shell_call": {
        "id": "c1",
        "call_id": "c1",
        "status": "completed",
        "action": {"type": "exec", "command": ["ls"]},
    },
    "computer_call": {
        "id": "c1",
        "call_id": "c1",
        "status": "completed",
        "pending_safety_checks": [{"id": "s1"}],
        "action": {"type": "screenshot"},
    },
    "tool_search_call": {
        "call_id": "c1",
        "execution": "client",
        "status": "completed",
        "arguments": {"goal": "g"},
    },
    "mcp_approval_request": {"id": "c1", "server_label": "s", "name": "n", "arguments": "{}"},
}
HOSTED: list[dict[str, Any]] = [
    {"type": "shell_call", "call_id": "c", "action": SHELL}
    | {"environment": {"type": "container_auto"}},
    {"type": "tool_search_call", "execution": "server"},
    {"type": "web_search_call", "id": "ws_1"},
    {"type": "function_call", "id": "not all that a call needs"},
]


def _item(fields: dict[str, Any]) -> Any:
    return Response.model_validate({"id": "r", "output": [fields]}).output[0]


@pytest.mark.parametrize("kind", ITEMS)
def test_calls_for_the_caller(kind: str) -> None:
    assert is_callers(_item({"type": kind, **ITEMS[kind]}))


@pytest.mark.parametrize("fields", HOSTED)
def test_calls_that_are_not(fields: dict[str, Any]) -> None:
    assert not is_callers(_item(fields))


def test_a_shell_on_the_callers_machine_is_for_the_caller() -> None:
    fields = {"type": "shell_call", "call_id": "c", "action": SHELL}
    assert is_callers(_item({**fields, "environment": {"type": "local"}}))


@pytest.mark.parametrize("kind", CHAT_FORMS)
def test_a_stand_in_names_a_function_and_can_be_rebuilt_from_its_arguments(kind: str) -> None:
    fields = {"type": kind, **ITEMS[kind]}
    call = to_tool_call(_item(fields))
    assert (call.id, call.type, call.item) == ("c1", "function", fields)
    assert call.function is not None
    assert call.function.name == CHAT_FORMS[kind].name
    arguments = json.loads(call.function.arguments or "")
    assert rebuild_call(kind, "c1", arguments) == fields


def test_function_and_custom_calls_keep_who_called() -> None:
    caller = {"type": "program", "caller_id": "p1"}
    more = {"namespace": "crm", "caller": caller}
    for kind in ("function_call", "custom_tool_call"):
        call = to_tool_call(_item({"type": kind, **ITEMS[kind], **more}))
        assert (call.namespace, call.caller) == ("crm", caller)
        assert call.item is None


def _answer(kind: str, content: Any, **fields: Any) -> dict[str, Any]:
    item = {"type": kind, **ITEMS[kind]}
    return answer_of(kind)(item, {"content": content, **fields}, "messages[1].content")


IMAGE = [{"type": "image_url", "image_url": "data:image/png;base64,"}]


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("apply_patch_call", "Done.", {"status": "completed", "output": "Done."}),
        (
            "shell_call",
            "a.txt",
            {
                "max_output_length": 100,
                "output": [
                    {
                        "stdout": "a.txt",
                        "stderr": "",
                        "outcome": {"type": "exit", "exit_code": 0},
                    }
                ],
            },
        ),
        (
            "shell_call",
            '[{"stdout": "", "stderr": "no", "outcome": {"type": "timeout"}}]',
            {
                "max_output_length": 100,
                "output": [{"stdout": "", "stderr": "no", "outcome": {"type": "timeout"}}],
            },
        ),
        ("local_shell_call", "a.txt", {"output": "a.txt"}),
        (
            "computer_call",
            IMAGE,
            {"output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,"}},
        ),
        (
            "tool_search_call",
            '{"tools": [{"type": "function", "function": {"name": "f"}}]}',
            {
                "execution": "client",
                "status": "completed",
                "tools": [
                    {
                        "type": "function",
                        "name": "f",
                        "parameters": {"type": "object", "properties": {}},
                        "strict": False,
                    }
                ],
            },
        ),
        ("tool_search_call", "[]", {"execution": "client", "status": "completed", "tools": []}),
    ],
)
def test_results_take_the_form_their_call_waits_for(
    kind: str, content: Any, expected: dict[str, Any]
) -> None:
    name = "tool_search_output" if kind == "tool_search_call" else f"{kind}_output"
    assert _answer(kind, content) == {"type": name, "call_id": "c1", **expected}


def test_a_shell_without_a_limit_gets_none_back() -> None:
    item = {"type": "shell_call", "call_id": "c1", "action": {"commands": []}}
    answer = answer_of("shell_call")(item, {"content": "x"}, "p")
    assert "max_output_length" not in answer


def test_a_patch_may_fail_and_safety_checks_be_acknowledged() -> None:
    assert _answer("apply_patch_call", "No.", status="failed")["status"] == "failed"
    checks = [{"id": "s1"}]
    answer = _answer("computer_call", IMAGE, acknowledged_safety_checks=checks)
    assert answer["acknowledged_safety_checks"] == checks


@pytest.mark.parametrize(
    ("content", "approve", "reason"),
    [
        ("true", True, None),
        ('{"approve": true}', True, None),
        ('{"approve": false, "reason": "why not"}', False, "why not"),
        ("false", False, None),
        ("unknown tool", False, "unknown tool"),
        ('{"approve": "yes"}', False, None),
    ],
)
def test_an_approval_takes_a_clear_yes(content: str, approve: bool, reason: str | None) -> None:
    answer = _answer("mcp_approval_request", content)
    assert answer["type"] == "mcp_approval_response"
    assert (answer["approve"], answer.get("reason")) == (approve, reason)
    assert answer["approval_request_id"] == "c1"


@pytest.mark.parametrize(
    ("kind", "content", "words"),
    [
        ("computer_call", "a screen", "screenshot"),
        ("tool_search_call", "nothing", "tools"),
        ("apply_patch_call", IMAGE, "input_image"),
    ],
)
def test_a_result_of_the_wrong_form_is_refused(kind: str, content: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        _answer(kind, content)


FUNCTION = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _read(*calls: Any, **history: Any) -> tuple[list[dict[str, Any]], ConversionState]:
    state = ConversionState(**history)
    return read_calls({"tool_calls": list(calls)}, state, "messages[1]"), state


def test_function_and_custom_calls_go_back_as_what_they_were() -> None:
    custom = {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}}
    items, history = _read({**FUNCTION, "namespace": "crm"}, custom)
    assert items == [
        {
            "type": "function_call",
            "call_id": "c1",
            "name": "f",
            "arguments": "{}",
            "namespace": "crm",
        },
        {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
    ]
    answers = [history.calls[id].answer(history.calls[id].item, {}, "p") for id in ("c1", "c2")]
    assert [answer["type"] for answer in answers] == [
        "function_call_output",
        "custom_tool_call_output",
    ]


def test_an_answer_repeats_who_called() -> None:
    caller = {"type": "program", "caller_id": "p1"}
    _, history = _read({**FUNCTION, "caller": caller})
    call = history.calls["c1"]
    assert call.answer(call.item, {"content": "1"}, "p")["caller"] == caller


def test_a_call_that_carries_its_item_goes_back_as_that_item() -> None:
    item: Any = {"type": "apply_patch_call", "id": None, "call_id": "c1", "operation": {}}
    items, _ = _read({**FUNCTION, "item": item})
    assert items == [{"type": "apply_patch_call", "call_id": "c1", "operation": {}}]
    items, _ = _read({**FUNCTION, "item": {"type": "of tomorrow"}})
    assert items[0]["type"] == "function_call"


def test_a_call_without_its_item_is_rebuilt_if_its_tool_is_declared() -> None:
    shell = {"id": "c1", "function": {"name": "shell", "arguments": '{"commands": []}'}}
    assert _read(shell, stand_ins=frozenset({"shell"}))[0][0]["action"] == {"commands": []}
    assert _read(shell)[0][0]["type"] == "function_call"
    broken = {"id": "c1", "function": {"name": "shell", "arguments": "{"}}
    assert _read(broken, stand_ins=frozenset({"shell"}))[0][0]["action"] is None


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ({"type": "function", "function": {}}, "no id"),
        ({**FUNCTION, "id": ""}, "no id"),
        ({**FUNCTION, "type": "spell"}, "'spell'"),
        ({"id": "c1", "type": "function"}, "function is a NoneType"),
        ({"id": "c1", "type": "custom"}, "custom is a NoneType"),
    ],
)
def test_a_call_that_cannot_be_told_is_refused_by_its_place(call: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=r"messages\[1\]\.tool_calls\[0\]") as refused:
        _read(call)
    assert words in str(refused.value)


def test_missing_texts_are_empty() -> None:
    items, _ = _read({"id": "c1", "function": {}}, {"id": "c2", "type": "custom", "custom": {}})
    assert (items[0]["arguments"], items[1]["input"]) == ("", "")


def test_the_deprecated_call_gets_an_id_of_its_place() -> None:
    history = ConversionState()
    message = {"function_call": {"name": "f", "arguments": "{}"}}
    (item,) = read_calls(message, history, "messages[12]")
    assert item["call_id"] == "call_messages_12"
    assert history.open_functions == {"f": ["call_messages_12"]}


def test_nulls_go_where_they_mean_nothing() -> None:
    item = {"type": "image_generation_call", "result": None, "size": None}
    assert drop_nulls(item) == {"type": "image_generation_call", "result": None}


def test_an_answer_names_the_call_or_else_the_item() -> None:
    assert answer_id({"id": "i", "call_id": "c"}) == "c"
    assert answer_id({"id": "i"}) == "i"
