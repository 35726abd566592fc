"""An Azure OpenAI Responses API that runs on a laptop. It shares no code with the client."""

from typing import TYPE_CHECKING, Any
from warnings import warn

from azure_responses.emulator.faults import FAULT_KINDS, Fault
from azure_responses.emulator.resources import (
    Assumptions,
    EmulatedAgent,
    EmulatedDeployment,
    Resource,
)
from azure_responses.emulator.service import Emulator
from azure_responses.emulator.timing import BatchTiming, Clock, Latency, ReadLag
from azure_responses.emulator.websocket_mode import WebSocketMode

__all__ = [
    "Assumptions",
    "BatchTiming",
    "Clock",
    "EmulatedAgent",
    "EmulatedDeployment",
    "Emulator",
    "FAULT_KINDS",
    "Fault",
    "Latency",
    "ReadLag",
    "Resource",
    "WebSocketMode",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        # The routing and the pricing have a `Deployment` each, too.
        if name != "Deployment":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        warn(f"{__name__}.Deployment is now EmulatedDeployment.", DeprecationWarning, 2)
        return EmulatedDeployment
