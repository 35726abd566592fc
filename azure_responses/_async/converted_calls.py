"""What the executor does for converted calls: finds what they refer to, reads and keeps replies."""

import time
from collections.abc import Mapping
from typing import Any

from azure_responses._async.concurrency import compute
from azure_responses._async.response_store import AsyncResponseStore
from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.call import Call
from azure_responses.protocol.call_conversion import (
    CallConversion,
    History,
    is_stored_here,
    reply_bytes,
)
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.stored_response import (
    StoredResponse,
    answer_stored,
    item_missing,
    previous_missing,
)
from azure_responses.reply_body import AsyncStreamedReply, ReadState

__all__ = ["AsyncConvertedCalls", "AsyncConvertedStream"]


class AsyncConvertedCalls:
    """Converts the calls of one client.

    Args:
        store: keeps the responses that the service does not store.
    """

    def __init__(self, store: AsyncResponseStore) -> None:
        self.store = store

    async def answer(self, call: Call) -> Reply:
        """The answer to a call about a response that is stored on our side."""
        assert call.stored_id is not None
        stored = await self.store.load(call.stored_id)
        operation = call.context.operation
        reply = answer_stored(operation, call.stored_id, call.request.url, stored)
        if operation == "delete":
            await self.store.delete(call.stored_id)
        return reply

    async def write(self, call: Call, conversion: CallConversion) -> None:
        """Write the body of a call, with what it refers to.

        Raises:
            AzureResponsesError: the request cannot be converted, or refers to what is not there.
        """
        history = conversion.history or await self._find(call, conversion)
        body = await compute(conversion.write, history, time.time())
        call.put_body(body)

    async def read(self, call: Call, conversion: CallConversion, reply: Reply) -> Reply:
        """The reply as the caller's API has it, after it was kept.

        Raises:
            AzureResponsesError: it is not a reply of the deployment's API.
        """
        now = time.time()
        try:
            body = await compute(conversion.read, reply.body)
        except ValueError:
            raise call.failure(reply.status, reply.headers, reply.body, now) from None
        await self.keep(conversion, body)
        return Reply(reply.status, reply.headers, reply_bytes(body))

    def stream(
        self, conversion: CallConversion, reply: AsyncStreamedReply
    ) -> "AsyncConvertedStream":
        """A stream of the deployment's API as one of the caller's."""
        return AsyncConvertedStream(reply, conversion, self)

    async def keep(self, conversion: CallConversion, final: Mapping[str, Any]) -> None:
        """Store a finished response, if it is to be stored."""
        stored = conversion.stored(final, time.time())
        if stored is not None:
            await self.store.save(stored)

    async def _find(self, call: Call, conversion: CallConversion) -> History:
        items: list[Mapping[str, Any]] = []
        if conversion.previous_id is not None:
            items = (await self._previous(call, conversion.previous_id)).conversation()
        referenced = {}
        for item_id in conversion.references:
            found = await self.store.load_item(item_id)
            if found is None:
                raise _refused(call, item_missing(item_id, stores=conversion.stores))
            referenced[item_id] = found
        return History(items, referenced)

    async def _previous(self, call: Call, response_id: str) -> StoredResponse:
        found = await self.store.load(response_id) if is_stored_here(response_id) else None
        if found is None:
            raise _refused(call, previous_missing(response_id))
        return found


def _refused(call: Call, reply: Reply) -> AzureResponsesError:
    return call.failure(reply.status, reply.headers, reply.body, time.time())


class AsyncConvertedStream:
    """A streamed reply whose bytes are converted; in use the same as `AsyncStreamedReply`.

    Args:
        reply: the deployment's.
        conversion: of the call.
        calls: keep the finished response, before its ending event is handed out.
    """

    def __init__(
        self,
        reply: AsyncStreamedReply,
        conversion: CallConversion,
        calls: AsyncConvertedCalls,
    ) -> None:
        self.headers = reply.headers
        self._reply = reply
        self._conversion = conversion
        self._state = conversion.stream()
        self._calls = calls
        self._is_kept = False
        self._is_over = False

    async def read(self) -> bytes | None:
        """The next bytes in the caller's API; None at the end.

        Raises:
            APIConnectionError: the body broke off; an APITimeoutError: the next event is late.
        """
        while not self._is_over:
            chunk = await self._reply.read()
            self._is_over = chunk is None
            events = self._state.end() if chunk is None else self._state.receive(chunk)
            # Before its ending event is handed out: a caller may continue it at once.
            if self._state.final is not None and not self._is_kept:
                self._is_kept = True
                await self._calls.keep(self._conversion, self._state.final)
            if events:
                return events
        return None

    def note(self, state: ReadState) -> None:
        """What was read is with `state`: after an event the time begins anew."""
        self._reply.note(state)

    def end_opening(self) -> None:
        """Output has begun: from now on the limit is from one event to the next."""
        self._reply.end_opening()

    async def drain(self) -> None:
        """Read what little is left, so that the connection can be used again."""
        await self._reply.drain()

    async def aclose(self) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        await self._reply.aclose()
