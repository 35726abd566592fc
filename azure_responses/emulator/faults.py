"""Things that go wrong, by name: scripted per request, or drawn with a seed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Literal

from azure_responses.emulator.http_messages import Break, Pause, PlannedReply, ReplyStep
from azure_responses.emulator.limits import retry_headers
from azure_responses.emulator.service_errors import (
    OVERLOADED,
    ServiceError,
    gateway_error,
    invalid_request,
    token_refused,
)

__all__ = [
    "FAULT_KINDS", "FORGETS", "STREAM_FAULTS", "WEBSOCKET_FAULTS", "Fault", "FaultScript",
    "alter_reply", "break_of", "error_of",
]  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and when.

    Attributes:
        kind: a name of `FAULT_KINDS`.
        operation: only for this operation, such as `create`; None is any.
        deployment, resource: only for these names.
        transport: only over `http`, or only over a `websocket`.
        streamed: only for streamed (True) or not streamed (False) requests.
        nth: only from the nth matching request on, counted from 1.
        times: for how many requests; None is one with `nth`, and no end without.
        probability: for so many of the matching requests, drawn with the emulator's seed.
        retry_after: seconds for the Retry-After headers of an error; None sends no such header.
        after_events: how many events (or halves of a JSON body) get through first.
        seconds: length of a silence, of the wait between pieces of a slow body, or of the wait
            before slow headers.
        location: where a redirect points.
        close_code: with which `websocket-close` ends a connection.
    """

    kind: str
    operation: str | None = None
    deployment: str | None = None
    resource: str | None = None
    streamed: bool | None = None
    nth: int | None = None
    times: int | None = None
    probability: float | None = None
    retry_after: float | None = None
    after_events: int = 1
    seconds: float | None = None
    transport: Literal["http", "websocket"] | None = None
    close_code: int = 1011
    location: str = "https://elsewhere.example.com/openai/v1/responses"

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            known = ", ".join(FAULT_KINDS)
            raise ValueError(f"unknown fault {self.kind!r}; known are: {known}")
        if self.transport not in (None, "http", "websocket"):
            raise ValueError("transport is http or websocket")
        if self.nth is not None and self.nth < 1:
            raise ValueError("nth counts requests from 1")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError("probability is a number from 0 to 1")

    def concerns(
        self,
        operation: str,
        resource: str,
        deployment: str | None,
        streamed: bool,
        transport: str = "http",
    ) -> bool:
        """True when the fault applies to a request like this."""
        if self.kind in WEBSOCKET_FAULTS and transport == "http":
            return False
        return (
            self.transport in (None, transport)
            and self.operation in (None, operation)
            and self.resource in (None, resource)
            and self.deployment in (None, deployment)
            and self.streamed in (None, streamed)
        )

    def as_dict(self) -> dict[str, Any]:
        """The fields, for a JSON document."""
        return asdict(self)


