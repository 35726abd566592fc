"""What surrounds an answer: capacity, faults of a deployment, and spillover to another one."""

from collections.abc import Callable
from dataclasses import replace

from azure_responses.emulator.call import Call
from azure_responses.emulator.exchange import Reply
from azure_responses.emulator.limits import Shortage, limit_refusal, rate_limit_headers
from azure_responses.emulator.refusal import Refusal
from azure_responses.emulator.resources import Deployment

__all__ = ["admit", "serve", "shortage_refusal", "take_shortage"]

Work = Callable[[Call, Deployment], Reply]

_SPILLING = (429, 500, 503)


def serve(call: Call, deployment: Deployment, work: Work) -> Reply:
    """`work` on the deployment, or on its spillover target where a provisioned one cannot.

    After Microsoft's spillover page: 429, 500, 503 and over-long input trigger it, the
    deployment's own setting wins over `x-ms-spillover-deployment`, and where the second one fails
    too its answer is the one returned.
    """
    try:
        return work(call, deployment)
    except Refusal as refusal:
        target = _spillover_target(call, deployment)
        if target is None or not _spills(refusal):
            raise
        headers = _spillover_headers(deployment, target, refusal)
    second = replace(call, faults=call.match_faults(target.name))
    try:
        reply = work(second, target)
    except Refusal as refusal:
        refusal.headers.update(headers)
        raise
    known = [pair for pair in reply.headers if pair[0] not in headers]
    reply.headers = [*known, *headers.items()]
    return reply


def _spillover_target(call: Call, deployment: Deployment) -> Deployment | None:
    if deployment.kind != "provisioned":
        return None
    name = deployment.spillover_to or call.received.headers.get("x-ms-spillover-deployment")
    return call.account.resource.find_deployment(name) if name else None


def _spills(refusal: Refusal) -> bool:
    return refusal.status in _SPILLING or _error_code(refusal) == "context_length_exceeded"


def _error_code(refusal: Refusal) -> str:
    error = refusal.body.get("error") or {}
    return str(error.get("code") or refusal.status)


def _spillover_headers(source: Deployment, target: Deployment, refusal: Refusal) -> dict[str, str]:
    return {
        "x-ms-spillover-from-deployment": source.name,
        "x-ms-deployment-name": target.name,
        "x-ms-spillover-error": _error_code(refusal),
        "x-ms-is-spilled-over": "true",
    }


def take_shortage(call: Call, deployment: Deployment, tokens: int) -> Shortage | None:
    """What the deployment lacks for a call of so many tokens."""
    return call.account.window(deployment).shortage(deployment, call.now, tokens)


def shortage_refusal(call: Call, deployment: Deployment, shortage: Shortage) -> Refusal:
    """HTTP 429 with the headers of an exhausted deployment."""
    region = call.account.region(deployment)
    operation = "chat" if call.route.operation == "chat" else "create"
    refusal = limit_refusal(deployment, region, shortage, operation, call.api_version)
    mode = "present" if deployment.rate_limit_headers == "absent" else None
    window = call.account.window(deployment)
    refusal.headers.update(rate_limit_headers(deployment, window, call.now, mode))
    return refusal


def admit(call: Call, deployment: Deployment, tokens: int) -> None:
    """Raise HTTP 429 where the deployment has no room for the call."""
    shortage = take_shortage(call, deployment, tokens)
    if shortage is not None:
        raise shortage_refusal(call, deployment, shortage)
