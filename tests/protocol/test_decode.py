"""The body of a successful reply to its model."""

import json
from typing import Any

import pytest

from azure_responses.errors import (
    APIStatusError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
    ResponseFailedError,
    UnreadableResponseError,
)
from azure_responses.protocol.decode import decode
from azure_responses.protocol.http_message import Reply
from azure_responses.types.models import ModelList
from azure_responses.types.response import (
    CompactedResponse,
    InputItemList,
    InputTokenCount,
    Response,
)
from tests.protocol.samples import make_creation, make_typed_call

_HEADERS = {"apim-request-id": "apim-1", "content-type": "application/json"}


def _reply(body: Any, status: int = 200) -> Reply:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, _HEADERS, raw)


def test_a_response_knows_its_headers() -> None:
    body = {"id": "resp_1", "new": 1}
    response = decode(make_typed_call(Response), _reply(body), 0.0)
    assert response.id == "resp_1"
    assert response.request_id == "apim-1"
    assert response.to_dict() == {"id": "resp_1", "new": 1}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><title>Sign in</title></html>",
        b'{"id": "resp_1", "output": [',
        b"null",
        b"[]",
        b'"resp_1"',
        b'{"object": "response"}',
        b'{"id": 7}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_a_200_that_is_no_response_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(APIStatusError) as caught:
        decode(make_typed_call(Response), _reply(body), 0.0)
    assert caught.value.status_code == 200
    assert caught.value.request_id == "apim-1"
    assert "not answered by Azure OpenAI" in (caught.value.hint or "")


@pytest.mark.parametrize("model", [Response, InputItemList, ModelList])
def test_a_200_with_an_error_inside_is_that_error(model: type[Response]) -> None:
    body = {"error": {"code": "rate_limit_exceeded", "message": "Slow down."}}
    with pytest.raises(RateLimitError, match="Slow down") as caught:
        decode(make_typed_call(model), _reply(body), 0.0)
    assert caught.value.status_code == 429


def test_a_response_whose_own_error_is_set_is_a_response() -> None:
    body = {"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "m"}}
    assert decode(make_typed_call(Response), _reply(body), 0.0).status == "failed"


def test_an_odd_field_does_not_cost_a_response() -> None:
    body: dict[str, Any] = {"id": None, "object": "response", "status": "completed"}
    body |= {"output": [], "usage": 7}
    response = decode(make_typed_call(Response), _reply(body), 0.0)
    assert (response.id, response.request_id) == ("", "apim-1")
    assert response.to_dict() == body


@pytest.mark.parametrize(
    ("body", "model"),
    [
        ({"id": "resp_1", "status": "completed", "output": None}, Response),
        ({"id": "resp_1", "status": "completed"}, Response),
        ({"id": "c", "object": "chat.completion", "choices": []}, Response),
        ({"data": None}, InputItemList),
        ({"data": "text"}, ModelList),
        ({"id": "c", "output": {}}, CompactedResponse),
        ({"input_tokens": None}, InputTokenCount),
    ],
)
def test_a_reply_without_what_it_is_for_is_an_error_that_carries_it(
    body: dict[str, Any], model: type[Response]
) -> None:
    with pytest.raises(UnreadableResponseError, match=r"output|data|input_tokens") as caught:
        decode(make_typed_call(model), _reply(body), 0.0)
    assert caught.value.response.to_dict() == body
    assert caught.value.request_id == "apim-1"


@pytest.mark.parametrize("body", [{"data": []}, {"data": [], "error": None}])
def test_an_empty_list_is_an_empty_list(body: dict[str, Any]) -> None:
    assert decode(make_typed_call(InputItemList), _reply(body), 0.0).data == []


@pytest.mark.parametrize("status", ["completed", "incomplete", "in_progress", "cancelled", None])
def test_only_failed_responses_are_failures(status: str | None) -> None:
    response = Response.model_validate({"id": "resp_1", "status": status})
    assert make_creation().failure_of(response, 0.0) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "rate_limit_exceeded", "message": "m"}, RateLimitError),
        ({"code": "server_error", "message": "m"}, InternalServerError),
        ({"code": "model_not_found", "message": "m"}, NotFoundError),
        ({"code": "bio_policy", "message": "m"}, ResponseFailedError),
        ("just text", ResponseFailedError),
        (["odd"], ResponseFailedError),
        (None, ResponseFailedError),
    ],
)
def test_a_failed_response_is_the_error_it_names(error: Any, kind: type[Exception]) -> None:
    response = Response.model_validate({"id": "resp_1", "status": "failed", "error": error})
    response.attach(_HEADERS)
    failure = make_creation().failure_of(response, 0.0)
    assert isinstance(failure, kind)
    assert getattr(failure, "request_id", None) == "apim-1"
