# Written by scripts/unasync: change the file of this name in ../_async instead.
"""The events of a streamed chat completion, blocking: text so far, what was parsed, calls."""

from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from azure_responses._sync.chat_stream import ChatCompletionStream
from azure_responses._sync.closing import Closing
from azure_responses.bridge.chat_parsing import ChatEvents, ChatParser
from azure_responses.types.parsed_chat import ChatCompletionStreamEvent, ParsedChatCompletion

__all__ = ["ChatEventStream"]

T = TypeVar("T")


class ChatEventStream(Closing, Generic[T]):
    """The events of one chat completion; use it as a context manager (`with`).

    Args:
        connect: opens the stream of chunks.
        parser: reads what has ended.
        ends_early: an answer that was cut short or filtered is an error as soon as it is known.
    """

    def __init__(
        self,
        connect: "Callable[[], ChatCompletionStream]",
        parser: ChatParser[T],
        *,
        ends_early: bool,
    ) -> None:
        self._connect = connect
        self._parser = parser
        self._events = ChatEvents(parser, ends_early=ends_early)
        self._ready: deque[ChatCompletionStreamEvent[T]] = deque()
        self._chunks: ChatCompletionStream | None = None

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

    def __iter__(self) -> "Iterator[ChatCompletionStreamEvent[T]]":
        return self

    def __next__(self) -> "ChatCompletionStreamEvent[T]":
        while not self._ready:
            chunk = next(self._open(), None)
            if chunk is None:
                raise StopIteration
            self._ready.extend(self._events.take(chunk))
        return self._ready.popleft()

    def until_done(self) -> Self:
        """Read the stream to its end."""
        for _ in self:
            pass
        return self

    def get_final_completion(self) -> ParsedChatCompletion[T]:
        """The whole completion, parsed; reads what is left of the stream first.

        Raises:
            LengthFinishReasonError: it was cut short.
            ContentFilterFinishReasonError: the content filter stopped it.
            pydantic.ValidationError: the text or the arguments do not fit their type.
        """
        self.until_done()
        chunks = self._open()
        return self._parser.read(chunks.get_final_completion())

    def close(self) -> None:
        """Give up the rest of the stream and release its connection."""
        if self._chunks is not None:
            self._chunks.close()

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self) -> ChatCompletionStream:
        if self._chunks is None:
            self._chunks = self._connect()
            # The end of the block closes it, not the end of a loop.
            self._chunks.__enter__()
        return self._chunks
