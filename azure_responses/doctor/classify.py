"""What the service answered → which steps are fine, which one is at fault, which are unknown.

One real call shows more than a series of harmless ones, because the service checks a call in a
known order: a call that fails a later check has passed the earlier ones. No I/O.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from azure_responses.doctor.findings import SERVICE_STEPS, Finding, skip
from azure_responses.doctor.token_claims import CredentialNotes
from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    ConfigurationError,
)
from azure_responses.protocol.known_errors import find_connection_step, find_known
from azure_responses.types.response import Response
from azure_responses.types.result import RateLimit

__all__ = [
    "Classification",
    "ProbeContext",
    "ProbeResult",
    "check_headroom",
    "classify",
    "classify_error",
    "classify_without_deployment",
]

# The order of the service's checks. Whether its version check comes before or after that of the
# credential is not known, so a refused version proves nothing about the credential.
_ORDER = ("firewall", "credential", "role", "deployment", "model", "region", "rate-limit", "call")
# Below this share of a limit a warning is given.
_LOW = 0.1


@dataclass(frozen=True)
class ProbeResult:
    """How a call ended; times in seconds from its start.

    Attributes:
        response: what it ended with, or None.
        error: what it failed with, or None.
        first_token: when the first piece of output arrived, or None.
        seconds: when it had ended.
    """

    response: Response | None = None
    error: AzureResponsesError | None = None
    first_token: float | None = None
    seconds: float = 0.0

    @property
    def region(self) -> str | None:
        """The region that answered or refused, as far as the reply named it."""
        if self.response is not None:
            return self.response.region
        return self.error.region if isinstance(self.error, APIStatusError) else None


@dataclass(frozen=True)
class ProbeContext:
    """What was called: described for people, without secrets.

    Attributes:
        version: the version and path, such as "no api-version on the v1 path".
        deployment: the deployment called.
        credential: what is known of the key or token.
        speaks: the API that the deployment was called over, and why; empty for Responses.
    """

    version: str
    deployment: str | None
    credential: CredentialNotes
    speaks: str = ""


@dataclass(frozen=True)
class Classification:
    """The step at fault, and the steps that the refusal proves to be fine."""

    step: str
    proven: frozenset[str] = field(default_factory=frozenset)


def classify_error(error: AzureResponsesError) -> Classification:
    """Which step an error puts at fault."""
    if isinstance(error, APIStatusError):
        step = _step_of_status(error)
        return Classification(step, _proven_before(step))
    if isinstance(error, APIConnectionError):
        return Classification(find_connection_step(error.message) or "call")
    if isinstance(error, ConfigurationError):
        return Classification("call")
    # The stream had begun, so every check before the call itself had passed.
    return Classification("call", _proven_before("call"))


def _step_of_status(error: APIStatusError) -> str:
    # A redirect, or a page in place of JSON, comes from another server: Azure sends neither.
    if error.status_code < 400 or "HTML page" in error.message:
        return "endpoint"
    found = find_known(error.status_code, error.code, error.message)
    return next((known.step for known in found if known.step is not None), "call")


def _proven_before(step: str) -> frozenset[str]:
    if step not in _ORDER:
        return frozenset()
    before = _ORDER[: _ORDER.index(step)]
    # A service that checks the model has accepted the path and the version.
    version = ("api-version",) if _ORDER.index(step) > _ORDER.index("role") else ()
    return frozenset((*before, *version))


def classify(result: ProbeResult, context: ProbeContext) -> list[Finding]:
    """The findings of every step that needs the service.

    Where a step before the service failed (a host name that does not resolve), its finding comes
    first.
    """
    if result.error is None:
        return [_pass(name, result, context) for name in SERVICE_STEPS]
    found = classify_error(result.error)
    early = [] if found.step in SERVICE_STEPS else [_fail(found.step, result, context)]
    return early + [_classify_step(name, found, result, context) for name in SERVICE_STEPS]


# What a list of models proves; it needs neither a deployment nor the role to call one.
_LISTING_PROVES = ("api-version", "credential", "firewall")
_NO_NAME = "Pass deployment='<deployment name>', or set AZURE_OPENAI_DEPLOYMENT."


def classify_without_deployment(result: ProbeResult, context: ProbeContext) -> list[Finding]:
    """The findings where no deployment is named: `result` is that of the models list.

    A refused list proves nothing where it is not offered: a gateway may leave it out.
    """
    unnamed = Finding("deployment", False, "no deployment is named", _NO_NAME)
    if result.error is None:
        return [_pass(name, result, context) for name in _LISTING_PROVES] + [unnamed]
    found = classify_error(result.error)
    if found.step in ("api-version", "model", "region", "rate-limit", "call"):
        return [unnamed]
    proven = [_pass(name, result, context) for name in _LISTING_PROVES if name in found.proven]
    return [*proven, _fail(found.step, result, context), unnamed]


def _classify_step(
    name: str, found: Classification, result: ProbeResult, context: ProbeContext
) -> Finding:
    is_other = found.step == "model" and serves_other_apis(context.deployment)
    if name == found.step:
        return _explain_model(context) if is_other else _fail(name, result, context)
    # A refusal that names its region is itself proof of it.
    if name in found.proven or (name == "region" and result.region):
        return _pass(name, result, context)
    notes = context.credential
    if name == "credential" and notes.fault:
        return Finding(name, False, _with_claims(notes.fault, context), notes.fix)
    if is_other:
        return skip(name, "no response can be asked for")
    return skip(name, f"not reached, because {found.step} failed")


# Azure's models of these APIs, and the names that deployments of them are given.
_OTHER_MODELS = re.compile(
    r"(^|[^a-z])(embed(ding)?s?|embed-v|ada-002|whisper|tts|transcribe|dall-?e|gpt-image)([^a-z]|$)"
)


def serves_other_apis(deployment: str | None) -> bool:
    """True for a deployment whose name is that of a model for embeddings, images or audio."""
    return deployment is not None and _OTHER_MODELS.search(deployment.lower()) is not None


def _explain_model(context: ProbeContext) -> Finding:
    told = (
        f"{context.deployment!r} serves embeddings, images or audio, as its name says, and no "
        "responses: the gateway passes such calls on"
    )
    return Finding("model", True, told)


_FIXES: Mapping[str, str] = {
    "tcp": "Check the endpoint's host and port, and whether this network needs HTTPS_PROXY.",
    "call": "Try again; if it lasts, give the request id to Azure support.",
}


def _fail(name: str, result: ProbeResult, context: ProbeContext) -> Finding:
    error = result.error
    assert error is not None
    detail, fix = _describe_error(error), error.hint
    if name == "credential":
        notes = context.credential
        explanation = notes.fault or notes.suspicion
        detail = _with_claims(f"{detail} — {explanation}" if explanation else detail, context)
        fix = notes.fix or fix
    elif name == "api-version":
        detail = f"{detail} — sent: {context.version}"
    return Finding(name, False, detail, fix or _FIXES.get(name), seconds=result.seconds)


def _describe_error(error: AzureResponsesError) -> str:
    if isinstance(error, APIStatusError):
        # Some replies repeat the status as their code.
        code = f" {error.code}" if error.code and error.code != str(error.status_code) else ""
        return f"{error.status_code}{code}: {error.message}"
    return error.message


def _with_claims(text: str, context: ProbeContext) -> str:
    return f"{text} [sent: {context.credential.description}]"


_PASSED = {
    "firewall": "the resource lets this network in",
    "role": "may create responses",
}


def _pass(name: str, result: ProbeResult, context: ProbeContext) -> Finding:
    """The finding of a step that is fine."""
    if name in _PASSED:
        return Finding(name, True, _PASSED[name])
    return _PASSES[name](result, context)


def _pass_version(_result: ProbeResult, context: ProbeContext) -> Finding:
    return Finding("api-version", True, context.version)


def _pass_credential(_result: ProbeResult, context: ProbeContext) -> Finding:
    notes = context.credential
    return Finding("credential", True, f"accepted: {notes.description}", notes.advice)


def _pass_deployment(result: ProbeResult, context: ProbeContext) -> Finding:
    detail = f"{context.deployment!r} exists"
    if result.response is not None and result.response.spillover_from:
        served = result.response.served_deployment
        detail += f"; it was full, and {served!r} answered for it"
    return Finding("deployment", True, detail)


def _pass_model(result: ProbeResult, context: ProbeContext) -> Finding:
    model = (result.response.model if result.response else None) or "the model"
    if context.speaks:
        return Finding("model", True, f"{model} serves {context.speaks}")
    return Finding("model", True, f"{model} serves the Responses API")


def _pass_region(result: ProbeResult, _context: ProbeContext) -> Finding:
    if result.region is None:
        return skip("region", "the reply did not name one; a gateway may drop the header")
    return Finding("region", True, result.region)


def _pass_headroom(result: ProbeResult, _context: ProbeContext) -> Finding:
    return check_headroom(result.response.rate_limit if result.response else None)


def _pass_call(result: ProbeResult, _context: ProbeContext) -> Finding:
    response = result.response
    assert response is not None
    reason = getattr(response.incomplete_details, "reason", None)
    # Incomplete for its length is fine: the probe asks for few tokens.
    if response.status == "incomplete" and reason == "content_filter":
        fix = "The content filter stopped the output; `content_filters` says by which category."
        return Finding("call", False, "incomplete: content_filter", fix, result.seconds)
    first = f"first token after {result.first_token:.2f} s, " if result.first_token else ""
    detail = f"{first}done after {result.seconds:.2f} s"
    if usage := response.usage:
        detail += f"; {usage.input_tokens} input and {usage.output_tokens} output tokens"
    return Finding("call", True, detail, seconds=result.seconds)


_PASSES = {
    "api-version": _pass_version,
    "credential": _pass_credential,
    "deployment": _pass_deployment,
    "model": _pass_model,
    "region": _pass_region,
    "rate-limit": _pass_headroom,
    "call": _pass_call,
}

_NO_HEADROOM = "Raise the deployment's quota, spread the load, or wait for the minute to pass."


def check_headroom(limit: RateLimit | None) -> Finding:
    """What is left of the deployment's limits, as far as the reply said."""
    if limit is None:
        return skip("rate-limit", "the reply named no limits, as is usual for Responses")
    known = [
        (remaining, total, unit)
        for is_known, remaining, total, unit in (
            (limit.tokens_known, limit.remaining_tokens, limit.limit_tokens, "tokens"),
            (limit.requests_known, limit.remaining_requests, limit.limit_requests, "requests"),
        )
        if is_known and remaining is not None
    ]
    if not known:
        return skip("rate-limit", "the reply's limits hold no numbers (-1), as Azure often sends")
    detail = " and ".join(_left(*numbers) for numbers in known) + " left in this minute"
    if any(remaining <= 0 for remaining, _, _ in known):
        return Finding("rate-limit", False, detail, _NO_HEADROOM)
    is_low = any(total and remaining < _LOW * total for remaining, total, _ in known)
    return Finding("rate-limit", True, detail, _NO_HEADROOM if is_low else None)


def _left(remaining: float, total: float | None, unit: str) -> str:
    whole = f" of {total:,.0f}" if total is not None else ""
    return f"{remaining:,.0f}{whole} {unit}"
