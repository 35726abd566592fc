"""Prices each background response exactly once, at the first sign of its end.

The end of a response is seen in one of these ways: its stream ends, a caller retrieves or cancels
it, Azure sends a webhook, the gateway's own task that makes it ends, or the gateway polls for it.
All of them, in all replicas, try to take the record of the response; the one who gets it counts
the cost.
"""

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from azure_responses.batches.batch import ENDED as ENDED_BATCH
from azure_responses.call_options import new_call_id
from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.batch_price import is_batch, read_batch, used_by
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.open_response import (
    CLAIM,
    FINAL,
    OpenResponse,
    closing_spent,
    first_poll,
    is_final,
    is_given_up,
    name_of,
    next_poll,
    price_headers,
    summary_of,
)
from azure_responses.gateway.open_response_store import OpenResponseStore
from azure_responses.gateway.response_records import ResponseRecords
from azure_responses.gateway.response_waiters import ResponseWaiters
from azure_responses.gateway.spend import SpendTotals, spent_by
from azure_responses.gateway.webhook_event import Delivery, object_ended
from azure_responses.gateway.webhook_relay import WebhookRelay
from azure_responses.openai_server import ApiRequest, AsyncOpenAIServer, CallSummary
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.pricing.custom_prices import CustomPrices
from azure_responses.router import Router
from azure_responses.routing.deployment import Deployment

__all__ = ["BackgroundPrices"]

LOGGER = logging.getLogger("azure_responses.gateway")

T = TypeVar("T")
Priced = Callable[[OpenResponse, CallSummary], None]
Callers = Callable[[str], ApiCaller]

# How long a caller waits for the record of their response to be written.
_PATIENCE = 2.0
_PATIENCE_OF_DELETION = 10.0
# Seconds between two searches for records that are due.
_PAUSE = 5.0
# Numbers of its own: the program may count on the sequence of the shared ones.
_JITTER = random.Random()
# Polled for at once in a process, and claimed in one look.
_AT_ONCE, _MOST_CLAIMED = 8, 40
_POLL_TIMEOUT = 60.0
# How often a response is polled for a caller who waits for its end.
_FIRST_LOOK, _LAST_LOOK = 1.0, 16.0
# Responses known to be closed, which a caller may retrieve again and again.
_MOST_CLOSED = 10_000
_CLOSING = 10.0


