"""The sentence that says what to change."""

import json
from typing import Any

import pytest

from azure_responses.protocol.error_body import ErrorBody, hint_for, read_error_reply
from azure_responses.protocol.known_errors import RequestContext
from tests.protocol.error_bodies import ERROR_BODIES


def _hint(
    status: int,
    message: str = "m",
    code: str | None = None,
    context: RequestContext | None = None,
    **headers: str,
) -> str:
    body = ErrorBody(status, message, code=code)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return hint_for(body, status, named, context or RequestContext("create")) or ""


@pytest.mark.parametrize(("status", "body", "kind", "code", "words"), ERROR_BODIES)
def test_every_reported_body_has_its_hint_or_none(
    status: int, body: Any, kind: str, code: str | None, words: str | None
) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    body = read_error_reply(status, {}, raw)
    context = RequestContext(
        "create", deployment="gpt-5-mini", scope="https://ai.azure.com/.default"
    )
    hint = hint_for(body, body.status or status, {}, context)
    assert hint is None if words is None else words in (hint or "")


def test_a_wrong_version_is_explained_by_the_surface_it_was_sent_to() -> None:
    dated = RequestContext("create", surface="dated", api_version="2024-10-21")
    message = "API version not supported"
    assert "takes no dated version" in _hint(400, message)
    assert "2025-04-01-preview" in _hint(400, message, context=dated)


@pytest.mark.parametrize("uses_key", [True, False])
def test_a_401_is_explained_by_what_was_sent(uses_key: bool) -> None:
    hint = _hint(401, context=RequestContext("create", uses_key=uses_key))
    assert ("Keys and Endpoint" in hint) is uses_key
    assert ("token must be for" in hint) is not uses_key


def test_a_token_hint_names_the_scope() -> None:
    message = "Access token is missing, invalid, audience is incorrect"
    context = RequestContext("create", scope="https://ai.azure.com/.default")
    assert "https://ai.azure.com/.default" in _hint(401, message, context=context)
    assert "https://cognitiveservices.azure.com/.default" in _hint(401, message)


def test_a_missing_deployment_is_named() -> None:
    context = RequestContext("create", deployment="gpt-5")
    assert "'gpt-5' is not one" in _hint(404, code="DeploymentNotFound", context=context)
    assert "the value sent is not one" in _hint(404, code="model_not_found")


def test_a_missing_route_names_the_version_that_was_sent() -> None:
    context = RequestContext("create", api_version="2025-04-01-preview")
    message = "Resource not found"
    assert "with api-version=2025-04-01-preview" in _hint(404, message, "404", context)
    assert "with no api-version" in _hint(404, message, "404")


def test_a_missing_compact_route_is_the_resources_fault() -> None:
    hint = _hint(404, "Resource not found", "404", RequestContext("compact"))
    assert hint == "This resource does not offer /responses/compact yet."


def test_an_operation_that_a_resource_lacks_has_its_own_hint() -> None:
    context = RequestContext("input_tokens", deployment="gpt-5", instead="Use usage.")
    assert _hint(404, "Unknown request URL", "unknown_url", context) == "Use usage."
    # Another 404 is about the deployment, which the other operation would not find either.
    assert "'gpt-5' is not one" in _hint(404, code="DeploymentNotFound", context=context)


@pytest.mark.parametrize("status", [400, 404])
def test_a_container_that_has_expired_is_to_be_made_again(status: int) -> None:
    assert "create another one" in _hint(status, "Container is expired.")


def test_a_missing_response_is_explained() -> None:
    context = RequestContext("retrieve", response_id="resp_1")
    assert "older than 30 days" in _hint(404, context=context)
    assert "older than 30 days" not in _hint(404, "Resource not found", "404", context)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_explained(status: int) -> None:
    assert "redirected" in _hint(status)


def test_a_reply_from_somebody_else_is_explained() -> None:
    assert "not answered by Azure" in _hint(200)
    assert "not answered by Azure" in _hint(502, content_type="text/html; charset=utf-8")
    assert _hint(502, content_type="application/json") == ""


def test_provisioned_throughput_is_told_from_quota() -> None:
    assert "spillover" in _hint(429, "Your PTU deployment is at capacity")
    assert "quota" in _hint(429, "exceeded token rate limit")


def test_nothing_better_than_the_message_is_nothing() -> None:
    assert hint_for(ErrorBody(500, "m"), 500, {}, RequestContext("create")) is None
    assert hint_for(ErrorBody(400, "m"), 400, {}, RequestContext("create")) is None


def test_a_model_of_another_operation_is_told_from_one_for_responses_only() -> None:
    wrong = "The {} operation does not work with the specified model, m."
    code = "OperationNotSupported"
    assert "Responses API only" in _hint(400, wrong.format("chatCompletion"), code)
    assert "does not serve the Responses API" in _hint(400, wrong.format("responses"), code)


def test_a_project_takes_no_version() -> None:
    project = RequestContext("create", surface="project")
    assert "takes no api-version at all" in _hint(400, "API version not supported", None, project)


def test_a_region_without_the_api_is_told_from_a_wrong_path() -> None:
    assert "region" in _hint(404, "Invalid URL (POST /v1/responses)")
    assert "region" not in _hint(404, "Invalid URL (POST /v1/other)")


def test_what_azure_answers_with_400_or_another_status_gets_the_same_hint() -> None:
    assert _hint(400, code="model_not_found") == _hint(404, code="model_not_found")
    assert _hint(403, code="content_filter") == _hint(400, code="content_filter") != ""


def test_a_call_id_that_is_too_long_is_explained() -> None:
    message = (
        "Invalid 'input[3].call_id': string too long. Expected a string with maximum length 64, "
        "but got a string with length 300 instead."
    )
    assert "64 characters" in _hint(400, message, code="string_above_max_length")
