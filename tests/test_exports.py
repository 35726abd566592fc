"""The front door: which names there are, and that they are all there."""

import ast
import importlib
from pathlib import Path

import pytest

import azure_responses
from tests.tree import module_name, modules

_FRONT_DOOR = [
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

_MODULES = [path for path in modules() if path.name != "__main__.py"]


def test_the_front_door_has_these_names_in_order() -> None:
    assert azure_responses.__all__ == sorted(_FRONT_DOOR)


@pytest.mark.parametrize("name", azure_responses.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(azure_responses, name) is not None
    assert name in dir(azure_responses)


def test_other_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'OpenAI'"):
        _ = azure_responses.OpenAI


def test_every_error_is_exported() -> None:
    errors = importlib.import_module("azure_responses.errors")
    assert set(errors.__all__) <= set(azure_responses.__all__)


@pytest.mark.parametrize("path", _MODULES, ids=module_name)
def test_every_module_says_what_it_offers(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if not _has_definitions(ast.parse(text)):
        return
    if path.name == "llm_plugin.py":
        pytest.importorskip("llm", reason="llm is not installed")
    module = importlib.import_module(module_name(path))
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)


def _has_definitions(tree: ast.Module) -> bool:
    """True for a module with more in it than a docstring."""
    return any(not isinstance(node, ast.Expr) for node in tree.body)


@pytest.mark.parametrize("path", _MODULES, ids=module_name)
def test_no_module_imports_a_private_name_of_another(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    taken = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__")
    ]
    assert taken == []
