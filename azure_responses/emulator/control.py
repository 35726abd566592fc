"""The control API under `/_emulator/`, for tests in other languages."""

import json
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from azure_responses.emulator.faults import Fault, FaultScript
from azure_responses.emulator.http_messages import (
    UPGRADE,
    PlannedReply,
    ReceivedRequest,
    json_reply,
)
from azure_responses.emulator.timing import Clock
from azure_responses.emulator.token_issuer import TokenIssuer
from azure_responses.emulator.webhook_sender import WebhookSender

__all__ = [
    "Controlled", "LoggedRequest", "RequestLog", "answer_control", "is_control",
]  # fmt: skip

_SECRET_HEADERS = (
    "api-key",
    "authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "x-api-key",
)
# Keys and signatures that callers put into the query by mistake.
_SECRET_QUERY = re.compile(r"((?:api-key|key|token|sig|code)=)[^&]*", re.IGNORECASE)
_REDACTED = "REDACTED"


@dataclass(slots=True)
class LoggedRequest:
    """One request, or one turn of a WebSocket, whose `body` is then the frame that was sent.

    `status` is 0 where the connection was broken instead of answered, and 101 for a handshake.
    `transport` is `http` or `websocket`.

    `resource` and `operation` are None where the request led nowhere.
    """

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int = 0
    resource: str | None = None
    operation: str | None = None
    deployment: str | None = None
    transport: str = "http"
    faults: list[str] = field(default_factory=list)

    def json(self) -> Any:
        """The body's JSON; raises ValueError for a body that is not JSON."""
        return json.loads(self.body)

    def as_dict(self) -> dict[str, Any]:
        """The entry as the control API shows it, its body as text."""
        shown = {item.name: getattr(self, item.name) for item in fields(self)}
        body = self.body.decode("utf-8", "replace")
        return {**shown, "headers": dict(self.headers), "body": body}


class RequestLog:
    """The last requests, oldest first: at most `size`, with bodies of `most_bytes` in all."""

    def __init__(self, size: int = 1000, most_bytes: int = 64 * 1024 * 1024) -> None:
        self._entries: deque[LoggedRequest] = deque()
        self._size = size
        self._most_bytes = most_bytes
        self._bytes = 0

    def add(self, received: ReceivedRequest) -> LoggedRequest:
        """Note a request, its secrets struck out; the status follows with the answer."""
        headers = {
            name: _redact(name, value) if name in _SECRET_HEADERS else value
            for name, value in received.headers.items()
        }
        query = _SECRET_QUERY.sub(rf"\1{_REDACTED}", received.query) if received.query else ""
        method, turn = received.method, received.turn
        entry = LoggedRequest(
            "GET" if method == UPGRADE else method,
            received.host,
            received.path,
            query,
            headers,
            turn.frame if turn else received.body,
            transport="websocket" if turn or method == UPGRADE else "http",
        )
        self._entries.append(entry)
        self._bytes += len(entry.body)
        # The newest stays, however large: its status is still to come.
        while len(self._entries) > max(1, self._size) or self._is_too_large():
            self._bytes -= len(self._entries.popleft().body)
        return entry

    def _is_too_large(self) -> bool:
        return self._bytes > self._most_bytes and len(self._entries) > 1

    def clear(self) -> None:
        """Forget every request."""
        self._entries.clear()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[LoggedRequest]:
        return iter(self._entries)

    def __getitem__(self, index: int) -> LoggedRequest:
        return self._entries[index]


def _redact(name: str, value: str) -> str:
    """The scheme of `Authorization` stays, as tests ask which one was used."""
    scheme, blank, _ = value.partition(" ")
    return f"{scheme} {_REDACTED}" if name == "authorization" and blank else _REDACTED


_PREFIX = "/_emulator/"


class Controlled(Protocol):
    """What is controlled of an emulator."""

    clock: Clock
    faults: FaultScript
    issuer: TokenIssuer
    requests: RequestLog
    webhooks: WebhookSender

    def reset(self) -> None:
        """Forget what callers have left behind."""


class _InvalidControl(Exception):
    """The control request is invalid; the message says what is valid."""


