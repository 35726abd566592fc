"""Where an answer stops early."""

from azure_responses.emulator.engine.steps import Plan
from azure_responses.emulator.engine.turn import Turn

__all__ = ["cut_to_limits"]


def cut_to_limits(plan: Plan, turn: Turn) -> None:
    """Cuts the plan at `max_output_tokens` and the model's own limit."""
