"""The refusals of the front: routes, versions, access, state. One function per recorded body."""

from typing import Any

from azure_responses.emulator.refusal import Refusal

__all__ = [
    "api_version_not_supported",
    "conversation_not_found",
    "deployment_not_found",
    "invalid_json",
    "invalid_request",
    "item_not_found",
    "model_needs_newer_version",
    "operation_not_supported",
    "previous_response_not_found",
    "reasoning_missing",
    "resource_not_found",
    "response_not_found",
    "responses_need_newer_version",
    "unknown_url",
]

_NO_DEPLOYMENT = (
    "The API deployment for this resource does not exist. If you created the deployment within "
    "the last 5 minutes, please wait a moment and try again."
)
_NO_MATCHING_DEPLOYMENT = (
    "Could not find an existing deployment to match the model in the request. Please verify the "
    "model matches an existing deployment in the account."
)


def _gateway(status: int, code: str, message: str) -> Refusal:
    return Refusal(status, {"error": {"code": code, "message": message}})


def invalid_request(
    message: str, param: str | None = None, code: str | None = None, status: int = 400
) -> Refusal:
    """The OpenAI-style envelope: message, type, param, code."""
    error: dict[str, Any] = {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
    return Refusal(status, {"error": error})


def resource_not_found() -> Refusal:
    """404 of the gateway for a path or host that it does not route (opencode #13999)."""
    return _gateway(404, "404", "Resource not found")


def unknown_url(method: str, path: str) -> Refusal:
    """Recorded by inspect_ai #3371 for `POST /v1/responses/input_tokens`."""
    return invalid_request(
        f"Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs "
        "at https://platform.openai.com/docs/api-reference/.",
        code="unknown_url",
        status=404,
    )


def api_version_not_supported() -> Refusal:
    """400 of the v1 surface for a dated version (openai/codex #3725)."""
    return _gateway(400, "BadRequest", "API version not supported")


def responses_need_newer_version() -> Refusal:
    """400 of the dated surface for an older version (Aider-AI/aider #4029)."""
    return _gateway(
        400,
        "BadRequest",
        "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and later",
    )


def deployment_not_found(style: str, name: object) -> Refusal:
    """The three bodies seen: recorded on chat, litellm #13419, and the 2026 one."""
    if style == "model_not_found":
        message = f"The requested model '-' with deployment name {name or '-'} does not exist."
        return invalid_request(message, "model", "model_not_found")
    if style == "user_error":
        body = {"message": _NO_MATCHING_DEPLOYMENT, "type": "user_error", "param": "model"}
        return Refusal(404, {"error": {**body, "code": None}})
    error = {"type": "invalid_request_error", "code": "DeploymentNotFound"}
    return Refusal(404, {"error": {**error, "message": _NO_DEPLOYMENT}})


def operation_not_supported(operation: str, model: str) -> Refusal:
    """Recorded by dify-plugin-sdks #264 for codex models on chat completions."""
    return _gateway(
        400,
        "OperationNotSupported",
        f"The {operation} operation does not work with the specified model, {model}. Please "
        "choose a different model and try again. You can learn more about which models can be "
        "used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993 .",
    )


def model_needs_newer_version(model: str) -> Refusal:
    """400 for a reasoning model on a version from before it."""
    return _gateway(
        400,
        "BadRequest",
        f"Model {model} is enabled only for api versions 2024-12-01-preview and later",
    )


def previous_response_not_found(response_id: str) -> Refusal:
    """400 for a response that was deleted, never stored, or is not yet readable."""
    return invalid_request(
        f"Previous response with id '{response_id}' not found.",
        "previous_response_id",
        "previous_response_not_found",
    )


def response_not_found(response_id: str) -> Refusal:
    """404 of the operations on a stored response."""
    return invalid_request(f"Response with id '{response_id}' not found.", status=404)


def conversation_not_found(conversation_id: str) -> Refusal:
    """404 for a conversation that is not there."""
    return invalid_request(f"Conversation with id '{conversation_id}' not found.", status=404)


def item_not_found(item_id: str, is_stored: bool) -> Refusal:
    """400 for a reference to an item that cannot be looked up (openclaw #21782)."""
    message = f"Item with id '{item_id}' not found."
    if not is_stored:
        message += (
            " Items are not persisted when `store` is set to false. Try again with `store` set to "
            "true, or remove this item from your input."
        )
    return invalid_request(message, "input")


def reasoning_missing(item: dict[str, Any], reasoning_id: str) -> Refusal:
    """400 for an item without the reasoning that it was made with (codex#6375, continue#11466)."""
    return invalid_request(
        f"Item '{item['id']}' of type '{item.get('type', 'message')}' was provided without its "
        f"required 'reasoning' item: '{reasoning_id}'.",
        "input",
    )


def invalid_json() -> Refusal:
    """400 for a body that is not JSON."""
    return invalid_request(
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't "
        "using your HTTP library correctly. The API expects a JSON payload, but what was sent "
        "was not valid JSON.)"
    )
