"""Explicit arguments and the environment → one set of connection settings.

Explicit arguments beat the environment, always. Within the environment the first variable that is
set wins, in the order listed here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.endpoint import Endpoint, resolve_endpoint
from azure_responses.protocol.pasted_url import read_pasted_url

__all__ = [
    "ENVIRONMENT",
    "Secret",
    "Settings",
    "has_endpoint",
    "read_deployment",
    "resolve_settings",
]

ENVIRONMENT: Mapping[str, tuple[str, ...]] = {
    "endpoint": ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
    "api_key": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "azure_ad_token": ("AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"),
    "api_version": ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"),
    "deployment": ("AZURE_OPENAI_DEPLOYMENT",),
}

SecretKind = Literal["api_key", "azure_ad_token", "azure_ad_token_provider", "credential", "none"]


@dataclass(frozen=True)
class Secret:
    """What proves who is calling; `value` is a key, a token, a provider or a TokenCredential.

    kind "none" means nothing was configured: the shell then uses DefaultAzureCredential.
    """

    kind: SecretKind
    value: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Settings:
    """Where to call, as whom, and which deployment by default."""

    endpoint: Endpoint
    secret: Secret
    deployment: str | None
    scope: str


@dataclass(frozen=True)
class _Chosen:
    value: str | None
    source: str
    is_explicit: bool


def has_endpoint(environ: Mapping[str, str]) -> bool:
    """True when the environment names an endpoint."""
    return _from_environment("endpoint", environ).value is not None


def resolve_settings(
    environ: Mapping[str, str],
    *,
    endpoint: str | None = None,
    azure_endpoint: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    azure_ad_token: str | None = None,
    azure_ad_token_provider: Callable[[], Any] | None = None,
    credential: Any = None,
    api_version: str | None = None,
    deployment: str | None = None,
    azure_deployment: str | None = None,
    scope: str | None = None,
    allow_insecure: bool = False,
    strict_api_version: bool = False,
    preview_path: bool = False,
) -> Settings:
    """Decide the settings of a client.

    Raises ConfigurationError for no endpoint, two credentials, two endpoints, an unusable URL or
    version, or a secret that would travel unencrypted.
    """
    secret = _choose_secret(
        environ,
        api_key=api_key,
        azure_ad_token=azure_ad_token,
        azure_ad_token_provider=azure_ad_token_provider,
        credential=credential,
    )
    chosen = _choose_endpoint(environ, endpoint, azure_endpoint, base_url)
    version = _choose("api_version", api_version, environ)
    resolved = _resolve_endpoint(
        chosen, version, strict_api_version, preview_path, literal=base_url is not None
    )
    if not allow_insecure:
        _refuse_plain_http(resolved)
    named = _single("deployment", deployment=deployment, azure_deployment=azure_deployment)
    wanted = _choose("deployment", named or resolved.deployment, environ).value
    return Settings(resolved, secret, wanted, scope or resolved.scope)


def _refuse_plain_http(endpoint: Endpoint) -> None:
    # Loopback addresses count as encrypted: nothing leaves the machine.
    if not endpoint.is_encrypted:
        raise ConfigurationError(
            f"Refusing to send a key or token over plain http to {endpoint.origin}.",
            hint="Use https, or pass allow_insecure=True if the network is trusted.",
        )


def _resolve_endpoint(
    chosen: _Chosen, version: _Chosen, strict: bool, preview_path: bool, *, literal: bool
) -> Endpoint:
    assert chosen.value is not None
    # A version in the URL is more specific than one left in the environment for something else.
    pasted_version_wins = (
        not version.is_explicit and read_pasted_url(chosen.value).api_version is not None
    )
    return resolve_endpoint(
        chosen.value,
        None if pasted_version_wins else version.value,
        strict_api_version=strict,
        preview_path=preview_path,
        literal=literal,
        version_source=version.source,
    )


def _choose_endpoint(
    environ: Mapping[str, str],
    endpoint: str | None,
    azure_endpoint: str | None,
    base_url: str | None,
) -> _Chosen:
    given = _single("endpoint", endpoint=endpoint, azure_endpoint=azure_endpoint, base_url=base_url)
    chosen = _choose("endpoint", given, environ)
    if chosen.value is None:
        raise ConfigurationError(
            "No endpoint is configured.",
            hint="Pass endpoint='https://my-resource.openai.azure.com' or set "
            "AZURE_OPENAI_ENDPOINT.",
        )
    return chosen


def _choose_secret(environ: Mapping[str, str], **explicit: Any) -> Secret:
    given = {name: value for name, value in explicit.items() if value is not None}
    if len(given) > 1:
        raise ConfigurationError(
            f"Both {' and '.join(given)} were given; a call carries one credential.",
            hint="Pass only one of them.",
        )
    for kind, value in given.items():
        return Secret(kind, _check_secret(kind, value))  # type: ignore[arg-type]
    for kind in ("api_key", "azure_ad_token"):
        found = _from_environment(kind, environ)
        if found.value is not None:
            return Secret(kind, _check_secret(found.source, found.value))  # type: ignore[arg-type]
    return Secret("none")


def _check_secret(name: str, value: Any) -> Any:
    if name == "azure_ad_token_provider" and not callable(value):
        raise ConfigurationError(
            "azure_ad_token_provider is not callable.",
            hint="Pass a function that returns a token; pass a token itself as azure_ad_token.",
        )
    if name == "credential" and not callable(getattr(value, "get_token", None)):
        raise ConfigurationError(
            "credential has no get_token method.",
            hint="Pass an azure-identity credential; pass a key as api_key.",
        )
    if name not in ("azure_ad_token_provider", "credential"):
        return _check_text(name, value)
    return value


def _check_text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(
            f"{name} is a {type(value).__name__}, not a string.",
            hint="Pass a function that returns tokens as azure_ad_token_provider.",
        )
    text = value.strip()
    if not text:
        raise ConfigurationError(f"{name} is empty.", hint="Set it, or leave it out.")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ConfigurationError(
            f"{name} contains characters that cannot stand in a header.",
            hint="Copy it again from the portal; it has no spaces or line breaks.",
        )
    return text


def _single(what: str, **given: str | None) -> str | None:
    named = {name: value for name, value in given.items() if value is not None}
    if len(set(named.values())) > 1:
        raise ConfigurationError(
            f"{' and '.join(named)} name two different values for the {what}.",
            hint="Pass only one of them.",
        )
    return next(iter(named.values()), None)


def _choose(name: str, explicit: str | None, environ: Mapping[str, str]) -> _Chosen:
    if explicit is not None:
        return _Chosen(explicit, name, is_explicit=True)
    return _from_environment(name, environ)


def _from_environment(name: str, environ: Mapping[str, str]) -> _Chosen:
    for variable in ENVIRONMENT[name]:
        value = environ.get(variable, "").strip()
        if value:
            return _Chosen(value, variable, is_explicit=False)
    return _Chosen(None, name, is_explicit=False)


_PREFIXES = ("azure/responses/", "azure/")


def read_deployment(model: str) -> str:
    """The deployment in `azure/responses/<deployment>`, `azure/<deployment>` or a bare name.

    The prefix is taken off once, from the front: a deployment may have a slash in its own name.
    """
    for prefix in _PREFIXES:
        if model.startswith(prefix) and len(model) > len(prefix):
            return model.removeprefix(prefix)
    return model
