"""The operations on stored objects other than responses → calls."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.call import ApiType, ObjectDeletion, TypedCall
from azure_responses.protocol.http_message import Request, merge_headers
from azure_responses.protocol.known_errors import RequestContext
from azure_responses.protocol.object_request import Content, ObjectRequest
from azure_responses.protocol.object_table import OBJECT_OPERATIONS
from azure_responses.protocol.operation_table import APIOperation
from azure_responses.protocol.options import Options, query_of
from azure_responses.protocol.request_body import encode_body, overlay
from azure_responses.protocol.retry import RetryPolicy
from azure_responses.protocol.settings import Settings
from azure_responses.types.result import Result

__all__ = ["ObjectCalls"]

R = TypeVar("R", bound=Result)

# The bytes as they are stored: only then does the reply's length say whether all of them came.
_DOWNLOAD_HEADERS = {"accept": "*/*", "accept-encoding": "identity"}


class ObjectCalls:
    """Builds the calls of one client on stored objects.

    Args:
        settings: where to, as whom.
        policy: how hard to try.
        new_id: makes the `x-ms-client-request-id` of a call.
        headers: of calls that are answered with JSON.
        default_headers: that the client adds to the headers of a download.
        query: what every call sends besides.
        api_type: the API as callers use it.
        can_refresh: the token can be fetched again.
    """

    def __init__(
        self,
        settings: Settings,
        policy: RetryPolicy,
        new_id: Callable[[], object],
        *,
        headers: Mapping[str, str],
        default_headers: Mapping[str, str | None] | None,
        query: Mapping[str, str | list[str]],
        api_type: ApiType,
        can_refresh: bool,
    ) -> None:
        self._settings = settings
        self._policy = policy
        self._new_id = new_id
        self._headers = {
            "object": headers,
            "page": headers,
            "bytes": merge_headers(_DOWNLOAD_HEADERS, default_headers),
        }
        self._query = query
        self._api_type: ApiType = api_type
        self._can_refresh = can_refresh

    def write(
        self,
        request: ObjectRequest,
        model: type[R],
        options: Options,
        content: Content | None = None,
    ) -> TypedCall[R]:
        """The call of an operation.

        Args:
            request: the operation, its ids, query and JSON body.
            model: what the reply is read as; of no meaning for a download.
            options: of the call.
            content: the body in pieces, in place of the request's JSON: a form.

        Raises:
            ConfigurationError: an id that cannot be part of a URL, or an endpoint without stored
                objects.
        """
        row = OBJECT_OPERATIONS[request.operation]
        own = self._headers[row.returns]
        headers = {"x-ms-client-request-id": str(self._new_id()), **own}
        if options.extra_headers:
            headers = merge_headers(headers, options.extra_headers)
        body = request.body
        sent: bytes | Content | None = content
        if content is not None:
            headers["content-type"] = content.content_type
        elif body is not None or options.extra_body:
            sent = encode_body(body, options.extra_body)
            headers.setdefault("content-type", "application/json")
        kind = ObjectDeletion if row.method == "DELETE" else TypedCall
        return kind(
            model,
            Request(row.method, self._url(row, request, options), headers, sent),
            self._context(row, request),
            options.policy(self._policy),
            can_refresh_token=self._can_refresh,
            parameters=overlay(body or {}, options.extra_body),
            api_type=self._api_type,
        )

    def _url(self, row: APIOperation, request: ObjectRequest, options: Options) -> str:
        if len(request.ids) != len(row.variables):
            raise ConfigurationError(f"{row.name} takes {len(row.variables)} ids.")
        ids = iter(request.ids)
        segments = [next(ids) if part is None else part for part in row.upstream]
        query = {**self._query, **request.query, **query_of(options.extra_query)}
        return self._settings.endpoint.object_url(*segments, query=query)

    def _context(self, row: APIOperation, request: ObjectRequest) -> RequestContext:
        endpoint = self._settings.endpoint
        # The hint says to use a project.
        is_there = row.collection == "conversations" and endpoint.surface == "project"
        return RequestContext(
            operation=row.name,
            surface=endpoint.surface,
            api_version=endpoint.api_version,
            object_id=request.ids[-1] if request.ids else None,
            gone=row.gone,
            instead=None if is_there else row.instead,
            scope=self._settings.scope,
            uses_key=self._settings.secret.kind == "api_key",
        )
