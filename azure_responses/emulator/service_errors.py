"""Every error body of the service, one function each, worded as recorded or quoted in reports.

There are three envelopes: the gateway's (`code` and `message`), OpenAI's (`message`, `type`,
`param`, `code`), and the flat one of the token check.
"""

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "AUDIENCES", "NO_MATCHING_DEPLOYMENT", "OVERLOADED", "ServiceError", "access_denied",
    "agent_not_found", "api_not_supported", "api_version_missing", "api_version_not_supported",
    "chat_unsupported", "deployment_not_found", "gateway_error", "invalid_json", "invalid_payload",
    "invalid_request", "invalid_type", "invalid_value", "item_not_found", "missing_parameter",
    "model_needs_newer_version", "no_model_name", "not_found", "operation_not_supported",
    "out_of_range", "preview_feature_required", "previous_response_not_found", "reasoning_missing",
    "resource_not_found", "responses_need_newer_version", "responses_unsupported", "token_refused",
    "too_long", "too_many", "unknown_model", "unknown_parameter", "unknown_url",
    "unsupported_parameter", "unsupported_value",
]  # fmt: skip


class ServiceError(Exception):
    """What the emulated service answers instead of doing what it was asked.

    Attributes:
        status: of HTTP.
        body: sent as JSON exactly as given.
        headers: added to the usual reply headers.
    """

    def __init__(
        self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body
        self.headers = headers or {}


def gateway_error(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> ServiceError:
    """The envelope of Azure's gateway: code and message."""
    return ServiceError(status, {"error": {"code": code, "message": message}}, headers)


def invalid_request(
    message: str, param: str | None = None, code: str | None = None, status: int = 400
) -> ServiceError:
    """The envelope of OpenAI: message, type, param, code."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return ServiceError(status, {"error": error})


# --- access ---------------------------------------------------------------------------------------


def access_denied() -> ServiceError:
    """401 for a key that is missing or wrong."""
    return gateway_error(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
        "provide a valid key for an active subscription and use a correct regional API endpoint "
        "for your resource.",
    )


AUDIENCES = ("https://cognitiveservices.azure.com", "https://ai.azure.com")
"""What `aud` of a token may be in the public cloud."""


def token_refused(audiences: Sequence[str] = AUDIENCES, is_dated: bool = False) -> ServiceError:
    """The flat 401: run-llama #12484 names one audience, azure-sdk-for-net #50872 two."""
    named = audiences[0]
    if not is_dated:
        named = "/ or ".join(audiences) + ("/" if len(audiences) > 1 else "")
    message = (
        "Unauthorized. Access token is missing, invalid, audience is incorrect "
        f"({named}), or have expired."
    )
    return ServiceError(401, {"statusCode": 401, "message": message})


# --- routes and versions --------------------------------------------------------------------------


def resource_not_found() -> ServiceError:
    """404 of the gateway for a path or host that it does not route (opencode #13999)."""
    return gateway_error(404, "404", "Resource not found")


def unknown_url(method: str, path: str) -> ServiceError:
    """Recorded by inspect_ai #3371 for `POST /v1/responses/input_tokens`."""
    return invalid_request(
        f"Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs "
        "at https://platform.openai.com/docs/api-reference/.",
        code="unknown_url",
        status=404,
    )


def api_version_not_supported() -> ServiceError:
    """400 of the v1 surface for a dated version (openai/codex #3725)."""
    return gateway_error(400, "BadRequest", "API version not supported")


def api_version_missing() -> ServiceError:
    """400 below `/models` and `/agents` (anarlog#3928)."""
    return gateway_error(400, "BadRequest", "Missing required query parameter: api-version")


def api_not_supported() -> ServiceError:
    """404 for Claude on any OpenAI route, and for what `/anthropic` lacks (opencode#14879)."""
    return _with_details(404, "api_not_supported", "Requested API is currently not supported")


def _with_details(status: int, code: str, message: str) -> ServiceError:
    error = {"code": code, "message": message, "details": message}
    return ServiceError(status, {"error": error})


def responses_need_newer_version() -> ServiceError:
    """400 of the dated surface for an older version (Aider-AI/aider #4029)."""
    return gateway_error(
        400,
        "BadRequest",
        "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later",
    )


# --- deployments and models -----------------------------------------------------------------------

NO_MATCHING_DEPLOYMENT: dict[str, Any] = {
    "message": (
        "Could not find an existing deployment to match the model in the request. Please verify "
        "the model matches an existing deployment in the account."
    ),
    "type": "user_error",
    "param": "model",
    "code": None,
}
OVERLOADED: dict[str, Any] = {
    "message": (
        "That model is currently overloaded with other requests. You can retry your request, or "
        "contact us through an Azure support request if the error persists."
    ),
    "type": "server_error",
    "param": None,
    "code": None,
}


def deployment_not_found(style: str, name: object) -> ServiceError:
    """The three bodies seen: recorded on chat, litellm #13419, and the 2026 one."""
    if style == "model_not_found":
        message = f"The requested model '-' with deployment name {name or '-'} does not exist."
        return invalid_request(message, "model", "model_not_found")
    if style == "user_error":
        return ServiceError(404, {"error": NO_MATCHING_DEPLOYMENT})
    message = (
        "The API deployment for this resource does not exist. If you created the deployment within "
        "the last 5 minutes, please wait a moment and try again."
    )
    error = {"type": "invalid_request_error", "code": "DeploymentNotFound", "message": message}
    return ServiceError(404, {"error": error})


def operation_not_supported(operation: str, model: str) -> ServiceError:
    """Recorded by dify-plugin-sdks #264 for codex models on chat completions."""
    return gateway_error(
        400,
        "OperationNotSupported",
        f"The {operation} operation does not work with the specified model, {model}. Please "
        "choose a different model and try again. You can learn more about which models can be "
        "used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993 .",
    )


def responses_unsupported(family: str) -> ServiceError:
    """400 of the Responses API for a model that does not answer it.

    opencode#12949 quotes the first sentence for Kimi; the second is that of Microsoft's page on
    generating responses. Which model answers which is an assumption.
    """
    if family == "mistral":
        return gateway_error(400, "BadRequest", "Model not supported")
    message = "This model is not supported by the Responses API"
    return invalid_request(message, "model", "unsupported_model")


def chat_unsupported() -> ServiceError:
    """400 of chat for GPT-5 deployments that answer Responses only, as of April 2026."""
    message = "The requested operation is unsupported."
    return gateway_error(400, "OperationNotSupported", message)


def no_model_name() -> ServiceError:
    """400 below `/models` for a body and headers without a model."""
    return _with_details(
        400,
        "no_model_name",
        "No model specified in request. Please provide a model name in the request body or as a "
        "x-ms-model-mesh-model-name header.",
    )


def unknown_model(name: str) -> ServiceError:
    """400 below `/models` for a name that is not deployed (big-AGI#898)."""
    return _with_details(400, "unknown_model", f"Unknown model: {name}")


def model_needs_newer_version(model: str) -> ServiceError:
    """400 for a reasoning model on a version from before it."""
    message = f"Model {model} is enabled only for api versions 2024-12-01-preview and later"
    return gateway_error(400, "BadRequest", message)


# --- stored objects -------------------------------------------------------------------------------


def not_found(
    kind: str, identifier: object, param: str | None = None, status: int = 404
) -> ServiceError:
    """404 for a stored object such as a "Response" or a "Vector store"."""
    return invalid_request(f"{kind} with id '{identifier}' not found.", param, status=status)


def previous_response_not_found(response_id: str) -> ServiceError:
    """400 for a response that was deleted, never stored, or is not yet readable."""
    return invalid_request(
        f"Previous response with id '{response_id}' not found.",
        "previous_response_id",
        "previous_response_not_found",
    )


def item_not_found(item_id: str, is_stored: bool) -> ServiceError:
    """400 for a reference to an item that cannot be looked up (openclaw #21782)."""
    message = f"Item with id '{item_id}' not found."
    if not is_stored:
        message += (
            " Items are not persisted when `store` is set to false. Try again with `store` set to "
            "true, or remove this item from your input."
        )
    return invalid_request(message, "input")


def reasoning_missing(item: dict[str, Any], reasoning_id: str) -> ServiceError:
    """400 for an item without the reasoning that it was made with (codex#6375, continue#11466)."""
    return invalid_request(
        f"Item '{item['id']}' of type '{item.get('type', 'message')}' was provided without its "
        f"required 'reasoning' item: '{reasoning_id}'.",
        "input",
    )


# --- agents ---------------------------------------------------------------------------------------


def agent_not_found(name: str, version: str | None = None) -> ServiceError:
    """404 for an agent of a project. No recorded body: an assumption."""
    which = f"'{name}'" if version is None else f"'{name}' with version '{version}'"
    return invalid_request(f"Agent {which} not found.", code="not_found", status=404)


def invalid_payload(message: str, details: list[dict[str, Any]]) -> ServiceError:
    """400 of a project for what stands beside an agent (agent-framework#2573)."""
    error = {"code": "invalid_payload", "message": message, "param": None}
    return ServiceError(
        400, {"error": {**error, "type": "invalid_request_error", "details": details}}
    )


def preview_feature_required(kind: str, feature: str) -> ServiceError:
    """403 for a kind of agents that is in preview (azure-dev#8442)."""
    message = (
        f"{kind.capitalize()} agents is in preview. This operation requires the following opt-in "
        f"preview feature(s): {feature}. Include the 'Foundry-Features: {feature}' header in your "
        "request."
    )
    return invalid_request(message, "Foundry-Features", "preview_feature_required", 403)


# --- bodies: the wording is what users quote in their issues --------------------------------------

_TYPE_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    str: "a string",
    int: "an integer",
    # Quoted in Jeffser/Alpaca #904; as what is expected, the service says "a decimal".
    float: "a decimal number",
    list: "an array",
    dict: "an object",
}


def invalid_json() -> ServiceError:
    """400 for a body that is not JSON."""
    return invalid_request(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
        "using your HTTP library correctly. The API expects a JSON payload, but what was sent "
        "was not valid JSON.)"
    )


def invalid_type(path: str, expected: str, value: Any) -> ServiceError:
    """The value has the wrong JSON type."""
    got = _TYPE_NAMES[type(value)]
    message = f"Invalid type for '{path}': expected {expected}, but got {got} instead."
    return invalid_request(message, path, "invalid_type")


def unknown_parameter(path: str) -> ServiceError:
    """The object has a key it may not have."""
    return invalid_request(f"Unknown parameter: '{path}'.", path, "unknown_parameter")


def missing_parameter(path: str, code: str | None = "missing_required_parameter") -> ServiceError:
    """The object lacks a key it must have."""
    return invalid_request(f"Missing required parameter: '{path}'.", path, code)


def invalid_value(path: str, value: Any, supported: Iterable[str]) -> ServiceError:
    """The string is not one of the supported values."""
    message = f"Invalid value: '{value}'. Supported values are: {_enumerate(supported)}."
    return invalid_request(message, path, "invalid_value")


def unsupported_value(path: str, value: Any, model: str, supported: Iterable[str]) -> ServiceError:
    """The value exists, but not for this model."""
    message = (
        f"Unsupported value: '{value}' is not supported with the '{model}' model. "
        f"Supported values are: {_enumerate(supported)}."
    )
    return invalid_request(message, path, "unsupported_value")


def unsupported_parameter(path: str, code: str | None = None) -> ServiceError:
    """The parameter exists, but not for this model."""
    message = f"Unsupported parameter: '{path}' is not supported with this model."
    return invalid_request(message, path, code)


def out_of_range(path: str, value: float, limit: float, is_above: bool) -> ServiceError:
    """A number beyond its limit."""
    kind = "integer" if isinstance(value, int) else "decimal"
    side, sign = ("above maximum", "<=") if is_above else ("below minimum", ">=")
    message = (
        f"Invalid '{path}': {kind} {side} value. "
        f"Expected a value {sign} {limit}, but got {value} instead."
    )
    code = f"{kind}_{'above_max' if is_above else 'below_min'}_value"
    return invalid_request(message, path, code)


def too_long(path: str, length: int, limit: int) -> ServiceError:
    """A string with too many characters."""
    message = (
        f"Invalid '{path}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead."
    )
    return invalid_request(message, path, "string_above_max_length")


def too_many(path: str, count: int, limit: int, kind: str = "array") -> ServiceError:
    """An array with too many elements, or with `kind` "object" an object with too many keys."""
    if kind == "array":
        message = (
            f"Invalid '{path}': array too long. Expected an array with maximum length {limit}, "
            f"but got an array with length {count} instead."
        )
        return invalid_request(message, path, "array_above_max_length")
    message = (
        f"Invalid '{path}': too many properties. Expected an object with at most {limit} "
        f"properties, but got an object with {count} properties instead."
    )
    return invalid_request(message, path, "object_above_max_properties")


def _enumerate(values: Iterable[str]) -> str:
    quoted = [f"'{value}'" for value in values]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
