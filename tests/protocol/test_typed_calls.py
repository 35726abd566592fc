"""What a client does with the reply of each operation."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses.errors import APIStatusError, ConfigurationError, RateLimitError
from azure_responses.protocol.call import RecentResponses, TypedCall
from azure_responses.protocol.decode import decode
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import resolve_settings
from azure_responses.protocol.stream import ResponseStream
from azure_responses.types.response import ParsedResponse, Response

_NONE = Options()
_HEADERS = {"apim-request-id": "apim-1"}


class _Answer(BaseModel):
    value: int


@pytest.fixture
def recent() -> RecentResponses:
    return RecentResponses()


@pytest.fixture
def operations(recent: RecentResponses) -> Operations:
    settings = resolve_settings({}, endpoint="https://r.openai.azure.com", api_key="k")
    return Operations(settings, RetryPolicy(), recent, lambda: "id")


def _read(call: TypedCall[Any], body: Any, status: int = 200) -> Any:
    return decode(call, Reply(status, _HEADERS, json.dumps(body).encode()), 0.0)


def _body(made: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(getattr(made, "call", made).request.body)
    return body


_DONE = {
    "id": "resp_1",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "content": [{"type": "output_text", "text": '{"value": 7}'}],
        }
    ],
}


def test_create_reads_remembers_and_knows_failure(
    operations: Operations, recent: RecentResponses
) -> None:
    call = operations.create({"model": "d", "input": "hi"}, _NONE)
    response = _read(call, _DONE)
    assert (type(response), response.request_id) == (Response, "apim-1")
    assert call.failure_of(response, 0.0) is None
    call.remember(response, 5.0)
    assert recent.born("resp_1") == 5.0
    failed = _read(call, {"id": "r", "status": "failed", "error": {"code": "rate_limit_exceeded"}})
    assert isinstance(call.failure_of(failed, 0.0), RateLimitError)


def test_parse_sends_the_schema_and_attaches_the_value(
    operations: Operations, recent: RecentResponses
) -> None:
    call = operations.parse({"model": "d", "text": {"verbosity": "low"}}, _NONE, _Answer)
    text = _body(call)["text"]
    assert (text["verbosity"], text["format"]["name"]) == ("low", "_Answer")
    response = _read(call, _DONE)
    assert isinstance(response, ParsedResponse)
    call.finish(response)
    assert response.output_parsed == _Answer(value=7)
    assert response.request_id == "apim-1"
    call.remember(response, 5.0)
    assert recent.born("resp_1") == 5.0
    assert _read(call, {**_DONE, "status": "incomplete"}).output_parsed is None


@pytest.mark.parametrize("make", ["create", "parse", "stream", "compact"])
def test_a_name_the_api_does_not_have_is_refused(operations: Operations, make: str) -> None:
    extra = (_Answer,) if make == "parse" else ()
    with pytest.raises(TypeError, match="messages"):
        getattr(operations, make)({"model": "d", "messages": []}, _NONE, *extra)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, False),
        ({"background": False}, False),
        ({"background": True}, True),
        ({"background": True, "store": True}, True),
        ({"background": True, "store": None}, True),
        ({"background": True, "store": False}, False),
    ],
)
def test_only_a_stored_background_stream_resumes(
    operations: Operations, parameters: dict[str, Any], expected: bool
) -> None:
    call = operations.stream({"model": "d", **parameters}, _NONE)
    created = {"type": "response.created", "response": {"id": "r", "status": "queued"}}
    queued = {"type": "response.queued", "response": {"id": "r", "status": "queued"}}
    call.open({}, 0.0)
    call.receive(
        b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in (created, queued))
    )
    step = call.next_step(None, 0.0, 0.0, 0.5)
    assert (step.action == "resume") is expected
    assert _body(call)["stream"] is True


def _finish(call: ResponseStream) -> Response:
    """Read a stream to its end."""
    call.open(_HEADERS, 0.0)
    done = {"type": "response.completed", "response": _DONE}
    call.receive(b"data: " + json.dumps(done).encode() + b"\n\n")
    assert call.final_response is not None
    return call.finish(call.final_response)


def test_a_finished_stream_has_headers_and_value(operations: Operations) -> None:
    call = operations.stream({"model": "d"}, _NONE, _Answer)
    assert _body(call)["text"]["format"]["strict"] is True
    final = _finish(call)
    assert isinstance(final, ParsedResponse)
    assert final.output_parsed == _Answer(value=7)
    assert final.request_id == "apim-1"


def test_a_finished_stream_without_a_type_is_a_plain_response(operations: Operations) -> None:
    call = operations.stream({"model": "d"}, _NONE)
    final = _finish(call)
    assert (type(final), final.request_id) == (Response, "apim-1")
    assert "text" not in _body(call)


def test_a_type_that_cannot_be_a_schema_is_refused_before_anything_is_sent(
    operations: Operations,
) -> None:
    for make in (operations.parse, operations.stream):
        with pytest.raises(ConfigurationError):
            make({"model": "d"}, _NONE, dict)


def test_retrieve_and_cancel_read_responses_and_judge_nothing(
    operations: Operations, recent: RecentResponses
) -> None:
    failed = {"id": "resp_1", "status": "failed", "error": {"code": "server_error"}}
    for call in (
        operations.retrieve("resp_1", _NONE, include=["x"]),
        operations.cancel("resp_1", _NONE),
    ):
        response = _read(call, failed)
        assert response.status == "failed"
        assert call.failure_of(response, 0.0) is None
        call.remember(response, 5.0)
    assert recent.born("resp_1") is None
    assert "include%5B%5D=x" in operations.retrieve("resp_1", _NONE, include=["x"]).request.url


def test_a_streamed_retrieve_starts_where_the_caller_was(operations: Operations) -> None:
    call = operations.retrieve_stream("resp_1", _NONE, 7, include=["x"])
    url = call.call.request.url
    assert "stream=true" in url
    assert "starting_after=7" in url
    assert "include%5B%5D=x" in url
    assert call.response_id == "resp_1"
    assert call.last_sequence_number == 7
    assert _finish(call).request_id == "apim-1"


@pytest.mark.parametrize(("after", "query"), [(7, "starting_after=7"), (None, "stream=true")])
def test_resume_takes_a_stream_up(operations: Operations, after: int | None, query: str) -> None:
    call = operations.retrieve("resp_1", _NONE, stream=True, starting_after=after)
    assert call.request.url.endswith(query)
    assert call.request.headers["accept"] == "text/event-stream"


def test_a_deleted_response_is_forgotten(operations: Operations, recent: RecentResponses) -> None:
    recent.remember("resp_1", 1.0)
    assert recent.born("resp_1") == 1.0
    call = operations.delete("resp_1", _NONE)
    result = _read(call, {"id": "resp_1", "object": "response.deleted", "deleted": True})
    call.remember(result, 2.0)
    assert recent.born("resp_1") is None


def test_compact_input_items_and_models_are_read(operations: Operations) -> None:
    compacted = _read(
        operations.compact({"model": "d", "input": []}, _NONE), {"id": "c", "output": []}
    )
    assert compacted.object == "response.compaction"
    items = _read(
        operations.input_items("resp_1", _NONE, limit=1),
        {"data": [], "has_more": True, "last_id": "x"},
    )
    assert (items.has_more, items.request_id) == (True, "apim-1")
    models = _read(operations.models(_NONE), {"object": "list", "data": []})
    assert models.data == []


def test_a_reply_of_another_kind_raises(operations: Operations) -> None:
    calls: list[TypedCall[Any]] = [operations.create({"model": "d"}, _NONE)]
    for call in (*calls, operations.models(_NONE)):
        with pytest.raises(APIStatusError):
            decode(call, Reply(200, {}, b"<html>"), 0.0)


def test_a_response_that_is_not_stored_is_not_waited_for(
    operations: Operations, recent: RecentResponses
) -> None:
    call = operations.create({"model": "d", "input": "x", "store": False}, _NONE)
    result = _read(call, {"id": "resp_1", "object": "response", "store": False})
    call.remember(result, 1.0)
    assert recent.born("resp_1") is None
    assert call.watched(result) is result
