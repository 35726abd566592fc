"""What a routed stream has come to, for whoever settles it."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from weakref import finalize

from pydantic import ValidationError

from azure_responses.errors import APITimeoutError, AzureResponsesError, StreamInterruptedError
from azure_responses.protocol.stream_events import FAILING, OPENING
from azure_responses.router.attempts import OpenAttempt, Routed
from azure_responses.routing.id_rewriter import IdRewriter
from azure_responses.routing.purge_ledger import LedgerEntry
from azure_responses.routing.route_request import Outcome
from azure_responses.types.result import Result
from azure_responses.types.usage import Usage

__all__ = [
    "OpenStream",
    "StreamOutcome",
    "finished",
    "label_error",
    "late_opening",
    "outcome_of",
    "outcome_of_stored",
    "response_of",
]

# Before any output the content filter may have left nothing of an answer.
_CUT_SHORT = "response.incomplete"


class OpenStream(Protocol):
    """What a outcome_so_far asks of a stream."""

    @property
    def response_id(self) -> str | None:
        """As the service knows it."""

    @property
    def final_response(self) -> Any:
        """The finished response, or None."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the reply."""


class StreamOutcome:
    """Follows one stream and tells its open_attempt, once there is one, how it ends.

    Args:
        is_background: the service goes on without us, and the first events say how to find it.
        counts_tokens: False for a stored response, whose tokens were counted when it was made.
        entry_of: makes the ledger's entry of a response id, or None for one not to be remembered.
        remember: puts an entry into the ledger.
    """

    def __init__(
        self,
        *,
        is_background: bool,
        counts_tokens: bool = True,
        entry_of: Callable[[str], LedgerEntry | None],
        remember: Callable[[LedgerEntry], None],
    ) -> None:
        self.open_attempt: OpenAttempt | None = None
        self._finalizer: finalize[..., Any] | None = None
        self._is_background = is_background
        self._counts_tokens = counts_tokens
        self._entry_of = entry_of
        self._remember = remember
        self._began = time.monotonic()
        self._latency: float | None = None
        self._has_entry = False

    def is_output(self, event: Any) -> bool:
        """True for an event after which no other deployment may take over."""
        kind = event.type
        if kind in FAILING or kind in ("response.created", _CUT_SHORT):
            return False
        return self._is_background or kind not in OPENING

    def note_output(self) -> None:
        """Output has begun."""
        self._latency = time.monotonic() - self._began

    def early_outcome(self, stream: OpenStream) -> Outcome | None:
        """The outcome of a stream that has arrived whole."""
        if stream.final_response is None:
            return None
        return self._outcome(stream, has_output=self._latency is not None)

    def entry(self, stream: OpenStream) -> LedgerEntry | None:
        """The ledger's entry of the response, if it is to have one."""
        return self._entry_of(stream.response_id) if stream.response_id else None

    def open(self, open_attempt: OpenAttempt, stream: OpenStream) -> None:
        """The stream is under way; its open_attempt is told how it ends.

        The ledger hears of it now: the service may keep what the caller does not read to its end.
        """
        self.open_attempt = open_attempt
        if not open_attempt.is_settled:
            self._note_entry(stream)

    def release_by(self, finalizer: "finalize[..., Any]") -> None:
        """Whoever forgets the stream settles it by this, as long as it has not ended.

        A finalizer keeps what it is to settle alive: the open_attempt, by its errors and their
        tracebacks the frames that read the stream, and by those the stream itself.
        """
        self._finalizer = finalizer

    def end(self, stream: OpenStream) -> None:
        """It was read to its end, or given up."""
        if self.open_attempt is None:
            return
        self._detach()
        self._note_entry(stream)
        if stream.final_response is not None:
            self.open_attempt.answered(self._outcome(stream))
        else:
            self.open_attempt.abandoned()

    def fail(self, error: BaseException, stream: OpenStream) -> None:
        """It broke off."""
        if self.open_attempt is None:
            return
        self._detach()
        self._note_entry(stream)
        if isinstance(error, AzureResponsesError):
            self.open_attempt.failed(error, has_output=True)
        else:
            self.open_attempt.abandoned()

    def _detach(self) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()
            self._finalizer = None

    def _note_entry(self, stream: OpenStream) -> None:
        if self._has_entry or self.open_attempt is None or self.open_attempt.is_settled:
            return
        entry = self.entry(stream)
        if entry is not None:
            self._has_entry = True
            self._remember(entry)

    def _outcome(self, stream: OpenStream, *, has_output: bool = True) -> Outcome:
        final = stream.final_response
        if not self._counts_tokens:
            return outcome_of_stored(final, stream.headers)
        return outcome_of(final, stream.headers, self._latency, has_output=has_output)


def outcome_of(
    result: Any, headers: Mapping[str, str], latency: float | None, *, has_output: bool = False
) -> Outcome:
    """What routing looks at of a response."""
    usage = getattr(result, "usage", None)
    details = getattr(result, "incomplete_details", None)
    return Outcome(
        headers,
        usage.total_tokens if isinstance(usage, Usage) else None,
        latency,
        getattr(result, "status", None),
        getattr(details, "reason", None),
        has_output,
        usage.output_tokens if isinstance(usage, Usage) else None,
        _stored_ids(result),
    )


def outcome_of_stored(result: Any, headers: Mapping[str, str]) -> Outcome:
    """What routing looks at of a stored response: its tokens were counted when it was made."""
    outcome = outcome_of(result, headers, None, has_output=True)
    return outcome._replace(tokens=0, output_tokens=None, stored_tokens=outcome.tokens)


def _stored_ids(result: Any) -> tuple[str, ...]:
    if getattr(result, "store", None) is False:
        return ()
    found = (
        getattr(result, "id", None),
        getattr(getattr(result, "conversation", None), "id", None),
    )
    return tuple(each for each in found if each and isinstance(each, str))


def response_of(error: ValidationError) -> Result:
    """The response that an answer was not of the caller's type in; raises any other error again."""
    response = getattr(error, "response", None)
    if not isinstance(response, Result):
        raise error
    return response


def finished(routed: Routed[Any]) -> Any:
    """The result of a call that is over, with its route; raises where it is not of its type."""
    result = routed.result
    is_unparsed = isinstance(result, ValidationError)
    response = response_of(result) if is_unparsed else result
    response.attach_route(routed.route)
    if is_unparsed:
        raise result
    return result


def label_error(error: AzureResponsesError | ValidationError, labels: IdRewriter) -> None:
    """Put labels on what an error says of a response."""
    for name in ("partial", "response"):
        found = getattr(error, name, None)
        if found is not None:
            labels.label(found)
    if isinstance(error, AzureResponsesError):
        error.message = labels.label_text(error.message)


def late_opening(error: BaseException) -> APITimeoutError | None:
    """What a stream that was late before its first output ended with; None for any other end.

    Nothing of it has been handed out, so that nothing was interrupted.
    """
    is_late = isinstance(error, StreamInterruptedError) and not error.resumable
    if not is_late or not isinstance(error.__cause__, APITimeoutError):
        return None
    return APITimeoutError("The service did not begin to answer in time.")
