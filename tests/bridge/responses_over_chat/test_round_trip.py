"""Chat → Responses → chat by the two bridges: what both can say comes back unchanged."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.bridge import (
    ChatStream,
    accumulate_chunks,
    to_chat_completion,
    to_responses_request,
)
from azure_responses.types import Response, StreamEvent, parse_event

from ..recorded import TRIMMED, bodies, streams
from .cases import completion, make, sse, written

_CHAT: dict[str, Any] = {"model": "some-model", "messages": [{"role": "user", "content": "Hi"}]}
_GRAMMAR = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: X"}}
_FUNCTION = {
    "type": "function",
    "function": {
        "name": "f",
        "description": "d",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    },
}
_CUSTOM = {"type": "custom", "custom": {"name": "c", "description": "d", "format": _GRAMMAR}}


# --- requests -------------------------------------------------------------------------------------

_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
_image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk=", "detail": "low"}}
_parts = st.lists(
    _words.map(lambda text: {"type": "text", "text": text}) | st.just(_image),
    min_size=2,
    max_size=3,
)
_said = st.one_of(
    st.builds(
        lambda role, text: {"role": role, "content": text},
        st.sampled_from(["user", "system", "developer"]),
        _words,
    ),
    _parts.map(lambda parts: {"role": "user", "content": parts}),
)


@st.composite
def _turns(draw: st.DrawFn) -> list[dict[str, Any]]:
    """What is said to the model, and what it answers, with calls of both kinds."""
    messages: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 3))):
        messages.append(draw(_said))
        text = draw(st.none() | _words)
        calls = [_call(f"c{number}_{at}", draw(_words)) for at in range(draw(st.integers(0, 2)))]
        if text is None and not calls:
            continue
        answer: dict[str, Any] = {"role": "assistant", "content": text}
        messages.append({**answer, "tool_calls": calls} if calls else answer)
        for call in calls:
            result = {"role": "tool", "tool_call_id": call["id"], "content": draw(_words)}
            messages.append(result)
    return messages


def _call(call_id: str, text: str) -> dict[str, Any]:
    if call_id.endswith("1"):
        return {"id": call_id, "type": "custom", "custom": {"name": "c", "input": text}}
    function = {"name": "f", "arguments": json.dumps({"a": text})}
    return {"id": call_id, "type": "function", "function": function}


_parameters = st.fixed_dictionaries(
    {},
    optional={
        # The default, 1, is left out on the way, since models that reason refuse even that.
        "temperature": st.floats(0, 0.9),
        "top_p": st.floats(0, 0.9),
        "max_completion_tokens": st.integers(16, 999),
        "reasoning_effort": st.sampled_from(["low", "medium", "high"]),
        "verbosity": st.sampled_from(["low", "high"]),
        "response_format": st.sampled_from(
            [
                {"type": "json_object"},
                {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "n",
                        "description": "d",
                        "schema": {"type": "object"},
                        "strict": True,
                    },
                },
            ]
        ),
        "tool_choice": st.sampled_from(
            [
                "auto",
                "required",
                {"type": "function", "function": {"name": "f"}},
                {"type": "custom", "custom": {"name": "c"}},
                {
                    "type": "allowed_tools",
                    "allowed_tools": {
                        "mode": "auto",
                        "tools": [{"type": "function", "function": {"name": "f"}}],
                    },
                },
            ]
        ),
        "parallel_tool_calls": st.booleans(),
        "service_tier": st.just("flex"),
        "prompt_cache_key": st.just("k"),
        "safety_identifier": st.just("s"),
        "user": st.just("u"),
        "logprobs": st.just(True),
    },
)


@given(_turns(), _parameters)
def test_a_chat_request_comes_back_unchanged(
    messages: list[dict[str, Any]], parameters: dict[str, Any]
) -> None:
    chat = {**_CHAT, "messages": messages, "tools": [_FUNCTION, _CUSTOM], **parameters}
    request = to_responses_request(chat)
    assert written(request.parameters, "gpt-5") == {**chat, "model": "gpt-5"}


# --- replies --------------------------------------------------------------------------------------


def _tools_of(response: Any) -> list[Any]:
    """The caller's tools that a response repeats; hosted ones have no place in chat."""
    tools = response.to_dict().get("tools") or []
    kinds = ("function", "custom", "shell", "apply_patch", "local_shell", "namespace")
    return [tool for tool in tools if tool.get("type") in kinds]


def _common(chat: dict[str, Any]) -> dict[str, Any]:
    """What both bridges carry of a completion."""
    (choice,) = chat["choices"]
    message = choice["message"]
    usage = chat.get("usage") or {}
    details = {**(usage.get("prompt_tokens_details") or {})}
    written_details = usage.get("completion_tokens_details") or {}
    return {
        "content": message.get("content") or "",
        "refusal": message.get("refusal"),
        "reasoning": message.get("reasoning_content") or "",
        "calls": [_called(call) for call in message.get("tool_calls") or ()],
        "annotations": message.get("annotations") or [],
        "logprobs": (choice.get("logprobs") or {}).get("content") or [],
        "finish_reason": choice["finish_reason"],
        "filters": choice.get("content_filter_results"),
        "prompt_filters": [
            entry.get("content_filter_results") for entry in chat.get("prompt_filter_results") or ()
        ],
        "tokens": [usage.get(name, 0) for name in ("prompt_tokens", "completion_tokens")],
        "cached": details.get("cached_tokens", 0),
        "reasoned": written_details.get("reasoning_tokens", 0),
    }


