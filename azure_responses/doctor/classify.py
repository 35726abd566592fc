"""What the service answered → which steps are fine, which one is at fault, which are unknown.

One real call tells more than a series of harmless ones, because the service judges a call in a
known order: what it refuses last was fine in everything it looks at before. Pure.
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
from azure_responses.protocol.known_errors import find_known
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

# The order in which the service judges. Its version check comes before or after the caller's,
# nobody outside knows; so a refused version proves nothing about the caller.
_ORDER = ("firewall", "credential", "role", "deployment", "model", "region", "rate-limit", "call")
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


@dataclass(frozen=True)
class ProbeContext:
    """What was asked: described for people, without secrets.

    Attributes:
        version: the version and path, such as "no api-version on the v1 path".
        deployment: the deployment asked.
        credential: what is known of the key or token.
    """

    version: str
    deployment: str | None
    credential: CredentialNotes


@dataclass(frozen=True)
class Classification:
    """The step at fault, and the steps the refusal proves to be fine."""

    step: str
    proven: frozenset[str] = field(default_factory=frozenset)


_CONNECTION_ROWS = (
    (r"name or service|nodename|getaddrinfo|name resolution|resolve", "dns"),
    (r"certificate|ssl|tls|proxy", "tls"),
    (r"refused|unreachable|ConnectTimeout", "tcp"),
)


def classify_error(error: AzureResponsesError) -> Classification:
    """Which step an error puts at fault."""
    if isinstance(error, APIStatusError):
        step = _step_of_status(error)
        return Classification(step, _proven_before(step))
    if isinstance(error, APIConnectionError):
        return Classification(_step_of_connection(error))
    if isinstance(error, ConfigurationError):
        return Classification("call")
    # The stream had begun, so everything up to it was let through.
    return Classification("call", _proven_before("call"))


def _step_of_status(error: APIStatusError) -> str:
    if _is_from_elsewhere(error):
        return "endpoint"
    found = find_known(error.status_code, error.code, error.message)
    return next((known.step for known in found if known.step is not None), "call")


def _is_from_elsewhere(error: APIStatusError) -> bool:
    """True for a redirect, or a page where an answer should be: Azure sends neither."""
    return error.status_code < 400 or "HTML page" in error.message


def _step_of_connection(error: APIConnectionError) -> str:
    for words, step in _CONNECTION_ROWS:
        if re.search(words, error.message, re.IGNORECASE):
            return step
    return "call"


def _proven_before(step: str) -> frozenset[str]:
    if step not in _ORDER:
        return frozenset()
    before = _ORDER[: _ORDER.index(step)]
    # A path and a version that lead to a judgement about the model are good ones.
    version = ("api-version",) if _ORDER.index(step) > _ORDER.index("role") else ()
    return frozenset((*before, *version))


def classify(answer: ProbeResult, asked: ProbeContext) -> list[Finding]:
    """The findings of every step that needs the service.

    Where the fault lies in a step before the service (a host name that does not resolve), that
    step's finding comes first.
    """
    if answer.error is None:
        return [_pass(name, answer, asked) for name in SERVICE_STEPS]
    verdict = classify_error(answer.error)
    findings = [] if verdict.step in SERVICE_STEPS else [_fail(verdict.step, answer, asked)]
    return findings + [_classify_step(name, verdict, answer, asked) for name in SERVICE_STEPS]


def classify_without_deployment(answer: ProbeResult, asked: ProbeContext) -> list[Finding]:
    """The findings where no deployment is named: `answer` is that of the models list.

    A model list that is not offered (a gateway may leave it out) proves nothing.
    """
    named = Finding("deployment", False, "no deployment is named", _NO_NAME)
    if answer.error is None:
        return [_pass(name, answer, asked) for name in _LISTING_PROVES] + [named]
    verdict = classify_error(answer.error)
    if verdict.step in ("api-version", "model", "region", "rate-limit", "call"):
        return [named]
    proven = [_pass(name, answer, asked) for name in _LISTING_PROVES if name in verdict.proven]
    return [*proven, _fail(verdict.step, answer, asked), named]


_LISTING_PROVES = ("api-version", "credential", "firewall")
_NO_NAME = "Pass deployment='<deployment name>', or set AZURE_OPENAI_DEPLOYMENT."


def _classify_step(
    name: str, verdict: Classification, answer: ProbeResult, asked: ProbeContext
) -> Finding:
    if name == verdict.step:
        return _fail(name, answer, asked)
    if name in verdict.proven or (name == "region" and _region(answer)):
        return _pass(name, answer, asked)
    if name == "credential" and asked.credential.fault:
        return Finding(
            name, False, _with_claims(asked.credential.fault, asked), asked.credential.fix
        )
    return skip(name, f"not reached, because {verdict.step} failed")


# --- failures -------------------------------------------------------------------------------------


def _fail(name: str, answer: ProbeResult, asked: ProbeContext) -> Finding:
    error = answer.error
    assert error is not None
    detail, fix = _describe_error(error), error.hint
    if name == "credential":
        notes = asked.credential
        explanation = notes.fault or notes.suspicion
        detail = _with_claims(f"{detail} — {explanation}" if explanation else detail, asked)
        fix = notes.fix or fix
    elif name == "api-version":
        detail = f"{detail} — sent: {asked.version}"
    return Finding(name, False, detail, fix or _FIXES.get(name), seconds=answer.seconds)


_FIXES: Mapping[str, str] = {
    "tcp": "Check the endpoint's host and port, and whether this network needs HTTPS_PROXY.",
    "call": "Try again; if it lasts, give the request id to Azure support.",
}


def _describe_error(error: AzureResponsesError) -> str:
    if isinstance(error, APIStatusError):
        code = f" {error.code}" if error.code and error.code != str(error.status_code) else ""
        return f"{error.status_code}{code}: {error.message}"
    return error.message


def _with_claims(text: str, asked: ProbeContext) -> str:
    return f"{text} [sent: {asked.credential.description}]"


# --- steps that are fine --------------------------------------------------------------------------


def _pass(name: str, answer: ProbeResult, asked: ProbeContext) -> Finding:
    return _PASSES[name](answer, asked)


def _pass_version(_answer: ProbeResult, asked: ProbeContext) -> Finding:
    return Finding("api-version", True, asked.version)


def _pass_credential(_answer: ProbeResult, asked: ProbeContext) -> Finding:
    notes = asked.credential
    return Finding("credential", True, f"accepted: {notes.description}", notes.advice)


def _pass_firewall(_answer: ProbeResult, _asked: ProbeContext) -> Finding:
    return Finding("firewall", True, "the resource lets this network in")


def _pass_role(_answer: ProbeResult, _asked: ProbeContext) -> Finding:
    return Finding("role", True, "may create responses")


def _pass_deployment(answer: ProbeResult, asked: ProbeContext) -> Finding:
    served = answer.response.served_deployment if answer.response else None
    spilled = answer.response.spillover_from if answer.response else None
    detail = f"{asked.deployment!r} exists"
    if spilled:
        detail += f"; it was full, and {served!r} answered for it"
    return Finding("deployment", True, detail)


def _pass_model(answer: ProbeResult, _asked: ProbeContext) -> Finding:
    model = answer.response.model if answer.response else None
    return Finding("model", True, f"{model or 'the model'} serves the Responses API")


def _pass_region(answer: ProbeResult, _asked: ProbeContext) -> Finding:
    region = _region(answer)
    if region is None:
        return skip("region", "the reply did not name one; a gateway may drop the header")
    return Finding("region", True, region)


def _region(answer: ProbeResult) -> str | None:
    if answer.response is not None:
        return answer.response.region
    return answer.error.region if isinstance(answer.error, APIStatusError) else None


def _pass_headroom(answer: ProbeResult, _asked: ProbeContext) -> Finding:
    limit = answer.response.rate_limit if answer.response else None
    return check_headroom(limit)


def _pass_call(answer: ProbeResult, _asked: ProbeContext) -> Finding:
    response = answer.response
    assert response is not None
    reason = getattr(response.incomplete_details, "reason", None)
    if response.status == "incomplete" and reason == "content_filter":
        fix = "The content filter stopped the output; `content_filters` says by which category."
        return Finding("call", False, "incomplete: content_filter", fix, answer.seconds)
    first = f"first token after {answer.first_token:.2f} s, " if answer.first_token else ""
    usage = response.usage
    counts = (
        f"; {usage.input_tokens} input and {usage.output_tokens} output tokens" if usage else ""
    )
    detail = f"{first}done after {answer.seconds:.2f} s{counts}"
    return Finding("call", True, detail, seconds=answer.seconds)


_PASSES = {
    "api-version": _pass_version,
    "credential": _pass_credential,
    "firewall": _pass_firewall,
    "role": _pass_role,
    "deployment": _pass_deployment,
    "model": _pass_model,
    "region": _pass_region,
    "rate-limit": _pass_headroom,
    "call": _pass_call,
}


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


_NO_HEADROOM = "Raise the deployment's quota, spread the load, or wait for the minute to pass."


def _left(remaining: float, total: float | None, unit: str) -> str:
    whole = f" of {total:,.0f}" if total is not None else ""
    return f"{remaining:,.0f}{whole} {unit}"
