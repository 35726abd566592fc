"""Batches: many requests in one file, executed as the emulator's clock goes on."""

from typing import Any

from azure_responses.emulator.batch_store import BatchRequest, EmulatedBatch
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.object_store import EmulatedFile
from azure_responses.emulator.operations.batch_work import (
    advance_batches,
    count_tokens,
    queue_error,
)
from azure_responses.emulator.operations.fields import (
    list_page,
    read_expiry,
    read_metadata,
    read_object,
    read_text,
)
from azure_responses.emulator.operations.files import find_file
from azure_responses.emulator.service_errors import invalid_request, invalid_value, not_found
from azure_responses.emulator.timing import BatchTiming
from azure_responses.emulator.validation.batch_input import (
    BATCH_ENDPOINTS,
    SubmittedBatch,
    read_batch_input,
)

__all__ = ["cancel", "create", "list_batches", "retrieve"]


def _show(call: EmulatedCall, batch: EmulatedBatch) -> dict[str, Any]:
    return batch.as_object(None if call.account.assumptions.nulls_batch_file_ids else "")


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /batches`: `validating`, whatever the file holds."""
    request = _read_request(call)
    file = _find_input(call, request.input_file_id)
    advance_batches(call.account, call.script)
    batch_id = "batch_" + call.account.mint.request()
    # Read once: a file does not change, and may have 100,000 lines.
    find_deployment = call.account.resource.find_deployment
    submitted = read_batch_input(file.content.lines(), request.endpoint, find_deployment)
    batch = EmulatedBatch(batch_id, request, int(call.now), call.now, submitted)
    if call.account.assumptions.refuses_full_queue:
        _enqueue(call, batch, submitted)
    call.account.batches[batch.id] = batch
    if call.account.webhooks:
        # Its end is an event, even where no caller asks for the batch again.
        call.account.sender.start()
    return json_reply(_show(call, batch))


def _read_request(call: EmulatedCall) -> BatchRequest:
    body = call.body
    input_file_id, endpoint = read_text(body, "input_file_id"), read_text(body, "endpoint")
    window = read_text(body, "completion_window")
    if endpoint.removeprefix("/v1") not in BATCH_ENDPOINTS:
        known = [prefix + path for path in BATCH_ENDPOINTS for prefix in ("/v1", "")]
        raise invalid_value("endpoint", endpoint, known)
    if window != "24h":
        raise invalid_value("completion_window", window, ("24h",))
    expiry = read_object(body, "output_expires_after")
    # Microsoft's REST sample has the anchor beside the object instead of in it.
    anchor = body.get("anchor", "created_at")
    expires_in = read_expiry({"anchor": anchor, **expiry} if expiry else None, "batch")
    return BatchRequest(input_file_id, endpoint, read_metadata(body), expires_in)


def _find_input(call: EmulatedCall, file_id: str) -> EmulatedFile:
    file = find_file(call, file_id, "input_file_id")
    if file.purpose != "batch":
        raise invalid_request(
            f"The file '{file_id}' has the purpose '{file.purpose}'; a batch needs 'batch'.",
            "input_file_id",
        )
    return file


def _enqueue(call: EmulatedCall, batch: EmulatedBatch, found: SubmittedBatch) -> None:
    """Take room in the deployment's queue; raises ServiceError (400) where it is full."""
    if found.errors or found.deployment is None:
        return
    tokens = count_tokens(found)
    error = queue_error(call.account, found.deployment, tokens)
    if error is not None:
        raise invalid_request(error, code="token_limit_exceeded")
    batch.deployment, batch.tokens = found.deployment, tokens


def list_batches(call: EmulatedCall) -> PlannedReply:
    """`GET /batches`, the newest first."""
    advance_batches(call.account, call.script)
    shown = [_show(call, batch) for batch in call.account.batches.values()]
    page = list_page(shown, call.query)
    if not call.account.assumptions.lists_batches_as_data:
        page = {"value": page["data"]}
    return json_reply(page)


def _find(call: EmulatedCall, advances: bool = True) -> EmulatedBatch:
    if advances:
        advance_batches(call.account, call.script)
    batch = call.account.batches.get(call.route.ids[0])
    if batch is None:
        raise not_found("Batch", call.route.ids[0])
    return batch


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /batches/{id}`, as it stands at this time."""
    return json_reply(_show(call, _find(call)))


def cancel(call: EmulatedCall) -> PlannedReply:
    """What is executed already stays, and is in the output file once the batch has stopped."""
    # A batch that takes no time would have ended by now, and could never be cancelled.
    batch = _find(call, advances=call.account.batch_timing != BatchTiming())
    if batch.has_ended:
        # As OpenAI answers; Azure's answer was not recorded.
        raise invalid_request(f"Cannot cancel a batch with status '{batch.status}'.", status=409)
    if batch.status != "cancelling":
        batch.enter("cancelling", call.now)
    return json_reply(_show(call, batch))