def is_control(received: ReceivedRequest) -> bool:
    """True for a path of the control API."""
    return received.path.startswith(_PREFIX)


def answer_control(emulator: Controlled, received: ReceivedRequest) -> PlannedReply:
    """The reply to a control request: 200 with JSON, 400 or 404 with a message."""
    # Not logged, and free of faults: a test must be able to look at them.
    key = f"{received.method} {received.path.removeprefix(_PREFIX)}"
    action = _ACTIONS.get(key)
    if action is None:
        known = ", ".join(_ACTIONS)
        return json_reply({"error": f"no such control: {key}; there are: {known}"}, 404)
    try:
        return json_reply(action(emulator, _body(received)))
    except _InvalidControl as wrong:
        return json_reply({"error": str(wrong)}, 400)


def _body(received: ReceivedRequest) -> dict[str, Any]:
    if not received.body:
        return {}
    try:
        body = json.loads(received.body)
    except (ValueError, RecursionError) as error:
        raise _InvalidControl(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _InvalidControl("the body must be a JSON object")
    return body


def _add_faults(emulator: Controlled, body: dict[str, Any]) -> None:
    """One fault, or several under `faults`."""
    several = body.get("faults", [body])
    if not isinstance(several, list):
        raise _InvalidControl("faults is not a list")
    for fields_given in several:
        try:
            emulator.faults.add(Fault(**fields_given))
        except (TypeError, ValueError) as error:
            raise _InvalidControl(str(error).replace("Fault.__init__() ", "")) from None


def _set_clock(emulator: Controlled, body: dict[str, Any]) -> None:
    """`freeze` (true, or a unix time), `run` (true), `advance` (seconds), in this order."""
    unknown = body.keys() - {"freeze", "run", "advance"}
    if unknown:
        raise _InvalidControl(f"unknown {sorted(unknown)}; the clock takes freeze, run and advance")
    try:
        if body.get("freeze"):
            emulator.clock.freeze(None if body["freeze"] is True else float(body["freeze"]))
        if body.get("run"):
            emulator.clock.run()
        emulator.clock.advance(float(body.get("advance", 0)))
    except (TypeError, ValueError) as error:
        raise _InvalidControl(str(error)) from None


def _mint_token(emulator: Controlled, body: dict[str, Any]) -> str:
    try:
        return emulator.issuer.mint(**body)
    except TypeError as error:
        raise _InvalidControl(str(error).replace("TokenIssuer.mint() ", "")) from None


def _show_faults(emulator: Controlled) -> dict[str, Any]:
    return {"faults": [fault.as_dict() for fault in emulator.faults]}


def _show_requests(emulator: Controlled) -> dict[str, Any]:
    return {"requests": [entry.as_dict() for entry in emulator.requests]}


def _show_clock(emulator: Controlled) -> dict[str, Any]:
    return {"now": emulator.clock.now(), "frozen": emulator.clock.is_frozen}


Action = Callable[[Controlled, dict[str, Any]], dict[str, Any]]


def _then(
    change: Callable[[Controlled, dict[str, Any]], object],
    show: Callable[[Controlled], dict[str, Any]],
) -> Action:
    def act(emulator: Controlled, body: dict[str, Any]) -> dict[str, Any]:
        change(emulator, body)
        return show(emulator)

    return act


# What changes something answers with what it has become.
_ACTIONS: dict[str, Action] = {
    "GET faults": lambda emulator, _: _show_faults(emulator),
    "POST faults": _then(_add_faults, _show_faults),
    "DELETE faults": _then(lambda emulator, _: emulator.faults.clear(), _show_faults),
    "GET requests": lambda emulator, _: _show_requests(emulator),
    "DELETE requests": _then(lambda emulator, _: emulator.requests.clear(), _show_requests),
    "GET deliveries": lambda emulator, _: {
        "deliveries": [delivery.as_dict() for delivery in emulator.webhooks.deliveries]
    },
    "GET clock": lambda emulator, _: _show_clock(emulator),
    "POST clock": _then(_set_clock, _show_clock),
    "POST token": lambda emulator, body: {"token": _mint_token(emulator, body)},
    "POST reset": _then(lambda emulator, _: emulator.reset(), lambda _: {"reset": True}),
}
