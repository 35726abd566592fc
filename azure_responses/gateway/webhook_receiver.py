"""`POST /webhooks/azure`: takes the webhooks of the resources.

It needs no API key: each webhook is signed with the secret of its endpoint. What a webhook says is
kept before it is answered, so that an answer of 2xx means that nothing of it is lost; and it is
answered at once, since the service expects that within ten seconds.
"""

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

from pydantic_core import from_json, to_json

from azure_responses.errors import InvalidWebhookSignatureError
from azure_responses.gateway.asgi_reply import ErrorResponse, Receive, error_response
from azure_responses.gateway.background_prices import BackgroundPrices
from azure_responses.gateway.body_reader import read_short_body
from azure_responses.gateway.key_table import MASTER, KeyTable
from azure_responses.gateway.spend import fit_name
from azure_responses.gateway.webhook_event import relay_of
from azure_responses.gateway.webhook_relay import WebhookRelay
from azure_responses.protocol.webhook_signature import TOLERANCE, verify
from azure_responses.router import Router
from azure_responses.routing.purge_ledger import LedgerEntry, object_key
from azure_responses.store.connection import RedisAddress, make_client

__all__ = ["PATH", "MemoryWebhookIds", "RedisWebhookIds", "WebhookIds", "WebhookReceiver"]

LOGGER = logging.getLogger("azure_responses.gateway")

PATH = "/webhooks/azure"
# An event names one object. The longest of the documented ones, of calls, has some SIP headers.
_LONGEST_BODY = 256 * 1024
_MOST_VALUES = 5_000
# An id counts as known for as long as the webhook with it could be sent again.
_REMEMBERED = 2.0 * TOLERANCE
_MOST_IDS = 50_000
# A webhook may be faster than the reply that made its response, and than what `retrieve` shows.
_PAUSES = (0.0, 2.0, 10.0)
_HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
_KINDS = {"batch": "batches"}


class WebhookIds(Protocol):
    """Remembers the ids of webhooks; any thread may call."""

    def is_known(self, webhook_id: str, now: float) -> bool:
        """True for an id that was added, and has not expired at `now` (unix seconds)."""

    def add(self, webhook_id: str, expires: float) -> None:
        """Remember an id until it expires."""


