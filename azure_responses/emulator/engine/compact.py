"""Compaction of a conversation."""

from typing import Any

from azure_responses.emulator.engine.turn import Turn

__all__ = ["compact"]


def compact(turn: Turn) -> dict[str, Any]:
    """The `response.compaction` object."""
    raise NotImplementedError
