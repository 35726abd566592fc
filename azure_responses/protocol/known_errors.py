"""The errors that Azure is known to answer with: one row says all that is known of one.

A row names the statuses, and the codes or the words of the message by which its error is known.
The rest is for five readers:

    error        error_body   the class of the exception
    in_stream    error_body   the HTTP status that it stands for inside a stream
    hint         error_body   what to change
    step         doctor       which step of a diagnosis is at fault
    instead      the clients  which API the deployment speaks instead of the one called

A reader takes the first row that matches and answers its question. So the order of the rows
matters, and a row may leave what it does not know to a later one. Codes are matched before messages
where both tell, because Azure changes the wording (straight and typographic apostrophes, for one).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from azure_responses.errors import (
    APIStatusError,
    AzureResponsesError,
    ContentFilterError,
    ContextWindowExceededError,
    DeploymentNotFoundError,
    PermissionDeniedError,
    ResponseNotFoundError,
    UnsupportedOperationError,
)
from azure_responses.protocol.conversion import APIName

__all__ = [
    "KnownError",
    "RequestContext",
    "STATUS_IN_STREAM",
    "find_connection_step",
    "find_known",
    "refused_api",
]


@dataclass(frozen=True)
class RequestContext:
    """What was being done when something failed; everything a hint may need to say.

    `param` is the parameter that the error names. `object_id` is the stored object that the path
    names, other than a response; `gone` what to do where it is not found, and `instead` where the
    resource does not offer the operation. `secrets` are the key or token that was sent, so
    that no error can repeat them.
    """

    operation: str
    surface: str = "v1"
    api_version: str | None = None
    deployment: str | None = None
    response_id: str | None = None
    scope: str | None = None
    uses_key: bool = True
    param: str | None = None
    object_id: str | None = None
    gone: str | None = None
    instead: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class KnownError:
    """One error of the service.

    Attributes:
        statuses: the HTTP statuses it comes with.
        codes: its codes, in lower case; none stands for any.
        words: a pattern that its message has, in any case; None stands for any.
        error: the class of the exception.
        in_stream: the HTTP status that its codes stand for inside a stream.
        hint: one sentence that says what to change, or what makes it of the context.
        step: the step of a diagnosis that it puts at fault.
        instead: the API called → the API that the deployment speaks, where the error says so.
        source: where it has been seen.
    """

    statuses: tuple[int, ...]
    codes: tuple[str, ...] = ()
    words: str | None = None
    error: type[APIStatusError] | None = None
    in_stream: int | None = None
    hint: str | Callable[[RequestContext], str] | None = None
    step: str | None = None
    instead: Mapping[APIName, APIName] = field(default_factory=dict)
    source: str = ""


def find_known(status: int, code: str | None, message: str) -> Iterator[KnownError]:
    """The rows that match an error, the most specific first."""
    lowered = (code or "").lower()
    for row in _KNOWN:
        if status not in row.statuses or (row.codes and lowered not in row.codes):
            continue
        if row.words is None or re.search(row.words, message, re.IGNORECASE):
            yield row


def refused_api(error: AzureResponsesError, called: APIName) -> APIName | None:
    """The API that a deployment speaks instead, where the error says it does not speak `called`.

    None for every other error: it is the answer to the call.
    """
    if not isinstance(error, APIStatusError):
        return None
    rows = find_known(error.status_code, error.code, error.message)
    return next((row.instead[called] for row in rows if called in row.instead), None)


def _wrong_version(context: RequestContext) -> str:
    if context.surface == "project":
        return "A Foundry project takes no api-version at all: leave it out."
    if context.surface == "v1":
        return "The v1 path takes no dated version: leave api_version out, or pass 'preview'."
    return "Leave api_version out to use v1, or pass '2025-04-01-preview' or later."


def _unauthorised_token(context: RequestContext) -> str:
    return (
        f"The token must be for {context.scope or 'https://cognitiveservices.azure.com/.default'}"
        " and unexpired; pass scope= if this resource wants another audience."
    )


def _unauthorised(context: RequestContext) -> str:
    if not context.uses_key:
        return _unauthorised_token(context)
    return (
        "The key does not belong to this endpoint, or was rotated: copy both from the same "
        "resource's 'Keys and Endpoint' page."
    )


def _no_deployment(context: RequestContext) -> str:
    named = f"{context.deployment!r}" if context.deployment else "the value sent"
    return (
        f"`model` must be the name of a deployment on this resource, and {named} is not one; "
        "a new deployment takes up to 5 minutes to appear."
    )


def _no_route(context: RequestContext) -> str:
    version = context.api_version
    sent = f"api-version={version}" if version else "no api-version"
    if context.operation == "compact":
        return "This resource does not offer /responses/compact yet."
    return (
        f"The path was not found with {sent}: check the endpoint, and leave api_version out to use "
        "v1 unless the resource needs a dated version."
    )


def _refused_parameter(context: RequestContext) -> str:
    param = context.param
    if param is None:
        return "Leave the parameter out: this model does not take it."
    if param == "max_completion_tokens":
        return (
            "The model of this deployment takes max_tokens instead: write facts: {max_tokens_name: "
            "max_tokens} in its entry of the configuration."
        )
    name, _, rest = param.partition(".")
    api = "responses" if name in ("reasoning", "text") else "chat"
    drop = f"facts: {{refused_by_{api}: [{param}]}} with drop_params: true"
    if not rest:
        drop = f"additional_drop_params: [{name}], or drop_params: true where the family is known"
    return (
        f"Leave the parameter out: the model of this deployment does not take {param!r}; its entry "
        f"of the configuration can drop it ({drop})."
    )


_BLOCKED = "The prompt was blocked; `content_filters` says by which category and severity."
_TOO_LONG = "Shorten the input, or pass truncation='auto' to let the service drop the oldest items."

_KNOWN: tuple[KnownError, ...] = (
    # --- the request -----------------------------------------------------------------------------
    KnownError((400, 403), ("content_filter", "contentfilter"),
        error=ContentFilterError, in_stream=400, hint=_BLOCKED, step="call"),
    KnownError((400,), words=r"api version not supported|enabled only for api.version",
        error=UnsupportedOperationError, hint=_wrong_version, step="api-version",
        source="Aider-AI/aider #4029"),
    KnownError((400, 403, 404), words=r"foundry-features|preview_feature_required",
        hint="This kind of agent is in preview: send the header that the message names, such as "
        "extra_headers={'Foundry-Features': 'HostedAgents=V1Preview'}, or as default_headers of "
        "the client.", source="Azure/azure-dev #8442"),
    KnownError((404,), ("api_not_supported",),
        error=UnsupportedOperationError, step="model",
        instead={"responses": "messages", "chat": "messages"},
        hint="Claude speaks Messages only, and no other model speaks it: leave `api` out, or set "
        "it to what this deployment speaks.",
        source="windmill-labs/windmill #9908, theopenco/llmgateway #3233"),
    KnownError((400, 404), words=r"(only supported in|use) (the )?/?v1/responses",
        error=UnsupportedOperationError, step="model", instead={"chat": "responses"},
        hint="This deployment serves such a call by the Responses API only: leave `api` out, or "
        "set it to responses.",
        source="BerriAI/litellm, llms/azure_ai/common_utils.py"),
    KnownError((400, 404), ("operationnotsupported",), r"chatcompletion",
        error=UnsupportedOperationError, step="model", instead={"chat": "responses"},
        hint="This model is served by the Responses API only; call responses.create.",
        source="langgenius/dify-plugin-sdks #264, langchain-ai/langchain-azure #228"),
    KnownError((400, 404), ("operationnotsupported", "unsupported_operation"),
        error=UnsupportedOperationError, step="model",
        instead={"responses": "chat", "chat": "responses"},
        hint="This model does not serve the Responses API; leave `api` out, or set it to chat, to "
        "call it over chat completions."),
    KnownError((400, 404), words=r"not supported (by|with) the responses api|^model not supported",
        error=UnsupportedOperationError, step="model", instead={"responses": "chat"},
        hint="This model does not serve the Responses API; leave `api` out, or set it to chat, to "
        "call it over chat completions.",
        source="anomalyco/opencode #12949; Microsoft's page generate-responses"),
    KnownError((400,), ("unsupported_parameter",), r"'messages'",
        hint="Responses takes `input`, not `messages`."),
    KnownError((400,), words=r"unsupported parameter: 'messages'",
        hint="Responses takes `input`, not `messages`."),
    KnownError((400,), words=r"unsupported (parameter|value): '(temperature|top_p)'",
        hint="Reasoning models take neither temperature nor top_p; leave them out."),
    KnownError((400, 422), ("extra_forbidden", "unrecognized_request_argument"),
        hint=_refused_parameter, source="pydantic-ai #6593, pi #9645"),
    KnownError((400, 422), hint=_refused_parameter, words=r"unsupported parameter"
        r"|extra inputs are not permitted|unrecognized request argument"),
    KnownError((400,), ("invalid-argument",), r"does not support|not supported on this model",
        hint=_refused_parameter, source="promptfoo #10592, theopenco/llmgateway #3436"),
    KnownError((400,), words=r"unknown parameter.*status",
        hint="Replayed items must not carry `status`; pass the typed items of `response.output`."),
    KnownError((400,), words=r"x-ms-oai-image-generation-deployment",
        hint="Name it by image_deployment, in the client or in the entry of model_list.",
        source="openai/codex #31815"),
    KnownError((400,), words=r"custom subdomain",
        hint="Use https://<resource>.openai.azure.com instead of the regional host, or pass a key.",
        step="credential"),
    KnownError((400,), ("invalid_encrypted_content",), in_stream=400,
        hint="Encrypted reasoning can only be read by the resource that made it; drop the "
        "reasoning items or call the same resource.",
        source="anomalyco/opencode #29879"),
    KnownError((400, 404), ("previous_response_not_found",),
        error=ResponseNotFoundError, in_stream=400,
        hint="The response lives on another resource, was deleted, was made with store=False, or "
        "is older than 30 days; send the conversation as `input` instead."),
    KnownError((400,), words=r"not persisted when `?store`? is set to false",
        hint="With store=False pass include=['reasoning.encrypted_content'] and replay whole "
        "items, not their ids."),
    KnownError((400, 404), words=r"\bcontainer\b.{0,200}\bexpired",
        hint="A container ends after 20 minutes without use: create another one, and put the files "
        "into it again."),
    KnownError((400,), words=r"call_id'?: string too long",
        hint="Azure takes ids of calls of at most 64 characters: send both ends of the pair under "
        "the same shorter id, as chat.completions does by itself."),
    KnownError((400,), words=r"no tool call found",
        hint="Send the function_call item before its function_call_output, or set "
        "previous_response_id."),
    KnownError((400,), ("context_length_exceeded",),
        error=ContextWindowExceededError, in_stream=400, hint=_TOO_LONG,
        source="Azure/azure-sdk-for-net #41892"),
    KnownError((413,), ("context_length_exceeded",), error=ContextWindowExceededError,
        hint=_TOO_LONG),
    KnownError((400,), words=r"prompt is too long|exceed context limit|maximum prompt length"
        r"|exceeded model token limit",
        error=ContextWindowExceededError, hint=_TOO_LONG,
        source="litellm, litellm_core_utils/exception_mapping_utils.py"),
    # Claude's types, which are its codes: anthropic 2.14.0, types/shared.
    KnownError((401,), ("authentication_error",), in_stream=401, hint=_unauthorised,
        step="credential"),
    KnownError((402,), ("billing_error",), in_stream=402,
        hint="Claude is billed through the Azure Marketplace: check the subscription's offer."),
    KnownError((403,), ("permission_error",), in_stream=403),
    KnownError((404,), ("not_found_error",), r"model",
        error=DeploymentNotFoundError, hint=_no_deployment, step="deployment"),
    KnownError((404,), ("not_found_error",), in_stream=404),
    KnownError((413,), ("request_too_large",), in_stream=413,
        hint="Claude takes requests of 32 MB at most: send large files by URL."),
    KnownError((429,), ("rate_limit_error",), in_stream=429),
    KnownError((500,), ("api_error",), in_stream=500),
    KnownError((504,), ("timeout_error",), in_stream=504),
    KnownError((529,), ("overloaded_error",), in_stream=529,
        hint="Claude is overloaded; the call may be sent again after a pause."),
    # The 272,000-token refusal, whose code the report does not show.
    KnownError((400,),
        words=r"maximum context length|exceed the configured limit|exceeds the context window",
        error=ContextWindowExceededError, hint=_TOO_LONG, source="BerriAI/litellm #15968"),
    # --- files -----------------------------------------------------------------------------------
    KnownError((400,), words=r"invalid value for purpose",
        hint="Azure has no purpose 'user_data': pass 'assistants' for what tools read, and 'batch' "
        "for the input of a batch.",
        source="Azure/AI-in-a-Box #46, laravel/ai #695, Microsoft's page on Responses"),
    KnownError((400,), words=r"invalid filename: wrong suffix",
        hint="The name of the file has to end as its purpose wants, in .jsonl for a batch: pass "
        "file=('input.jsonl', content).",
        source="Azure/AI-in-a-Box #46"),
    KnownError((400, 413), words=r"file is too large",
        hint="A file has at most 512 MB, and the input of a batch 200 MB: split it, or try "
        "uploads.upload_file_chunked.",
        source="bespokelabsai/curator #111, Microsoft's page on batches"),
    KnownError((400,), ("quotaexceeded",), r"\bfiles\b",
        hint="A resource keeps 500 files for batches, and 10,000 of those with expires_after: "
        "delete some, or give new ones an expires_after of 1209600 seconds or more.",
        source="Azure/azure-sdk-for-java #47401, Microsoft's page on batches"),
    KnownError((400, 403), words=r"not allowed to download files of purpose",
        hint="Files for assistants are not given back: keep the original. What code interpreter "
        "wrote is read with containers.files.content.",
        source="Chainlit/openai-assistant #3"),
    KnownError((413,),
        hint="The service, or a proxy in between, takes no body of this size: see its limits, or "
        "send less at once."),
    KnownError((400,), in_stream=400,
        codes=("invalid_prompt", "invalid_request_error", "image_generation_user_error")),
    # --- who calls, and from where ---------------------------------------------------------------
    KnownError((401,), ("permissiondenied",),
        hint="Assign the role 'Cognitive Services OpenAI User' (for a project: 'Azure AI User') "
        "on the resource to this principal; a new assignment takes a few minutes."),
    KnownError((401, 403), ("permissiondenied",), in_stream=403,
        error=PermissionDeniedError, step="role"),
    KnownError((401, 403), ("authenticationtypedisabled",),
        error=PermissionDeniedError, step="credential",
        hint="Keys are disabled on this resource; leave api_key out and sign in with Entra ID."),
    KnownError((401,), words=r"access token is missing|audience",
        hint=_unauthorised_token, step="credential"),
    KnownError((401,), hint=_unauthorised, step="credential"),
    KnownError((401,), ("401",), in_stream=401),
    KnownError((403,),
        words=r"virtual network|firewall|public access is disabled|private endpoint",
        hint="This network may not reach the resource: add it to the resource's firewall, or call "
        "through its private endpoint.",
        step="firewall"),
    KnownError((403,), words=r"temporarily blocked",
        hint="Azure blocked the resource; contact Azure support.",
        source="learn.microsoft.com, Azure OpenAI error codes"),
    KnownError((403,), words=r"blocked", step="firewall"),
    KnownError((403,), step="role",
        hint="Assign the role 'Cognitive Services OpenAI User' on the resource to this principal."),
    KnownError((403,), ("403",), in_stream=403),
    # --- what is not there -----------------------------------------------------------------------
    KnownError((400, 404), ("deploymentnotfound", "model_not_found"),
        error=DeploymentNotFoundError, in_stream=404, hint=_no_deployment, step="deployment",
        source="BerriAI/litellm #13419"),
    KnownError((404,), words=r"existing deployment|deployment .{0,200}does not exist",
        error=DeploymentNotFoundError, hint=_no_deployment, step="deployment"),
    KnownError((404,), words=r"(?<!/)\bresponse\b.{0,300}not found", error=ResponseNotFoundError),
    KnownError((404,), ("unknown_url",), hint="Azure does not offer this operation."),
    # The route exists, what serves the model lacks it.
    KnownError((404,), words=r"invalid url \(post /v1/responses\)",
        hint="The path was not found where this deployment runs: use the v1 path, in a region "
        "that Microsoft's Responses page lists.",
        step="region", source="joselcaguilar/azure-openai-ha #92"),
    KnownError((404,), words=r"invalid url", hint=_no_route, step="region"),
    KnownError((404,), words=r"resource not found", hint=_no_route),
    KnownError((404,), step="api-version"),
    KnownError((404,), ("404",), in_stream=404),
    # --- limits, and failures of the service -----------------------------------------------------
    KnownError((408,), ("timeout",), in_stream=408),
    # The first two codes are recorded from Azure's streamed rate limits; most others of streams
    # are those of the specification.
    KnownError((429,), in_stream=429,
        codes=("rate_limit_exceeded", "too_many_requests", "insufficient_quota", "429")),
    KnownError((429,), words=r"high demand|peak load",
        hint="The region is busy; wait `retry_after` seconds, or use provisioned throughput."),
    KnownError((429,), words=r"provisioned|\bptu\b",
        hint="The provisioned deployment is full; retry, or configure a spillover deployment."),
    KnownError((429,), step="rate-limit",
        hint="The deployment's quota is used up; wait `retry_after` seconds, or raise its quota."),
    KnownError((500,), words=r"unable to get resource information", step="credential",
        hint="The token was issued by another tenant than the resource's; sign in to its tenant."),
    KnownError((500,), in_stream=500,
        codes=("server_error", "internal_server_error", "internalservererror", "500",
               "vector_store_timeout")),
    KnownError((503,), ("service_unavailable", "503"), in_stream=503),
)  # fmt: skip

STATUS_IN_STREAM: Mapping[str, int] = {
    code: row.in_stream for row in _KNOWN if row.in_stream for code in row.codes
}
"""What an error inside a stream would have been as an HTTP status, by its code."""

# A failed connection has no status or code. The first match counts.
_CONNECTION_STEPS = (
    (r"name or service|nodename|getaddrinfo|name resolution|resolve", "dns"),
    (r"certificate|ssl|tls|proxy", "tls"),
    (r"refused|unreachable|ConnectTimeout", "tcp"),
)


def find_connection_step(message: str) -> str | None:
    """The step of a diagnosis that the message of a failed connection puts at fault, or None."""
    found = (step for words, step in _CONNECTION_STEPS if re.search(words, message, re.IGNORECASE))
    return next(found, None)
