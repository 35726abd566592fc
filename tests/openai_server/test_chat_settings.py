"""LiteLLM's settings of chats: reasoning inside the content, and usage that always comes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from azure_responses.errors import ConfigurationError
from azure_responses.openai_server.merged_reasoning import MergedReasoning
from azure_responses.router import Router
from tests.openai_server.servers import open_asker

CHAT = "/v1/chat/completions"
MERGES = "merge_reasoning_content_in_choices"
HELLO = {
    "model": "chat",
    "messages": [{"role": "user", "content": "Say hello"}],
    "reasoning_effort": "high",
}


def emulator() -> Emulator:
    names = {"gpt": "gpt-5-mini", "kimi": "Kimi-K2.5"}
    deployments = [EmulatedDeployment(name, model=model) for name, model in names.items()]
    return Emulator([Resource("east", keys=["key-of-east"], deployments=deployments)])


def entry(model: str, **params: Any) -> dict[str, Any]:
    known = {"gpt": "gpt-5-mini", "kimi": "Kimi-K2.5"}[model]
    return {
        "model_name": "chat",
        "litellm_params": {
            "model": f"azure/{model}",
            "api_base": "https://east.openai.azure.com",
            "api_key": "key-of-east",
            **params,
        },
        "model_info": {"id": model, "base_model": known},
    }


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def joined(events: list[dict[str, Any]], name: str) -> str:
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    return "".join(delta.get(name) or "" for delta in deltas)


@pytest.mark.parametrize("model", ["gpt", "kimi"])
def test_reasoning_stands_in_the_content_where_an_entry_says_so(kind: str, model: str) -> None:
    body: dict[str, Any] = HELLO
    if model == "gpt":
        # The summary is what Azure shows of the reasoning.
        body = {**body, "reasoning_effort": {"effort": "high", "summary": "detailed"}}
    with open_asker(kind, emulator(), model_list=[entry(model)]) as ask:
        plain = ask("POST", CHAT, body).json["choices"][0]["message"]
        streamed = ask("POST", CHAT, {**body, "stream": True}).events
    thought = plain["reasoning_content"]
    assert thought
    assert joined(streamed, "reasoning_content")
    with open_asker(kind, emulator(), model_list=[entry(model, **{MERGES: True})]) as ask:
        merged = ask("POST", CHAT, body).json["choices"][0]["message"]
        events = ask("POST", CHAT, {**body, "stream": True}).events
    assert merged["content"] == f"<think>{thought}</think>{plain['content']}"
    assert "reasoning_content" not in merged
    text = joined(events, "content")
    assert text.startswith("<think>")
    assert text.endswith("</think>" + joined(streamed, "content"))
    assert joined(events, "reasoning_content") == ""


def test_a_caller_may_ask_for_it_too(kind: str) -> None:
    sent = emulator()
    with open_asker(kind, sent, model_list=[entry("kimi")]) as ask:
        merged = ask("POST", CHAT, {**HELLO, MERGES: True}).json["choices"][0]["message"]
        plain = ask("POST", CHAT, {**HELLO, MERGES: False}).json["choices"][0]["message"]
        wrong = ask("POST", CHAT, {**HELLO, MERGES: "yes"})
    assert merged["content"].startswith("<think>")
    assert plain["reasoning_content"]
    assert wrong.status == 400
    assert MERGES.encode() not in b"".join(each.body for each in sent.requests)


def test_anything_but_true_and_false_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=MERGES):
        Router([entry("kimi", **{MERGES: "yes"})])


@pytest.mark.parametrize("model", ["gpt", "kimi"])
def test_usage_comes_unless_the_caller_says_not_to(kind: str, model: str) -> None:
    stream = {**HELLO, "stream": True}
    options: list[Any] = [{}, {"stream_options": None}, {"stream_options": {}}]
    with open_asker(
        kind, emulator(), model_list=[entry(model)], always_include_stream_usage=True
    ) as ask:
        for given_options in options:
            assert ask("POST", CHAT, {**stream, **given_options}).events[-1]["usage"]
        silent = ask("POST", CHAT, {**stream, "stream_options": {"include_usage": False}})
        assert not any(event.get("usage") for event in silent.events)
        assert ask("POST", CHAT, HELLO).json["usage"]


def frame(**choice: Any) -> bytes:
    return b"data: %b\n\n" % json.dumps({"choices": [{"index": 0, **choice}]}).encode()


def content_of(frames: bytes) -> str:
    parts = [json.loads(each[6:]) for each in frames.split(b"\n\n") if each]
    return joined(parts, "content")


def test_thoughts_between_tool_calls_are_closed_each() -> None:
    merged, call = MergedReasoning(), {"tool_calls": [{"index": 0}]}
    pieces = [
        frame(delta={"role": "assistant"}),
        frame(delta={"reasoning_content": "a"}),
        frame(delta=call),
        frame(delta={"reasoning": "b"}),
        frame(delta={}, finish_reason="stop"),
    ]
    text = content_of(b"".join(map(merged.frames, pieces)))
    assert text == "<think>a</think><think>b</think>"


@given(st.lists(st.sampled_from(["r", "c", "t"]), max_size=12))
def test_every_thought_that_begins_ends(parts: list[str]) -> None:
    merged, sent = MergedReasoning(), b""
    deltas = {"r": {"reasoning_content": "r"}, "c": {"content": "c"}, "t": {"tool_calls": [{}]}}
    for part in parts:
        sent += merged.frames(frame(delta=deltas[part]))
    sent += merged.frames(frame(delta={}, finish_reason="stop"))
    text = content_of(sent)
    assert text.count("<think>") == text.count("</think>")
    left = text.replace("<think>", "").replace("</think>", "")
    assert left == "".join(part for part in parts if part != "t")


@pytest.mark.parametrize(
    "piece",
    [
        b": keep-alive\n\n",
        b"data: [DONE]\n\n",
        b'data: {"error":{"message":"m"}}\n\n',
        b'data: {"choices":[{"delta":null}]}\n\n',
        b'data: {"choices":"none"}\n\n',
    ],
)
def test_what_is_no_delta_passes(piece: bytes) -> None:
    assert MergedReasoning().frames(piece) == piece


def test_several_choices_are_merged_each() -> None:
    messages = [{"content": None, "reasoning": "a"}, {"content": "b"}, None]
    body = json.dumps({"choices": [{"message": one} for one in messages]}).encode()
    found = json.loads(MergedReasoning().whole(body))["choices"]
    assert [one["message"] for one in found] == [
        {"content": "<think>a</think>"},
        {"content": "b"},
        None,
    ]
