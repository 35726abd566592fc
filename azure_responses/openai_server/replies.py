"""The replies of the server, put together: headers in front of a body.

The headers are what Azure said, and what the router did under LiteLLM's names.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic_core import to_json

from azure_responses.errors import NotFoundError
from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.codex_models import codex_models, expects_codex
from azure_responses.openai_server.error_body import (
    anthropic_error_reply,
    as_told_to_callers,
    error_reply,
)
from azure_responses.openai_server.exchange import ApiReply, ApiRequest, Header
from azure_responses.openai_server.route import expects_anthropic
from azure_responses.router.upstream_reply import UpstreamReply, to_bytes
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.token_estimate import estimate_count, estimate_input_tokens

__all__ = [
    "JSON",
    "STREAM",
    "chat_body",
    "chat_chunk",
    "describe_call",
    "download_reply",
    "event_reply",
    "json_reply",
    "list_models",
    "pass_headers",
    "passed_reply",
    "refusal",
    "response_body",
    "show_model",
    "shows_group",
    "token_estimate",
]

JSON: tuple[Header, ...] = ((b"content-type", b"application/json"),)
STREAM: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    # nginx would collect events until a buffer is full.
    (b"x-accel-buffering", b"no"),
)

_PASSED = frozenset(
    {
        "apim-request-id",
        "request-id",
        "x-request-id",
        "x-ms-region",
        "x-ms-deployment-name",
        "x-ms-spillover-from-deployment",
        "openai-processing-ms",
    }
)
# A request of hundreds of items may lose something of each.
_MOST_WARNINGS = 10
# Azure's model router: its answer names the model that it chose.
_ROUTERS = frozenset({"model-router", "model_router"})
_RATE_LIMITS = ("x-ratelimit-", "anthropic-ratelimit-")


def shows_group(summary: CallSummary) -> bool:
    """True where the answer names the model as the caller did, as LiteLLM's proxy answers.

    After a fallback, and behind a model router, which model answered is news to the caller.
    """
    return summary.group is not None and not summary.fallbacks and summary.group not in _ROUTERS


def response_body(summary: CallSummary, reply: UpstreamReply) -> bytes:
    """A reply as JSON, with ids and model as the caller knows them."""
    body = reply.rewritten()
    # Azure's own name of the model is what it is priced by.
    summary.result = {**reply.facts()}
    if "model" in body and shows_group(summary):
        body["model"] = summary.group
    return to_bytes(body)


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


def download_reply(summary: CallSummary, pieces: Any) -> ApiReply[Any]:
    """Bytes as they arrive; `pieces` is a StreamBody or an AsyncStreamBody."""
    summary.status = 200
    headers = _download_headers(summary.headers)
    length = summary.headers.get("content-length", "")
    if length.isdecimal() and "content-encoding" not in summary.headers:
        headers.append((b"content-length", length.encode()))
    headers += [*pass_headers(summary.headers), *describe_call(summary, with_cost=False)]
    return ApiReply(200, headers, pieces, summary)


def passed_reply(summary: CallSummary, body: bytes) -> ApiReply[Any]:
    """A whole reply of embeddings, images or audio, as the service wrote it."""
    reply = json_reply(summary, body)
    reply.headers = [*_download_headers(summary.headers), *reply.headers[len(JSON) :]]
    return reply


def _download_headers(upstream: Mapping[str, str]) -> list[Header]:
    """The headers of a download, which a browser must neither guess at nor show as a page."""
    given = upstream.get("content-type", "")
    kind = given if given and _is_plain(given) else "application/octet-stream"
    headers = [(b"content-type", kind.encode()), (b"x-content-type-options", b"nosniff")]
    named = upstream.get("content-disposition", "")
    if named and _is_plain(named):
        headers.append((b"content-disposition", named.encode()))
    return headers


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
    if expects_anthropic(request.path, request.headers):
        status, headers, body = anthropic_error_reply(told, summary.call_id or None)
    else:
        status, headers, body = error_reply(told)
    summary.status, summary.error = status, error
    return ApiReply(status, [*headers, *describe_call(summary, with_cost=False)], body, summary)


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


def token_estimate(operation: str, body: Mapping[str, Any]) -> bytes:
    """The count of a request's input tokens, as near as an estimate comes.

    Anthropic's clients get the one field that they know; of Responses the reply says what it is.
    """
    if operation == "input_tokens":
        return to_json(estimate_count(body))
    return to_json({"input_tokens": estimate_input_tokens(body)})


def list_models(routing: DeploymentRegistry, request: ApiRequest) -> bytes:
    """Every name the caller may ask for, as OpenAI, Anthropic or Codex lists models."""
    names = [name for name in routing.listed if _may_call(request, name)]
    if expects_anthropic(request.path, request.headers):
        ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
        shown = [_describe_to_anthropic(name) for name in names]
        return to_json({"data": shown, "has_more": False, **ends})
    listed: dict[str, Any] = {"object": "list", "data": [_describe(name) for name in names]}
    if expects_codex(request.query):
        listed["models"] = codex_models(routing, names)
    return to_json(listed)


def show_model(routing: DeploymentRegistry, name: str | None, request: ApiRequest) -> bytes:
    """One group.

    Raises:
        NotFoundError: there is none of that name, or not for this caller.
    """
    if name is None or not routing.group_of(name) or not _may_call(request, name):
        raise NotFoundError(
            "There is no such model here.",
            status_code=404,
            code="model_not_found",
            type="invalid_request_error",
            param="model",
            hint="GET /v1/models lists what there is.",
        )
    if expects_anthropic(request.path, request.headers):
        return to_json(_describe_to_anthropic(name))
    return to_json(_describe(name))


def pass_headers(upstream: Mapping[str, str]) -> list[Header]:
    """Those of Azure's headers that callers know what to do with."""
    passed: list[Header] = []
    for name, value in upstream.items():
        told = _told_name(name)
        if told is not None and _is_plain(value):
            passed.append((told, value.encode()))
    return passed


