"""The Responses API: create, retrieve, cancel, delete, input items, compact."""

import math
from collections.abc import Iterator
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import (
    EmulatedCall,
    admit,
    serve,
    shortage_refusal,
    take_shortage,
)
from azure_responses.emulator.engine import GeneratedResponse, Generation
from azure_responses.emulator.event_streams import (
    STREAM_TYPE,
    failing_frames,
    failing_order,
    stream_record,
)
from azure_responses.emulator.http_messages import PlannedReply, ReplyStep, json_reply
from azure_responses.emulator.limits import rate_limit_headers, retry_headers
from azure_responses.emulator.model_catalog import find_model
from azure_responses.emulator.operations.fields import list_page
from azure_responses.emulator.operations.references import Context, find_context
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.response_store import StoredResponse
from azure_responses.emulator.service_errors import invalid_request, response_not_found, unknown_url
from azure_responses.emulator.tokens import count_request
from azure_responses.emulator.validation import validate_compact, validate_create

__all__ = ["cancel", "compact", "create", "delete", "input_items", "retrieve"]


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /responses`."""
    deployment = call.account.deployment(call.body.get("model"))
    return serve(call, deployment, _create_on)


def _create_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    call.refuse_by_fault()
    model = find_model(deployment.model_name)
    surface = "v1" if call.route.surface == "project" else call.route.surface
    assumed = call.account.assumptions
    validate_create(
        call.body,
        model,
        surface=surface,
        accepts_message_status=assumed.accepts_message_status,
    )
    order = _limited(call, deployment)
    context = find_context(call)
    now = call.now
    answer = engine.create_response(_turn(call, deployment, context, now))
    if order is not None:
        return _failed_stream(call, deployment, answer, order)
    call.account.window(deployment).spend(now, _tokens(answer, "total_tokens"))
    _keep_containers(call, answer)
    reply = _answered(call, deployment, context, answer, now)
    reply.region = deployment.region
    window = call.account.window(deployment)
    reply.headers += rate_limit_headers(deployment, window, now)
    return reply


def _keep_containers(call: EmulatedCall, answer: GeneratedResponse) -> None:
    """Containers that a code interpreter call started can be read and used afterwards."""
    holdings = call.account.objects
    for item in answer.output_items:
        container_id = item.get("container_id")
        if container_id is not None and container_id not in holdings.containers:
            holdings.add_container("auto", container_id=container_id)


def _turn(
    call: EmulatedCall, deployment: EmulatedDeployment, context: Context, now: float
) -> Generation:
    account = call.account
    return Generation(
        request=context.body,
        deployment=deployment.name,
        model=find_model(deployment.model_name),
        created_at=int(now),
        identifiers=account.mint,
        cipher=account.cipher,
        history=context.history,
        headers=call.received.headers,
        dated=call.route.surface == "dated",
        find_file=account.objects.find_file,
        search=account.objects.search,
        chunking=deployment.chunking,
        prefixes=account.prefixes,
    )


def _limited(call: EmulatedCall, deployment: EmulatedDeployment) -> str | None:
    """The order of events in which a stream says that it failed, None where it does not fail.

    Raises Refusal (429) where the deployment says so with a status.
    """
    fault = call.stream_fault()
    if fault is not None and call.is_streamed:
        return fault.kind
    if deployment.tokens_per_minute is None and deployment.requests_per_minute is None:
        return None
    tokens = count_request(call.body) + (call.body.get("max_output_tokens") or 0)
    if deployment.limit_reply == "http" or not call.is_streamed:
        admit(call, deployment, tokens)
        return None
    shortage = take_shortage(call, deployment, tokens)
    if shortage is None:
        return None
    if deployment.spillover_to is not None:
        raise shortage_refusal(call, deployment, shortage)
    return failing_order(deployment.limit_reply)


def _failed_stream(
    call: EmulatedCall, deployment: EmulatedDeployment, answer: GeneratedResponse, order: str
) -> PlannedReply:
    region = call.account.region(deployment)
    frames = failing_frames(order, answer, deployment, region, call.stream_fault())
    return PlannedReply(200, [STREAM_TYPE, *_failed_headers(call, deployment)], steps=frames)


def _failed_headers(call: EmulatedCall, deployment: EmulatedDeployment) -> list[tuple[str, str]]:
    """Recorded in August 2026: the 200 itself carries Retry-After."""
    fault = call.stream_fault()
    if fault is not None:
        retry_after = fault.retry_after
    else:
        shortage = take_shortage(call, deployment, count_request(call.body))
        retry_after = shortage.retry_after if shortage and deployment.sends_retry_after else None
    window = call.account.window(deployment)
    headers = rate_limit_headers(deployment, window, call.now)
    return [*retry_headers(retry_after).items(), *headers]


def _answered(
    call: EmulatedCall,
    deployment: EmulatedDeployment,
    context: Context,
    answer: GeneratedResponse,
    now: float,
) -> PlannedReply:
    is_background = call.body.get("background") is True
    if call.is_streamed or is_background:
        record = _paced_record(call, deployment, context, answer, now)
    else:
        delay = _whole_delay(call, deployment, answer)
        record = _record(call, context, answer, now, now + delay)
    _remember(call, context, record)
    if call.is_streamed:
        steps = stream_record(record, call.account.clock)
        if not is_background:
            steps = _until_read(call, record, steps)
        return PlannedReply(200, [STREAM_TYPE], steps=steps)
    if is_background:
        return json_reply(record.events[0]["response"])
    reply = json_reply(answer.response)
    reply.delay = record.finished_at - now
    return reply


def _tokens(answer: GeneratedResponse, kind: str) -> int:
    """A failed answer counts none."""
    usage = answer.response.get("usage") or {}
    return int(usage.get(kind, 0))


def _whole_delay(
    call: EmulatedCall, deployment: EmulatedDeployment, answer: GeneratedResponse
) -> float:
    latency = call.account.latency_of(deployment)
    if latency.is_zero:
        return 0.0
    return latency.whole(_tokens(answer, "output_tokens"), call.account.dice)


def _paced_record(
    call: EmulatedCall,
    deployment: EmulatedDeployment,
    context: Context,
    answer: GeneratedResponse,
    now: float,
) -> StoredResponse:
    """A record with every event's time; none where all are due at once."""
    is_background = call.body.get("background") is True
    latency = call.account.latency_of(deployment)
    if latency.is_zero and not is_background:
        record = _record(call, context, answer, now, now)
        record.events = answer.events
        return record
    offsets = latency.offsets(answer.events, call.account.dice, is_background)
    record = _record(call, context, answer, now, now + offsets[-1])
    record.events = answer.events
    record.due = [now + offset for offset in offsets]
    return record


def _record(
    call: EmulatedCall, context: Context, answer: GeneratedResponse, now: float, finished_at: float
) -> StoredResponse:
    if answer.response.get("completed_at") is not None:
        answer.response["completed_at"] = int(finished_at)
    return StoredResponse(
        response=answer.response,
        events=[],
        due=None,
        sent=context.body.get("input"),
        output_items=answer.output_items,
        parent=context.parent,
        created_at=now,
        finished_at=finished_at,
        readable_at=finished_at,
        is_background=call.body.get("background") is True,
        is_streamed=call.is_streamed,
        size=len(call.received.body),
    )


def _remember(call: EmulatedCall, context: Context, record: StoredResponse) -> None:
    if context.conversation is not None:
        context.conversation.add([*record.input_items, *record.output_items])
    if call.body.get("store") is False:
        return
    if record.is_background:
        record.readable_at = record.created_at
    elif record.is_streamed:
        record.readable_at = math.inf
    else:
        lag = call.account.read_lag.draw(call.account.dice, streamed=False)
        record.readable_at = record.finished_at + lag
    call.account.store.add(record)


def _until_read(
    call: EmulatedCall, record: StoredResponse, steps: Iterator[ReplyStep]
) -> Iterator[ReplyStep]:
    """The stream of a response that ends with its connection: left early, it is never stored."""
    account = call.account
    left = len(record.events)
    try:
        for step in steps:
            left -= isinstance(step, bytes)
            if left == 0:
                lag = account.read_lag.draw(account.dice, streamed=True)
                record.readable_at = account.clock.now() + lag
            yield step
    finally:
        # Only a background response can be streamed again.
        record.events = []
        if left:
            account.store.discard(record.id)


def _find(call: EmulatedCall) -> StoredResponse:
    record = call.account.store.find(call.route.ids[0], call.now)
    if record is None:
        raise response_not_found(call.route.ids[0])
    return record


def retrieve(call: EmulatedCall) -> PlannedReply:
    """The response as it stands, or its events again after `starting_after`."""
    record = _find(call)
    if not call.is_streamed or call.route.surface == "dated":
        return json_reply(record.as_of(call.now))
    if not (record.is_background and record.is_streamed):
        raise invalid_request(
            f"Response with id '{record.id}' cannot be streamed. Only background responses that "
            "were created with `stream=true` can be.",
            "stream",
        )
    obfuscated = call.query.get("include_obfuscation") != "false"
    steps = stream_record(record, call.account.clock, _starting_after(call), obfuscated)
    return PlannedReply(200, [STREAM_TYPE], steps=steps)


def _starting_after(call: EmulatedCall) -> int | None:
    text = call.query.get("starting_after")
    if text is None:
        return None
    if not text.isdecimal():
        raise invalid_request(
            f"Invalid type for 'starting_after': expected an integer, but got '{text}' instead.",
            "starting_after",
            "invalid_type",
        )
    return int(text)


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /responses/{id}`."""
    record = _find(call)
    call.account.store.discard(record.id)
    return json_reply({"object": "response.deleted", "id": record.id, "deleted": True})


def cancel(call: EmulatedCall) -> PlannedReply:
    """Background only; cancelling what has ended changes nothing."""
    record = _find(call)
    if not record.is_background:
        raise invalid_request("Cannot cancel a synchronous response.")
    if record.cancelled_at is None and not record.has_finished(call.now):
        record.cancelled_at = call.now
        record.output_items = []
    return json_reply(record.as_of(call.now))


def input_items(call: EmulatedCall) -> PlannedReply:
    """`GET /responses/{id}/input_items`."""
    return json_reply(list_page(_find(call).input_items, call.query))


def compact(call: EmulatedCall) -> PlannedReply:
    """`POST /responses/compact`."""
    if not call.account.assumptions.offers_compaction:
        raise unknown_url("POST", "/v1/responses/compact")
    deployment = call.account.deployment(call.body.get("model"))
    call.refuse_by_fault()
    validate_compact(call.body, find_model(deployment.model_name))
    context = find_context(call)
    compacted: dict[str, Any] = engine.compact(_turn(call, deployment, context, call.now))
    return json_reply(compacted)
