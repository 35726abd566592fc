"""Webhook endpoints of a resource: where it sends its events."""

from typing import Any
from urllib.parse import urlsplit

from azure_responses.emulator.dispatch import EmulatedCall
from azure_responses.emulator.http_messages import PlannedReply, json_reply
from azure_responses.emulator.operations.fields import list_page, read_text, read_texts
from azure_responses.emulator.service_errors import (
    invalid_request,
    invalid_value,
    missing_parameter,
    not_found,
)
from azure_responses.emulator.webhook_sender import EmulatedWebhook

__all__ = ["EVENT_TYPES", "create", "delete", "list_endpoints", "retrieve", "update"]

EVENT_TYPES = (
    "response.completed", "response.failed", "response.cancelled", "response.incomplete",
    "batch.completed", "batch.failed", "batch.cancelled", "batch.expired",
    "fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled",
    "realtime.call.incoming",
)  # fmt: skip
"""Of Microsoft's webhooks page; the emulator has events of responses and batches."""


def _find(call: EmulatedCall) -> EmulatedWebhook:
    endpoint = call.account.webhooks.get(call.route.ids[0])
    if endpoint is None:
        raise not_found("Webhook endpoint", call.route.ids[0])
    return endpoint


def _read_url(body: dict[str, Any]) -> str:
    url = read_text(body, "url")
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise invalid_request(f"Invalid 'url': '{url}' is not an HTTP URL.", "url", "invalid_url")
    return url


def _read_types(body: dict[str, Any]) -> list[str]:
    types = read_texts(body, "event_types")
    if not types:
        raise missing_parameter("event_types")
    for index, kind in enumerate(types):
        if kind not in EVENT_TYPES:
            raise invalid_value(f"event_types[{index}]", kind, EVENT_TYPES)
    return types


def create(call: EmulatedCall) -> PlannedReply:
    """`POST /dashboard/webhook_endpoints`: the one reply that shows the secret."""
    name, url, types = read_text(call.body, "name"), _read_url(call.body), _read_types(call.body)
    account = call.account
    endpoint = EmulatedWebhook(
        "we_" + account.mint.digits(32), name, url, types, account.mint.secret(), int(call.now)
    )
    account.webhooks[endpoint.id] = endpoint
    return json_reply(endpoint.as_object(with_secret=True))


def list_endpoints(call: EmulatedCall) -> PlannedReply:
    """`GET /dashboard/webhook_endpoints`, without secrets."""
    shown = [endpoint.as_object() for endpoint in call.account.webhooks.values()]
    return json_reply(list_page(shown, call.query))


def retrieve(call: EmulatedCall) -> PlannedReply:
    """`GET /dashboard/webhook_endpoints/{id}`."""
    return json_reply(_find(call).as_object())


def update(call: EmulatedCall) -> PlannedReply:
    """`POST /dashboard/webhook_endpoints/{id}`: name, URL and types; the secret stays."""
    endpoint, body = _find(call), call.body
    name = read_text(body, "name") if "name" in body else endpoint.name
    url = _read_url(body) if "url" in body else endpoint.url
    types = _read_types(body) if "event_types" in body else endpoint.event_types
    endpoint.name, endpoint.url, endpoint.event_types = name, url, types
    return json_reply(endpoint.as_object())


def delete(call: EmulatedCall) -> PlannedReply:
    """`DELETE /dashboard/webhook_endpoints/{id}`: what is not delivered yet is dropped."""
    endpoint = _find(call)
    endpoint.is_deleted = True
    del call.account.webhooks[endpoint.id]
    gone = {"id": endpoint.id, "object": "webhook.endpoint.deleted", "deleted": True}
    return json_reply(gone)
