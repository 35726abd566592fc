"""What is known of one served request, for headers, metrics, spend and logs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from azure_responses.protocol.object_table import EVERY_OPERATION
from azure_responses.types.result import request_id_of

if TYPE_CHECKING:
    from azure_responses.pricing.custom_prices import CustomPrices
    from azure_responses.pricing.use import Use

__all__ = ["CallSummary"]

_NO_HEADERS: Mapping[str, str] = {}


@dataclass(slots=True)
class CallSummary:
    """One call as it stands, filled in on the way from the request to the end of its reply.

    `result` is assigned last; `price` then works out what it used and cost, once.

    Attributes:
        call_id: ours, which Azure gets as `x-ms-client-request-id`.
        operation: the name of a row of `EVERY_OPERATION`, or "refused" for what became no call.
        group: the model name the caller gave, or of a stored response that of its deployment.
        is_stream: the answer comes as events.
        transport: "http", or "websocket" for a turn of a WebSocket connection.
        end_user: for whom the caller asks: `safety_identifier`, else `user`, else
            `metadata.user_id`.
        owner: who asks.
        started_at: unix seconds.
        deployment_id: the one that answered; deployment: its name at Azure.
        deployment_api: what it was asked in: "responses", "chat" or "messages".
        attempts, fallbacks: requests sent, and further groups tried.
        headers: of Azure's reply; look-ups ignore case.
        begun: of a stream, the response as its first events showed it, without labels.
        result: Azure's answer, of a stream its final response, without labels.
        status: the HTTP status the caller was given.
        error: what the call ended with.
        latency: seconds in all; upstream_seconds: of which Azure took.
        time_to_first_output: seconds; streams only.
        is_abandoned: the caller left before the end.
        base_model: the model behind the deployment, for its price.
        prices: those that the deployment's entry sets.
        warnings: what was left out of the request, one sentence each.
        last_sequence_number: of the last event of a stream, so that one more can follow it.
        use, cost: what the result used up, and US dollars, None where that is not known; both
            are worked out by `price`.
        is_billed: the operation uses up tokens; reading a response again costs nothing.
    """

    call_id: str
    operation: str
    group: str | None = None
    is_stream: bool = False
    transport: str = "http"
    end_user: str | None = None
    owner: str | None = None
    started_at: float = 0.0
    deployment_id: str | None = None
    deployment: str | None = None
    deployment_api: str | None = None
    attempts: int = 0
    fallbacks: int = 0
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    begun: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None
    status: int = 0
    error: BaseException | None = None
    latency: float = 0.0
    upstream_seconds: float = 0.0
    time_to_first_output: float | None = None
    is_abandoned: bool = False
    base_model: str | None = None
    prices: "CustomPrices | None" = field(default=None, repr=False)
    warnings: Sequence[str] = ()
    last_sequence_number: int | None = None
    use: "Use | None" = field(default=None, repr=False)
    cost: Decimal | None = None
    is_billed: bool = field(init=False)
    _is_priced: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        row = EVERY_OPERATION.get(self.operation)
        self.is_billed = row is not None and row.is_billed

    def price(self) -> Decimal | None:
        """Work out `use` and `cost`, the first time that there is a result; returns the cost."""
        if self.result is not None and not self._is_priced:
            # Imported on use: the prices are a large table, and not every server is asked for them.
            from azure_responses.pricing import default_book
            from azure_responses.pricing.media import read_media_use
            from azure_responses.pricing.sessions import default_sessions
            from azure_responses.pricing.use import read_use

            self._is_priced = True
            if self.operation.startswith(("images.", "audio.")):
                self.use = read_media_use(self.operation, self.result, self.headers)
            else:
                self.use = read_use(self.result, self.headers)
            # Reading a response again reports its tokens again, which were paid for once.
            if self.is_billed:
                paid = default_sessions.open(self.use) if self.use.tools.containers else ()
                self.cost = default_book.total(
                    self.use, self.deployment, self.base_model, paid, self.prices
                )
        return self.cost

    @property
    def usage(self) -> Mapping[str, Any] | None:
        """The usage object of the answer, or None."""
        usage = self.result.get("usage") if self.result is not None else None
        return usage if isinstance(usage, Mapping) else None

    @property
    def total_tokens(self) -> int | None:
        """What the answer used, where it says so."""
        total = (self.usage or {}).get("total_tokens")
        return total if isinstance(total, int) else None

    @property
    def request_id(self) -> str | None:
        """`apim-request-id`, else `x-request-id`, of Azure's reply."""
        return request_id_of(self.headers) or getattr(self.error, "request_id", None)

    @property
    def error_type(self) -> str | None:
        """Azure's code for the error, else its HTTP status, else the name of its class."""
        if self.error is None:
            return None
        code = getattr(self.error, "code", None)
        status = getattr(self.error, "status_code", None)
        return str(code or status or type(self.error).__name__)
