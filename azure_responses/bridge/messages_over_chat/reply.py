"""The reply of a chat deployment as the message that a Messages caller gets.

`responses_over_chat` reads such replies; here is what it tells.
"""

from collections.abc import Mapping
from typing import Any

from azure_responses.bridge.message_reply import MessageReply
from azure_responses.bridge.message_request import MessagesRequest
from azure_responses.bridge.response_events import EndStatus
from azure_responses.protocol.conversion import ConversionContext

__all__ = ["MessageBuilder"]


class _Part:
    """A part of the reply: its place, and its text."""

    def __init__(self, reply: MessageReply, place: int) -> None:
        self._reply = reply
        self.place = place
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._pieces)


class _ReasoningPart(_Part):
    def __init__(self, reply: MessageReply, place: int, *, carries: bool) -> None:
        super().__init__(reply, place)
        self._carries = carries

    def add_text(self, delta: str) -> None:
        """More of the text."""
        self._pieces.append(delta)
        self._reply.add_thinking(self.place, delta)

    def close(self, status: str = "completed", *, encrypted_content: str | None = None) -> None:
        """Nothing more follows."""
        # Families such as DeepSeek want their reasoning back beside the calls, so a caller who did
        # not ask for thinking carries it, too.
        if self._carries and self._reply.hides_thinking:
            self._reply.carry(encrypted_content or "")
        else:
            self._reply.finish_thinking(self.place, encrypted_content or "")


class _MessagePart(_Part):
    _annotations = 0

    def add_text(self, delta: str, logprobs: list[Any] | None = None) -> None:
        """More of the text; Messages has no log probabilities."""
        self._reply.add_text(self.place, delta)

    def add_refusal(self, delta: str) -> None:
        """More of a refusal."""
        # A place of its own: a message may hold a text and a refusal.
        self._reply.add_text((self.place, "refusal"), delta, is_refusal=True)

    def annotate(self, annotation: Mapping[str, Any]) -> None:
        """A source of the text."""
        self._reply.annotate(self.place, annotation, self._annotations)
        self._annotations += 1

    def close(self, status: str = "completed") -> None:
        """Nothing more follows."""
        self._reply.complete_text(self.place, None)


class _CallPart(_Part):
    def add(self, delta: str) -> None:
        """More of the arguments."""
        self._pieces.append(delta)
        self._reply.add_arguments(self.place, delta)

    def close(self, status: str = "completed") -> None:
        """Nothing more follows."""
        self._reply.finish_call(self.place)


class MessageBuilder:
    """Makes the message, and its events; a `ReplyBuilder`.

    Attributes:
        final: the whole message, once it is finished.
        error: what the reply reported instead.
    """

    def __init__(
        self,
        request: MessagesRequest,
        stop_sequences: tuple[str, ...],
        context: ConversionContext,
    ) -> None:
        self.final: dict[str, Any] | None = None
        self.error: Mapping[str, Any] | None = None
        self._reply = MessageReply(request, context.new_id, stop_sequences)
        self._model = context.deployment
        self._carries = context.facts.takes_reasoning_content
        self._places = 0

    @property
    def is_over(self) -> bool:
        """The reply is finished, in order or not."""
        return self._reply.writer.is_over

    def start(self) -> None:
        """The deployment answers."""
        self._reply.start(self._model)

    def reserve(self) -> int:
        """The next place."""
        self._places += 1
        return self._places

    def begin_reasoning(self, *, with_summary: bool = False) -> _ReasoningPart:
        """Reasoning begins."""
        return _ReasoningPart(self._reply, self.reserve(), carries=self._carries)

    def begin_message(self) -> _MessagePart:
        """A message of the assistant begins."""
        return _MessagePart(self._reply, self.reserve())

    def begin_call(self, call: Mapping[str, Any], *, place: int | None = None) -> _CallPart:
        """A call begins."""
        part = _CallPart(self._reply, self.reserve() if place is None else place)
        self._reply.begin_call(part.place, call.get("call_id"), str(call.get("name") or ""))
        return part

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
        """The reply has ended."""
        if status == "failed":
            self.error = error or {}
            self._reply.fail(error)
        else:
            self.start()
            self._reply.finish(status, incomplete_reason, usage)
            self.final = self._reply.writer.final
        return self.final

    def take(self) -> bytes:
        """The events since the last time."""
        return self._reply.writer.take()
