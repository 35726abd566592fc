"""LiteLLM itself, found by name: this package is checked and imported where it is absent."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from azure_responses.errors import ConfigurationError

__all__ = ["is_installed", "litellm", "litellm_class", "litellm_module"]


def is_installed() -> bool:
    """True where there is a LiteLLM to plug into."""
    return find_spec("litellm") is not None


def litellm_class(name: str) -> Any:
    """One of its classes to derive from; `object` where there is no LiteLLM to call the result."""
    return getattr(litellm(), name) if is_installed() else object


def litellm() -> Any:
    """The package.

    Raises:
        ConfigurationError: it is not installed.
    """
    return litellm_module("litellm")


@cache
def litellm_module(name: str) -> Any:
    """One of its modules; raises as `litellm` does."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"The LiteLLM plug-in needs {error.name}, which is not installed.",
            hint="pip install 'azure-responses[litellm]'",
        ) from error
