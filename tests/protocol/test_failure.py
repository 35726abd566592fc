"""Every error body Azure has been seen to send, to its class, code and hint."""

import json
from typing import Any

import pytest

from azure_responses import errors
from azure_responses.errors import APIStatusError, ContentFilterError, ResponseFailedError
from azure_responses.protocol.failure import (
    failure_from_event,
    failure_from_reply,
    failure_from_response,
    redact,
)
from azure_responses.protocol.hints import Situation
from tests.recordings import Exchange, exchanges

_NOW = 1_787_000_000.0
_CREATE = Situation("create", deployment="gpt-5-mini", scope="https://ai.azure.com/.default")
_RETRIEVE = Situation("retrieve", response_id="resp_1")


def _reply(
    status: int, body: Any, situation: Situation = _CREATE, headers: dict[str, str] | None = None
) -> APIStatusError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_from_reply(status, headers or {}, raw, situation, _NOW)


def _error(message: str, code: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "code": code, **fields}}


_INVALID = {"type": "invalid_request_error", "param": None}
_WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
    "valid key for an active subscription and use a correct regional API endpoint for your "
    "resource."
)
_FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI{}s content management "
    "policy. Please modify your prompt and retry."
)

# status, body, class, code, words of the hint (None: there is no hint)
_CASES: list[tuple[int, Any, str, str | None, str | None]] = [
    # Access.
    (401, _error(_WRONG_KEY, "401"), "AuthenticationError", "401", "Keys and Endpoint"),
    (
        401,
        {
            "statusCode": 401,
            "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
            "(https://cognitiveservices.azure.com), or have expired.",
        },
        "AuthenticationError",
        None,
        "https://ai.azure.com/.default",
    ),
    (
        401,
        b'{ "statusCode": 401, "message": "Unauthorized. Access token is missing, invalid, audience'
        b" is incorrect (https://cognitiveservices.azure.com/ or https://ai.azure.com/), or have"
        b' expired." }',
        "AuthenticationError",
        None,
        "scope=",
    ),
    (
        401,
        _error(
            "The principal `00000000-0000-0000-0000-000000000000` lacks the required data action "
            "`Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform "
            "`POST /openai/v1/responses` operation.",
            "PermissionDenied",
        ),
        "PermissionDeniedError",
        "PermissionDenied",
        "Cognitive Services OpenAI User",
    ),
    (
        401,
        _error("Principal does not have access to API/Operation.", "PermissionDenied"),
        "PermissionDeniedError",
        "PermissionDenied",
        "role",
    ),
    (
        403,
        _error("Key based authentication is disabled for this resource.", "AuthenticationTypeDisabled"),
        "PermissionDeniedError",
        "AuthenticationTypeDisabled",
        "leave api_key out",
    ),
    (
        403,
        _error("Access denied due to Virtual Network/Firewall rules.", "403"),
        "PermissionDeniedError",
        "403",
        "firewall",
    ),
    (
        403,
        _error("Public access is disabled. Please configure private endpoint.", "403"),
        "PermissionDeniedError",
        "403",
        "private endpoint",
    ),
    (
        403,
        _error("Your resource has been temporarily blocked because we detected …", "403"),
        "PermissionDeniedError",
        "403",
        "Azure support",
    ),
    (403, _error("No.", "403"), "PermissionDeniedError", "403", "Assign the role"),
    (
        400,
        _error(
            "Please provide a custom subdomain for token authentication, otherwise API key is "
            "required.",
            "BadRequest",
        ),
        "BadRequestError",
        "BadRequest",
        "regional host",
    ),
    (
        500,
        _error("Unable to get resource information.", "InternalServerError"),
        "InternalServerError",
        "InternalServerError",
        "tenant",
    ),
    # Not found.
    (404, _error("Resource not found", "404"), "NotFoundError", "404", "no api-version"),
    (
        404,
        _error(
            "Unknown request URL: POST /v1/responses/input_tokens. Please check the URL for typos, "
            "or see the docs at https://platform.openai.com/docs/api-reference/.",
            "unknown_url",
            **_INVALID,
        ),
        "NotFoundError",
        "unknown_url",
        "does not offer",
    ),
    (
        404,
        _error("Invalid URL (POST /v1/responses)", **_INVALID),
        "NotFoundError",
        None,
        "path was not found",
    ),
    (
        404,
        b"""{
  "error": {
    "type": "invalid_request_error",
    "code": "DeploymentNotFound",
    "message": "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."
  }
}""",  # noqa: E501
        "DeploymentNotFoundError",
        "DeploymentNotFound",
        "'gpt-5-mini' is not one",
    ),
    (
        404,
        _error(
            "The requested model '-' with deployment name - does not exist.",
            "model_not_found",
            type="invalid_request_error",
            param="model",
        ),
        "DeploymentNotFoundError",
        "model_not_found",
        "name of a deployment",
    ),
    (
        404,
        _error(
            "Could not find an existing deployment to match the model in the request. Please verify"
            " the model matches an existing deployment in the account.",
            type="user_error",
        ),
        "DeploymentNotFoundError",
        None,
        "name of a deployment",
    ),
    (
        400,
        _error(
            "The chatCompletion operation does not work with the specified model, gpt-5.1-codex. "
            "Please choose a different model and try again. You can learn more about which models "
            "can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993"
            " .",
            "OperationNotSupported",
        ),
        "UnsupportedOperationError",
        "OperationNotSupported",
        "Responses API only",
    ),
    # Validation.
    (
        400,
        _error("API version not supported", "BadRequest"),
        "UnsupportedOperationError",
        "BadRequest",
        "takes no dated version",
    ),
    (
        400,
        _error(
            "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and "
            "later",
            "BadRequest",
        ),
        "UnsupportedOperationError",
        "BadRequest",
        "api_version",
    ),
    (
        400,
        _error(
            "Model o1 is enabled only for api versions 2024-12-01-preview and later", "BadRequest"
        ),
        "UnsupportedOperationError",
        "BadRequest",
        "api_version",
    ),
    (
        400,
        _error(
            "Unsupported parameter: 'temperature' is not supported with this model.",
            type="invalid_request_error",
            param="temperature",
        ),
        "BadRequestError",
        None,
        "temperature nor top_p",
    ),
    (
        400,
        _error(
            "Unsupported value: 'temperature' does not support 0.1 with this model. Only the "
            "default (1) value is supported.",
            "unsupported_value",
            type="invalid_request_error",
            param="temperature",
        ),
        "BadRequestError",
        "unsupported_value",
        "temperature nor top_p",
    ),
    (
        400,
        _error(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "unsupported_parameter",
            type="invalid_request_error",
            param="max_tokens",
        ),
        "BadRequestError",
        "unsupported_parameter",
        "Leave the parameter out",
    ),
    (
        400,
        _error("Unsupported parameter: 'messages'.", "unsupported_parameter", **_INVALID),
        "BadRequestError",
        "unsupported_parameter",
        "not `messages`",
    ),
    (
        400,
        _error("Unsupported parameter: 'messages'.", **_INVALID),
        "BadRequestError",
        None,
        "not `messages`",
    ),
    (
        400,
        _error("Unknown parameter: 'input[0].status'.", "unknown_parameter", **_INVALID),
        "BadRequestError",
        "unknown_parameter",
        "must not carry `status`",
    ),
    (
        400,
        _error(
            "This model's maximum context length is 4096 tokens. However, you requested 4201 tokens"
            " (3177 in the messages, 1024 in the completion). Please reduce the length of the "
            "messages or completion.",
            "context_length_exceeded",
            type="invalid_request_error",
            param="messages",
        ),
        "ContextWindowExceededError",
        "context_length_exceeded",
        "truncation='auto'",
    ),
    (
        400,
        _error(
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
            "509178 tokens. Please reduce the length of the messages."
        ),
        "ContextWindowExceededError",
        None,
        "truncation='auto'",
    ),
    (
        400,
        _error(
            "Your input exceeds the context window of this model. Please adjust your input and try "
            "again."
        ),
        "ContextWindowExceededError",
        None,
        "truncation='auto'",
    ),
    (
        400,
        _error(
            "imagegen deployment must be provided through header: "
            "x-ms-oai-image-generation-deployment",
            "invalid_request_error",
            type="image_generation_user_error",
            param="tools",
        ),
        "BadRequestError",
        "invalid_request_error",
        "extra_headers",
    ),
    (
        400,
        _error("There was an issue with your request. Please check your inputs and try again", **_INVALID),
        "BadRequestError",
        None,
        None,
    ),
    (
        400,
        _error(
            "Previous response with id 'resp_123' not found.",
            "previous_response_not_found",
            type="invalid_request_error",
            param="previous_response_id",
        ),
        "ResponseNotFoundError",
        "previous_response_not_found",
        "send the conversation",
    ),
    (
        400,
        _error(
            "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
            **_INVALID,
        ),
        "BadRequestError",
        None,
        "reasoning.encrypted_content",
    ),
    (
        400,
        _error(
            "The encrypted content gAAA...= could not be verified. Reason: Encrypted content could "
            "not be decrypted or parsed.",
            "invalid_encrypted_content",
            **_INVALID,
        ),
        "BadRequestError",
        "invalid_encrypted_content",
        "resource that made it",
    ),
    (
        400,
        _error("No tool call found for function call output with call_id call_1.", **_INVALID),
        "BadRequestError",
        None,
        "function_call item before",
    ),
    # Content filter.
    (
        400,
        _error(
            _FILTERED.format("'"),
            "content_filter",
            type=None,
            param="prompt",
            status=400,
            innererror={
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
            },
        ),
        "ContentFilterError",
        "content_filter",
        "category and severity",
    ),
    (
        400,
        _error(
            _FILTERED.format("’"),
            "content_filter",
            type="invalid_request_error",
            param="prompt",
            content_filters=[{"blocked": True, "source_type": "prompt"}],
            innererror={"code": "ContentFiltered"},
        ),
        "ContentFilterError",
        "content_filter",
        "category and severity",
    ),
    (
        400,
        _error("something worded otherwise altogether", "content_filter"),
        "ContentFilterError",
        "content_filter",
        "category and severity",
    ),
    # Limits, capacity, server.
    (
        429,
        _error(
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
            "2024-05-01-preview have exceeded token rate limit of your current OpenAI S0 pricing "
            "tier. Please retry after 86400 seconds. Please go here: "
            "https://aka.ms/oai/quotaincrease if you would like to further increase the default "
            "rate limit.",
            "429",
        ),
        "RateLimitError",
        "429",
        "quota",
    ),
    (
        429,
        _error(
            "The system is currently experiencing high demand and cannot process your request. Your"
            " request exceeds the maximum usage size allowed during peak load. Please retry after "
            "20 seconds. For improved latency reliability, consider switching to Provisioned "
            "Throughput.",
            "429",
        ),
        "RateLimitError",
        "429",
        "region is busy",
    ),
    (408, _error("The operation was timeout.", "Timeout"), "BadRequestError", "Timeout", None),
    (
        500,
        _error(
            "That model is currently overloaded with other requests.",
            type="server_error",
            param=None,
        ),
        "InternalServerError",
        None,
        None,
    ),
    (409, _error("Busy.", "Conflict"), "ConflictError", "Conflict", None),
    (413, _error("Too large.", "context_length_exceeded"), "ContextWindowExceededError", "context_length_exceeded", None),
    (422, _error("No."), "BadRequestError", None, None),
    (503, b"", "InternalServerError", None, None),
    (418, b"I'm a teapot", "BadRequestError", None, None),
    (302, b"", "APIStatusError", None, "redirected"),
    (200, b"<html>Sign in</html>", "APIStatusError", None, "not answered by Azure OpenAI"),
    (200, b"", "APIStatusError", None, "not answered by Azure OpenAI"),
    (200, _error("Slow down.", "rate_limit_exceeded"), "RateLimitError", "rate_limit_exceeded", "quota"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind", "code", "hint"), _CASES)
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
        (404, _error("Response with id 'resp_1' not found.", **_INVALID), "ResponseNotFoundError"),
        (404, _error("No such thing."), "ResponseNotFoundError"),
        (404, b"", "ResponseNotFoundError"),
        (404, _error("Response with id 'resp_1' not found.", "404"), "ResponseNotFoundError"),
        (404, _error("Resource not found", "404"), "NotFoundError"),
        (404, _error("Unknown request URL: GET /v1/x", "unknown_url"), "NotFoundError"),
        (400, _error("Response was not created in background mode."), "BadRequestError"),
    ],
)
def test_a_stored_response_that_is_not_there(status: int, body: Any, kind: str) -> None:
    assert type(_reply(status, body, _RETRIEVE)) is getattr(errors, kind)


