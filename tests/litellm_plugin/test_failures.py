"""Our errors as LiteLLM's exceptions."""

import json
import socket
from typing import Any

import pytest

from tests.canned import response
from tests.clients.socket_server import SocketServer
from tests.litellm_plugin.conftest import PING, Bench
from tests.litellm_plugin.peer import Peer


def _raise(peer: Peer, kind: str, **fields: Any) -> Any:
    return peer.ask("map_failure", kind=kind, message="it broke", **fields)["raised"]


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("BadRequestError", 400, "BadRequestError"),
        ("UnsupportedOperationError", 400, "BadRequestError"),
        ("AuthenticationError", 401, "AuthenticationError"),
        ("PermissionDeniedError", 403, "PermissionDeniedError"),
        ("DeploymentNotFoundError", 404, "NotFoundError"),
        ("BadRequestError", 408, "Timeout"),
        ("ConflictError", 409, "APIError"),
        ("BadRequestError", 422, "UnprocessableEntityError"),
        ("RateLimitError", 429, "RateLimitError"),
        ("InternalServerError", 500, "InternalServerError"),
        ("InternalServerError", 502, "BadGatewayError"),
        ("InternalServerError", 503, "ServiceUnavailableError"),
        ("InternalServerError", 504, "APIError"),
        ("ContextWindowExceededError", 400, "ContextWindowExceededError"),
        ("ContentFilterError", 400, "ContentPolicyViolationError"),
    ],
)
def test_a_status_has_its_exception(
    litellm_peer: Peer, kind: str, status: int, expected: str
) -> None:
    raised = _raise(litellm_peer, kind, status_code=status, code="c", param="p", retry_after=2.5)
    assert (raised["class"], raised["code"], raised["param"]) == (expected, "c", "p")
    assert raised["status_code"] == status
    assert raised["body"]["message"] == "it broke"
    if expected not in ("Timeout", "APIError"):
        assert raised["retry_after"] == "2.5"


@pytest.mark.parametrize(
    ("kind", "expected", "status"),
    [
        ("ConfigurationError", "BadRequestError", 400),
        ("APITimeoutError", "Timeout", 408),
        ("APIConnectionError", "APIConnectionError", 500),
        ("ResponseFailedError", "InternalServerError", 500),
        ("StreamInterruptedError", "ServiceUnavailableError", 503),
        ("UnreadableResponseError", "BadGatewayError", 502),
    ],
)
def test_what_has_no_status_has_one_with_litellm(
    litellm_peer: Peer, kind: str, expected: str, status: int
) -> None:
    raised = _raise(litellm_peer, kind, hint="try this")
    assert (raised["class"], raised["status_code"]) == (expected, status)
    assert "it broke (hint: try this)" in raised["message"]


def test_a_broken_stream_is_what_broke_it(litellm_peer: Peer) -> None:
    cause = {"kind": "RateLimitError", "message": "slow down", "status_code": 429}
    raised = _raise(litellm_peer, "StreamInterruptedError", cause=cause)
    assert raised["class"] == "RateLimitError"


def test_verdicts_lie_where_litellm_looks_for_them(litellm_peer: Peer) -> None:
    verdict = {"jailbreak": {"detected": True, "filtered": True}}
    filters = [{"blocked": True, "content_filter_results": verdict}]
    raised = _raise(
        litellm_peer,
        "ContentFilterError",
        status_code=400,
        content_filters=filters,
        body={"error": {"code": "content_filter", "innererror": None}},
    )
    fields = raised["provider_specific_fields"]
    assert fields["content_filters"] == filters
    assert fields["innererror"]["content_filter_result"] == verdict
    assert raised["body"] == {"code": "content_filter", "innererror": None}


def _answer_unreadably(connection: socket.socket) -> None:
    body = json.dumps(response(output="surprise")).encode()
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\napim-request-id: apim-1\r\n"
    connection.sendall(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_answer_that_cannot_be_read_is_paid_for_once(bench: Bench, is_async: bool) -> None:
    with SocketServer(_answer_unreadably) as server:
        params = {"model": "azure_responses/d", "api_base": server.url, "api_key": "k"}
        raised = bench.peer.ask(
            "routed",
            rows=[{"model_name": "g", "litellm_params": params}],
            is_async=is_async,
            is_stream=False,
            settings={"num_retries": 2},
            model="g",
            messages=PING,
        )["raised"]
        assert len(server.requests) == 1
    assert (raised["class"], raised["status_code"]) == ("BadGatewayError", 502)
    assert raised["headers"] == {"x-should-retry": "false", "apim-request-id": "apim-1"}
