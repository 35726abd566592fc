"""The events of a Messages stream → those of a Responses stream."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import from_json

from azure_responses.bridge.response_events import ResponseEventBuilder
from azure_responses.bridge.responses_over_messages.reply import MessageToResponseReader
from azure_responses.protocol.sse import SSEDecoder

__all__ = ["MessageToResponseStream"]

_Fields = Mapping[str, Any]


class MessageToResponseStream:
    """Converts one stream; after a pause, the streams that continue it, too.

    Args:
        builder: makes the response and its events.
        reader: reads the events into the builder.
        pause: called when Claude paused; True where the reply goes on in another stream.

    Attributes:
        final: the whole response, once its ending event was returned.
    """

    def __init__(
        self,
        builder: ResponseEventBuilder,
        reader: MessageToResponseReader,
        pause: Callable[[], bool],
    ) -> None:
        self.final: dict[str, Any] | None = None
        self._builder = builder
        self._reader = reader
        self._pause = pause
        self._decoder = SSEDecoder()
        self._is_paused = False

    def receive(self, chunk: bytes) -> bytes:
        """The events that these bytes make."""
        for event in self._decoder.feed(chunk):
            if self._builder.final is not None:
                break
            self._read(event.data)
        self.final = self._builder.final
        return self._builder.take()

    def end(self) -> bytes:
        """The events that the end of the stream makes.

        None after a pause: the conversion has the body that continues the reply, and its stream is
        given to `receive`. A stream without a reason to stop was cut. It gets no terminal event:
        then its reader reports an interruption, as of a deployment that speaks the caller's API.
        """
        for event in self._decoder.flush():
            if self._builder.final is None:
                self._read(event.data)
        self._decoder = SSEDecoder()
        if self._is_paused:
            self._is_paused = False
        elif self._builder.final is None and self._reader.stop_reason is not None:
            # Only `message_stop` is missing: Claude has said all.
            self._stop()
        self.final = self._builder.final
        return self._builder.take()

    def _read(self, data: bytes) -> None:
        try:
            event = from_json(data)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            self._reader.fail("server_error", "Claude's stream had an event that is not JSON.")
            return
        handle = _HANDLERS.get(str(event.get("type")))
        # Kinds that are not known yet are left out, as Anthropic asks of its clients; so is `ping`.
        if handle is not None:
            handle(self, event)

    def _begin(self, event: _Fields) -> None:
        self._reader.begin(_object(event.get("message")))

    def _begin_block(self, event: _Fields) -> None:
        self._reader.begin_block(_index(event), _object(event.get("content_block")))

    def _add(self, event: _Fields) -> None:
        self._reader.add_to_block(_index(event), _object(event.get("delta")))

    def _end_block(self, event: _Fields) -> None:
        self._reader.end_block(_index(event))

    def _add_delta(self, event: _Fields) -> None:
        self._reader.add_delta(_object(event.get("delta")), event.get("usage"))

    def _stop(self, event: _Fields | None = None) -> None:
        if self._reader.stop_reason == "pause_turn" and self._pause():
            self._is_paused = True
            # Of the stream that follows nothing is known yet.
            self._reader.stop_reason = None
            return
        self._reader.finish()

    def _fail(self, event: _Fields) -> None:
        error = _object(event.get("error"))
        self._reader.fail(
            str(error.get("type") or "server_error"), str(error.get("message") or "Claude failed.")
        )


_HANDLERS: Mapping[str, Callable[[MessageToResponseStream, _Fields], None]] = {
    "message_start": MessageToResponseStream._begin,
    "content_block_start": MessageToResponseStream._begin_block,
    "content_block_delta": MessageToResponseStream._add,
    "content_block_stop": MessageToResponseStream._end_block,
    "message_delta": MessageToResponseStream._add_delta,
    "message_stop": MessageToResponseStream._stop,
    "error": MessageToResponseStream._fail,
}


def _index(event: _Fields) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else -1


def _object(value: Any) -> _Fields:
    return value if isinstance(value, Mapping) else {}
