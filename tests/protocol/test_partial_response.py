"""What has arrived of a response, at every point of a stream."""

from typing import Any

import pytest

from azure_responses.protocol.partial_response import PartialResponse, response_of
from azure_responses.types.events import parse_event
from azure_responses.types.model import UnknownEvent
from azure_responses.types.response import Response
from tests.protocol.recorded_streams import recorded_streams
from tests.protocol.samples import json_of

_CREATED = {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}}


def _collect(*events: dict[str, Any]) -> PartialResponse:
    partial = PartialResponse()
    for event in events:
        partial.add(parse_event(json_of(event)))
    return partial


def _output(*events: dict[str, Any]) -> list[dict[str, Any]]:
    response = _collect(_CREATED, *events).build()
    assert response is not None
    output: list[dict[str, Any]] = response.to_dict()["output"]
    return output


def _added(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def _done(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def _delta(kind: str, delta: Any, **fields: Any) -> dict[str, Any]:
    return {
        "type": f"response.{kind}.delta",
        "output_index": 0,
        "item_id": "i",
        "delta": delta,
        **fields,
    }


_MESSAGE = {
    "type": "message",
    "id": "i",
    "role": "assistant",
    "status": "in_progress",
    "content": [],
}


def test_nothing_is_there_before_the_response_is_created() -> None:
    assert PartialResponse().build() is None


def test_a_created_response_is_empty() -> None:
    response = _collect(_CREATED).build()
    assert response is not None
    assert (response.id, response.status, response.output_text) == ("resp_1", "in_progress", "")
    assert response.output == []


def test_the_latest_snapshot_counts() -> None:
    later = {"type": "response.in_progress", "response": {"id": "resp_1", "status": "queued"}}
    response = _collect(_CREATED, later).build()
    assert response is not None
    assert response.status == "queued"


def test_output_in_a_snapshot_is_kept_until_items_arrive() -> None:
    snapshot = {"type": "response.created", "response": {"id": "r", "output": [_MESSAGE]}}
    response = _collect(snapshot).build()
    assert response is not None
    assert response.to_dict()["output"] == [_MESSAGE]


def test_text_grows_delta_by_delta() -> None:
    events = [
        _added(_MESSAGE),
        _delta("output_text", "Hel", content_index=0),
        _delta("output_text", "lo", content_index=0),
        _delta("output_text", "!", content_index=1),
    ]
    (message,) = _output(*events)
    assert message["content"] == [
        {"type": "output_text", "text": "Hello"},
        {"type": "output_text", "text": "!"},
    ]
    response = _collect(_CREATED, *events).build()
    assert response is not None
    assert response.output_text == "Hello!"


def test_a_refusal_grows() -> None:
    events = [_added(_MESSAGE), _delta("refusal", "I can", content_index=0)]
    response = _collect(_CREATED, *events, _delta("refusal", "not.", content_index=0)).build()
    assert response is not None
    assert response.refusal == "I cannot."


@pytest.mark.parametrize(
    ("kind", "item", "field"),
    [
        (
            "function_call_arguments",
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
            "arguments",
        ),
        (
            "mcp_call_arguments",
            {"type": "mcp_call", "id": "i", "name": "f", "server_label": "s", "arguments": ""},
            "arguments",
        ),
        (
            "custom_tool_call_input",
            {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""},
            "input",
        ),
        (
            "code_interpreter_call_code",
            {"type": "code_interpreter_call", "id": "i", "code": "", "container_id": "c"},
            "code",
        ),
    ],
)
def test_the_fields_of_calls_grow(kind: str, item: dict[str, Any], field: str) -> None:
    (call,) = _output(_added(item), _delta(kind, '{"a"'), _delta(kind, ":1}"))
    assert call == {**item, field: '{"a":1}'}


def test_a_reasoning_summary_and_text_grow() -> None:
    item = {"type": "reasoning", "id": "i", "summary": []}
    (reasoning,) = _output(
        _added(item),
        _delta("reasoning_summary_text", "Think", summary_index=0),
        _delta("reasoning_summary_text", "More", summary_index=1),
        _delta("reasoning_text", "raw", content_index=0),
    )
    assert reasoning["summary"] == [
        {"type": "summary_text", "text": "Think"},
        {"type": "summary_text", "text": "More"},
    ]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "raw"}]


def test_a_finished_item_replaces_what_grew() -> None:
    done = {**_MESSAGE, "status": "completed", "content": [{"type": "output_text", "text": "Hi"}]}
    events = [_added(_MESSAGE), _delta("output_text", "H", content_index=0), _done(done)]
    assert _output(*events) == [done]


def test_items_stand_in_the_order_of_their_index() -> None:
    first, second = {**_MESSAGE, "id": "a"}, {**_MESSAGE, "id": "b"}
    assert [item["id"] for item in _output(_added(second, 1), _added(first, 0))] == ["a", "b"]


def test_text_of_an_item_that_was_never_added_makes_its_item() -> None:
    part = {"type": "output_text", "text": "x"}
    message = {"type": "message", "id": "", "role": "assistant", "content": [part]}
    assert _output(_delta("output_text", "x", content_index=0)) == [message]
    summary = [{"type": "summary_text", "text": "x"}]
    assert _output(_delta("reasoning_summary_text", "x", summary_index=0)) == [
        {"type": "reasoning", "summary": summary}
    ]


