"""What the resources of stored objects have in common: `files`, `vector_stores`, …."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

from azure_responses._async.downloads import AsyncStreamedContent, collect
from azure_responses._async.object_calls import AsyncDownload, AsyncObjectCalls
from azure_responses._async.pages import AsyncPages
from azure_responses._async.raw_results import AsyncRawMethods
from azure_responses._async.waiting import wait_for_end
from azure_responses.call_options import CallOptions, split_arguments
from azure_responses.downloaded_content import BinaryContent
from azure_responses.protocol.object_request import Form, ObjectRequest
from azure_responses.protocol.options import Options, query_of
from azure_responses.protocol.polling import Poll, Pollable
from azure_responses.transport import Timeout
from azure_responses.types.page import Page
from azure_responses.types.result import Result

__all__ = ["AsyncObjectResource"]

R = TypeVar("R", bound=Result)
P = TypeVar("P", bound=Pollable)


class AsyncObjectResource:
    """A group of operations on stored objects.

    Args:
        calls: performs them: at a client's resource, or where a router finds the object.
        timeout: of calls that give none.
    """

    def __init__(self, calls: AsyncObjectCalls, timeout: Timeout) -> None:
        self._calls = calls
        self._timeout = timeout

    @property
    def with_raw_response(self) -> AsyncRawMethods:
        """The same operations, answering with status, headers and body."""
        return AsyncRawMethods(self)

    async def _perform(
        self,
        operation: str,
        model: type[R],
        options: Mapping[str, Any],
        *ids: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        form: Form | None = None,
    ) -> R:
        """The reply of an operation, read as `model`; of `query` None values are left out."""
        given, timeout = self._split(options)
        request = ObjectRequest(operation, ids, query_of(query), body, form)
        return await self._calls.perform(request, model, given, timeout)

    def _list(
        self,
        operation: str,
        item: type[R],
        options: Mapping[str, Any],
        *ids: str,
        after: str | None = None,
        **query: Any,
    ) -> AsyncPages[R]:
        """The pages of a list; of `query` None values are left out."""
        given, timeout = self._split(options)
        page: type[Page[R]] = Page[item]  # type: ignore[valid-type]

        async def fetch(position: str | None) -> Page[R]:
            request = ObjectRequest(operation, ids, query_of({**query, "after": position}))
            return await self._calls.perform(request, page, given, timeout)

        return AsyncPages(fetch, after)

    def _page(
        self,
        operation: str,
        item: type[R],
        options: Mapping[str, Any],
        *ids: str,
        body: Mapping[str, Any] | None = None,
    ) -> AsyncPages[R]:
        """A list that is not cut into pages: a second one is never asked for."""
        given, timeout = self._split(options)
        page: type[Page[R]] = Page[item]  # type: ignore[valid-type]

        async def fetch(position: str | None) -> Page[R]:
            if position is not None:
                return page()
            request = ObjectRequest(operation, ids, body=body)
            return await self._calls.perform(request, page, given, timeout)

        return AsyncPages(fetch, None)

    async def _wait(
        self,
        retrieve: Callable[[CallOptions], Awaitable[P]],
        poll: Poll,
        options: CallOptions,
        on_progress: Callable[[P], object] | None,
    ) -> P:
        """An object once it has ended; `options` are those of each poll."""

        async def ask(limit: CallOptions) -> P:
            every: CallOptions = {**options, **limit}
            return await retrieve(every)

        _, timeout = self._split(options)
        return await wait_for_end(ask, poll, timeout, on_progress)

    async def _download(
        self, operation: str, options: Mapping[str, Any], *ids: str
    ) -> BinaryContent:
        """The whole of a download; a large one is kept on disk."""
        return await collect(await self._open(operation, options, *ids))

    @asynccontextmanager
    async def _stream(
        self, operation: str, options: Mapping[str, Any], *ids: str
    ) -> AsyncIterator[AsyncStreamedContent]:
        """A download as it arrives."""
        async with aclosing(await self._open(operation, options, *ids)) as download:
            yield AsyncStreamedContent(download)

    async def _open(self, operation: str, options: Mapping[str, Any], *ids: str) -> AsyncDownload:
        given, timeout = self._split(options)
        return await self._calls.open(ObjectRequest(operation, ids), given, timeout)

    def _split(self, options: Mapping[str, Any]) -> tuple[Options, Timeout]:
        """Raise TypeError for a name that is not an option of a call."""
        unknown, given, timeout = split_arguments(options, self._timeout)
        if unknown:
            raise TypeError(f"unexpected argument {next(iter(unknown))!r}")
        return given, timeout
