"""What the engine says: the first rule that fits the prompt."""

from azure_responses.emulator.engine.transcript import Transcript

__all__ = ["compose"]


def compose(transcript: Transcript, verbosity: str = "medium") -> str:
    """The text of the answer."""
    return f"You said: {transcript.prompt}"
