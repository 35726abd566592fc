"""Arguments and environment → settings, and which step is at fault where they cannot be used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure_responses.doctor.findings import Finding
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.endpoint import Endpoint
from azure_responses.protocol.settings import ENVIRONMENT, Settings, resolve_settings

__all__ = ["Reading", "check_endpoint", "describe_version", "read_configuration", "sent_version"]

_CREDENTIAL = ("api_key", "azure_ad_token", "azure_ad_token_provider", "credential")
_VERSION = ("api_version", "strict_api_version", "preview_path")


@dataclass(frozen=True)
class Reading:
    """Settings as far as they can be decided.

    Attributes:
        settings: None where not even the endpoint is known; without the part that is at fault
            where another one is.
        step: the step that is at fault, or None.
        error: what is wrong with it, or None.
    """

    settings: Settings | None
    step: str | None = None
    error: ConfigurationError | None = None


def read_configuration(
    environ: Mapping[str, str], endpoint: str | None, arguments: Mapping[str, Any]
) -> Reading:
    """Decide the settings; where that fails, leave parts out to learn which one is at fault."""
    try:
        return Reading(resolve_settings(environ, endpoint=endpoint, **arguments))
    except ConfigurationError as error:
        fault = error
    for step, names in (("credential", _CREDENTIAL), ("api-version", _VERSION)):
        settings = _resolve_without(names, environ, endpoint, arguments)
        if settings is not None:
            return Reading(settings, step, fault)
    return Reading(None, "endpoint", fault)


def _resolve_without(
    names: tuple[str, ...],
    environ: Mapping[str, str],
    endpoint: str | None,
    arguments: Mapping[str, Any],
) -> Settings | None:
    variables = {variable for name in names for variable in ENVIRONMENT.get(name, ())}
    kept = {name: value for name, value in environ.items() if name not in variables}
    given = {name: value for name, value in arguments.items() if name not in names}
    try:
        return resolve_settings(kept, endpoint=endpoint, **given)
    except ConfigurationError:
        return None


def check_endpoint(endpoint: Endpoint) -> Finding:
    """What the given URL becomes."""
    parts = urlsplit(endpoint.url("responses"))
    hidden = [name for name in endpoint.query if name.lower() != "api-version"]
    version = f"?api-version={endpoint.api_version}" if endpoint.api_version else ""
    extra = f" (and {', '.join(hidden)} in the query)" if hidden else ""
    shown = f"POST {parts.scheme}://{parts.netloc}{parts.path}{version}{extra}"
    return Finding("endpoint", True, shown, fix=" ".join(endpoint.warnings) or None)


def sent_version(endpoint: Endpoint, default_query: Mapping[str, Any] | None) -> str | None:
    """The `api-version` that calls carry, or None where they carry none."""
    given = (default_query or {}).get("api-version")
    return str(given) if given is not None else endpoint.api_version


def describe_version(endpoint: Endpoint, version: str | None) -> str:
    """What is sent on which surface, for people."""
    names = {"v1": "the v1 path", "dated": "the dated path", "project": "a Foundry project"}
    return f"{version or 'no api-version'} on {names[endpoint.surface]} ({endpoint.path}/responses)"
