"""What a client does for each operation."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from azure_responses.errors import APIStatusError, ConfigurationError, RateLimitError
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.operations import Operations, Options
from azure_responses.protocol.plans import Plan, Plans, StreamPlan
from azure_responses.protocol.recent_responses import RecentResponses
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import resolve_settings
from azure_responses.types.response import ParsedResponse, Response

_NONE = Options()
_HEADERS = {"apim-request-id": "apim-1"}


class _Answer(BaseModel):
    value: int


@pytest.fixture
def recent() -> RecentResponses:
    return RecentResponses()


@pytest.fixture
def plans(recent: RecentResponses) -> Plans:
    settings = resolve_settings({}, endpoint="https://r.openai.azure.com", api_key="k")
    return Plans(Operations(settings, RetryPolicy(), recent, lambda: "id"))


def _read(plan: Plan[Any], body: Any, status: int = 200) -> Any:
    return plan.read(Reply(status, _HEADERS, json.dumps(body).encode()), 0.0)


def _body(plan: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(plan.call.request.body)
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


def test_create_reads_remembers_and_knows_failure(plans: Plans, recent: RecentResponses) -> None:
    plan = plans.create({"model": "d", "input": "hi"}, _NONE)
    response = _read(plan, _DONE)
    assert (type(response), response.request_id) == (Response, "apim-1")
    assert plan.failure(response, 0.0) is None
    plan.remember(response, 5.0)
    assert recent.born("resp_1") == 5.0
    failed = _read(plan, {"id": "r", "status": "failed", "error": {"code": "rate_limit_exceeded"}})
    assert isinstance(plan.failure(failed, 0.0), RateLimitError)


def test_parse_sends_the_schema_and_attaches_the_value(
    plans: Plans, recent: RecentResponses
) -> None:
    plan = plans.parse({"model": "d", "text": {"verbosity": "low"}}, _NONE, _Answer)
    text = _body(plan)["text"]
    assert (text["verbosity"], text["format"]["name"]) == ("low", "_Answer")
    response = _read(plan, _DONE)
    assert isinstance(response, ParsedResponse)
    plan.finish(response)
    assert response.output_parsed == _Answer(value=7)
    assert response.request_id == "apim-1"
    plan.remember(response, 5.0)
    assert recent.born("resp_1") == 5.0
    assert _read(plan, {**_DONE, "status": "incomplete"}).output_parsed is None


@pytest.mark.parametrize("make", ["create", "parse", "stream", "compact"])
def test_a_name_the_api_does_not_have_is_refused(plans: Plans, make: str) -> None:
    extra = (_Answer,) if make == "parse" else ()
    with pytest.raises(TypeError, match="messages"):
        getattr(plans, make)({"model": "d", "messages": []}, _NONE, *extra)


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
    plans: Plans, parameters: dict[str, Any], expected: bool
) -> None:
    plan = plans.stream({"model": "d", **parameters}, _NONE)
    created = {"type": "response.created", "response": {"id": "r", "status": "queued"}}
    queued = {"type": "response.queued", "response": {"id": "r", "status": "queued"}}
    plan.state.open({}, 0.0)
    plan.state.receive(
        b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in (created, queued))
    )
    step = plan.state.next_step(None, 0.0, 0.0, 0.5)
    assert (step.action == "resume") is expected
    assert _body(plan)["stream"] is True


def _finish(plan: StreamPlan[Response]) -> Response:
    """Read a stream to its end."""
    plan.state.open(_HEADERS, 0.0)
    done = {"type": "response.completed", "response": _DONE}
    plan.state.receive(b"data: " + json.dumps(done).encode() + b"\n\n")
    assert plan.state.final_response is not None
    return plan.finish(plan.state.final_response)


def test_a_finished_stream_has_headers_and_value(plans: Plans) -> None:
    plan = plans.stream({"model": "d"}, _NONE, _Answer)
    assert _body(plan)["text"]["format"]["strict"] is True
    final = _finish(plan)
    assert isinstance(final, ParsedResponse)
    assert final.output_parsed == _Answer(value=7)
    assert final.request_id == "apim-1"


def test_a_finished_stream_without_a_type_is_a_plain_response(plans: Plans) -> None:
    plan = plans.stream({"model": "d"}, _NONE)
    final = _finish(plan)
    assert (type(final), final.request_id) == (Response, "apim-1")
    assert "text" not in _body(plan)


def test_a_type_that_cannot_be_a_schema_is_refused_before_anything_is_sent(plans: Plans) -> None:
    for make in (plans.parse, plans.stream):
        with pytest.raises(ConfigurationError):
            make({"model": "d"}, _NONE, dict)


def test_retrieve_and_cancel_read_responses_and_judge_nothing(
    plans: Plans, recent: RecentResponses
) -> None:
    failed = {"id": "resp_1", "status": "failed", "error": {"code": "server_error"}}
    for plan in (plans.retrieve("resp_1", _NONE, ["x"]), plans.cancel("resp_1", _NONE)):
        response = _read(plan, failed)
        assert response.status == "failed"
        assert plan.failure(response, 0.0) is None
        plan.remember(response, 5.0)
    assert recent.born("resp_1") is None
    assert "include%5B%5D=x" in plans.retrieve("resp_1", _NONE, ["x"]).call.request.url


def test_a_streamed_retrieve_starts_where_the_caller_was(plans: Plans) -> None:
    plan = plans.retrieve_stream("resp_1", _NONE, 7, include=["x"])
    url = plan.call.request.url
    assert "stream=true" in url
    assert "starting_after=7" in url
    assert "include%5B%5D=x" in url
    assert plan.state.response_id == "resp_1"
    assert plan.state.last_sequence_number == 7
    assert _finish(plan).request_id == "apim-1"


@pytest.mark.parametrize(("after", "query"), [(7, "starting_after=7"), (None, "stream=true")])
def test_resume_takes_a_stream_up(plans: Plans, after: int | None, query: str) -> None:
    call = plans.resume("resp_1", after, _NONE)
    assert call.request.url.endswith(query)
    assert call.request.headers["accept"] == "text/event-stream"


def test_a_deleted_response_is_forgotten(plans: Plans, recent: RecentResponses) -> None:
    plans.note_created("resp_1", 1.0)
    assert recent.born("resp_1") == 1.0
    plan = plans.delete("resp_1", _NONE)
    result = _read(plan, {"id": "resp_1", "object": "response.deleted", "deleted": True})
    plan.remember(result, 2.0)
    assert recent.born("resp_1") is None


def test_compact_input_items_and_models_are_read(plans: Plans) -> None:
    compacted = _read(plans.compact({"model": "d", "input": []}, _NONE), {"id": "c", "output": []})
    assert compacted.object == "response.compaction"
    items = _read(
        plans.input_items("resp_1", _NONE, limit=1), {"data": [], "has_more": True, "last_id": "x"}
    )
    assert (items.has_more, items.request_id) == (True, "apim-1")
    models = _read(plans.models(_NONE), {"object": "list", "data": []})
    assert models.data == []


def test_a_reply_that_is_none_raises(plans: Plans) -> None:
    for plan in (plans.create({"model": "d"}, _NONE), plans.models(_NONE)):
        with pytest.raises(APIStatusError):
            plan.read(Reply(200, {}, b"<html>"), 0.0)
