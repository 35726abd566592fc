"""One sentence per failure that says what to change.

Each row is (status, code or None, words in the message or None) → the sentence, most specific
first. The bodies they answer are those Azure has been recorded or reported to send.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from azure_responses.protocol.problem import Problem

__all__ = ["Situation", "hint_for"]


@dataclass(frozen=True)
class Situation:
    """What was being done when something failed; everything a hint may need to say.

    `secrets` are the key or token that was sent, so that no error can repeat them.
    """

    operation: str
    surface: str = "v1"
    api_version: str | None = None
    deployment: str | None = None
    response_id: str | None = None
    scope: str | None = None
    uses_key: bool = True
    secrets: tuple[str, ...] = field(default=(), repr=False)


_Sentence = str | Callable[[Situation], str]


def _wrong_version(situation: Situation) -> str:
    if situation.surface == "project":
        return "A Foundry project takes no api-version at all: leave it out."
    if situation.surface == "v1":
        return "The v1 path takes no dated version: leave api_version out, or pass 'preview'."
    return "Leave api_version out to use v1, or pass '2025-04-01-preview' or later."


def _unauthorised_token(situation: Situation) -> str:
    return (
        f"The token must be for {situation.scope or 'https://cognitiveservices.azure.com/.default'}"
        " and unexpired; pass scope= if this resource wants another audience."
    )


def _unauthorised_key(situation: Situation) -> str:
    return (
        "The key does not belong to this endpoint, or was rotated: copy both from the same "
        "resource's 'Keys and Endpoint' page."
    )


def _no_deployment(situation: Situation) -> str:
    named = f"{situation.deployment!r}" if situation.deployment else "the value sent"
    return (
        f"`model` must be the name of a deployment on this resource, and {named} is not one; "
        "a new deployment takes up to 5 minutes to appear."
    )


def _no_route(situation: Situation) -> str:
    version = situation.api_version
    sent = f"api-version={version}" if version else "no api-version"
    if situation.operation == "compact":
        return "This resource does not offer /responses/compact yet."
    return (
        f"The path was not found with {sent}: check the endpoint, and leave api_version out to use "
        "v1 unless the resource needs a dated version."
    )


# Reported by joselcaguilar/azure-openai-ha #92: the route exists, what serves the model lacks it.
_NO_RESPONSES = (
    "The path was not found where this deployment runs: use the v1 path, in a region that "
    "Microsoft's Responses page lists."
)
_BLOCKED = "The prompt was blocked; `content_filters` says by which category and severity."
_TOO_LONG = "Shorten the input, or pass truncation='auto' to let the service drop the oldest items."

_ROWS: tuple[tuple[int, str | None, str | None, _Sentence], ...] = (
    (400, None, r"api version not supported|enabled only for api.version", _wrong_version),
    (400, "operationnotsupported", r"chatcompletion",
     "This model is served by the Responses API only; call responses.create."),
    (400, "operationnotsupported", None,
     "This model does not serve the Responses API; deploy one that does, such as gpt-5-mini."),
    (400, "unsupported_parameter", r"'messages'", "Responses takes `input`, not `messages`."),
    (400, None, r"unsupported parameter: 'messages'", "Responses takes `input`, not `messages`."),
    (400, None, r"unsupported (parameter|value): '(temperature|top_p)'",
     "Reasoning models take neither temperature nor top_p; leave them out."),
    (400, None, r"unsupported parameter", "Leave the parameter out: this model does not take it."),
    (400, None, r"unknown parameter.*status",
     "Replayed items must not carry `status`; pass the typed items of `response.output`."),
    (400, None, r"x-ms-oai-image-generation-deployment",
     "Pass extra_headers={'x-ms-oai-image-generation-deployment': '<image deployment>'}."),
    (400, None, r"custom subdomain",
     "Use https://<resource>.openai.azure.com instead of the regional host, or pass a key."),
    (400, "invalid_encrypted_content", None,
     "Encrypted reasoning can only be read by the resource that made it; drop the reasoning items "
     "or call the same resource."),
    (400, "previous_response_not_found", None,
     "The response lives on another resource, was deleted, was made with store=False, or is older "
     "than 30 days; send the conversation as `input` instead."),
    (400, None, r"not persisted when `?store`? is set to false",
     "With store=False pass include=['reasoning.encrypted_content'] and replay whole items, not "
     "their ids."),
    (400, None, r"call_id'?: string too long",
     "Azure takes ids of calls of at most 64 characters: send both ends of the pair under the same "
     "shorter id, as chat.completions does by itself."),
    (400, None, r"no tool call found",
     "Send the function_call item before its function_call_output, or set previous_response_id."),
    (400, "content_filter", None, _BLOCKED),
    (400, "model_not_found", None, _no_deployment),
    (400, "context_length_exceeded", None, _TOO_LONG),
    (400, None, r"maximum context length|exceed the configured limit|exceeds the context window",
     _TOO_LONG),
    (401, "permissiondenied", None,
     "Assign the role 'Cognitive Services OpenAI User' (for a project: 'Azure AI User') on the "
     "resource to this principal; a new assignment takes a few minutes."),
    (401, None, r"access token is missing|audience", _unauthorised_token),
    (401, None, None, lambda s: _unauthorised_key(s) if s.uses_key else _unauthorised_token(s)),
    (403, "authenticationtypedisabled", None,
     "Keys are disabled on this resource; leave api_key out and sign in with Entra ID."),
    (403, None, r"virtual network|firewall|public access is disabled|private endpoint",
     "This network may not reach the resource: add it to the resource's firewall, or call through "
     "its private endpoint."),
    (403, None, r"temporarily blocked", "Azure blocked the resource; contact Azure support."),
    (403, "content_filter", None, _BLOCKED),
    (403, None, None,
     "Assign the role 'Cognitive Services OpenAI User' on the resource to this principal."),
    (404, "deploymentnotfound", None, _no_deployment),
    (404, "model_not_found", None, _no_deployment),
    (404, None, r"existing deployment", _no_deployment),
    (404, "unknown_url", None, "Azure does not offer this operation."),
    (404, None, r"invalid url \(post /v1/responses\)", _NO_RESPONSES),
    (404, None, r"resource not found|invalid url", _no_route),
    (429, None, r"high demand|peak load",
     "The region is busy; wait `retry_after` seconds, or use provisioned throughput."),
    (429, None, r"provisioned|\bptu\b",
     "The provisioned deployment is full; retry, or configure a spillover deployment."),
    (429, None, None,
     "The deployment's quota is used up; wait `retry_after` seconds, or raise its quota."),
    (500, None, r"unable to get resource information",
     "The token was issued by another tenant than the resource's; sign in to its tenant."),
)  # fmt: skip


def hint_for(
    problem: Problem, status: int, headers: Mapping[str, str], situation: Situation
) -> str | None:
    """The sentence for a failure, or None where nothing better than the message is known."""
    if 300 <= status < 400:
        return "The service redirected, which Azure does not do; check the endpoint's host name."
    if situation.response_id and status == 404 and problem.code not in ("404", "unknown_url"):
        return (
            "The response lives on another resource, was deleted, was made with store=False, or is "
            "older than 30 days."
        )
    if status == 200 or "html" in headers.get("content-type", ""):
        return "This was not answered by Azure OpenAI; check the endpoint and any proxy between."
    code, message = (problem.code or "").lower(), problem.message
    for row_status, row_code, words, sentence in _ROWS:
        if status != row_status or (row_code is not None and row_code != code):
            continue
        if words is None or re.search(words, message, re.IGNORECASE):
            return sentence if isinstance(sentence, str) else sentence(situation)
    return None
