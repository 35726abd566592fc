"""`Router.aresponses` and its kin: the async calls of a router under their LiteLLM-like names.

Each is a delegate of the method of `AsyncRouter` without the `a`.
"""

from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, TypeVar, Unpack, overload

from azure_responses._async.chat_stream import AsyncChatCompletionStream
from azure_responses._async.pages import AsyncInputItemPages
from azure_responses.parameter_help import shows_parameters
from azure_responses.router._async.operations import AsyncRouterOperations
from azure_responses.router._async.router_connection import AsyncRouterConnection
from azure_responses.router._async.scoped_objects import AsyncScopedObjects
from azure_responses.router._async.typed_attempt import AsyncRoutedStream
from azure_responses.router.arguments import (
    RoutedOptions,
    RouterArguments,
    RouterChatArguments,
    RouterCompactArguments,
    RouterToolArguments,
)
from azure_responses.routing.purge_ledger import PurgeReceipt
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    ParsedResponse,
    Response,
)

__all__ = ["AwaitedCalls"]

T = TypeVar("T")


class AwaitedCalls:
    """The async calls of a `Router`, each as `AsyncRouter` documents it."""

    _awaited: AsyncRouterOperations

    @overload
    async def aresponses(
        self, *, stream: Literal[False] = False, **arguments: Unpack[RouterArguments]
    ) -> Response: ...
    @overload
    async def aresponses(
        self, *, stream: Literal[True], **arguments: Unpack[RouterArguments]
    ) -> AsyncRoutedStream[Response]: ...
    @overload
    async def aresponses(
        self, *, stream: bool, **arguments: Unpack[RouterArguments]
    ) -> Response | AsyncRoutedStream[Response]: ...
    @shows_parameters(RouterArguments)
    async def aresponses(
        self, *, stream: bool = False, **arguments: Unpack[RouterArguments]
    ) -> Response | AsyncRoutedStream[Response]:
        """`responses`, awaited."""
        return await self._awaited.responses(stream=stream, **arguments)

    @shows_parameters(RoutedOptions)
    def aconnect(
        self, model: str | None = None, **options: Unpack[RoutedOptions]
    ) -> AsyncRouterConnection:
        """`connect`, whose turns are awaited."""
        return self._awaited.connect(model, **options)

    @overload
    def astream(
        self, *, text_format: None = None, **arguments: Unpack[RouterArguments]
    ) -> AbstractAsyncContextManager[AsyncRoutedStream[Response]]: ...
    @overload
    def astream(
        self, *, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> AbstractAsyncContextManager[AsyncRoutedStream[ParsedResponse[T]]]: ...
    @shows_parameters(RouterArguments)
    def astream(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[RouterArguments]
    ) -> AbstractAsyncContextManager[AsyncRoutedStream[Any]]:
        """`stream`, for an `async with` block."""
        opened: AbstractAsyncContextManager[AsyncRoutedStream[Any]]
        opened = self._awaited.stream(text_format=text_format, **arguments)
        return opened

    def ascoped(
        self,
        *,
        model: str | None = None,
        owner: str | None = None,
        end_user: str | None = None,
        replicate: bool | None = None,
    ) -> AsyncScopedObjects:
        """`scoped`, whose `files`, `vector_stores`, … are awaited."""
        return self._awaited.scoped(
            model=model, owner=owner, end_user=end_user, replicate=replicate
        )

    @shows_parameters(RouterArguments)
    async def aparse(
        self, *, text_format: type[T], **arguments: Unpack[RouterArguments]
    ) -> ParsedResponse[T]:
        """`parse`, awaited."""
        return await self._awaited.parse(text_format=text_format, **arguments)

    @overload
    async def arun_tools(
        self, *, text_format: None = None, **arguments: Unpack[RouterToolArguments]
    ) -> Response: ...
    @overload
    async def arun_tools(
        self, *, text_format: type[T], **arguments: Unpack[RouterToolArguments]
    ) -> ParsedResponse[T]: ...
    @shows_parameters(RouterToolArguments)
    async def arun_tools(
        self, *, text_format: type[Any] | None = None, **arguments: Unpack[RouterToolArguments]
    ) -> Response:
        """`run_tools`, awaited; its functions may be async."""
        result: Response = await self._awaited.run_tools(text_format=text_format, **arguments)
        return result

    @shows_parameters(RouterCompactArguments)
    async def acompact(self, **arguments: Unpack[RouterCompactArguments]) -> CompactedResponse:
        """`compact`, awaited."""
        return await self._awaited.compact(**arguments)

    @overload
    async def acompletion(
        self,
        /,
        *,
        stream: Literal[False] | None = False,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion: ...
    @overload
    async def acompletion(
        self,
        /,
        *,
        stream: Literal[True],
        **arguments: Unpack[RouterChatArguments],
    ) -> AsyncChatCompletionStream: ...
    @overload
    async def acompletion(
        self,
        /,
        *,
        stream: bool | None,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion | AsyncChatCompletionStream: ...
    @shows_parameters(RouterChatArguments)
    async def acompletion(
        self,
        /,
        *,
        stream: bool | None = False,
        **arguments: Unpack[RouterChatArguments],
    ) -> ChatCompletion | AsyncChatCompletionStream:
        """`completion`, awaited."""
        result: ChatCompletion | AsyncChatCompletionStream
        result = await self._awaited.completion(stream=stream, **arguments)
        return result

    @overload
    async def aretrieve(
        self,
        response_id: str,
        *,
        stream: Literal[False] = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> Response: ...
    @overload
    async def aretrieve(
        self,
        response_id: str,
        *,
        stream: Literal[True],
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> AsyncRoutedStream[Response]: ...
    @shows_parameters(RoutedOptions)
    async def aretrieve(
        self,
        response_id: str,
        *,
        stream: bool = False,
        starting_after: int | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> Response | AsyncRoutedStream[Response]:
        """`retrieve`, awaited."""
        found: Response | AsyncRoutedStream[Response]
        found = await self._awaited.retrieve(  # type: ignore[call-overload]
            response_id,
            stream=stream,
            starting_after=starting_after,
            include=include,
            **options,
        )
        return found

    async def await_(
        self,
        response_id: str,
        *,
        poll_interval: float | None = None,
        timeout: float | None = None,
        owner: str | None = None,
    ) -> Response:
        """`wait`, awaited; `await` alone is a word of Python."""
        return await self._awaited.wait(
            response_id, poll_interval=poll_interval, timeout=timeout, owner=owner
        )

    @shows_parameters(RoutedOptions)
    async def acancel(self, response_id: str, **options: Unpack[RoutedOptions]) -> Response:
        """`cancel`, awaited."""
        return await self._awaited.cancel(response_id, **options)

    @shows_parameters(RoutedOptions)
    async def adelete(self, response_id: str, **options: Unpack[RoutedOptions]) -> DeletedResponse:
        """`delete`, awaited."""
        return await self._awaited.delete(response_id, **options)

    @shows_parameters(RoutedOptions)
    def ainput_items(
        self,
        response_id: str,
        *,
        limit: int | None = None,
        order: Literal["asc", "desc"] | None = None,
        after: str | None = None,
        before: str | None = None,
        include: list[str] | None = None,
        **options: Unpack[RoutedOptions],
    ) -> AsyncInputItemPages:
        """`input_items`: iterate with `async for`, or await it for the first page."""
        return self._awaited.input_items(
            response_id,
            limit=limit,
            order=order,
            after=after,
            before=before,
            include=include,
            **options,
        )

    async def apurge(
        self,
        *,
        end_user: str,
        owner: str | None = None,
        timeout: float | None = 30.0,
        dry_run: bool = False,
    ) -> PurgeReceipt:
        """`purge`, awaited; several deletions are under way at once."""
        return await self._awaited.purge(
            end_user=end_user, owner=owner, timeout=timeout, dry_run=dry_run
        )
