"""The openai package's clients, and what is built on them, over a router in this process.

`transport` and `async_transport` make what `httpx.Client`, `httpx2.Client` and their async twins
take as `transport`. The OpenAI surface is then answered without a server and without a socket of
its own: `responses.*`, `chat.completions.*` and `models.*`, at OpenAI's paths and at Azure's.
"""

import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from types import ModuleType, TracebackType
from typing import Any, NoReturn, Self

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
from azure_responses.openai_server.stream_body import AsyncStreamBody, StreamBody
from azure_responses.router import Router

__all__ = ["AsyncRouterTransport", "RouterTransport", "async_transport", "transport"]

# openai 2.x speaks through the first, openai 3.x through the second.
_LIBRARIES = ("httpx", "httpx2")
# What a caller proves who they are with. Here nobody has to, and Azure is not for them to log into.
_SECRET = frozenset({"authorization", "api-key", "cookie", "proxy-authorization"})
# As long as a call may last at all, and as short as it can be told to.
_A_DAY = 86_399.0
_AN_INSTANT = 0.001
# Of a client that was told nothing else.
_RETRIES = 2
_TIMEOUT = "x-litellm-timeout"
# The OpenAI server's word for a path that it does not have.
_UNKNOWN = "unknown_url"


def transport(router_or_client: Router | AzureResponses, *, owner: str | None = None) -> Any:
    """A transport for `httpx.Client` and `httpx2.Client`, as `openai.OpenAI` takes them.

    One object serves both libraries, and so is neither's subclass; hence the type.

    Args:
        router_or_client: makes the calls. It is not closed with the transport.
        owner: ids are given out to this owner, and taken from nobody else; None binds them to
            nobody.

    Raises:
        ConfigurationError: an async client was given.
    """
    return RouterTransport(_router_of(router_or_client, AzureResponses), owner=owner)


def async_transport(
    router_or_client: Router | AsyncAzureResponses, *, owner: str | None = None
) -> Any:
    """`transport` for `httpx.AsyncClient` and `httpx2.AsyncClient`."""
    return AsyncRouterTransport(_router_of(router_or_client, AsyncAzureResponses), owner=owner)


class RouterTransport:
    """Answers the requests of a blocking HTTP client from a router; see `transport`."""

    def __init__(self, router: Router, *, owner: str | None = None) -> None:
        # Each transport brings the shells of its own kind only.
        from azure_responses.openai_server import OpenAIServer

        self._server = OpenAIServer(router)
        self._owner = owner

    def handle_request(self, request: Any) -> Any:
        """The response to a request, both of the library that calls.

        Raises:
            Exception: nothing answered in time or at all; the openai package's own error where it
                is the caller, else the library's.
        """
        library = _library_of(request)
        content = request.read()
        reply = self._server.handle(_read(request, content, self._owner))
        if isinstance(reply.body, bytes):
            return _whole(library, request, reply)
        return _response(library, reply, _stream_class(library)(reply.body))

    def close(self) -> None:
        """Nothing: the router is its maker's to close."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncRouterTransport:
    """Answers the requests of an async HTTP client from a router; see `async_transport`."""

    def __init__(self, router: Router, *, owner: str | None = None) -> None:
        from azure_responses.openai_server import AsyncOpenAIServer

        self._server = AsyncOpenAIServer(router)
        self._owner = owner

    async def handle_async_request(self, request: Any) -> Any:
        """`RouterTransport.handle_request`, awaited."""
        library = _library_of(request)
        content = await request.aread()
        reply = await self._server.handle(_read(request, content, self._owner))
        if isinstance(reply.body, bytes):
            return _whole(library, request, reply)
        return _response(library, reply, _async_stream_class(library)(reply.body))

    async def aclose(self) -> None:
        """Nothing: the router is its maker's to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class _Events:
    """An answer's body, as one of the caller's library."""

    def __init__(self, body: StreamBody) -> None:
        self._body = body
        self.close = body.close

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)


class _AsyncEvents:
    """`_Events`, awaited."""

    def __init__(self, body: AsyncStreamBody) -> None:
        self._body = body
        self.aclose = body.aclose

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._body)


@cache
def _stream_class(library: ModuleType) -> Any:
    # Both libraries insist on a body of their own class.
    return type("RouterEvents", (_Events, library.SyncByteStream), {})


@cache
def _async_stream_class(library: ModuleType) -> Any:
    return type("AsyncRouterEvents", (_AsyncEvents, library.AsyncByteStream), {})


def _router_of(given: Any, kind: type[AzureResponses] | type[AsyncAzureResponses]) -> Router:
    if isinstance(given, Router):
        return given
    if isinstance(given, kind):
        # Behind a router a client makes single attempts: its retries become the router's.
        retries = given._configuration.defaults.get("max_retries", _RETRIES)
        return Router.of(given, num_retries=retries)
    wanted = "async_transport" if isinstance(given, AsyncAzureResponses) else "transport"
    raise ConfigurationError(
        f"A {type(given).__name__} cannot make the calls of this transport.",
        hint=f"Pass a Router or {_article(kind)}"
        + (
            f", or use {wanted}."
            if isinstance(given, AzureResponses | AsyncAzureResponses)
            else "."
        ),
    )


def _article(kind: type) -> str:
    return f"an {kind.__name__}"


def _library_of(request: Any) -> ModuleType:
    """The library whose request it is."""
    for kind in type(request).__mro__:
        name = kind.__module__.partition(".")[0]
        if name in _LIBRARIES:
            return sys.modules[name]
    raise TypeError(f"{type(request).__name__} is no request of httpx or httpx2")


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
    """Seconds the caller waits for the next byte, which a call in process may take in all."""
    seconds = (extensions.get("timeout") or {}).get("read")
    return _A_DAY if seconds is None else min(max(float(seconds), _AN_INSTANT), _A_DAY)


def _whole(library: ModuleType, request: Any, reply: ApiReply[Any]) -> Any:
    error = reply.summary.error
    if reply.status >= 400 and isinstance(error, APIConnectionError | StreamInterruptedError):
        _fail(library, request, error)
    if isinstance(error, NotFoundError) and error.code == _UNKNOWN:
        reply = _not_served(reply, error)
    return _response(library, reply, library.ByteStream(reply.body))


def _not_served(reply: ApiReply[Any], error: NotFoundError) -> ApiReply[bytes]:
    """The answer to embeddings, files and whatever else a client of OpenAI's can ask for."""
    told = NotFoundError(
        f"{error.message} This transport serves responses, chat completions and models; "
        "make other calls with a client that has none.",
        status_code=error.status_code,
        code=error.code,
        type=error.type,
    )
    status, headers, body = error_reply(told)
    return ApiReply(status, headers, body, reply.summary)


def _response(library: ModuleType, reply: ApiReply[Any], body: Any) -> Any:
    headers = list(reply.headers)
    if reply.status >= 400:
        # The router has tried again already, as often as it should.
        headers.append((b"x-should-retry", b"false"))
    if not any(name == b"x-request-id" for name, _ in headers):
        headers.append((b"x-request-id", reply.summary.call_id.encode()))
    return library.Response(reply.status, headers=headers, stream=body)


def _fail(
    library: ModuleType, request: Any, error: APIConnectionError | StreamInterruptedError
) -> NoReturn:
    """Raise what a connection that brought no answer would have ended in.

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
