"""The arguments of calls and clients, typed once for both shells."""

import os
import ssl
import uuid
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import httpx

from azure_responses.bridge import ReasoningCache
from azure_responses.errors import ConfigurationError
from azure_responses.protocol.operations import Operations, Options
from azure_responses.protocol.recent import RecentResponses
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import Settings, resolve_settings
from azure_responses.transport import Connection, Timeout, patience_of
from azure_responses.types.parameters import ResponseParameters

__all__ = [
    "CallOptions",
    "ClientArguments",
    "Configuration",
    "CreateArguments",
    "configure",
    "split_arguments",
]


class CallOptions(TypedDict, total=False):
    """What any call may add to the client's defaults.

    `timeout` is in seconds, or an httpx.Timeout per phase, or None for no limit.
    """

    extra_headers: Mapping[str, str | None] | None
    extra_query: Mapping[str, Any] | None
    extra_body: Mapping[str, Any] | None
    timeout: Timeout


class CreateArguments(ResponseParameters, CallOptions, total=False):
    """Every parameter of a response, and the options of a call."""


class ClientArguments(TypedDict, total=False):
    """What a client is made of; every argument is optional.

    Attributes:
        api_key, credential, azure_ad_token_provider, azure_ad_token: who is calling; one of them.
        api_version: None or "v1", "preview", "latest", or a dated version.
        deployment: the default for `model`.
        max_retries: further attempts after the first.
        timeout: seconds, an httpx.Timeout, or None for no limit.
        default_headers, default_query: sent with every call.
        http_client: used instead of our own, and never closed by us.
        scope: the Entra ID scope, where the one chosen by host is wrong.
        azure_endpoint, azure_deployment: what openai.AzureOpenAI calls endpoint and deployment.
        base_url: a v1 base URL.
        strict_api_version: refuse a dated version that is too old instead of warning.
        preview_path: send /openai/v1/preview, for gateways that insist on it.
        allow_insecure: send the credential over plain http to another machine.
        drop_params: in chat completions, leave out with a warning what the Responses API cannot
            do, instead of refusing it.
        reasoning_cache: in chat completions, restore the reasoning of messages whose client
            dropped the fields it does not know; True makes a cache, or pass one to share.
        proxy, verify, cert, limits: how to reach the network, as httpx takes them.
    """

    api_key: str | None
    credential: Any
    azure_ad_token_provider: Callable[[], Any] | None
    azure_ad_token: str | None
    api_version: str | None
    deployment: str | None
    max_retries: int
    timeout: Timeout
    default_headers: Mapping[str, str | None] | None
    default_query: Mapping[str, Any] | None
    scope: str | None
    azure_endpoint: str | None
    azure_deployment: str | None
    base_url: str | None
    strict_api_version: bool
    preview_path: bool
    allow_insecure: bool
    drop_params: bool
    reasoning_cache: bool | ReasoningCache
    proxy: str | httpx.Proxy | None
    verify: bool | str | ssl.SSLContext
    cert: Any
    limits: httpx.Limits


_NETWORK = ("proxy", "verify", "cert", "limits")
_DEFAULTS = ("max_retries", "timeout", "default_headers", "default_query")
_CHAT = ("drop_params", "reasoning_cache")
_DEFAULT_TIMEOUT = 600.0


@dataclass(frozen=True)
class Configuration:
    """A client's decided settings, and the defaults `with_options` may change."""

    settings: Settings
    connection: Connection
    recent: RecentResponses
    defaults: Mapping[str, Any]
    drop_params: bool = False
    reasoning_cache: ReasoningCache | None = None

    @property
    def timeout(self) -> Timeout:
        """The timeout of calls that name none."""
        timeout: Timeout = self.defaults.get("timeout", _DEFAULT_TIMEOUT)
        return timeout

    def describe(self) -> str:
        """The settings for a repr; never the secret itself."""
        endpoint, secret = self.settings.endpoint, self.settings.secret
        auth = "DefaultAzureCredential" if secret.kind == "none" else secret.kind
        return (
            f"endpoint={endpoint.origin + endpoint.path!r}, api_version={endpoint.api_version!r}, "
            f"deployment={self.settings.deployment!r}, auth={auth!r}"
        )

    def operations(self) -> Operations:
        """Builds the calls of a client so configured."""
        retries = self.defaults.get("max_retries", 2)
        if not isinstance(retries, int) or retries < 0:
            raise ConfigurationError(f"max_retries is {retries!r}; it is a whole number from 0.")
        return Operations(
            self.settings,
            RetryPolicy(max_retries=retries, patience=patience_of(self.timeout)),
            self.recent,
            _new_id,
            default_headers=self.defaults.get("default_headers"),
            default_query=self.defaults.get("default_query"),
        )

    def changed(self, changes: Mapping[str, Any]) -> "Configuration":
        """The same with other defaults; headers and query are laid over the present ones."""
        unknown = [name for name in changes if name not in _DEFAULTS]
        if unknown:
            raise TypeError(f"with_options takes {', '.join(_DEFAULTS)}, not {unknown[0]!r}")
        merged = {**self.defaults, **changes}
        for name in ("default_headers", "default_query"):
            merged[name] = {**(self.defaults.get(name) or {}), **(changes.get(name) or {})}
        return replace(self, defaults=merged)

    def chat_options(self) -> dict[str, Any]:
        """What chat completions are made with, besides the responses they are served by."""
        return {
            "deployment": self.settings.deployment,
            "resource_tag": self.settings.endpoint.origin,
            "drop_params": self.drop_params,
            "reasoning_cache": self.reasoning_cache,
        }


def configure(endpoint: str | None, arguments: Mapping[str, Any]) -> Configuration:
    """Decide a client's settings from its arguments and the environment; may warn.

    Raises:
        ConfigurationError: see `resolve_settings`.
        TypeError: an argument that does not exist.
    """
    unknown = [name for name in arguments if name not in ClientArguments.__annotations__]
    if unknown:
        raise TypeError(f"unexpected argument {unknown[0]!r}")
    network = {name: arguments[name] for name in _NETWORK if name in arguments}
    defaults = {name: arguments[name] for name in _DEFAULTS if name in arguments}
    taken = {*_NETWORK, *_DEFAULTS, *_CHAT}
    rest = {name: value for name, value in arguments.items() if name not in taken}
    settings = resolve_settings(os.environ, endpoint=endpoint, **rest)
    for warning in settings.endpoint.warnings:
        warnings.warn(warning, UserWarning, stacklevel=4)
    return Configuration(
        settings,
        Connection(**network),
        RecentResponses(),
        defaults,
        drop_params=bool(arguments.get("drop_params")),
        reasoning_cache=_reasoning_cache(arguments.get("reasoning_cache")),
    )


def _reasoning_cache(given: bool | ReasoningCache | None) -> ReasoningCache | None:
    if isinstance(given, bool):
        return ReasoningCache() if given else None
    return given


def split_arguments(
    arguments: Mapping[str, Any], default_timeout: Timeout
) -> tuple[dict[str, Any], Options, Timeout]:
    """Parameters, options and timeout of a call."""
    parameters = dict(arguments)
    timeout = parameters.pop("timeout", default_timeout)
    options = Options(
        parameters.pop("extra_headers", None),
        parameters.pop("extra_query", None),
        parameters.pop("extra_body", None),
    )
    return parameters, options, timeout


def _new_id() -> str:
    return str(uuid.uuid4())
