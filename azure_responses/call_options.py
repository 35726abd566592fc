"""The arguments of calls and clients, typed once for both shells."""

import math
import os
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import httpx

from azure_responses.bridge.conversions import ConversionFactory, LazySealer
from azure_responses.errors import ConfigurationError
from azure_responses.openai_arguments import OpenAIArguments, read_openai_arguments
from azure_responses.protocol.call import ApiType, RecentResponses
from azure_responses.protocol.call_converter import CallConverter
from azure_responses.protocol.deployment_apis import APISetting, DeploymentAPIs
from azure_responses.protocol.environment import Provider, choose_webhook_secret
from azure_responses.protocol.image_deployment import ImageDeployment, read_image_deployment
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import Settings, resolve_settings
from azure_responses.protocol.warning import CallerWarnings, warn_caller
from azure_responses.telemetry.callback import Callback, Callbacks
from azure_responses.telemetry.observer import TelemetryOptions
from azure_responses.transport import NetworkOptions, Timeout, patience_of, read_timeout
from azure_responses.types.parameters import (
    AgentParameters,
    AnswerParameters,
    ChatAnswerParameters,
    ChatParameters,
    CompactParameters,
    ResponseParameters,
)
from azure_responses.types.result import Pricer, Result

if TYPE_CHECKING:
    from azure_responses.bridge import ReasoningCache
    from azure_responses.protocol.callable_tool import CallableTool
    from azure_responses.protocol.tool_loop import ToolCheckpoint
    from azure_responses.types.model import Model
    from azure_responses.types.tools.mcp import McpApprovalRequest

__all__ = [
    "CallOptions",
    "ChatArguments",
    "ChatCallOptions",
    "ClientArguments",
    "CompactArguments",
    "Configuration",
    "ConnectionArguments",
    "CopyArguments",
    "CreateArguments",
    "IdentityArguments",
    "ParsedChatArguments",
    "ServingArguments",
    "TOOL_RUN_OPTIONS",
    "ToolRunArguments",
    "configure",
    "limit_poll",
    "make_converter",
    "new_bridged_id",
    "new_call_id",
    "new_warm_up_id",
    "split_arguments",
]


class CallOptions(TypedDict, total=False):
    """What any call may add to the client's defaults."""

    extra_headers: Mapping[str, str | None] | None
    """Headers of this call, laid over the client's; None as a value leaves one out."""
    extra_query: Mapping[str, Any] | None
    """Query parameters of this call, laid over the client's."""
    extra_body: Mapping[str, Any] | None
    """Further fields of the body, sent as they are; the way for parameters that this version does
    not know."""
    timeout: Timeout
    """Seconds for the call, an httpx.Timeout per phase, or None for no limit; the default is the
    client's."""


class CreateArguments(ResponseParameters, AgentParameters, CallOptions, total=False):
    """Every parameter of a response or of an agent's, and the options of a call."""


class ToolRunOptions(TypedDict, total=False):
    """How the functions of a tool loop are called."""

    max_turns: int
    """Responses of this run, at most; the default is 10."""
    max_concurrency: int
    """Functions under way at the same time, at most; the default is 8, and 1 calls one after the
    other."""
    on_function_error: Literal["output", "raise"]
    """"output" (the default) shows the model the exception that a function raised; "raise" ends the
    loop with it."""
    on_approval: "Callable[[McpApprovalRequest], Any] | None"
    """Decides about a call of a remote MCP tool: True approves, False refuses, text refuses and
    gives the model the reason. Without it such a request ends the loop."""
    on_checkpoint: "Callable[[ToolCheckpoint], Any] | None"
    """Called when a response has arrived, and when its functions have been called."""
    on_event: Callable[[Any], Any] | None
    """Streams every response, and is called with each typed event."""
    tools: "Iterable[Mapping[str, Any] | Model | Callable[..., Any] | CallableTool] | None"
    """Functions of the program, and tools of any other kind as JSON objects."""
    resume: "ToolCheckpoint | None"
    """Where a loop with the same parameters is to go on; its `input` is not sent again."""


class ToolRunArguments(AnswerParameters, AgentParameters, CallOptions, ToolRunOptions, total=False):
    """Every parameter of a response, the options of a call, and those of a tool loop."""


