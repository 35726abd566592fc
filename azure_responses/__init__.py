"""The Azure OpenAI Responses API from Python.

Names are imported on first use: `import azure_responses` loads neither an HTTP library nor
pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from azure_responses.version import __version__

if TYPE_CHECKING:
    from azure_responses.async_chat import AsyncChatCompletionStream
    from azure_responses.async_client import AsyncAzureResponses
    from azure_responses.async_stream import AsyncStream
    from azure_responses.chat import ChatCompletionStream
    from azure_responses.client import AzureResponses
    from azure_responses.errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        AzureResponsesError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        ContentFilterError,
        ContextWindowExceededError,
        CredentialError,
        CredentialTimeoutError,
        DeploymentNotFoundError,
        InternalServerError,
        NotFoundError,
        PermissionDeniedError,
        RateLimitError,
        ResponseFailedError,
        ResponseNotFoundError,
        StreamInterruptedError,
        UnreadableResponseError,
        UnsupportedOperationError,
    )
    from azure_responses.functions import acompletion, aresponses, completion, responses
    from azure_responses.raw_response import RawResponse
    from azure_responses.router import Router
    from azure_responses.router.async_routed_stream import AsyncRoutedStream
    from azure_responses.router.routed_stream import RoutedStream
    from azure_responses.stream import Stream
    from azure_responses.telemetry.callback import callbacks
    from azure_responses.telemetry.record import CallRecord
    from azure_responses.types.route import Route

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAzureResponses",
    "AsyncChatCompletionStream",
    "AsyncRoutedStream",
    "AsyncStream",
    "AuthenticationError",
    "AzureResponses",
    "AzureResponsesError",
    "BadRequestError",
    "CallRecord",
    "ChatCompletionStream",
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContextWindowExceededError",
    "CredentialError",
    "CredentialTimeoutError",
    "DeploymentNotFoundError",
    "InternalServerError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RawResponse",
    "ResponseFailedError",
    "ResponseNotFoundError",
    "Route",
    "RoutedStream",
    "Router",
    "Stream",
    "StreamInterruptedError",
    "UnreadableResponseError",
    "UnsupportedOperationError",
    "__version__",
    "acompletion",
    "aresponses",
    "callbacks",
    "completion",
    "responses",
]

_MODULES = {
    "AsyncAzureResponses": "async_client",
    "AsyncChatCompletionStream": "async_chat",
    "AsyncRoutedStream": "router.async_routed_stream",
    "AsyncStream": "async_stream",
    "AzureResponses": "client",
    "CallRecord": "telemetry.record",
    "ChatCompletionStream": "chat",
    "RawResponse": "raw_response",
    "Route": "types.route",
    "RoutedStream": "router.routed_stream",
    "Router": "router",
    "Stream": "stream",
    "acompletion": "functions",
    "aresponses": "functions",
    "callbacks": "telemetry.callback",
    "completion": "functions",
    "responses": "functions",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"azure_responses.{_MODULES.get(name, 'errors')}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
