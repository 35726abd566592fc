"""The arguments of calls and clients, typed once for both shells."""

import math
import os
import ssl
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

import httpx

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.call import ApiType
from azure_responses.protocol.operations import Operations, Options
from azure_responses.protocol.recent import RecentResponses
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import Settings, resolve_settings
from azure_responses.protocol.warning import warn_caller
from azure_responses.telemetry.callback import Callback, Callbacks
from azure_responses.telemetry.observer import TelemetryOptions
from azure_responses.transport import Connection, Timeout, patience_of, read_timeout
from azure_responses.types.parameters import ResponseParameters
from azure_responses.types.result import Pricer, Result

if TYPE_CHECKING:
    from azure_responses.bridge import ReasoningCache

__all__ = [
    "CallOptions",
    "ClientArguments",
    "Configuration",
    "CreateArguments",
    "configure",
    "limit_poll",
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
        read_after_write: wait for a response this client just made to become readable; None does
            unless max_retries is 0. True does even then, and takes up dropped background streams.
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
        base_model: the model behind deployments whose names do not say it, or a mapping from
            deployments to models; for `response.cost`.
        on_request, on_response, on_error, on_retry: told of each call with a CallRecord; a
            function or several.
        capture_content: put what was asked and answered on OpenTelemetry spans; None leaves it
            to OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT, which is off.
        tracer_provider, meter_provider: OpenTelemetry's, in place of the program's own.
        proxy, verify, cert, limits: how to reach the network, as httpx takes them.
    """

    api_key: str | None
    credential: Any
    azure_ad_token_provider: Callable[[], Any] | None
    azure_ad_token: str | None
    api_version: str | None
    deployment: str | None
    max_retries: int
    read_after_write: bool | None
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
    reasoning_cache: "bool | ReasoningCache"
    base_model: str | Mapping[str, str] | None
    on_request: Callback | Iterable[Callback] | None
    on_response: Callback | Iterable[Callback] | None
    on_error: Callback | Iterable[Callback] | None
    on_retry: Callback | Iterable[Callback] | None
    capture_content: bool | None
    tracer_provider: Any
    meter_provider: Any
    proxy: str | httpx.Proxy | None
    verify: bool | str | ssl.SSLContext
    cert: Any
    limits: httpx.Limits


_NETWORK = ("proxy", "verify", "cert", "limits")
_DEFAULTS = ("max_retries", "read_after_write", "timeout", "default_headers", "default_query")
_CHAT = ("drop_params", "reasoning_cache")
_CALLBACKS = ("on_request", "on_response", "on_error", "on_retry")
_TELEMETRY = (*_CALLBACKS, "capture_content", "tracer_provider", "meter_provider")
_DEFAULT_TIMEOUT = 600.0


@dataclass(frozen=True)
class Configuration:
    """A client's decided settings, and the defaults `with_options` may change."""

    settings: Settings
    connection: Connection
    recent: RecentResponses
    defaults: Mapping[str, Any]
    drop_params: bool = False
    reasoning_cache: "ReasoningCache | None" = None
    telemetry: TelemetryOptions = field(default_factory=TelemetryOptions)
    base_model: str | Mapping[str, str] | None = None

    @property
    def timeout(self) -> Timeout:
        """The timeout of calls that name none."""
        return read_timeout(self.defaults.get("timeout", _DEFAULT_TIMEOUT))

    def describe(self) -> str:
        """The settings for a repr; never the secret itself."""
        endpoint, secret = self.settings.endpoint, self.settings.secret
        auth = "DefaultAzureCredential" if secret.kind == "none" else secret.kind
        return (
            f"endpoint={endpoint.origin + endpoint.path!r}, api_version={endpoint.api_version!r}, "
            f"deployment={self.settings.deployment!r}, auth={auth!r}"
        )

    def operations(self, api_type: ApiType = "responses") -> Operations:
        """Builds the calls of a client so configured, for callers of one API or the other."""
        retries = self.defaults.get("max_retries", 2)
        if not isinstance(retries, int) or retries < 0:
            raise ConfigurationError(f"max_retries is {retries!r}; it is a whole number from 0.")
        return Operations(
            self.settings,
            RetryPolicy(
                max_retries=retries,
                awaits_writes=self.defaults.get("read_after_write"),
                patience=patience_of(self.timeout),
            ),
            self.recent,
            _new_id,
            default_headers=self.defaults.get("default_headers"),
            default_query=self.defaults.get("default_query"),
            api_type=api_type,
            pricer_of=self._pricer,
        )

    def _pricer(self, deployment: str | None) -> Pricer:
        return partial(_price, deployment, self.base_model)

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
            "resource_tag": self.settings.endpoint.resource,
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
    taken = {*_NETWORK, *_DEFAULTS, *_CHAT, *_TELEMETRY, "base_model"}
    rest = {name: value for name, value in arguments.items() if name not in taken}
    settings = resolve_settings(os.environ, endpoint=endpoint, **rest)
    for warning in settings.endpoint.warnings:
        warn_caller(warning)
    return Configuration(
        settings,
        Connection(**network),
        RecentResponses(),
        defaults,
        drop_params=bool(arguments.get("drop_params")),
        reasoning_cache=_reasoning_cache(arguments.get("reasoning_cache")),
        telemetry=_read_telemetry(arguments),
        base_model=arguments.get("base_model"),
    )


def _reasoning_cache(given: "bool | ReasoningCache | None") -> "ReasoningCache | None":
    if isinstance(given, bool):
        # Imported only here: the models of chat completions are not for every program.
        from azure_responses.bridge import ReasoningCache

        return ReasoningCache() if given else None
    return given


def _read_telemetry(arguments: Mapping[str, Any]) -> TelemetryOptions:
    return TelemetryOptions(
        Callbacks(**{name: arguments.get(name) for name in _CALLBACKS}),
        arguments.get("tracer_provider"),
        arguments.get("meter_provider"),
        arguments.get("capture_content"),
    )


def _price(
    deployment: str | None, base_model: str | Mapping[str, str] | None, result: Result
) -> Decimal | None:
    # Imported on use: most programs never ask for a cost, and the prices are a large table.
    from azure_responses.pricing import cost

    if isinstance(base_model, Mapping):
        base_model = base_model.get(deployment or result.served_deployment or "")
    priced = cost(result, deployment=deployment, base_model=base_model)
    return None if priced is None else priced.total


def split_arguments(
    arguments: Mapping[str, Any], default_timeout: Timeout
) -> tuple[dict[str, Any], Options, Timeout]:
    """Parameters, options and timeout of a call."""
    parameters = dict(arguments)
    timeout = read_timeout(parameters.pop("timeout", default_timeout))
    patience = patience_of(timeout)
    options = Options(
        parameters.pop("extra_headers", None),
        parameters.pop("extra_query", None),
        parameters.pop("extra_body", None),
        math.inf if patience is None else patience,
    )
    return parameters, options, timeout


def limit_poll(timeout: Timeout, left: float | None) -> CallOptions:
    """The options of one poll of a wait that has `left` seconds; None is for ever."""
    own = patience_of(timeout)
    return {} if left is None or (own is not None and own <= left) else {"timeout": left}


def _new_id() -> str:
    return str(uuid.uuid4())