class MemoryWebhookIds:
    """The ids that this process has seen."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, float] = OrderedDict()

    def is_known(self, webhook_id: str, now: float) -> bool:
        """True for an id that was added, and has not expired."""
        return self._ids.get(webhook_id, 0.0) > now

    def add(self, webhook_id: str, expires: float) -> None:
        """Remember an id until it expires."""
        self._ids[webhook_id] = expires
        while len(self._ids) > _MOST_IDS:
            self._ids.popitem(last=False)


class RedisWebhookIds:
    """The ids that replicas have seen, in Redis or Valkey, which forgets them by itself.

    Args:
        address: from `read_address`.
        prefix: of every key, as of the router's state.
    """

    def __init__(self, address: RedisAddress, *, prefix: str = "azure-responses") -> None:
        self._start = f"{{{prefix}}}:webhook:"
        self._address = address
        self._lock = threading.Lock()
        self._client: Any = None

    def is_known(self, webhook_id: str, now: float) -> bool:
        """True for an id that was added, and has not expired."""
        return bool(self._connected().exists(self._start + webhook_id))

    def add(self, webhook_id: str, expires: float) -> None:
        """Remember an id until it expires."""
        self._connected().set(self._start + webhook_id, 1, exat=int(expires) + 1)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = make_client(self._address)
            return self._client


class WebhookReceiver:
    """Answers the webhooks of one process.

    Args:
        secrets: of the endpoints of all resources, and older ones while they are changed.
        prices: looks at responses that have ended.
        relay: passes on what is not about a response.
        table: the keys.
        router: knows who batches were made for.
    """

    def __init__(
        self,
        secrets: Sequence[str],
        *,
        prices: BackgroundPrices,
        relay: WebhookRelay,
        table: KeyTable,
        router: Router,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._secrets = secrets
        self._prices = prices
        self._relay = relay
        self._table = table
        self._parts = router.parts
        self._clock = clock
        self.ids: WebhookIds = MemoryWebhookIds()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def receive(
        self, method: str, headers: Mapping[str, str], receive: Receive
    ) -> bytes | ErrorResponse:
        """Take a webhook: the body of the 200, or why it is refused.

        Raises:
            Refused: the body is too long or is not declared as JSON.
            CallerLeft: the connection was closed before the end of the body.
        """
        refused = self._refuse_early(method, headers)
        if refused is not None:
            return refused
        body = await read_short_body(receive, headers, _LONGEST_BODY, _MOST_VALUES)
        now = self._clock()
        try:
            verify(body, headers, self._secrets, now)
        except InvalidWebhookSignatureError as error:
            return error_response(400, error.message, code="invalid_webhook_signature")
        event = _read_event(body)
        if event is None:
            return error_response(400, "The body is not an event.", code="invalid_webhook")
        return await self._take(headers["webhook-id"], event, now)

    async def aclose(self) -> None:
        """Stop looking again for responses."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _refuse_early(self, method: str, headers: Mapping[str, str]) -> ErrorResponse | None:
        if not self._secrets:
            return error_response(
                404,
                "This gateway takes no webhooks. Set general_settings.webhook_secrets.",
                code="webhooks_not_configured",
            )
        if method != "POST":
            return error_response(
                405, "Use POST.", code="method_not_allowed", headers={"allow": "POST"}
            )
        # Before the body is read: a request without a signature is not a webhook.
        missing = next((name for name in _HEADERS if not headers.get(name)), None)
        if missing is not None:
            return error_response(
                400, f"The header {missing} is missing.", code="invalid_webhook_signature"
            )
        return None

    async def _take(
        self, webhook_id: str, event: Mapping[str, Any], now: float
    ) -> bytes | ErrorResponse:
        # Ids come from the service, and are stored; this one is signed.
        known_as = fit_name(webhook_id)
        try:
            if await asyncio.to_thread(self.ids.is_known, known_as, now):
                return to_json({"received": True, "duplicate": True})
            await self._keep(webhook_id, event, now)
            await asyncio.to_thread(self.ids.add, known_as, now + _REMEMBERED)
        except Exception:
            # The service sends it again.
            LOGGER.exception("A webhook could not be kept")
            return error_response(
                503, "The webhook could not be kept.", code="server_error", type="server_error"
            )
        return to_json({"received": True})

    async def _keep(self, webhook_id: str, event: Mapping[str, Any], now: float) -> None:
        kind, object_id = str(event["type"]), str(event["data"].get("id") or "")
        if kind.startswith("response.") and object_id:
            # Kept as due now, so that another replica looks at it if this one is lost.
            await self._prices.hurry(object_id)
            self._spawn(self._look_at(object_id))
            return
        entry = await self._entry_of(kind, object_id)
        await self._pass_on(webhook_id, event, entry, now)

    async def _look_at(self, response_id: str) -> None:
        is_known = False
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            is_closed = await self._prices.look_at(response_id)
            is_known = is_known or is_closed is not None
            if is_closed:
                return
        if not is_known:
            # It is priced already, or was not made through this gateway.
            LOGGER.info("A webhook tells of the response %s, not open here", fit_name(response_id))

    async def _entry_of(self, kind: str, object_id: str) -> LedgerEntry | None:
        """The owner of an object, if this gateway remembers it."""
        collection = _KINDS.get(kind.partition(".")[0])
        if collection is None or not object_id:
            return None
        resources = {one.resource for one in self._parts.reader.routing.deployments}
        keys = [object_key(collection, each, object_id) for each in sorted(resources)]
        found = await self._parts.async_calls.state.find_objects(keys)
        return next(iter(found.values()), None)

    async def _pass_on(
        self, webhook_id: str, event: Mapping[str, Any], entry: LedgerEntry | None, now: float
    ) -> None:
        callers = [caller for caller in self._table.callers() if caller.webhook_url is not None]
        label = None
        if entry is None:
            # Objects that no key has made belong to the operator.
            callers = [caller for caller in callers if caller.key_id == MASTER.key_id]
        else:
            callers = [caller for caller in callers if caller.owner == entry.owner]
            label = self._parts.signer.label_id(
                entry.response_id,
                deployment_tag=entry.deployment,
                resource_tag=entry.resource,
                owner=entry.owner,
            )
        if not callers:
            LOGGER.info("A webhook of the type %s is for no key here", str(event["type"])[:200])
        for caller in callers:
            await self._relay.add(relay_of(caller.key_id, webhook_id, event, label, now))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _read_event(body: bytes) -> Mapping[str, Any] | None:
    try:
        event = from_json(body)
    except ValueError:
        return None
    is_event = isinstance(event, dict) and isinstance(event.get("type"), str)
    return event if is_event and isinstance(event.get("data"), dict) else None
