"""Results with the status, the headers and the body of their reply, awaited.

`with_raw_response` and `with_streaming_response` of every resource but `responses`, whose raw
results have the bytes of the service. Here the body is what the typed result says.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any

from azure_responses._async.concurrency import resolve
from azure_responses._async.downloads import AsyncStreamedContent
from azure_responses.protocol.http_message import RawResponse, Reply

__all__ = ["AsyncRawClient", "AsyncRawMethods", "AsyncStreamedResult", "AsyncStreamingMethods"]


class AsyncRawMethods:
    """The methods of a resource, each of which answers with a `RawResponse`."""

    def __init__(self, resource: Any) -> None:
        self._resource = resource

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = _method(self._resource, name)

        async def call(*arguments: Any, **more: Any) -> RawResponse[Any]:
            return await _raw(await resolve(method(*arguments, **more)))

        return call


class AsyncStreamingMethods:
    """The methods of a resource, each of which is entered for the bytes of its reply.

    Args:
        raw: the methods with raw results.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def __getattr__(
        self, name: str
    ) -> "Callable[..., AbstractAsyncContextManager[AsyncStreamedResult]]":
        method = _method(self._raw, name)

        @asynccontextmanager
        async def opened(*arguments: Any, **more: Any) -> "AsyncIterator[AsyncStreamedResult]":
            raw = await resolve(method(*arguments, **more))
            async with aclosing(_ReadPieces(raw)) as pieces:
                yield AsyncStreamedResult(raw, pieces)

        return opened


class AsyncRawClient:
    """The resources of a client, whose methods have raw or streamed results.

    Args:
        parent: a client, or a group of resources such as `chat`.
        name: "with_raw_response" or "with_streaming_response".
    """

    def __init__(self, parent: Any, name: str) -> None:
        self._parent = parent
        self._name = name

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._parent, name)
        return getattr(found, self._name, None) or AsyncRawClient(found, self._name)


class AsyncStreamedResult(AsyncStreamedContent):
    """A reply to be read once: as bytes, as lines, or parsed.

    The lines of a stream are its events as the service would send them.
    """

    def __init__(self, raw: RawResponse[Any], pieces: "_ReadPieces") -> None:
        super().__init__(pieces)
        self.status_code = raw.status_code
        self._raw = raw

    async def parse(self) -> Any:
        """The typed result, or the stream of typed events."""
        return self._raw.parse()


class _ReadPieces:
    """The body of a raw result, in pieces: whole, or an event each."""

    def __init__(self, raw: RawResponse[Any]) -> None:
        self.headers = raw.headers
        self._raw = raw

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not self._raw.is_stream:
            yield self._raw.content
            return
        is_chat = True
        async for event in self._raw.parse():
            kind = getattr(event, "type", None)
            is_chat = kind is None
            name = "" if is_chat else f"event: {kind}\n"
            yield f"{name}data: {event.to_json()}\n\n".encode()
        if is_chat:
            yield b"data: [DONE]\n\n"

    async def aclose(self) -> None:
        """Close the stream, if it is one."""
        if self._raw.is_stream:
            await self._raw.parse().aclose()


def _method(resource: Any, name: str) -> Callable[..., Any]:
    method: Callable[..., Any] = getattr(resource, name)
    if name.startswith("_") or not callable(method):
        raise AttributeError(f"{name!r} is no operation of {type(resource).__name__}")
    return method


async def _raw(result: Any) -> RawResponse[Any]:
    """A result as a raw one."""
    if hasattr(result, "text_deltas") or hasattr(result, "get_final_completion"):
        return RawResponse(Reply(200, result.headers), lambda _: result, is_stream=True)
    # The first page of a list has the headers.
    page = await resolve(result.first()) if hasattr(result, "iter_pages") else result
    content = page.content if hasattr(page, "content") else page.to_json().encode()
    return RawResponse(Reply(200, page.headers, content), lambda _: result)
