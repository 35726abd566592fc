"""The Azure OpenAI Responses API from Python.

Names are imported on first use: `import azure_responses` loads neither an HTTP library nor
pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from azure_responses.version import __version__

if TYPE_CHECKING:
    from httpx import Timeout

    from azure_responses._async.chat_stream import AsyncChatCompletionStream
    from azure_responses._async.client import AsyncAzureOpenAI, AsyncAzureResponses
    from azure_responses._async.response_connection import AsyncResponseConnection
    from azure_responses._async.stream import AsyncStream
    from azure_responses._sync.chat_stream import ChatCompletionStream
    from azure_responses._sync.client import AzureOpenAI, AzureResponses
    from azure_responses._sync.response_connection import ResponseConnection
    from azure_responses._sync.stream import Stream
    from azure_responses.call_options import ClientArguments
    from azure_responses.errors import (
        APIConnectionError,
        APIError,
        APIResponseValidationError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        AzureResponsesError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        ContentFilterError,
        ContentFilterFinishReasonError,
        ContextWindowExceededError,
        CredentialError,
        CredentialTimeoutError,
        DeploymentNotFoundError,
        InternalServerError,
        InvalidWebhookSignatureError,
        LengthFinishReasonError,
        MaxTurnsError,
        NotFoundError,
        OpenAIError,
        PermissionDeniedError,
        RateLimitError,
        ResponseFailedError,
        ResponseNotFoundError,
        SteeringError,
        StreamInterruptedError,
        UnprocessableEntityError,
        UnreadableResponseError,
        UnsupportedOperationError,
    )
    from azure_responses.functions import acompletion, aresponses, completion, responses
    from azure_responses.protocol.callable_tool import CallableTool
    from azure_responses.protocol.http_message import RawResponse
    from azure_responses.protocol.pydantic_tools import (
        pydantic_function_tool,
        pydantic_responses_function_tool,
    )
    from azure_responses.protocol.tool_loop import ToolCheckpoint
    from azure_responses.router import AsyncRouter, Router
    from azure_responses.router._async.typed_attempt import AsyncRoutedStream
    from azure_responses.router._sync.typed_attempt import RoutedStream
    from azure_responses.router.arguments import RouterOptions
    from azure_responses.telemetry.callback import callbacks
    from azure_responses.telemetry.record import CallRecord
    from azure_responses.types.parameters import ChatParameters, ResponseParameters
    from azure_responses.types.result import Route

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAzureOpenAI",
    "AsyncAzureResponses",
    "AsyncChatCompletionStream",
    "AsyncResponseConnection",
    "AsyncRoutedStream",
    "AsyncRouter",
    "AsyncStream",
    "AuthenticationError",
    "AzureOpenAI",
    "AzureResponses",
    "AzureResponsesError",
    "BadRequestError",
    "CallRecord",
    "CallableTool",
    "ChatCompletionStream",
    "ChatParameters",
    "ClientArguments",
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContentFilterFinishReasonError",
    "ContextWindowExceededError",
    "CredentialError",
    "CredentialTimeoutError",
    "DeploymentNotFoundError",
    "InternalServerError",
    "InvalidWebhookSignatureError",
    "LengthFinishReasonError",
    "MaxTurnsError",
    "NotFoundError",
    "OpenAIError",
    "PermissionDeniedError",
    "RateLimitError",
    "RawResponse",
    "ResponseConnection",
    "ResponseFailedError",
    "ResponseNotFoundError",
    "ResponseParameters",
    "Route",
    "RoutedStream",
    "Router",
    "RouterOptions",
    "SteeringError",
    "Stream",
    "StreamInterruptedError",
    "Timeout",
    "ToolCheckpoint",
    "UnprocessableEntityError",
    "UnreadableResponseError",
    "UnsupportedOperationError",
    "__version__",
    "acompletion",
    "aresponses",
    "callbacks",
    "completion",
    "pydantic_function_tool",
    "pydantic_responses_function_tool",
    "responses",
]

_MODULES = {
    "AsyncAzureOpenAI": "_async.client",
    "AsyncAzureResponses": "_async.client",
    "AsyncChatCompletionStream": "_async.chat_stream",
    "AsyncResponseConnection": "_async.response_connection",
    "AsyncRouter": "router",
    "AsyncRoutedStream": "router._async.typed_attempt",
    "AsyncStream": "_async.stream",
    "AzureOpenAI": "_sync.client",
    "AzureResponses": "_sync.client",
    "CallRecord": "telemetry.record",
    "CallableTool": "protocol.callable_tool",
    "ChatParameters": "types.parameters",
    "ClientArguments": "call_options",
    "ResponseConnection": "_sync.response_connection",
    "ResponseParameters": "types.parameters",
    "RouterOptions": "router.arguments",
    "ChatCompletionStream": "_sync.chat_stream",
    "RawResponse": "protocol.http_message",
    "Route": "types.result",
    "RoutedStream": "router._sync.typed_attempt",
    "Router": "router",
    "Stream": "_sync.stream",
    "ToolCheckpoint": "protocol.tool_loop",
    "acompletion": "functions",
    "aresponses": "functions",
    "callbacks": "telemetry.callback",
    "completion": "functions",
    "pydantic_function_tool": "protocol.pydantic_tools",
    "pydantic_responses_function_tool": "protocol.pydantic_tools",
    "responses": "functions",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "Timeout":
        module = import_module("httpx")
    else:
        module = import_module(f"azure_responses.{_MODULES.get(name, 'errors')}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
