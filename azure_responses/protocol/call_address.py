"""Where the calls on responses go, and what their errors name."""

from collections.abc import Mapping
from typing import Any

from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.operation_table import OPERATIONS, APIOperation
from azure_responses.protocol.options import Options, query_of
from azure_responses.protocol.settings import Settings

__all__ = ["CallAddresses", "Query", "own_headers"]

Query = Mapping[str, str | list[str]]

# A program names a few deployments; names that callers of a gateway invent must not fill memory.
_MOST_CONTEXTS = 1000


class CallAddresses:
    """The URLs and contexts of the calls of one client.

    Args:
        settings: where to, as whom.
        query: what every call sends besides.
    """

    def __init__(self, settings: Settings, query: Query) -> None:
        self._settings = settings
        self._query = query
        # The URLs and contexts of calls whose path has no id are always the same.
        self._urls: dict[str, str] = {}
        self._contexts: dict[tuple[str, str | None], RequestContext] = {}

    def url(
        self, row: APIOperation, response_id: str | None, query: Query | None, options: Options
    ) -> str:
        """The URL of an operation, with what the call adds to the query."""
        endpoint = self._settings.endpoint
        if None in row.upstream or query or options.extra_query:
            # An id is checked where it is written into the URL; None is refused there as well.
            segments: list[Any] = [part or response_id for part in row.upstream]
            added = {**(query or {}), **query_of(options.extra_query)}
            return endpoint.url(*segments, query={**self._query, **added})
        url = self._urls.get(row.name)
        if url is None:
            constant = [part for part in row.upstream if part is not None]
            url = self._urls[row.name] = endpoint.url(*constant, query=self._query)
        return url

    def context(self, name: str, deployment: str | None, response_id: str | None) -> RequestContext:
        """What errors of the call name."""
        found = self._contexts.get((name, deployment)) if response_id is None else None
        if found is not None:
            return found
        endpoint = self._settings.endpoint
        context = RequestContext(
            operation=name,
            surface=endpoint.surface,
            api_version=endpoint.api_version,
            deployment=deployment,
            response_id=response_id,
            instead=OPERATIONS[name].instead,
            scope=self._settings.scope,
            uses_key=self._settings.secret.kind == "api_key",
        )
        # A context with a response id serves one call only.
        if response_id is None and len(self._contexts) < _MOST_CONTEXTS:
            self._contexts[name, deployment] = context
        return context


def own_headers(accepts_stream: bool) -> dict[str, str | None]:
    """The headers of this package: of a stream, or of a call that is answered with JSON."""
    return {
        "accept": "text/event-stream" if accepts_stream else "application/json",
        # A proxy that compresses a stream holds its events back until a block is full.
        "accept-encoding": "identity" if accepts_stream else "gzip, deflate",
    }
