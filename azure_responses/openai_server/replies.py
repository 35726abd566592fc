"""Replies put together: headers in front of a body."""

from typing import Any

from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.error_body import as_told_to_callers, error_reply
from azure_responses.openai_server.exchange import ApiReply, ApiRequest
from azure_responses.openai_server.reply_headers import JSON, STREAM, describe_call, pass_headers

__all__ = ["event_reply", "json_reply", "refusal"]


def json_reply(summary: CallSummary, body: bytes) -> ApiReply[Any]:
    """A whole answer."""
    summary.status = 200
    headers = [
        *JSON,
        (b"content-length", b"%d" % len(body)),
        *pass_headers(summary.headers),
        *describe_call(summary, with_cost=True),
    ]
    return ApiReply(200, headers, body, summary)


def event_reply(summary: CallSummary, events: Any) -> ApiReply[Any]:
    """A stream of events; `events` is a StreamBody or an AsyncStreamBody."""
    summary.status = 200
    headers = [*STREAM, *pass_headers(summary.headers), *describe_call(summary, with_cost=False)]
    return ApiReply(200, headers, events, summary)


def refusal(
    request: ApiRequest, error: BaseException, summary: CallSummary | None = None
) -> ApiReply[Any]:
    """The answer to a request that ended with an error."""
    if summary is None:
        summary = CallSummary(request.call_id or "", "refused", owner=request.owner)
    told = error if request.is_operator else as_told_to_callers(error)
    status, headers, body = error_reply(told)
    summary.status, summary.error = status, error
    return ApiReply(status, [*headers, *describe_call(summary, with_cost=False)], body, summary)
