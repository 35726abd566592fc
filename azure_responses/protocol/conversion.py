"""What carries a call of one API over a deployment that speaks another.

A caller uses the Responses API, chat completions or Messages; a deployment speaks one of the three.
Where the two agree, bytes pass as they are. Elsewhere one `Conversion` is made for each call: it
writes the body that the deployment gets, and reads the reply back into the caller's API, whole or
as a stream. The bridges (`bridge.responses_over_chat`, …) are its kinds. One conversion carries a
call, never two in a row: what the first cannot express the second could not restore.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

__all__ = ["APIName", "Conversion", "ConversionContext", "Sealer", "StreamConversion"]

APIName = Literal["responses", "chat", "messages"]
"""What a deployment speaks, and what a caller uses."""


class Sealer(Protocol):
    """Encrypts what only we may read again, such as the reasoning of a model."""

    def seal(self, family: str, content: Mapping[str, Any]) -> str:
        """Text for `encrypted_content`; only `open` with the same family reads it."""

    def open(self, family: str, text: str) -> dict[str, Any] | None:
        """What was sealed for this family; None for foreign or damaged text."""


class ConversionContext(NamedTuple):
    """What a conversion knows beside the request.

    Attributes:
        deployment: the name sent as `model`.
        facts: what the deployment's model accepts: an entry of `protocol.families`.
        drops_params: parameters that cannot be sent are left out with a warning, not refused.
        sealer: for reasoning that a caller carries from turn to turn.
        new_id: makes an id with a given prefix, such as "msg_"; the pure parts have no source of
            randomness.
        now: unix seconds.
        max_output_tokens: the most the model can write, where that is known.
        hosted_history: what becomes of earlier calls of hosted tools: left out with a warning, or
            told to the model as text.
    """

    deployment: str
    facts: Any
    sealer: Sealer
    new_id: Callable[[str], str]
    now: float
    drops_params: bool = False
    max_output_tokens: int | None = None
    hosted_history: Literal["omit", "text"] = "omit"


class StreamConversion(Protocol):
    """The state of one stream, from the deployment's events to the caller's.

    Attributes:
        final: the whole reply in the caller's API, once the ending event has been returned.
    """

    final: dict[str, Any] | None

    def receive(self, chunk: bytes) -> bytes:
        """Server-sent events of the caller's API for bytes of the deployment's stream."""

    def end(self) -> bytes:
        """The events that are due when the deployment's stream has ended, in order or not."""


class Conversion(Protocol):
    """One call, from the caller's API to the deployment's and back.

    Attributes:
        caller, upstream: the two APIs.
        warnings: what was left out, one sentence each; complete after `write`.
        input_items: what a Responses caller sent, as stored items with ids; complete after `write`.
            Empty for other callers.
    """

    caller: APIName
    upstream: APIName
    warnings: tuple[str, ...]
    input_items: list[dict[str, Any]]

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The body that is sent.

        Args:
            history: the items (input and output, the oldest first) of the responses that a
                Responses caller continues by `previous_response_id`.

        Raises:
            ConfigurationError: the request holds what the deployment cannot do.
            BadRequestError: the request is invalid by the rules of the caller's API.
        """

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The reply in the caller's API.

        Raises:
            ValueError: the body is no reply of the deployment's API.
        """

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """The body to send once more, after the deployment refused what was written as too long.

        The oldest whole turns are left out, for a Responses caller with `truncation: "auto"`. None
        where the caller did not ask for that, or nothing can be left out.

        Args:
            message: of the refusal: it often says how much too long the request was.
        """

    def stream(self) -> StreamConversion:
        """Made once, after `write`, for a call whose reply is a stream."""