@pytest.mark.parametrize(
    "body",
    [
        b"POST /openai/responses not found",
        _error("Route /openai/v1/responses was not found."),
        _error("No handler for /response: not found"),
    ],
)
def test_a_path_that_is_not_found_is_no_missing_response(body: Any) -> None:
    assert type(_reply(404, body)) is errors.NotFoundError


def test_the_fields_come_from_body_and_headers() -> None:
    error = _reply(
        429,
        _error("Slow.", "429", type="requests", param="x"),
        headers={
            "apim-request-id": "apim-1",
            "x-request-id": "x-1",
            "x-ms-region": "East US 2",
            "retry-after": "7",
        },
    )
    assert (error.status_code, error.code, error.type, error.param) == (429, "429", "requests", "x")
    assert (error.request_id, error.region, error.retry_after) == ("apim-1", "East US 2", 7.0)
    assert error.body == _error("Slow.", "429", type="requests", param="x")


def test_the_second_best_request_id() -> None:
    assert _reply(500, b"", headers={"x-request-id": "x-1"}).request_id == "x-1"
    assert _reply(500, b"").request_id is None


def test_the_sentence_in_the_body_becomes_retry_after() -> None:
    assert _reply(429, _error("Please retry after 45 seconds.", "429")).retry_after == 45.0


