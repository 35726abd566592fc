"""One streamed response: bytes → typed events, and what to do when the stream breaks.

The shells loop: `receive` each chunk and yield what it returns; when `is_over`, or when
the bytes end or break, ask `next_step`. Nothing here reads, sleeps or looks at a clock.

A stream has three ways to disappoint that HTTP cannot show:

* Azure reports a rate limit inside an HTTP 200 stream, as `response.created, error,
  response.failed`, as `response.failed` (without a reason) then `error`, or as `response.failed`
  alone (recorded August 2026; earendil-works/pi #7983 and PR #1458). Nothing has been handed out
  by then, because the opening events are held back until output follows, so it is tried again.
* It ends without a terminal event. That is an interruption, never a short answer.
* A background response outlives its connection: it is taken up again after the last event seen,
  and polled for once the service no longer streams it.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from azure_responses.errors import (
    APIConnectionError,
    APIStatusError,
    AzureResponsesError,
    StreamInterruptedError,
)
from azure_responses.protocol.call import Call
from azure_responses.protocol.decode import check_readable, find_text
from azure_responses.protocol.error_body import failure_from_event, failure_from_response
from azure_responses.protocol.http_message import LARGEST_REPLY
from azure_responses.protocol.partial_response import PartialResponse, response_of
from azure_responses.protocol.resumption import Resumption, Step
from azure_responses.protocol.sse import (
    ENDING,
    EVENTS_AFTER_FAILURE,
    FAILING,
    MOST_HELD,
    OPENING,
    ServerSentEvent,
    SSEDecoder,
    opens,
)
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.types.events import ResponseStreamEvent, parse_event
from azure_responses.types.mending import mend
from azure_responses.types.model import Model, UnknownEvent
from azure_responses.types.response import ParsedResponse, Response

__all__ = ["ResponseStream"]


class ResponseStream:
    """The state of one streamed response across its connections.

    Args:
        call: the call that opened it; its retry budget is shared.
        resumes: the caller may take it up again by retrieving it (a background response).
        starting_after: the sequence number of the last event the caller already has.
        response_id: known from the start when a stored response is streamed.
        output: the type of the answer, where the caller wants one.

    Attributes:
        call: the call that opened it.
        events_seen: how many events have arrived, of all connections.
    """

    def __init__(
        self,
        call: Call,
        *,
        resumes: bool = False,
        starting_after: int | None = None,
        response_id: str | None = None,
        output: StructuredOutput[Any] | None = None,
    ) -> None:
        self.call = call
        self.response_id = response_id
        self.headers: Mapping[str, str] = {}
        self.final_response: Response | None = None
        self.last_sequence_number = starting_after
        self.is_finished = False
        self.events_seen = 0
        self._given_id = response_id
        self._starting_after = starting_after
        self._seen_before = starting_after
        self._output = output
        self._resumes = resumes
        self._decoder = SSEDecoder()
        self._unfinished = 0
        self._has_end_mark = False
        self._partial = PartialResponse()
        self._held: list[ResponseStreamEvent] | None = []
        self._failures: list[ResponseStreamEvent] = []
        self._events_after_failure = 0
        self._damage: AzureResponsesError | None = None
        self._resumption = Resumption(call.policy)
        self._polled: Response | None = None
        self._last_event: ResponseStreamEvent | None = None

    def open(self, headers: Mapping[str, str], now: float) -> None:
        """A connection was opened; `headers` in lower case, `now` in monotonic seconds."""
        self.headers = headers
        self._decoder = SSEDecoder()
        self._unfinished = 0
        self._has_end_mark = False
        self._damage = None
        self._seen_before = self.last_sequence_number
        self._resumption.open(now)

    def receive(self, chunk: bytes) -> list[ResponseStreamEvent]:
        """The events to hand out now that `chunk` has arrived."""
        messages = self._decoder.feed(chunk)
        self._unfinished = 0 if messages else self._unfinished + len(chunk)
        if self._unfinished > LARGEST_REPLY:
            self._decoder = SSEDecoder()
            self._damage = APIConnectionError(
                f"The stream carried more than {LARGEST_REPLY // 2**20} MiB without an event."
            )
        return self._take(messages)

    def end(self) -> list[ResponseStreamEvent]:
        """The events to hand out now that the bytes have ended."""
        # What a broken connection left of its last event is no sign of bad data.
        return self._take_events(self._parse(self._decoder.flush())[0])

    @property
    def is_over(self) -> bool:
        """True once nothing more is worth reading.

        A terminal event has come, a failure was reported, or bytes are bad.
        """
        if self.is_finished or self._has_end_mark or self._damage is not None:
            return True
        if not self._failures:
            return False
        return not self.expects_reason or self._events_after_failure >= EVENTS_AFTER_FAILURE

    @property
    def expects_reason(self) -> bool:
        """True after a failure without a reason, which another event may give."""
        return bool(self._failures) and not any(_explains(event) for event in self._failures)

    @property
    def partial_response(self) -> Response | None:
        """What has arrived of the response, or None before it was created."""
        return self._partial.build()

    def finish(self, final: Response) -> Response:
        """The final response as the caller wants it: with its parsed answer, or as it is.

        Raises pydantic.ValidationError for an answer that does not fit the type.
        """
        if self._output is None:
            return final
        typed = mend(ParsedResponse, final.to_dict())
        assert typed is not None
        typed.attach(self.headers, self.call.pricer)
        typed.attach_parsed(self._output.read(typed))
        return typed

    def release(self) -> list[ResponseStreamEvent]:
        """The events still held back, for a caller about to raise what `next_step` raised."""
        held, self._held = self._held or [], None
        return held

    def next_step(
        self, cause: AzureResponsesError | None, now: float, wall_clock: float, jitter: float
    ) -> Step:
        """What to do now that a connection has ended.

        Args:
            cause: why it broke, or None if it closed in order.
            now: monotonic seconds; wall_clock: unix seconds.
            jitter: uniform in [0, 1).

        Raises:
            AzureResponsesError: the failure the stream reported, or StreamInterruptedError.
            UnreadableResponseError: it has ended, but its answer cannot be read.
        """
        if self.is_finished:
            self.check()
            return Step("finish")
        if self._failures:
            # 2. The service reported a failure.
            return self._after_failure(now, wall_clock, jitter)
        cause = (
            cause
            or self._damage
            or APIConnectionError("The stream ended before its terminal event.")
        )
        # 3. The connection was lost. A background response goes on at the service: it is resumed.
        if self._resumes and self.response_id:
            return self._after_interruption(cause, now, jitter)
        if self._held is not None and not isinstance(cause, APIStatusError):
            # 4. Nothing was handed out yet, so that the request can be sent again unnoticed.
            with suppress(APIConnectionError):
                return self._again(cause, now, jitter)
        raise self.interrupted(cause) from cause

    def check(self) -> None:
        """Raise UnreadableResponseError where what the stream brought cannot be read."""
        if self.final_response is not None:
            # 1. It ended in order.
            check_readable(self.final_response, self._partial.lost)

    @property
    def failed_response(self) -> Response | None:
        """The response whose failure the stream reported; None for any other stream."""
        found = [response_of(event) for event in self._failures]
        return next((one for one in reversed(found) if one is not None), None)

    def after_poll(self, response: Response) -> Step:
        """What to do after a plain retrieve: poll on, or ask once for the events still missing."""
        self._polled = response
        return self._resumption.after_poll(response.status, self.last_sequence_number)

    def settle(self) -> list[ResponseStreamEvent]:
        """The events that close a stream whose end was only polled.

        The terminal event is made from the polled response; having never been streamed, it has no
        sequence number.
        """
        assert self._polled is not None
        kind = f"response.{self._polled.status or 'completed'}"
        body = {"type": kind, "response": self._polled.to_dict()}
        events = self._take_events([parse_event(json.dumps(body))])
        self._keep(self._polled)
        return events

    def _take(self, messages: list[ServerSentEvent]) -> list[ResponseStreamEvent]:
        events, is_sound = self._parse(messages)
        if not is_sound:
            self._damage = APIConnectionError("The stream carried data that is not JSON.")
        return self._take_events(events)

    def _parse(self, messages: list[ServerSentEvent]) -> tuple[list[ResponseStreamEvent], bool]:
        """The events up to the first that cannot be read, and whether all could."""
        events: list[ResponseStreamEvent] = []
        for name, data in messages:
            try:
                events.append(parse_event(data, name))
            except ValueError:
                # Azure sends no [DONE]; gateways that speak chat completions to everybody do, and
                # some keep a connection alive with empty data, `null` or "ping".
                if data.strip() == b"[DONE]":
                    self._has_end_mark = True
                elif data.strip() and not _is_json(data):
                    return events, False
        return events, True

    def _take_events(self, events: list[ResponseStreamEvent]) -> list[ResponseStreamEvent]:
        ready: list[ResponseStreamEvent] = []
        self.events_seen += len(events)
        for given in events:
            if self.is_finished:
                # Nothing follows a terminal event, even where it came in the same piece.
                break
            event = self._partial.mend(given) if type(given) is UnknownEvent else given
            # The type of an event of unknown shape may be any JSON value, or be missing.
            kind = event.type if isinstance(event.type, str) else ""
            if self._is_repeated(event, kind):
                continue
            self._partial.add(event)
            if self._held is None and not self._failures and kind not in _NOTEWORTHY:
                ready.append(event)
            else:
                self._note(event, kind, ready)
        if ready:
            self._resumption.progress()
        return ready

    def _is_repeated(self, event: ResponseStreamEvent, kind: str) -> bool:
        """True for what an earlier connection, or a proxy, brought already; counts it otherwise."""
        number = event.sequence_number
        if not isinstance(number, int):
            return False
        # Compared with where this connection took up, not with the event before: a gateway that
        # numbers every event 0 must lose none. An error may be numbered by another counter.
        if self._seen_before is not None and number <= self._seen_before and kind != "error":
            return True
        if number and number == self.last_sequence_number and event == self._last_event:
            return True
        self._last_event = event
        self.last_sequence_number = max(number, self.last_sequence_number or 0)
        return False

    def _note(
        self, event: ResponseStreamEvent, kind: str, ready: list[ResponseStreamEvent]
    ) -> None:
        if kind in OPENING:
            self._note_opening(event)
        if self._failures:
            self._events_after_failure += 1
        if kind in FAILING:
            self._failures.append(event)
        if kind in ENDING:
            self._note_ending(event)
        if self._held is None:
            ready.append(event)
            return
        self._held.append(event)
        if self._must_hold(kind):
            return
        ready.extend(self._held)
        self._held = None

    def _must_hold(self, kind: str) -> bool:
        if kind in FAILING:
            return True
        return opens(kind, is_background=self._resumes) and len(self._held or ()) <= MOST_HELD

    def _note_opening(self, event: Any) -> None:
        response = response_of(event)
        if response is not None and response.id:
            self.response_id = response.id

    def _note_ending(self, event: Any) -> None:
        self.is_finished = True
        response = response_of(event) or Response(id="")
        final = self._partial.fill(response)
        find_text(final)
        if not final.id and self.response_id:
            final = final.model_copy(update={"id": self.response_id})
        self.response_id = final.id
        self._keep(final)

    def _keep(self, final: Response) -> None:
        final.attach(self.headers, self.call.pricer)
        self.final_response = final

    def _after_failure(self, now: float, wall_clock: float, jitter: float) -> Step:
        error = self._failure(wall_clock)
        if self._held is None:
            error.partial = self._partial.build()
            raise error
        return self._again(error, now, jitter)

    def _again(self, error: AzureResponsesError, now: float, jitter: float) -> Step:
        attempt = self.call.next_attempt(error, now, jitter)
        self._held = []
        self._failures = []
        self._events_after_failure = 0
        self._partial = PartialResponse()
        # The response that failed is not the one to resume, should the next connection drop too.
        self.response_id = self._given_id
        self.last_sequence_number = self._starting_after
        return Step("resend", attempt.delay, cause=error)

    def _failure(self, wall_clock: float) -> AzureResponsesError:
        """The failure the stream reported; an `error` event explains best."""
        context = self.call.context
        for event in self._failures:
            if event.type == "error":
                return failure_from_event(event.to_dict(), self.headers, context, wall_clock)
        response = getattr(self._failures[-1], "response", None)
        error = getattr(response, "error", None)
        fields = error.to_dict() if isinstance(error, Model) else error
        return failure_from_response(response, fields, self.headers, context, wall_clock)

    def _after_interruption(self, cause: AzureResponsesError, now: float, jitter: float) -> Step:
        last = self.last_sequence_number
        step = self._resumption.after_interruption(cause, last, now, jitter)
        if step is None:
            raise self.interrupted(cause) from cause
        return step

    def interrupted(self, cause: AzureResponsesError) -> StreamInterruptedError:
        """The error of a stream whose connection ended before it did."""
        partial = self._partial.build()
        is_resumable = self._resumes and self.response_id is not None
        return StreamInterruptedError(
            f"The stream broke off before the response was complete: {cause.message}",
            partial=partial,
            resumable=is_resumable,
            hint=_RESUME_HINT if is_resumable else None,
        )


def _is_json(data: bytes | str) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


_NOTEWORTHY = OPENING | ENDING | FAILING
_RESUME_HINT = "Continue it with responses.retrieve(id, stream=True, starting_after=…)."


def _explains(event: ResponseStreamEvent) -> bool:
    if event.type == "error":
        return True
    return getattr(getattr(event, "response", None), "error", None) is not None
