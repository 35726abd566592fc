"""What the reader of a deployment's reply tells, whatever the caller's API makes of it.

`response_events.ResponseEventBuilder` makes a response of it; other callers have
builders of their own.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from azure_responses.bridge.response_events import EndStatus

__all__ = ["CallPart", "MessagePart", "ReasoningPart", "ReplyBuilder"]


class ReasoningPart(Protocol):
    """Reasoning that arrives."""

    @property
    def text(self) -> str:
        """The text so far."""

    def add_text(self, delta: str) -> None:
        """More of the text."""

    def close(self, status: str = "completed", *, encrypted_content: str | None = None) -> None:
        """Nothing more follows."""


class MessagePart(Protocol):
    """A message of the assistant that arrives."""

    def add_text(self, delta: str, logprobs: list[Any] | None = None) -> None:
        """More of the text."""

    def add_refusal(self, delta: str) -> None:
        """More of a refusal."""

    def annotate(self, annotation: Mapping[str, Any]) -> None:
        """A source of the text."""

    def close(self, status: str = "completed") -> None:
        """Nothing more follows."""


class CallPart(Protocol):
    """A call that arrives."""

    @property
    def text(self) -> str:
        """The arguments so far."""

    def add(self, delta: str) -> None:
        """More of the arguments."""

    def close(self, status: str = "completed") -> None:
        """Nothing more follows."""


class ReplyBuilder(Protocol):
    """Makes the caller's reply, whole and as events.

    Attributes:
        final: the whole reply, once it is finished.
    """

    final: dict[str, Any] | None

    @property
    def is_over(self) -> bool:
        """The reply is finished, in order or not."""

    def start(self) -> None:
        """The deployment answers."""

    def begin_reasoning(self, *, with_summary: bool = False) -> ReasoningPart:
        """Reasoning begins."""

    def begin_message(self) -> MessagePart:
        """A message of the assistant begins."""

    def reserve(self) -> int:
        """The next place in the output, for a call of which is not known yet what it is."""

    def begin_call(self, call: Mapping[str, Any], *, place: int | None = None) -> CallPart:
        """A call begins: `type`, `call_id` and `name`."""

    def finish(
        self,
        status: EndStatus,
        *,
        incomplete_reason: str | None = None,
        error: Mapping[str, Any] | None = None,
        usage: Mapping[str, Any] | None = None,
        content_filters: list[dict[str, Any]] | None = None,
        service_tier: str | None = None,
    ) -> dict[str, Any] | None:
        """The reply has ended; `usage` is in the terms of a response."""

    def take(self) -> bytes:
        """The events since the last time."""