class BackgroundPrices:
    """The open responses of one process, and of its replicas; used from one event loop.

    Args:
        server: reads responses.
        router: the server's.
        totals: of the process.
        caller_of: a key's id → the caller.
        priced: called with each response that this process has counted.
        relay: sends the webhooks of keys.
        clock: unix seconds.
    """

    def __init__(
        self,
        server: AsyncOpenAIServer,
        router: Router,
        totals: SpendTotals,
        *,
        caller_of: Callers,
        priced: Priced,
        relay: WebhookRelay | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._parts = router.parts
        self._records = ResponseRecords(totals)
        self._caller_of = caller_of
        self._priced = priced
        self._relay = relay
        self._clock = clock
        # One thread: a record is written before it is looked for, and no pool is exhausted.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="open responses")
        self._closed: OrderedDict[str, None] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._poller: asyncio.Task[None] | None = None
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._waiters = ResponseWaiters()

    async def start(
        self,
        store: OpenResponseStore | None = None,
        turn: AbstractContextManager[Any] | None = None,
        *,
        polls: bool = True,
    ) -> None:
        """Use a shared store, if there is one, and poll from now on.

        Args:
            turn: held while the store writes totals that it keeps.
            polls: False leaves polling to the caller, by `poll_due`.
        """
        await self._in_thread(self._records.use, store, turn)
        if polls:
            self._poller = asyncio.create_task(self._poll_forever())

    async def aclose(self) -> None:
        """Finish what is under way."""
        if self._poller is not None:
            self._poller.cancel()
            await asyncio.wait({self._poller})
            self._poller = None
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=_CLOSING)
        await asyncio.to_thread(self._thread.shutdown)

    async def open(
        self,
        caller: ApiCaller,
        summary: CallSummary,
        response: Mapping[str, Any],
        *,
        deployment: Deployment | None = None,
        held: int = 0,
        is_local: bool = False,
    ) -> OpenResponse | None:
        """Keep the record of a response that was made; None where it has no id.

        Args:
            deployment: that makes it; None for the one of the summary.
            held: what was reserved of the key's budget.
            is_local: the gateway itself makes it.
        """
        deployment = deployment or self._deployment_of(summary)
        inner = self._inner_id(response.get("id"), summary.owner)
        if deployment is None or inner is None:
            return None
        opened = self._record(caller, summary, inner, deployment, held)
        opened = replace(opened, is_local=is_local)
        added = self._spawn(self._in_thread(self._records.add, opened))
        # A database that does not answer holds up the bookkeeping, and not the caller.
        await asyncio.wait({added}, timeout=_PATIENCE)
        return opened

    def note(self, call: ServedRequest) -> None:
        """A caller has read, cancelled or deleted a stored response."""
        result = call.summary.result
        if call.operation in ("retrieve", "cancel") and is_final(result):
            assert result is not None
            self._spawn(self._note(call, result))
        elif call.operation == "delete" and call.summary.status < 300:
            self._spawn(self._note_deletion(call))

    async def before_deletion(self, call: ServedRequest) -> None:
        """Read a response before it is deleted: afterwards its cost is lost."""
        opened = await self._find(*self._names_in(call))
        if opened is not None and not opened.is_local:
            # A caller who deletes does not wait longer than that.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_OF_DELETION):
                    await self._poll(opened)

    async def wait_for_end(self, call: ServedRequest, seconds: float) -> None:
        """Return when the response that `call` reads has ended, or when the time is up.

        A webhook, or whatever else shows the end in this process, ends the wait at once. So that
        one ends without webhooks too, and where another replica sees the end, the response is
        looked at meanwhile, less and less often.
        """
        clock = asyncio.get_running_loop().time
        ends, pause = clock() + seconds, _FIRST_LOOK
        while (left := ends - clock()) > 0:
            opened = await self._find(*self._names_in(call))
            if opened is None or await self._waiters.wait(opened.name, min(pause, left)):
                return
            if clock() < ends and await self._poll(opened):
                return
            pause = min(2 * pause, _LAST_LOOK)

    async def hurry(self, response_id: str) -> None:
        """Make a response, by the service's id, due for a poll of any replica."""
        opened = await self._find(*self._names(response_id, None))
        if opened is not None:
            await self._in_thread(self._records.postpone, opened.postponed(self._clock()))

    async def look_at(self, response_id: str) -> bool | None:
        """Poll for a response at once: True if it has ended, None where none is open."""
        opened = await self._find(*self._names(response_id, None))
        return None if opened is None else await self._poll(opened)

    def ended(self, opened: OpenResponse, summary: CallSummary) -> None:
        """The stream, or the gateway's own call, that shows a response has ended."""
        result = summary.result
        if not (opened.is_local or is_final(result)):
            # The response continues at the service.
            return
        if result is None:
            result = {"id": opened.id, "status": _status_of(summary)}
        served = replace(
            opened,
            deployment_id=summary.deployment_id or opened.deployment_id,
            deployment=summary.deployment or opened.deployment,
            base_model=summary.base_model or opened.base_model,
        )
        self._spawn(self.settle(served, result, summary.headers))

    async def settle(
        self, opened: OpenResponse, response: Mapping[str, Any], headers: Mapping[str, str]
    ) -> bool:
        """Count the cost of a response; False if it was counted already."""
        summary = summary_of(opened, response, headers, self._clock())
        summary.prices = self._prices_of(opened)
        summary.price()
        has_tokens = summary.use is not None and summary.use.tokens is not None
        is_unknown = not has_tokens and response.get("status") != "failed"
        counted = spent_by(
            self._caller_of(opened.key_id), summary, opened.held if is_unknown else 0
        )[1]
        closing = closing_spent(opened, counted)
        delivery = self._delivery_of(opened, response)
        taken = await self._in_thread(self._records.take, opened, closing, delivery)
        if not taken.is_first:
            return False
        self._note_closed(opened.name)
        self._waiters.wake(opened.name)
        await self._send(delivery, is_kept=taken.keeps_delivery)
        if is_unknown:
            LOGGER.warning("The cost of the background response %s stays unknown", opened.id)
        self._priced(opened, summary)
        return True

    def _delivery_of(self, opened: OpenResponse, response: Mapping[str, Any]) -> Delivery | None:
        """The webhook of the key; None for a key without a URL, and of an unknown end."""
        status = str(response.get("status"))
        if is_batch(opened.id):
            # Azure tells of its end by an event of another type.
            return None
        if status not in FINAL or self._caller_of(opened.key_id).webhook_url is None:
            return None
        kind, now = f"response.{status}", self._clock()
        return object_ended(opened.key_id, opened.name, opened.label, kind, now)

    async def _send(self, delivery: Delivery | None, *, is_kept: bool) -> None:
        if delivery is None or self._relay is None:
            return
        if is_kept:
            self._relay.wake()
        else:
            await self._relay.add(delivery)

    async def poll_due(self) -> int:
        """Poll for the records that are due; returns their number."""
        now = self._clock()
        due = await self._in_thread(self._records.claim, now, now + CLAIM, _MOST_CLAIMED)
        await asyncio.gather(*(self._poll_in_turn(opened) for opened in due))
        return len(due)

    async def wait(self) -> None:
        """Return when all running polls of this process have ended."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def _poll_forever(self) -> None:
        while True:
            # Replicas that were started together must not poll at the same time.
            await asyncio.sleep(_PAUSE * _JITTER.uniform(0.8, 1.2))
            try:
                while await self.poll_due() >= _MOST_CLAIMED:
                    pass
                await self._in_thread(self._records.release_closed)
            except Exception:
                # A bug must not end the task: nothing would be priced any more.
                LOGGER.exception("Background responses could not be polled for")

    async def _poll_in_turn(self, opened: OpenResponse) -> None:
        async with self._places:
            try:
                await self._poll(opened)
            except Exception:
                LOGGER.exception("The background response %s could not be polled for", opened.id)

    async def _poll(self, opened: OpenResponse) -> bool:
        """Poll a response; True if it is not open any more."""
        summary = await self._read(opened)
        now, result = self._clock(), summary.result
        if result is not None and is_batch(opened.id):
            has_ended = result.get("status") in ENDED_BATCH
            result = await used_by(self._server, result, opened.owner) if has_ended else None
        if result is not None and result.get("status") in FINAL:
            await self.settle(opened, result, summary.headers)
        elif is_given_up(opened, now, is_missing=_is_missing(summary)):
            await self.settle(opened, {"id": opened.id}, {})
        else:
            later = opened.postponed(next_poll(opened, now))
            await self._in_thread(self._records.postpone, later)
            return False
        return True

    async def _read(self, opened: OpenResponse) -> CallSummary:
        """The current state of the response; a summary without a result if it cannot be read."""
        collection = "batches" if is_batch(opened.id) else "responses"
        path = f"/v1/{collection}/{opened.label}"
        request = ApiRequest("GET", path, "", {}, b"", opened.owner, new_call_id())
        try:
            async with asyncio.timeout(_POLL_TIMEOUT):
                reply = await self._server.handle(request)
        except TimeoutError:
            return CallSummary("", "retrieve")
        if is_batch(opened.id):
            reply.summary.result = read_batch(reply)
        return reply.summary

    async def _note(self, call: ServedRequest, result: Mapping[str, Any]) -> None:
        opened = await self._find(*self._names_in(call))
        if opened is not None:
            await self.settle(opened, result, call.summary.headers)

    async def _note_deletion(self, call: ServedRequest) -> None:
        opened = await self._find(*self._names_in(call))
        if opened is not None:
            await self.settle(opened, {"id": opened.id}, {})

    async def _find(self, *names: str) -> OpenResponse | None:
        unknown = [name for name in names if name not in self._closed]
        return await self._in_thread(self._records.find, unknown) if unknown else None

    def _names_in(self, call: ServedRequest) -> list[str]:
        """The names that the record of the response in a path may have."""
        given = call.route.response_id or ""
        found = self._parts.reader.affinity.read_id(given, call.request.owner)
        if found is None:
            return self._names(given, None)
        return self._names(found.inner, found.resource)

    def _names(self, response_id: str, resource: str | None) -> list[str]:
        if resource is not None:
            return [name_of(resource, response_id)]
        resources = {one.resource for one in self._parts.reader.routing.deployments}
        return [name_of(each, response_id) for each in sorted(resources)]

    def _record(
        self,
        caller: ApiCaller,
        summary: CallSummary,
        inner: str,
        deployment: Deployment,
        held: int,
    ) -> OpenResponse:
        now, key = self._clock(), spent_by(caller, summary)[0]
        label = self._parts.signer.label_id(
            inner,
            deployment_tag=deployment.tag,
            resource_tag=deployment.resource,
            owner=summary.owner,
        )
        return OpenResponse(
            id=inner,
            label=label,
            resource=deployment.resource,
            owner=summary.owner,
            deployment_id=deployment.id,
            deployment=deployment.name_for(summary.group or ""),
            base_model=deployment.base_model,
            held=held,
            created=now,
            due=first_poll(now),
            call_id=summary.call_id,
            headers=price_headers(summary.headers),
            **key._asdict(),
        )

    def _deployment_of(self, summary: CallSummary) -> Deployment | None:
        if summary.deployment_id is None:
            return None
        return self._parts.reader.routing.by_id(summary.deployment_id)

    def _prices_of(self, opened: OpenResponse) -> CustomPrices | None:
        """Those of the entry; None where the file does not list it any more."""
        if opened.deployment_id is None:
            return None
        deployment = self._parts.reader.routing.by_id(opened.deployment_id)
        return None if deployment is None else deployment.prices

    def _inner_id(self, given: Any, owner: str | None) -> str | None:
        """The service's own id; a completion that the bridge made has the caller's."""
        if not isinstance(given, str) or not given:
            return None
        try:
            found = self._parts.reader.affinity.read_id(given, owner)
        except AzureResponsesError:
            return None
        return given if found is None else found.inner

    def _note_closed(self, name: str) -> None:
        self._closed[name] = None
        while len(self._closed) > _MOST_CLOSED:
            self._closed.popitem(last=False)

    def _spawn(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Run it in a task of its own: the caller may disconnect."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The record is still there, and is polled for.
            LOGGER.error("A background response could not be priced now: %s", error)

    async def _in_thread(self, function: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, function, *arguments)


def _status_of(summary: CallSummary) -> str:
    """The status of a call that the gateway made itself and that has no result."""
    return "cancelled" if summary.is_abandoned and summary.error is None else "failed"


def _is_missing(summary: CallSummary) -> bool:
    """True where the service said so; another replica may know a deployment that this lacks."""
    return summary.status == 404 and summary.attempts > 0
