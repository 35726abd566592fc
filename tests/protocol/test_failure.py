"""Every error body Azure has been seen to send, to its class, code and hint."""

import json
import time
from typing import Any

import pytest

from azure_responses import errors
from azure_responses.errors import APIStatusError, ContentFilterError, ResponseFailedError
from azure_responses.protocol.error_body import (
    failure_from_event,
    failure_from_reply,
    failure_from_response,
)
from azure_responses.protocol.known_errors import RequestContext
from tests.protocol.error_bodies import ERROR_BODIES, INVALID, error_body
from tests.recordings import Exchange, exchanges

_NOW = 1_787_000_000.0
_CREATE = RequestContext("create", deployment="gpt-5-mini", scope="https://ai.azure.com/.default")
_RETRIEVE = RequestContext("retrieve", response_id="resp_1")


def _reply(
    status: int, body: Any, context: RequestContext = _CREATE, headers: dict[str, str] | None = None
) -> APIStatusError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_from_reply(status, headers or {}, raw, context, _NOW)


@pytest.mark.parametrize(("status", "body", "kind", "code", "hint"), ERROR_BODIES)
def test_every_reported_body_has_its_class_code_and_hint(
    status: int, body: Any, kind: str, code: str | None, hint: str | None
) -> None:
    error = _reply(status, body)
    assert type(error) is getattr(errors, kind)
    assert error.code == code
    assert error.message
    assert error.hint is None if hint is None else hint in (error.hint or "")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (
            404,
            error_body("Response with id 'resp_1' not found.", **INVALID),
            "ResponseNotFoundError",
        ),
        (404, error_body("No such thing."), "ResponseNotFoundError"),
        (404, b"", "ResponseNotFoundError"),
        (404, error_body("Response with id 'resp_1' not found.", "404"), "ResponseNotFoundError"),
        (404, error_body("Resource not found", "404"), "NotFoundError"),
        (404, error_body("Unknown request URL: GET /v1/x", "unknown_url"), "NotFoundError"),
        (400, error_body("Response was not created in background mode."), "BadRequestError"),
    ],
)
def test_a_stored_response_that_is_not_there(status: int, body: Any, kind: str) -> None:
    assert type(_reply(status, body, _RETRIEVE)) is getattr(errors, kind)


@pytest.mark.parametrize(
    "body",
    [
        b"POST /openai/responses not found",
        error_body("Route /openai/v1/responses was not found."),
        error_body("No handler for /response: not found"),
    ],
)
def test_a_path_that_is_not_found_is_no_missing_response(body: Any) -> None:
    assert type(_reply(404, body)) is errors.NotFoundError


def test_the_fields_come_from_body_and_headers() -> None:
    error = _reply(
        429,
        error_body("Slow.", "429", type="requests", param="x"),
        headers={
            "apim-request-id": "apim-1",
            "x-request-id": "x-1",
            "x-ms-region": "East US 2",
            "retry-after": "7",
        },
    )
    assert (error.status_code, error.code, error.type, error.param) == (429, "429", "requests", "x")
    assert (error.request_id, error.region, error.retry_after) == ("apim-1", "East US 2", 7.0)
    assert error.body == error_body("Slow.", "429", type="requests", param="x")


def test_what_is_left_of_the_limits_is_kept() -> None:
    headers = {"x-ratelimit-remaining-tokens": "0", "set-cookie": "a=b"}
    error = failure_from_reply(429, headers, b"{}", _CREATE, _NOW)
    assert error.rate_limits == {"x-ratelimit-remaining-tokens": "0"}
    assert failure_from_reply(429, {}, b"{}", _CREATE, _NOW).rate_limits == {}


def test_the_second_best_request_id() -> None:
    assert _reply(500, b"", headers={"x-request-id": "x-1"}).request_id == "x-1"
    assert _reply(500, b"").request_id is None


def test_the_sentence_in_the_body_becomes_retry_after() -> None:
    assert _reply(429, error_body("Please retry after 45 seconds.", "429")).retry_after == 45.0


def test_content_filter_verdicts_are_kept() -> None:
    error = _reply(
        400,
        error_body(
            "x",
            "content_filter",
            innererror={"content_filter_result": {"hate": {"filtered": True}}},
        ),
    )
    assert isinstance(error, ContentFilterError)
    assert error.content_filters == [
        {
            "blocked": True,
            "source_type": "prompt",
            "content_filter_results": {"hate": {"filtered": True}},
        }
    ]


# Events, in the three orders a streamed rate limit arrives in, and others.

_LIMITED = {
    "type": "error",
    "error": {
        "type": "too_many_requests",
        "code": "rate_limit_exceeded",
        "headers": {"x-ms-fe-error": "true"},
        "message": "Your requests to d for m in r have exceeded token rate limit.",
        "param": None,
    },
    "sequence_number": 1,
}