def test_content_filter_verdicts_are_kept() -> None:
    error = _reply(
        400,
        _error(
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
        ({"type": "error", "code": "too_many_requests", "message": "Too Many Requests"}, "RateLimitError", 429),
        ({"type": "error", "code": "server_error", "message": "m"}, "InternalServerError", 500),
        ({"type": "error", "error": {"type": "server_error", "message": "m"}}, "InternalServerError", 500),
        ({"type": "error", "code": None, "message": "m"}, "InternalServerError", 500),
        ({"type": "error", "code": "unheard_of", "message": "m"}, "InternalServerError", 500),
        ({"type": "error"}, "InternalServerError", 500),
        (
            {"type": "error", "error": {"code": "context_length_exceeded", "param": "input",
             "message": "Your input exceeds the context window of this model."}},
            "ContextWindowExceededError",
            400,
        ),
        ({"type": "error", "code": "invalid_image_url", "message": "m"}, "BadRequestError", 400),
        ({"type": "error", "code": "bio_policy", "message": "m"}, "BadRequestError", 400),
        (
            {"type": "error", "error": {"type": "user_error",
             "message": "Could not find an existing deployment to match the model in the request."}},
            "DeploymentNotFoundError",
            404,
        ),
        (
            {"type": "error", "status": 400, "error": {"code": "previous_response_not_found",
             "message": "Previous response with id 'resp_abc' not found."}},
            "ResponseNotFoundError",
            400,
        ),
    ],
)  # fmt: skip
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
_WITH_SECRET = Situation("create", secrets=(_SECRET,))


def _everything(error: BaseException) -> str:
    return f"{error!s} {error!r} {error.__dict__!r}"


@pytest.mark.parametrize(
    "body",
    [
        _error(f"bad key {_SECRET}"),
        _error("m", _SECRET),
        _error("m", "content_filter", content_filters=[{"echo": [{"deep": _SECRET}]}]),
        _error("m", type=_SECRET, param=_SECRET),
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
def test_no_secret_survives_in_an_error(body: Any, status: int) -> None:
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


def test_redaction_replaces_every_secret_everywhere() -> None:
    assert redact("xx yy xx", ["xx", "yy"]) == "[redacted] [redacted] [redacted]"
    assert redact("nothing", []) == "nothing"


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