def test_arguments_of_a_call_that_was_never_added_are_left_out() -> None:
    assert _output(_delta("function_call_arguments", "x")) == []


def test_the_whole_text_of_a_part_replaces_what_came_of_it() -> None:
    done = {"type": "response.output_text.done", "output_index": 0, "content_index": 0}
    (message,) = _output(
        _added(_MESSAGE), _delta("output_text", "x", content_index=0), {**done, "text": "xyz"}
    )
    assert message["content"][0]["text"] == "xyz"
    (message,) = _output(_added(_MESSAGE), {**done, "text": None})
    assert message == _MESSAGE


def test_a_text_beside_a_part_of_another_shape_leaves_it_alone() -> None:
    item = {"type": "odd_item", "content": ["text"]}
    assert _output(_added(item), _delta("output_text", "x", content_index=0)) == [item]


def test_an_absurd_index_costs_no_memory() -> None:
    (message,) = _output(_added(_MESSAGE), _delta("output_text", "x", content_index=10**12))
    assert len(message["content"]) < 2000


@pytest.mark.parametrize(
    "event",
    [
        {"type": "response.output_text.delta"},
        {"type": "response.output_text.delta", "delta": "x"},
        {"type": "response.output_text.delta", "delta": "x", "output_index": 0},
        {"type": "response.output_text.delta", "delta": 7, "output_index": 0, "content_index": 0},
        {
            "type": "response.output_text.delta",
            "delta": "x",
            "output_index": "0",
            "content_index": 0,
        },
        {"type": "response.function_call_arguments.delta", "delta": "x"},
        {"type": "response.reasoning_summary_text.delta", "delta": "x", "output_index": 0},
        {"type": "response.output_item.added"},
        {"type": "response.output_item.added", "output_index": 0, "item": "text"},
        {"type": "response.output_item.added", "output_index": "x", "item": {"type": "message"}},
        {"type": "response.content_part.added", "output_index": "x", "part": 3},
        {"type": "response.in_progress"},
        {"type": "response.in_progress", "response": "text"},
        {"type": "response.in_progress", "response": {"no": "id"}},
        {"type": ["response.created"]},
        {"type": None},
        {},
    ],
)
def test_an_event_of_an_odd_shape_adds_nothing(event: dict[str, Any]) -> None:
    partial = _collect(_CREATED, _added(_MESSAGE), event)
    response = partial.build()
    assert response is not None
    assert response.to_dict() == {**_CREATED["response"], "output": [_MESSAGE]}  # type: ignore[dict-item]


def test_fill_gives_an_empty_final_response_its_items() -> None:
    partial = _collect(
        _CREATED, _done({**_MESSAGE, "content": [{"type": "output_text", "text": "Hi"}]})
    )
    filled = partial.fill(Response(id="resp_1", status="completed"))
    assert (filled.output_text, filled.status) == ("Hi", "completed")


def test_fill_leaves_a_response_that_has_output_as_it_is() -> None:
    partial = _collect(_CREATED, _done(_MESSAGE))
    response = Response.model_validate({"id": "resp_1", "output": [{**_MESSAGE, "id": "other"}]})
    assert partial.fill(response) is response
    empty = Response(id="resp_1")
    assert PartialResponse().fill(empty) is empty


def test_the_response_of_an_unknown_event_is_read() -> None:
    event = UnknownEvent.model_validate({"type": "response.new", "response": {"id": "resp_1"}})
    response = response_of(event)
    assert response is not None
    assert response.id == "resp_1"
    assert response_of(UnknownEvent.model_validate({"type": "x"})) is None


# Recordings.


def _grown(response: Response) -> dict[str, str]:
    """Everything in a response that grows delta by delta, by where it stands."""
    grown: dict[str, str] = {}
    for index, item in enumerate(response.to_dict()["output"]):
        for field in ("arguments", "input", "code"):
            if isinstance(item.get(field), str):
                grown[f"{index}.{field}"] = item[field]
        for listing in ("content", "summary"):
            for position, part in enumerate(item.get(listing) or []):
                text = part.get("text", part.get("refusal"))
                grown[f"{index}.{listing}.{position}"] = text or ""
    return grown


# Their keepers removed deltas from these, so what they say last was never said before.
_TRIMMED = ("openai-phase.1", "openai-shell-container")


def test_what_has_arrived_of_a_recorded_response_is_always_the_beginning_of_its_end() -> None:
    checked = 0
    for stream in recorded_streams():
        if any(name in stream.id for name in _TRIMMED):
            continue
        final = Response.model_validate(stream.final)
        expected = _grown(final)
        partial = PartialResponse()
        for event in stream.events[:-1]:
            partial.add(parse_event(json_of(event)))
            response = partial.build()
            assert response is not None, stream.id
            assert final.output_text.startswith(response.output_text), stream.id
            for place, text in _grown(response).items():
                assert expected[place].startswith(text), (stream.id, place)
                checked += 1
        response = partial.build()
        assert response is not None
        assert response.output_text == final.output_text, stream.id
    assert checked > 1000
