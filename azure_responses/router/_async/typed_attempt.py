"""The edge at which attempts become typed: results and events.

An attempt sends and returns JSON. `typed_answer` decodes a whole reply, `AsyncRoutedStream` the
events of a stream. What cannot be decoded is a failure of the attempt, which another one may
follow; a request that cannot be made at all ends the call (`NotSent`).
"""

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from azure_responses._async.stream import AsyncTypedStream
from azure_responses.errors import (
    APITimeoutError,
    AzureResponsesError,
    ConfigurationError,
    CredentialError,
    ResponseFailedError,
)
from azure_responses.protocol.stream import ResponseStream
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.router._async.attempt import AsyncAttempt
from azure_responses.router._async.byte_stream import AsyncByteStream
from azure_responses.router.attempts import (
    AbandonedStreams,
    Answer,
    NotSent,
    Routed,
    response_of,
)
from azure_responses.types.response import Response
from azure_responses.types.result import Result, Route

__all__ = [
    "AsyncRoutedStream",
    "typed_answer",
    "typed_stream",
]

R = TypeVar("R", bound=Response)


async def typed_answer(
    attempt: AsyncAttempt, model: type[Result], output: StructuredOutput[Any] | None = None
) -> Answer[Any]:
    """The answer of an attempt, as `model`.

    Args:
        attempt: not sent yet.
        model: of the result.
        output: reads the answer as the type that the caller asked for. Where it does not fit, the
            deployment has answered all the same: the result is then the ValidationError.
    """
    try:
        reply = await attempt.send()
        result: Any = reply.decode(model)
    except CredentialError:
        # A ConfigurationError too, but only this deployment's: another may have a credential that
        # works.
        raise
    except ConfigurationError as error:
        raise NotSent(error) from error
    except ResponseFailedError as error:
        if attempt.reply is not None:
            error.response = attempt.reply.decode(Response)
        raise
    if output is not None:
        try:
            result.attach_parsed(output.read(result))
        except ValidationError as error:
            # It raises an error that is not about the answer itself.
            response_of(error)
            result = error
    return Answer(result, reply.outcome, reply.entry)


async def typed_stream(
    attempt: AsyncAttempt, output: StructuredOutput[Any] | None = None
) -> "Answer[AsyncRoutedStream[Any]]":
    """The stream of an attempt, once its output has begun."""
    try:
        return await AsyncRoutedStream[Any](attempt, output).begin()
    except CredentialError:
        raise
    except ConfigurationError as error:
        raise NotSent(error) from error


class AsyncRoutedStream(AsyncTypedStream[R]):
    """The typed events of one response, in order, from the deployment that answered.

    Used as a client's `AsyncStream` is. When a caller gets it, output has begun (of a background
    response: its id is known), and no other deployment takes over any more.
    """

    def __init__(self, attempt: AsyncAttempt, output: StructuredOutput[Any] | None = None) -> None:
        super().__init__()
        self.route: Route | None = None
        self._attempt = attempt
        self._stream = AsyncByteStream(attempt)
        self._output = output
        self._is_done = False

    @property
    def final_response(self) -> Response | None:
        """The finished response as its terminal event carried it; None before that."""
        final = self._state.final_response
        if final is not None:
            final.attach_route(self.route)
        return final

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the latest connection's reply."""
        return self._stream.headers

    async def begin(self) -> Answer[Self]:
        """Read on until output begins; called once, before any other reader.

        The answer has the outcome of a stream that has arrived whole.

        Raises:
            AzureResponsesError: it failed before; the connection is closed.
        """
        try:
            outcome = await self._stream.open()
        except AzureResponsesError as error:
            # The request could not be written, and nothing arrived that would explain it.
            if not hasattr(self._stream, "frames"):
                raise
            self._read_frames()
            explained = self._explained(error)
            raise explained from explained.__cause__
        self._read_frames()
        # What was kept back until output began, so that the id is known at once.
        self._take(await self._stream.read())
        return Answer(self, outcome, self._stream.entry if outcome is not None else None)

    def settle_with(self, routed: Routed[Any], abandoned_streams: AbandonedStreams) -> None:
        """The stream is the answer of a call, whose reservation is settled when it ends."""
        self.route = routed.route
        self._stream.settle_with(routed.open_attempt, abandoned_streams, self)

    async def get_final_response(self) -> R:
        """The finished response; reads what is left of the stream first.

        Raises:
            StreamInterruptedError: the stream was closed before its end.
        """
        try:
            result = await super().get_final_response()
        except ValidationError as error:
            response_of(error).attach_route(self.route)
            raise
        result.attach_route(self.route)
        return result

    async def aclose(self) -> None:
        """Give up the rest of the stream and release its connection."""
        self._is_done = True
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return self

    async def _fill(self) -> bool:
        """Read once; False when there is nothing left to do."""
        if self._is_done:
            return False
        try:
            chunk = await self._stream.read()
        except AzureResponsesError as error:
            self._is_done = True
            explained = self._explained(error)
            raise explained from explained.__cause__
        except BaseException:
            self._is_done = True
            raise
        if chunk:
            self._take(chunk)
            return True
        self._is_done = True
        # What the whole stream brought may not be readable.
        self._state.check()
        return False

    def _read_frames(self) -> None:
        """Begin to read: what is asked, and so how its events are read, is known now."""
        stream, request = self._stream, self._attempt.request
        self._state = ResponseStream(
            self._attempt.sent,
            resumes=request.is_background,
            starting_after=request.starting_after,
            response_id=request.given_id,
            output=self._output,
        )
        self._state.headers = stream.headers
        stream.progress = self._state

    def _take(self, chunk: bytes) -> None:
        # Each connection has its own: the request id is that of the latest.
        self._state.headers = self._stream.headers
        events = self._state.receive(chunk)
        self._ready.extend(events)
        if self._stream.watch is not None:
            self._stream.watch.receive(events)

    def _explained(self, error: AzureResponsesError) -> AzureResponsesError:
        """The error of a stream that has ended with one, with what had arrived until then."""
        state, frames = self._state, self._stream.frames
        has_begun = frames.is_handed_out
        self._take(frames.release())
        if not self._stream.is_interrupted:
            if has_begun and frames.failures:
                error.partial = state.partial_response
            if isinstance(error, ResponseFailedError):
                error.response = state.failed_response
            return error
        is_late = isinstance(error, APITimeoutError)
        if not has_begun and is_late and not self._attempt.request.is_background:
            # Nothing of it has been handed out, so that nothing was interrupted.
            late = APITimeoutError("The service did not begin to answer in time.")
            late.__cause__ = error
            return late
        interrupted = state.interrupted(error)
        interrupted.__cause__ = error
        return interrupted
