"""Functions and custom tools are called when they should be, with arguments that fit."""

import json
import re
from typing import Any

import pytest

from tests.emulator.engine.generations import ask


def _function(name: str = "get_weather", description: str = "", **given: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {"location": {"type": "string"}},
        "required": ["location"],
        "additionalProperties": False,
    }
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": schema,
        "strict": True,
        **given,
    }


_CALCULATOR = _function(
    "calculator",
    "Basic arithmetic",
    parameters={"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"]},
)


def _called(prompt: Any, **given: Any) -> list[tuple[str, Any]]:
    output = ask(prompt, **given).response["output"]
    return [
        (item["name"], json.loads(item["arguments"]))
        for item in output
        if item["type"] == "function_call"
    ]


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("What is the weather in Rome?", "get_weather"),
        ("use get_weather for Rome", "get_weather"),
        ("What is 3 * 4?", "calculator"),
        ("please email the report to Ada", "send_email"),
    ],
)
def test_a_function_is_called_for_what_it_does_or_by_its_name(prompt: str, name: str) -> None:
    tools = [_function(), _CALCULATOR, _function("send_email", "Send an email to a person")]
    assert [called for called, _ in _called(prompt, tools=tools)] == [name]


@pytest.mark.parametrize("prompt", ["Hello", "Tell me a story about a fox"])
def test_no_function_is_called_for_anything_else(prompt: str) -> None:
    assert _called(prompt, tools=[_function(), _CALCULATOR]) == []


def test_several_places_are_several_calls() -> None:
    calls = _called("weather in Paris, Rome and Oslo?", tools=[_function()])
    assert [arguments["location"] for _, arguments in calls] == ["Paris", "Rome", "Oslo"]


def test_without_parallel_calls_there_is_one() -> None:
    given = {"tools": [_function()], "parallel_tool_calls": False}
    assert len(_called("weather in Paris, Rome and Oslo?", **given)) == 1


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("none", []),
        ("auto", []),
        ("required", ["get_weather"]),
        ({"type": "function", "name": "calculator"}, ["calculator"]),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "calculator"}],
            },
            ["calculator"],
        ),
        ({"type": "allowed_tools", "mode": "auto", "tools": []}, []),
    ],
)
def test_tool_choice_decides(choice: Any, names: list[str]) -> None:
    calls = _called("Hello", tools=[_function(), _CALCULATOR], tool_choice=choice)
    assert [name for name, _ in calls] == names


def test_a_call_has_the_recorded_keys_and_ids() -> None:
    item = ask("weather in Rome", tools=[_function()]).response["output"][0]
    assert list(item) == ["id", "type", "status", "arguments", "call_id", "name"]
    assert item["id"].startswith("fc_")
    assert item["call_id"].startswith("call_")
    assert item["arguments"] == '{"location":"Rome"}'


def test_outputs_are_answered_instead_of_called_for_again() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "c", "output": "40 C"}
    items = [{"role": "user", "content": "weather in Rome?"}, call, result]
    assert _called(items, tools=[_function()]) == []
    assert _called(items, tools=[_function()], tool_choice="required") != []


def test_a_function_without_parameters_is_called_with_none() -> None:
    tool = {"type": "function", "name": "ping_host"}
    assert _called("call ping_host", tools=[tool]) == [("ping_host", {})]


def test_left_out_strict_requires_every_property() -> None:
    schema = {"type": "object", "properties": {"location": {"type": "string"}}}
    tool = {"type": "function", "name": "get_weather", "parameters": schema}
    reply = ask("weather in Rome", tools=[tool])
    echoed = reply.response["tools"][0]
    assert echoed["strict"] is True
    assert echoed["parameters"]["required"] == ["location"]
    assert echoed["parameters"]["additionalProperties"] is False