# All but `tools`, which a request has too.
TOOL_RUN_OPTIONS = frozenset(ToolRunOptions.__annotations__) - {"tools"}


class CompactArguments(CompactParameters, CallOptions, total=False):
    """Every parameter of a compaction, and the options of a call."""


class ChatCallOptions(CallOptions, total=False):
    """What a chat completion may add to the client's defaults."""

    drop_params: bool | None
    """True leaves out of this call, with a warning, what the Responses API cannot do, instead of
    refusing it."""


class ChatArguments(ChatParameters, ChatCallOptions, total=False):
    """Every parameter of a chat completion, and the options of a call."""


class ParsedChatArguments(ChatAnswerParameters, ChatCallOptions, total=False):
    """Every parameter of a chat completion but `response_format`, and the options of a call."""


class ServingArguments(TypedDict, total=False):
    """How calls are served, by a client, a router or a function."""

    scope: str | None
    """Entra ID scope of tokens, where the one chosen by host is not right."""
    strict_api_version: bool
    """True refuses a dated `api_version` that is too old for the Responses API
    instead of warning."""
    preview_path: bool
    """True sends to /openai/v1/preview, for gateways that insist on it."""
    models_path: bool
    """True sends chat completions to /models, the older model inference API of Foundry."""
    allow_insecure: bool
    """True permits sending the credential over plain http to another machine."""
    drop_params: bool
    """True leaves out with a warning, instead of refusing it, what the Responses API cannot do in
    chat completions, and what a deployment of another API cannot do."""
    api: APISetting | Mapping[str, APISetting]
    """What deployments speak: "responses", "chat" or "messages", or a mapping from deployments to
    these; "auto" (the default) goes by the model's family, and learns from what a deployment
    refuses."""
    facts: Mapping[str, Mapping[str, Any]] | None
    """What the models of deployments accept, by deployment, where the table of families is wrong
    or does not have them."""
    hosted_history: Literal["omit", "text"]
    """What becomes of earlier calls of hosted tools on a deployment of another API: "omit" (the
    default) leaves them out with a warning, "text" tells the model their results."""
    sealing_secret: str | bytes | Sequence[str | bytes] | None
    """Encrypts the reasoning of deployments of another API, which callers carry from turn to turn;
    None takes a random one, which no other process can read; of several the first encrypts and all
    decrypt."""
    image_deployment: ImageDeployment | None
    """Deployment that draws the images of the tool `image_generation`, or a mapping from the
    tool's `model` to deployments; sent in the header that Azure wants beside the tool."""
    reasoning_cache: "bool | ReasoningCache"
    """In chat completions, restores reasoning that the caller's messages lost: True for a cache of
    its own, or one to share."""


class IdentityArguments(TypedDict, total=False):
    """As whom, and how often, a client or a function calls a resource."""

    api_key: str | None
    """Key of the resource; give one of this, `credential`, `azure_ad_token_provider` and
    `azure_ad_token`."""
    credential: Any
    """Credential of azure-identity, sync or async; without any, DefaultAzureCredential signs in."""
    azure_ad_token_provider: Callable[[], Any] | None
    """Function that returns an Entra ID token, called when one is needed."""
    azure_ad_token: str | None
    """Entra ID token, used as it is until it expires."""
    api_version: str | None
    """Version of the API: "v1" (the default), "preview", "latest", or a dated one from
    2025-03-01-preview on (Azure)."""
    provider: Provider
    """Whose variables of the environment count, and what api_version may be: "azure" (OpenAI's
    models), "azure_ai" (every model of a Foundry resource) or "claude"."""
    max_retries: int
    """Further attempts after the first, 0 or more; the default is 2."""
    base_model: str | Mapping[str, str] | None
    """Model behind a deployment whose name does not say it, or a mapping from deployments to
    models; for `cost`."""


