"""What Azure answered, as plain JSON: what it means for routing, the ledger and the caller."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.errors import APIConnectionError, AzureResponsesError
from azure_responses.openai_server.raw_stream import RawStream
from azure_responses.protocol.call import Call
from azure_responses.protocol.error_body import failure_from_event, failure_from_response
from azure_responses.protocol.http_message import Reply
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Outcome

__all__ = [
    "entry_of",
    "failure_of",
    "outcome_of",
    "read_answer",
    "stored_ids",
    "stream_failure",
    "tokens_of",
]

# The service keeps responses for 30 days.
_KEPT_SECONDS = 30 * 86400.0


def read_answer(call: Call, reply: Reply, now: float) -> dict[str, Any]:
    """The JSON object of a successful reply; `now` is unix seconds.

    Raises:
        APIStatusError: the reply says 200 but holds no such object, or an error and nothing else.
    """
    try:
        answer = from_json(reply.body)
    except ValueError:
        answer = None
    # A failed response has an error too, but also an id and a status.
    if not isinstance(answer, dict) or (answer.get("error") and "object" not in answer):
        raise call.failure(reply.status, reply.headers, reply.body, now)
    return answer


def failure_of(
    call: Call, answer: Mapping[str, Any], headers: Mapping[str, str], now: float
) -> AzureResponsesError | None:
    """The error that a response with status "failed" stands for; None for any other."""
    if answer.get("status") != "failed":
        return None
    return failure_from_response(None, answer.get("error"), headers, call.context, now)


def stream_failure(
    call: Call, state: RawStream, headers: Mapping[str, str], now: float
) -> AzureResponsesError | None:
    """What a stream that broke off, or ended without a terminal event, ended with."""
    events = [event for event in state.failures if event.get("type") == "error"]
    if events:
        return failure_from_event(events[0], headers, call.context, now)
    for event in state.failures:
        response = event.get("response")
        error = response.get("error") if isinstance(response, Mapping) else None
        return failure_from_response(None, error, headers, call.context, now)
    if state.is_finished:
        return None
    return APIConnectionError(state.damage or "The stream ended before its terminal event.")


def tokens_of(answer: Mapping[str, Any] | None) -> int | None:
    """What was used in all, or None where the answer does not say."""
    return _count(answer, "total_tokens")


def _count(answer: Mapping[str, Any] | None, name: str) -> int | None:
    usage = answer.get("usage") if answer is not None else None
    count = usage.get(name) if isinstance(usage, Mapping) else None
    return count if isinstance(count, int) else None


def outcome_of(
    answer: Mapping[str, Any] | None,
    headers: Mapping[str, str],
    latency: float,
    *,
    has_output: bool = False,
) -> Outcome:
    """What routing looks at."""
    answer = answer or {}
    status = answer.get("status")
    details = answer.get("incomplete_details")
    reason = details.get("reason") if isinstance(details, Mapping) else None
    return Outcome(
        headers=headers,
        tokens=tokens_of(answer),
        latency=latency,
        status=status if isinstance(status, str) else None,
        incomplete_reason=reason if isinstance(reason, str) else None,
        has_output=has_output,
        output_tokens=_count(answer, "output_tokens"),
        stored_ids=stored_ids(answer),
    )


def stored_ids(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids under which an answer can be continued; of one that is not stored, none."""
    if answer.get("store") is False:
        return ()
    conversation = answer.get("conversation")
    within = conversation.get("id") if isinstance(conversation, Mapping) else conversation
    return tuple(each for each in (answer.get("id"), within) if each and isinstance(each, str))


def entry_of(
    answer: Mapping[str, Any] | None,
    deployment: Deployment,
    *,
    response_id: str | None,
    end_user: str | None,
    owner: str | None,
    now: float,
) -> LedgerEntry | None:
    """What to remember of a response that is stored; None for one that is not."""
    if response_id is None or answer is None or answer.get("store") is False:
        return None
    return LedgerEntry(
        response_id,
        deployment.tag,
        deployment.resource,
        end_user=end_user,
        owner=owner,
        created=now,
        expires=now + _KEPT_SECONDS,
    )
