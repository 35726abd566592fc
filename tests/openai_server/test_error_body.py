"""Errors: every exception becomes an honest status and OpenAI's error object."""

import json
from typing import Any

import pytest

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    ContentFilterError,
    RateLimitError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.openai_server.error_body import error_event, error_reply
from azure_responses.openai_server.route import MethodNotAllowedError


def told(error: BaseException) -> tuple[int, dict[bytes, bytes], dict[str, Any]]:
    status, headers, body = error_reply(error)
    assert dict(headers)[b"content-length"] == b"%d" % len(body)
    return status, dict(headers), json.loads(body)["error"]


def test_azures_error_object_is_kept_and_its_code_is_text() -> None:
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {}}}
    body = {"error": {"code": 400, "message": "blocked", "innererror": inner, "param": "prompt"}}
    error = ContentFilterError(
        "blocked", status_code=400, code="content_filter", param="prompt", body=body
    )
    status, _, fields = told(error)
    assert status == 400
    assert fields["code"] == "content_filter"
    assert fields["innererror"] == inner
    assert fields["param"] == "prompt"
    assert fields["type"] == "invalid_request_error"


def test_a_rate_limit_says_when_to_come_back() -> None:
    error = RateLimitError(
        "slow down", status_code=429, retry_after=1.2, request_id="r-1", region="East US 2"
    )
    error.rate_limits = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-x": "a\r\nb: c"}
    status, headers, fields = told(error)
    assert status == 429
    assert headers[b"x-ratelimit-remaining-tokens"] == b"0"
    assert b"x-ratelimit-x" not in headers
    assert headers[b"retry-after"] == b"2"
    assert headers[b"retry-after-ms"] == b"1200"
    assert headers[b"apim-request-id"] == b"r-1"
    assert headers[b"x-ms-region"] == b"East US 2"
    assert fields["type"] == "rate_limit_error"
    assert fields["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (APITimeoutError("late"), 504, "timeout"),
        (APIConnectionError("gone"), 502, "upstream_error"),
        (StreamInterruptedError("cut"), 502, "upstream_error"),
        (ResponseFailedError("failed", code="image_error"), 502, "image_error"),
        (ConfigurationError("no such part"), 400, "invalid_request_error"),
        (APIStatusError("odd", status_code=302), 502, "bad_gateway"),
        (APIStatusError("teapot", status_code=418), 418, "418"),
        (ValueError("secret inside"), 500, "server_error"),
    ],
)
def test_each_error_has_its_status(error: Exception, status: int, code: str) -> None:
    given, _, fields = told(error)
    assert (given, fields["code"]) == (status, code)
    assert set(fields) >= {"message", "type", "param", "code"}
    assert "secret" not in json.dumps(fields)


def test_a_wrong_method_names_the_right_ones() -> None:
    status, headers, fields = told(MethodNotAllowedError("PUT", "/v1/responses", ("POST",)))
    assert status == 405
    assert headers[b"allow"] == b"POST"
    assert fields["hint"] == "Use POST."


def test_headers_cannot_be_smuggled_through_an_error() -> None:
    error = RateLimitError("x", status_code=429, request_id="a\r\nset-cookie: b", region="\n")
    _, headers, _ = told(error)
    assert b"apim-request-id" not in headers
    assert b"x-ms-region" not in headers


def test_an_error_in_a_stream_is_an_event_of_its_own() -> None:
    frame = error_event(RateLimitError("slow", status_code=429), 7)
    name, data = frame.decode().rstrip("\n").split("\n")
    event = json.loads(data.removeprefix("data: "))
    assert name == "event: error"
    assert event["type"] == "error"
    assert event["sequence_number"] == 7
    assert event["code"] == "rate_limit_exceeded"
    assert event["message"] == "slow"