class ConnectionArguments(TypedDict, total=False):
    """How a client or a router reaches the network, and whom it tells of its calls."""

    default_headers: Mapping[str, str | None] | None
    """Headers of every call."""
    default_query: Mapping[str, Any] | None
    """Query parameters of every call."""
    on_request: Callback | Iterable[Callback] | None
    """Called with a CallRecord before each attempt; a function or several."""
    on_response: Callback | Iterable[Callback] | None
    """Called with a CallRecord after each attempt that succeeded; a function or several."""
    on_error: Callback | Iterable[Callback] | None
    """Called with a CallRecord after each attempt that failed; a function or several."""
    on_retry: Callback | Iterable[Callback] | None
    """Called with a CallRecord when a call goes on to its next attempt; a function or several."""
    capture_content: bool | None
    """True puts input and output on OpenTelemetry spans; None reads
    OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT."""
    tracer_provider: Any
    """OpenTelemetry's provider of tracers, in place of the program's own."""
    meter_provider: Any
    """OpenTelemetry's provider of meters, in place of the program's own."""
    proxy: str | httpx.Proxy | None
    """Proxy for every connection, as httpx takes it."""
    verify: bool | str | ssl.SSLContext
    """Which certificates to trust, as httpx takes it: True, a path, or an SSLContext."""
    cert: Any
    """Client certificate, as httpx takes it."""
    limits: httpx.Limits
    """Limits of the pool of connections, as httpx takes them."""


class ClientArguments(
    IdentityArguments, ConnectionArguments, ServingArguments, OpenAIArguments, total=False
):
    """What a client is made of; every argument is optional."""

    deployment: str | None
    """Default for `model`."""
    read_after_write: bool | None
    """Wait until a response this client made can be read: None does unless max_retries is 0, True
    always; True resumes background streams."""
    timeout: Timeout
    """Seconds for a call, an httpx.Timeout per phase, or None for no limit; the default is 600."""
    azure_endpoint: str | None
    """What openai.AzureOpenAI calls `endpoint`."""
    azure_deployment: str | None
    """What openai.AzureOpenAI calls `deployment`."""
    base_url: str | None
    """Base URL of the v1 API, in place of an endpoint."""
    webhook_secret: str | Sequence[str] | None
    """Signing secret of webhooks, for `webhooks.unwrap`; of several one has to fit. Without it
    AZURE_OPENAI_WEBHOOK_SECRET or OPENAI_WEBHOOK_SECRET counts."""
    response_store: Any
    """Keeps the responses of deployments of another API, which store none; the default keeps 2000
    of them, and 64 MiB, in this process."""


class CopyArguments(ClientArguments, total=False):
    """What `with_options` and `copy` may change: every argument of a client."""

    endpoint: str | None
    """The resource, in any form."""
    http_client: Any
    """An httpx.Client, or of an async client an httpx.AsyncClient."""
    set_default_headers: Mapping[str, str | None] | None
    """Headers of every call, in place of the present ones; `default_headers` adds to them."""
    set_default_query: Mapping[str, Any] | None
    """Query parameters of every call, in place of the present ones."""


_NETWORK = ("proxy", "verify", "cert", "limits")
_DEFAULTS = ("max_retries", "read_after_write", "timeout", "default_headers", "default_query")
_CHAT = ("drop_params", "reasoning_cache")
_CONVERSION = ("api", "facts", "hosted_history", "sealing_secret", "response_store")
_CALLBACKS = ("on_request", "on_response", "on_error", "on_retry")
_TELEMETRY = (*_CALLBACKS, "capture_content", "tracer_provider", "meter_provider")
_DEFAULT_TIMEOUT = 600.0
# Of the arguments in one line only one counts: a change of one replaces the others.
_ALTERNATIVES = (
    frozenset({"api_key", "credential", "azure_ad_token_provider", "azure_ad_token"}),
    frozenset({"endpoint", "azure_endpoint", "base_url"}),
    frozenset({"deployment", "azure_deployment"}),
)
_MAPPINGS = ("default_headers", "default_query")
# The variables that a client reads begin with one of these.
_VARIABLES = ("AZURE_", "OPENAI_", "ANTHROPIC_")


