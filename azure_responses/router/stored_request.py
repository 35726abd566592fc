"""A call about one stored response as a router reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from azure_responses.protocol.conversion import APIName
from azure_responses.router.prepared_request import (
    PreparedRequest,
    Reader,
    options_of,
)
from azure_responses.router.upstream import UpstreamRequest
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import RouteRequest
from azure_responses.routing.routed_call import RoutedCall
from azure_responses.timeouts import Timeout

__all__ = ["StoredRequest"]


@dataclass(slots=True)
class StoredRequest:
    """A call about one stored response.

    Attributes:
        route_request: what routing is asked.
        inner: the response's id as the service knows it.
        owner: who asks.
        timeout: for the whole call.
        given: ids as the service knows them → as the caller gave them.
        operation: `retrieve`, `cancel`, `delete` or `input_items`.
        query: the parameters of the operation, as the service names them.
        options: `extra_headers` and its kin, those given.
        is_stream: the answer is asked for as events.
        call_id: of a request that came with one.
    """

    reader: Reader
    route_request: RouteRequest
    inner: str
    owner: str | None
    timeout: Timeout
    given: Mapping[str, str]
    operation: str = "retrieve"
    query: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    is_stream: bool = False
    call_id: str | None = None

    is_about_stored: ClassVar[bool] = True
    # The response exists already: its stream can be read on over another connection.
    is_background: ClassVar[bool] = True
    caller: ClassVar[APIName] = "responses"
    drops_usage: ClassVar[bool] = False

    @property
    def known_id(self) -> str | None:
        """The response's id as the service knows it."""
        return self.inner

    @property
    def given_id(self) -> str | None:
        """The response's id as the caller gave it."""
        return self.given[self.inner]

    @property
    def starting_after(self) -> int | None:
        """The event after which a stream begins."""
        after = self.query.get("starting_after")
        return None if after is None else int(after)

    def prepare(
        self,
        deployment: Deployment,
        call: RoutedCall,
        *,
        drops_params: bool = False,
        api: APIName = "responses",
    ) -> PreparedRequest:
        """What is sent to one deployment of the resource."""
        request = UpstreamRequest(
            self.operation,
            parameters=self.query,
            response_id=self.inner,
            options=options_of(self.options, self.timeout),
            call_id=self.call_id,
            is_stream=self.is_stream,
        )
        ids = IdRewriter(self.reader.signer, deployment, self.owner, given=self.given)
        return PreparedRequest(request, ids)

    def entry(self, answer: Mapping[str, Any] | None, deployment: Deployment) -> LedgerEntry | None:
        """Nothing: what is stored is remembered already."""
        return None

    def retrieval(self, response_id: str, after: int | None, *, is_stream: bool) -> UpstreamRequest:
        """What reads the response on, or polls for it, once its connection is lost."""
        dropped = {"starting_after", "stream"}
        query = {name: value for name, value in self.query.items() if name not in dropped}
        if after is not None and is_stream:
            query["starting_after"] = str(after)
        return UpstreamRequest(
            "retrieve",
            parameters=query,
            response_id=self.inner,
            options=options_of(self.options, self.timeout),
            call_id=self.call_id,
            is_stream=is_stream,
        )