def test_functions_in_a_namespace_are_called_with_it() -> None:
    inner = {"type": "function", "name": "get_weather", "description": "weather"}
    space = {"type": "namespace", "name": "skies", "description": "", "tools": [inner]}
    item = ask("weather in Rome via get_weather", tools=[space]).response["output"][0]
    assert (item["name"], item["namespace"]) == ("get_weather", "skies")


def _custom(prompt: str, form: dict[str, Any] | None = None) -> str:
    tool: dict[str, Any] = {"type": "custom", "name": "code_exec"}
    if form:
        tool["format"] = form
    choice = {"type": "custom", "name": "code_exec"}
    item = ask(prompt, tools=[tool], tool_choice=choice).response["output"][0]
    assert item["type"] == "custom_tool_call"
    return str(item["input"])


def test_a_custom_tool_gets_text() -> None:
    assert _custom("print hello") == "print hello"
    assert _custom("print hello", {"type": "text"}) == "print hello"
    assert _custom('run "print(1)" now') == "print(1)"


def test_a_custom_tool_with_a_regular_expression_gets_what_matches() -> None:
    form = {"type": "grammar", "syntax": "regex", "definition": r"[A-Z]{2}\d{3}"}
    assert _custom("book AB123 please", form) == "AB123"
    assert re.fullmatch(form["definition"], _custom("book it", form))
    assert _custom("x", {**form, "definition": "("}) == ""
    assert _custom("yy", {**form, "definition": "x*"}) == ""


@pytest.mark.parametrize(
    ("grammar", "pattern"),
    [
        ('start: "a" "b"', "ab"),
        ("start: WORD\nWORD: /[a-z]{3}/", "[a-z]{3}"),
        ('start: pair ("," pair)*\npair: NUMBER ":" NUMBER\n%import common.NUMBER', r"\d+:\d+"),
        ('start: "x"~3', "xxx"),
        ('start: ["sign"] INT\n%import common.INT', r"\d+"),
        ('start: expr // a comment\nexpr: expr "+" term\n  | term\nterm: "1"', "1"),
        ('start: ("a" | "bc") -> kind', "a"),
        ('?start: "say" WS NAME?\nWS: " "\nNAME: "n"', "say n?"),
        ('start: "loop" start | "end"', "end"),
        ("start: unknown", ""),
        ('start: "a".."c" INT~1..3\n%import common.INT', "a1"),
        ('start: first | "end"\nfirst: second\nsecond: start', "end"),
        ('start: ("a"', "a"),
        ('// nothing\n| lost\nstart: "a"+', "a"),
        ("start: loop\nloop: loop", ""),
    ],
)
def test_a_custom_tool_with_a_lark_grammar_gets_a_text_of_it(grammar: str, pattern: str) -> None:
    form = {"type": "grammar", "syntax": "lark", "definition": grammar}
    assert re.fullmatch(pattern, _custom("x", form))


def test_a_command_in_backticks_is_run_by_the_function_that_takes_one() -> None:
    properties = {"cmd": {"type": "string"}, "login": {"type": "boolean"}}
    parameters = {"type": "object", "properties": properties, "required": ["cmd"]}
    tools = [_function("search"), _function("exec_command", parameters=parameters, strict=False)]
    (call,) = ask("Run `ls -la` in the shell", tools=tools).response["output"]
    assert (call["name"], json.loads(call["arguments"])["cmd"]) == ("exec_command", "ls -la")


def test_tools_are_called_again_for_as_many_rounds_as_asked() -> None:
    items: list[dict[str, Any]] = [
        {"role": "user", "content": "use get_weather for Rome and Oslo [[azure:rounds:2]]"}
    ]
    rounds = 0
    while calls := [
        item
        for item in ask(items, tools=[_function()]).response["output"]
        if item["type"] == "function_call"
    ]:
        assert len(calls) == 2
        outputs = [
            {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
            for call in calls
        ]
        items += [*calls, *outputs]
        rounds += 1
    assert rounds == 2
