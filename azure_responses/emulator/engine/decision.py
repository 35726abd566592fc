"""Which steps answer a turn."""

from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.messages import write_message
from azure_responses.emulator.engine.replies import compose
from azure_responses.emulator.engine.steps import Plan

__all__ = ["decide"]


def decide(draft: Draft) -> Plan:
    """The plan for a draft."""
    return Plan([write_message(draft, compose(draft.transcript))])
