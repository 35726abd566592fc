"""The old place of `azure_responses.litellm_plugin.azure_override`; configurations may name it."""

import warnings
from typing import Any

import azure_responses.litellm_plugin

__all__: list[str] = []


def __getattr__(name: str) -> Any:
    if name != "handler":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(
        "azure_responses.litellm_plugin.takeover.handler is now called "
        "azure_responses.litellm_plugin.azure_override.",
        DeprecationWarning,
        stacklevel=2,
    )
    return azure_responses.litellm_plugin.azure_override
