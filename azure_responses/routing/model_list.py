"""A model list, as LiteLLM's users write it, → deployments."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from azure_responses.routing.deployment import Deployment

__all__ = ["read_model_list", "resource_tag", "tag_of"]


def read_model_list(
    entries: Iterable[Mapping[str, Any]],
    environ: Mapping[str, str],
    warn: Callable[[str], None] | None = None,
) -> tuple[Deployment, ...]:
    """Read the rows; `warn` is told one sentence for each key that has no effect.

    `connection` of each deployment holds arguments of AzureResponses under their own names
    (`endpoint`, `api_key`, `api_version`, `azure_ad_token`, `default_headers`, …). A service
    principal stands there as `service_principal={"tenant_id", "client_id", "client_secret"}`,
    for the shell to make a credential of.

    Raises:
        ConfigurationError: a row that cannot be used, by its place and name.
    """
    raise NotImplementedError


def resource_tag(endpoint: str) -> str:
    """The tag of the resource behind any form of its endpoint (12 hexadecimal digits)."""
    raise NotImplementedError


def tag_of(text: str) -> str:
    """A short opaque hash: 12 hexadecimal digits."""
    raise NotImplementedError
