"""What a batch does as time passes: its states, and the requests that a deployment executes."""

import math
import random
import time
from collections.abc import Callable

from azure_responses.emulator.accounts import Account
from azure_responses.emulator.batch_store import EmulatedBatch
from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.faults import FaultScript
from azure_responses.emulator.http_messages import ReceivedRequest, encode_json
from azure_responses.emulator.operations import chat, embeddings, responses
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.routes import MatchedRoute, Operation
from azure_responses.emulator.service_errors import ServiceError, invalid_json
from azure_responses.emulator.tokens import count_request
from azure_responses.emulator.validation.batch_input import (
    SubmittedBatch,
    SubmittedLine,
)

__all__ = ["LINE_OPERATION", "advance_batches", "count_tokens", "queue_error"]

LINE_OPERATION = "batches.line"
"""How faults call a request of a batch."""

# Real seconds of work in one go: a file of 100,000 lines must not keep other callers waiting.
_WORK_SECONDS = 1.0
# Counting in floats, the last line may seem a moment early.
_ROUNDING = 1e-6

_OPERATIONS = {
    "/responses": Operation(
        "create", "POST", "responses", responses.create, model_in="body", stream_in="body"
    ),
    "/chat/completions": Operation(
        "chat", "POST", "chat/completions", chat.complete_chat, model_in="body", stream_in="body"
    ),
    "/embeddings": Operation(
        "embeddings", "POST", "embeddings", embeddings.create, model_in="body"
    ),
}


def advance_batches(account: Account, script: FaultScript, seconds: float = _WORK_SECONDS) -> None:
    """Bring every batch of an account to where it stands at this time.

    Large ones take several calls of so many real seconds: they stay `in_progress` until all of
    their requests are executed, whatever the clock says.
    """
    deadline = time.monotonic() + seconds
    for batch in list(account.batches.values()):
        if not batch.has_ended:
            _Work(account, script, batch, deadline).advance()


def count_tokens(found: SubmittedBatch) -> int:
    """The tokens that a deployment's queue must have room for."""
    # Only a limited queue is worth the counting.
    if found.deployment is None or found.deployment.enqueued_tokens is None:
        return 0
    return sum(count_request(line.parsed()) for line in found.lines)


def queue_error(account: Account, deployment: EmulatedDeployment, tokens: int) -> str | None:
    """What Microsoft's forum quotes (question 2285577) where the queue has no room."""
    limit = deployment.enqueued_tokens
    held = sum(
        batch.tokens
        for batch in account.batches.values()
        if not batch.has_ended and batch.deployment == deployment
    )
    if limit is None or held + tokens <= limit:
        return None
    shown = f"{limit // 1000}K" if limit >= 1000 and limit % 1000 == 0 else str(limit)
    return (
        f"The number of enqueued tokens has surpassed the configured limit of {shown} for the "
        f"deployment '{deployment.name}'. Please either increase the limit or try again once the "
        "current jobs have finished."
    )