@dataclass(frozen=True)
class Configuration:
    """A client's decided settings; `arguments` and `environ` are what they were decided from."""

    settings: Settings
    connection: NetworkOptions
    recent: RecentResponses
    defaults: Mapping[str, Any]
    drop_params: bool = False
    reasoning_cache: "ReasoningCache | None" = None
    telemetry: TelemetryOptions = field(default_factory=TelemetryOptions)
    base_model: str | Mapping[str, str] | None = None
    converter: CallConverter | None = None
    image_deployment: ImageDeployment | None = None
    response_store: Any = None
    webhook_secret: str | Sequence[str] | None = field(default=None, repr=False)
    arguments: Mapping[str, Any] = field(default_factory=dict, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    warn: CallerWarnings = field(default_factory=CallerWarnings, repr=False)

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
        retries = self.max_retries
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
            new_call_id,
            default_headers=self.defaults.get("default_headers"),
            default_query=self.defaults.get("default_query"),
            api_type=api_type,
            pricer_of=self._pricer,
            converter=self.converter,
            image_deployment=self.image_deployment,
            warn=self.warn,
        )

    def _pricer(self, deployment: str | None) -> Pricer:
        return partial(_price, deployment, self.base_model)

    @property
    def max_retries(self) -> int:
        """Further attempts after the first."""
        retries: int = self.defaults.get("max_retries", 2)
        return retries

    def changed(self, changes: Mapping[str, Any]) -> "Configuration":
        """The same with other arguments; headers and query are laid over the present ones.

        Raises:
            TypeError: an argument that does not exist.
            ConfigurationError: as of a client.
        """
        for name in changes:
            if name not in CopyArguments.__annotations__:
                raise TypeError(f"with_options has no argument {name!r}")
        given = self._with_mappings(read_openai_arguments(changes))
        if given.keys() <= {*_DEFAULTS}:
            # The usual case: neither the environment nor the endpoint is looked at again.
            arguments = {**self.arguments, **given}
            return replace(self, defaults={**self.defaults, **given}, arguments=arguments)
        replaced = frozenset().union(*(names for names in _ALTERNATIVES if names & given.keys()))
        kept = {name: value for name, value in self.arguments.items() if name not in replaced}
        merged = {**kept, **given}
        made = configure(merged.pop("endpoint", None), merged, self.environ)
        is_same = given.keys().isdisjoint(_TELEMETRY)
        return replace(
            made,
            recent=self.recent,
            telemetry=self.telemetry if is_same else made.telemetry,
            warn=self.warn,
        )

    def _with_mappings(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(changes)
        for name in _MAPPINGS:
            whole, added = given.pop(f"set_{name}", None), given.get(name)
            if whole is not None or added is not None:
                base = self.defaults.get(name) if whole is None else whole
                given[name] = {**(base or {}), **(added or {})}
        return given

    def chat_options(self) -> dict[str, Any]:
        """What chat completions are made with, besides the responses they are served by."""
        return {
            "deployment": self.settings.deployment,
            "resource_tag": self.settings.endpoint.resource,
            "drop_params": self.drop_params,
            "reasoning_cache": self.reasoning_cache,
            "warn": self.warn,
        }


def configure(
    endpoint: str | None, arguments: Mapping[str, Any], environ: Mapping[str, str] | None = None
) -> Configuration:
    """Decide a client's settings from its arguments and the environment; may warn.

    Args:
        endpoint: the resource.
        arguments: those of `ClientArguments`.
        environ: in place of the environment of the process.

    Raises:
        ConfigurationError: see `resolve_settings`.
        TypeError: an argument that does not exist.
    """
    unknown = [name for name in arguments if name not in ClientArguments.__annotations__]
    if unknown:
        raise TypeError(f"unexpected argument {unknown[0]!r}")
    arguments = read_openai_arguments(arguments)
    if environ is None:
        environ = {name: os.environ[name] for name in os.environ if name.startswith(_VARIABLES)}
    network = {name: arguments[name] for name in _NETWORK if name in arguments}
    defaults = {name: arguments[name] for name in _DEFAULTS if name in arguments}
    taken = {
        *_NETWORK,
        *_DEFAULTS,
        *_CHAT,
        *_CONVERSION,
        *_TELEMETRY,
        "base_model",
        "image_deployment",
        "webhook_secret",
    }
    rest = {name: value for name, value in arguments.items() if name not in taken}
    settings = resolve_settings(environ, endpoint=endpoint, **rest)
    for warning in settings.endpoint.warnings:
        warn_caller(warning)
    return Configuration(
        settings,
        NetworkOptions(**network),
        RecentResponses(),
        defaults,
        drop_params=bool(arguments.get("drop_params")),
        reasoning_cache=_reasoning_cache(arguments.get("reasoning_cache")),
        telemetry=_read_telemetry(arguments),
        base_model=arguments.get("base_model"),
        converter=make_converter(settings, arguments),
        image_deployment=read_image_deployment(arguments.get("image_deployment")),
        response_store=arguments.get("response_store"),
        webhook_secret=choose_webhook_secret(environ, arguments.get("webhook_secret")),
        arguments=arguments if endpoint is None else {**arguments, "endpoint": endpoint},
        environ=environ,
    )


def make_converter(settings: Settings, arguments: Mapping[str, Any]) -> CallConverter:
    """What makes calls over for deployments that speak another API.

    Raises:
        ConfigurationError: an API or a fact that does not exist, or an argument of another type.
    """
    _check_conversion(arguments)
    models = arguments.get("base_model")
    base_model_of = models.get if isinstance(models, Mapping) else lambda _deployment: models
    factory = ConversionFactory(
        LazySealer(arguments.get("sealing_secret") or _PROCESS_SECRET, os.urandom),
        new_bridged_id,
        base_model_of,
        arguments.get("facts") or {},
        arguments.get("hosted_history") or "omit",
        settings.endpoint.resource.removesuffix(":443"),
    )
    # A URL of `/models` or of a serverless endpoint has one API; a pasted `/anthropic` is only the
    # resource's URL, and counts where the family is unknown.
    implied = settings.endpoint.api
    given = arguments.get("api")
    if implied != "messages" and given in (None, "auto"):
        given = implied
    apis = DeploymentAPIs(given, lambda deployment: factory.api_of(deployment) or implied)
    drops = bool(arguments.get("drop_params"))
    return CallConverter(settings.endpoint, apis, factory, drops_params=drops)


def _check_conversion(arguments: Mapping[str, Any]) -> None:
    facts, history = arguments.get("facts"), arguments.get("hosted_history")
    if facts is not None and not isinstance(facts, Mapping):
        raise ConfigurationError(
            f"facts is a {type(facts).__name__}, not a mapping.",
            hint="Pass a mapping such as {'my-deployment': {'takes_strict': False}}.",
        )
    if history not in (None, "omit", "text"):
        raise ConfigurationError(f"hosted_history is {history!r}.", hint="Use omit or text.")
    secret, store = arguments.get("sealing_secret"), arguments.get("response_store")
    if secret is not None and not isinstance(secret, str | bytes | Sequence):
        raise ConfigurationError(
            f"sealing_secret is a {type(secret).__name__}.", hint="Pass a long random text."
        )
    if store is not None and not all(hasattr(store, name) for name in ("save", "load", "delete")):
        raise ConfigurationError(
            f"response_store is of type {type(store).__name__}, which stores no responses.",
            hint="Leave it out, or pass an object with the methods of ResponseStore.",
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


# The bits that make a random number a UUID of version 4 (RFC 9562 section 5.4).
_FREE_BITS = ~(0xF000 << 64 | 0xC000 << 48)
_VERSION_BITS = 0x4000 << 64 | 0x8000 << 48


def new_call_id() -> str:
    """A name for a call that was given none: a random UUID.

    Every call has one; `str(uuid.uuid4())` takes three times as long.
    """
    number = int.from_bytes(os.urandom(16), "big") & _FREE_BITS | _VERSION_BITS
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


# Seals reasoning where no secret is given: the clients of one process read each other's.
_PROCESS_SECRET = os.urandom(32)


def new_bridged_id(prefix: str) -> str:
    """An id of what a deployment of another API made, such as "msg_bridged_…" for "msg_"."""
    return f"{prefix.removesuffix('bridged_')}bridged_{os.urandom(16).hex()}"


def new_warm_up_id() -> str:
    """The id of a response without output that is made here; it shows that no service made it."""
    return f"resp_warmup_{os.urandom(16).hex()}"
