"""Sends webhooks to the URLs of keys until they have arrived, or three days are over.

| state | event | next | what happens |
|---|---|---|---|
| waiting | it is due, and this process claims it | being sent | |
| being sent | the receiver answers 2xx | gone | |
| being sent | it answers 410, or the key is gone or has no URL | gone | a warning is logged |
| being sent | any other answer, or none within ten seconds | waiting | it is due later |
| being sent | the process is lost | waiting | due again when its claim is over |

So a webhook arrives at least once, with the same `webhook-id` each time.
"""

import asyncio
import logging
import random
import socket
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

import httpx

from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.due_records import DueRecords, MemoryRecords
from azure_responses.gateway.key_table import ApiCaller
from azure_responses.gateway.webhook_event import CLAIM, Delivery, is_given_up, is_public
from azure_responses.protocol.webhook_signature import sign
from azure_responses.version import __version__

__all__ = ["NotAllowedError", "WebhookRelay"]

LOGGER = logging.getLogger("azure_responses.gateway")

_PAUSE = 5.0
# Numbers of its own: the program may count on the sequence of the shared ones.
_JITTER = random.Random()
_TIMEOUT = 10.0
_AT_ONCE, _MOST_CLAIMED = 16, 50
_GONE = 410
Resolve = Callable[[str, int], "asyncio.Future[list[str]] | Any"]


class NotAllowedError(AzureResponsesError):
    """The operator does not allow webhooks to this URL."""


class WebhookRelay:
    """The webhooks of one process, and of its replicas where they share a database.

    Args:
        caller_of: a key's id → the caller, whose URL and secret count at each attempt.
        allows_http: URLs without TLS are allowed.
        allows_private: addresses that are not of the public network are allowed.
        clock: unix seconds.
        resolve: host, port → addresses; the system's by default.
    """

    def __init__(
        self,
        caller_of: Callable[[str], ApiCaller],
        *,
        allows_http: bool = False,
        allows_private: bool = False,
        clock: Callable[[], float] = time.time,
        resolve: Resolve | None = None,
    ) -> None:
        self._caller_of = caller_of
        self._allows_http = allows_http
        self._allows_private = allows_private
        self._clock = clock
        self._resolve = resolve or _resolve
        self._local: MemoryRecords[Delivery] = MemoryRecords()
        self._shared: DueRecords[Delivery] | None = None
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, store: DueRecords[Delivery] | None = None) -> None:
        """Begin to send; without a store, webhooks are lost at the end of the process."""
        self._shared = store
        self._task = asyncio.create_task(self._send_forever())

    async def aclose(self) -> None:
        """Stop sending; what has not arrived stays in the store."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
        await self._client.aclose()

    async def add(self, delivery: Delivery) -> None:
        """Send a webhook; it is stored when this returns, if that is possible."""
        if self._shared is not None:
            try:
                await asyncio.to_thread(self._shared.add, delivery)
                self.wake()
                return
            except AzureResponsesError as error:
                LOGGER.warning("A webhook is kept in this process only: %s", error)
        self._local.add(delivery)
        self.wake()

    def wake(self) -> None:
        """Look for due webhooks at once."""
        self._wake.set()

    async def send_due(self) -> int:
        """Send the webhooks that are due; returns the number of attempts."""
        now, due = self._clock(), []
        for store in self._stores():
            claimed = await asyncio.to_thread(store.claim, now, now + CLAIM, _MOST_CLAIMED)
            due += [(store, delivery) for delivery in claimed]
        await asyncio.gather(*(self._deliver(*each) for each in due))
        return len(due)

    def _stores(self) -> list[DueRecords[Delivery]]:
        shared = [] if self._shared is None else [self._shared]
        return [self._local, *shared]

    async def _send_forever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(_PAUSE * _JITTER.uniform(0.8, 1.2)):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                while await self.send_due() >= _MOST_CLAIMED:
                    pass
            except AzureResponsesError:
                # The outage is logged by what else uses the database.
                continue
            except Exception:
                LOGGER.exception("Webhooks could not be sent")

    async def _deliver(self, store: DueRecords[Delivery], delivery: Delivery) -> None:
        async with self._places:
            caller = self._caller_of(delivery.key_id)
            if caller.webhook_url is None or caller.revoked is not None:
                reason = "the key is revoked, deleted, or has no webhook_url any more"
                is_over = True
            else:
                reason, is_over = await self._attempt(caller, delivery)
        now = self._clock()
        if not reason or is_over or is_given_up(delivery, now):
            if reason:
                LOGGER.warning(
                    "The webhook %s of key %s is dropped after %d attempts: %s",
                    delivery.id,
                    delivery.key_id or "-",
                    delivery.attempts + 1,
                    reason,
                )
            await asyncio.to_thread(store.take, delivery)
            return
        if not delivery.attempts:
            LOGGER.warning(
                "The webhook %s of key %s has not arrived, and is tried again: %s",
                delivery.id,
                delivery.key_id or "-",
                reason,
            )
        await asyncio.to_thread(store.postpone, delivery.failed(now))

    async def _attempt(self, caller: ApiCaller, delivery: Delivery) -> tuple[str, bool]:
        """The reason why it has not arrived, or ""; and whether it is given up."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                status = await self._post(caller, delivery)
        except NotAllowedError as error:
            return error.message, False
        except TimeoutError:
            return f"no answer within {_TIMEOUT:.0f} seconds", False
        except (httpx.HTTPError, OSError, AzureResponsesError) as error:
            # The message of a driver may hold the URL, which may hold a token.
            return type(error).__name__, False
        if 200 <= status < 300:
            return "", True
        return f"the receiver answered {status}", status == _GONE

    async def _post(self, caller: ApiCaller, delivery: Delivery) -> int:
        url = httpx.URL(caller.webhook_url or "")
        address = await self._address_of(url)
        headers = sign(
            delivery.body, delivery.id, int(self._clock()), caller.webhook_secret or ""
        ) | {
            "content-type": "application/json",
            "user-agent": f"azure-responses/{__version__}",
            "host": url.netloc.decode("ascii"),
        }
        # Connect to the address that was checked: a name may mean another
        # one a moment later. TLS goes by the name.
        request = httpx.Request(
            "POST",
            url.copy_with(host=address),
            headers=headers,
            content=delivery.body.encode(),
            extensions={
                "sni_hostname": url.host,
                "timeout": httpx.Timeout(_TIMEOUT).as_dict(),
            },
        )
        # The answer is not read: only its status counts.
        reply = await self._client.send(request, stream=True)
        await reply.aclose()
        return reply.status_code

    @cached_property
    def _client(self) -> httpx.AsyncClient:
        # Redirects and proxies would bypass the check of the address. No connection is
        # used again: it would be found by the address, and has proved another name.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.AsyncClient(trust_env=False, follow_redirects=False, limits=limits)

    async def _address_of(self, url: httpx.URL) -> str:
        if url.scheme != "https" and not self._allows_http:
            raise NotAllowedError(
                "The URL is not https, and general_settings.webhook_allow_http is not set."
            )
        found = await self._resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
        if not found:
            raise OSError("no address")
        if not self._allows_private and not all(is_public(each) for each in found):
            raise NotAllowedError(
                "The host has an address that is not of the public network, and "
                "general_settings.webhook_allow_private is not set."
            )
        return str(found[0])


async def _resolve(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]
