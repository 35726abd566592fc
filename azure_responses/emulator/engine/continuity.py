"""Checks of a turn that need more than its body."""

from azure_responses.emulator.engine.filters import PROMPT_BLOCKED
from azure_responses.emulator.engine.transcript import Transcript
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.engine.turn import Turn
from azure_responses.emulator.refusal import Refusal

__all__ = ["check_turn"]


def check_turn(turn: Turn, transcript: Transcript, input_tokens: int) -> None:
    """Raises Refusal where the service answers 400 instead of a response."""
    if find_trigger(transcript.prompt, "block-prompt") is not None:
        raise Refusal(400, PROMPT_BLOCKED)
