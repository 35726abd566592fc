"""Responses, stored or streamed, and their compaction."""

import math
from collections.abc import Iterator
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.contents import StoredContent
from azure_responses.emulator.dispatch import (
    EmulatedCall,
    admit,
    check_sku,
    find_shortage,
    make_generation,
    serve,
    shortage_error,
)
from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.engine import GeneratedResponse
from azure_responses.emulator.event_streams import (
    STREAM_TYPE,
    failing_frames,
    failing_order,
    stream_record,
)
from azure_responses.emulator.http_messages import (
    PlannedReply,
    ReplyStep,
    json_reply,
)
from azure_responses.emulator.limits import rate_limit_headers, retry_headers
from azure_responses.emulator.model_catalog import find_deployed
from azure_responses.emulator.operations.agents import with_agent
from azure_responses.emulator.operations.deployed import check_text_model
from azure_responses.emulator.operations.fields import list_page, read_integer
from azure_responses.emulator.operations.references import Context, find_context
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.response_store import EmulatedResponse
from azure_responses.emulator.service_errors import (
    api_not_supported,
    invalid_request,
    not_found,
    resource_not_found,
    responses_unsupported,
    unknown_url,
)
from azure_responses.emulator.tokens import count_request
from azure_responses.emulator.validation import validate_compact, validate_create

__all__ = ["cancel", "compact", "connect", "create", "delete", "input_items", "retrieve"]

