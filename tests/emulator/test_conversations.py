"""What was answered is sent back, as programs do that keep their conversations themselves."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from azure_responses.emulator import Assumptions, Emulator
from azure_responses.emulator.model_catalog import find_model
from azure_responses.emulator.service_errors import ServiceError
from azure_responses.emulator.validation import validate_create
from tests.emulator.callers import V1, create, events_of, open_client
from tests.recordings import exchanges

_MCP = {"type": "mcp", "server_label": "dice", "server_url": "https://example.com/mcp"}
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}
_FUNCTION = {"type": "function", "name": "weather", "parameters": _PARAMETERS}
_WEATHER = {"input": "What is the weather in Rome?", "tools": [_FUNCTION]}
_CUSTOM = {"input": "use exec", "tools": [{"type": "custom", "name": "exec"}]}
_SEARCH = {"input": "search for the news", "tools": [{"type": "web_search"}]}
_ASKED: dict[str, dict[str, Any]] = {
    "text": {"input": "Hello"},
    "refusal": {"input": "[[azure:refuse]]"},
    "logprobs": {
        "model": "gpt-4.1",
        "input": "Hello",
        "include": ["message.output_text.logprobs"],
    },
    "encrypted": {"input": "Hello", "include": ["reasoning.encrypted_content"]},
    "summary": {"input": "Hello", "reasoning": {"effort": "high", "summary": "detailed"}},
    "phase": {"model": "gpt-5.4", "input": "Hello", "reasoning": {"effort": "low"}},
    "function": _WEATHER,
    "custom tool": _CUSTOM,
    "web search": {**_SEARCH, "include": ["web_search_call.action.sources"]},
    "code": {
        "input": "run 3 + 4 in Python",
        "tools": [{"type": "code_interpreter", "container": {"type": "auto"}}],
        "include": ["code_interpreter_call.outputs"],
    },
    "image": {
        "model": "gpt-4.1",
        "input": "Draw a cute raccoon",
        "tools": [{"type": "image_generation"}],
    },
    "computer": {"input": "take a screenshot", "tools": [{"type": "computer"}]},
    "shell": {"input": "run `ls`", "tools": [{"type": "shell"}]},
    "local shell": {"input": "run `ls`", "tools": [{"type": "local_shell"}]},
    "patch": {"input": "create a.txt", "tools": [{"type": "apply_patch"}]},
    "approval": {"input": "roll the dice", "tools": [_MCP]},
    "remote call": {"input": "roll", "tools": [{**_MCP, "require_approval": "never"}]},
    "compaction": {"input": [{"role": "user", "content": "Hi"}, {"type": "compaction_trigger"}]},
}
_OUTPUTS = {
    "function_call": "function_call_output",
    "custom_tool_call": "custom_tool_call_output",
    "computer_call": "computer_call_output",
    "shell_call": "shell_call_output",
    "local_shell_call": "local_shell_call_output",
    "apply_patch_call": "apply_patch_call_output",
}
_SCREENSHOT = {"type": "computer_screenshot", "image_url": "data:image/png;base64,AA=="}
_IMAGES = {"x-ms-oai-image-generation-deployment": "gpt-image-1"}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with open_client(Emulator()) as opened:
        opened.headers.update(_IMAGES)
        yield opened


def _items(given: dict[str, Any]) -> list[dict[str, Any]]:
    asked = given["input"]
    items = asked if isinstance(asked, list) else [{"role": "user", "content": asked}]
    return [item for item in items if item.get("type") != "compaction_trigger"]


def _results(output: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outputs that the calls among the items need."""
    results = []
    for item in output:
        kind = _OUTPUTS.get(item["type"])
        if kind is None:
            continue
        result: dict[str, Any] = {"type": kind, "call_id": item["call_id"], "output": "done"}
        if kind == "computer_call_output":
            result["output"] = _SCREENSHOT
        elif kind == "shell_call_output":
            outcome = {"type": "exit", "exit_code": 0}
            result["output"] = [{"stdout": "a.txt", "stderr": "", "outcome": outcome}]
        elif kind == "apply_patch_call_output":
            result["status"] = "completed"
        results.append(result)
    return results


