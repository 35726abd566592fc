"""What requests of a router are made from, and what one attempt sends of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from azure_responses.protocol.dropped_parameters import DroppedParameters
from azure_responses.protocol.options import Options
from azure_responses.router.arguments import ChatOptions
from azure_responses.router.upstream import UpstreamRequest
from azure_responses.router.upstream_reply import to_bytes
from azure_responses.routing.affinity import Affinity
from azure_responses.routing.deployment_registry import DeploymentRegistry
from azure_responses.routing.id_rewriter import IdRewriter, NoIds
from azure_responses.routing.signed_id import IdSigner
from azure_responses.timeouts import Timeout, patience_of

__all__ = ["PreparedRequest", "Reader", "ReceivedBody", "options_of"]


class Reader(Protocol):
    """What a request needs to know of the router that read it."""

    routing: DeploymentRegistry
    signer: IdSigner
    affinity: Affinity
    chat_options: ChatOptions

    def sole_resource(self, model: str) -> str | None:
        """The one resource behind a model name, or None when there are several."""


class PreparedRequest(NamedTuple):
    """What one attempt sends.

    Attributes:
        request: for the upstream, with the service's own ids.
        ids: puts signed ids into the answer.
        warnings: what was left out, one sentence each.
    """

    request: UpstreamRequest
    ids: IdRewriter | NoIds
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class ReceivedBody:
    """The body of a request that came as bytes.

    Attributes:
        content: as received.
        fields: read.
        is_changed: the fields are not quite what was received.
        call_id: names the call, to Azure as `x-ms-client-request-id`.
    """

    content: bytes
    fields: Mapping[str, Any]
    call_id: str
    is_changed: bool = False

    def as_sent(
        self,
        parameters: Mapping[str, Any],
        *,
        is_same: bool,
        dropped: DroppedParameters | None = None,
    ) -> bytes:
        """The body to send; the very bytes that came where nothing has to be changed."""
        # Byte for byte where possible: fields and spellings that are unknown here then survive.
        if is_same and not self.is_changed and self.fields.get("model") == parameters["model"]:
            return self.content
        # The reader leaves out what is null, which for Azure may differ from not being there.
        nulls: Mapping[str, Any] = {n: None for n, value in self.fields.items() if value is None}
        if dropped is not None:
            nulls, _ = dropped.leave_out(nulls)
        return to_bytes({**nulls, **parameters})


def options_of(given: Mapping[str, Any], timeout: Timeout) -> Options:
    """What a call adds to its deployment's client, which waits as long as the timeout lets it."""
    patience = patience_of(timeout)
    patience = math.inf if patience is None else patience
    if not given:
        return _patient(patience)
    return Options(
        given.get("extra_headers"), given.get("extra_query"), given.get("extra_body"), patience
    )


# Most calls have no extras, and the router's timeout.
@lru_cache(64)
def _patient(patience: float) -> Options:
    return Options(patience=patience)
