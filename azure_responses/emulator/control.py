"""The control API under `/_emulator/`, for tests in other languages."""

import json
from collections.abc import Callable
from typing import Any, Protocol

from azure_responses.emulator.clock import Clock
from azure_responses.emulator.exchange import Received, Reply, json_reply
from azure_responses.emulator.faults import Fault, FaultScript
from azure_responses.emulator.issuer import Issuer
from azure_responses.emulator.request_log import RequestLog

__all__ = ["Controlled", "answer_control", "is_control"]

_PREFIX = "/_emulator/"


class Controlled(Protocol):
    """What is controlled of an emulator."""

    clock: Clock
    faults: FaultScript
    issuer: Issuer
    requests: RequestLog

    def reset(self) -> None:
        """Forget what callers have left behind."""


class _Wrong(Exception):
    """The control request makes no sense; the message says what would."""


def is_control(received: Received) -> bool:
    """True for a path of the control API."""
    return received.path.startswith(_PREFIX)


def answer_control(emulator: Controlled, received: Received) -> Reply:
    """The reply to a control request: 200 with JSON, 400 or 404 with a message."""
    key = f"{received.method} {received.path.removeprefix(_PREFIX)}"
    action = _ACTIONS.get(key)
    if action is None:
        known = ", ".join(_ACTIONS)
        return json_reply({"error": f"no such control: {key}; there are: {known}"}, 404)
    try:
        return json_reply(action(emulator, _body(received)))
    except _Wrong as wrong:
        return json_reply({"error": str(wrong)}, 400)


def _body(received: Received) -> dict[str, Any]:
    if not received.body:
        return {}
    try:
        body = json.loads(received.body)
    except (ValueError, RecursionError) as error:
        raise _Wrong(f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _Wrong("the body must be a JSON object")
    return body


def _list_faults(emulator: Controlled, _body: dict[str, Any]) -> dict[str, Any]:
    return {"faults": [fault.as_dict() for fault in emulator.faults]}


def _add_faults(emulator: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    """One fault, or several under `faults`."""
    several = body.get("faults", [body])
    if not isinstance(several, list):
        raise _Wrong("faults is not a list")
    for fields in several:
        try:
            emulator.faults.add(Fault(**fields))
        except (TypeError, ValueError) as error:
            raise _Wrong(str(error).replace("Fault.__init__() ", "")) from None
    return _list_faults(emulator, body)


def _clear_faults(emulator: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    emulator.faults.clear()
    return _list_faults(emulator, body)


def _list_requests(emulator: Controlled, _body: dict[str, Any]) -> dict[str, Any]:
    return {"requests": [entry.as_dict() for entry in emulator.requests]}


def _clear_requests(emulator: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    emulator.requests.clear()
    return _list_requests(emulator, body)


def _show_clock(emulator: Controlled, _body: dict[str, Any]) -> dict[str, Any]:
    return {"now": emulator.clock.now(), "frozen": emulator.clock.is_frozen}


def _set_clock(emulator: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    """`freeze` (true, or a unix time), `run` (true), `advance` (seconds), in this order."""
    unknown = body.keys() - {"freeze", "run", "advance"}
    if unknown:
        raise _Wrong(f"unknown {sorted(unknown)}; the clock takes freeze, run and advance")
    try:
        if body.get("freeze"):
            emulator.clock.freeze(None if body["freeze"] is True else float(body["freeze"]))
        if body.get("run"):
            emulator.clock.run()
        emulator.clock.advance(float(body.get("advance", 0)))
    except (TypeError, ValueError) as error:
        raise _Wrong(str(error)) from None
    return _show_clock(emulator, body)


def _mint_token(emulator: Controlled, body: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"token": emulator.issuer.mint(**body)}
    except TypeError as error:
        raise _Wrong(str(error).replace("Issuer.mint() ", "")) from None


def _reset(emulator: Controlled, _body: dict[str, Any]) -> dict[str, Any]:
    emulator.reset()
    return {"reset": True}


_ACTIONS: dict[str, Callable[[Controlled, dict[str, Any]], dict[str, Any]]] = {
    "GET faults": _list_faults,
    "POST faults": _add_faults,
    "DELETE faults": _clear_faults,
    "GET requests": _list_requests,
    "DELETE requests": _clear_requests,
    "GET clock": _show_clock,
    "POST clock": _set_clock,
    "POST token": _mint_token,
    "POST reset": _reset,
}
