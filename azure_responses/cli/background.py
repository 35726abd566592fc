"""A background response, followed to its end over however many connections."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from azure_responses._sync.client import AzureResponses
from azure_responses._sync.stream import Stream
from azure_responses.cli.rendering import print_texts, print_whole, text_of, texts_of
from azure_responses.cli.terminal import StatusLine, note
from azure_responses.errors import (
    APIConnectionError,
    AzureResponsesError,
    BadRequestError,
    ResponseFailedError,
    StreamInterruptedError,
)
from azure_responses.protocol.polling import Poll
from azure_responses.types.events import ResponseStreamEvent
from azure_responses.types.response import Response

__all__ = ["BackgroundAnswer", "follow"]

# Seconds for which a service that cannot be reached is polled: a laptop may change its network.
_PATIENCE = 300.0
# Seconds between those polls.
_PAUSE = 2.0


class BackgroundAnswer:
    """One background response.

    Attributes:
        response_id: known once the service has accepted it.
        response: the whole response, once it has ended.
        status: the line that shows its status.
    """

    def __init__(
        self,
        client: AzureResponses,
        status: StatusLine,
        *,
        patience: float = _PATIENCE,
        pause: float = _PAUSE,
    ) -> None:
        self.response_id: str | None = None
        self.response: Response | None = None
        self._client = client
        self.status = status
        self._patience = patience
        self._pause = pause

    def stream(self, parameters: Mapping[str, Any]) -> Iterator[ResponseStreamEvent]:
        """Start it; its events."""
        self.status.show("starting")
        yield from self._follow(
            self._client.responses.create(stream=True, background=True, **parameters)
        )

    def start(self, parameters: Mapping[str, Any]) -> Iterator[ResponseStreamEvent]:
        """Start it without a stream, and wait for its end; there are no events."""
        self.status.show("starting")
        started = self._client.responses.create(background=True, **parameters)
        self.response_id = started.id
        self._show(started.status)
        self.response = self._poll(started.id)
        yield from ()

    def resume(self, response_id: str) -> Iterator[ResponseStreamEvent]:
        """Follow one that is running or has ended: its events from the first on.

        One that was not started as a stream has no events; `response` is set all the same.
        """
        self.response_id = response_id
        self.status.show("resuming")
        try:
            stream = self._client.responses.retrieve(response_id, stream=True)
        except BadRequestError:
            # Azure streams only what was started as a stream.
            self.response = self._poll(response_id)
            return
        yield from self._follow(stream)

    def check(self) -> Response:
        """The response, once it has ended; raises ResponseFailedError for one that failed."""
        assert self.response is not None
        error = self.response.error
        if self.response.status == "failed":
            message = (error.message if error else None) or "the service gave no reason"
            raise ResponseFailedError(message, response=self.response)
        return self.response

    def _follow(self, stream: Stream[Response]) -> Iterator[ResponseStreamEvent]:
        try:
            for event in stream:
                self.response_id = stream.response_id
                self._show(getattr(getattr(event, "response", None), "status", None))
                yield event
            self.response = stream.get_final_response()
        except StreamInterruptedError as error:
            if not error.resumable or stream.response_id is None:
                raise
            self.response = self._poll(stream.response_id)
        finally:
            # Also after a Ctrl-C, which asks whether to cancel the response of this id.
            self.response_id = stream.response_id or self.response_id
            stream.close()

    def _poll(self, response_id: str) -> Response:
        """Poll until it has ended, over lost connections too."""
        poll = Poll(time.monotonic(), None, None)
        reached_at = time.monotonic()
        while True:
            try:
                response = self._client.responses.retrieve(response_id)
            except APIConnectionError:
                if time.monotonic() - reached_at > self._patience:
                    raise
                self._show("connection lost")
                time.sleep(self._pause)
                continue
            reached_at = time.monotonic()
            self._show(response.status)
            delay = poll.delay(response, reached_at)
            if delay is None:
                return response
            time.sleep(delay)

    def _show(self, status: str | None) -> None:
        if status:
            named = f" {self.response_id}" if self.response_id else ""
            self.status.show(f"{status}{named}")


def follow(
    client: AzureResponses,
    parameters: Mapping[str, Any],
    *,
    resume: str | None = None,
    streams: bool = True,
    as_json: bool = False,
) -> Response | None:
    """Start a background response, or resume one, and print its answer; the status is on stderr.

    Args:
        client: of the resource.
        parameters: of the response; unused with `resume`.
        resume: the id of a response started before.
        streams: print as it arrives.
        as_json: print the response, or its events where it streams, as JSON.

    Returns:
        The response, or None where the user left before the end.

    Raises:
        ResponseFailedError: it failed, as other errors of the service do.
    """
    with StatusLine() as status:
        answer = BackgroundAnswer(client, status)
        try:
            _print_answer(answer, _events(answer, parameters, resume, streams), streams, as_json)
            return answer.check()
        except KeyboardInterrupt:
            status.hide()
            # Nothing has been started that could go on.
            if answer.response_id is None:
                raise
    _leave(client, answer.response_id)
    return None


def _events(
    answer: BackgroundAnswer, parameters: Mapping[str, Any], resume: str | None, streams: bool
) -> Iterator[ResponseStreamEvent]:
    if resume is not None:
        return answer.resume(resume)
    return answer.stream(parameters) if streams else answer.start(parameters)


def _print_answer(
    answer: BackgroundAnswer, events: Iterator[ResponseStreamEvent], streams: bool, as_json: bool
) -> None:
    if not streams:
        for _ in events:
            pass
        answer.status.hide()
        print_whole(answer.check(), as_json=as_json)
    elif as_json:
        _print_lines(answer, events)
    else:
        print_texts(_texts(answer, events))


def _print_lines(answer: BackgroundAnswer, events: Iterator[ResponseStreamEvent]) -> None:
    last = None
    for event in events:
        _make_way(answer.status)
        print(event.to_json(), flush=True)
        last = event.type
    response = answer.check()
    end = f"response.{response.status}"
    if last != end:
        # The end was polled, so no event told it.
        print(json.dumps({"type": end, "response": response.to_dict()}))


def _texts(answer: BackgroundAnswer, events: Iterator[ResponseStreamEvent]) -> Iterator[str]:
    """The pieces of the answer; what was polled at the end is one piece."""
    shown = ""
    for text in texts_of(events):
        _make_way(answer.status)
        shown += text
        yield text
    answer.status.hide()
    whole = text_of(answer.check())
    if whole.startswith(shown):
        yield whole[len(shown) :]


def _make_way(status: StatusLine) -> None:
    """Hide the status line before the answer, where both are on the same screen.

    The thread of the status line would draw into the answer.
    """
    if sys.stdout.isatty():
        status.hide()


def _leave(client: AzureResponses, response_id: str) -> None:
    """After a Ctrl-C: cancel the response, unless the user lets it go on."""
    if _wants_to_stop(response_id):
        try:
            client.responses.cancel(response_id)
            note(f"cancelled {response_id}")
            return
        except (AzureResponsesError, KeyboardInterrupt) as error:
            note(f"could not cancel {response_id}: {error or 'interrupted'}")
    note(f"to follow it later: azure-responses ask --resume {response_id}")


def _wants_to_stop(response_id: str) -> bool:
    # A script cannot answer a question, and must not leave work running that it pays for.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    with suppress(EOFError, KeyboardInterrupt):
        sys.stderr.write(f"\nstop {response_id} too? [Y/n] ")
        sys.stderr.flush()
        return not input().strip().lower().startswith("n")
    note("")
    return False
