"""What is noted of a call while it is under way."""

import pytest

from azure_responses.errors import (
    APITimeoutError,
    AzureResponsesError,
    RateLimitError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.telemetry.record import Observation
from azure_responses.types.model import StreamEvent
from tests.telemetry.samples import make_call, make_response

_DELTA = StreamEvent.model_validate({"type": "response.output_text.delta", "delta": "a"})
_CREATED = StreamEvent.model_validate({"type": "response.created"})


def _observe(**parameters: object) -> Observation:
    return Observation(make_call(**parameters), now=100.0, wall_clock=1_800_000_000.0)  # type: ignore[arg-type]


def test_latency_counts_from_the_beginning() -> None:
    record = _observe().describe(102.5)
    assert record.latency == 2.5
    assert record.started_at == 1_800_000_000.0


def test_chunks_are_events_that_carry_output() -> None:
    observation = _observe()
    assert observation.note_events([_CREATED], 100.5) == []
    assert observation.note_events([_DELTA], 101.0) == []
    assert observation.note_events([_DELTA, _CREATED, _DELTA], 101.25) == [0.25, 0.0]
    assert observation.describe(103.0).time_to_first_token == 1.0


def test_the_first_chunk_has_no_gap_before_it_but_its_companions_have() -> None:
    assert _observe().note_events([_DELTA, _DELTA, _DELTA], 101.0) == [0.0, 0.0]


def test_retries_are_counted() -> None:
    observation = _observe()
    observation.note_retry()
    assert observation.describe(101.0).attempts == 2


def test_headers_say_who_served() -> None:
    headers = {
        "apim-request-id": "r-1",
        "x-request-id": "other",
        "x-ms-region": "East US 2",
        "x-ms-deployment-name": "spare",
        "x-ms-spillover-from-deployment": "prod",
    }
    record = _observe().describe(101.0, response=make_response(), headers=headers)
    assert (record.request_id, record.region) == ("r-1", "East US 2")
    assert (record.served_deployment, record.spillover_from) == ("spare", "prod")
    assert (record.deployment, record.http_status) == ("prod", 200)
    assert record.client_request_id == "ours"


def test_the_response_says_what_it_is() -> None:
    response = make_response()
    record = _observe(user="alice").describe(101.0, response=response)
    assert (record.response_id, record.model) == ("resp_1", "gpt-4.1-2025-04-14")
    assert (record.status, record.service_tier) == ("completed", "default")
    assert record.usage == response.usage
    assert record.user == "alice"


@pytest.mark.parametrize("value", [7, None, {}])
def test_a_user_of_another_type_is_none(value: object) -> None:
    assert _observe(user=value).describe(101.0).user is None


_PARTIAL = make_response(status="in_progress", usage=None)


@pytest.mark.parametrize(
    ("error", "status", "response_id"),
    [
        (RateLimitError("busy", status_code=429), 429, None),
        (APITimeoutError("slow"), None, None),
        (StreamInterruptedError("cut", partial=_PARTIAL), None, "resp_1"),
        (ResponseFailedError("no", response=make_response(status="failed")), None, "resp_1"),
    ],
)
def test_an_error_brings_what_is_known(
    error: AzureResponsesError, status: int | None, response_id: str | None
) -> None:
    record = _observe().describe(101.0, error=error)
    assert record.error is error
    assert (record.http_status, record.response_id) == (status, response_id)


def test_the_error_of_a_reply_knows_its_request_and_region() -> None:
    error = RateLimitError("busy", status_code=429, request_id="r-2", region="West US")
    record = _observe().describe(101.0, error=error, retry_delay=3.0)
    assert (record.request_id, record.region, record.retry_delay) == ("r-2", "West US", 3.0)


def test_a_stream_that_broke_was_answered_with_200() -> None:
    error = StreamInterruptedError("cut")
    assert _observe().describe(101.0, error=error, headers={"x": "y"}).http_status == 200


def test_a_cancelled_call_has_no_status() -> None:
    error = KeyboardInterrupt()
    assert _observe().describe(101.0, error=error, headers={"x": "y"}).http_status is None
