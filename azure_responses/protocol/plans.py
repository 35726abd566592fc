"""What a client does for each operation: the call, the reading of its reply, what to remember.

Both shells perform these plans; they differ only in how they wait.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar, cast

from azure_responses.errors import AzureResponsesError
from azure_responses.protocol.call import Call
from azure_responses.protocol.decode import decode, failure_of
from azure_responses.protocol.http_message import Reply
from azure_responses.protocol.operations import Operations, Options
from azure_responses.protocol.request_body import COMPACT_PARAMETERS, check_names
from azure_responses.protocol.stream import ResponseStream
from azure_responses.protocol.structured_output import StructuredOutput
from azure_responses.types.mending import mend
from azure_responses.types.models import ModelList
from azure_responses.types.response import (
    CompactedResponse,
    DeletedResponse,
    InputItemList,
    ParsedResponse,
    Response,
)
from azure_responses.types.result import Result

__all__ = ["Plan", "Plans", "StreamPlan"]

# `ParsedResponse[T]` stands in quotes below: pydantic builds a model, and with it the schema of
# every item and tool, for each generic that is parametrised when a module is imported.
R = TypeVar("R", bound=Result)
T = TypeVar("T")


def _never_fails(_result: Any, _now: float) -> None:
    return None


def _remembers_nothing(_result: Any, _now: float) -> None:
    return None


def _finishes_nothing(_result: Any) -> None:
    return None


@dataclass(frozen=True)
class Plan(Generic[R]):
    """One operation.

    Attributes:
        call: what to send.
        read: reply and unix time → result; raises for a reply that is none.
        failure: the error a result stands for, at a unix time, or None.
        remember: told the result and the monotonic time.
        finish: what the caller wants done with a result that has arrived, been paid for and told
            of; what it raises is no failure of the call.
    """

    call: Call
    read: Callable[[Reply, float], R]
    failure: Callable[[R, float], AzureResponsesError | None] = _never_fails
    remember: Callable[[R, float], None] = _remembers_nothing
    finish: Callable[[R], object] = _finishes_nothing


@dataclass(frozen=True)
class StreamPlan(Generic[R]):
    """One streamed operation: the call that opens it, its state, and what it ends as."""

    call: Call
    state: ResponseStream
    finish: Callable[[Response], R]


class Plans:
    """Makes the plans of one client."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._recent = operations.recent

    def create(self, parameters: Mapping[str, Any], options: Options) -> Plan[Response]:
        """`POST /responses`, answered at once."""
        check_names(parameters)
        call = self._operations.create(parameters, options, stream=False)
        return self._creation(call, lambda reply, now: decode(call, reply, Response, now))

    def parse(
        self, parameters: Mapping[str, Any], options: Options, text_format: type[T]
    ) -> "Plan[ParsedResponse[T]]":
        """`POST /responses` for an output of the given type."""
        check_names(parameters)
        output = StructuredOutput(text_format)
        call = self._operations.create(_with_format(parameters, output), options, stream=False)
        kind = cast("type[ParsedResponse[T]]", ParsedResponse)
        plan = self._creation(call, lambda reply, now: decode(call, reply, kind, now))
        return replace(plan, finish=lambda response: _attach_parsed(response, output))

    def stream(
        self,
        parameters: Mapping[str, Any],
        options: Options,
        text_format: type[Any] | None = None,
    ) -> StreamPlan[Response]:
        """`POST /responses`, answered as a stream."""
        check_names(parameters)
        output = StructuredOutput(text_format) if text_format is not None else None
        given = _with_format(parameters, output) if output else parameters
        call = self._operations.create(given, options, stream=True)
        sent = {**parameters, **(options.extra_body or {})}
        resumes = bool(sent.get("background")) and sent.get("store") is not False
        state = ResponseStream(call, resumes=resumes)
        return StreamPlan(call, state, lambda final: _finish_stream(final, state, output))

    def retrieve(
        self,
        response_id: str,
        options: Options,
        include: list[str] | None = None,
        *,
        starting_after: int | None = None,
    ) -> Plan[Response]:
        """`GET /responses/{id}`; raises ConfigurationError for `starting_after`."""
        call = self._operations.retrieve(
            response_id, options, include=include, starting_after=starting_after
        )
        return Plan(call, lambda reply, now: decode(call, reply, Response, now))

    def retrieve_stream(
        self, response_id: str, options: Options, starting_after: int | None, **query: Any
    ) -> StreamPlan[Response]:
        """`GET /responses/{id}?stream=true`."""
        call = self._operations.retrieve(
            response_id, options, stream=True, starting_after=starting_after, **query
        )
        state = ResponseStream(
            call, resumes=True, starting_after=starting_after, response_id=response_id
        )
        return StreamPlan(call, state, lambda final: _finish_stream(final, state, None))

    def resume(self, response_id: str, starting_after: int | None, options: Options) -> Call:
        """The call that takes up a stream after an event."""
        return self._operations.retrieve(
            response_id, options, stream=True, starting_after=starting_after
        )

    def cancel(self, response_id: str, options: Options) -> Plan[Response]:
        """`POST /responses/{id}/cancel`."""
        call = self._operations.cancel(response_id, options)
        return Plan(call, lambda reply, now: decode(call, reply, Response, now))

    def delete(self, response_id: str, options: Options) -> Plan[DeletedResponse]:
        """`DELETE /responses/{id}`."""
        call = self._operations.delete(response_id, options)
        return Plan(
            call,
            lambda reply, now: decode(call, reply, DeletedResponse, now),
            remember=lambda _result, _now: self._recent.forget(response_id),
        )

    def compact(self, parameters: Mapping[str, Any], options: Options) -> Plan[CompactedResponse]:
        """`POST /responses/compact`."""
        check_names(parameters, COMPACT_PARAMETERS)
        call = self._operations.compact(parameters, options)
        return Plan(call, lambda reply, now: decode(call, reply, CompactedResponse, now))

    def input_items(self, response_id: str, options: Options, **query: Any) -> Plan[InputItemList]:
        """`GET /responses/{id}/input_items`, one page."""
        call = self._operations.input_items(response_id, options, **query)
        return Plan(call, lambda reply, now: decode(call, reply, InputItemList, now))

    def models(self, options: Options) -> Plan[ModelList]:
        """`GET /models`."""
        call = self._operations.models(options)
        return Plan(call, lambda reply, now: decode(call, reply, ModelList, now))

    def note_created(self, response_id: str, now: float) -> None:
        """Remember that a response was made, in monotonic seconds."""
        self._recent.remember(response_id, now)

    def _creation(self, call: Call, read: Callable[[Reply, float], Any]) -> Plan[Any]:
        return Plan(
            call,
            read,
            failure=lambda response, now: failure_of(call, response, now),
            remember=lambda response, now: self._recent.remember(response.id, now),
        )


def _with_format(parameters: Mapping[str, Any], output: StructuredOutput[Any]) -> dict[str, Any]:
    return {**parameters, "text": output.text_parameter(parameters.get("text"))}


def _attach_parsed(
    response: "ParsedResponse[T]", output: StructuredOutput[T]
) -> "ParsedResponse[T]":
    response.attach_parsed(output.read(response))
    return response


def _finish_stream(
    final: Response, state: ResponseStream, output: StructuredOutput[Any] | None
) -> Response:
    if output is not None:
        typed = mend(ParsedResponse, final.to_dict())
        assert typed is not None
        typed.attach(state.headers, state.pricer)
        final = _attach_parsed(typed, output)
    return final
