"""Calls whose bodies are bytes already: method, URL and headers as the client makes them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azure_responses.protocol.call import Call
from azure_responses.protocol.http_message import Request
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.operations import Operations, Options

__all__ = ["PASSED_QUERY", "RawCalls"]

PASSED_QUERY = frozenset(
    {
        "after",
        "before",
        "include",
        "include[]",
        "include_obfuscation",
        "limit",
        "order",
        "starting_after",
        "stream",
    }
)
"""The query parameters of stored responses; `api-version` is the deployment's affair."""

_NO_OPTIONS = Options()
_PATHS = {
    "create": ("responses",),
    "compact": ("responses", "compact"),
    "input_tokens": ("responses", "input_tokens"),
}
_FIXED_SECRETS = ("api_key", "azure_ad_token")


class RawCalls:
    """Makes the calls of one client.

    What stays the same from call to call is made once, by the client's own rules.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._can_refresh = operations.settings.secret.kind not in _FIXED_SECRETS
        self._templates: dict[tuple[str, bool], tuple[str, dict[str, str], RequestContext]] = {}
        self._contexts: dict[tuple[str, str], RequestContext] = {}

    def post(
        self,
        operation: str,
        body: bytes,
        parameters: Mapping[str, Any],
        *,
        deployment: str,
        call_id: str,
        is_stream: bool = False,
    ) -> Call:
        """`create`, `compact` or `input_tokens`, with `body` as it is to be sent."""
        url, fixed, template = self._template(operation, is_stream)
        headers = {**fixed, "x-ms-client-request-id": call_id}
        context = self._contexts.get((operation, deployment))
        if context is None:
            context = replace(template, operation=operation, deployment=deployment)
            if len(self._contexts) < 1000:
                self._contexts[operation, deployment] = context
        previous = parameters.get("previous_response_id")
        recent = self._operations.recent
        return Call(
            Request("POST", url, headers, body),
            context,
            self._operations.policy,
            can_refresh_token=self._can_refresh,
            born=recent.born(previous) if isinstance(previous, str) else None,
            parameters=parameters,
        )

    def stored(
        self,
        operation: str,
        response_id: str,
        query: Mapping[str, Any],
        *,
        call_id: str,
    ) -> Call:
        """`retrieve`, `cancel`, `delete` or `input_items` of a response by the service's own id."""
        operations = self._operations
        options = Options(extra_headers={"x-ms-client-request-id": call_id}, extra_query=query)
        if operation == "retrieve":
            return operations.retrieve(response_id, options, stream=query.get("stream") == "true")
        if operation == "cancel":
            return operations.cancel(response_id, options)
        if operation == "delete":
            return operations.delete(response_id, options)
        return operations.input_items(response_id, options)

    def note_created(self, response_id: str, now: float) -> None:
        """A response was made, at a monotonic second: it may not be readable at once."""
        self._operations.recent.remember(response_id, now)

    def note_deleted(self, response_id: str) -> None:
        """A response is gone, and waiting for it would be in vain."""
        self._operations.recent.forget(response_id)

    def _template(
        self, operation: str, is_stream: bool
    ) -> tuple[str, dict[str, str], RequestContext]:
        found = self._templates.get((operation, is_stream))
        if found is None:
            model = {"model": "template"}
            call = self._operations.create(model, _NO_OPTIONS, stream=is_stream)
            template_url = self._operations.settings.endpoint.url("responses")
            url = self._operations.settings.endpoint.url(*_PATHS[operation])
            # The query of the client's defaults stands only in what the client makes itself.
            query = call.request.url.removeprefix(template_url.partition("?")[0])
            url = url.partition("?")[0] + query
            found = url, dict(call.request.headers), call.context
            self._templates[operation, is_stream] = found
        return found
