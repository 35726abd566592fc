"""What an answer consists of before it is written as events: a plan of steps."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Plan", "Step"]


@dataclass
class Step:
    """One output item.

    Attributes:
        item: the item as the finished response lists it.
        sealed: what the item's `encrypted_content` holds; every event encrypts it anew.
        partial_images: base64 images shown before the last.
        tokens: output tokens the item cost.
        reasoning_tokens: those of them that were spent on reasoning.
    """

    item: dict[str, Any]
    sealed: dict[str, Any] | None = None
    partial_images: list[str] = field(default_factory=list)
    tokens: int = 0
    reasoning_tokens: int = 0


@dataclass
class Plan:
    """The steps and how the response ends.

    Attributes:
        status: `completed`, `incomplete` or `failed`.
        reason: why it is incomplete, as `incomplete_details.reason`.
        error: what a failed response's `error` holds.
        is_blocked: the content filter stopped the output.
    """

    steps: list[Step] = field(default_factory=list)
    status: str = "completed"
    reason: str | None = None
    error: dict[str, Any] | None = None
    is_blocked: bool = False
