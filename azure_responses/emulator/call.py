"""One request on its way through the emulator: who is asked, for what, with which faults."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from math import isinf
from typing import Any, Never
from urllib.parse import parse_qsl

from pydantic_core import to_json

from azure_responses.emulator.account import Account
from azure_responses.emulator.exchange import Received
from azure_responses.emulator.faults import STREAM_FAULTS, Fault, FaultScript, refusal_of
from azure_responses.emulator.refusals import invalid_json
from azure_responses.emulator.surface import Route

__all__ = ["Call"]


@dataclass
class Call:
    """What an operation is given."""

    account: Account
    route: Route
    received: Received
    script: FaultScript
    faults: list[Fault] = field(default_factory=list)

    @property
    def now(self) -> float:
        """Unix seconds by the emulator's clock."""
        return self.account.clock.now()

    @property
    def api_version(self) -> str | None:
        """The dated version, None on the other surfaces."""
        return self.route.api_version if self.route.surface == "dated" else None

    @cached_property
    def parsed(self) -> Any:
        """The body's JSON whatever it is; None where it is not JSON.

        Half a surrogate pair is not: the service says that it could not parse such a body. Nor is
        what is nested deeper than anybody reads.
        """
        try:
            parsed = json.loads(
                self.received.body, parse_constant=_refuse_constant, parse_float=_read_float
            )
            # No reply could repeat half a pair, nor so many levels inside its own.
            to_json([[[[[[[[parsed]]]]]]]])
        except (ValueError, RecursionError):
            return None
        return parsed

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object sent; raises Refusal (400) where the body is not one."""
        parsed = self.parsed
        if not isinstance(parsed, dict):
            raise invalid_json()
        return parsed

    @property
    def optional_body(self) -> dict[str, Any]:
        """The same, where an empty body stands for an empty object."""
        return self.body if self.received.body else {}

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query; of one given twice, the last."""
        return dict(parse_qsl(self.received.query))

    @cached_property
    def deployment_name(self) -> Any:
        """What the caller asked for by name, before anything is checked."""
        operation = self.route.operation
        if operation == "chat" and self.route.surface == "dated":
            return self.route.ids[0]
        if operation in ("create", "chat", "compact") and isinstance(self.parsed, dict):
            return self.parsed.get("model")
        return None

    @property
    def is_streamed(self) -> bool:
        """True where the caller asked for events."""
        if self.route.operation == "retrieve":
            return self.query.get("stream") == "true"
        parsed = self.parsed if self.route.operation in ("create", "chat") else None
        return isinstance(parsed, dict) and parsed.get("stream") is True

    def match_faults(self, deployment: str | None) -> list[Fault]:
        """The faults that strike this call on that deployment; counts it as a request."""
        if not len(self.script):
            return []
        resource = self.account.resource.name
        return self.script.match(self.route.operation, resource, deployment, self.is_streamed)

    def refuse_by_fault(self) -> None:
        """Raise the refusal of the first fault that has one."""
        for fault in self.faults:
            refusal = refusal_of(fault)
            if refusal is not None:
                raise refusal

    def stream_fault(self) -> Fault | None:
        """The fault that makes a 200 stream fail, if any."""
        return next((fault for fault in self.faults if fault.kind in STREAM_FAULTS), None)


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not JSON")


def _read_float(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError(digits)
    return number