def _go_on(
    client: httpx.Client, given: dict[str, Any], output: list[dict[str, Any]], **fields: Any
) -> httpx.Response:
    """The turn after `given`, with its output sent back."""
    items = [*_items(given), *output, *_results(output), {"role": "user", "content": "Go on"}]
    tools = given.get("tools") or []
    model = given.get("model", "gpt-5-mini")
    return create(client, model=model, input=items, tools=tools, **fields)


@pytest.mark.parametrize("stores", [True, False])
@pytest.mark.parametrize("name", list(_ASKED))
def test_every_item_that_is_answered_is_taken_back(
    client: httpx.Client, name: str, stores: bool
) -> None:
    given = {"model": "gpt-5-mini", **_ASKED[name]}
    if not stores and given["model"] != "gpt-4.1":
        given["include"] = [*given.get("include", ()), "reasoning.encrypted_content"]
    reply = create(client, **given, store=stores)
    assert reply.status_code == 200, reply.text
    reply = _go_on(client, given, reply.json()["output"], store=stores)
    assert reply.status_code == 200, reply.text


def test_every_recorded_item_is_taken_back() -> None:
    kinds = set()
    for exchange in exchanges():
        body = exchange.body if isinstance(exchange.body, dict) else {}
        for item in body.get("output") or () if body.get("object") == "response" else ():
            kinds.add(item["type"])
            sent = dict(item)
            if item["type"] == "reasoning":
                # The one field that Azure is known to send and not to take back.
                sent.pop("status", None)
            try:
                validate_create({"model": "m", "input": [sent]}, find_model("m"), surface="v1")
            except ServiceError as refusal:
                pytest.fail(f"{exchange.id}: {refusal.body}")
    assert len(kinds) > 10


def test_a_status_on_messages_is_refused_where_that_is_assumed() -> None:
    items = [
        {"type": "message", "role": "assistant", "content": "Hi", "status": "completed"},
        {"role": "user", "content": "Go on"},
    ]
    with open_client(Emulator()) as client:
        assert create(client, input=items).status_code == 200
    assumptions = Assumptions(accepts_message_status=False)
    with open_client(Emulator(assumptions=assumptions)) as client:
        error = create(client, input=items).json()["error"]
    assert error["message"] == "Unknown parameter: 'input[0].status'."


def test_a_status_on_reasoning_is_refused(client: httpx.Client) -> None:
    item = {"type": "reasoning", "summary": [], "status": "completed"}
    error = create(client, model="gpt-5-mini", input=[item]).json()["error"]
    assert error["message"] == "Unknown parameter: 'input[0].status'."


# codex#6375 (function_call), continue#11466 (message).
@pytest.mark.parametrize("given", [_WEATHER, _CUSTOM, _SEARCH, {"input": "Hello"}])
def test_an_item_is_refused_without_the_reasoning_it_was_made_with(
    client: httpx.Client, given: dict[str, Any]
) -> None:
    reasoning, item, *_ = create(client, model="gpt-5-mini", **given).json()["output"]
    reply = _go_on(client, given, [item])
    assert reply.status_code == 400
    assert reply.json()["error"] == {
        "message": f"Item '{item['id']}' of type '{item['type']}' was provided without its "
        f"required 'reasoning' item: '{reasoning['id']}'.",
        "type": "invalid_request_error",
        "param": "input",
        "code": None,
    }


def test_reasoning_that_comes_after_its_item_does_not_count(client: httpx.Client) -> None:
    reasoning, call = create(client, model="gpt-5-mini", **_WEATHER).json()["output"]
    error = _go_on(client, _WEATHER, [call, reasoning]).json()["error"]
    assert "without its required 'reasoning' item" in error["message"]


def test_a_reference_to_an_item_needs_its_reasoning_too(client: httpx.Client) -> None:
    reasoning, call = create(client, model="gpt-5-mini", **_WEATHER).json()["output"]
    references = [{"type": "item_reference", "id": item["id"]} for item in (reasoning, call)]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    complete = create(client, model="gpt-5-mini", input=[*references, result])
    assert complete.status_code == 200, complete.text
    reply = create(client, model="gpt-5-mini", input=[references[1], result])
    assert "without its required 'reasoning' item" in reply.json()["error"]["message"]


