"""Messages of Claude: answers whole or streamed, and the counting of tokens."""

import re
from collections.abc import Iterator
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import EmulatedCall, admit, make_generation, serve
from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.event_streams import STREAM_TYPE, frame
from azure_responses.emulator.faults import Fault
from azure_responses.emulator.http_messages import Pause, PlannedReply, ReplyStep, json_reply
from azure_responses.emulator.messages_errors import (
    as_messages_error,
    error_event,
    messages_error,
    wrong,
)
from azure_responses.emulator.model_catalog import find_deployed
from azure_responses.emulator.opaque_values import ReasoningCipherError
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import ServiceError, api_not_supported
from azure_responses.emulator.tokens import count_request
from azure_responses.emulator.validation import validate_message_blocks, validate_messages

__all__ = ["count_tokens", "create"]

# Raw callers send 2023-06-01, the anthropic package since 2.0 a date of 2026.
_VERSION = re.compile(r"20\d{2}-\d{2}-\d{2}")
# What a fault that begins after the 200 is called in an `error` event.
_STREAM_ERRORS = {
    "stream-500": ("api_error", "Internal server error"),
    "stream-500-flat": ("api_error", "Internal server error"),
    "stream-529": ("overloaded_error", "Overloaded"),
    "stream-context-length": ("invalid_request_error", "prompt is too long"),
    "stream-no-deployment": ("not_found_error", "deployment not found"),
}
_STREAM_LIMIT = ("rate_limit_error", "This request would exceed the rate limit of the deployment.")


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /anthropic/v1/messages`."""
    return _serve(call, is_counted=False)


def count_tokens(call: EmulatedCall) -> PlannedReply:
    """`POST /anthropic/v1/messages/count_tokens`."""
    return _serve(call, is_counted=True)


def _serve(call: EmulatedCall, *, is_counted: bool) -> PlannedReply:
    # Anthropic's form of ids. It is in the header and in the body of an error, and users quote
    # either.
    request_id = "req_011C" + call.account.mint.letters(20)
    try:
        _check_headers(call)
        deployment = _find_deployment(call)
        work = _count_on if is_counted else _create_on
        reply = serve(call, deployment, work)
    except ServiceError as error:
        # What the gateway in front answers keeps its own shape.
        if error.body.get("type") == "error":
            error.body["request_id"] = request_id
            error.headers["request-id"] = request_id
        raise
    reply.headers.append(("request-id", request_id))
    return reply


def _check_headers(call: EmulatedCall) -> None:
    if not isinstance(call.parsed, dict):
        raise messages_error(400, "The request body is not valid JSON.")
    version = call.received.headers.get("anthropic-version")
    if version is None:
        raise wrong("anthropic-version", "header is required")
    if not _VERSION.fullmatch(version):
        raise wrong("anthropic-version", f'"{version}" is not a valid version.')
    betas = call.received.headers.get("anthropic-beta", "")
    for beta in (name.strip() for name in betas.split(",") if name.strip()):
        # It comes with `cache_control.scope`, which Foundry does not know.
        if beta.startswith("prompt-caching-scope"):
            raise messages_error(
                400,
                f"Unexpected value(s) `{beta}` for the `anthropic-beta` header. Please consult our "
                "documentation at docs.claude.com or try again without the header.",
            )


def _find_deployment(call: EmulatedCall) -> EmulatedDeployment:
    name = call.deployment_name
    if name is None:
        raise wrong("model", "Field required")
    if not isinstance(name, str):
        raise wrong("model", "Input should be a valid string")
    deployment = call.account.deployment(name)
    # The mirror of what Claude's deployments answer on OpenAI's routes (windmill #9908, llmgateway
    # #3233).
    if "messages" not in find_deployed(deployment).apis:
        raise api_not_supported()
    return deployment


def _check(call: EmulatedCall, model: EmulatedModel, *, is_counted: bool) -> None:
    try:
        call.raise_fault()
    except ServiceError as error:
        raise as_messages_error(error) from None
    validate_messages(call.body, model, is_counted=is_counted)
    account, assumptions = call.account, call.account.assumptions

    def open_seal(sealed: str) -> dict[str, Any] | None:
        try:
            opened = account.signer.open(sealed)
        except ReasoningCipherError:
            return None
        is_own = opened.get("model") == model.snapshot
        return opened if is_own or assumptions.accepts_other_models_thinking else None

    def count_thoughts(call_id: str) -> int:
        return account.thoughts.get(call_id, 0) if assumptions.requires_thinking else 0

    validate_message_blocks(call.body, open_seal, count_thoughts)


def _count_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    _check(call, find_deployed(deployment), is_counted=True)
    generation = make_generation(call, deployment, call.body)
    return json_reply({"input_tokens": engine.count_message_tokens(generation)})


def _create_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    model = find_deployed(deployment)
    _check(call, model, is_counted=False)
    try:
        admit(call, deployment, count_request(call.body) + call.body["max_tokens"])
    except ServiceError as error:
        raise as_messages_error(error) from None
    account, now = call.account, call.now
    written = engine.create_message(make_generation(call, deployment, call.body))
    message = written.message
    for block in message["content"]:
        if block["type"] == "tool_use":
            # Remembered by the call: whether the thinking came back can be checked only in the next
            # request.
            account.thoughts[block["id"]] = written.thoughts
    usage = message["usage"]
    account.window(deployment).spend(now, usage["input_tokens"] + usage["output_tokens"])
    if call.is_streamed:
        reply = _stream(call, deployment, message)
    else:
        reply = json_reply(message)
        latency = account.latency_of(deployment)
        reply.delay = latency.whole(usage["output_tokens"], account.dice)
    reply.region = deployment.region
    return reply


def _stream(
    call: EmulatedCall, deployment: EmulatedDeployment, message: dict[str, Any]
) -> PlannedReply:
    events = list(engine.write_message_events(message, deployment.chunking))
    fault = call.stream_fault()
    if fault is not None:
        steps: Iterator[ReplyStep] = iter([frame(event) for event in _cut(events, fault)])
    else:
        account = call.account
        gaps = account.latency_of(deployment).gaps(len(events), account.dice)
        steps = _pace(events, gaps)
    return PlannedReply(200, [STREAM_TYPE], steps=steps)


def _cut(events: list[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    kind, text = _STREAM_ERRORS.get(fault.kind, _STREAM_LIMIT)
    # Never the last event: a message that stopped cannot fail.
    sent = events[: min(fault.after_events, len(events) - 1)]
    return [*sent, error_event(kind, text)]


def _pace(events: list[dict[str, Any]], gaps: list[float]) -> Iterator[ReplyStep]:
    for event, gap in zip(events, gaps, strict=True):
        if gap:
            yield Pause(gap)
        yield frame(event)
