"""A reply of a service as a router uses it: what routing learns, what failed, what the caller gets.

Bodies are in the caller's API. Replies of deployments that speak another one were converted before
they come here.
"""

import json
import time
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import to_json

from azure_responses.errors import (
    APIConnectionError,
    AzureResponsesError,
    NotFoundError,
    UnsupportedOperationError,
)
from azure_responses.protocol.call import Call
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.decode import check_readable, decode_as
from azure_responses.protocol.error_body import failure_from_event, failure_from_response
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.reply_terms import as_response
from azure_responses.router.event_frames import EventFrames
from azure_responses.routing.id_rewriter import IdRewriter, NoIds
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Outcome
from azure_responses.types.response import Response
from azure_responses.types.result import Result

__all__ = [
    "UpstreamReply",
    "failure_of",
    "not_offered",
    "outcome_of",
    "stored_ids",
    "stream_failure",
    "to_bytes",
    "tokens_of",
    "typed_response",
]

R = TypeVar("R", bound=Result)

_NOTHING: Mapping[str, Any] = {}


class UpstreamReply:
    """A reply, with the service's own ids until they are rewritten.

    Attributes:
        caller: the API whose terms the body is in.
        body: the JSON object.
        status: of HTTP.
        headers: names in lower case.
        size: of the reply's body, in bytes.
        outcome: what routing looks at.
        entry: the stored response to remember, or None.
    """

    __slots__ = (
        "_call",
        "_ids",
        "_is_rewritten",
        "body",
        "caller",
        "entry",
        "headers",
        "outcome",
        "size",
        "status",
    )

    def __init__(
        self,
        call: Call,
        reply: Reply,
        body: dict[str, Any],
        ids: IdRewriter | NoIds,
        caller: APIName = "responses",
    ) -> None:
        self.caller = caller
        self.body = body
        self.status = reply.status
        self.headers = reply.headers
        self.size = len(reply.body)
        self.outcome: Outcome | None = None
        self.entry: LedgerEntry | None = None
        self._call = call
        self._ids = ids
        self._is_rewritten = False

    def rewritten(self) -> dict[str, Any]:
        """The body with the ids as the caller knows them; the same object, changed once."""
        if not self._is_rewritten:
            self._is_rewritten = True
            self.body = self._ids.label(self.body)
        return self.body

    def decode(self, model: type[R]) -> R:
        """The typed result, with the ids as the caller knows them.

        Raises:
            APIStatusError: it is no such object.
            UnreadableResponseError: it is one, but what it is for cannot be read.
        """
        body = self.rewritten()
        has_room_for_error = "error" in model.model_fields or not body.get("error")
        try:
            result = model.model_validate(body) if has_room_for_error else None
        except ValidationError:
            result = None
        if result is None:
            # Nearly every reply fits its model; any other is read as if it came so.
            reply = Reply(self.status, self.headers, to_bytes(body))
            return decode_as(model, self._call, reply, time.time())
        result.attach(self.headers, self._call.pricer)
        check_readable(result)
        return result

    def typed(self) -> Result:
        """The result as those who watch calls know it: with the service's own ids."""
        return typed_response(self._call, self.facts(), self.headers)

    def facts(self) -> Mapping[str, Any]:
        """The reply as prices and routing look at it: in the terms of a response."""
        return as_response(self.caller, self.body)


def typed_response(
    call: Call, body: Mapping[str, Any] | None, headers: Mapping[str, str]
) -> Result:
    """An answer as far as it can be read, whatever it is."""
    result: Result
    try:
        # A compaction, a page or a deletion is not a Response.
        result = Response.model_validate(body or {})
    except ValueError:
        result = Result.model_validate(body or {})
    result.attach(headers, call.pricer)
    return result


def to_bytes(value: Mapping[str, Any]) -> bytes:
    """A JSON object as bytes."""
    try:
        return to_json(value)
    except ValueError:
        # Half a surrogate pair can only be written escaped.
        return json.dumps(value).encode()


def failure_of(
    call: Call, answer: Mapping[str, Any], headers: Mapping[str, str], now: float
) -> AzureResponsesError | None:
    """The error that a response with status "failed" stands for; None for any other."""
    if answer.get("status") != "failed":
        return None
    return failure_from_response(None, answer.get("error"), headers, call.context, now)


def stream_failure(
    call: Call, frames: EventFrames, headers: Mapping[str, str], now: float
) -> AzureResponsesError | None:
    """What a stream ended with that failed, broke off or has no ending event; None for another."""
    # First the event that has the reason: `response.failed` may come without.
    for event in frames.failures:
        if event.get("type") == "error":
            return failure_from_event(event, headers, call.context, now)
    for event in frames.failures:
        response = event.get("response")
        error = response.get("error") if isinstance(response, Mapping) else None
        return failure_from_response(None, error, headers, call.context, now)
    if frames.is_finished:
        return None
    return APIConnectionError(frames.damage or "The stream ended before its terminal event.")


def not_offered(
    error: AzureResponsesError, operation: str, instead: str | None
) -> AzureResponsesError:
    """What a 404 of a deployment means, where `instead` says what to do without the operation."""
    # The exact class: a subclass says that a response or a deployment is missing.
    if type(error) is not NotFoundError or instead is None:
        return error
    return UnsupportedOperationError(
        f"The deployment does not offer {operation}.",
        status_code=404,
        code="unsupported_operation",
        type="invalid_request_error",
        request_id=error.request_id,
        region=error.region,
        hint=instead,
    )


def outcome_of(
    answer: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    latency: float | None,
    *,
    has_output: bool = False,
    is_stored: bool = False,
) -> Outcome:
    """What routing looks at.

    Args:
        answer: a response, or None for a stream without one.
        headers: of the reply.
        latency: seconds to the whole answer, or of a stream to its first output.
        has_output: some of it has reached the caller already.
        is_stored: a response that was made earlier is read: its tokens were counted then, unless it
            was made in the background, whose tokens are known only now.
    """
    answer = _NOTHING if answer is None else answer
    usage, details = answer.get("usage"), answer.get("incomplete_details")
    status = answer.get("status")
    # Parsed JSON has no other mappings, and asking for a Mapping takes a call into `abc`.
    reason = details.get("reason") if isinstance(details, dict) else None
    tokens = tokens_of(answer)
    return Outcome(
        headers,
        0 if is_stored else tokens,
        latency,
        status if isinstance(status, str) else None,
        reason if isinstance(reason, str) else None,
        has_output or is_stored,
        None if is_stored else _count(usage, "output_tokens"),
        stored_ids(answer),
        tokens if is_stored else None,
    )


def tokens_of(answer: Mapping[str, Any] | None) -> int | None:
    """What was used in all, or None where the answer does not say."""
    return _count(answer.get("usage"), "total_tokens") if answer is not None else None


def _count(usage: Any, name: str) -> int | None:
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) else None


def stored_ids(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids under which an answer can be continued; none of one that is not stored."""
    if answer.get("store") is False:
        return ()
    # An object in Azure's answers; the API takes the id alone as well.
    conversation = answer.get("conversation")
    within = conversation.get("id") if isinstance(conversation, dict) else conversation
    return tuple(each for each in (answer.get("id"), within) if each and isinstance(each, str))