def _without_id(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "id"}


def test_an_item_without_id_or_with_an_unknown_one_needs_no_reasoning(
    client: httpx.Client,
) -> None:
    _, call = create(client, model="gpt-5-mini", **_WEATHER).json()["output"]
    assert _go_on(client, _WEATHER, [_without_id(call)]).status_code == 200
    assert _go_on(client, _WEATHER, [{**call, "id": "fc_elsewhere"}]).status_code == 200


def test_what_was_not_stored_needs_no_reasoning(client: httpx.Client) -> None:
    reply = create(client, model="gpt-5-mini", store=False, **_WEATHER)
    _, call = reply.json()["output"]
    assert _go_on(client, _WEATHER, [call], store=False).status_code == 200


def test_reasoning_in_the_history_or_sealed_without_an_id_is_enough(client: httpx.Client) -> None:
    sealed = ["reasoning.encrypted_content"]
    first = create(client, model="gpt-5-mini", include=sealed, **_WEATHER).json()
    reasoning, call = first["output"]
    assert _go_on(client, _WEATHER, [_without_id(reasoning), call]).status_code == 200
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    follow_up = {"model": "gpt-5-mini", "previous_response_id": first["id"]}
    assert create(client, **follow_up, input=[call, result]).status_code == 200


def test_reasoning_is_not_required_where_that_is_assumed() -> None:
    emulator = Emulator(assumptions=Assumptions(requires_reasoning=False))
    with open_client(emulator) as client:
        _, call = create(client, model="gpt-5-mini", **_WEATHER).json()["output"]
        assert _go_on(client, _WEATHER, [call]).status_code == 200


def test_reasoning_is_refused_without_the_item_that_followed_it(client: httpx.Client) -> None:
    reasoning, _ = create(client, model="gpt-5-mini", **_WEATHER).json()["output"]
    error = _go_on(client, _WEATHER, [reasoning]).json()["error"]
    assert error["message"] == (
        f"Item '{reasoning['id']}' of type 'reasoning' was provided without its required "
        "following item."
    )


@pytest.mark.parametrize("stream", [False, True])
def test_a_compaction_trigger_is_answered_by_one_compaction(
    client: httpx.Client, stream: bool
) -> None:
    items = [
        {"role": "user", "content": "My name is Ada."},
        {"type": "compaction_trigger"},
    ]
    body = {"model": "gpt-5-mini", "input": items, "store": False, "client_metadata": {"a": "b"}}
    reply = client.post(V1, json={**body, "stream": stream})
    assert reply.status_code == 200, reply.text
    answered = events_of(reply)[-1]["response"] if stream else reply.json()
    (compaction,) = answered["output"]
    assert compaction["type"] == "compaction"
    question = {"role": "user", "content": "What is my name?"}
    after = create(client, model="gpt-5-mini", input=[compaction, question], store=False)
    assert "Ada" in after.json()["output"][-1]["content"][0]["text"]


def test_a_turn_that_is_compacted_before_its_end_goes_on_where_it_was(
    client: httpx.Client,
) -> None:
    """Codex compacts between a tool's output and the answer, and the user's words stay."""
    reasoning, call = create(client, model="gpt-5-mini", **_WEATHER).json()["output"]
    asked = {"role": "user", "content": _WEATHER["input"]}
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    trigger = {"type": "compaction_trigger"}
    compacted = create(client, model="gpt-5-mini", input=[asked, reasoning, call, result, trigger])
    (compaction,) = compacted.json()["output"]
    reply = create(
        client, model="gpt-5-mini", input=[asked, compaction], tools=_WEATHER["tools"]
    ).json()
    assert [item["type"] for item in reply["output"]] == ["reasoning", "message"]
    assert "sunny" in reply["output"][1]["content"][0]["text"]


def test_a_chain_goes_on_from_its_compaction(client: httpx.Client) -> None:
    first = create(client, input="My name is Ada. " + "word " * 2000).json()
    trigger = [{"type": "compaction_trigger"}]
    second = create(client, input=trigger, previous_response_id=first["id"]).json()
    assert client.get(f"{V1}/{second['id']}/input_items").json()["data"] == []
    third = create(client, input="What is my name?", previous_response_id=second["id"]).json()
    assert "Ada" in third["output"][-1]["content"][0]["text"]
    assert third["usage"]["input_tokens"] < first["usage"]["input_tokens"] / 2