class _Work:
    """One batch at work until `deadline`, in the machine's own time."""

    def __init__(
        self, account: Account, script: FaultScript, batch: EmulatedBatch, deadline: float
    ) -> None:
        self._account = account
        self._script = script
        self._batch = batch
        self._deadline = deadline
        self._now = account.clock.now()
        self._timing = account.batch_timing

    def advance(self) -> None:
        steps: dict[str, Callable[[], bool]] = {
            "validating": self._validate,
            "in_progress": self._execute,
            "finalizing": lambda: self._end("completed", self._timing.finalizing),
            "cancelling": lambda: self._end("cancelled", self._timing.cancelling),
        }
        while not self._batch.has_ended and steps[self._batch.status]():
            pass
        if self._batch.has_ended:
            at = self._batch.entered_at
            self._account.notify(f"batch.{self._batch.status}", self._batch.id, at)

    def _validate(self) -> bool:
        batch, at = self._batch, self._batch.entered_at + self._timing.validating
        if self._now < at:
            return False
        if batch.request.input_file_id not in self._account.objects.files:
            batch.submitted = SubmittedBatch()
            message = "The input file was deleted after the job submission."
            batch.submitted.refuse("input_modified", message)
        found = batch.submitted
        self._check_queue(found)
        batch.errors = found.errors
        batch.total = len(found.lines)
        if found.errors:
            # Its requests need not be kept.
            batch.submitted = SubmittedBatch()
        # Microsoft's page: answers do not come in the order of the requests.
        random.Random(batch.id).shuffle(batch.submitted.lines)
        batch.enter("failed" if found.errors else "in_progress", at)
        return True

    def _check_queue(self, found: SubmittedBatch) -> None:
        batch = self._batch
        if found.deployment is None or found.errors or batch.deployment is not None:
            return
        tokens = count_tokens(found)
        error = queue_error(self._account, found.deployment, tokens)
        if error is not None:
            found.refuse("token_limit_exceeded", error)
        batch.deployment, batch.tokens = found.deployment, tokens

    def _execute(self) -> bool:
        batch, pace = self._batch, self._timing.per_line
        expires_at = batch.expires_at if self._account.assumptions.batches_expire else math.inf
        passed = min(self._now, expires_at) - batch.entered_at
        due = min(batch.total, int(passed / pace + _ROUNDING)) if pace else batch.total
        while batch.done < due:
            if time.monotonic() > self._deadline:
                return False
            self._run(batch.submitted.lines[batch.done])
        if batch.done == batch.total:
            batch.enter("finalizing", batch.entered_at + pace * batch.total)
            return True
        if self._now < expires_at:
            return False
        for line in batch.submitted.lines[batch.done :]:
            batch.give_up(_expired(line))
        self._keep_files()
        batch.enter("expired", expires_at)
        return True

    def _end(self, status: str, after: float) -> bool:
        at = self._batch.entered_at + after
        if self._now < at:
            return False
        self._keep_files()
        self._batch.enter(status, at)
        return True

    def _keep_files(self) -> None:
        batch, objects = self._batch, self._account.objects
        expires_in = batch.request.output_expires_in
        output, errors = batch.take_outputs()
        # Both are always there, one of them perhaps with zero bytes, as Microsoft's page says.
        kept = objects.add_file(f"{batch.id}_output.jsonl", "batch_output", output, expires_in)
        batch.output_file_id = kept.id
        kept = objects.add_file(f"{batch.id}_error.jsonl", "batch_output", errors, expires_in)
        batch.error_file_id = kept.id

    def _run(self, line: SubmittedLine) -> None:
        status, body = self._ask(line)
        request_id = self._account.mint.request()
        head = b'{"custom_id":' + encode_json(line.custom_id) + b',"response":{"body":' + body
        tail = f',"request_id":"{request_id}","status_code":{status}}},"error":null}}'
        self._batch.answer(head + tail.encode(), is_success=status == 200)

    def _ask(self, line: SubmittedLine) -> tuple[int, bytes]:
        """Status and body of one request, executed as if it had been sent."""
        path = self._batch.request.endpoint.removeprefix("/v1")
        received = ReceivedRequest("POST", "", "/openai/v1" + path, "", _HEADERS, line.body)
        route = MatchedRoute(_OPERATIONS[path], "v1", None, ())
        call = EmulatedCall(self._account, route, received, self._script, is_batch_line=True)
        if len(self._script):
            resource = self._account.resource.name
            call.faults = self._script.match(LINE_OPERATION, resource, call.deployment_name, False)
        try:
            reply = route.operation.handle(call)
        except ServiceError as error:
            return error.status, encode_json(error.body)
        except RecursionError:
            return 400, encode_json(invalid_json().body)
        return reply.status, reply.content


_HEADERS = {"content-type": "application/json"}


def _expired(line: SubmittedLine) -> bytes:
    # OpenAI's batch guide; Azure's has no example.
    message = "This request could not be executed before the completion window expired."
    error = {"code": "batch_expired", "message": message}
    return encode_json({"custom_id": line.custom_id, "response": None, "error": error})
