"""How many tokens a request will take, near enough to reserve them."""

from collections.abc import Mapping
from typing import Any

__all__ = ["estimate_input_tokens", "estimate_output_tokens"]


def estimate_input_tokens(body: Mapping[str, Any]) -> int:
    """Tokens of a body's input, instructions and tools, for Responses and chat alike."""
    raise NotImplementedError


def estimate_output_tokens(body: Mapping[str, Any]) -> int:
    """What the body allows for output, or a usual length when it sets no limit."""
    raise NotImplementedError
