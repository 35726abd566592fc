"""Error bodies Azure has been recorded or reported to send, and what becomes of them."""

from typing import Any

__all__ = ["ERROR_BODIES", "INVALID", "error_body"]


def error_body(message: str, code: str | None = None, **fields: Any) -> dict[str, Any]:
    """A body of the service's envelope."""
    return {"error": {"message": message, "code": code, **fields}}


INVALID = {"type": "invalid_request_error", "param": None}
_WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a "
    "valid key for an active subscription and use a correct regional API endpoint for your "
    "resource."
)
_FILTERED = (
    "The response was filtered due to the prompt triggering Azure OpenAI{}s content management "
    "policy. Please modify your prompt and retry."
)

# status, body, class, code, words of the hint (None: there is no hint)
ERROR_BODIES: list[tuple[int, Any, str, str | None, str | None]] = [
    # Access.
    (401, error_body(_WRONG_KEY, "401"), "AuthenticationError", "401", "Keys and Endpoint"),
    (
        401,
        {
            "statusCode": 401,
            "message": "Unauthorized. Access token is missing, invalid, audience is incorrect "
            "(https://cognitiveservices.azure.com), or have expired.",
        },
        "AuthenticationError",
        None,
        "https://ai.azure.com/.default",
    ),
    (
        401,
        b'{ "statusCode": 401, "message": "Unauthorized. Access token is missing, invalid, audience'
        b" is incorrect (https://cognitiveservices.azure.com/ or https://ai.azure.com/), or have"
        b' expired." }',
        "AuthenticationError",
        None,
        "scope=",
    ),
    (
        401,
        error_body(
            "The principal `00000000-0000-0000-0000-000000000000` lacks the required data action "
            "`Microsoft.CognitiveServices/accounts/OpenAI/responses/write` to perform "
            "`POST /openai/v1/responses` operation.",
            "PermissionDenied",
        ),
        "PermissionDeniedError",
        "PermissionDenied",
        "Cognitive Services OpenAI User",
    ),
    (
        401,
        error_body("Principal does not have access to API/Operation.", "PermissionDenied"),
        "PermissionDeniedError",
        "PermissionDenied",
        "role",
    ),
    (
        403,
        error_body(
            "Key based authentication is disabled for this resource.", "AuthenticationTypeDisabled"
        ),
        "PermissionDeniedError",
        "AuthenticationTypeDisabled",
        "leave api_key out",
    ),
    (
        403,
        error_body("Access denied due to Virtual Network/Firewall rules.", "403"),
        "PermissionDeniedError",
        "403",
        "firewall",
    ),
    (
        403,
        error_body("Public access is disabled. Please configure private endpoint.", "403"),
        "PermissionDeniedError",
        "403",
        "private endpoint",
    ),
    (
        403,
        error_body("Your resource has been temporarily blocked because we detected …", "403"),
        "PermissionDeniedError",
        "403",
        "Azure support",
    ),
    (403, error_body("No.", "403"), "PermissionDeniedError", "403", "Assign the role"),
    (
        400,
        error_body(
            "Please provide a custom subdomain for token authentication, otherwise API key is "
            "required.",
            "BadRequest",
        ),
        "BadRequestError",
        "BadRequest",
        "regional host",
    ),
    (
        500,
        error_body("Unable to get resource information.", "InternalServerError"),
        "InternalServerError",
        "InternalServerError",
        "tenant",
    ),
    # Not found.
    (404, error_body("Resource not found", "404"), "NotFoundError", "404", "no api-version"),
    (
        404,
        error_body(
            "Unknown request URL: POST /v1/responses/input_tokens. Please check the URL for typos, "
            "or see the docs at https://platform.openai.com/docs/api-reference/.",
            "unknown_url",
            **INVALID,
        ),
        "NotFoundError",
        "unknown_url",
        "does not offer",
    ),
    (
        404,
        error_body("Invalid URL (POST /v1/responses)", **INVALID),
        "NotFoundError",
        None,
        "path was not found",
    ),
    (
        404,
        b"""{
  "error": {
    "type": "invalid_request_error",
    "code": "DeploymentNotFound",
    "message": "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again."
  }
}""",  # noqa: E501
        "DeploymentNotFoundError",
        "DeploymentNotFound",
        "'gpt-5-mini' is not one",
    ),
    (
        404,
        error_body(
            "The requested model '-' with deployment name - does not exist.",
            "model_not_found",
            type="invalid_request_error",
            param="model",
        ),
        "DeploymentNotFoundError",
        "model_not_found",
        "name of a deployment",
    ),
    (
        404,
        error_body(
            "Could not find an existing deployment to match the model in the request. Please verify"
            " the model matches an existing deployment in the account.",
            type="user_error",
        ),
        "DeploymentNotFoundError",
        None,
        "name of a deployment",
    ),
    (
        400,
        error_body(
            "The chatCompletion operation does not work with the specified model, gpt-5.1-codex. "
            "Please choose a different model and try again. You can learn more about which models "
            "can be used with each operation here: https://go.microsoft.com/fwlink/?linkid=2197993"
            " .",
            "OperationNotSupported",
        ),
        "UnsupportedOperationError",
        "OperationNotSupported",
        "Responses API only",
    ),
    # Validation.
    (
        400,
        error_body("API version not supported", "BadRequest"),
        "UnsupportedOperationError",
        "BadRequest",
        "takes no dated version",
    ),
    (
        400,
        error_body(
            "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and "
            "later",
            "BadRequest",
        ),
        "UnsupportedOperationError",
        "BadRequest",
        "api_version",
    ),
    (
        400,
        error_body(
            "Model o1 is enabled only for api versions 2024-12-01-preview and later", "BadRequest"
        ),
        "UnsupportedOperationError",
        "BadRequest",
        "api_version",
    ),
    (
        400,
        error_body(
            "Unsupported parameter: 'temperature' is not supported with this model.",
            type="invalid_request_error",
            param="temperature",
        ),
        "BadRequestError",
        None,
        "temperature nor top_p",
    ),
    (
        400,
        error_body(
            "Unsupported value: 'temperature' does not support 0.1 with this model. Only the "
            "default (1) value is supported.",
            "unsupported_value",
            type="invalid_request_error",
            param="temperature",
        ),
        "BadRequestError",
        "unsupported_value",
        "temperature nor top_p",
    ),
    (
        400,
        error_body(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "unsupported_parameter",
            type="invalid_request_error",
            param="max_tokens",
        ),
        "BadRequestError",
        "unsupported_parameter",
        "Leave the parameter out",
    ),
    (
        400,
        error_body("Unsupported parameter: 'messages'.", "unsupported_parameter", **INVALID),
        "BadRequestError",
        "unsupported_parameter",
        "not `messages`",
    ),
    (
        400,
        error_body("Unsupported parameter: 'messages'.", **INVALID),
        "BadRequestError",
        None,
        "not `messages`",
    ),
    (
        400,
        error_body("Unknown parameter: 'input[0].status'.", "unknown_parameter", **INVALID),
        "BadRequestError",
        "unknown_parameter",
        "must not carry `status`",
    ),
    (
        400,
        error_body(
            "This model's maximum context length is 4096 tokens. However, you requested 4201 tokens"
            " (3177 in the messages, 1024 in the completion). Please reduce the length of the "
            "messages or completion.",
            "context_length_exceeded",
            type="invalid_request_error",
            param="messages",
        ),
        "ContextWindowExceededError",
        "context_length_exceeded",
        "truncation='auto'",
    ),
    (
        400,
        error_body(
            "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in "
            "509178 tokens. Please reduce the length of the messages."
        ),
        "ContextWindowExceededError",
        None,
        "truncation='auto'",
    ),
    (
        400,
        error_body(
            "Your input exceeds the context window of this model. Please adjust your input and try "
            "again."
        ),
        "ContextWindowExceededError",
        None,
        "truncation='auto'",
    ),
    (
        400,
        error_body(
            "imagegen deployment must be provided through header: "
            "x-ms-oai-image-generation-deployment",
            "invalid_request_error",
            type="image_generation_user_error",
            param="tools",
        ),
        "BadRequestError",
        "invalid_request_error",
        "image_deployment",
    ),
    (
        400,
        error_body(
            "There was an issue with your request. Please check your inputs and try again",
            **INVALID,
        ),
        "BadRequestError",
        None,
        None,
    ),
    (
        400,
        error_body(
            "Previous response with id 'resp_123' not found.",
            "previous_response_not_found",
            type="invalid_request_error",
            param="previous_response_id",
        ),
        "ResponseNotFoundError",
        "previous_response_not_found",
        "send the conversation",
    ),
    (
        400,
        error_body(
            "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. "
            "Try again with `store` set to true, or remove this item from your input.",
            **INVALID,
        ),
        "BadRequestError",
        None,
        "reasoning.encrypted_content",
    ),
    (
        400,
        error_body(
            "The encrypted content gAAA...= could not be verified. Reason: Encrypted content could "
            "not be decrypted or parsed.",
            "invalid_encrypted_content",
            **INVALID,
        ),
        "BadRequestError",
        "invalid_encrypted_content",
        "resource that made it",
    ),
    (
        400,
        error_body("No tool call found for function call output with call_id call_1.", **INVALID),
        "BadRequestError",
        None,
        "function_call item before",
    ),
    # Content filter.
    (
        400,
        error_body(
            _FILTERED.format("'"),
            "content_filter",
            type=None,
            param="prompt",
            status=400,
            innererror={
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {"hate": {"filtered": True, "severity": "high"}},
            },
        ),
        "ContentFilterError",
        "content_filter",
        "category and severity",
    ),
    (
        400,
        error_body(
            _FILTERED.format("’"),
            "content_filter",
            type="invalid_request_error",
            param="prompt",
            content_filters=[{"blocked": True, "source_type": "prompt"}],
            innererror={"code": "ContentFiltered"},
        ),
        "ContentFilterError",
        "content_filter",
        "category and severity",
    ),
    (
        400,
        error_body("something worded otherwise altogether", "content_filter"),
        "ContentFilterError",
        "content_filter",
        "category and severity",
    ),
    # Limits, capacity, server.
    (
        429,
        error_body(
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
            "2024-05-01-preview have exceeded token rate limit of your current OpenAI S0 pricing "
            "tier. Please retry after 86400 seconds. Please go here: "
            "https://aka.ms/oai/quotaincrease if you would like to further increase the default "
            "rate limit.",
            "429",
        ),
        "RateLimitError",
        "429",
        "quota",
    ),
    (
        429,
        error_body(
            "The system is currently experiencing high demand and cannot process your request. Your"
            " request exceeds the maximum usage size allowed during peak load. Please retry after "
            "20 seconds. For improved latency reliability, consider switching to Provisioned "
            "Throughput.",
            "429",
        ),
        "RateLimitError",
        "429",
        "region is busy",
    ),
    (408, error_body("The operation was timeout.", "Timeout"), "BadRequestError", "Timeout", None),
    (
        500,
        error_body(
            "That model is currently overloaded with other requests.",
            type="server_error",
            param=None,
        ),
        "InternalServerError",
        None,
        None,
    ),
    (409, error_body("Busy.", "Conflict"), "ConflictError", "Conflict", None),
    (
        413,
        error_body("Too large.", "context_length_exceeded"),
        "ContextWindowExceededError",
        "context_length_exceeded",
        "Shorten the input",
    ),
    (413, b"<html>nginx</html>", "BadRequestError", None, "no body of this size"),
    # Files.
    (
        400,
        error_body("Invalid value for purpose.", "invalidPayload"),
        "BadRequestError",
        "invalidPayload",
        "no purpose 'user_data'",
    ),
    (
        400,
        error_body("fileName contains an invalid filename: wrong suffix.", "invalidPayload"),
        "BadRequestError",
        "invalidPayload",
        "file=('input.jsonl', content)",
    ),
    (400, error_body("File is too large.", **INVALID), "BadRequestError", None, "512 MB"),
    (
        400,
        error_body("The quota for files without expiry is reached.", "quotaExceeded"),
        "BadRequestError",
        "quotaExceeded",
        "expires_after",
    ),
    (
        400,
        error_body("Not allowed to download files of purpose: assistants", **INVALID),
        "BadRequestError",
        None,
        "keep the original",
    ),
    (422, error_body("No."), "UnprocessableEntityError", None, None),
    (503, b"", "InternalServerError", None, None),
    (418, b"I'm a teapot", "BadRequestError", None, None),
    (302, b"", "APIStatusError", None, "redirected"),
    (200, b"<html>Sign in</html>", "APIStatusError", None, "not answered by Azure OpenAI"),
    (200, b"", "APIStatusError", None, "not answered by Azure OpenAI"),
    (
        200,
        error_body("Slow down.", "rate_limit_exceeded"),
        "RateLimitError",
        "rate_limit_exceeded",
        "quota",
    ),
]
