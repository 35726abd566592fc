"""What performs the calls of `files`, `vector_stores` and the other resources of stored objects."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol, TypeVar

from azure_responses._async.concurrency import shield
from azure_responses._async.executor import AsyncExecutor
from azure_responses._async.watch import AsyncWatch
from azure_responses.errors import APIConnectionError
from azure_responses.form_content import async_form_content
from azure_responses.protocol.call import Call
from azure_responses.protocol.multipart import form_fields
from azure_responses.protocol.object_request import Form, ObjectRequest
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.reply_body import AsyncStreamedReply
from azure_responses.transport import Timeout
from azure_responses.types.result import Result

__all__ = [
    "AsyncClientDownload",
    "AsyncClientObjectCalls",
    "AsyncDownload",
    "AsyncObjectCalls",
    "open_download",
]

R = TypeVar("R", bound=Result)


class AsyncDownload(Protocol):
    """Bytes of the service, to be iterated once; closed at their end, or by `aclose`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the reply, in lower case."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The pieces as they arrive."""

    async def aclose(self) -> None:
        """Release the connection."""


class AsyncObjectCalls(Protocol):
    """Performs calls: a client at its resource, a router where the object is."""

    async def perform(
        self, request: ObjectRequest, model: type[R], options: Options, timeout: Timeout
    ) -> R:
        """The reply, read as `model`; raises what the service or the network ends with."""

    async def open(
        self, request: ObjectRequest, options: Options, timeout: Timeout
    ) -> AsyncDownload:
        """The bytes of a download."""


class AsyncClientObjectCalls:
    """Performs calls at the resource of one client.

    Args:
        operations: builds the calls.
        executor: sends them.
    """

    def __init__(self, operations: Operations, executor: AsyncExecutor) -> None:
        self._operations = operations
        self._executor = executor

    async def perform(
        self, request: ObjectRequest, model: type[R], options: Options, timeout: Timeout
    ) -> R:
        """The reply, read as `model`.

        Files are read while they are sent. The timeout of a form is the longest time without
        progress.

        Raises:
            ConfigurationError: a file of a type that cannot be sent.
            OSError: a file that cannot be read.
            AzureResponsesError: what the service or the network ended with, after retries. What
                can be read only once is not sent twice.
        """
        content = None
        if request.form is not None:
            content = await async_form_content(_extended(request.form, options.extra_body))
        call = self._operations.call_object(request, model, options, content)
        return await self._executor.perform(call, timeout)

    async def open(
        self, request: ObjectRequest, options: Options, timeout: Timeout
    ) -> AsyncDownload:
        """The bytes of a download; the timeout is the longest time without any.

        Raises:
            AzureResponsesError: what the service or the network ended with, after retries.
        """
        call = self._operations.call_object(request, Result, options)
        return await open_download(self._executor, call, timeout)


async def open_download(
    executor: AsyncExecutor, call: Call, timeout: Timeout
) -> "AsyncClientDownload":
    """The bytes of the reply to a call; raises what `AsyncClientObjectCalls.open` raises."""
    watch = executor.telemetry.watch(call)
    if watch is not None:
        await watch.start()
    try:
        reply = await executor.open_download(call, timeout, watch)
    except BaseException as error:
        if watch is not None:
            await watch.fail(error)
        raise
    return AsyncClientDownload(reply, watch)


def _extended(form: Form, extra: Mapping[str, Any] | None) -> Form:
    """The form with further fields; one of the same name is replaced."""
    if not extra:
        return form
    added = list(form_fields(extra))
    names = {name for name, _ in added}
    kept = [field for field in form.fields if field[0] not in names]
    return Form([*kept, *added], form.files)


class AsyncClientDownload:
    """The bytes of a download, as they arrive.

    Iterating raises an APIConnectionError where the connection breaks before the end, and an
    APITimeoutError where it is silent for too long.
    """

    # What telemetry asks of a stream.
    final_response = None
    partial_response = None

    def __init__(self, reply: AsyncStreamedReply, watch: AsyncWatch | None) -> None:
        self.headers: Mapping[str, str] = {k.lower(): v for k, v in reply.headers.items()}
        self.events_seen = 0
        self.expects_reason = False
        self._reply = reply
        self._watch = watch
        self._read = 0
        self._is_over = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._is_over:
            raise StopAsyncIteration
        try:
            piece = await self._reply.read()
            if piece is None:
                self._check_length()
        except APIConnectionError as error:
            error.message += f" {self._read} bytes of the download had arrived."
            await self._end(error)
            raise
        if piece is None:
            await self._end(None)
            raise StopAsyncIteration
        # Each piece begins the time anew, as an event does in a stream.
        self.events_seen += 1
        self._reply.note(self)
        self._read += len(piece)
        return piece

    async def aclose(self) -> None:
        """Release the connection; nothing when all was read."""
        self._is_over = True
        with shield():
            await self._reply.aclose()
        watch, self._watch = self._watch, None
        if watch is not None:
            await watch.end_stream(self)

    async def _end(self, error: APIConnectionError | None) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            await (watch.finish(None, self.headers) if error is None else watch.fail(error))
        await self.aclose()

    def _check_length(self) -> None:
        """Raise for less than was announced: not every HTTP library notices."""
        announced = self.headers.get("content-length", "")
        if "content-encoding" in self.headers or not announced.isdigit():
            return
        if self._read < int(announced):
            raise APIConnectionError(f"The download ended before all {announced} bytes had come.")
