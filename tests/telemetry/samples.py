"""Calls and responses for tests of telemetry."""

import json
from typing import Any

from azure_responses.protocol.call import Call
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.telemetry.record import CallRecord
from azure_responses.types.response import Response

__all__ = ["URL", "make_call", "make_record", "make_response"]

URL = "https://r.openai.azure.com/openai/v1/responses"


def make_call(
    operation: str = "create",
    *,
    deployment: str | None = "prod",
    url: str = URL,
    headers: dict[str, str] | None = None,
    **parameters: Any,
) -> Call:
    """A call with these parameters as its body."""
    body = json.dumps(parameters).encode() if parameters else None
    return Call(
        Request("POST", url, headers or {"x-ms-client-request-id": "ours"}, body),
        RequestContext(operation, deployment=deployment),
        RetryPolicy(),
        parameters=parameters,
    )


def make_response(**fields: Any) -> Response:
    """A finished response, its fields replaced by those given."""
    body = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_800_000_000,
        "status": "completed",
        "model": "gpt-4.1-2025-04-14",
        "output": [],
        "service_tier": "default",
        "usage": {
            "input_tokens": 100,
            "input_tokens_details": {"cached_tokens": 40, "cache_write_tokens": 5},
            "output_tokens": 20,
            "output_tokens_details": {"reasoning_tokens": 8},
            "total_tokens": 120,
        },
        **fields,
    }
    return Response.model_validate(body)


def make_record(**fields: Any) -> CallRecord:
    """A record of a `create`."""
    return CallRecord(**{"call_type": "responses", "operation": "create", **fields})
