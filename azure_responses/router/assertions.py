"""Tokens of other issuers that Entra ID takes in exchange for one of its own: `oidc/…`.

LiteLLM writes where such a token comes from as `azure_ad_token: oidc/SOURCE/REST`. It is never sent
to Azure OpenAI itself: azure-identity exchanges it for a token of the app registration (workload
identity federation).
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from azure_responses.errors import ConfigurationError, CredentialError

__all__ = ["federated_terms", "make_assertion"]

_PATIENCE = 10.0
_GOOGLE = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default"
# What Entra ID expects of a federated token, unless the federation says otherwise.
_AUDIENCE = "api://AzureADTokenExchange"
_PRINCIPAL = {"tenant_id": "AZURE_TENANT_ID", "client_id": "AZURE_CLIENT_ID"}


def federated_terms(given: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Tenant and client of a federated token: of the entry, else of the environment.

    Raises:
        ConfigurationError: one of them is nowhere.
    """
    terms = {name: given.get(name) or environ.get(its) for name, its in _PRINCIPAL.items()}
    for name, value in terms.items():
        if not value:
            raise ConfigurationError(
                f"azure_ad_token is {given['assertion']!r}, and there is no {name}.",
                hint=f"Add {name} to the entry, or set {_PRINCIPAL[name]}.",
            )
    return {name: value for name, value in terms.items() if value}


def make_assertion(source: str) -> Callable[[], str]:
    """What azure-identity calls for a token whenever it needs a new one; files are read again.

    Raises:
        ConfigurationError: the source is not known.
    """
    kind, _, rest = source.removeprefix("oidc/").partition("/")
    read = _SOURCES.get(kind)
    if read is None or (kind in _NEEDS_REST and not rest):
        raise ConfigurationError(
            f"azure_ad_token is {source!r}, which is no source of tokens.",
            hint=f"Use one of {', '.join(f'oidc/{name}' for name in _SOURCES)}.",
        )
    return partial(_read, source, partial(read, rest))


def _read(source: str, read: Callable[[], str]) -> str:
    try:
        token = read().strip()
    except (OSError, KeyError, ValueError, httpx.HTTPError) as error:
        raise CredentialError(
            f"{source} gives no token: {type(error).__name__}: {error}",
            hint="Check where azure_ad_token says that the token comes from.",
        ) from error
    if not token:
        raise CredentialError(f"{source} gives an empty token.", hint="Check its source.")
    return token


def _variable(name: str) -> str:
    return os.environ[name]


def _file(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _file_of(variable: str) -> str:
    return _file(os.environ[variable])


def _azure(_: str) -> str:
    # Which the workload identity of Kubernetes sets; it replaces the file every hour.
    return _file_of("AZURE_FEDERATED_TOKEN_FILE")


def _circleci(_: str) -> str:
    return _variable("CIRCLE_OIDC_TOKEN")


def _circleci_v2(_: str) -> str:
    return _variable("CIRCLE_OIDC_TOKEN_V2")


def _github(audience: str) -> str:
    answer = _get(
        os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"],
        {"authorization": f"Bearer {os.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
        {"audience": audience or _AUDIENCE},
    )
    return str(answer.json()["value"])


def _google(audience: str) -> str:
    query = {"audience": audience or _AUDIENCE}
    return _get(f"{_GOOGLE}/identity", {"metadata-flavor": "Google"}, query).text


def _get(url: str, headers: Mapping[str, str], query: Mapping[str, Any]) -> httpx.Response:
    # Added to the query that the URL may have already.
    whole = httpx.URL(url).copy_merge_params(dict(query))
    return httpx.get(whole, headers=dict(headers), timeout=_PATIENCE).raise_for_status()


_SOURCES: Mapping[str, Callable[[str], str]] = {
    "env": _variable,
    "file": _file,
    "env_path": _file_of,
    "azure": _azure,
    "github": _github,
    "google": _google,
    "circleci": _circleci,
    "circleci_v2": _circleci_v2,
}
_NEEDS_REST = ("env", "file", "env_path")
