# Written by scripts/unasync: change the file of this name in ../_async instead.
"""`client.webhooks`: where a resource sends events to, and what arrives there."""

import time
from collections.abc import Sequence
from typing import Unpack

from azure_responses._sync.object_calls import ObjectCalls
from azure_responses._sync.object_resource import ObjectResource
from azure_responses._sync.pages import Pages
from azure_responses.call_options import CallOptions
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.object_request import given
from azure_responses.protocol.webhook_signature import TOLERANCE, HeaderSource, unwrap, verify
from azure_responses.transport import Timeout
from azure_responses.types.webhooks import (
    DeletedWebhookEndpoint,
    UnwrapWebhookEvent,
    WebhookEndpoint,
    WebhookEndpointTestResult,
    WebhookEndpointWithSecret,
    WebhookEventType,
    WebhookEventTypeList,
)

__all__ = ["WebhookEventTypes", "Webhooks"]


class Webhooks(ObjectResource):
    """`client.webhooks`.

    Args:
        calls: performs the calls.
        timeout: of calls that give none.
        secret: that webhooks are verified with where none is given; of several one has to fit.
    """

    def __init__(
        self, calls: ObjectCalls, timeout: Timeout, secret: str | Sequence[str] | None = None
    ) -> None:
        super().__init__(calls, timeout)
        self._secret = secret

    @property
    def event_types(self) -> "WebhookEventTypes":
        """The types of events."""
        return WebhookEventTypes(self._calls, self._timeout)

    @shows_parameters(CallOptions)
    def create(
        self,
        *,
        event_types: Sequence[WebhookEventType],
        name: str,
        url: str,
        **options: Unpack[CallOptions],
    ) -> WebhookEndpointWithSecret:
        """Let the resource send events to a URL, which has to answer within 10 seconds.

        Keep the `signing_secret` of the result: it is shown only this once.
        """
        body = {"event_types": event_types, "name": name, "url": url}
        return self._perform("webhooks.create", WebhookEndpointWithSecret, options, body=body)

    @shows_parameters(CallOptions)
    def retrieve(self, webhook_endpoint_id: str, **options: Unpack[CallOptions]) -> WebhookEndpoint:
        """What is known of an endpoint."""
        return self._perform("webhooks.retrieve", WebhookEndpoint, options, webhook_endpoint_id)

    @shows_parameters(CallOptions)
    def update(
        self,
        webhook_endpoint_id: str,
        *,
        event_types: Sequence[WebhookEventType] | None = None,
        name: str | None = None,
        url: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WebhookEndpoint:
        """Change what is given of an endpoint; its signing secret stays."""
        body = given(event_types=event_types, name=name, url=url)
        return self._perform(
            "webhooks.update", WebhookEndpoint, options, webhook_endpoint_id, body=body
        )

    @shows_parameters(CallOptions)
    def list(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> Pages[WebhookEndpoint]:
        """The endpoints: iterate for all of them, over as many pages as needed."""
        return self._list("webhooks.list", WebhookEndpoint, options, after=after, limit=limit)

    @shows_parameters(CallOptions)
    def delete(
        self, webhook_endpoint_id: str, **options: Unpack[CallOptions]
    ) -> DeletedWebhookEndpoint:
        """Send no more events to an endpoint."""
        return self._perform(
            "webhooks.delete", DeletedWebhookEndpoint, options, webhook_endpoint_id
        )

    @shows_parameters(CallOptions)
    def rotate_secret(
        self,
        webhook_endpoint_id: str,
        *,
        keep_old_secret_active_for_24_hours: bool | None = None,
        **options: Unpack[CallOptions],
    ) -> WebhookEndpointWithSecret:
        """Make a new signing secret; not offered by Azure (May 2026): create another endpoint."""
        body = given(keep_old_secret_active_for_24_hours=keep_old_secret_active_for_24_hours)
        return self._perform(
            "webhooks.rotate_secret",
            WebhookEndpointWithSecret,
            options,
            webhook_endpoint_id,
            body=body,
        )

    @shows_parameters(CallOptions)
    def test(
        self,
        webhook_endpoint_id: str,
        *,
        event_type: WebhookEventType,
        **options: Unpack[CallOptions],
    ) -> WebhookEndpointTestResult:
        """Send a test event to an endpoint; not offered by Azure (May 2026)."""
        return self._perform(
            "webhooks.test",
            WebhookEndpointTestResult,
            options,
            webhook_endpoint_id,
            body={"event_type": event_type},
        )

    def unwrap(
        self,
        payload: str | bytes,
        headers: HeaderSource,
        *,
        secret: str | Sequence[str] | None = None,
    ) -> UnwrapWebhookEvent:
        """The event of a webhook, once its signature is verified; nothing is sent.

        Args:
            payload: the body of the request as it arrived, in bytes.
            headers: of the request.
            secret: of the endpoint; None takes the client's `webhook_secret`, which comes from
                AZURE_OPENAI_WEBHOOK_SECRET or OPENAI_WEBHOOK_SECRET where it is not given.

        Raises:
            InvalidWebhookSignatureError: answer the request with 400, and do nothing else.
            ConfigurationError: there is no secret, or it cannot be used.
            AzureResponsesError: the webhook is signed and holds no event.
        """
        return unwrap(payload, headers, self._chosen(secret), time.time())

    def verify_signature(
        self,
        payload: str | bytes,
        headers: HeaderSource,
        *,
        secret: str | Sequence[str] | None = None,
        tolerance: float = TOLERANCE,
    ) -> None:
        """Raise what `unwrap` raises, unless a webhook is signed and not older than `tolerance`."""
        verify(payload, headers, self._chosen(secret), time.time(), tolerance)

    def _chosen(self, secret: str | Sequence[str] | None) -> str | Sequence[str]:
        chosen = self._secret if secret is None else secret
        return () if chosen is None else chosen


class WebhookEventTypes(ObjectResource):
    """`client.webhooks.event_types`."""

    @shows_parameters(CallOptions)
    def list(self, **options: Unpack[CallOptions]) -> WebhookEventTypeList:
        """The types of events that an endpoint can ask for; not offered by Azure (May 2026)."""
        return self._perform("webhooks.event_types.list", WebhookEventTypeList, options)