def describe_call(summary: CallSummary, *, with_cost: bool) -> list[Header]:
    """The `x-litellm-*` headers: which deployment answered, after how many attempts, at what cost.

    The cost of a stream is not known when its headers are sent.
    """
    overhead = max(0.0, summary.latency - summary.upstream_seconds) * 1000
    headers = [
        (b"x-litellm-call-id", summary.call_id.encode("ascii", "replace")),
        (b"x-litellm-attempted-retries", b"%d" % max(0, summary.attempts - 1)),
        (b"x-litellm-attempted-fallbacks", b"%d" % summary.fallbacks),
        (b"x-litellm-overhead-duration-ms", b"%.3f" % overhead),
    ]
    for text in summary.warnings[:_MOST_WARNINGS]:
        # It may quote the request. What a header cannot hold is shown as a question mark.
        plain = "".join(c if _is_plain(c) else "?" for c in text)
        headers.append((b"x-azure-responses-warning", plain.encode()))
    headers += _texts(
        (b"x-litellm-model-id", summary.deployment_id), (b"x-litellm-model-group", summary.group)
    )
    cost = summary.price() if with_cost else None
    if cost is not None:
        headers.append((b"x-litellm-response-cost", format(cost, "f").encode()))
    return headers


# A service sends the same few names with each of its replies.
@lru_cache(256)
def _told_name(name: str) -> bytes | None:
    """The name under which a header is passed on; None for one that is not."""
    lower = name.lower()
    is_passed = lower in _PASSED or lower.startswith(_RATE_LIMITS)
    return lower.encode() if is_passed and _is_plain(lower) else None


def _may_call(request: ApiRequest, name: str) -> bool:
    return request.may_call is None or request.may_call(name)


def _describe(name: str) -> dict[str, Any]:
    # When a group was set up is not known, and OpenAI's clients insist on a number.
    return {"id": name, "object": "model", "created": 0, "owned_by": "azure"}


def _describe_to_anthropic(name: str) -> dict[str, Any]:
    # Anthropic's clients read a date.
    created = "1970-01-01T00:00:00Z"
    return {"type": "model", "id": name, "display_name": name, "created_at": created}


def _texts(*pairs: tuple[bytes, str | None]) -> Iterable[Header]:
    return [(name, value.encode()) for name, value in pairs if value and _is_plain(value)]


def _is_plain(value: str) -> bool:
    """True for what can stand in a header: a caller names the group, and could add lines."""
    return value.isascii() and value.isprintable()
