"""An OpenAI-compatible server in front of Azure: its configuration, access, budgets and routes."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_responses.gateway.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    # The command for keys reads a configuration without what serving needs.
    if name == "create_app":
        try:
            from azure_responses.gateway.app import create_app
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"The gateway needs {error.name}: pip install 'azure-responses[gateway]'",
                name=error.name,
            ) from error
        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
