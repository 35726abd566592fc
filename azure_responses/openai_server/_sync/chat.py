# Written by scripts/unasync: change the file of this name in ../_async instead.
"""One chat completion over a router, blocking: through the bridge, out as bytes."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from azure_responses.errors import AzureResponsesError
from azure_responses.openai_server.chat_answers import chat_body, chat_chunk, chat_error, reason_of
from azure_responses.openai_server.exchange import ApiReply
from azure_responses.openai_server.proxy_attempt import note_attempt
from azure_responses.openai_server.replies import event_reply, json_reply
from azure_responses.openai_server.served_request import ServedRequest
from azure_responses.openai_server.stream_body import StreamBody
from azure_responses.router._sync.labelled import LabelledAttempt
from azure_responses.router.attempts import Answer
from azure_responses.router.targets import Target
from azure_responses.routing.routed_call import RoutedCall

if TYPE_CHECKING:
    from azure_responses.router import Router

__all__ = ["ChatServer"]

Reply = ApiReply[bytes | StreamBody]


class ChatServer:
    """One chat completion.

    Args:
        router: makes the call.
        call: what is asked.
        began: monotonic seconds.
    """

    def __init__(self, router: "Router", call: ServedRequest, began: float) -> None:
        self._router = router
        self._call = call
        self._began = began

    def answer(self) -> Reply:
        """The completion, or its chunks once output has begun."""
        call, summary = self._call, self._call.summary
        made: list[LabelledAttempt] = []
        calls = self._router.calls
        reading = call.reading
        assert reading is not None

        def attempt(target: Target, routed: RoutedCall, left: float | None) -> Answer[Any]:
            began = time.monotonic()
            note_attempt(summary, target.deployment, routed)
            made[:] = [
                LabelledAttempt(reading, target, routed, left, calls.targets, calls.state.remember)
            ]
            try:
                return made[0].chat(self._router.chat_options, stream=call.is_stream)
            except AzureResponsesError as error:
                call.failures.append(error)
                raise
            finally:
                summary.upstream_seconds += time.monotonic() - began

        routed = calls.perform(call.route_request, attempt)
        summary.latency = time.monotonic() - self._began
        if not call.is_stream:
            summary.headers = routed.result.headers
            return json_reply(summary, chat_body(summary, routed.result))
        events = made[0].stream
        assert events is not None
        events.settle_with(routed, calls.abandoned_streams)
        summary.headers = events.headers
        summary.time_to_first_output = summary.latency
        return event_reply(summary, StreamBody(self._chunks(routed.result, events)))

    def _chunks(self, completion: Any, events: Any) -> Iterator[bytes]:
        summary = self._call.summary
        is_whole = False
        try:
            try:
                with completion:
                    for chunk in completion:
                        yield chat_chunk(summary, chunk)
            except AzureResponsesError as error:
                summary.error = reason_of(error)
                yield chat_error(summary.error)
            yield b"data: [DONE]\n\n"
            is_whole = True
        finally:
            summary.is_abandoned = not is_whole
            summary.latency = time.monotonic() - self._began
            final = events.final_response or events.partial_response
            summary.result = None if final is None else final.to_dict()
