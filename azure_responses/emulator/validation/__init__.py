"""Request bodies judged as the service judges them, with its error bodies."""

from azure_responses.emulator.models import Model

__all__ = ["validate_chat", "validate_compact", "validate_create"]


def validate_create(body: object, model: Model, *, surface: str) -> None:
    """Raises Refusal where a create body is not acceptable."""


def validate_chat(body: object, model: Model) -> None:
    """Raises Refusal where a chat completions body is not acceptable."""


def validate_compact(body: object, model: Model) -> None:
    """Raises Refusal where a compact body is not acceptable."""
