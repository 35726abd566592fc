"""Chat completions, on every surface that has them."""

from collections.abc import Iterator
from typing import Any

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import (
    EmulatedCall,
    admit,
    check_sku,
    make_generation,
    serve,
)
from azure_responses.emulator.emulated_model import EmulatedModel
from azure_responses.emulator.event_streams import STREAM_TYPE, chat_frames, failing_chat_frames
from azure_responses.emulator.http_messages import (
    PlannedReply,
    ReplyStep,
    chat_headers,
    json_reply,
)
from azure_responses.emulator.limits import rate_limit_headers
from azure_responses.emulator.model_catalog import find_deployed
from azure_responses.emulator.operations.deployed import check_text_model
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import (
    api_not_supported,
    chat_unsupported,
    model_needs_newer_version,
    no_model_name,
    operation_not_supported,
    unknown_model,
)
from azure_responses.emulator.tokens import count_request
from azure_responses.emulator.validation import keep_declared, validate_chat

__all__ = ["complete_chat"]

# Reasoning models exist on the dated surface since this version.
_FIRST_REASONING = "2024-12-01-preview"


def complete_chat(call: EmulatedCall) -> PlannedReply:
    """`POST /chat/completions`, on the dated surface below its deployment."""
    deployment = _find_deployment(call)
    return serve(call, deployment, _complete_on)


def _find_deployment(call: EmulatedCall) -> EmulatedDeployment:
    name = call.deployment_name
    if call.route.surface != "models":
        return call.account.deployment(name)
    # The older model inference has bodies of its own for a name that leads nowhere.
    if not name or not isinstance(name, str):
        raise no_model_name()
    deployment = call.account.resource.find_deployment(name)
    if deployment is None:
        raise unknown_model(name)
    return deployment


def _complete_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    call.raise_fault()
    model = find_deployed(deployment)
    _check_model(call, deployment, model)
    check_sku(call, deployment, "chatCompletion")
    check_text_model(deployment, "chatCompletion")
    body = call.body
    if call.route.surface == "models":
        body = keep_declared(body, call.received.headers.get("extra-parameters"))
    validate_chat(body, model, call.route.surface)
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or 0
    admit(call, deployment, count_request(body) + limit)
    account, now = call.account, call.now
    generation = make_generation(call, deployment, body)
    completion, chunks = engine.create_chat_completion(generation, call.is_streamed)
    window = account.window(deployment)
    window.spend(now, completion["usage"]["total_tokens"])
    if call.is_streamed:
        reply = _chat_stream(call, deployment, chunks)
    else:
        reply = json_reply(completion)
        tokens = completion["usage"]["completion_tokens"]
        reply.delay = account.latency_of(deployment).whole(tokens, account.dice)
    reply.region = deployment.region
    reply.headers += chat_headers(deployment.name, account.mint)
    # Recorded chat completions name the limits, recorded responses do not.
    mode = "present" if deployment.rate_limit_headers == "absent" else None
    reply.headers += rate_limit_headers(deployment, window, now, mode)
    return reply


def _check_model(call: EmulatedCall, deployment: EmulatedDeployment, model: EmulatedModel) -> None:
    if "messages" in model.apis:
        raise api_not_supported()
    if deployment.api == "responses":
        raise chat_unsupported()
    if model.responses_only:
        raise operation_not_supported("chatCompletion", model.name)
    version = call.api_version
    if version is not None and model.reasoning and version < _FIRST_REASONING:
        raise model_needs_newer_version(model.name)


def _chat_stream(
    call: EmulatedCall, deployment: EmulatedDeployment, chunks: list[dict[str, Any]]
) -> PlannedReply:
    account, fault = call.account, call.stream_fault()
    if fault is not None:
        region = account.region(deployment)
        steps: Iterator[ReplyStep] = failing_chat_frames(fault, chunks, deployment, region)
    else:
        gaps = account.latency_of(deployment).gaps(len(chunks), account.dice)
        steps = chat_frames(chunks, gaps)
    return PlannedReply(200, [STREAM_TYPE], steps=steps)