def _event(event: dict[str, Any]) -> APIStatusError:
    error = failure_from_event(event, {"retry-after": "3"}, _CREATE, _NOW)
    assert isinstance(error, APIStatusError)
    return error


def test_a_streamed_rate_limit_is_a_rate_limit() -> None:
    error = _event(_LIMITED)
    assert type(error) is errors.RateLimitError
    assert (error.status_code, error.code, error.retry_after) == (429, "rate_limit_exceeded", 3.0)
    assert "sequence_number" not in error.body


@pytest.mark.parametrize(
    ("event", "kind", "status"),
    [
        (
            {"type": "error", "code": "too_many_requests", "message": "Too Many Requests"},
            "RateLimitError",
            429,
        ),
        ({"type": "error", "code": "server_error", "message": "m"}, "InternalServerError", 500),
        (
            {"type": "error", "error": {"type": "server_error", "message": "m"}},
            "InternalServerError",
            500,
        ),
        ({"type": "error", "code": None, "message": "m"}, "InternalServerError", 500),
        ({"type": "error", "code": "unheard_of", "message": "m"}, "InternalServerError", 500),
        ({"type": "error"}, "InternalServerError", 500),
        (
            {
                "type": "error",
                "error": {
                    "code": "context_length_exceeded",
                    "param": "input",
                    "message": "Your input exceeds the context window of this model.",
                },
            },
            "ContextWindowExceededError",
            400,
        ),
        ({"type": "error", "code": "invalid_image_url", "message": "m"}, "BadRequestError", 400),
        ({"type": "error", "code": "bio_policy", "message": "m"}, "BadRequestError", 400),
        (
            {
                "type": "error",
                "error": {
                    "type": "user_error",
                    "message": "Could not find an existing deployment to match the model.",
                },
            },
            "DeploymentNotFoundError",
            404,
        ),
        (
            {
                "type": "error",
                "status": 400,
                "error": {
                    "code": "previous_response_not_found",
                    "message": "Previous response with id 'resp_abc' not found.",
                },
            },
            "ResponseNotFoundError",
            400,
        ),
    ],
)
def test_error_events(event: dict[str, Any], kind: str, status: int) -> None:
    error = _event(event)
    assert (type(error), error.status_code) == (getattr(errors, kind), status)


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        ({"code": "rate_limit_exceeded", "message": "m"}, "RateLimitError", "rate_limit_exceeded"),
        ({"code": "server_error", "message": "m"}, "InternalServerError", "server_error"),
        ({"code": "content_filter", "message": "m"}, "ContentFilterError", "content_filter"),
        ({"code": "bio_policy", "message": "m"}, "ResponseFailedError", "bio_policy"),
        ({"code": "invalid_image", "message": "m"}, "ResponseFailedError", "invalid_image"),
        ({"message": "m"}, "ResponseFailedError", None),
        ("m", "ResponseFailedError", None),
        (["m"], "ResponseFailedError", None),
        ([{"code": "server_error", "message": "m"}], "InternalServerError", "server_error"),
    ],
)
def test_failed_responses(error: Any, kind: str, code: str | None) -> None:
    response = object()
    failure = failure_from_response(response, error, {"x-request-id": "x"}, _CREATE, _NOW)
    assert type(failure) is getattr(errors, kind)
    assert failure.message == "m"
    assert getattr(failure, "code", None) == code
    assert getattr(failure, "request_id", None) == "x"
    if isinstance(failure, ResponseFailedError):
        assert failure.response is response


@pytest.mark.parametrize("error", [None, {}, [], 7])
def test_a_failed_response_without_a_reason_says_so(error: Any) -> None:
    failure = failure_from_response(None, error, {}, _CREATE, _NOW)
    assert type(failure) is ResponseFailedError
    assert "no reason" in failure.message


# Secrets.

_SECRET = "hush-0123456789abcdef"
_WITH_SECRET = RequestContext("create", secrets=(_SECRET,))


def _everything(error: BaseException) -> str:
    return f"{error!s} {error!r} {error.__dict__!r}"


