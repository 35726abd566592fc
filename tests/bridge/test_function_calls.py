"""What tools returned is kept, and calls and outputs have to belong together."""

from typing import Any

import pytest

from azure_responses.bridge.function_calls import (
    call_of,
    check_calls,
    is_services,
    output_failed,
    output_of,
)
from azure_responses.errors import BadRequestError


@pytest.mark.parametrize(
    ("item", "output"),
    [
        ({"type": "function_call_output", "output": "18 °C"}, "18 °C"),
        ({"type": "function_call_output", "output": {"c": 18}}, '{"c":18}'),
        (
            {"type": "custom_tool_call_output", "output": [{"type": "input_text", "text": "a"}, 5]},
            [{"type": "input_text", "text": "a"}],
        ),
        (
            {"type": "shell_call_output", "output": [{"stdout": "a", "stderr": ""}]},
            '[{"stdout":"a","stderr":""}]',
        ),
        ({"type": "apply_patch_call_output", "status": "completed"}, "completed"),
        ({"type": "apply_patch_call_output", "status": "failed", "output": "no file"}, "no file"),
        ({"type": "local_shell_call_output", "output": "a"}, "a"),
        ({"type": "function_call_output", "status": "completed"}, ""),
        (
            {
                "type": "computer_call_output",
                "output": {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA"},
            },
            [{"type": "input_image", "image_url": "data:image/png;base64,AA"}],
        ),
        (
            {"type": "tool_search_output", "tools": [{"type": "function", "name": "a"}, {}, 5]},
            '{"tools":["a","None","5"]}',
        ),
    ],
)
def test_an_output_is_text_or_content_parts(item: dict[str, Any], output: Any) -> None:
    assert output_of(item) == output


def test_a_caller_may_say_that_a_call_failed() -> None:
    assert output_failed({"type": "apply_patch_call_output", "status": "failed"})
    assert not output_failed({"type": "function_call_output", "output": "failed"})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [("", "{}"), (None, "{}"), ({"a": "é"}, '{"a":"é"}'), ('{ "a":1}', '{ "a":1}')],
)
def test_arguments_are_json_text(arguments: Any, text: str) -> None:
    call = call_of({"type": "function_call", "call_id": "c", "name": "f", "arguments": arguments})
    assert call.arguments == text


def test_a_call_whose_action_is_broken_is_sent_on() -> None:
    assert call_of({"type": "local_shell_call", "id": "x", "action": "ls"}).arguments == "ls"


def _call(call_id: str, kind: str = "function_call", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "call_id": call_id, **fields}


_PAIRS: list[list[dict[str, Any]]] = [
    [],
    [{"role": "user", "content": "Hi"}],
    [
        _call("1"),
        _call("2"),
        _call("2", "function_call_output"),
        _call("1", "function_call_output"),
    ],
    [
        _call("1", "local_shell_call", id="lsh_1"),
        {"type": "local_shell_call_output", "id": "lsh_1"},
    ],
    [_call("1", "local_shell_call"), _call("1", "function_call_output")],
    [_call("1", "tool_search_call", execution="server")],
    [_call("1", "shell_call", environment={"type": "container_auto"})],
    [
        _call("1", "shell_call", environment={"type": "container_auto"}),
        _call("1", "shell_call_output"),
    ],
    [{"type": "tool_search_output", "tools": []}],
    [
        _call("1", "tool_search_call", execution="client"),
        _call("1", "tool_search_output", execution="client"),
    ],
]


@pytest.mark.parametrize("items", _PAIRS)
def test_calls_with_outputs_are_accepted(items: list[dict[str, Any]]) -> None:
    check_calls(items)


def test_the_output_of_a_local_shell_finds_its_call() -> None:
    names = check_calls(_PAIRS[3])
    assert names == {"1": "1", "lsh_1": "1"}


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([_call("call_1")], "No tool output found for function call call_1."),
        (
            [_call("call_1", "custom_tool_call"), {"role": "user", "content": "?"}],
            "No tool output found for custom tool call call_1.",
        ),
        (
            [_call("call_1", "function_call_output")],
            "No tool call found for function call output with call_id call_1.",
        ),
        (
            [
                _call("call_1", "tool_search_call"),
                _call("call_1", "tool_search_output", execution="client"),
            ],
            "No tool call found for tool search call output with call_id call_1.",
        ),
        (
            [_call("call_1", "function_call_output"), _call("call_1")],
            "No tool call found for function call output with call_id call_1.",
        ),
        (
            [_call("call_1", "shell_call_output")],
            "No tool call found for shell call output with call_id call_1.",
        ),
    ],
)
def test_unmatched_calls_and_outputs_are_refused_in_the_services_words(
    items: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        check_calls(items)
    assert caught.value.message == message
    assert caught.value.param == "input"


def test_the_service_carries_out_calls_in_its_containers() -> None:
    assert is_services({"type": "shell_call", "environment": {"type": "container_reference"}})
    assert not is_services({"type": "shell_call", "environment": None})
    assert not is_services({"type": "function_call"})
