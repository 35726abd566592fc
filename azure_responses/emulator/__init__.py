"""An Azure OpenAI Responses API that runs on a laptop. It shares no code with the client."""

from azure_responses.emulator.assumptions import Assumptions
from azure_responses.emulator.clock import Clock
from azure_responses.emulator.faults import FAULT_KINDS, Fault
from azure_responses.emulator.latency import Latency, ReadLag
from azure_responses.emulator.resources import Deployment, Resource
from azure_responses.emulator.service import Emulator

__all__ = [
    "Assumptions",
    "Clock",
    "Deployment",
    "Emulator",
    "FAULT_KINDS",
    "Fault",
    "Latency",
    "ReadLag",
    "Resource",
]
