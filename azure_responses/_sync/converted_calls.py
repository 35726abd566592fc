# Written by scripts/unasync: change the file of this name in ../_async instead.
"""What the executor does for converted calls: finds what they refer to, reads and keeps replies."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from azure_responses._sync.concurrency import compute
from azure_responses._sync.response_store import ResponseStore
from azure_responses.errors import AzureResponsesError, ContextWindowExceededError, NotFoundError
from azure_responses.protocol.call import Call
from azure_responses.protocol.call_conversion import (
    CallConversion,
    History,
    is_stored_here,
    read_json,
    reply_bytes,
)
from azure_responses.protocol.call_converter import StoredReads
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.stored_response import (
    answer_stored,
    item_missing,
    previous_missing,
)
from azure_responses.reply_body import ReadState, StreamedReply
from azure_responses.transport import Timeout

_LOG = logging.getLogger("azure_responses.store")

__all__ = ["ConvertedCalls", "ConvertedStream", "Sender"]


class Sender(Protocol):
    """What sends the further calls that a converted one needs: the executor."""

    def send(self, call: Call, timeout: Timeout) -> Reply:
        """The whole reply; raises what the service or the network ends with."""

    def begin(self, call: Call, timeout: Timeout) -> StreamedReply | Reply:
        """A stream, or the whole of what came instead."""

    def exchange_whole(self, call: Call, timeout: Timeout) -> Reply:
        """The whole reply of one attempt, whatever its status."""


class ConvertedCalls:
    """Converts the calls of one client.

    Args:
        store: keeps the responses that the service does not store.
    """

    def __init__(self, store: ResponseStore) -> None:
        # Without the executor, which is passed where it is needed: a client that was never closed
        # is freed at once, and not at the next collection of garbage.
        self.store = store

    def exchange(self, sender: Sender, call: Call, timeout: Timeout) -> Reply | AzureResponsesError:
        """The reply of one attempt in the caller's API, or the error that it stands for.

        Raises:
            AzureResponsesError: the request cannot be converted, or refers to what is not there;
                or there was no reply.
        """
        conversion = call.conversion
        if conversion is None:
            return call.outcome(self._answer(call), time.time())
        self._write(sender, call, conversion, timeout)
        while True:
            reply = sender.exchange_whole(call, timeout)
            outcome = call.outcome(reply, time.time())
            if not isinstance(outcome, Reply):
                if not _shorten(call, conversion, outcome):
                    return outcome
                continue
            body = self._read(call, conversion, outcome)
            following = conversion.continued()
            if following is None:
                self.keep(conversion, body)
                return Reply(outcome.status, outcome.headers, reply_bytes(body))
            call.put_body(following)

    def begin(self, sender: Sender, call: Call, timeout: Timeout) -> "ConvertedStream | Reply":
        """The stream of one attempt in the caller's API, or the whole of what came instead.

        Raises:
            AzureResponsesError: as of `exchange`.
        """
        conversion = call.conversion
        if conversion is None:
            return self._answer(call)
        self._write(sender, call, conversion, timeout)
        opened = sender.begin(call, timeout)
        if isinstance(opened, Reply) and not 200 <= opened.status < 300:
            error = call.failure(opened.status, opened.headers, opened.body, time.time())
            if _shorten(call, conversion, error):
                opened = sender.begin(call, timeout)
        if isinstance(opened, Reply):
            return opened
        return ConvertedStream(opened, call, conversion, self, sender, timeout)

    def keep(self, conversion: CallConversion, final: Mapping[str, Any]) -> None:
        """Store a finished response, if it is to be stored."""
        stored = conversion.stored(final, time.time())
        if stored is None:
            return
        try:
            self.store.save(stored)
        except AzureResponsesError as error:
            # An answer that was paid for is not lost to a database, nor asked for again.
            _LOG.warning("%s cannot be continued, it was not stored: %s", stored.id, error)

    def _answer(self, call: Call) -> Reply:
        """The answer to a call about a response that is stored on our side."""
        assert call.stored_id is not None
        stored = self.store.load(call.stored_id)
        operation = call.context.operation
        if stored is not None:
            stored = stored.as_of(time.time())
            if operation == "cancel" and stored.is_unfinished:
                # The process that works on it finds this, and stops.
                stored = stored.ended("cancelled")
                self.store.save(stored)
        reply = answer_stored(operation, call.stored_id, call.request.url, stored)
        if operation == "delete":
            self.store.delete(call.stored_id)
        return reply

    def _write(
        self, sender: Sender, call: Call, conversion: CallConversion, timeout: Timeout
    ) -> None:
        history = conversion.history or self._find(sender, call, conversion, timeout)
        call.put_body(compute(conversion.write, history, time.time()))

    def _read(self, call: Call, conversion: CallConversion, reply: Reply) -> dict[str, Any]:
        try:
            return compute(conversion.read, reply.body)
        except ValueError:
            raise _refused(call, reply) from None

    def _find(
        self, sender: Sender, call: Call, conversion: CallConversion, timeout: Timeout
    ) -> History:
        items: Sequence[Mapping[str, Any]] = ()
        if conversion.previous_id is not None:
            items = self._continued(sender, call, conversion, conversion.previous_id, timeout)
        referenced = {}
        for item_id in conversion.references:
            found = self.store.load_item(item_id)
            if found is None:
                raise _refused(call, item_missing(item_id, stores=conversion.asks_for_storage))
            referenced[item_id] = found
        return History(items, referenced)

    def _continued(
        self,
        sender: Sender,
        call: Call,
        conversion: CallConversion,
        response_id: str,
        timeout: Timeout,
    ) -> Sequence[Mapping[str, Any]]:
        """The items of the responses that a call continues, the oldest first."""
        if is_stored_here(response_id):
            stored = self.store.load(response_id)
            if stored is not None and stored.can_be_continued:
                return stored.conversation()
        elif conversion.reading is not None:
            # The response before was made by a deployment that speaks Responses.
            try:
                return self._fetch(sender, conversion.reading, response_id, timeout)
            except (NotFoundError, KeyError, ValueError):
                # It is not there, or not what the service answers.
                pass
        raise _refused(call, previous_missing(response_id))

    def _fetch(
        self, sender: Sender, reading: StoredReads, response_id: str, timeout: Timeout
    ) -> list[Mapping[str, Any]]:
        turns: list[list[Mapping[str, Any]]] = []
        following: str | None = response_id
        while following is not None and len(turns) < _MOST_TURNS:
            reply = sender.send(reading.read_response(following), timeout)
            response = read_json(reply.body)
            turns.append([*self._inputs(sender, reading, following, timeout), *response["output"]])
            following = response.get("previous_response_id")
        return [item for turn in reversed(turns) for item in turn]

    def _inputs(
        self, sender: Sender, reading: StoredReads, response_id: str, timeout: Timeout
    ) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        after: str | None = None
        while len(items) < _MOST_ITEMS:
            reply = sender.send(reading.read_input(response_id, after), timeout)
            page = read_json(reply.body)
            items += page["data"]
            after = page.get("last_id")
            if not page.get("has_more") or after is None:
                break
        return items


# A chain that is longer has no end.
_MOST_TURNS = 1000
_MOST_ITEMS = 100_000


def _shorten(call: Call, conversion: CallConversion, error: AzureResponsesError) -> bool:
    """True where the call was made shorter, to be sent once more."""
    if not isinstance(error, ContextWindowExceededError):
        return False
    body = conversion.shortened(error.message)
    if body is not None:
        call.put_body(body)
    return body is not None


def _refused(call: Call, reply: Reply) -> AzureResponsesError:
    return call.failure(reply.status, reply.headers, reply.body, time.time())


class ConvertedStream:
    """A streamed reply whose bytes are converted; in use the same as `StreamedReply`.

    Args:
        reply: the deployment's.
        call, conversion, timeout: of the call.
        calls: keep the finished response, before its ending event is handed out.
        sender: connects again for a reply that comes in several streams.
    """

    def __init__(
        self,
        reply: StreamedReply,
        call: Call,
        conversion: CallConversion,
        calls: ConvertedCalls,
        sender: Sender,
        timeout: Timeout,
    ) -> None:
        self.headers = reply.headers
        self._reply = reply
        self._call = call
        self._conversion = conversion
        self._timeout = timeout
        self._state = conversion.stream()
        self._calls = calls
        self._sender = sender
        self._is_kept = False
        self._is_over = False

    def read(self) -> bytes | None:
        """The next bytes in the caller's API; None at the end.

        Raises:
            APIConnectionError: the body broke off; an APITimeoutError: the next event is late.
        """
        while not self._is_over:
            chunk = self._reply.read()
            events = self._state.end() if chunk is None else self._state.receive(chunk)
            if chunk is None:
                self._go_on()
            # Before its ending event is handed out: a caller may continue it at once.
            if self._state.final is not None and not self._is_kept:
                self._is_kept = True
                self._calls.keep(self._conversion, self._state.final)
            if events:
                return events
        return None

    def _go_on(self) -> None:
        """Connect again for the rest of a reply that comes in several streams."""
        body = self._conversion.continued()
        if body is None:
            self._is_over = True
            return
        self._reply.close()
        self._call.put_body(body)
        opened = self._sender.begin(self._call, self._timeout)
        if isinstance(opened, Reply):
            raise _refused(self._call, opened)
        self._reply = opened

    def note(self, state: ReadState) -> None:
        """What was read is with `state`: after an event the time begins anew."""
        self._reply.note(state)

    def end_opening(self) -> None:
        """Output has begun: from now on the limit is from one event to the next."""
        self._reply.end_opening()

    def drain(self) -> None:
        """Read what little is left, so that the connection can be used again."""
        self._reply.drain()

    def close(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        self._reply.close()