class FaultScript:
    """The faults in force. The order they were added in is the order they apply in."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self.clear()

    def add(self, fault: Fault) -> Fault:
        """Script one more fault; the answer is the fault itself."""
        self._faults.append(fault)
        self._seen.append(0)
        self._fired.append(0)
        return fault

    def clear(self) -> None:
        """Take all faults back and start the dice anew."""
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self._fired: list[int] = []
        self._dice = random.Random(f"faults/{self._seed}")

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def __len__(self) -> int:
        return len(self._faults)

    def match(
        self,
        operation: str,
        resource: str,
        deployment: str | None,
        streamed: bool,
        transport: str = "http",
    ) -> list[Fault]:
        """The faults that strike this request; each one counts the requests it is asked about."""
        return [
            fault
            for index, fault in enumerate(self._faults)
            if fault.concerns(operation, resource, deployment, streamed, transport)
            and self._strikes(index)
        ]

    def _strikes(self, index: int) -> bool:
        fault = self._faults[index]
        self._seen[index] += 1
        if fault.nth is not None and self._seen[index] < fault.nth:
            return False
        # "The third request fails" means that the fourth succeeds again.
        times = 1 if fault.times is None and fault.nth is not None else fault.times
        if times is not None and self._fired[index] >= times:
            return False
        # Drawn last: a request that the fault leaves alone uses up no number.
        if fault.probability is not None and self._dice.random() >= fault.probability:
            return False
        self._fired[index] += 1
        return True


# --- before a status line -------------------------------------------------------------------------

# The kinds of `Break`; what an HTTP client raises for each is in `httpx_transport`.
_BREAKS = {
    "connect-refused": "refused",
    "dns-failure": "unresolved",
    "reset-before-headers": "reset",
    "disconnect-before-headers": "disconnected",
    "reset-during-headers": "headers",
    "stall-before-headers": "stall",
}


def break_of(fault: Fault) -> Break | None:
    """How the connection fails before anything is answered; None where it does not."""
    kind = _BREAKS.get(fault.kind)
    if kind is None:
        return None
    return Break(kind, 600.0 if fault.seconds is None else fault.seconds)


# --- instead of an answer -------------------------------------------------------------------------


def _plain(status: int, code: str, message: str) -> Callable[[Fault], ServiceError]:
    return lambda fault: gateway_error(status, code, message, retry_headers(fault.retry_after))


def _peak(fault: Fault) -> ServiceError:
    # The text names seconds also where no header does.
    wait = 20 if fault.retry_after is None else fault.retry_after
    message = (
        "The system is currently experiencing high demand and cannot process your request. Your "
        "request exceeds the maximum usage size allowed during peak load. Please retry after "
        f"{wait:g} seconds. For improved latency reliability, consider switching to Provisioned "
        "Throughput."
    )
    return _plain(429, "429", message)(fault)


def _overloaded(fault: Fault) -> ServiceError:
    return ServiceError(500, {"error": OVERLOADED}, retry_headers(fault.retry_after))


def _too_many(fault: Fault) -> ServiceError:
    message = "Too Many Requests"
    if fault.retry_after is not None:
        message += f". Please retry after {fault.retry_after:g} seconds."
    return _plain(429, "429", message)(fault)


_ERRORS: dict[str, Callable[[Fault], ServiceError]] = {
    # What agent-framework #5618 saw where the image header was missing.
    "http-400": lambda _: invalid_request(
        "There was an issue with your request. Please check your inputs and try again"
    ),
    "http-408": _plain(408, "Timeout", "The operation was timeout."),
    "http-426": lambda _: ServiceError(426, {}),
    "http-429": _too_many,
    "http-429-peak": _peak,
    "http-500": _plain(500, "InternalServerError", "Unable to get resource information."),
    "http-500-overloaded": _overloaded,
    # No recorded body: an assumption.
    "http-503": _plain(503, "ServiceUnavailable", "The service is temporarily unavailable."),
    # Anthropic's "overloaded".
    "http-529": _plain(529, "529", "Overloaded"),
    "token-expired": lambda _: token_refused(),
    "responses-unavailable": lambda _: invalid_request(
        "Invalid URL (POST /v1/responses)", status=404
    ),
}


def error_of(fault: Fault) -> ServiceError | None:
    """The error a fault answers with instead of serving; None where it does not."""
    make = _ERRORS.get(fault.kind)
    return make(fault) if make else None


# --- in what is answered --------------------------------------------------------------------------

_BAD_GATEWAY = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)
_LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>"
_HTML = ("content-type", "text/html")
_BROKEN_EVENT = b'event: response.output_text.delta\ndata: {"type":"response.output_\n\n'


def _pieces(reply: PlannedReply) -> Iterator[ReplyStep]:
    if reply.steps is not None:
        return reply.steps
    # A body in one piece could not break in its middle.
    half = len(reply.content) // 2
    return iter((reply.content[:half], reply.content[half:]))


def _insert(
    reply: PlannedReply, count: int, *extra: ReplyStep, goes_on: bool = False
) -> PlannedReply:
    """After `count` pieces come the `extra` steps, and the rest of the pieces if it `goes_on`."""

    def changed(steps: Iterator[ReplyStep]) -> Iterator[ReplyStep]:
        sent = 0
        while sent < count:
            step = next(steps, None)
            if step is None:
                return
            sent += isinstance(step, bytes)
            yield step
        yield from extra
        if goes_on:
            yield from steps

    reply.steps = changed(_pieces(reply))
    return reply


def _end(kind: str, fault: Fault) -> Break:
    return Break(kind, 600.0 if fault.seconds is None else fault.seconds)


def _stall(reply: PlannedReply, fault: Fault) -> PlannedReply:
    """Silence, and then the rest where `seconds` is given; without it, silence to the end."""
    # Far beyond any read timeout; a break of 600 seconds ends tests that have none.
    if fault.seconds is None:
        return _insert(reply, fault.after_events, _end("stall", fault))
    return _insert(reply, fault.after_events, Pause(fault.seconds), goes_on=True)


def _slow(reply: PlannedReply, fault: Fault) -> PlannedReply:
    pause = Pause(1.0 if fault.seconds is None else fault.seconds)
    reply.steps = chain.from_iterable((pause, step) for step in _pieces(reply))
    return reply


def _delay(reply: PlannedReply, fault: Fault) -> PlannedReply:
    reply.delay += 1.0 if fault.seconds is None else fault.seconds
    return reply


def _malformed_json(reply: PlannedReply, _fault: Fault) -> PlannedReply:
    if reply.steps is not None:
        return _insert(reply, 0, _BROKEN_EVENT, goes_on=True)
    # A trailing comma: most of the body is there, and a lenient reader might take it.
    reply.content = reply.content[:-1] + b",}"
    return reply


def _empty(reply: PlannedReply, _fault: Fault) -> PlannedReply:
    reply.content, reply.steps = b"", None
    return reply


def _without_type(reply: PlannedReply, _fault: Fault) -> PlannedReply:
    reply.headers = [pair for pair in reply.headers if pair[0] != "content-type"]
    return reply


def _page(status: int, content: bytes) -> Callable[[PlannedReply, Fault], PlannedReply]:
    return lambda _reply, _fault: PlannedReply(status, [_HTML], content)


# How each of them changes the reply; the headers are sent already where a connection breaks.
_ALTERATIONS: dict[str, Callable[[PlannedReply, Fault], PlannedReply]] = {
    "reset-after-headers": lambda reply, fault: _insert(reply, 0, _end("reset", fault)),
    "reset-mid-body": lambda reply, fault: _insert(reply, fault.after_events, _end("reset", fault)),
    "incomplete-body": lambda reply, fault: _insert(
        reply, fault.after_events, _end("incomplete", fault)
    ),
    "truncate": lambda reply, fault: _insert(reply, fault.after_events),
    "stall": _stall,
    "slow-body": _slow,
    "slow-headers": _delay,
    "websocket-close": lambda reply, fault: _insert(
        reply, fault.after_events, Break("close", code=fault.close_code)
    ),
    "websocket-half-open": lambda reply, fault: _insert(
        reply, fault.after_events, _end("half-open", fault)
    ),
    "malformed-json": _malformed_json,
    "malformed-event": lambda reply, fault: _insert(
        reply, fault.after_events, _BROKEN_EVENT, goes_on=True
    ),
    "empty-body": _empty,
    "no-content-type": _without_type,
    "html-502": _page(502, _BAD_GATEWAY),
    "html-200": _page(200, _LOGIN_PAGE),
    "redirect": lambda _, fault: PlannedReply(307, [("location", fault.location)]),
}

STREAM_FAULTS = (
    "stream-429-A",
    "stream-429-B",
    "stream-429-C",
    "stream-500",
    "stream-500-flat",
    "stream-529",
    "stream-context-length",
    "stream-no-deployment",
    "stream-too-many-requests",
    "stream-uncoded",
)
FORGETS = "websocket-forget"
# Requests over HTTP do not meet these.
WEBSOCKET_FAULTS = (FORGETS, "websocket-close", "websocket-half-open")
FAULT_KINDS = (*_BREAKS, *_ERRORS, *_ALTERATIONS, *STREAM_FAULTS, FORGETS)


# Here the body that was announced begins, and does not end.
_KEEPS_LENGTH = (
    "reset-after-headers",
    "reset-mid-body",
    "incomplete-body",
    "stall",
    "slow-body",
    "slow-headers",
)


def _alter(
    reply: PlannedReply, fault: Fault, alter: Callable[[PlannedReply, Fault], PlannedReply]
) -> PlannedReply:
    is_download = any(name == "content-length" for name, _ in reply.headers)
    if is_download and fault.kind == "truncate":
        # A body with a length cannot end early and be whole.
        return _insert(reply, fault.after_events, _end("incomplete", fault))
    if is_download and fault.kind not in _KEEPS_LENGTH:
        reply.headers = [pair for pair in reply.headers if pair[0] != "content-length"]
    return alter(reply, fault)


def alter_reply(reply: PlannedReply, faults: list[Fault]) -> PlannedReply:
    """The reply with every fault that concerns its body applied, in order."""
    for fault in faults:
        alter = _ALTERATIONS.get(fault.kind)
        if alter is not None:
            reply = _alter(reply, fault, alter)
    return reply
