"""The emulated service takes what the bridge sends, whatever the history, turn after turn."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from azure_responses.bridge import (
    BridgedRequest,
    ChatStream,
    ReasoningCache,
    accumulate_chunks,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.emulator import Emulator, Resource
from azure_responses.types import ChatCompletion, Response, parse_event

_URL = "https://{resource}.openai.azure.com/openai/v1/responses"
_ADD = {
    "type": "function",
    "function": {
        "name": "add",
        "parameters": {
            "type": "object",
            "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
            "required": ["a", "b"],
        },
    },
}


class _Service:
    """Sends bridged requests to the emulator as they are."""

    def __init__(self, emulator: Emulator, resource: str = "emulator") -> None:
        self._client = httpx.Client(transport=emulator.httpx_transport())
        self._resource = resource

    def send(self, request: BridgedRequest) -> httpx.Response:
        reply = self._client.post(
            _URL.format(resource=self._resource),
            headers={"api-key": "emulator-key"},
            json={**request.parameters, **({"stream": True} if request.stream else {})},
        )
        assert reply.status_code == 200, reply.text
        return reply

    def complete(self, **chat: Any) -> ChatCompletion:
        options = {name: chat.pop(name, None) for name in ("reasoning_cache", "resource_tag")}
        request = to_responses_request({"model": "gpt-5-mini", **chat}, **options)
        reply = self.send(request)
        if not request.stream:
            return to_chat_completion(Response.model_validate_json(reply.content), request)
        stream = ChatStream(request)
        lines = (line for line in reply.text.split("\n") if line.startswith("data:"))
        chunks = [
            chunk
            for line in lines
            for chunk in stream.feed(parse_event(line.removeprefix("data:")))
        ]
        whole = accumulate_chunks([*chunks, *stream.finish()])
        # Usage was not asked for, and Azure's verdicts whole are no part of chunks.
        assert stream.final is not None
        final = {name: value for name, value in stream.final.to_dict().items() if name != "usage"}
        assert whole.to_dict() == final
        return stream.final


_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20)
_words = _text.filter(str.strip)
_parts = st.lists(
    st.builds(lambda text: {"type": "text", "text": text}, _words)
    | st.just({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}),
    min_size=1,
    max_size=3,
)
_said = st.one_of(
    st.builds(lambda role, text: {"role": role, "content": text},
              st.sampled_from(["user", "system", "developer", "assistant"]), _words),
    st.builds(lambda parts: {"role": "user", "content": parts}, _parts),
    st.builds(lambda text: {"role": "user", "name": "ann", "content": text}, _words),
    st.builds(lambda text: {"role": "assistant", "content": None, "refusal": text}, _words),
)  # fmt: skip


@st.composite
def _exchanges(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A turn of tool calls of both kinds and their results."""
    ids = draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=3, unique=True))
    calls, results = [], []
    for number in ids:
        call: dict[str, Any] = {"id": f"call_{number}", "type": "function"}
        if draw(st.booleans()):
            call |= {"type": "custom", "custom": {"name": "note", "input": draw(_text)}}
        else:
            call["function"] = {"name": "add", "arguments": '{"a": 1, "b": 2}'}
        calls.append(call)
        content = draw(st.one_of(_text, _parts))
        results.append({"role": "tool", "tool_call_id": call["id"], "content": content})
    content = draw(st.none() | _words)
    return [{"role": "assistant", "content": content, "tool_calls": calls}, *results]


_histories = st.lists(_said.map(lambda message: [message]) | _exchanges(), max_size=6).map(
    lambda turns: [message for turn in turns for message in turn]
)


def _is_unique(messages: list[dict[str, Any]]) -> bool:
    ids = [call["id"] for message in messages for call in message.get("tool_calls", [])]
    return len(ids) == len(set(ids))


@pytest.fixture(scope="module")
def service() -> _Service:
    """One emulated resource for all the made-up histories."""
    return _Service(Emulator())


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_histories.filter(_is_unique), st.booleans())
def test_any_history_is_answered_and_the_answer_goes_back(
    service: _Service, messages: list[dict[str, Any]], stream: bool
) -> None:
    history: list[Any] = [*messages, {"role": "user", "content": "Reply with exactly: pong"}]
    completion = service.complete(messages=history, stream=stream)
    assert completion.choices[0].message.content == "pong"
    history += [json.loads(completion.choices[0].message.to_json())]
    history += [{"role": "user", "content": "Use add for 1 and 2."}]
    more = service.complete(messages=history, tools=[_ADD], stream=stream)
    (call,) = more.choices[0].message.tool_calls or []
    history += [more.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "3"}]
    last = service.complete(messages=history, tools=[_ADD])
    assert last.choices[0].finish_reason == "stop"


def _call_add(service: _Service, history: list[Any], **chat: Any) -> ChatCompletion:
    history.append({"role": "user", "content": "Use add for 1 and 2."})
    return service.complete(messages=history, tools=[_ADD], **chat)


@pytest.mark.parametrize("keeps", [True, False])
def test_five_turns_of_a_stateless_agent_keep_their_reasoning(keeps: bool) -> None:
    emulator = Emulator()
    service = _Service(emulator)
    cache = None if keeps else ReasoningCache()
    history: list[Any] = []
    for _ in range(5):
        completion = _call_add(service, history, reasoning_cache=cache)
        message = completion.choices[0].message.to_dict()
        if not keeps:
            message = {name: message[name] for name in ("role", "content", "tool_calls")}
        (call,) = message["tool_calls"]
        result = {"role": "tool", "tool_call_id": call["id"], "content": "3"}
        history += [json.loads(json.dumps(message)), result]
        answer = service.complete(messages=history, tools=[_ADD], reasoning_cache=cache)
        history.append({"role": "assistant", "content": answer.choices[0].message.content})
    inputs = [json.loads(entry.body)["input"] for entry in emulator.requests]
    replayed = [sum("encrypted_content" in item for item in items) for items in inputs]
    assert replayed == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5]


def test_a_conversation_that_moves_to_another_resource_goes_on_without_its_reasoning() -> None:
    emulator = Emulator(resources=[Resource(name) for name in ("west", "north")])
    west, north = (_Service(emulator, name) for name in ("west", "north"))
    history: list[Any] = []
    completion = _call_add(west, history, resource_tag="west")
    message = completion.choices[0].message
    assert message.reasoning_items is not None
    assert message.reasoning_items[0]["resource"] == "west"
    (call,) = message.tool_calls or []
    history += [message, {"role": "tool", "tool_call_id": call.id, "content": "3"}]
    answer = north.complete(messages=history, tools=[_ADD], resource_tag="north")
    assert answer.choices[0].finish_reason == "stop"
    untagged = to_responses_request({"model": "gpt-5-mini", "messages": history, "tools": [_ADD]})
    with pytest.raises(AssertionError, match="invalid_encrypted_content"):
        north.send(untagged)
