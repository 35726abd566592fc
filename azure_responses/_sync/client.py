# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The sync client."""

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar, Unpack

import httpx

from azure_responses._sync.closing import Closing
from azure_responses._sync.credentials import Credentials
from azure_responses._sync.executor import Executor
from azure_responses._sync.resources import Models, Responses
from azure_responses._sync.stored_objects import StoredObjects
from azure_responses._sync.watch import Telemetry
from azure_responses.call_options import (
    ClientArguments,
    Configuration,
    CopyArguments,
    configure,
)
from azure_responses.http_exchange import Headers
from azure_responses.openai_arguments import ELSEWHERE
from azure_responses.parameter_help import shows_parameters
from azure_responses.transport import SyncTransport, Timeout, refuse_wrong_client

if TYPE_CHECKING:
    from azure_responses._sync.chat import Beta, Chat
    from azure_responses._sync.object_calls import ObjectCalls
    from azure_responses._sync.webhooks import Webhooks

__all__ = ["AzureOpenAI", "AzureResponses"]

T = TypeVar("T")


@shows_parameters(ClientArguments)
class AzureResponses(StoredObjects, Closing):
    """Calls the Responses API of one Azure OpenAI or Foundry resource.

    Every argument is optional and falls back to the environment; see `ClientArguments`. Safe to
    share between threads.

    Args:
        endpoint: the resource, in any form the portal or the docs show.
        http_client: an httpx.Client to use instead of our own; never closed by us.

    Raises:
        ConfigurationError: no endpoint, contradictory arguments, or an unusable one.
    """

    _chat: "Chat | None"

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        http_client: httpx.Client | None = None,
        **arguments: Unpack[ClientArguments],
    ) -> None:
        if http_client is not None:
            refuse_wrong_client(http_client, httpx.Client)
        self._connect(configure(endpoint, arguments), http_client)

    @classmethod
    def _configured(cls, configuration: Configuration) -> Self:
        """A client with the settings of another one, and connections of its own."""
        client = cls.__new__(cls)
        client._connect(configuration, None)
        return client

    def _connect(self, configuration: Configuration, http_client: httpx.Client | None) -> None:
        executor = _make_executor(configuration, http_client)
        self._set_up(configuration, executor, owns_executor=True)

    @property
    def responses(self) -> Responses:
        """Create, stream, parse, retrieve, wait for, cancel, delete and compact responses."""
        return self._responses

    @property
    def chat(self) -> "Chat":
        """Chat completions, on any deployment."""
        if self._chat is None:
            self._chat = self._make_chat()
        return self._chat

    @property
    def beta(self) -> "Beta":
        """`chat` again, under its older path in the openai package."""
        from azure_responses._sync.chat import Beta

        return Beta(self.chat)

    @property
    def models(self) -> Models:
        """List the models of the resource."""
        return self._models

    @property
    def webhooks(self) -> "Webhooks":
        """Verify webhooks, and manage where the resource sends them to."""
        from azure_responses._sync.webhooks import Webhooks

        return self._objects(partial(Webhooks, secret=self._configuration.webhook_secret))

    @property
    def with_raw_response(self) -> Any:
        """Every resource with raw results: `with_raw_response.responses.create(…)`."""
        from azure_responses._sync.raw_results import RawClient

        return RawClient(self, "with_raw_response")

    @property
    def with_streaming_response(self) -> Any:
        """Every resource with streamed results: `with_streaming_response.responses.create(…)`."""
        from azure_responses._sync.raw_results import RawClient

        return RawClient(self, "with_streaming_response")

    if not TYPE_CHECKING:  # A type checker refuses such a name by itself.

        def __getattr__(self, name: str) -> NoReturn:
            instead = f": {ELSEWHERE[name]}" if name in ELSEWHERE else ""
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}{instead}"
            )

    @property
    def endpoint(self) -> str:
        """The resource, without version and operation."""
        endpoint = self._configuration.settings.endpoint
        return endpoint.origin + endpoint.path

    @property
    def deployment(self) -> str | None:
        """The default for `model`."""
        return self._configuration.settings.deployment

    @property
    def base_url(self) -> httpx.URL:
        """Where the paths of operations begin, such as https://r.openai.azure.com/openai/v1/."""
        return httpx.URL(self._configuration.settings.endpoint.url("responses")).join(".")

    @property
    def api_key(self) -> str | None:
        """The key; None with a token or a credential."""
        secret = self._configuration.settings.secret
        return str(secret.value) if secret.kind == "api_key" else None

    @property
    def timeout(self) -> Timeout:
        """The timeout of calls that give none: seconds, an httpx.Timeout, or None for no limit."""
        return self._configuration.timeout

    @property
    def max_retries(self) -> int:
        """Further attempts after the first."""
        return self._configuration.max_retries

    @property
    def default_headers(self) -> Headers:
        """The headers that every call sends, by name in any case."""
        given = self._configuration.defaults.get("default_headers") or {}
        return Headers({name: value for name, value in given.items() if value is not None})

    @property
    def default_query(self) -> dict[str, Any]:
        """The query parameters that every call sends."""
        return dict(self._configuration.defaults.get("default_query") or {})

    @shows_parameters(CopyArguments)
    def with_options(self, **changes: Unpack[CopyArguments]) -> Self:
        """A client with other arguments that shares this one's connections, and token if it can.

        `default_headers` and `default_query` are laid over the present ones. Closing it leaves this
        client open.

        Raises:
            TypeError: an argument that does not exist.
            ConfigurationError: as of a client.
        """
        given: dict[str, Any] = {**changes}
        http_client = given.pop("http_client", None)
        if http_client is not None:
            refuse_wrong_client(http_client, httpx.Client)
        configuration = self._configuration.changed(given)
        executor = None if http_client else self._shared_executor(configuration)
        # Without __init__, which would read the environment again and open connections.
        copy = type(self).__new__(type(self))
        made = executor or _make_executor(configuration, http_client)
        copy._set_up(configuration, made, owns_executor=executor is None)
        return copy

    @shows_parameters(CopyArguments)
    def copy(self, **changes: Unpack[CopyArguments]) -> Self:
        """`with_options`, under its other name in the openai package."""
        return self.with_options(**changes)

    def is_closed(self) -> bool:
        """True after `close`."""
        return self._is_closed

    def close(self) -> None:
        """Close the connections, unless they belong to an `http_client` or another client."""
        self._is_closed = True
        # A copy of `with_options` shares the connections and leaves them open.
        if self._owns_executor:
            self._executor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._configuration.describe()})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client holds a secret and connections and cannot be pickled")

    def _set_up(
        self, configuration: Configuration, executor: Executor, *, owns_executor: bool
    ) -> None:
        self._configuration = configuration
        self._operations = configuration.operations()
        self._executor = executor
        self._owns_executor = owns_executor
        self._is_closed = False
        self._responses = Responses(self._operations, executor, configuration.timeout)
        self._models = Models(self._operations, executor, configuration.timeout)
        # Made on use: most programs never ask for chat completions.
        # No cached_property: its lock in Python 3.11 would stay locked in a forked process.
        self._chat = None

    def _shared_executor(self, wanted: Configuration) -> Executor | None:
        """What makes the calls of a copy over this client's connections; None where it cannot."""
        own, executor = self._configuration, self._executor
        old, new = own.settings, wanted.settings
        if wanted.telemetry != own.telemetry or wanted.response_store is not own.response_store:
            return None
        if wanted.connection != own.connection:
            return None
        if old.endpoint.origin != new.endpoint.origin and not executor.is_callers:
            return None
        if (old.secret, old.scope) == (new.secret, new.scope):
            return executor
        return executor.with_credentials(Credentials(new))

    def _objects(self, kind: "Callable[[ObjectCalls, Timeout], T]") -> T:
        # Imported on use, as most programs have no stored objects.
        from azure_responses._sync.object_calls import ClientObjectCalls

        calls = ClientObjectCalls(self._operations, self._executor)
        return kind(calls, self._configuration.timeout)

    def _make_chat(self) -> "Chat":
        # Imported on use: most programs speak only one of the two APIs.
        from azure_responses._sync.chat import Chat, Completions
        from azure_responses._sync.native_chat import NativeCompletions

        configuration, executor = self._configuration, self._executor
        operations = configuration.operations("chat_completions")
        responses = Responses(operations, executor, configuration.timeout)
        drops = configuration.drop_params
        warn = configuration.warn
        native = NativeCompletions(operations, executor, drop_params=drops, warn=warn)
        return Chat(Completions(responses, native, **configuration.chat_options()))


def _make_executor(configuration: Configuration, http_client: httpx.Client | None) -> Executor:
    transport = None
    if http_client is None:
        origin = configuration.settings.endpoint.origin
        # Connections are opened on use: making a client sends nothing.
        transport = SyncTransport(configuration.connection, origin)
    return Executor(
        Credentials(configuration.settings),
        transport=transport,
        http_client=http_client,
        telemetry=Telemetry(configuration.telemetry),
        store=configuration.response_store,
    )


AzureOpenAI = AzureResponses
"""The name of it in programs that were written for the openai package."""