def test_compact_takes_the_cache_settings_and_is_missing_where_that_is_assumed(
    client: httpx.Client,
) -> None:
    body = {"model": "gpt-5-mini", "input": "Hi", "prompt_cache_retention": "24h"}
    assert client.post(f"{V1}/compact", json=body).status_code == 200
    emulator = Emulator(assumptions=Assumptions(offers_compaction=False))
    with open_client(emulator) as other:
        reply = other.post(f"{V1}/compact", json=body)
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "unknown_url"


_CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
_HISTORIES: dict[str, list[dict[str, Any]]] = {
    "nulls of a plain answer": [
        {"role": "user", "content": "Hi", "name": "ada"},
        {
            "role": "assistant",
            "content": "Hello",
            "refusal": None,
            "audio": None,
            "function_call": None,
            "tool_calls": None,
            "annotations": [],
        },
    ],
    "no calls": [{"role": "assistant", "content": "Hello", "tool_calls": [], "name": "bot"}],
    "parts with annotations": [
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "Hello", "annotations": []}],
        },
        {"role": "user", "content": [{"type": "text", "text": "Hi", "annotations": None}]},
    ],
    "parts with fields of their message": [
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "Hi", "role": "assistant", "refusal": None}],
        },
        {"role": "user", "content": "Hi"},
    ],
    "a refusal": [{"role": "assistant", "content": None, "refusal": "I cannot do that."}],
    "a call": [
        {"role": "assistant", "content": None, "tool_calls": [{**_CALL, "index": 0}]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny", "name": "weather"},
    ],
    "a call in the old way": [
        {
            "role": "assistant",
            "content": None,
            "function_call": {"name": "weather", "arguments": "{}"},
        },
        {"role": "function", "name": "weather", "content": "sunny"},
    ],
    "a custom call": [
        {
            "role": "assistant",
            "tool_calls": [{"id": "c1", "type": "custom", "custom": {"name": "e", "input": "x"}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "ok"}]},
    ],
}


@pytest.mark.parametrize("model", ["gpt-4.1", "gpt-5-mini"])
@pytest.mark.parametrize("name", list(_HISTORIES))
def test_chat_histories_are_taken_as_sdks_keep_them(
    client: httpx.Client, name: str, model: str
) -> None:
    messages = [*_HISTORIES[name], {"role": "user", "content": "Go on"}]
    reply = client.post(
        "/openai/v1/chat/completions",
        json={"model": model, "messages": messages, "temperature": 1, "stop": None, "n": None},
    )
    assert reply.status_code == 200, reply.text


def test_langchain_names_no_model_where_the_path_names_the_deployment(
    client: httpx.Client,
) -> None:
    reply = client.post(
        "/openai/deployments/gpt-4.1/chat/completions?api-version=2024-12-01-preview",
        json={"model": None, "messages": [{"role": "user", "content": "Hi"}]},
    )
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("effort", ["none", None])
def test_logprobs_are_answered_at_effort_none(client: httpx.Client, effort: str | None) -> None:
    reply = create(
        client,
        model="gpt-5.1",
        reasoning={"effort": effort},
        include=["message.output_text.logprobs"],
        top_logprobs=1,
    )
    assert reply.json()["output"][-1]["content"][0]["logprobs"]


def test_the_default_temperature_is_taken_from_reasoning_models(client: httpx.Client) -> None:
    assert create(client, model="gpt-5-mini", temperature=1, top_p=1.0).status_code == 200
    error = create(client, model="gpt-5-mini", temperature=0.5).json()["error"]
    assert error["param"] == "temperature"


def test_headers_that_nobody_asked_for_are_passed_over(client: httpx.Client) -> None:
    names = ("openai-beta", "x-stainless-lang", "session-id", "originator", "x-codex-turn-metadata")
    body = {"model": "gpt-4.1", "input": "Hi"}
    assert client.post(V1, headers=dict.fromkeys(names, "x"), json=body).status_code == 200
