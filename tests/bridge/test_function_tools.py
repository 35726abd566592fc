"""Every kind of tool becomes a function, and calls of the function become the tool's items."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge.function_calls import ToolCall
from azure_responses.bridge.function_tools import FunctionTools, ToolSupport
from azure_responses.bridge.unsupported import Unsupported
from azure_responses.errors import BadRequestError, ConfigurationError

_CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def _function(name: str = "weather", **fields: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, "parameters": _CITY, **fields}


def _tools(*tools: Any, choice: Any = None, **support: Any) -> FunctionTools:
    return FunctionTools(
        {"tools": list(tools), "tool_choice": choice}, support=ToolSupport(**support)
    )


def _dropping(*tools: Any, choice: Any = None) -> tuple[FunctionTools, list[str]]:
    unsupported = Unsupported(drops_params=True)
    made = FunctionTools({"tools": list(tools), "tool_choice": choice}, (), unsupported=unsupported)
    return made, unsupported.warnings


def test_a_function_is_strict_unless_it_says_otherwise() -> None:
    tools = _tools(_function(), _function("b", strict=False), _function("c", strict=True))
    assert [function.strict for function in tools.functions] == [True, False, True]
    assert [function.parameters for function in tools.functions] == [_CITY] * 3


def test_a_schema_that_cannot_be_strict_is_sent_as_not_strict() -> None:
    free = {"type": "object", "properties": {"any": {"type": "object"}}}
    function = _tools(_function(parameters=free)).functions[0]
    assert (function.strict, function.parameters) == (False, free)


def test_a_schema_is_made_strict_where_the_function_does_not_say_whether_it_is() -> None:
    loose = {"type": "object", "properties": {"city": {"type": "string"}}}
    assert _tools(_function(parameters=loose)).functions[0].parameters == _CITY
    assert _tools(_function(parameters=loose, strict=True)).functions[0].parameters == loose
    assert _tools(_function(parameters=loose), strict=False).functions[0].parameters == loose
    kept = _tools(_function(parameters=loose), marks_required=False).functions[0].parameters
    assert kept == {**loose, "additionalProperties": False}


def test_a_schema_with_a_keyword_that_strict_excludes_is_sent_as_not_strict() -> None:
    schema = {**_CITY, "properties": {"city": {"type": "string", "minLength": 1}}}
    support = ToolSupport(not_strict=frozenset({"minLength"}))
    tools = FunctionTools({"tools": [_function(), _function("b", parameters=schema)]}, (), support)
    assert [function.strict for function in tools.functions] == [True, False]


def test_a_deployment_without_strict_gets_none() -> None:
    assert _tools(_function(strict=True), strict=False).functions[0].strict is None


def test_a_function_without_parameters_gets_an_empty_object() -> None:
    function = _tools({"type": "function", "name": "now"}).functions[0]
    assert function.parameters["type"] == "object"
    assert function.parameters["properties"] == {}


def test_references_are_inlined_where_they_are_refused() -> None:
    schema = {
        "type": "object",
        "properties": {"place": {"$ref": "#/$defs/Place", "description": "Where"}},
        "$defs": {"Place": {"type": "string"}},
    }
    function = _tools(_function(parameters=schema, strict=False), references=False).functions[0]
    assert function.parameters == {
        "type": "object",
        "properties": {"place": {"type": "string", "description": "Where"}},
    }
    assert _tools(_function(), references=False).functions[0].parameters == _CITY


def test_a_namespace_becomes_part_of_the_name_and_is_restored() -> None:
    namespace = {
        "type": "namespace",
        "name": "crm",
        "description": "Customers.",
        "tools": [_function("find", description="Finds one."), {"type": "custom", "name": "sql"}],
    }
    tools = _tools(namespace, _function("find"))
    assert [function.name for function in tools.functions] == ["crm__find", "crm__sql", "find"]
    assert tools.functions[0].description == "Customers.\n\nFinds one."
    item = tools.to_item(ToolCall("call_1", "crm__find", '{"city":"Rome"}'))
    assert item == {
        "type": "function_call",
        "call_id": "call_1",
        "name": "find",
        "arguments": '{"city":"Rome"}',
        "namespace": "crm",
    }
    assert tools.to_call(item).name == "crm__find"
    custom = tools.to_item(ToolCall("call_2", "crm__sql", '{"input":"select 1"}'))
    assert (custom["namespace"], custom["input"]) == ("crm", "select 1")
    assert tools.to_call({**item, "namespace": None}).name == "find"


_SENT = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = st.text("ab_-.é ", min_size=1, max_size=70)


@given(st.lists(st.tuples(_NAME, st.lists(_NAME, min_size=1, max_size=3)), max_size=4))
def test_names_are_short_and_unique_and_find_their_tool(
    spaces: list[tuple[str, list[str]]],
) -> None:
    given = [
        {"type": "namespace", "name": space, "tools": [_function(name) for name in names]}
        for space, names in spaces
    ]
    tools = _tools(*given)
    sent = [function.name for function in tools.functions]
    assert len(set(sent)) == len(sent)
    assert all(0 < len(name) <= 64 and _SENT.fullmatch(name) for name in sent)
    asked = {(space, name) for space, names in spaces for name in names}
    found = {(tools.origin_of(name).namespace, tools.origin_of(name).name) for name in sent}
    assert found == asked
    for space, name in asked:
        item = {"type": "function_call", "call_id": "c", "name": name, "arguments": "{}"}
        assert tools.to_item(tools.to_call({**item, "namespace": space})) == {
            **item,
            "namespace": space,
        }


def test_tools_whose_flat_names_are_equal_stay_apart() -> None:
    spaces = [
        {"type": "namespace", "name": "a", "tools": [_function("b__c")]},
        {"type": "namespace", "name": "a__b", "tools": [_function("c")]},
    ]
    tools = _tools(*spaces, {"type": "shell"}, _function("shell"))
    names = [function.name for function in tools.functions]
    assert len(set(names)) == 4
    assert [tools.origin_of(name).namespace for name in names[:2]] == ["a", "a__b"]
    assert [tools.origin_of(name).call for name in names[2:]] == ["shell_call", "function_call"]


def test_a_custom_tool_is_a_function_with_the_grammar_of_its_text() -> None:
    grammar = 'start: "begin" /.+/'
    custom = {
        "type": "custom",
        "name": "patch",
        "description": "Patches.",
        "format": {"type": "grammar", "syntax": "lark", "definition": grammar},
    }
    function = _tools(custom).functions[0]
    assert function.parameters == {
        "type": "object",
        "properties": {"input": {"type": "string", "description": grammar}},
        "required": ["input"],
        "additionalProperties": False,
    }
    assert function.description is not None
    assert function.description.startswith("Patches.\n\n")
    assert "lark" in (_tools({**custom, "description": None}).functions[0].description or "")
    plain = _tools({"type": "custom", "name": "say"}).functions[0]
    assert (plain.description, plain.strict) == (None, True)


def test_a_custom_call_holds_the_text_of_its_arguments() -> None:
    tools = _tools({"type": "custom", "name": "patch"})
    item = tools.to_item(ToolCall("c", "patch", '{"input": "*** Begin\\n"}'))
    assert item == {
        "type": "custom_tool_call",
        "call_id": "c",
        "name": "patch",
        "input": "*** Begin\n",
    }
    assert json.loads(tools.to_call(item).arguments) == {"input": "*** Begin\n"}
    assert tools.to_item(ToolCall("c", "patch", "raw text"))["input"] == "raw text"


def test_custom_tools_stay_custom_where_the_deployment_takes_them() -> None:
    form = {"type": "grammar", "syntax": "regex", "definition": "a+"}
    tools = _tools({"type": "custom", "name": "a", "format": form}, custom=True)
    function = tools.functions[0]
    assert (function.kind, function.format, function.name) == ("custom", form, "a")
    item = {"type": "custom_tool_call", "call_id": "c", "name": "a", "input": '{"input": 1}'}
    call = tools.to_call(item)
    assert (call.kind, call.arguments) == ("custom", '{"input": 1}')
    assert tools.to_item(call) == item


_FIXED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"type": "shell", "environment": {"type": "local"}},
        {
            "type": "shell_call",
            "action": {"commands": ["ls"], "timeout_ms": 5, "max_output_length": None},
            "environment": {"type": "local"},
        },
    ),
    (
        {"type": "local_shell"},
        {
            "type": "local_shell_call",
            "action": {"type": "exec", "env": {}, "command": ["ls", "-l"]},
        },
    ),
    (
        {"type": "apply_patch"},
        {
            "type": "apply_patch_call",
            "operation": {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b"},
        },
    ),
    (
        {"type": "apply_patch"},
        {"type": "apply_patch_call", "operation": {"type": "delete_file", "path": "a.py"}},
    ),
    (
        {"type": "computer"},
        {
            "type": "computer_call",
            "actions": [{"type": "click", "x": 1, "y": 2, "button": "left"}],
            "pending_safety_checks": [],
        },
    ),
    (
        {"type": "computer_use_preview", "display_width": 9},
        {
            "type": "computer_call",
            "action": {"type": "screenshot"},
            "pending_safety_checks": [],
        },
    ),
    (
        {"type": "tool_search", "execution": "client", "parameters": _CITY},
        {"type": "tool_search_call", "arguments": {"city": "Rome"}, "execution": "client"},
    ),
]


@pytest.mark.parametrize(("tool", "item"), _FIXED)
def test_a_tool_of_the_callers_machine_is_a_function_with_a_fixed_schema(
    tool: dict[str, Any], item: dict[str, Any]
) -> None:
    tools = _tools(tool)
    call = tools.to_call({**item, "call_id": "call_1", "id": "x_1", "status": "completed"})
    assert (call.id, call.name) == ("call_1", tools.functions[0].name)
    assert tools.to_item(call) == {**item, "call_id": "call_1"}
    schema = tools.functions[0].parameters
    assert set(json.loads(call.arguments)) <= set(schema["properties"])
    assert set(schema["required"]) <= set(json.loads(call.arguments))


@pytest.mark.parametrize("tool", ["shell", "local_shell", "apply_patch", "computer"])
@pytest.mark.parametrize("arguments", ["", "nonsense", "[]", "{}", '{"commands": [], "path": 1}'])
def test_arguments_that_do_not_fit_run_nothing(tool: str, arguments: str) -> None:
    item = _tools({"type": tool}).to_item(ToolCall("c", tool, arguments))
    assert item == {"type": "function_call", "call_id": "c", "name": tool, "arguments": arguments}


def test_a_patch_below_its_field_is_read_too() -> None:
    operation = {"type": "create_file", "path": "a", "diff": "+a"}
    tools = _tools({"type": "apply_patch"})
    call = ToolCall("c", "apply_patch", json.dumps({"operation": operation}))
    assert tools.to_item(call)["operation"] == operation
    assert tools.to_item(call._replace(arguments='{"type":"create_file","path":"a"}'))["type"] == (
        "function_call"
    )


def test_the_services_search_is_not_needed_where_all_tools_are_sent() -> None:
    tools = _tools({"type": "tool_search"}, _function(defer_loading=True))
    assert [function.name for function in tools.functions] == ["weather"]
    search = _tools({"type": "tool_search", "execution": "client"}).functions[0]
    assert (search.name, search.parameters) == ("tool_search", {"type": "object"})


def test_tools_that_the_input_offers_are_offered_on() -> None:
    items: list[dict[str, Any]] = [
        {"type": "message", "role": "user", "content": "Hi"},
        {"type": "additional_tools", "role": "developer", "tools": [_function("later")]},
        {"type": "tool_search_output", "tools": [_function("found"), _function("weather")]},
    ]
    items.append({"type": "additional_tools", "tools": None})
    tools = FunctionTools({"tools": [_function()]}, items)
    assert [function.name for function in tools.functions] == ["weather", "later", "found"]


_HOSTED: list[dict[str, Any]] = [
    {"type": "web_search"},
    {"type": "web_search_preview"},
    {"type": "file_search", "vector_store_ids": ["vs_1"]},
    {"type": "code_interpreter", "container": {"type": "auto"}},
    {"type": "image_generation"},
    {"type": "mcp", "server_label": "docs"},
    {"type": "programmatic_tool_calling"},
    {"type": "shell", "environment": {"type": "container_auto"}},
    {"type": "namespace_of_tomorrow"},
]


@pytest.mark.parametrize("tool", _HOSTED)
def test_a_hosted_tool_is_refused_by_name_or_dropped_with_a_warning(tool: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=tool["type"]) as caught:
        _tools(_function(), tool)
    assert caught.value.param == "tools[1]"
    assert "Responses API" in (caught.value.hint or "")
    tools, warnings = _dropping(_function(), tool)
    assert [function.name for function in tools.functions] == ["weather"]
    assert len(warnings) == 1
    assert tool["type"] in warnings[0]


def test_a_namespace_within_a_namespace_is_refused() -> None:
    inner = {"type": "namespace", "name": "b", "tools": []}
    with pytest.raises(ConfigurationError, match="namespace"):
        _tools({"type": "namespace", "name": "a", "tools": [inner]})


def test_what_a_function_cannot_keep_is_warned_of_once() -> None:
    function = {**_function(output_schema={}, defer_loading=True), "async": True}
    unsupported = Unsupported()
    FunctionTools({"tools": [function]}, unsupported=unsupported)
    FunctionTools({"tools": [function]}, unsupported=unsupported)
    assert [warning.split(" ")[0] for warning in unsupported.warnings] == [
        "tools[0].output_schema",
        "tools[0].async",
    ]
    assert _dropping({**_function(), "async": False})[1] == []


@pytest.mark.parametrize(
    ("tools", "param"),
    [
        ({}, "tools"),
        (["weather"], "tools[0]"),
        ([{"name": "x"}], "tools[0].type"),
        ([{"type": "function"}], "tools[0].name"),
        ([{"type": "custom", "name": ""}], "tools[0].name"),
        ([{"type": "namespace", "tools": []}], "tools[0].name"),
        ([{"type": "namespace", "name": "a", "tools": [{}]}], "tools[0].tools[0].type"),
        ([{"type": "function", "name": "x", "parameters": []}], "tools[0].parameters"),
    ],
)
def test_an_invalid_tool_is_refused_as_the_service_does(tools: Any, param: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        FunctionTools({"tools": tools})
    assert caught.value.param == param
    assert caught.value.status_code == 400


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_a_mode_of_choice_is_kept(mode: str) -> None:
    choice = _tools(_function(), choice=mode).choice
    assert choice is not None
    assert choice.mode == mode
    assert _tools(_function()).choice is None


@pytest.mark.parametrize(
    ("choice", "name"),
    [
        ({"type": "function", "name": "weather"}, "weather"),
        ({"type": "function", "name": "find"}, "crm__find"),
        ({"type": "function", "name": "find", "namespace": "crm"}, "crm__find"),
        ({"type": "custom", "name": "patch"}, "patch"),
        ({"type": "shell"}, "shell"),
        ({"type": "apply_patch"}, "apply_patch"),
        ({"type": "computer_use"}, "computer"),
        ({"type": "computer_use_preview"}, "computer"),
    ],
)
def test_a_named_choice_finds_its_function(choice: dict[str, Any], name: str) -> None:
    made = _tools(
        _function(),
        {"type": "namespace", "name": "crm", "tools": [_function("find")]},
        {"type": "custom", "name": "patch"},
        {"type": "shell"},
        {"type": "apply_patch"},
        {"type": "computer_use_preview"},
        choice=choice,
    ).choice
    assert made is not None
    assert made.function is not None
    assert (made.mode, made.function.name) == ("named", name)


def test_allowed_tools_leave_the_others_out() -> None:
    namespace = {"type": "namespace", "name": "crm", "tools": [_function("a"), _function("b")]}
    allowed = [{"type": "namespace", "name": "crm"}, {"type": "shell"}, "?"]
    choice = {"type": "allowed_tools", "mode": "required", "tools": allowed}
    tools = _tools(_function(), namespace, {"type": "shell"}, choice=choice)
    assert [function.name for function in tools.functions] == ["crm__a", "crm__b", "shell"]
    assert len(tools.declared) == 4
    assert tools.choice is not None
    assert tools.choice.mode == "required"
    one = {"type": "allowed_tools", "tools": [{"type": "function", "name": "weather"}]}
    tools = _tools(_function(), namespace, choice=one)
    assert (
        [function.name for function in tools.functions],
        tools.choice and tools.choice.mode,
    ) == (
        ["weather"],
        "auto",
    )


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("sometimes", "Invalid value: 'sometimes'"),
        (5, "Invalid type"),
        ({"type": "function", "name": "other"}, "Tool choice 'other' not found"),
        ({"type": "mcp", "server_label": "docs"}, "Tool choice 'docs' not found"),
        ({"type": "web_search"}, "Tool choice 'web_search' not found"),
        ({"type": "allowed_tools", "tools": [{"type": "shell"}]}, "Tool choice 'shell' not found"),
    ],
)
def test_an_invalid_choice_is_refused_as_the_service_does(choice: Any, words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        _tools(_function(), choice=choice)
    with pytest.raises(BadRequestError, match="must be specified with 'tools'"):
        _tools(choice="required")


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "web_search_preview"},
        "required",
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
    ],
)
def test_a_choice_of_a_dropped_tool_is_dropped_with_it(choice: Any) -> None:
    tools, warnings = _dropping({"type": "web_search"}, choice=choice)
    assert tools.choice is None
    assert any(warning.startswith("tool_choice") for warning in warnings)
