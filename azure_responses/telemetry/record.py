"""What is known of one call, for callbacks, the log and traces."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.call import ApiType, Call
from azure_responses.protocol.conversion import APIName
from azure_responses.types.model import StreamEvent
from azure_responses.types.result import Result, request_id_of
from azure_responses.types.usage import Usage

__all__ = ["CallRecord", "Observation", "RoutedAttempt", "routed_attempt"]


class RoutedAttempt(NamedTuple):
    """Which attempt of which routed call a client's call is.

    Attributes:
        deployment_id: its id in the router.
        group: the model name that the caller sent, or that of a fallback.
        attempt: counted from 1.
    """

    deployment_id: str
    group: str
    attempt: int


# A context variable, because the client between router and telemetry knows no router.
routed_attempt: ContextVar[RoutedAttempt | None] = ContextVar("routed_attempt", default=None)
"""Set by a router around each attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call as it stands: sent, about to be sent again, answered or failed.

    A call includes its retries. What is not known (yet) is None.

    Attributes:
        call_type: the API as the caller used it: `responses`, `chat_completions` or `messages`.
        api: what was sent to the deployment; another one than the caller's where it was converted.
        operation: `create`, `retrieve`, `cancel`, `delete`, `compact`, `input_items`, `models`.
        is_stream: the answer comes as events.
        deployment: the deployment asked for.
        model: the model that answered.
        response_id, request_id, client_request_id: of the response, of Azure (for its support),
            and ours, which every attempt carries as `x-ms-client-request-id`.
        usage: token counts.
        user, safety_identifier: the end user, as the request names them.
        latency: seconds since the call began.
        time_to_first_token: seconds until the first piece of output; streams only.
        attempts: requests sent so far.
        deployment_id, group, router_attempt: of a router's call, the deployment's id, the model
            name that the caller sent (or that of a fallback), and the number of the attempt; a
            router makes each attempt as a call of its own.
        region, served_deployment, spillover_from: what the reply's headers say.
        service_tier: the tier that served.
        status: that of the response, such as `completed`.
        http_status: of the last reply.
        error: what the call ended with, or what is about to be retried.
        retry_delay: seconds before the next attempt; `on_retry` only.
        is_abandoned: a stream that was given up before its end, or a call that was cancelled.
        is_charged: to be counted in a sum of `cost` or `usage`: the call spent that, or is the
            first of this process to show it of a background response. Reading a response again
            spends nothing.
        started_at: unix seconds.
        url: where the call went.
        parameters: of the request, as given.
        response: the typed result; of a stream that broke off, what had arrived.
    """

    call_type: ApiType
    operation: str
    api: APIName = "responses"
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
    is_charged: bool = False
    started_at: float = 0.0
    # Not in `repr`: a gateway's URL may hold a key, and the other two hold what people wrote.
    url: str = field(default="", repr=False)
    parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)
    response: Any = field(default=None, repr=False)

    @property
    def cost(self) -> Decimal | None:
        """US dollars, computed on each access; None where the price is not known."""
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


_NO_HEADERS: Mapping[str, str] = {}
# Of a stream, whatever became of it after its headers.
_OK = 200


class Observation:
    """One call, its retries included.

    Args:
        call: what is sent.
        is_stream: the answer comes as events.
        now: monotonic seconds; wall_clock: unix seconds.
        routed: which attempt of a router it is; None for a call of its own.
    """

    def __init__(
        self,
        call: Call,
        *,
        is_stream: bool = False,
        now: float,
        wall_clock: float,
        routed: RoutedAttempt | None = None,
    ) -> None:
        self.call = call
        self.attempts = 1
        self._is_stream = is_stream
        self._began = now
        self._wall_clock = wall_clock
        self._routed = routed
        self._first_chunk: float | None = None
        self._last_chunk: float | None = None

    def note_retry(self) -> None:
        """Another attempt is about to be made."""
        self.attempts += 1

    def note_events(self, events: Iterable[StreamEvent], now: float) -> list[float]:
        """Note events that have just arrived; the answer is the seconds before each chunk.

        A chunk is an event that carries output, a `….delta`: what opens a stream does not show
        how fast the model writes. Before the first chunk there is no gap.
        """
        count = sum(1 for event in events if str(event.type).endswith(".delta"))
        if not count:
            return []
        # Events of one read have no time between them that could be measured.
        gaps = [0.0] * (count - 1)
        if self._last_chunk is None:
            self._first_chunk = now
        else:
            gaps.insert(0, now - self._last_chunk)
        self._last_chunk = now
        return gaps

    def describe(
        self,
        now: float,
        *,
        response: Any = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        error: BaseException | None = None,
        retry_delay: float | None = None,
        is_abandoned: bool = False,
        is_charged: bool = False,
    ) -> CallRecord:
        """The call as it stands.

        Args:
            now: monotonic seconds.
            response: the result, or as much of it as there is.
            headers: the latest reply's, names in lower case.
            error: what it ended with, or what is about to be retried.
            retry_delay: seconds before the next attempt.
            is_abandoned: the caller left before the end.
            is_charged: see `CallRecord`.
        """
        first = self._first_chunk
        # A failed response and a broken stream carry what had arrived, whose tokens are billed.
        # Errors of HTTP have the reply there, as in the openai package: it is no answer.
        failed = getattr(error, "response", None)
        found = response or (failed if isinstance(failed, Result) else None)
        found = found or getattr(error, "partial", None)
        return CallRecord(
            **_read_call(self.call),
            **_read_response(found, self.call),
            **_read_reply(headers, error),
            **_read_route(self._routed),
            is_stream=self._is_stream,
            latency=now - self._began,
            time_to_first_token=None if first is None else first - self._began,
            attempts=self.attempts,
            error=error,
            retry_delay=retry_delay,
            is_abandoned=is_abandoned,
            is_charged=is_charged,
            started_at=self._wall_clock,
        )


def _read_call(call: Call) -> dict[str, Any]:
    given = call.parameters
    return {
        "call_type": call.api_type,
        "api": call.api,
        "operation": call.context.operation,
        "deployment": call.context.deployment,
        "client_request_id": call.request.headers.get("x-ms-client-request-id"),
        "user": _given(given, "user"),
        "safety_identifier": _given(given, "safety_identifier"),
        "url": call.request.url,
        "parameters": given,
    }


def _read_response(response: Any, call: Call) -> dict[str, Any]:
    return {
        "model": _text(response, "model"),
        "response_id": _text(response, "id") or call.context.response_id,
        "usage": _usage(response),
        "service_tier": _text(response, "service_tier"),
        "status": _text(response, "status"),
        "response": response,
    }


def _read_route(routed: RoutedAttempt | None) -> dict[str, Any]:
    if routed is None:
        return {}
    return {
        "deployment_id": routed.deployment_id,
        "group": routed.group,
        "router_attempt": routed.attempt,
    }


def _read_reply(headers: Mapping[str, str], error: BaseException | None) -> dict[str, Any]:
    return {
        "request_id": request_id_of(headers) or _text(error, "request_id"),
        "region": headers.get("x-ms-region") or _text(error, "region"),
        "served_deployment": headers.get("x-ms-deployment-name"),
        "spillover_from": headers.get("x-ms-spillover-from-deployment"),
        "http_status": _http_status(error, headers),
    }


def _text(holder: Any, name: str) -> str | None:
    # Answers are read leniently, so a field can have any type.
    value = getattr(holder, name, None)
    return value if isinstance(value, str) and value else None


def _given(parameters: Mapping[str, Any], name: str) -> str | None:
    value = parameters.get(name)
    return value if isinstance(value, str) else None


def _usage(response: Any) -> Usage | None:
    usage = getattr(response, "usage", None)
    return usage if isinstance(usage, Usage) else None


def _http_status(error: BaseException | None, headers: Mapping[str, str]) -> int | None:
    status = getattr(error, "status_code", None)
    if isinstance(status, int):
        return status
    # Headers that an interrupted call had received say nothing of its end.
    is_answered = bool(headers) and (error is None or isinstance(error, AzureResponsesError))
    return _OK if is_answered else None
