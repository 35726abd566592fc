"""The openai package's clients, and what is built on them, over a router in this process.

`transport` and `async_transport` make what `httpx.Client`, `httpx2.Client` and their async twins
take as `transport`. The OpenAI surface is then answered without a server and without a socket of
its own: `responses.*`, `chat.completions.*` and `models.*`, at OpenAI's paths and at Azure's.
`websocket` is what `responses.connect()` connects to.
"""

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn, Self

from azure_responses._async.client import AsyncAzureResponses
from azure_responses._sync.client import AzureResponses
from azure_responses.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    NotFoundError,
    StreamInterruptedError,
)
from azure_responses.openai_server import ApiReply, ApiRequest
from azure_responses.openai_server.error_body import error_reply
from azure_responses.router import Router

if TYPE_CHECKING:
    from azure_responses.websocket_endpoint import WebSocketEndpoint

__all__ = ["AsyncRouterTransport", "RouterTransport", "async_transport", "transport", "websocket"]

# openai 2.x speaks through the first, openai 3.x through the second.
_LIBRARIES = ("httpx", "httpx2")
# A caller in this process needs no key, and a key for OpenAI must not reach Azure.
_SECRET = frozenset({"authorization", "api-key", "cookie", "proxy-authorization"})
# Seconds: the longest and the shortest time limit that the OpenAI server accepts.
_A_DAY = 86_399.0
_AN_INSTANT = 0.001
# The client's own default.
_RETRIES = 2
_TIMEOUT = "x-litellm-timeout"
# The OpenAI server's code for a path that it does not have.
_UNKNOWN = "unknown_url"


def transport(router_or_client: Router | AzureResponses, *, owner: str | None = None) -> Any:
    """A transport for `httpx.Client` and `httpx2.Client`, as `openai.OpenAI` takes them.

    One object serves both libraries, so it is a subclass of neither; hence the return type.

    Args:
        router_or_client: makes the calls. It is not closed with the transport.
        owner: the ids in answers are valid for this owner only; None binds them to no owner.

    Raises:
        ConfigurationError: an async client was given.
    """
    return RouterTransport(_router_of(router_or_client, AzureResponses), owner=owner)


def async_transport(
    router_or_client: Router | AsyncAzureResponses, *, owner: str | None = None
) -> Any:
    """`transport` for `httpx.AsyncClient` and `httpx2.AsyncClient`."""
    return AsyncRouterTransport(_router_of(router_or_client, AsyncAzureResponses), owner=owner)


def websocket(
    router_or_client: Router | AzureResponses | AsyncAzureResponses, *, owner: str | None = None
) -> "WebSocketEndpoint":
    """What the openai package's `responses.connect()` connects to, by `with` or `async with`.

        with websocket(router) as endpoint:
            client = openai.OpenAI(api_key="unused", websocket_base_url=endpoint.url)

    It listens on the loopback, at a URL that holds a secret; needs `azure-responses[websocket]`.

    Args:
        router_or_client: makes the calls, as async ones, in a thread of the endpoint. It is not
            closed with it.
        owner: the ids in answers are valid for this owner only; None binds them to no owner.

    Raises:
        ConfigurationError: a client with an `http_client` that cannot be awaited was given.
    """
    from azure_responses.websocket_endpoint import WebSocketEndpoint

    return WebSocketEndpoint(
        _router_of(_awaited(router_or_client), AsyncAzureResponses), owner=owner
    )


def _awaited(given: Any) -> Any:
    """A blocking client as one that is awaited, with connections of its own."""
    if not isinstance(given, AzureResponses):
        return given
    if given._executor._http_client is not None:
        raise ConfigurationError(
            "The http_client of this client cannot make the calls of a WebSocket.",
            hint="Pass an AsyncAzureResponses, or a Router with an async_http_client.",
        )
    return AsyncAzureResponses._configured(given._configuration)


class _Transport:
    """What both transports are made of: the server of their kind, and the owner of ids."""

    def __init__(self, server: Any, owner: str | None) -> None:
        self._server = server
        self._owner = owner


class RouterTransport(_Transport):
    """Answers the requests of a blocking HTTP client from a router; see `transport`."""

    def __init__(self, router: Router, *, owner: str | None = None) -> None:
        # Imported on use: each transport needs the shells of its own kind only.
        from azure_responses.openai_server import OpenAIServer

        super().__init__(OpenAIServer(router), owner)

    def handle_request(self, request: Any) -> Any:
        """The response to a request, both of the library that calls.

        Raises:
            Exception: no answer came in time or at all; the openai package's own error where it
                is the caller, else the library's.
        """
        library = _library_of(request)
        reply = self._server.handle(_read(request, request.read(), self._owner))
        return _to_response(library, request, reply, is_async=False)

    def close(self) -> None:
        """Nothing: the router belongs to the code that made it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncRouterTransport(_Transport):
    """Answers the requests of an async HTTP client from a router; see `async_transport`."""

    def __init__(self, router: Router, *, owner: str | None = None) -> None:
        from azure_responses.openai_server import AsyncOpenAIServer

        super().__init__(AsyncOpenAIServer(router), owner)

    async def handle_async_request(self, request: Any) -> Any:
        """`RouterTransport.handle_request`, awaited."""
        library = _library_of(request)
        reply = await self._server.handle(_read(request, await request.aread(), self._owner))
        return _to_response(library, request, reply, is_async=True)

    async def aclose(self) -> None:
        """Nothing: the router belongs to the code that made it."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Events:
    """The body of a streamed answer, sync or async, for the caller's library."""

    def __init__(self, body: Any) -> None:
        self._body = body
        # A body has one of the two, and the library calls that of its side.
        self.close = getattr(body, "close", None)
        self.aclose = getattr(body, "aclose", None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)


