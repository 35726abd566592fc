"""Explicit arguments and the environment → one set of connection settings.

Explicit arguments beat the environment, always; `environment` says which variables are read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal, NamedTuple

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.endpoint import (
    PROJECT_SCOPE,
    PUBLIC_SCOPE,
    SERVERLESS_SCOPE,
    Endpoint,
    resolve_endpoint,
)
from azure_responses.protocol.environment import Chosen, Provider, choose, has_endpoint
from azure_responses.protocol.model_name import without_provider
from azure_responses.protocol.pasted_url import read_pasted_url

__all__ = ["Secret", "Settings", "resolve_settings"]

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
    """Where to call, as whom, and which deployment by default.

    `other_scope` is tried once where the service refuses the audience of `scope`; None where the
    scope was given, or no other is known.
    """

    endpoint: Endpoint
    secret: Secret
    deployment: str | None
    scope: str
    other_scope: str | None = None


class _Paths(NamedTuple):
    """What the caller says of the endpoint's paths and versions."""

    strict: bool
    preview: bool
    models: bool


# In the order in which they are passed.
_SECRETS = ("api_key", "azure_ad_token", "azure_ad_token_provider", "credential")
_OTHER_SCOPES = {
    PUBLIC_SCOPE: PROJECT_SCOPE,
    PROJECT_SCOPE: PUBLIC_SCOPE,
    SERVERLESS_SCOPE: PUBLIC_SCOPE,
}


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
    models_path: bool = False,
    provider: Provider | None = None,
) -> Settings:
    """Decide the settings of a client.

    `provider` says whose variables of the environment count; None is `azure`, or `azure_ai` where
    only its variables name an endpoint.

    Raises ConfigurationError for no endpoint, two credentials, two endpoints, an unusable URL or
    version, or a secret that would travel unencrypted.
    """
    given = _single("endpoint", endpoint=endpoint, azure_endpoint=azure_endpoint, base_url=base_url)
    provider = provider or _provider_of(given, environ)
    chosen = _choose_endpoint(environ, given, provider)
    read = partial(choose, environ=environ, provider=provider, beside=chosen.source)
    secret = _choose_secret(read, api_key, azure_ad_token, azure_ad_token_provider, credential)
    version = read("api_version", explicit=api_version)
    paths = _Paths(strict=strict_api_version, preview=preview_path, models=models_path)
    resolved = _resolve_endpoint(chosen, version, provider, paths, literal=base_url is not None)
    _refuse_plain_http(resolved, allow_insecure)
    wanted = _choose_deployment(environ, resolved, deployment, azure_deployment)
    other = None if scope else _OTHER_SCOPES.get(resolved.scope)
    return Settings(resolved, secret, wanted, scope or resolved.scope, other)


def _provider_of(endpoint: str | None, environ: Mapping[str, str]) -> Provider:
    # A program that has set the variables of Foundry only means its resource.
    is_named = endpoint is not None or has_endpoint(environ, "azure")
    return "azure" if is_named or not has_endpoint(environ) else "azure_ai"


def _refuse_plain_http(endpoint: Endpoint, allow_insecure: bool) -> None:
    # Loopback addresses count as encrypted: nothing leaves the machine.
    if not allow_insecure and not endpoint.is_encrypted:
        raise ConfigurationError(
            f"Refusing to send a key or token over plain http to {endpoint.origin}.",
            hint="Use https, or pass allow_insecure=True if the network is trusted.",
        )


def _resolve_endpoint(
    chosen: Chosen, version: Chosen, provider: Provider, paths: _Paths, *, literal: bool
) -> Endpoint:
    assert chosen.value is not None
    pasted = read_pasted_url(chosen.value)
    # A version in the URL is more specific than one left in the environment for something else.
    pasted_version_wins = not version.is_explicit and pasted.api_version is not None
    resolved = resolve_endpoint(
        chosen.value,
        None if pasted_version_wins else version.value,
        version_source=version.source,
        strict_api_version=paths.strict,
        preview_path=paths.preview,
        literal=literal,
        models_path=paths.models,
        is_foundry=provider != "azure",
    )
    if chosen.source == "ANTHROPIC_FOUNDRY_BASE_URL" and pasted.shape == "root":
        # Anthropic's client completes what it is given, whatever path it has.
        return replace(resolved, messages_base=resolved.resource, api="messages")
    return resolved


def _choose_endpoint(environ: Mapping[str, str], given: str | None, provider: Provider) -> Chosen:
    chosen = choose("endpoint", environ, provider, given)
    if chosen.value is None:
        raise ConfigurationError(
            "No endpoint is configured.",
            hint="Pass endpoint='https://my-resource.openai.azure.com' or set "
            "AZURE_OPENAI_ENDPOINT.",
        )
    return chosen


def _choose_deployment(
    environ: Mapping[str, str], endpoint: Endpoint, given: str | None, azure_given: str | None
) -> str | None:
    named = _single("deployment", deployment=given, azure_deployment=azure_given)
    chosen = choose("deployment", environ, explicit=named or endpoint.deployment)
    return without_provider(chosen.value)


def _choose_secret(from_environment: Callable[[str], Chosen], *explicit: Any) -> Secret:
    named = zip(_SECRETS, explicit, strict=True)
    given = {name: value for name, value in named if value is not None}
    if len(given) > 1:
        raise ConfigurationError(
            f"Both {' and '.join(given)} were given; a call carries one credential.",
            hint="Pass only one of them.",
        )
    for kind, value in given.items():
        return Secret(kind, _check_secret(kind, value))  # type: ignore[arg-type]
    for kind in ("api_key", "azure_ad_token"):
        found = from_environment(kind)
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
    if str(value).startswith("oidc/"):
        raise ConfigurationError(
            f"{name} is {value!r}, which names a source of tokens and is none itself.",
            hint="Write it into an entry of a model list, or pass a ClientAssertionCredential of "
            "azure-identity as credential.",
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
