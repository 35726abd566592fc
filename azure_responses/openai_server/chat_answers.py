"""Chat completions as bytes."""

from typing import Any

from pydantic_core import to_json

from azure_responses.errors import (
    APIConnectionError,
    AzureResponsesError,
    StreamInterruptedError,
)
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.error_body import describe_error
from azure_responses.openai_server.proxy_attempt import shows_group

__all__ = ["chat_body", "chat_chunk", "chat_error", "reason_of"]


def chat_body(summary: CallSummary, completion: Any) -> bytes:
    """A completion as JSON, the model named as the caller named it."""
    body = completion.to_dict()
    summary.result = {**body}
    if shows_group(summary):
        body["model"] = summary.group
    return to_json(body)


def chat_chunk(summary: CallSummary, chunk: Any) -> bytes:
    """A chunk as a server-sent event."""
    if shows_group(summary):
        chunk.model = summary.group
    return b"data: %b\n\n" % chunk.model_dump_json(exclude_unset=True, by_alias=True).encode()


def reason_of(error: AzureResponsesError) -> AzureResponsesError:
    """Why a stream broke off, as a stream of responses tells it; any other error as it is."""
    cause = error.__cause__
    if isinstance(error, StreamInterruptedError) and isinstance(cause, APIConnectionError):
        return cause
    return error


def chat_error(error: BaseException) -> bytes:
    """What tells of an error in the middle of the chunks."""
    status, fields = describe_error(error)
    body = {"error": {**fields, "status": status}}
    return b"data: %b\n\n" % to_json(body, inf_nan_mode="null")
