"""One streamed chat completion of a deployment that speaks chat completions: bytes → chunks."""

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from azure_responses.bridge.chat_over_responses.chunks import ChunkAccumulator
from azure_responses.errors import APIConnectionError, AzureResponsesError, StreamInterruptedError
from azure_responses.protocol.call import Call, TypedCall
from azure_responses.protocol.error_body import failure_from_event
from azure_responses.protocol.reply_terms import as_response
from azure_responses.protocol.sse import SSEDecoder
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.chat_chunk import ChatCompletionChunk
from azure_responses.types.mending import mend
from azure_responses.types.response import Response

__all__ = ["ChatCall", "ChatChunks"]


class ChatCall(TypedCall[ChatCompletion]):
    """A chat completion on a deployment that does not speak Responses."""

    def watched(self, result: ChatCompletion) -> Response:
        """In the terms of a response, which callbacks, traces and prices know."""
        return _facts(self, result, result.headers)


def _facts(call: Call, completion: ChatCompletion, headers: Mapping[str, str]) -> Response:
    response = Response.model_validate(as_response("chat", completion.to_dict()))
    response.attach(headers, call.pricer)
    return response


class ChatChunks:
    """The state of one stream of chunks.

    Args:
        call: the call that opened it.

    Attributes:
        headers: of the reply.
        events_seen: how many events have arrived.
        expects_reason: never; of streams of responses a reason may follow a failure.
        is_over: nothing more is worth reading.
        failure: what the stream reported, or that it broke off.
        has_output: a chunk has been handed out.
    """

    expects_reason = False

    def __init__(self, call: Call) -> None:
        self.headers: Mapping[str, str] = {}
        self.events_seen = 0
        self._call = call
        self.begin_again()

    def begin_again(self) -> None:
        """Another connection was opened, before any chunk was handed out."""
        self.is_over = False
        self.failure: AzureResponsesError | None = None
        self.has_output = False
        self._decoder = SSEDecoder()
        self._is_finished = False
        # By the index of the choice: there are several where `n` asked for them.
        self._choices: dict[int, ChunkAccumulator] = {0: ChunkAccumulator()}

    @property
    def final(self) -> ChatCompletion | None:
        """The whole completion, once the stream has ended in order."""
        if not (self.is_over and self._is_finished) or self.failure is not None:
            return None
        return self.so_far()

    def whole(self) -> ChatCompletion:
        """The whole completion.

        Raises:
            StreamInterruptedError: the stream was closed before its end.
        """
        final = self.final
        if final is None:
            raise StreamInterruptedError(
                "The stream was closed before the completion was complete.",
                partial=self.so_far(),
            )
        return final

    @property
    def final_response(self) -> Response | None:
        """The completion in the terms of a response, for those who watch calls."""
        final = self.final
        return None if final is None else _facts(self._call, final, self.headers)

    @property
    def partial_response(self) -> Response | None:
        """What has arrived, in the same terms."""
        partial = self.so_far()
        return None if partial is None else _facts(self._call, partial, self.headers)

    def so_far(self) -> ChatCompletion | None:
        """The completion as far as it has arrived."""
        if not self.has_output:
            return None
        made = self._choices[0].build()
        others = [self._choices[index] for index in sorted(self._choices) if index != 0]
        made.choices += [choice for other in others for choice in other.build().choices]
        made.attach(self.headers, self._call.pricer)
        return made

    def receive(self, chunk: bytes, now: float) -> list[ChatCompletionChunk]:
        """The chunks that bytes complete; `now` is unix seconds."""
        return self._take(self._decoder.feed(chunk), now)

    def end(self, now: float) -> list[ChatCompletionChunk]:
        """What is due when the bytes have ended."""
        chunks = self._take(self._decoder.flush(), now)
        self.break_off(APIConnectionError("The stream ended before its last chunk."))
        return chunks

    def break_off(self, cause: AzureResponsesError) -> None:
        """The connection has ended, for a reason that counts unless all chunks had come."""
        # Some gateways send no [DONE].
        if not self.is_over and not self._is_finished:
            self.failure = StreamInterruptedError(
                f"The stream broke off before the completion was complete: {cause.message}",
                partial=self.so_far(),
            )
            self.failure.__cause__ = cause
        self.is_over = True

    def _take(self, messages: Any, now: float) -> list[ChatCompletionChunk]:
        chunks = []
        for _name, data in messages:
            if self.is_over:
                break
            chunk = self._read(data, now)
            if chunk is not None:
                self.events_seen += 1
                self._note(chunk)
                chunks.append(chunk)
        return chunks

    def _note(self, chunk: ChatCompletionChunk) -> None:
        self.has_output = True
        if len(chunk.choices) < 2 and not (chunk.choices and chunk.choices[0].index):
            self._choices[0].add(chunk)
        else:
            self._add_each(chunk)
        if any(choice.finish_reason for choice in chunk.choices):
            self._is_finished = True

    def _add_each(self, chunk: ChatCompletionChunk) -> None:
        for choice in chunk.choices:
            accumulator = self._choices.setdefault(choice.index, ChunkAccumulator())
            accumulator.add(chunk.model_copy(update={"choices": [choice]}))
        if all(choice.index for choice in chunk.choices):
            # What stands around the choices counts once.
            self._choices[0].add(chunk.model_copy(update={"choices": []}))

    def _read(self, data: bytes, now: float) -> ChatCompletionChunk | None:
        try:
            return ChatCompletionChunk.model_validate_json(data)
        except ValidationError:
            pass
        if data.strip() == b"[DONE]":
            self._end_in_order()
            return None
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            # Empty data and "ping" keep a connection alive.
            return None
        if isinstance(value, dict) and value.get("error"):
            self.is_over = True
            self.failure = failure_from_event(value, self.headers, self._call.context, now)
            return None
        return mend(ChatCompletionChunk, value)

    def _end_in_order(self) -> None:
        if self._is_finished:
            self.is_over = True
        else:
            self.break_off(APIConnectionError("The stream ended without a finish_reason."))