# --- create ---------------------------------------------------------------------------------------


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /responses`."""
    call = with_agent(call)
    deployment = call.account.deployment(call.body.get("model"))
    return serve(call, deployment, _create_on)


def _create_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    call.raise_fault()
    account, now = call.account, call.now
    model = find_deployed(deployment)
    _check_model(model)
    check_sku(call, deployment, "responses")
    check_text_model(deployment, "responses")
    validate_create(
        call.body,
        model.on_responses(),
        surface=call.route.surface,
        accepts_message_status=account.assumptions.accepts_message_status,
    )
    order = _find_failing_order(call, deployment)
    context = find_context(call)
    turn = call.received.turn
    generate = engine.warm_up if turn and turn.is_warm_up else engine.create_response
    answer = generate(make_generation(call, deployment, context.body, context.history))
    if order is not None:
        return _failed_stream(call, deployment, answer, order)
    window = account.window(deployment)
    window.spend(now, _count_tokens(answer.response, "total_tokens"))
    _keep_containers(call, answer)
    reply = _reply(call, deployment, context, answer)
    reply.region = deployment.region
    reply.headers += rate_limit_headers(deployment, window, now)
    return reply


def _check_model(model: EmulatedModel) -> None:
    if "messages" in model.apis:
        raise api_not_supported()
    if "responses" not in model.apis:
        raise responses_unsupported(model.family)


def _count_tokens(answered: dict[str, Any], kind: str) -> int:
    # What failed has no usage, and a filtered completion has none either.
    return int((answered.get("usage") or {}).get(kind, 0))


def _keep_containers(call: EmulatedCall, answer: GeneratedResponse) -> None:
    """Containers that a code interpreter call started can be read and used afterwards."""
    objects = call.account.objects
    for item in answer.output_items:
        # A shell's output names the container in its environment.
        environment = item.get("environment") or {}
        container_id = item.get("container_id") or environment.get("container_id")
        if container_id is not None and container_id not in objects.containers:
            objects.add_container("auto", container_id=container_id)
    _keep_written(call, answer.output_items)


def _keep_written(call: EmulatedCall, items: list[dict[str, Any]]) -> None:
    """What the code interpreter wrote, and a message cites, is in the container."""
    code = ""
    for item in items:
        code = item.get("code", code)
        for part in item.get("content") or () if item["type"] == "message" else ():
            for note in part.get("annotations") or ():
                if note["type"] == "container_file_citation":
                    content = StoredContent(engine.written_file(note["filename"], code))
                    container = call.account.objects.containers[note["container_id"]]
                    container.add_file(
                        note["filename"], content, "assistant", call.now, note["file_id"]
                    )


def _find_failing_order(call: EmulatedCall, deployment: EmulatedDeployment) -> str | None:
    """The order of events in which a stream says that it failed, None where it does not fail.

    Raises ServiceError (429) where the deployment says so with a status.
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
    shortage = find_shortage(call, deployment, tokens)
    if shortage is None:
        return None
    # Only an error with a status can cause a spillover: a stream that has begun cannot move.
    if deployment.spillover_to is not None:
        raise shortage_error(call, deployment, shortage)
    return failing_order(deployment.limit_reply)


def _failed_stream(
    call: EmulatedCall, deployment: EmulatedDeployment, answer: GeneratedResponse, order: str
) -> PlannedReply:
    fault = call.stream_fault()
    frames = failing_frames(order, answer, deployment, call.account.region(deployment), fault)
    if fault is not None:
        retry_after = fault.retry_after
    else:
        shortage = find_shortage(call, deployment, count_request(call.body))
        retry_after = shortage.retry_after if shortage and deployment.sends_retry_after else None
    window = call.account.window(deployment)
    # Recorded in August 2026: the 200 itself carries Retry-After.
    headers = [
        STREAM_TYPE,
        *retry_headers(retry_after).items(),
        *rate_limit_headers(deployment, window, call.now),
    ]
    return PlannedReply(200, headers, steps=frames)


def _reply(
    call: EmulatedCall, deployment: EmulatedDeployment, context: Context, answer: GeneratedResponse
) -> PlannedReply:
    record = _make_record(call, deployment, context, answer)
    _keep(call, context, record)
    _note_turn(call, deployment, record)
    if record.is_background:
        kind = f"response.{record.response['status']}"
        call.account.notify(
            kind, record.id, record.finished_at, lambda: record.cancelled_at is not None
        )
    if call.is_streamed:
        steps = stream_record(record, call.account.clock)
        if not record.is_background:
            steps = _until_read(call, record, steps)
        return PlannedReply(200, [STREAM_TYPE], steps=steps)
    if record.is_background:
        return json_reply(record.events[0]["response"])
    reply = json_reply(answer.response)
    reply.delay = record.finished_at - record.created_at
    return reply


def _note_turn(
    call: EmulatedCall, deployment: EmulatedDeployment, record: EmulatedResponse
) -> None:
    """Tell the connection that a turn came by of its response."""
    turn = call.received.turn
    if turn is None:
        return
    turn.record = record
    # OpenAI's description of steering names these as the responses that cannot be steered.
    excluded = any(turn.body.get(name) for name in ("conversation", "context_management"))
    turn.can_be_steered = find_deployed(deployment).can_be_steered and not (
        excluded or turn.is_warm_up or turn.body.get("multi_agent")
    )


def _make_record(
    call: EmulatedCall, deployment: EmulatedDeployment, context: Context, answer: GeneratedResponse
) -> EmulatedResponse:
    now, is_background = call.now, call.body.get("background") is True
    # Only what is read event by event, or asked for again meanwhile, needs its events and times.
    is_paced = call.is_streamed or is_background
    offsets = _pace(call, deployment, answer, is_background) if is_paced else []
    finished_at = now + (offsets[-1] if offsets else 0.0)
    if not is_paced:
        finished_at = now + _whole_delay(call, deployment, answer)
    if answer.response.get("completed_at") is not None:
        answer.response["completed_at"] = int(finished_at)
    return EmulatedResponse(
        response=answer.response,
        events=answer.events if is_paced else [],
        due=[now + offset for offset in offsets] or None,
        sent=context.body.get("input"),
        output_items=answer.output_items,
        parent=context.parent,
        created_at=now,
        finished_at=finished_at,
        readable_at=finished_at,
        is_background=is_background,
        is_streamed=call.is_streamed,
        size=len(call.received.body),
    )


def _pace(
    call: EmulatedCall,
    deployment: EmulatedDeployment,
    answer: GeneratedResponse,
    is_background: bool,
) -> list[float]:
    """Seconds until each event; none where all are due at once."""
    latency = call.account.latency_of(deployment)
    if latency.is_zero and not is_background:
        return []
    return latency.offsets(answer.events, call.account.dice, is_background)


def _whole_delay(
    call: EmulatedCall, deployment: EmulatedDeployment, answer: GeneratedResponse
) -> float:
    latency = call.account.latency_of(deployment)
    if latency.is_zero:
        return 0.0
    return latency.whole(_count_tokens(answer.response, "output_tokens"), call.account.dice)


def _keep(call: EmulatedCall, context: Context, record: EmulatedResponse) -> None:
    if context.conversation is not None:
        context.conversation.add([*record.input_items, *record.output_items])
    if call.body.get("store") is False:
        return
    if record.is_background:
        record.readable_at = record.created_at
    elif record.is_streamed:
        # Readable once its caller has read it to the end: see `_until_read`.
        record.readable_at = math.inf
    else:
        lag = call.account.read_lag.draw(call.account.dice, streamed=False)
        record.readable_at = record.finished_at + lag
    call.account.store.add(record)


def _until_read(
    call: EmulatedCall, record: EmulatedResponse, steps: Iterator[ReplyStep]
) -> Iterator[ReplyStep]:
    """The stream of a response that ends with its connection: left early, it is never stored."""
    account, sent = call.account, 0
    try:
        for step in steps:
            sent += isinstance(step, bytes)
            if sent == len(record.events):
                lag = account.read_lag.draw(account.dice, streamed=True)
                record.readable_at = account.clock.now() + lag
            yield step
    finally:
        if sent < len(record.events):
            account.store.discard(record.id)
        # Only a background response can be streamed again.
        record.events = []


def connect(call: EmulatedCall) -> PlannedReply:
    """The handshake of a WebSocket: `GET /responses` with `Upgrade`."""
    if call.route.surface in ("project", "agents") and not call.account.websocket.on_projects:
        raise resource_not_found()
    return PlannedReply(101)


def compact(call: EmulatedCall) -> PlannedReply:
    """`POST /responses/compact`."""
    if not call.account.assumptions.offers_compaction:
        raise unknown_url("POST", "/v1/responses/compact")
    deployment = call.account.deployment(call.body.get("model"))
    call.raise_fault()
    _check_model(find_deployed(deployment))
    validate_compact(call.body)
    context = find_context(call)
    generation = make_generation(call, deployment, context.body, context.history)
    compacted: dict[str, Any] = engine.compact(generation)
    return json_reply(compacted)


# --- stored responses -----------------------------------------------------------------------------


def _find(call: EmulatedCall) -> EmulatedResponse:
    record = call.account.store.find(call.route.ids[0], call.now)
    if record is None:
        raise not_found("Response", call.route.ids[0])
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
    after = read_integer(call.query, "starting_after")
    steps = stream_record(record, call.account.clock, after, obfuscated)
    return PlannedReply(200, [STREAM_TYPE], steps=steps)


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
        call.account.notify("response.cancelled", record.id, call.now)
    return json_reply(record.as_of(call.now))


def input_items(call: EmulatedCall) -> PlannedReply:
    """`GET /responses/{id}/input_items`."""
    return json_reply(list_page(_find(call).input_items, call.query))
