"""Replies to price, as the service sends them."""

from typing import Any

from azure_responses.types import Response

__all__ = ["HEADERS", "body", "reply", "spilled", "usage"]

HEADERS = {"x-ms-region": "East US 2", "x-ms-deployment-name": "prod"}


def usage(
    input: int = 0, cached: int = 0, write: int = 0, output: int = 0, reasoning: int = 0
) -> dict[str, Any]:
    """A usage object of the Responses API."""
    return {
        "input_tokens": input,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": write},
        "output_tokens": output,
        "output_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": input + output,
    }


def body(model: str | None = "gpt-5.1", used: Any = None, **fields: Any) -> dict[str, Any]:
    """A completed response as JSON; a thousand tokens in and a hundred out unless given."""
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "model": model,
        "output": [],
        "usage": usage(1000, output=100) if used is None else used,
        **fields,
    }


def reply(
    model: str | None = "gpt-5.1",
    used: Any = None,
    headers: dict[str, str] | None = None,
    **fields: Any,
) -> Response:
    """The same as a client gives it."""
    response = Response.model_validate(body(model, used, **fields))
    response.attach(HEADERS if headers is None else headers)
    return response


def spilled(model: str = "gpt-5.1", **fields: Any) -> Response:
    """A reply of the standard deployment `overflow`, which stood in for the full `ptu`."""
    headers = {"x-ms-deployment-name": "overflow", "x-ms-spillover-from-deployment": "ptu"}
    return reply(model, headers=headers, **fields)