@cache
def _stream_class(library: ModuleType, is_async: bool) -> Any:
    # Both libraries refuse a body that is not an instance of their own class.
    base = library.AsyncByteStream if is_async else library.SyncByteStream
    return type("RouterEvents", (_Events, base), {})


def _router_of(given: Any, kind: type[AzureResponses] | type[AsyncAzureResponses]) -> Router:
    if isinstance(given, Router):
        return given
    if isinstance(given, kind):
        # Behind a router a client makes single attempts: its retries become the router's.
        retries = given._configuration.defaults.get("max_retries", _RETRIES)
        return Router.of(given, num_retries=retries)
    hint = f"Pass a Router or an {kind.__name__}"
    if isinstance(given, AzureResponses | AsyncAzureResponses):
        hint += f", or use {'transport' if kind is AsyncAzureResponses else 'async_transport'}"
    raise ConfigurationError(
        f"A {type(given).__name__} cannot make the calls of this transport.", hint=f"{hint}."
    )


def _library_of(request: Any) -> ModuleType:
    """The library that made a request."""
    for kind in type(request).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in _LIBRARIES:
            return sys.modules[name]
    raise TypeError(f"{type(request).__name__} is not a request of httpx or httpx2")


def _read(request: Any, content: bytes, owner: str | None) -> ApiRequest:
    path, _, query = request.url.raw_path.decode("ascii").partition("?")
    headers = {
        name.lower(): value
        for name, value in request.headers.items()
        if name.lower() not in _SECRET
    }
    headers.setdefault(_TIMEOUT, repr(_patience(request.extensions)))
    return ApiRequest(request.method, path, query, headers, content, owner)


def _patience(extensions: Mapping[str, Any]) -> float:
    """The caller's read timeout in seconds, which here limits the whole call."""
    seconds = (extensions.get("timeout") or {}).get("read")
    return _A_DAY if seconds is None else min(max(float(seconds), _AN_INSTANT), _A_DAY)


def _to_response(library: ModuleType, request: Any, reply: ApiReply[Any], is_async: bool) -> Any:
    """The library's response for a reply; raises for one that no connection would have brought."""
    if not isinstance(reply.body, bytes):
        return _response(library, reply, _stream_class(library, is_async)(reply.body))
    error = reply.summary.error
    if reply.status >= 400 and isinstance(error, APIConnectionError | StreamInterruptedError):
        _fail(library, request, error)
    if isinstance(error, NotFoundError) and error.code == _UNKNOWN:
        reply = _not_served(reply, error)
    return _response(library, reply, library.ByteStream(reply.body))


def _not_served(reply: ApiReply[Any], error: NotFoundError) -> ApiReply[bytes]:
    """The answer to moderations, fine-tuning and others that a client of OpenAI's can ask for."""
    explained = NotFoundError(
        f"{error.message} This transport serves responses, chat completions, embeddings, images, "
        "audio, models, files and other stored objects; make other calls with a client without it.",
        status_code=error.status_code,
        code=error.code,
        type=error.type,
    )
    status, headers, body = error_reply(explained)
    return ApiReply(status, headers, body, reply.summary)


def _response(library: ModuleType, reply: ApiReply[Any], body: Any) -> Any:
    headers = list(reply.headers)
    if reply.status >= 400:
        # The router has retried already; the client's retries would multiply its attempts.
        headers.append((b"x-should-retry", b"false"))
    if not any(name == b"x-request-id" for name, _ in headers):
        headers.append((b"x-request-id", reply.summary.call_id.encode()))
    return library.Response(reply.status, headers=headers, stream=body)


def _fail(
    library: ModuleType, request: Any, error: APIConnectionError | StreamInterruptedError
) -> NoReturn:
    """Raise the error of a connection that brought no answer.

    The openai package repeats a call after any error of the library, but lets errors of its own
    pass: those do not multiply the router's attempts.
    """
    openai = sys.modules.get("openai") if "x-stainless-lang" in request.headers else None
    if isinstance(error, APITimeoutError):
        if openai is not None:
            raise openai.APITimeoutError(request=request) from error
        raise library.ReadTimeout(str(error), request=request) from error
    if openai is not None:
        raise openai.APIConnectionError(message=str(error), request=request) from error
    raise library.ConnectError(str(error), request=request) from error
