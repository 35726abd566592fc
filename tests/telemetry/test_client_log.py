"""The lines of the log."""

import json
import logging
import sys
from decimal import Decimal

import pytest

from azure_responses.errors import RateLimitError
from azure_responses.pricing import to_record
from azure_responses.telemetry.client_log import (
    LOGGER,
    JSONFormatter,
    describe_call,
    log_call,
    log_request,
    log_retry,
)
from azure_responses.types.models import ModelList
from tests.telemetry.samples import make_call, make_record, make_response


def _priced() -> object:
    response = make_response()
    response.attach({"x-ms-region": "East US 2"}, lambda _: Decimal("0.00012"))
    return response


def _record(**fields: object) -> object:
    response = _priced()
    known = {"response": response, "usage": response.usage, "status": "completed"}  # type: ignore[attr-defined]
    return make_record(**{"deployment": "prod", "latency": 1.25, **known, **fields})


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="azure_responses")


def test_a_line_says_what_people_want_to_know(caplog: pytest.LogCaptureFixture) -> None:
    log_call(_record(attempts=3))  # type: ignore[arg-type]
    assert caplog.messages == [
        "create prod: completed in 1.250 s, 3 attempts, 100 + 20 tokens, $0.00012"
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"operation": "models"}, "models: done in 0.000 s"),
        ({"operation": "delete", "response_id": "resp_1"}, "delete resp_1: done in 0.000 s"),
        ({"is_abandoned": True, "status": "in_progress"}, "create: abandoned in 0.000 s"),
        ({"error": RateLimitError("busy", status_code=429)}, "create: 429 in 0.000 s"),
    ],
)
def test_a_line_says_how_a_call_ended(
    fields: dict[str, object], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    log_call(make_record(**fields))
    assert caplog.messages == [expected]


def test_a_call_has_every_key_the_cost_command_reads() -> None:
    response = _priced()
    document = describe_call(_record(response=response))  # type: ignore[arg-type]
    expected = to_record(response, cost=Decimal("0.00012"), deployment="prod")
    assert set(expected) <= set(document)
    assert {**document, "id": "resp_1", "region": "East US 2"}.items() >= expected.items()
    assert document["cost"] == "0.00012"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"response": make_response()}, "call"),
        ({"response": make_response(), "operation": "retrieve"}, "call"),
        ({"response": make_response(), "operation": "cancel"}, "operation"),
        ({"response": ModelList(data=[]), "operation": "models"}, "operation"),
        ({"error": RateLimitError("busy", status_code=429)}, "operation"),
    ],
)
def test_only_what_may_be_billed_is_a_call(fields: dict[str, object], kind: str) -> None:
    assert describe_call(make_record(**fields))["record"] == f"azure_responses.{kind}"


def test_an_error_is_described() -> None:
    error = RateLimitError("busy", status_code=429, code="too_many_requests")
    document = describe_call(make_record(error=error, time_to_first_token=0.12345678))
    assert document["error"] == "too_many_requests"
    assert document["error_class"] == "RateLimitError"
    assert document["error_message"] == "busy"
    assert document["time_to_first_token"] == 0.123457


def test_the_formatter_writes_one_object_on_one_line(caplog: pytest.LogCaptureFixture) -> None:
    log_call(_record(user="a\nb"))  # type: ignore[arg-type]
    line = JSONFormatter().format(caplog.records[0])
    document = json.loads(line)
    assert "\n" not in line
    assert list(document)[:4] == ["time", "level", "logger", "message"]
    assert document["time"].endswith("+00:00")
    assert (document["level"], document["logger"]) == ("INFO", "azure_responses")
    assert document["end_user"] == "a\nb"


def test_the_formatter_writes_other_records_too() -> None:
    try:
        raise ValueError("wrong")
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "%s!", ("no",), sys.exc_info())
    document = json.loads(JSONFormatter().format(record))
    assert document["message"] == "no!"
    assert "ValueError: wrong" in document["exception"]
    assert "record" not in document


def test_a_request_is_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    call = make_call(
        url="https://r.example/openai/v1/responses?key=s3cret",
        headers={"api-key": "s3cret", "accept": "application/json"},
        input="s3cret",
        model="prod",
    )
    log_request(call)
    document = JSONFormatter().format(caplog.records[0])
    assert "s3cret" not in document
    assert caplog.messages == [
        "POST https://r.example/openai/v1/responses?key=*** "
        '{"input": "<6 characters>", "model": "prod"}'
    ]


def test_a_retry_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_retry(make_record(error=RateLimitError("busy", status_code=429), retry_delay=2.5))
    assert caplog.messages == ["create again in 2.500 s after 429 (attempt 1)"]
    assert LOGGER.name == "azure_responses"
