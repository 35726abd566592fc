"""Error bodies of every family to one shape."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.protocol.error_body import ErrorBody, read_error_object, read_error_reply


def _read(body: Any, status: int = 400, **headers: str) -> ErrorBody:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_error_reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


def test_the_gateways_envelope() -> None:
    body = {"error": {"code": "404", "message": "Resource not found"}}
    assert _read(body, 404) == ErrorBody(404, "Resource not found", code="404", body=body)


def test_the_services_envelope() -> None:
    body = {
        "error": {
            "message": "Unsupported parameter: 'temperature' is not supported with this model.",
            "type": "invalid_request_error",
            "param": "temperature",
            "code": None,
        }
    }
    found = _read(body)
    assert found.message.startswith("Unsupported parameter")
    assert (found.code, found.type, found.param) == (
        None,
        "invalid_request_error",
        "temperature",
    )
    assert found.body == body


def test_the_flat_envelope() -> None:
    found = _read({"statusCode": 401, "message": "Unauthorized."}, 401)
    assert (found.status, found.message, found.code) == (401, "Unauthorized.", None)


def test_the_specifications_type_error_names_no_type() -> None:
    assert _read({"error": {"code": "x", "message": "m", "type": "error"}}).type is None


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        ({"error": "nope"}, "nope", None),
        (
            {"error": {"code": 429, "message": ""}},
            "The service reported 429 without a message.",
            "429",
        ),
        (
            {"error": {"type": "server_error"}},
            "The service reported server_error without a message.",
            None,
        ),
        ({}, "The service reported an error without a message.", None),
        ({"error": None}, "The service reported an error without a message.", None),
        ({"error": []}, "The service reported an error without a message.", None),
        (
            {"error": {"code": True, "message": ["x"]}},
            "The service reported an error without a message.",
            None,
        ),
        ({"message": "bare"}, "bare", None),
    ],
)
def test_odd_objects(body: dict[str, Any], message: str, code: str | None) -> None:
    found = _read(body)
    assert (found.message, found.code, found.body) == (message, code, body)


@pytest.mark.parametrize(
    ("body", "content_type", "message", "kept"),
    [
        (b"", "", "HTTP 502 with an empty body.", None),
        (b" \r\n", "application/json", "HTTP 502 with an empty body.", None),
        (
            b"<html><head><TITLE>\n 502 Bad  Gateway </TITLE></head></html>",
            "text/html",
            "HTTP 502 with an HTML page (Bad Gateway) instead of JSON.",
            "<html><head><TITLE> 502 Bad Gateway </TITLE></head></html>",
        ),
        (
            b"  <!doctype html><title></title>",
            "",
            "HTTP 502 with an HTML page instead of JSON.",
            "<!doctype html><title></title>",
        ),
        (
            b"oops",
            "text/html; charset=utf-8",
            "HTTP 502 with an HTML page instead of JSON.",
            "oops",
        ),
        (
            b"upstream connect error",
            "text/plain",
            "HTTP 502 with a body that is not JSON: upstream connect error",
            "upstream connect error",
        ),
        (b"[1, 2]", "", "HTTP 502 with an unexpected JSON body.", [1, 2]),
        (b'"text"', "", "HTTP 502 with an unexpected JSON body.", "text"),
        (b"null", "", "HTTP 502 with an unexpected JSON body.", None),
        (
            b"\xff\xfe\x00",
            "",
            "HTTP 502 with a body that is not JSON: \ufffd\ufffd\x00",
            "\ufffd\ufffd\x00",
        ),
    ],
)
def test_bodies_that_are_no_error_object(
    body: bytes, content_type: str, message: str, kept: Any
) -> None:
    headers = {"content-type": content_type} if content_type else {}
    found = read_error_reply(502, headers, body)
    assert (found.message, found.body) == (message, kept)


@pytest.mark.parametrize(
    "answer", [{"object": "chat.completion"}, {"type": "message"}, {"object": "response"}, {}]
)
def test_a_whole_answer_in_the_place_of_a_stream_is_named_as_such(answer: dict[str, Any]) -> None:
    found = read_error_reply(200, {}, json.dumps(answer).encode())
    assert (found.message, found.type) == ("HTTP 200 with an unexpected JSON body.", None)
    assert found.body == answer
    assert read_error_reply(200, {}, b'{"message":"Bad."}').message == "Bad."


def test_a_long_text_is_shortened() -> None:
    found = _read(b"x" * 100_000)
    assert len(found.message) < 600
    assert found.message.endswith("…")
    assert len(found.body) == 501


def test_json_that_is_nested_absurdly_deep_is_no_crash() -> None:
    assert "not JSON" in _read(b'{"error":' + b"[" * 200_000).message


def test_a_byte_order_mark_before_json_is_fine() -> None:
    assert _read(b'\xef\xbb\xbf{"error":{"message":"m"}}').message == "m"


@pytest.mark.parametrize("status", [200, 201, 299])
def test_an_error_inside_a_reply_that_says_yes_names_its_own_status(status: int) -> None:
    body = {"error": {"code": "rate_limit_exceeded", "message": "m"}}
    assert _read(body, status).status == 429
    assert _read({"error": {"code": "odd", "message": "m"}}, status).status is None
    assert _read({"error": "text"}, status).status == status


_VERDICT = {"blocked": True, "source_type": "prompt", "content_filter_results": {"hate": {}}}


@pytest.mark.parametrize(
    ("error", "filters"),
    [
        ({"content_filters": [_VERDICT, "odd"]}, [_VERDICT]),
        ({"content_filters": []}, []),
        ({"content_filters": None}, []),
        ({"innererror": {"content_filter_result": {"hate": {}}}}, [_VERDICT]),
        ({"inner_error": {"content_filter_results": {"hate": {}}}}, [_VERDICT]),
        ({"innererror": {"code": "ContentFiltered"}}, []),
        ({"innererror": {"content_filter_result": "odd"}}, []),
        ({"innererror": "odd"}, []),
        ({"content_filters": [_VERDICT], "innererror": {"content_filter_result": {}}}, [_VERDICT]),
    ],
)
def test_content_filters(error: dict[str, Any], filters: list[Any]) -> None:
    assert _read({"error": {"code": "content_filter", **error}}).content_filters == filters


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"code": "rate_limit_exceeded"}, 429),
        ({"code": "too_many_requests"}, 429),
        ({"type": "too_many_requests"}, 429),
        ({"code": "insufficient_quota"}, 429),
        ({"code": 429}, 429),
        ({"code": "server_error"}, 500),
        ({"type": "server_error", "code": None}, 500),
        ({"code": "InternalServerError"}, 500),
        ({"code": "vector_store_timeout"}, 500),
        ({"code": "service_unavailable"}, 503),
        ({"code": "Timeout"}, 408),
        ({"code": "context_length_exceeded", "type": "invalid_request_error"}, 400),
        ({"code": "content_filter"}, 400),
        ({"code": None, "type": "invalid_request_error"}, 400),
        ({"code": "DeploymentNotFound"}, 404),
        ({"code": "PermissionDenied"}, 403),
        ({"code": "odd", "status": 409}, 409),
        ({"code": "odd", "status_code": 422}, 422),
        ({"code": "odd", "status": 200}, None),
        ({"code": "odd", "status": True}, None),
        ({"code": "odd", "status": "400"}, None),
        ({"code": "odd"}, None),
        ({}, None),
        ({"type": "user_error", "message": "anything"}, 400),
        (
            {
                "type": "user_error",
                "message": "Could not find an existing deployment to match the model in the "
                "request. Please verify the model matches an existing deployment in the account.",
            },
            404,
        ),
        ({"type": "image_generation_user_error", "code": None}, 400),
    ],
)
def test_the_status_an_in_stream_error_stands_for(
    event: dict[str, Any], status: int | None
) -> None:
    assert read_error_object({"type": "error", "error": event}).status == status
    assert read_error_object({**event}).status == status


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (400, "content_filter context_length_exceeded invalid_prompt invalid_request_error"),
        (400, "invalid_encrypted_content previous_response_not_found"),
        (401, "401"),
        (403, "403 permissiondenied"),
        (404, "404 deploymentnotfound model_not_found"),
        (408, "timeout"),
        (429, "429 rate_limit_exceeded too_many_requests insufficient_quota"),
        (500, "500 server_error internal_server_error internalservererror vector_store_timeout"),
        (503, "503 service_unavailable"),
    ],
)
def test_every_code_that_stands_for_a_status(status: int, codes: str) -> None:
    for code in codes.split():
        assert read_error_object({"error": {"code": code}}).status == status
        assert read_error_object({"error": {"code": code.upper()}}).status == status


def test_a_text_of_just_the_shown_length_is_shown_whole() -> None:
    assert _read(b"x" * 500).body == "x" * 500
    assert _read(b"x" * 501).body == "x" * 500 + "…"


def test_the_envelope_around_a_nested_error_may_hold_the_status() -> None:
    event = {"type": "error", "status": 409, "error": {"code": "odd", "message": "m"}}
    assert read_error_object(event).status == 409


_NAMES = ["error", "code", "message", "type", "status", "innererror", "content_filters"]
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_NAMES), inner),
)


@given(_JSON, st.integers(200, 599))
def test_any_json_is_read(value: Any, status: int) -> None:
    found = _read(value, status)
    assert found.message
    assert found.status is None or 200 <= found.status < 600


@given(st.binary(max_size=200))
def test_any_bytes_are_read(body: bytes) -> None:
    assert read_error_reply(500, {}, body).message
