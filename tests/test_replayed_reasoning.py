"""What agents send back never lacks the reasoning that it was made with.

Azure refuses an item that comes with its id and without its reasoning (codex#6375). Each request
of a tool loop is checked as the emulator logged it, so that what it does not store is judged too.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from azure_responses.emulator import Clock, Emulator, Fault
from tests.clients import both as clients
from tests.clients.conftest import let_time_pass
from tests.router import both as routers

_TURNS = 5
_WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
_SENT = "What is the weather in Paris and Rome? Use get_weather."


async def _chat(ask: Any, messages: list[Any], keeps: str, stream: bool, **options: Any) -> str:
    """One turn of an agent by chat completions: calls, their results, the answer."""
    messages.append({"role": "user", "content": _SENT})
    for _ in range(4):
        tools = [{"type": "function", "function": _WEATHER}]
        reply = await ask(messages=messages, tools=tools, stream=stream, **options)
        message = (await reply.get_final_completion() if stream else reply).choices[0].message
        whole = json.loads(message.to_json())
        standard = {
            name: whole[name] for name in ("role", "content", "tool_calls") if whole.get(name)
        }
        messages.append(whole if keeps == "every field" else standard)
        if not message.tool_calls:
            return str(message.content)
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"}
            for call in message.tool_calls
        ]
    raise AssertionError("the model calls tools without end")


async def _native(ask: Any, items: list[Any], stream: bool, **options: Any) -> str:
    """One turn of an agent by responses, which sends back every item as it came."""
    items.append({"role": "user", "content": _SENT})
    for _ in range(4):
        tools = [{"type": "function", **_WEATHER}]
        reply = await ask(input=items, tools=tools, stream=stream, **options)
        response = await reply.get_final_response() if stream else reply
        items += [json.loads(item.to_json()) for item in response.output]
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return str(response.output_text)
        items += [
            {"type": "function_call_output", "call_id": call.call_id, "output": "12 degrees"}
            for call in calls
        ]
    raise AssertionError("the model calls tools without end")


def _lacking(body: Mapping[str, Any]) -> list[str]:
    """Ids of items that come without reasoning: of the model's, in a turn without any."""
    lacking, has_reasoning = [], False
    for item in body["input"]:
        kind = item.get("type", "message")
        if kind == "reasoning":
            has_reasoning = True
        elif kind == "function_call_output" or item.get("role") == "user":
            has_reasoning = False
        elif "id" in item and not has_reasoning:
            lacking.append(str(item["id"]))
    return lacking


def _check(emulator: Emulator, *, fewest: int) -> None:
    requests = list(emulator.requests)
    assert len(requests) >= fewest
    assert [entry.body for entry in requests if entry.status == 400] == []
    assert [_lacking(json.loads(entry.body)) for entry in requests] == [[]] * len(requests)


@pytest.fixture(params=clients.RUNNERS)
def runner(request: pytest.FixtureRequest) -> str:
    return str(request.param)


_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
_stores = pytest.mark.parametrize("store", [False, True], ids=["not stored", "stored"])
_keeps = pytest.mark.parametrize("keeps", ["every field", "standard fields"])
_warns = pytest.mark.filterwarnings("ignore:.*reasoning:UserWarning")
_caches = pytest.mark.parametrize("cache", [False, True], ids=["no cache", "cache"])


@_ways
@_stores
@_keeps
@_caches
def test_a_chat_loop_sends_back_no_item_without_its_reasoning(
    runner: str, stream: bool, store: bool, keeps: str, cache: bool
) -> None:
    emulator = Emulator()

    async def scenario(client: Any) -> None:
        messages: list[Any] = []
        for _ in range(_TURNS):
            ask = client.chat.completions.create
            assert "12 degrees" in await _chat(ask, messages, keeps, stream, store=store)

    clients.run(runner, emulator, scenario, deployment="gpt-5-mini", reasoning_cache=cache)
    _check(emulator, fewest=2 * _TURNS)


@_warns
@_ways
@_keeps
@_caches
def test_a_chat_loop_goes_on_at_another_resource_when_its_own_fails(
    runner: str, stream: bool, keeps: str, cache: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def turn(router: Any, messages: list[Any]) -> str:
        return await _chat(router.completion, messages, keeps, stream, model="gpt")

    _move(runner, turn, monkeypatch, reasoning_cache=cache)


@_warns
@_ways
def test_items_sent_back_to_another_resource_need_no_reasoning_there(
    runner: str, stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"store": False, "include": ["reasoning.encrypted_content"]}

    async def turn(router: Any, items: list[Any]) -> str:
        return await _native(router.responses, items, stream, model="gpt", **options)

    _move(runner, turn, monkeypatch)


def _move(runner: str, turn: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
    """Two turns at one resource, which fails from then on, and three at the other."""
    clock = Clock(1_790_000_000)
    let_time_pass(clock, monkeypatch, [])
    emulator = routers.emulate(clock=clock)

    async def scenario(router: Any) -> None:
        history: list[Any] = []
        for number in range(_TURNS):
            if number == 2:
                origin = emulator.requests[len(emulator.requests) - 1].resource
                emulator.faults.add(Fault("http-500", operation="create", resource=origin))
            assert "12 degrees" in await turn(router, history)

    routers.run(runner, emulator, scenario, on_origin_down="strip", **options)
    _check(emulator, fewest=2 * _TURNS)
    answered = {entry.resource for entry in emulator.requests if entry.status == 200}
    assert answered == {"east", "west"}
