"""The turns of a client's connection → calls, in the short form and in the one that stands alone.

A turn that continues a response is sent with the new items only where the WebSocket still knows
that response, and with all items anywhere else. Both forms are written before it is sent, so that
a socket that was lost meanwhile changes which one is sent and nothing more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pydantic_core import from_json

from azure_responses.errors import (
    AzureResponsesError,
    BadRequestError,
    ConfigurationError,
    SteeringError,
)
from azure_responses.fork import new_lock
from azure_responses.protocol.call import Continuation
from azure_responses.protocol.connection_memory import ConnectionMemory, KeptResponse
from azure_responses.protocol.operations import Operations
from azure_responses.protocol.options import Options
from azure_responses.protocol.reasoning_filter import ENCRYPTED_REASONING
from azure_responses.protocol.request_body import encode_body, overlay
from azure_responses.protocol.socket_frames import is_lane
from azure_responses.protocol.stream import ResponseStream
from azure_responses.types.response import Response
from azure_responses.types.steering import SteerEvent, SteerPendingEvent

__all__ = ["ConnectionTurns", "TurnRequest", "WrittenTurn", "check_lane", "steering_error"]

_CONTINUES = "previous_response_id"
# More than anyone goes back; each has a short list of what it shares with later ones.
_MOST_EARLIER = 256


@dataclass(frozen=True, slots=True)
class TurnRequest:
    """What a caller asks for in one turn.

    Attributes:
        parameters, options: of the response and of the call.
        text_format: the type of the answer, where the caller wants one.
        lane: None for the lane without a name.
        queued: inputs that have steered the response before, and that the service puts before that
            of this turn.
        is_adopted: nothing is sent: the service begins the turn by itself.
    """

    parameters: Mapping[str, Any]
    options: Options
    text_format: type[Any] | None = None
    lane: str | None = None
    queued: tuple[Any, ...] = ()
    is_adopted: bool = False

    def successor(
        self, response_id: str, queued: tuple[Any, ...], text_format: type[Any] | None
    ) -> "TurnRequest":
        """The turn that the service begins by itself, with the settings of this one."""
        parameters = {**self.parameters, _CONTINUES: response_id, "input": None}
        # The later overlay would hide both.
        options = _without(self.options, _CONTINUES, "input")
        return replace(
            self,
            parameters=parameters,
            options=options,
            text_format=text_format or self.text_format,
            queued=queued,
            is_adopted=True,
        )


@dataclass(slots=True)
class WrittenTurn:
    """A turn as it is sent.

    Attributes:
        state: of its stream, with its call.
        lane: None for the lane without a name.
        body: what its caller asked for, as JSON; None where nothing is kept.
        continues: the response that it continues, of those that are kept.
        adds_encryption: encrypted reasoning was asked for on the caller's behalf.
    """

    state: ResponseStream
    lane: str | None
    body: Mapping[str, Any] | None = None
    continues: KeptResponse | None = None
    adds_encryption: bool = False


@dataclass(slots=True)
class ConnectionTurns:
    """Writes the turns of one connection.

    Attributes:
        operations: builds the calls.
        replays: items are kept although a WebSocket carries the turns.
        memory: what is kept.
    """

    operations: Operations
    replays: bool
    memory: ConnectionMemory = field(
        default_factory=partial(ConnectionMemory, most_earlier=_MOST_EARLIER)
    )
    # Deployments that refused to encrypt their reasoning.
    _plain: set[object] = field(default_factory=set)
    # Lanes may be used by several threads.
    _lock: Any = field(default_factory=new_lock)

    def check(self, request: TurnRequest) -> WrittenTurn:
        """The turn as its caller asked for it, without what is kept.

        Raises:
            TypeError: a parameter that the API does not have.
            ConfigurationError: a value that cannot be sent, or a background response.
        """
        asked = overlay(request.parameters, request.options.extra_body)
        if asked.get("background"):
            raise ConfigurationError(
                "A connection makes no background responses.",
                hint="Use client.responses.create(background=True).",
            )
        state = self.operations.stream(request.parameters, request.options, request.text_format)
        if request.is_adopted:
            state.call.continuation = Continuation(asked[_CONTINUES], is_adopted=True)
        return WrittenTurn(state, request.lane)

    def write(self, request: TurnRequest, *, is_socket: bool) -> WrittenTurn:
        """The turn as it is sent now: to a WebSocket, which knows more than HTTP does.

        Raises:
            ConfigurationError: a value that cannot be sent.
        """
        if is_socket and not self.replays:
            return self.check(request)
        body = self._body_of(request)
        with self._lock:
            kept = self.memory.find(body.get(_CONTINUES))
        # The service reads what it stores by itself.
        whole = None if kept is None or kept.is_stored else kept.continued(body)
        asks = self._asks_for_encryption(request, body)
        changes: dict[str, Any] = (
            {"include": [*(body.get("include") or ()), ENCRYPTED_REASONING]} if asks else {}
        )
        short = self.check(_changed(request, changes))
        written = WrittenTurn(short.state, request.lane, body, kept, asks)
        if whole is not None and not request.is_adopted:
            changes |= {"input": whole["input"], _CONTINUES: whole.get(_CONTINUES)}
            written.state = self.check(_changed(request, changes)).state
            if is_socket:
                content = short.state.call.request.body
                assert isinstance(content, bytes)
                written.state.call.continuation = Continuation(body[_CONTINUES], content)
        return written

    def note_http(self, request: TurnRequest, written: WrittenTurn) -> None:
        """A turn written for a WebSocket has gone over HTTP, where only we keep it."""
        if written.body is None:
            written.body = self._body_of(request)

    def keep(self, written: WrittenTurn, final: Response) -> None:
        """Remember a response that has ended, for the turns that continue it."""
        if written.body is not None:
            response = final.to_dict()
            with self._lock:
                self.memory.keep(written.lane, written.body, response, continues=written.continues)

    def drop_encryption(self, written: WrittenTurn, error: AzureResponsesError) -> bool:
        """True where a turn was refused for what was added to it, and is now without."""
        if not written.adds_encryption or not _refuses_encryption(error):
            return False
        call = written.state.call
        written.adds_encryption = False
        self._plain.add(call.parameters.get("model"))
        call.put_body(_unencrypted(call.request.body))
        continuation = call.continuation
        if continuation is not None and continuation.content is not None:
            content = _unencrypted(continuation.content)
            call.continuation = replace(continuation, content=content)
        return True

    def _body_of(self, request: TurnRequest) -> dict[str, Any]:
        given = {name: value for name, value in request.parameters.items() if value is not None}
        content = encode_body(given, request.options.extra_body)
        body: dict[str, Any] = from_json(content or b"{}")
        if request.queued:
            queued = [item for given in request.queued for item in _items_of(given)]
            body["input"] = [*queued, *_items_of(body.get("input") or [])]
        return body

    def _asks_for_encryption(self, request: TurnRequest, body: Mapping[str, Any]) -> bool:
        """True where encrypted reasoning has to be asked for, without which none can be replayed.

        Most names of deployments do not say which model is behind them, so that a refusal tells.
        """
        if request.is_adopted or body.get("store") is not False:
            return False
        deployment = body.get("model") or self.operations.settings.deployment
        converter = self.operations.converter
        if ENCRYPTED_REASONING in (body.get("include") or ()) or deployment in self._plain:
            return False
        if not isinstance(deployment, str) or converter is None:
            return False
        facts = converter.conversions.facts(deployment)
        return facts.takes_encrypted_reasoning and facts.efforts != ()


def check_lane(name: str | None) -> None:
    """Raise ConfigurationError for a name that no lane can have.

    The rule is OpenAI's for `stream_id`, so that a program can move to lanes of one WebSocket.
    """
    if name is not None and not is_lane(name):
        raise ConfigurationError(
            f"The lane {name!r} is invalid.",
            hint="A lane has 1 to 256 letters, digits, '_', '.' and '-'; None is the default lane.",
        )


def steering_error(event: SteerEvent, sent: Any = None) -> SteeringError:
    """What an event says that ends the hope of a successor.

    Args:
        event: of a failed or pending steer.
        sent: the input, where the event does not give it back.
    """
    steer = event.steer
    if isinstance(event, SteerPendingEvent):
        return SteeringError(
            f"The response {steer.previous_response_id} was steered, and waits for the results of "
            "calls.",
            code=event.reason,
            required_input=tuple(stub.to_dict() for stub in event.required_input),
            hint="Send them with `create`, with this response as previous_response_id; the "
            "service keeps the input that steers.",
        )
    failure = getattr(event, "error", None)
    return SteeringError(
        getattr(failure, "message", "") or "The service did not take the input.",
        code=getattr(failure, "code", None),
        input=sent if steer.input is None else steer.input,
        hint="Send the input with `create`, as the next turn.",
    )


def _refuses_encryption(error: AzureResponsesError) -> bool:
    # Azure: "Encrypted content is not supported with this model.", with the parameter `include`.
    return isinstance(error, BadRequestError) and "ncrypted content" in error.message


def _unencrypted(content: Any) -> bytes:
    body = from_json(content)
    include = [name for name in body.pop("include", ()) if name != ENCRYPTED_REASONING]
    encoded = encode_body({**body, "include": include} if include else body)
    assert encoded is not None
    return encoded


def _changed(request: TurnRequest, changes: Mapping[str, Any]) -> TurnRequest:
    if not changes:
        return request
    parameters = {**request.parameters, **changes}
    options = _without(request.options, *changes)
    return replace(request, parameters=parameters, options=options)


def _without(options: Options, *names: str) -> Options:
    """Options whose `extra_body` does not hide these parameters."""
    if not options.extra_body:
        return options
    kept = {name: value for name, value in options.extra_body.items() if name not in names}
    return replace(options, extra_body=kept or None)


def _items_of(given: Any) -> list[Any]:
    """An input as items."""
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return list(given)
