"""Webhooks that are really delivered: signed, over HTTP, again and again until they are taken."""

import base64
import hashlib
import hmac
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from azure_responses.emulator.http_messages import encode_json
from azure_responses.emulator.timing import Clock

__all__ = ["WEBHOOK_RETRIES", "WebhookDelivery", "EmulatedWebhook", "WebhookSender", "sign"]

WEBHOOK_RETRIES = (5.0, 30.0, 120.0, 600.0, 3600.0, 6 * 3600.0, 24 * 3600.0, 40 * 3600.0)
"""Seconds before each further attempt. OpenAI's guide: with growing waits, for up to 72 hours."""

# Microsoft's webhooks page: an answer is due within 10 seconds.
_ANSWER_SECONDS = 10.0
_AGENT = "OpenAI/1.0 (+https://platform.openai.com/docs/webhooks)"
_STOP_SECONDS = 1.0
# How often a clock that may be moved, and batches at work, are looked at; in real seconds.
_LOOK_SECONDS = 0.02
# Deliveries that are remembered.
_MOST = 1000


@dataclass
class EmulatedWebhook:
    """Where a resource sends its events."""

    id: str
    name: str
    url: str
    event_types: list[str]
    secret: str
    created_at: int
    is_deleted: bool = False

    def as_object(self, with_secret: bool = False) -> dict[str, Any]:
        """The endpoint as the API shows it; the secret only when it is created."""
        shown: dict[str, Any] = {
            "id": self.id,
            "object": "webhook.endpoint",
            "created_at": self.created_at,
            "event_types": self.event_types,
            "name": self.name,
            "signing_secret_hint": f"whsec_...{self.secret[-2:]}",
            "url": self.url,
        }
        return {**shown, "signing_secret": self.secret} if with_secret else shown


@dataclass
class WebhookDelivery:
    """One event on its way to one endpoint.

    Attributes:
        id: `Webhook-ID`, the same in every attempt.
        due_at: unix seconds of the emulator's clock at which the next attempt is made.
        statuses: of HTTP, one for each attempt; 0 where no answer came.
        state: `pending`, `delivered`, `failed` after the last attempt, or `dropped` where the
            event did not happen or the endpoint was deleted.
    """

    id: str
    endpoint: EmulatedWebhook
    payload: dict[str, Any]
    due_at: float
    is_void: Callable[[], bool]
    statuses: list[int] = field(default_factory=list)
    state: str = "pending"

    @property
    def type(self) -> str:
        """The type of the event."""
        return str(self.payload["type"])

    def as_dict(self) -> dict[str, Any]:
        """The delivery for a JSON document, without the secret."""
        shown = {"id": self.id, "url": self.endpoint.url, "payload": self.payload}
        return {**shown, "statuses": self.statuses, "state": self.state}


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """`Webhook-Signature` of Standard Webhooks, which the header names of Azure's page point to."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class WebhookSender:
    """Delivers what is due from a thread that runs only while something is under way.

    Args:
        clock: the emulator's; it decides what is due.
        look: brings the batches up to date; True where some are still at work. It is held
            weakly: the thread ends with the emulator.
        transport: carries the deliveries in place of sockets.
        retries: seconds before each further attempt.

    Attributes:
        deliveries: the last ones, oldest first.
    """

    def __init__(
        self,
        clock: Clock,
        look: Callable[[], bool],
        transport: httpx.BaseTransport | None = None,
        retries: Sequence[float] = WEBHOOK_RETRIES,
    ) -> None:
        self.deliveries: list[WebhookDelivery] = []
        self._clock = clock
        self._look = weakref.WeakMethod(look)
        self._transport = transport
        self._retries = tuple(retries)
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_stopping = False
        self._is_sending = False

    def add(self, delivery: WebhookDelivery) -> None:
        """Deliver this when it is due."""
        with self._changed:
            self.deliveries = [*self.deliveries, delivery][-_MOST:]
        self.start()

    def start(self) -> None:
        """Have the thread look again; it ends by itself once nothing is under way."""
        with self._changed:
            self._is_stopping = False
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, daemon=True, name="azure-emulator-webhooks"
                )
                self._thread.start()
            self._changed.notify_all()

    def stop(self) -> None:
        """End the thread; what is not delivered yet stays pending. It may be started again."""
        with self._changed:
            thread, self._is_stopping = self._thread, True
            self._changed.notify_all()
        if thread is not None and thread is not threading.current_thread():
            # A receiver that does not answer must not keep the caller; the thread is a daemon.
            thread.join(_STOP_SECONDS)

    def clear(self) -> None:
        """Forget every delivery."""
        with self._changed:
            for delivery in self.deliveries:
                delivery.state = "dropped"
            self.deliveries = []

    def wait(self, timeout: float = 5.0) -> bool:
        """Wait until everything is delivered that is due by the clock; False where it takes longer.

        `timeout` is in real seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            look = self._look()
            if look is not None:
                look()
            with self._changed:
                if not self._is_sending and not self._due():
                    return True
                if time.monotonic() > deadline:
                    return False
                self._changed.wait(_LOOK_SECONDS)

    def _pending(self) -> list[WebhookDelivery]:
        return [one for one in self.deliveries if one.state == "pending"]

    def _due(self) -> list[WebhookDelivery]:
        now = self._clock.now()
        return [one for one in self._pending() if one.due_at <= now]

    def _run(self) -> None:
        try:
            with httpx.Client(
                transport=self._transport, timeout=_ANSWER_SECONDS, trust_env=False
            ) as client:
                while self._goes_on():
                    self._send_due(client)
        finally:
            with self._changed:
                # By now another thread may have been started.
                if self._thread is threading.current_thread():
                    self._thread = None
                self._changed.notify_all()

    def _goes_on(self) -> bool:
        look = self._look()
        is_at_work = look is not None and look()
        with self._changed:
            if look is None or self._is_stopping or not (is_at_work or self._pending()):
                # Decided under the lock: an event that comes now finds no thread, and starts one.
                self._thread = None
                return False
            del look
            if not self._due():
                self._changed.wait(_LOOK_SECONDS)
            return True

    def _send_due(self, client: httpx.Client) -> None:
        with self._changed:
            due, self._is_sending = self._due(), True
        try:
            for delivery in due:
                if not self._is_stopping:
                    self._send(client, delivery)
        finally:
            with self._changed:
                self._is_sending = False
                self._changed.notify_all()

    def _send(self, client: httpx.Client, delivery: WebhookDelivery) -> None:
        if delivery.endpoint.is_deleted or delivery.is_void():
            delivery.state = "dropped"
            return
        body = encode_json(delivery.payload)
        # The receiver compares it with the time of its own machine.
        timestamp = int(time.time())
        headers = {
            "content-type": "application/json",
            "user-agent": _AGENT,
            "webhook-id": delivery.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(delivery.endpoint.secret, delivery.id, timestamp, body),
        }
        try:
            reply = client.post(delivery.endpoint.url, content=body, headers=headers)
            status = reply.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            status = 0
        delivery.statuses.append(status)
        if 200 <= status < 300:
            delivery.state = "delivered"
        elif len(delivery.statuses) > len(self._retries):
            delivery.state = "failed"
        else:
            wait = self._retries[len(delivery.statuses) - 1]
            delivery.due_at = self._clock.now() + wait
