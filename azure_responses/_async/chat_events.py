"""The events of a streamed chat completion, awaited: text so far, what was parsed, calls."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from azure_responses._async.chat_stream import AsyncChatCompletionStream
from azure_responses._async.closing import AsyncClosing
from azure_responses.bridge.chat_parsing import ChatEvents, ChatParser
from azure_responses.types.parsed_chat import ChatCompletionStreamEvent, ParsedChatCompletion

__all__ = ["AsyncChatEventStream"]

T = TypeVar("T")


class AsyncChatEventStream(AsyncClosing, Generic[T]):
    """The events of one chat completion; use it as a context manager (`async with`).

    Args:
        connect: opens the stream of chunks.
        parser: reads what has ended.
        ends_early: an answer that was cut short or filtered is an error as soon as it is known.
    """

    def __init__(
        self,
        connect: "Callable[[], Awaitable[AsyncChatCompletionStream]]",
        parser: ChatParser[T],
        *,
        ends_early: bool,
    ) -> None:
        self._connect = connect
        self._parser = parser
        self._events = ChatEvents(parser, ends_early=ends_early)
        self._ready: deque[ChatCompletionStreamEvent[T]] = deque()
        self._chunks: AsyncChatCompletionStream | None = None

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`; None before the stream was opened."""
        return self._chunks.request_id if self._chunks else None

    @property
    def current_completion_snapshot(self) -> ParsedChatCompletion[T]:
        """The completion so far.

        Raises:
            AssertionError: no chunk has arrived.
        """
        assert self._events.snapshot is not None
        return self._events.snapshot

    def __aiter__(self) -> "AsyncIterator[ChatCompletionStreamEvent[T]]":
        return self

    async def __anext__(self) -> "ChatCompletionStreamEvent[T]":
        while not self._ready:
            chunk = await anext(await self._open(), None)
            if chunk is None:
                raise StopAsyncIteration
            self._ready.extend(self._events.take(chunk))
        return self._ready.popleft()

    async def until_done(self) -> Self:
        """Read the stream to its end."""
        async for _ in self:
            pass
        return self

    async def get_final_completion(self) -> ParsedChatCompletion[T]:
        """The whole completion, parsed; reads what is left of the stream first.

        Raises:
            LengthFinishReasonError: it was cut short.
            ContentFilterFinishReasonError: the content filter stopped it.
            pydantic.ValidationError: the text or the arguments do not fit their type.
        """
        await self.until_done()
        chunks = await self._open()
        return self._parser.read(await chunks.get_final_completion())

    async def aclose(self) -> None:
        """Give up the rest of the stream and release its connection."""
        if self._chunks is not None:
            await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _open(self) -> AsyncChatCompletionStream:
        if self._chunks is None:
            self._chunks = await self._connect()
            # The end of the block closes it, not the end of a loop.
            await self._chunks.__aenter__()
        return self._chunks