def _called(call: dict[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = call.get("custom") or call["function"]
    arguments: Any = said.get("input", said.get("arguments"))
    # Calls of a shell and the like are objects in between, so that only their values are compared.
    if call["type"] == "function" and said["name"] in _FIXED:
        arguments = json.loads(arguments)
    return {"id": call["id"], "type": call["type"], "name": said["name"], "arguments": arguments}


_FIXED = ("apply_patch", "computer", "local_shell", "mcp_approval_request", "shell", "tool_search")


def _stream_of(events: tuple[StreamEvent, ...]) -> list[Any]:
    state = ChatStream(to_responses_request({**_CHAT, "stream_options": {"include_usage": True}}))
    return [*(chunk for event in events for chunk in state.feed(event)), *state.finish()]


def _plain(chat: dict[str, Any]) -> dict[str, Any]:
    """A completion as a server sends it: without the extensions of the other bridge."""
    (choice,) = chat["choices"]
    extensions = ("reasoning_items", "hosted_items", "output_order", "commentary")
    message = {name: v for name, v in choice["message"].items() if name not in extensions}
    calls = [{**call, "item": None} for call in message.get("tool_calls") or ()]
    if calls:
        message["tool_calls"] = calls
    return {**chat, "choices": [{**choice, "message": message}]}


def _is_chat(chat: dict[str, Any]) -> bool:
    """False for a completion that only the extensions of the other bridge can say."""
    (choice,) = chat["choices"]
    message = choice["message"]
    return not message.get("commentary") and choice["finish_reason"] is not None


def _completions() -> list[Any]:
    found = []
    for source, response in bodies():
        if response.status in ("completed", "incomplete", None):
            found.append(pytest.param(response, id=source[-60:]))
    return found


@pytest.mark.parametrize("response", _completions())
def test_a_recorded_response_as_a_completion_comes_back_unchanged(response: Response) -> None:
    request = to_responses_request(_CHAT)
    first = to_chat_completion(response, request).to_dict()
    if not _is_chat(first):
        pytest.skip("chat completions itself cannot say it")
    conversion = make({"tools": _tools_of(response)}, "gpt-5", drops_params=True)
    conversion.write()
    again = Response.model_validate(conversion.read(_plain(first)))
    second = to_chat_completion(again, request).to_dict()
    assert _common(second) == _common(first)


@pytest.mark.parametrize(
    "events", [pytest.param(events, id=source[-60:]) for source, events in streams()]
)
def test_a_recorded_stream_as_chunks_comes_back_unchanged(
    events: tuple[StreamEvent, ...],
) -> None:
    last = events[-1].type
    if last not in ("response.completed", "response.incomplete"):
        pytest.skip("the recorded stream has no end")
    chunks = _stream_of(events)
    first = accumulate_chunks(chunks).to_dict()
    if not _is_chat(first):
        pytest.skip("chat completions itself cannot say it")
    response = getattr(events[-1], "response")  # noqa: B009
    conversion = make({"tools": _tools_of(response)}, "gpt-5", drops_params=True)
    conversion.write()
    state = conversion.stream()
    data = state.receive(sse([_plain_chunk(chunk.to_dict()) for chunk in chunks])) + state.end()
    received = tuple(
        parse_event(line.removeprefix(b"data: "))
        for line in data.split(b"\n")
        if line.startswith(b"data: ")
    )
    second = accumulate_chunks(_stream_of(received)).to_dict()
    assert _common(second) == _common(first)


def _plain_chunk(chunk: dict[str, Any]) -> dict[str, Any]:
    extensions = ("reasoning_items", "hosted_items", "output_order")
    choices = []
    for choice in chunk["choices"]:
        delta = {name: v for name, v in choice["delta"].items() if name not in extensions}
        choices.append({**choice, "delta": delta})
    return {**chunk, "choices": choices}


def test_the_trimmed_recording_is_known() -> None:
    assert any(TRIMMED in source for source, _ in streams())


@given(
    st.none() | _words,
    st.none() | _words,
    st.lists(_words, max_size=2),
    st.sampled_from(["stop", "length", "content_filter"]),
)
def test_a_made_up_completion_comes_back_unchanged(
    reasoning: str | None, text: str | None, calls: list[str], reason: str
) -> None:
    message: dict[str, Any] = {"content": text}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = [_call(f"c_{at}", text) for at, text in enumerate(calls)]
    ended = "tool_calls" if calls and reason == "stop" else reason
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    first = completion(message, ended, usage=usage)
    tools = [{"type": "custom", "name": "c"}, {"type": "function", "name": "f"}]
    conversion = make({"tools": tools}, "gpt-5")
    conversion.write()
    again = Response.model_validate(conversion.read(first))
    second = to_chat_completion(again, to_responses_request(_CHAT)).to_dict()
    assert _common(second) == _common(first)
