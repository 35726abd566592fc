"""Chat completions, where the deployment's model offers them."""

from azure_responses.emulator import engine
from azure_responses.emulator.dispatch import EmulatedCall, admit, serve
from azure_responses.emulator.engine import Generation
from azure_responses.emulator.event_streams import STREAM_TYPE, chat_frames, failing_chat_frames
from azure_responses.emulator.http_messages import PlannedReply, chat_headers, json_reply
from azure_responses.emulator.limits import rate_limit_headers
from azure_responses.emulator.model_catalog import EmulatedModel, find_model
from azure_responses.emulator.resources import EmulatedDeployment
from azure_responses.emulator.service_errors import (
    model_needs_newer_version,
    operation_not_supported,
)
from azure_responses.emulator.tokens import count_request
from azure_responses.emulator.validation import validate_chat

__all__ = ["complete"]

_FIRST_REASONING = "2024-12-01-preview"


def complete(call: EmulatedCall) -> PlannedReply:
    """`POST /chat/completions`, on the dated surface below its deployment."""
    deployment = call.account.deployment(call.deployment_name)
    return serve(call, deployment, _complete_on)


def _complete_on(call: EmulatedCall, deployment: EmulatedDeployment) -> PlannedReply:
    call.refuse_by_fault()
    model = find_model(deployment.model_name)
    _check_model(call, model)
    validate_chat(call.body, model)
    limit = call.body.get("max_completion_tokens") or call.body.get("max_tokens") or 0
    admit(call, deployment, count_request(call.body) + limit)
    account, now = call.account, call.now
    completion, chunks = engine.create_chat_completion(
        _turn(call, deployment, model, now), call.is_streamed
    )
    window = account.window(deployment)
    window.spend(now, (completion.get("usage") or {}).get("total_tokens", 0))
    latency = account.latency_of(deployment)
    fault = call.stream_fault()
    if call.is_streamed and fault is not None:
        steps = failing_chat_frames(fault, chunks, deployment, account.region(deployment))
        reply = PlannedReply(200, [STREAM_TYPE], steps=steps)
    elif call.is_streamed:
        gaps = latency.gaps(len(chunks), account.dice)
        reply = PlannedReply(200, [STREAM_TYPE], steps=chat_frames(chunks, gaps))
    else:
        reply = json_reply(completion)
        tokens = (completion.get("usage") or {}).get("completion_tokens", 0)
        reply.delay = latency.whole(tokens, account.dice)
    reply.region = deployment.region
    reply.headers += chat_headers(deployment.name, account.mint)
    mode = "present" if deployment.rate_limit_headers == "absent" else None
    reply.headers += rate_limit_headers(deployment, window, now, mode)
    return reply


def _check_model(call: EmulatedCall, model: EmulatedModel) -> None:
    if model.responses_only:
        raise operation_not_supported("chatCompletion", model.name)
    version = call.api_version
    if version is not None and model.reasoning and version < _FIRST_REASONING:
        raise model_needs_newer_version(model.name)


def _turn(
    call: EmulatedCall, deployment: EmulatedDeployment, model: EmulatedModel, now: float
) -> Generation:
    account = call.account
    return Generation(
        request=call.body,
        deployment=deployment.name,
        model=model,
        created_at=int(now),
        identifiers=account.mint,
        cipher=account.cipher,
        headers=call.received.headers,
        dated=call.route.surface == "dated",
        find_file=account.objects.find_file,
        search=account.objects.search,
        chunking=deployment.chunking,
        prefixes=account.prefixes,
    )
