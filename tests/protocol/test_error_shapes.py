"""Error bodies of every family of models become one shape, one class and one hint."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    AzureResponsesError,
    BadRequestError,
    ContextWindowExceededError,
    DeploymentNotFoundError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnsupportedOperationError,
)
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.error_body import failure_from_event, failure_from_reply
from azure_responses.protocol.error_shapes import read_error_fields
from azure_responses.protocol.known_errors import RequestContext, refused_api
from azure_responses.protocol.retry import is_transient

_CONTEXT = RequestContext("create", deployment="kimi")
_FORBIDDEN = {
    "type": "extra_forbidden",
    "loc": ["body", "user"],
    "msg": "Extra inputs are not permitted",
    "input": "u",
}


def _failure(status: int, body: Any, headers: dict[str, str] | None = None) -> APIStatusError:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_from_reply(status, headers or {}, sent, _CONTEXT, 0.0)


def _claude(kind: str, message: str = "No.") -> dict[str, Any]:
    return {
        "type": "error",
        "error": {"type": kind, "message": message},
        "request_id": "req_011",
    }


@pytest.mark.parametrize(
    ("status", "body", "code", "param", "message"),
    [
        (400, {"error": {"message": "Unsupported parameter: 'reasoning.effort' is not supported "
            "with this model", "type": "invalid_request_error", "param": None, "code": None}},
            None, "reasoning.effort", "Unsupported parameter"),
        (400, {"error": {"message": "Encrypted content is not supported with this model.",
            "param": "include", "type": "invalid_request_error", "code": None}},
            None, "include", "Encrypted content"),
        (400, {"error": {"message": "Unrecognized request argument supplied: prompt_cache_key",
            "type": "invalid_request_error", "param": None, "code": None}},
            None, "prompt_cache_key", "Unrecognized"),
        (400, {"code": "invalid-argument",
            "error": "Model grok-4 does not support presence_penalty"},
            "invalid-argument", "presence_penalty", "Model grok-4"),
        (400, {"code": "invalid-argument",
            "error": "Model grok-4-0709 does not support parameter presencePenalty."},
            "invalid-argument", "presence_penalty", "Model grok-4"),
        (400, {"code": "invalid-argument",
            "error": "Argument not supported on this model: stop"},
            "invalid-argument", "stop", "Argument not supported"),
        (422, {"detail": [_FORBIDDEN]}, "extra_forbidden", "user", "user: Extra inputs"),
        (400, {"error": {"code": "Invalid input", "status": 422, "message": "invalid input error",
            "details": [_FORBIDDEN]}}, "extra_forbidden", "user", "user: Extra inputs"),
        (400, {"error": {"message": json.dumps({"detail": [_FORBIDDEN]}), "status": 422}},
            "extra_forbidden", "user", "user: Extra inputs"),
        (400, {"error": {"message": json.dumps({"error": {"detail": [_FORBIDDEN]}})}},
            "extra_forbidden", "user", "user: Extra inputs"),
        (422, {"object": "error", "message": {"detail": [_FORBIDDEN]}, "type": "x", "code": None},
            "extra_forbidden", "user", "user: Extra inputs"),
        (422, {"detail": [{"type": "extra_forbidden",
            "loc": ["body", "stream_options", "include_usage"], "msg": "Extra"}]},
            "extra_forbidden", "stream_options.include_usage", "Extra"),
        (422, {"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required"}]},
            "missing", None, "Field required"),
        (422, {"detail": [{"type": "missing", "msg": "Field required"}]},
            "missing", None, "Field required"),
        (422, {"detail": "Nothing fits."}, None, None, "Nothing fits."),
        (400, {"error": {"code": "BadRequest",
            "innererror": {"code": "X", "message": "The deployment is paused."}}},
            "BadRequest", None, "The deployment is paused."),
        (400, _claude("invalid_request_error", "temperature: Extra inputs are not permitted"),
            "invalid_request_error", "temperature", "Extra inputs"),
    ],
)  # fmt: skip
def test_a_body_of_any_shape_gives_code_parameter_and_message(
    status: int, body: Any, code: str | None, param: str | None, message: str
) -> None:
    failure = _failure(status, body)
    assert isinstance(failure, BadRequestError)
    assert (failure.code, failure.param) == (code, param)
    assert message in failure.message
    assert failure.body == body


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        ("invalid_request_error", 400, BadRequestError),
        ("authentication_error", 401, AuthenticationError),
        ("billing_error", 402, BadRequestError),
        ("permission_error", 403, PermissionDeniedError),
        ("not_found_error", 404, NotFoundError),
        ("request_too_large", 413, BadRequestError),
        ("rate_limit_error", 429, RateLimitError),
        ("api_error", 500, InternalServerError),
        ("timeout_error", 504, InternalServerError),
        ("overloaded_error", 529, InternalServerError),
    ],
)
def test_the_types_of_claude_have_their_class_in_replies_and_streams(
    kind: str, status: int, error: type[APIStatusError]
) -> None:
    failure = _failure(status, _claude(kind))
    assert type(failure) is error
    assert (failure.code, failure.type, failure.request_id) == (kind, kind, "req_011")
    streamed = failure_from_event(_claude(kind), {}, _CONTEXT, 0.0)
    assert type(streamed) is error
    assert isinstance(streamed, APIStatusError)
    assert streamed.status_code == status


@pytest.mark.parametrize("status", [429, 500, 504, 529])
def test_what_claude_may_answer_later_is_tried_again(status: int) -> None:
    assert is_transient(_failure(status, _claude("overloaded_error")))


def test_an_unknown_model_of_claude_is_a_missing_deployment() -> None:
    failure = _failure(404, _claude("not_found_error", "model: kimi"))
    assert type(failure) is DeploymentNotFoundError
    assert "'kimi'" in (failure.hint or "")


@pytest.mark.parametrize(
    "message",
    [
        "prompt is too long: 210000 tokens > 200000 maximum",
        "input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000",
        "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
        "Invalid request: Your request exceeded model token limit: 262144",
        "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
    ],
)
def test_an_input_that_is_too_long_is_known_in_every_family(message: str) -> None:
    assert type(_failure(400, {"error": {"message": message}})) is ContextWindowExceededError


def test_the_id_of_a_request_is_read_from_claudes_header() -> None:
    headers = {"request-id": "req_head"}
    assert _failure(400, _claude("invalid_request_error"), headers).request_id == "req_head"
    assert _failure(400, {"error": {}, "request_id": 7}).request_id is None


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (422, {"detail": [_FORBIDDEN]}, ["'user'", "additional_drop_params: [user]",
            "drop_params: true"]),
        (400, {"error": {"message": "Unsupported parameter: 'reasoning.effort' is not supported "
            "with this model"}}, ["facts: {refused_by_responses: [reasoning.effort]}"]),
        (422, {"detail": [{**_FORBIDDEN, "loc": ["body", "stream_options", "x"]}]},
            ["facts: {refused_by_chat: [stream_options.x]}"]),
        (400, {"error": {"message": "Unrecognized request argument supplied: thinking"}},
            ["additional_drop_params: [thinking]"]),
        (400, {"code": "invalid-argument", "error": "Model grok-4 does not support stop"},
            ["additional_drop_params: [stop]"]),
        (422, {"detail": [{**_FORBIDDEN, "loc": ["body", "max_completion_tokens"]}]},
            ["facts: {max_tokens_name: max_tokens}"]),
        (400, _claude("invalid_request_error", "top_k: Extra inputs are not permitted"),
            ["additional_drop_params: [top_k]"]),
        (400, {"error": {"message": "Unsupported parameter."}}, ["Leave the parameter out"]),
    ],
)  # fmt: skip
def test_the_hint_names_the_parameter_and_the_line_that_drops_it(
    status: int, body: Any, words: list[str]
) -> None:
    hint = _failure(status, body).hint or ""
    assert [word for word in words if word not in hint] == []


_NOT_ON_RESPONSES = {"error": {"message": "This model is not supported by the Responses API."}}
_UNSUPPORTED = {
    "error": {"code": "OperationNotSupported", "message": "The requested operation is unsupported."}
}
_WRONG_API = {"error": {"code": "api_not_supported", "message": "API not supported."}}
_REASONS = {
    "error": {
        "message": "Function tools with reasoning_effort are not supported for gpt-5.4 in "
        "/v1/chat/completions. Please use /v1/responses instead."
    }
}


@pytest.mark.parametrize(
    ("status", "body", "called", "instead"),
    [
        (400, _NOT_ON_RESPONSES, "responses", "chat"),
        (400, _NOT_ON_RESPONSES, "chat", None),
        (400, {"error": {"message": "Model not supported"}}, "responses", "chat"),
        (400, _UNSUPPORTED, "responses", "chat"),
        (400, _UNSUPPORTED, "chat", "responses"),
        (400, {"error": {"code": "OperationNotSupported", "message": "The chatCompletion operation "
            "does not work with the specified model, gpt-5-codex."}}, "chat", "responses"),
        (400, {"error": {"code": "OperationNotSupported", "message": "The responses operation "
            "does not work with the specified model, kimi."}}, "responses", "chat"),
        (404, _WRONG_API, "responses", "messages"),
        (404, _WRONG_API, "chat", "messages"),
        (404, _WRONG_API, "messages", None),
        (400, _REASONS, "chat", "responses"),
        (404, {"error": {"message": "This model is only supported in v1/responses and not in "
            "v1/chat/completions."}}, "chat", "responses"),
        (404, {"error": {"code": "DeploymentNotFound", "message": "No."}}, "responses", None),
        (400, {"error": {"message": "Unsupported parameter: 'n'"}}, "responses", None),
        (429, {"error": {"message": "Model not supported"}}, "responses", None),
    ],
)  # fmt: skip
def test_a_refusal_tells_which_api_the_deployment_speaks(
    status: int, body: Any, called: APIName, instead: APIName | None
) -> None:
    failure = _failure(status, body)
    assert refused_api(failure, called) == instead
    if instead:
        assert isinstance(failure, UnsupportedOperationError)
        assert failure.hint


@pytest.mark.parametrize("error", [APIConnectionError("broken"), AzureResponsesError("other")])
def test_a_failure_without_a_status_tells_of_no_other_api(error: AzureResponsesError) -> None:
    assert refused_api(error, "responses") is None


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Unsupported value: 'temperature' does not support 0.1 with this model.", "temperature"),
        ("Unknown parameter: 'input[0].status'.", "input[0].status"),
        ("The model does not support images.", None),
        ("This model does not support image input", None),
        ("{not json", None),
        ("{" * 10_000, None),
        ('{"detail": []}', None),
        ('{"detail": [7]}', None),
        ('{"detail": [{"msg": 7}]}', None),
        ('{"other": 7}', None),
    ],
)
def test_a_message_that_names_no_parameter_gives_none(message: str, param: str | None) -> None:
    fields = read_error_fields({"error": {"message": message}})
    assert (fields.message, fields.param) == (message, param)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "error",
                    "message",
                    "detail",
                    "details",
                    "loc",
                    "msg",
                    "type",
                    "code",
                    "innererror",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["error", "detail", "type", "code", "message"]), _JSON))
def test_no_body_is_too_odd_to_be_read(body: dict[str, Any]) -> None:
    fields = read_error_fields(body)
    assert all(isinstance(part, str | None) for part in fields[:4])
    assert isinstance(_failure(400, body), BadRequestError)


def test_details_as_text_beside_a_message_lose_no_code() -> None:
    text = "Requested API is currently not supported"
    error = _failure(
        404, {"error": {"code": "api_not_supported", "message": text, "details": text}}
    )
    assert error.code == "api_not_supported"
    assert refused_api(error, "responses") == "messages"
