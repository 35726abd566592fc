"""The chunks of a streamed chat completion that the Responses API serves, awaited."""

from collections import deque
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self

from azure_responses._async.closing import AsyncClosing
from azure_responses._async.stream import AsyncStream
from azure_responses.bridge import ChatStream
from azure_responses.errors import AzureResponsesError, StreamInterruptedError
from azure_responses.http_exchange import Headers, HttpResponse
from azure_responses.protocol.sse import FAILING
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk
from azure_responses.types.response import Response
from azure_responses.types.result import Route

__all__ = ["AsyncChatCompletionStream"]


class AsyncChatCompletionStream(AsyncClosing):
    """The chunks of one chat completion, in order.

    Iterate it. Breaking out of a `for` loop closes the connection, unless the stream was entered
    as a context manager (`async with`). A completion that fails after its first chunk raises the
    error of its code, one that breaks off StreamInterruptedError; `partial` is the completion so
    far.
    """

    def __init__(self, events: AsyncStream[Response], state: ChatStream) -> None:
        self._events = events
        self._state = state
        self._ready: deque[ChatCompletionChunk] = deque()
        self._is_entered = False
        self._is_done = False

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the latest connection's reply."""
        return self._events.headers

    @property
    def response(self) -> HttpResponse:
        """The reply with the attributes of an `httpx.Response`; the body is in the chunks."""
        return HttpResponse(200, Headers(self.headers))

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of the latest connection."""
        return self._events.request_id

    @property
    def route(self) -> Route | None:
        """How a router got it answered; None without one."""
        return getattr(self._events, "route", None)

    def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        return self if self._is_entered else self._closing()

    async def __anext__(self) -> ChatCompletionChunk:
        while not self._ready:
            if not await self._fill():
                raise StopAsyncIteration
        return self._ready.popleft()

    async def get_final_completion(self) -> ChatCompletion:
        """The whole completion; reads what is left of the stream first."""
        while await self._fill():
            self._ready.clear()
        if self._state.final is None:
            raise StreamInterruptedError(
                "The stream was closed before the completion was complete.",
                partial=self._state.so_far(),
            )
        if self._events.final_response is not None:
            self._state.final.take_headers(self._events.final_response)
        return self._state.final

    async def aclose(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._is_done = True
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _closing(self) -> AsyncIterator[ChatCompletionChunk]:
        try:
            while self._ready or await self._fill():
                if self._ready:
                    yield self._ready.popleft()
        finally:
            await self.aclose()

    async def _fill(self) -> bool:
        """Take one event; False when there are no more."""
        if self._is_done:
            return False
        try:
            event = await anext(self._events, None)
        except AzureResponsesError as error:
            await self.aclose()
            raise self._state.failure(error) from error.__cause__
        if event is None:
            self._ready.extend(self._state.finish())
            self._is_done = True
        # The stream itself raises what a failing event reports, with the headers of the reply.
        elif str(event.type) not in FAILING:
            self._ready.extend(self._state.feed(event))
        return bool(self._ready) or not self._is_done
