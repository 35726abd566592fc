"""Chat completions, on deployments that offer them."""

from typing import Any

from azure_responses.emulator.engine.turn import Turn

__all__ = ["chat"]


def chat(turn: Turn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The completion and its chunks."""
    raise NotImplementedError
