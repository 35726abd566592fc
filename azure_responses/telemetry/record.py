"""What is known of one call, for callbacks, the log and traces."""

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from azure_responses.protocol.call import ApiType
from azure_responses.types.result import Result
from azure_responses.types.usage import Usage

__all__ = ["CallRecord", "RoutedAttempt", "routed_attempt"]


class RoutedAttempt(NamedTuple):
    """Which attempt of which routed call a client's call is.

    Attributes:
        deployment_id: the id of the row.
        group: the model name the caller asked the router for, or a fallback's.
        attempt: counted from 1.
    """

    deployment_id: str
    group: str
    attempt: int


routed_attempt: ContextVar[RoutedAttempt | None] = ContextVar("routed_attempt", default=None)
"""Set by a router around each attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as it stands: sent, about to be sent again, answered or failed.

    A call includes its retries. What is not known (yet) is None.

    Attributes:
        call_type: the API as the caller used it; `chat_completions` through the bridge.
        operation: `create`, `retrieve`, `cancel`, `delete`, `compact`, `input_items`, `models`.
        is_stream: the answer comes as events.
        deployment: the deployment asked for.
        model: the model that answered.
        response_id, request_id, client_request_id: of the response, of Azure (for its support),
            and ours, which every attempt carries as `x-ms-client-request-id`.
        usage: token counts.
        user, safety_identifier: whom the call was made for, as the request says.
        latency: seconds since the call began.
        time_to_first_token: seconds until the first piece of output; streams only.
        attempts: requests sent so far.
        deployment_id, group, router_attempt: of a router's call, the id of the row, the model name
            the router was asked for (or a fallback's) and which of its attempts this is; a router
            makes each attempt as a call of its own.
        region, served_deployment, spillover_from: what the reply's headers say.
        service_tier: the tier that served.
        status: the response's own, such as `completed`.
        http_status: the last reply's.
        error: what the call ended with, or what is about to be retried.
        retry_delay: seconds before the next attempt; `on_retry` only.
        is_abandoned: a stream that was given up before its end, or a call that was cancelled.
        started_at: unix seconds.
        url: where the call went.
        parameters: what the request was made of, as given.
        response: the typed result; of a stream that broke off, what had arrived.
    """

    call_type: ApiType
    operation: str
    is_stream: bool = False
    deployment: str | None = None
    model: str | None = None
    response_id: str | None = None
    request_id: str | None = None
    client_request_id: str | None = None
    usage: Usage | None = None
    user: str | None = None
    safety_identifier: str | None = None
    latency: float = 0.0
    time_to_first_token: float | None = None
    attempts: int = 1
    deployment_id: str | None = None
    group: str | None = None
    router_attempt: int | None = None
    region: str | None = None
    served_deployment: str | None = None
    spillover_from: str | None = None
    service_tier: str | None = None
    status: str | None = None
    http_status: int | None = None
    error: BaseException | None = None
    retry_delay: float | None = None
    is_abandoned: bool = False
    started_at: float = 0.0
    # A gateway's URL may hold a key, and the rest what people wrote.
    url: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    response: Any = field(default=None, repr=False)

    @property
    def cost(self) -> Decimal | None:
        """US dollars; None where that is not known. Worked out when asked for."""
        return self.response.cost if isinstance(self.response, Result) else None

    @property
    def end_user(self) -> str | None:
        """`safety_identifier`, else `user`."""
        return self.safety_identifier or self.user

    @property
    def error_type(self) -> str | None:
        """Azure's code for the error, else its HTTP status, else the name of its class."""
        if self.error is None:
            return None
        code = getattr(self.error, "code", None)
        status = getattr(self.error, "status_code", None)
        return str(code or status or type(self.error).__name__)
