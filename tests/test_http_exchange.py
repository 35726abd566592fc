"""Requests and replies as errors and raw responses show them."""

import pickle

import pytest

from azure_responses.errors import APIStatusError, RateLimitError
from azure_responses.http_exchange import (
    ErrorEnvelope,
    Headers,
    HttpRequest,
    HttpResponse,
    RequestURL,
    without_secrets,
)
from azure_responses.protocol.error_body import failure_from_event, failure_from_reply
from azure_responses.protocol.known_errors import RequestContext


def test_headers_are_read_in_any_case() -> None:
    headers = Headers({"Retry-After": "3", "x-a": "b"})
    assert headers["retry-after"] == headers["RETRY-AFTER"] == "3"
    assert headers.get("X-A") == "b"
    assert headers.get("x-none") is None
    assert "X-a" in headers
    assert len(headers) == 2
    assert [*headers] == ["retry-after", "x-a"]
    assert headers == {"retry-after": "3", "x-a": "b"}
    assert repr(headers) == "Headers({'retry-after': '3', 'x-a': 'b'})"


def test_a_url_has_the_parts_that_httpx_names() -> None:
    url = RequestURL("https://R.openai.azure.com:8443/openai/v1/responses?api-version=preview")
    assert (url.scheme, url.host, url.port) == ("https", "r.openai.azure.com", 8443)
    assert (url.path, url.query) == ("/openai/v1/responses", b"api-version=preview")
    assert url.params == {"api-version": "preview"}
    assert RequestURL("/x").host == ""
    assert str(url).endswith("preview")


def test_a_request_is_shown_without_what_may_be_a_secret() -> None:
    request = without_secrets(
        "POST",
        "https://user:pass@gw.example/x?api-version=v1&subscription-key=S3CRET&code=abc#f",
        {
            "api-key": "K",
            "Authorization": "Bearer T",
            "Ocp-Apim-Subscription-Key": "K",
            "cookie": "c",
            "content-type": "application/json",
        },
    )
    assert request.url == (
        "https://gw.example/x?api-version=v1&subscription-key=redacted&code=redacted"
    )
    assert request.headers == {"content-type": "application/json"}
    assert request.method == "POST"
    assert "application" not in repr(request)


def test_a_response_answers_as_one_of_httpx_does() -> None:
    request = HttpRequest("GET", RequestURL("https://r.example/x"), Headers({}))
    response = HttpResponse(429, Headers({"A": "b"}), b'{"error": {"code": "x"}}', request)
    assert response.json() == {"error": {"code": "x"}}
    assert response.text.encode() == response.content == response.read()
    assert response.url == request.url
    assert response.reason_phrase == "Too Many Requests"
    assert (response.is_success, response.is_error) == (False, True)
    assert (response.is_client_error, response.is_server_error) == (True, False)
    assert pickle.loads(pickle.dumps(response, 0)) == response
    odd = HttpResponse(599, Headers({}))
    assert odd.reason_phrase == ""
    assert odd.url == odd.request.method == ""
    assert odd.is_server_error


def test_an_error_of_a_call_has_the_reply_as_it_came() -> None:
    body = b'{"error": {"code": "429",  "message": "Slow down."}}'
    error = failure_from_reply(429, {"retry-after": "3"}, body, RequestContext("create"), 0.0)
    assert isinstance(error, RateLimitError)
    assert error.response.status_code == 429
    assert error.response.content == body
    assert error.response.headers["Retry-After"] == "3"
    assert error.response.request == error.request == HttpRequest()


def test_an_error_of_text_has_all_of_it() -> None:
    body = ("x" * 3000).encode()
    error = failure_from_reply(502, {}, body, RequestContext("create"), 0.0)
    assert error.response.content == body
    assert failure_from_reply(502, {}, b"", RequestContext("create"), 0.0).response.text == ""


def test_no_reply_of_an_error_repeats_a_secret() -> None:
    secret = "k" * 32
    context = RequestContext("create", secrets=(secret,))
    for body in (f'{{"error": {{"message": "key {secret}"}}}}', f"key {secret}"):
        error = failure_from_reply(401, {}, body.encode(), context, 0.0)
        assert secret not in error.response.text
        assert "[redacted]" in error.response.text


def test_an_error_inside_a_stream_has_a_reply_of_its_status() -> None:
    event = {"type": "error", "error": {"code": "rate_limit_exceeded", "message": "Slow."}}
    error = failure_from_event(event, {"x-a": "b"}, RequestContext("create"), 0.0)
    assert isinstance(error, APIStatusError)
    assert error.response.status_code == 429
    assert error.response.headers["X-A"] == "b"
    assert error.response.json()["error"]["message"] == "Slow."


@pytest.mark.parametrize(
    ("body", "content"), [(None, b""), ("text", b"text"), ({"a": 1}, b'{"a": 1}')]
)
def test_an_error_made_here_has_a_reply_of_its_body(body: object, content: bytes) -> None:
    response = APIStatusError("m", status_code=404, body=body).response
    assert (response.status_code, response.content) == (404, content)
    assert dict(response.headers) == {}


def test_the_error_object_is_read_with_its_envelope_and_without() -> None:
    body = ErrorEnvelope({"error": {"code": "x", "message": "m"}})
    assert body["error"]["code"] == body["code"] == body.get("code") == "x"
    assert body == {"error": {"code": "x", "message": "m"}}
    assert body.get("param") is None
    assert body.get("param", "p") == "p"
    with pytest.raises(KeyError):
        _ = body["param"]
    with pytest.raises(KeyError):
        _ = ErrorEnvelope({"error": "text"})["code"]
