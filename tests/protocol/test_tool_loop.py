"""The requests of a tool loop."""

from typing import Any

import pytest

from azure_responses.errors import BadRequestError, ConfigurationError
from azure_responses.protocol.callable_tool import CallableTool
from azure_responses.protocol.tool_loop import ToolCheckpoint, ToolLoop, read_tools
from azure_responses.types.parameters import Reasoning
from azure_responses.types.response import Response
from azure_responses.types.tools.functions import CustomTool, NamedToolChoice


def look_up(word: str) -> str:
    return word


def call(name: str = "look_up", **more: Any) -> dict[str, Any]:
    return {"type": "function_call", "call_id": "c", "name": name, "arguments": "{}", **more}


def respond(*output: dict[str, Any], **fields: Any) -> Response:
    return Response.model_validate(
        {"id": "resp_1", "status": "completed", "output": list(output), **fields}
    )


OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "x"}
APPROVAL = {
    "type": "mcp_approval_request",
    "id": "mcpr_1",
    "server_label": "s",
    "name": "n",
    "arguments": "{}",
}


def test_a_stored_chain_sends_new_items_only() -> None:
    loop = ToolLoop({"model": "m", "input": "hi", "tools": [look_up], "tool_choice": "required"})
    first = loop.request()
    assert (first["input"], first["tool_choice"]) == ("hi", "required")
    assert "previous_response_id" not in first
    loop.receive(respond(call()))
    assert loop.waiting()
    loop.answer([OUTPUT])
    second = loop.request()
    assert (second["input"], second["previous_response_id"]) == ([OUTPUT], "resp_1")
    assert second["tool_choice"] == "auto"
    assert second["tools"] == first["tools"]


def test_an_unstored_chain_sends_everything_with_encrypted_reasoning() -> None:
    loop = ToolLoop({"input": "hi", "tools": [look_up], "store": False, "include": ["x"]})
    lost = {"type": "reasoning", "id": "rs_1", "summary": []}
    kept = {**lost, "id": "rs_2", "encrypted_content": "e"}
    loop.receive(respond(lost, kept, call()))
    loop.answer([OUTPUT])
    request = loop.request()
    assert request["input"] == [{"role": "user", "content": "hi"}, kept, call(), OUTPUT]
    assert request["include"] == ["x", "reasoning.encrypted_content"]
    assert "previous_response_id" not in request
    short = loop.request(is_short=True)
    assert (short["input"], short["previous_response_id"]) == ([OUTPUT], "resp_1")


def test_an_unstored_chain_keeps_the_response_it_began_with() -> None:
    loop = ToolLoop({"store": False, "previous_response_id": "resp_0", "input": [{"a": 1}]})
    loop.receive(respond(call()))
    loop.answer([OUTPUT])
    assert loop.request()["previous_response_id"] == "resp_0"
    assert loop.request()["input"] == [{"a": 1}, call(), OUTPUT]


def test_a_conversation_is_continued_by_itself() -> None:
    loop = ToolLoop({"input": iter([Reasoning(effort="low")]), "conversation": "conv_1"})
    assert loop.request()["input"] == [{"effort": "low"}]
    loop.receive(respond(call()))
    loop.answer([OUTPUT])
    request = loop.request()
    assert request["input"] == [OUTPUT]
    assert "previous_response_id" not in request


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", "none"),
        (NamedToolChoice(type="function", name="look_up"), "auto"),
        (
            {"type": "allowed_tools", "mode": "required", "tools": []},
            {"type": "allowed_tools", "mode": "auto", "tools": []},
        ),
    ],
)
def test_a_tool_is_forced_in_the_first_turn_only(choice: Any, expected: Any) -> None:
    loop = ToolLoop({"input": "hi", "tool_choice": choice})
    assert loop.request()["tool_choice"] == choice
    loop.receive(respond(call()))
    loop.answer([OUTPUT])
    assert loop.request()["tool_choice"] == expected


def test_a_refusal_of_encrypted_reasoning_is_remembered() -> None:
    loop = ToolLoop({"input": "hi", "store": False})
    error = BadRequestError("Encrypted content is not supported.", status_code=400)
    assert not loop.can_resend(BadRequestError("Something else", status_code=400))
    assert loop.can_resend(error)
    assert "include" not in loop.request()
    assert not loop.can_resend(error)


def test_a_chain_that_is_not_known_is_sent_in_full_where_it_is_kept() -> None:
    error = BadRequestError("?", status_code=400, code="previous_response_not_found")
    kept, stored = ToolLoop({"input": "hi", "store": False}), ToolLoop({"input": "hi"})
    assert not kept.can_resend(error)
    for loop in (kept, stored):
        loop.receive(respond(call()))
        loop.answer([OUTPUT])
    assert kept.can_resend(error)
    assert not stored.can_resend(error)


@pytest.mark.parametrize(
    "response",
    [
        respond({"type": "message", "id": "m", "role": "assistant", "content": []}),
        respond(call(), status="incomplete"),
        respond(call("theirs")),
        respond(call(), call("theirs")),
        respond(call(), APPROVAL),
        respond(call(namespace="crm")),
        respond({"type": "custom_tool_call", "call_id": "c", "name": "free", "input": "x"}),
    ],
)
def test_a_response_that_only_the_caller_can_continue_ends_the_loop(response: Response) -> None:
    theirs = {"type": "function", "name": "theirs", "parameters": {}}
    loop = ToolLoop(
        {"input": "hi", "tools": [look_up, theirs, CustomTool(type="custom", name="c")]}
    )
    assert loop.waiting() == []
    loop.receive(response)
    assert loop.waiting() == []
    assert loop.response is response


def test_functions_that_do_not_exist_and_approvals_are_answered() -> None:
    loop = ToolLoop({"input": "hi", "tools": [look_up]}, approves=True)
    loop.receive(respond(call("invented"), APPROVAL, status=None))
    assert [item.type for item in loop.waiting()] == ["function_call", "mcp_approval_request"]


def test_a_checkpoint_survives_json_and_goes_on() -> None:
    loop = ToolLoop({"input": "hi", "store": False, "tools": [look_up]})
    loop.receive(respond(call()))
    text = loop.checkpoint.to_json()
    again = ToolLoop({"store": False, "tools": [look_up]}, ToolCheckpoint.from_json(text))
    assert again.checkpoint == loop.checkpoint
    assert again.response == loop.response
    assert not again.checkpoint.is_answered
    again.answer([OUTPUT])
    assert again.request()["input"][-1] == OUTPUT
    begun = ToolCheckpoint.from_json(ToolLoop({"input": "hi"}).checkpoint.to_json())
    assert ToolLoop({}, begun).request()["input"] == "hi"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"unknown": 1}', "1"])
def test_other_json_is_no_checkpoint(text: str) -> None:
    with pytest.raises(ConfigurationError, match="checkpoint"):
        ToolCheckpoint.from_json(text)


def test_tools_of_one_name_are_refused() -> None:
    assert read_tools(None) == ([], {})
    with pytest.raises(ConfigurationError, match="look_up"):
        read_tools([look_up, CallableTool(look_up)])