@pytest.mark.parametrize(
    "body",
    [
        error_body(f"bad key {_SECRET}"),
        error_body("m", _SECRET),
        error_body("m", "content_filter", content_filters=[{"echo": [{"deep": _SECRET}]}]),
        error_body("m", type=_SECRET, param=_SECRET),
        {"error": {"message": "m", "echo": {"headers": [f"api-key: {_SECRET}"]}}},
        [f"x {_SECRET}"],
        f"<html><title>{_SECRET}</title>{_SECRET}</html>".encode(),
        f"you sent {_SECRET}".encode(),
        # Cut by the shortening, and hidden from a search by JSON's own escapes.
        b"x" * 490 + _SECRET.encode(),
        b'{"error": {"message": "hush\\u002d0123456789abcdef"}}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_secret_survives_in_anerror_body(body: Any, status: int) -> None:
    shown = _everything(_reply(status, body, _WITH_SECRET))
    assert _SECRET not in shown
    assert _SECRET[:9] not in shown


def test_no_secret_survives_in_the_error_of_a_stream() -> None:
    event = {"type": "error", "error": {"message": _SECRET, "code": "x", "echo": [_SECRET]}}
    assert _SECRET not in _everything(failure_from_event(event, {}, _WITH_SECRET, _NOW))
    failed = failure_from_response(
        None, {"message": _SECRET, "code": f"c-{_SECRET}"}, {}, _WITH_SECRET, _NOW
    )
    assert _SECRET not in _everything(failed)


def test_a_situation_shows_no_secret() -> None:
    assert _SECRET not in repr(_WITH_SECRET)


# Recordings.


def _refused() -> list[Exchange]:
    return [exchange for exchange in exchanges() if (exchange.status or 0) >= 400]


def test_every_recorded_refusal_has_a_specific_class() -> None:
    refused = _refused()
    assert len(refused) >= 5
    for exchange in refused:
        assert exchange.status is not None
        body = exchange.body if exchange.body is not None else json.loads(exchange.sse or "")
        error = _reply(exchange.status, body)
        expected = {
            "unsupported_parameter": errors.BadRequestError,
            "empty_array": errors.BadRequestError,
            "model_not_found": errors.DeploymentNotFoundError,
            "DeploymentNotFound": errors.DeploymentNotFoundError,
        }
        assert type(error) is expected[body["error"]["code"]], exchange.id
        assert error.status_code == exchange.status


def test_every_recorded_error_event_has_a_specific_class() -> None:
    found = 0
    for exchange in exchanges():
        for event in exchange.event_objects():
            if event.get("type") == "error":
                found += 1
                assert type(_event(event)) is errors.RateLimitError
            if event.get("type") == "response.failed":
                found += 1
                error = failure_from_response(None, event["response"]["error"], {}, _CREATE, _NOW)
                assert type(error) is errors.RateLimitError
    assert found >= 2


_CALLS_BODIES = [
    (404, b'{"error":{"code":"DeploymentNotFound","message":"It does not exist."}}'),
    (401, b'{"error":{"code":"401","message":"Access denied, invalid key 1x."}}'),
    (400, b'{"error":{"code":"content_filter","message":"text","type":"test","status":400}}'),
    (400, b'{"error":{"code":"context_length_exceeded","message":"sk, 128000 tokens at most"}}'),
    (429, b'{"error":{"code":"429","message":"Please retry after 11 seconds."}}'),
    (502, b"<html><title>Bad gateway x1 sk test</title></html>"),
    (500, b"text of a test"),
]


@pytest.mark.parametrize(("status", "body"), _CALLS_BODIES)
@pytest.mark.parametrize("placeholder", ["x", "1", "e", '"', ":", "sk", "test", "error", "code"])
def test_a_placeholder_for_a_key_changes_no_error(
    status: int, body: bytes, placeholder: str
) -> None:
    headers = {"apim-request-id": "id-1"}
    without = failure_from_reply(status, headers, body, RequestContext("create"), 0.0)
    told = failure_from_reply(
        status, headers, body, RequestContext("create", secrets=(placeholder,)), 0.0
    )
    assert type(told) is type(without)
    assert told.__dict__ == without.__dict__


def test_a_key_is_taken_out_of_every_field_and_of_text_that_is_cut_within_it() -> None:
    key = "0123456789abcdef0123456789abcdef"
    error = {"message": f"bad {key}", "code": key, "param": key, "inner": [{key: key}]}
    body = json.dumps({"error": error}).encode()
    told = failure_from_reply(401, {}, body, RequestContext("create", secrets=(key,)), 0.0)
    assert key not in repr(told.__dict__)
    text = b"." * 490 + key.encode()
    cut = failure_from_reply(401, {}, text, RequestContext("create", secrets=(key,)), 0.0)
    assert key[:8] not in repr(cut.__dict__)


@pytest.mark.parametrize(
    "words", ["deployment ", "response ", "retry after 1", "1h", "api version "]
)
def test_a_message_of_any_length_is_read_in_little_time(words: str) -> None:
    began = time.process_time()
    error = _reply(404, {"error": {"message": words * (1_000_000 // len(words))}})
    # Patterns that go on to the end from each place where they begin take a minute and more.
    assert time.process_time() - began < 3.0
    assert error.status_code == 404
