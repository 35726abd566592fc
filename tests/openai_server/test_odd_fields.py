"""One odd field of an answer fails no call: bytes pass, and what is noted of them is tolerant."""

import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.types import Response
from tests.canned import Canned, message, response, stream_of
from tests.odd_fields import MISSING, oddities, replaced, sample
from tests.openai_server.servers import Asker, open_asker

ANSWER = "The answer."
BODY = {**sample(Response, 2), **response(message(ANSWER, "final_answer"), error=None)}
TRIED: tuple[Any, ...] = (None, MISSING, "surprise", [], {"odd": 1})
CHAT = {"model": "chat", "messages": [{"role": "user", "content": "x"}]}
NATIVE = {"model": "chat", "input": "x"}


def _odd_bodies() -> Iterator[dict[str, Any]]:
    for path, odd in oddities(BODY):
        is_near = len(path) < 3 or path[0] == "output"
        if is_near and any(odd is tried or odd == tried for tried in TRIED):
            yield replaced(BODY, path, odd)


def _odd_streams() -> Iterator[list[dict[str, Any]]]:
    events = stream_of(BODY)
    for index, event in enumerate(events[:-1]):
        for path, odd in oddities(event):
            if len(path) < 3 and path[0] != "type" and any(odd is tried for tried in TRIED):
                yield replaced(events, (index, *path), odd)


@pytest.fixture(params=["sync", "async"])
def asked(request: pytest.FixtureRequest) -> Iterator[tuple[Asker, Canned]]:
    service = Canned(BODY)
    with open_asker(request.param, service, "east") as ask:  # type: ignore[arg-type]
        yield ask, service


def _texts(events: list[dict[str, Any]]) -> str:
    choices = [choice for event in events for choice in event.get("choices") or ()]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def test_an_odd_field_passes_and_costs_no_call(asked: tuple[Asker, Canned]) -> None:
    ask, service = asked
    tried = refused = 0
    for body in _odd_bodies():
        service.body, tried = body, tried + 1
        native = ask("POST", "/v1/responses", NATIVE)
        assert native.status == 200, body
        assert native.json.keys() == body.keys()
        chat = ask("POST", "/v1/chat/completions", CHAT)
        if chat.status == 200:
            assert chat.json["choices"][0]["message"]["content"] in (ANSWER, "surprise", ""), body
            assert chat.json["choices"][0]["message"]["content"] or _is_empty(body)
        else:
            refused += 1
            assert (chat.status, "cannot be read" in chat.json["error"]["message"]) == (502, True)
        assert (native.summary.error, native.summary.price() or 0) is not None
    assert tried > 150
    assert refused < tried / 8


def _is_empty(body: dict[str, Any]) -> bool:
    """True where the answer is empty in an ordinary way."""
    return [] in (body["output"], body["output"][0:1] and body["output"][0]["content"])


def test_an_odd_field_of_an_event_breaks_no_stream(asked: tuple[Asker, Canned]) -> None:
    ask, service = asked
    for events in _odd_streams():
        service.events = events
        native = ask("POST", "/v1/responses", {**NATIVE, "stream": True})
        assert [event.get("type") for event in native.events] == [e["type"] for e in events]
        assert native.summary.error is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            chat = ask("POST", "/v1/chat/completions", {**CHAT, "stream": True})
        assert _texts(chat.events) == ANSWER, events


def test_a_responses_body_on_the_chat_route_is_answered_in_chunks(
    asked: tuple[Asker, Canned],
) -> None:
    ask, service = asked
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    body: dict[str, Any] = {
        "model": "chat",
        "input": [{"role": "user", "content": "x"}],
        "tools": [tool],
    }
    body |= {"temperature": 1, "reasoning": {"effort": "low"}}
    whole = ask("POST", "/v1/chat/completions", body)
    assert whole.json["choices"][0]["message"]["content"] == ANSWER
    streamed = ask("POST", "/v1/chat/completions", {**body, "stream": True})
    assert _texts(streamed.events) == ANSWER
    assert service.sent[0]["tools"] == [{**tool, "strict": False}]
    assert "temperature" not in service.sent[0]


def test_a_refusal_of_the_chat_route_names_its_parameter(asked: tuple[Asker, Canned]) -> None:
    ask, service = asked
    for odd, param in (
        ({"n": 3}, "n"),
        ({"input": "x"}, "input"),
        (
            {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
            "messages[0].content[0]",
        ),
    ):
        answer = ask("POST", "/v1/chat/completions", {**CHAT, **odd})
        assert (answer.status, answer.json["error"]["param"]) == (400, param)
    assert service.sent == []


def test_long_ids_of_calls_pass_the_chat_route(asked: tuple[Asker, Canned]) -> None:
    ask, service = asked
    long = "toolu_" + "x" * 300
    call = {"id": long, "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": long, "content": json.dumps("ok")},
    ]
    assert ask("POST", "/v1/chat/completions", {**CHAT, "messages": messages}).status == 200
    first, second = service.sent[0]["input"]
    assert first["call_id"] == second["call_id"]
    assert len(first["call_id"]) <= 64
