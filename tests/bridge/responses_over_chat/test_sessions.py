"""Conversations of several turns: what one reply says is sent back with the next request."""

import json
from typing import Any

import pytest

from .cases import chunk, completion, make, sse

_GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
_CODEX: dict[str, Any] = {
    "instructions": "You are a coding agent.",
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "reasoning": {"effort": "medium", "summary": "auto"},
    "parallel_tool_calls": False,
    "tools": [
        {"type": "shell"},
        {"type": "apply_patch"},
        {"type": "custom", "name": "exec", "format": _GRAMMAR},
        {
            "type": "namespace",
            "name": "mcp__files",
            "tools": [{"type": "function", "name": "read", "strict": False}],
        },
    ],
}
_PATCH = {"type": "update_file", "path": "a.py", "diff": "@@\n-1\n+2\n"}
# What the model calls, and the type of the item that the caller gets.
_CALLS: list[tuple[str, str, str]] = [
    ("shell", '{"commands":["ls"]}', "shell_call"),
    ("apply_patch", json.dumps(_PATCH, separators=(",", ":")), "apply_patch_call"),
    ("exec", '{"input":"echo \\"hi\\"\\n"}', "custom_tool_call"),
    ("mcp__files__read", '{"path":"a.py"}', "function_call"),
]


def _output(call: dict[str, Any]) -> dict[str, Any]:
    output: Any = "done"
    if call["type"] == "shell_call":
        output = [{"stdout": "a.py", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]
    answer = {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": output}
    return {**answer, "status": "completed"} if "patch" in call["type"] else answer


def _message(turn: int) -> dict[str, Any]:
    """What the model says in a turn: it reasons, talks and calls; at last it answers."""
    said: dict[str, Any] = {"reasoning_content": f"Thought {turn}."}
    if turn == len(_CALLS):
        return {**said, "content": "Done."}
    name, arguments, _ = _CALLS[turn]
    function = {"name": name, "arguments": arguments}
    call = {"id": f"call_{turn}", "type": "function", "function": function}
    return {**said, "content": f"Step {turn}.", "tool_calls": [call]}


def _read(conversion: Any, message: dict[str, Any], streamed: bool) -> dict[str, Any]:
    reason = "tool_calls" if "tool_calls" in message else "stop"
    if not streamed:
        whole: dict[str, Any] = conversion.read(completion(message, reason))
        return whole
    pieces = [chunk(reasoning_content=text) for text in message["reasoning_content"]]
    pieces += [chunk(content=text) for text in message["content"]]
    for call in message.get("tool_calls") or ():
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        first = {"index": 0, "id": call["id"], "function": {"name": name, "arguments": ""}}
        pieces.append(chunk(tool_calls=[first]))
        for text in arguments:
            pieces.append(chunk(tool_calls=[{"index": 0, "function": {"arguments": text}}]))
    state = conversion.stream()
    state.receive(sse([*pieces, chunk(reason)]))
    final: dict[str, Any] = state.final
    return final


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("deployment", ["DeepSeek-V3.2", "Kimi-K2.5"])
@pytest.mark.parametrize("stored", [False, True])
def test_a_session_of_codex_keeps_calls_and_reasoning(
    deployment: str, streamed: bool, stored: bool
) -> None:
    items: list[Any] = [{"role": "user", "content": "Change 1 to 2."}]
    history: list[Any] = []
    for turn in range(len(_CALLS) + 1):
        parameters = {**_CODEX, "input": items}
        if stored and history:
            parameters["previous_response_id"] = "resp_bridged_0"
        conversion = make(parameters, deployment)
        body = conversion.write(history)
        assert conversion.warnings == ()
        _check(body["messages"], turn)
        response = _read(conversion, _message(turn), streamed)
        output = response["output"]
        kinds = [item["type"] for item in output]
        if turn == len(_CALLS):
            assert kinds == ["reasoning", "message"]
            return
        assert kinds == ["reasoning", "message", _CALLS[turn][2]]
        if stored:
            history += [*conversion.input_items, *output]
            items = [_output(output[-1])]
        else:
            items += [*output, _output(output[-1])]


def _check(messages: list[dict[str, Any]], turn: int) -> None:
    """The model gets all that it said and received again, in the form of its own API."""
    assert [message["role"] for message in messages[:2]] == ["system", "user"]
    turns = messages[2:]
    assert len(turns) == 2 * turn
    for before in range(turn):
        said, returned = turns[2 * before], turns[2 * before + 1]
        assert said == {"role": "assistant", **_message(before)}
        assert returned["role"] == "tool"
        assert returned["tool_call_id"] == f"call_{before}"


def test_parallel_calls_with_several_stretches_of_reasoning_go_back_as_one_message() -> None:
    calls = [
        {"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for n in range(3)
    ]
    parameters = {"tools": [{"type": "function", "name": "f", "strict": False}]}
    message = {"reasoning_content": "Hm.", "content": None, "tool_calls": calls}
    conversion = make(parameters, "kimi-k2.5")
    conversion.write()
    output = conversion.read(completion(message, "tool_calls"))["output"]
    results = [
        {"type": "function_call_output", "call_id": f"c{n}", "output": str(n)} for n in (2, 0, 1)
    ]
    again = make({**parameters, "input": [*output, *results]}, "kimi-k2.5")
    assert again.write()["messages"] == [
        {"role": "assistant", **message},
        *({"role": "tool", "tool_call_id": f"c{n}", "content": str(n)} for n in (2, 0, 1)),
    ]
