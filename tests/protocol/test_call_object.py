"""The calls on stored objects: where they go, what their errors say, when they are repeated."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from azure_responses.errors import (
    APIConnectionError,
    AuthenticationError,
    ConfigurationError,
    InternalServerError,
    NotFoundError,
    RateLimitError,
)
from azure_responses.protocol.call import RecentResponses, TypedCall
from azure_responses.protocol.endpoint import resolve_endpoint
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.object_request import ObjectRequest, given
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import NO_OPTIONS, Options
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import resolve_settings
from azure_responses.types.result import Result

_RESOURCE = "https://r.openai.azure.com"
_PROJECT = "https://r.services.ai.azure.com/api/projects/p"
_AGENT = f"{_PROJECT}/agents/a/endpoint/protocols/openai"


class _Content:
    content_type = "multipart/form-data; boundary=b0"
    length = 3

    def __init__(self, *, is_repeatable: bool) -> None:
        self.is_repeatable = is_repeatable

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"abc"])

    def __aiter__(self) -> Any:
        raise NotImplementedError


def _operations(endpoint: str = _RESOURCE, **more: Any) -> Operations:
    network = {
        name: more.pop(name) for name in ("default_headers", "default_query") if name in more
    }
    settings = resolve_settings({}, endpoint=endpoint, **{"api_key": "k" * 32, **more})
    ids = itertools.count(1)
    policy = RetryPolicy(max_retries=1)
    return Operations(settings, policy, RecentResponses(), lambda: next(ids), **network)


def _call(name: str, *ids: str, endpoint: str = _RESOURCE, **more: Any) -> TypedCall[Result]:
    return _operations(endpoint, **more).call_object(ObjectRequest(name, ids), Result, NO_OPTIONS)


@pytest.mark.parametrize(
    ("endpoint", "more", "url"),
    [
        (_RESOURCE, {}, f"{_RESOURCE}/openai/v1/files/f%2F1"),
        (
            _RESOURCE,
            {"api_version": "preview"},
            f"{_RESOURCE}/openai/v1/files/f%2F1?api-version=preview",
        ),
        (
            _RESOURCE,
            {"api_version": "2025-04-01-preview"},
            f"{_RESOURCE}/openai/files/f%2F1?api-version=2025-04-01-preview",
        ),
        (_PROJECT, {}, f"{_PROJECT}/openai/v1/files/f%2F1"),
        (_AGENT, {}, f"{_PROJECT}/openai/v1/files/f%2F1"),
        (
            "https://r.services.ai.azure.com",
            {"models_path": True},
            "https://r.services.ai.azure.com/openai/v1/files/f%2F1",
        ),
        (
            f"{_RESOURCE}/openai/deployments/d/chat/completions?api-version=2025-04-01-preview",
            {},
            f"{_RESOURCE}/openai/files/f%2F1?api-version=2025-04-01-preview",
        ),
        ("https://gateway.example/ai", {}, "https://gateway.example/ai/openai/v1/files/f%2F1"),
    ],
)
def test_a_stored_object_is_beside_what_the_endpoint_names(
    endpoint: str, more: dict[str, Any], url: str
) -> None:
    assert _call("files.retrieve", "f/1", endpoint=endpoint, **more).request.url == url


def test_a_serverless_endpoint_stores_nothing() -> None:
    endpoint = resolve_endpoint("https://m.eastus2.models.ai.azure.com")
    with pytest.raises(ConfigurationError, match="stores nothing"):
        endpoint.object_url("files")


@pytest.mark.parametrize("name", OBJECT_OPERATIONS)
def test_every_operation_is_called_with_its_ids_in_its_path(name: str) -> None:
    row = OBJECT_OPERATIONS[name]
    ids = [f"id{number}" for number in range(len(row.variables))]
    request = _call(name, *ids).request
    left = iter(ids)
    path = "/".join(next(left) if part is None else part for part in row.upstream)
    assert request.url == f"{_RESOURCE}/openai/v1/{path}"
    assert request.method == row.method
    assert request.body is None


@pytest.mark.parametrize("ids", [(), ("a", "b"), ("",), ("..",)])
def test_ids_that_do_not_fit_the_path_are_refused(ids: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError):
        _call("files.retrieve", *ids)


def test_body_query_and_options_are_sent() -> None:
    operations = _operations(default_query={"a": 1}, default_headers={"X-A": "1"})
    request = ObjectRequest("vector_stores.create", query={"b": ["2", "3"]}, body={"name": "n"})
    options = Options({"x-b": "2"}, {"c": True}, {"more": 4})
    sent = operations.call_object(request, Result, options).request
    assert sent.url.endswith("/vector_stores?a=1&b=2&b=3&c=true")
    assert isinstance(sent.body, bytes)
    assert json.loads(sent.body) == {"name": "n", "more": 4}
    assert (sent.headers["x-a"], sent.headers["x-b"]) == ("1", "2")
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["x-ms-client-request-id"] == "1"


def test_a_form_is_the_body_with_its_own_type() -> None:
    content = _Content(is_repeatable=True)
    request = ObjectRequest("files.create")
    sent = _operations().call_object(request, Result, NO_OPTIONS, content).request
    assert sent.body is content
    assert sent.headers["content-type"] == content.content_type


def test_a_download_asks_for_the_bytes_as_they_are_stored() -> None:
    headers = _call("files.content", "f").request.headers
    assert (headers["accept"], headers["accept-encoding"]) == ("*/*", "identity")
    assert _call("files.retrieve", "f").request.headers["accept"] == "application/json"


def _failure(call: TypedCall[Result], message: str, code: str | None = None) -> str | None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    error = call.failure(404, {}, body, 0.0)
    assert type(error) is NotFoundError
    return error.hint


def test_an_object_that_is_gone_says_so() -> None:
    hint = _failure(_call("files.retrieve", "f"), "No such File object: f")
    assert "deleted, has expired" in (hint or "")
    hint = _failure(_call("containers.files.list", "c"), "Container not found.", "NotFound")
    assert "20 minutes" in (hint or "")


@pytest.mark.parametrize(
    ("name", "ids", "words"),
    [
        ("conversations.create", (), "Foundry projects"),
        ("conversations.retrieve", ("c",), "Foundry projects"),
        ("uploads.create", (), "files.create streams"),
        ("skills.list", (), "may not offer skills"),
        ("files.list", (), "api-version"),
    ],
)
@pytest.mark.parametrize(
    ("message", "code"), [("Resource not found", "404"), ("Invalid URL", None)]
)
def test_an_operation_that_the_resource_lacks_says_what_to_do_instead(
    name: str, ids: tuple[str, ...], words: str, message: str, code: str | None
) -> None:
    assert words in (_failure(_call(name, *ids), message, code) or "")


def test_a_caller_of_a_project_is_not_sent_to_a_project() -> None:
    hint = _failure(_call("conversations.create", endpoint=_PROJECT), "Resource not found", "404")
    assert "projects" not in (hint or "")


@pytest.mark.parametrize(
    "error",
    [
        APIConnectionError("It broke."),
        InternalServerError("No.", status_code=500),
        AuthenticationError("The token has expired.", status_code=401),
    ],
)
def test_content_that_is_gone_is_never_sent_again(error: Exception) -> None:
    operations = _operations(api_key=None, azure_ad_token_provider=lambda: "token")
    for is_repeatable in (True, False):
        content = _Content(is_repeatable=is_repeatable)
        call = operations.call_object(ObjectRequest("files.create"), Result, NO_OPTIONS, content)
        if is_repeatable:
            assert call.next_attempt(error, 0.0, 0.5).delay >= 0  # type: ignore[arg-type]
        else:
            with pytest.raises(type(error)):
                call.next_attempt(error, 0.0, 0.5)  # type: ignore[arg-type]


def _deletion() -> TypedCall[Result]:
    return _call("files.delete", "f")


def test_a_deletion_whose_answer_was_lost_is_confirmed_by_a_404() -> None:
    call = _deletion()
    call.next_attempt(APIConnectionError("It broke."), 0.0, 0.5)
    outcome = call.outcome(Reply(404, {}, b'{"error":{"message":"No such File object: f"}}'), 0.0)
    assert isinstance(outcome, Reply)
    assert json.loads(outcome.body) == {"id": "f", "deleted": True}


def test_a_deletion_of_what_was_never_there_is_an_error() -> None:
    call = _deletion()
    call.next_attempt(RateLimitError("Slow down.", status_code=429), 0.0, 0.5)
    outcome = call.outcome(Reply(404, {}, b'{"error":{"message":"No such File object: f"}}'), 0.0)
    assert isinstance(outcome, NotFoundError)


def test_an_empty_answer_confirms_a_deletion_and_any_other_is_kept() -> None:
    outcome = _deletion().outcome(Reply(204), 0.0)
    assert isinstance(outcome, Reply)
    assert json.loads(outcome.body)["deleted"] is True
    whole = Reply(200, {}, b'{"id":"f","deleted":true}')
    assert _deletion().outcome(whole, 0.0) is whole


def test_what_is_not_given_is_not_sent() -> None:
    assert given(name="n", ids=None, empty="", none=0) == {"name": "n", "empty": "", "none": 0}
