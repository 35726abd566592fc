"""The conversion of one call: what has to be known before it is written, and what is stored of it.

A call is converted where its caller and its deployment use different APIs. The executor finds what
the request refers to (earlier responses, stored items), lets `write` make the body that is sent,
and reads the reply back. What a caller of the Responses API may later refer to is made here as a
`StoredResponse`.

A call that carries what only we know (a response or an item that is stored here, reasoning that was
sealed here) to a deployment that speaks Responses itself is the third case: its body is rewritten,
because the service would refuse it, and its reply passes unchanged.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json, to_json

from azure_responses.protocol.conversion import APIName, Conversion, StreamConversion
from azure_responses.protocol.reasoning_filter import ID_IS_OPTIONAL, Stripper, is_ours
from azure_responses.protocol.request_body import encode_body
from azure_responses.protocol.stored_response import (
    BRIDGED_PREFIX,
    StoredResponse,
    is_kept_here,
    reply_bytes,
)

# What only the making of a message takes; its counting refuses fields that it does not know.
_OF_MAKING = (
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
)

__all__ = [
    "CallConversion",
    "History",
    "MakeConversion",
    "Replay",
    "is_stored_here",
    "needs_replay",
    "read_json",
    "reply_bytes",
]

MakeConversion = Callable[[Mapping[str, Any], float], Conversion]
"""Makes the conversion of a request, which is JSON, at a time in unix seconds."""


@dataclass(frozen=True, slots=True)
class History:
    """What a request refers to.

    Attributes:
        items: of the responses that it continues, the oldest first.
        referenced: items by their ids.
    """

    items: Sequence[Mapping[str, Any]] = ()
    referenced: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


class CallConversion:
    """The conversion of one call.

    Args:
        caller, upstream: the two APIs.
        content: the caller's request as JSON.
        make: makes the conversion itself, once what the parameters refer to is known.
        warn: told what was left out; None where the caller of `write` reads `warnings` itself.
        reading: makes the calls that read a response of the service: a `StoredReads` of
            `call_converter`, which knows calls. None where the service is not asked.

    Attributes:
        warnings: what was left out, one sentence each; complete after `write`.
        history: what the request refers to, once it was found.
    """

    def __init__(
        self,
        caller: APIName,
        upstream: APIName,
        content: bytes,
        make: MakeConversion,
        warn: Callable[[str], None] | None = None,
        reading: Any = None,
    ) -> None:
        self.caller = caller
        self.upstream = upstream
        self.reading = reading
        self.warnings: tuple[str, ...] = ()
        self.history: History | None = None
        self._parameters = read_json(content)
        self._make = make
        self._warn = warn
        self._conversion: Conversion | None = None
        self._is_shortened = False
        self._counts_only = False

    def counts_only(self) -> None:
        """Write a request of Messages that asks how many tokens its input has."""
        self._counts_only = True

    @property
    def previous_id(self) -> str | None:
        """The response that the request continues, if it has to be found for the request."""
        found = self._parameters.get("previous_response_id")
        if not isinstance(found, str) or self.caller != "responses":
            return None
        # The service finds its own.
        return found if self.upstream != "responses" or is_stored_here(found) else None

    @property
    def references(self) -> list[str]:
        """The ids of the items that the request refers to and that have to be found for it."""
        given = self._parameters.get("input") if self.caller == "responses" else None
        items = given if isinstance(given, list) else []
        ids = [item["id"] for item in items if _refers(item)]
        return ids if self.upstream != "responses" else [*filter(is_kept_here, ids)]

    @property
    def asks_for_storage(self) -> bool:
        """True where the caller wants the response to be stored, by us or by the service."""
        return self._parameters.get("store") is not False

    @property
    def stores(self) -> bool:
        """True where the response is kept: what the service does not store for a caller of it."""
        is_ours = self.caller == "responses" and self.upstream != "responses"
        return is_ours and self.asks_for_storage

    def write(self, history: History, now: float) -> bytes:
        """The body that is sent; `now` is unix seconds.

        Raises:
            ConfigurationError: the request holds what the deployment cannot do.
            BadRequestError: the request is invalid by the rules of the caller's API.
        """
        self.history, self._is_shortened = history, False
        conversion = self._conversion = self._make(_resolved(self._parameters, history), now)
        body = conversion.write(history.items)
        # Once, also where a call is written again for another attempt.
        if self._warn is not None and not self.warnings:
            for text in conversion.warnings:
                self._warn(text)
        self.warnings = conversion.warnings
        if self._counts_only:
            body = {name: body[name] for name in body if name not in _OF_MAKING}
        return _encode(body)

    def read(self, body: bytes) -> dict[str, Any]:
        """The reply in the caller's API.

        Raises:
            ValueError: the body is not a reply of the deployment's API.
        """
        if not self._counts_only:
            return self._written.read(read_json(body))
        tokens = read_json(body).get("input_tokens")
        if not isinstance(tokens, int):
            raise ValueError("the reply has no count of tokens")
        return {"object": "response.input_tokens", "input_tokens": tokens}

    def shortened(self, message: str) -> bytes | None:
        """The body to send once more after a refusal as too long; None to pass the refusal on."""
        # Once only: a second refusal says that the last turn alone is too long.
        if self._is_shortened:
            return None
        self._is_shortened = True
        body = self._written.shortened(message)
        return None if body is None else _encode(body)

    def continued(self) -> bytes | None:
        """The body to send next, where the reply so far is only the beginning; else None.

        Claude pauses in the middle of a turn in which the service runs tools for it. What it
        answers then is given to `read` again, or to the same stream.
        """
        conversion: Any = self._written
        body = getattr(conversion, "continued", None)
        if body is None:
            return None
        conversion.continued = None
        return _encode(body)

    def stream(self) -> StreamConversion:
        """The state of the stream that answers what was written."""
        return self._written.stream()

    def stored(self, final: Mapping[str, Any], now: float) -> StoredResponse | None:
        """What to keep of a finished response; None where nothing is kept."""
        if not self.stores or not isinstance(final.get("id"), str):
            return None
        history = self.history.items if self.history is not None else ()
        return StoredResponse(final, self._written.input_items, history, now)

    @property
    def _written(self) -> Conversion:
        assert self._conversion is not None, "a reply is read after the request was written"
        return self._conversion


class Replay:
    """A conversion whose reply passes unchanged: only the input of the request is rewritten.

    The service knows neither the ids of the responses and items that are stored here nor their
    sealed reasoning.
    """

    caller: APIName = "responses"
    upstream: APIName = "responses"

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        self.warnings: tuple[str, ...] = ()
        self._parameters = parameters
        self.input_items: list[dict[str, Any]] = []

    def write(self, history: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The request with the history in its input, and without what only we can read."""
        given = self._parameters.get("input")
        own = [{"role": "user", "content": given}] if isinstance(given, str) else given or []
        # Azure looks up items by their id and refuses those that it does not know (openclaw
        # #21782), and a `status` on messages and reasoning (litellm #13484).
        earlier = [_anonymous(item) for item in history if item.get("type") != "reasoning"]
        stripper = Stripper(lambda ciphertext: False, drops_ours=True)
        read = stripper.strip({"input": own})["input"]
        self.warnings = stripper.warnings
        body = {**self._parameters, "input": [*earlier, *map(_as_foreign, read)]}
        if is_stored_here(body.get("previous_response_id")):
            del body["previous_response_id"]
        return body

    def read(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The response as it came."""
        return dict(body)

    def shortened(self, message: str = "") -> dict[str, Any] | None:
        """None: the service shortens what is too long by itself."""
        return None

    def stream(self) -> StreamConversion:
        """Passes the events."""
        return _Passed()


class _Passed:
    final: dict[str, Any] | None = None

    def receive(self, chunk: bytes) -> bytes:
        return chunk

    def end(self) -> bytes:
        return b""


def _anonymous(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item without what only its own response gives a meaning to."""
    return {name: value for name, value in item.items() if name not in ("id", "status")}


def _as_foreign(item: Any) -> Any:
    """An item without the id and status that it has here; as it came where it is not ours."""
    if not isinstance(item, dict) or not is_kept_here(str(item.get("id"))):
        return item
    return _anonymous(item) if item.get("type", "message") in ID_IS_OPTIONAL else item


def needs_replay(parameters: Mapping[str, Any]) -> bool:
    """True for a request of the Responses API that holds what only we know."""
    if is_stored_here(parameters.get("previous_response_id")):
        return True
    given = parameters.get("input")
    return isinstance(given, list) and any(_is_private(item) for item in given)


def _is_private(item: Any) -> bool:
    if _refers(item):
        return is_kept_here(item["id"])
    return isinstance(item, dict) and item.get("type") == "reasoning" and is_ours(item)


def _encode(body: Mapping[str, Any]) -> bytes:
    """A body that a conversion has made, which is JSON: quicker than a body that a caller gives."""
    try:
        encoded = to_json(body)
    except ValueError:
        encoded = b"NaN"
    # What cannot be sent is refused there. The words may also stand in a text.
    if b"NaN" in encoded or b"Infinity" in encoded:
        return encode_body(body) or b"{}"
    return encoded


def _refers(item: Any) -> bool:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return False
    # A reference may leave its type out, and is then an id and nothing else.
    return item.get("type") == "item_reference" or item.keys() == {"id"}


def _resolved(parameters: Mapping[str, Any], history: History) -> Mapping[str, Any]:
    if not history.referenced:
        return parameters
    given = parameters["input"]
    items = [history.referenced.get(item["id"], item) if _refers(item) else item for item in given]
    return {**parameters, "input": items}


def is_stored_here(response_id: object) -> bool:
    """True for the id of a response that is stored on our side."""
    return isinstance(response_id, str) and response_id.startswith(BRIDGED_PREFIX)


def read_json(content: bytes) -> dict[str, Any]:
    """A JSON object; raises ValueError for anything else."""
    try:
        value = from_json(content)
    except ValueError:
        # Half a surrogate pair is not JSON to everybody, and no reason to lose an answer.
        value = json.loads(content)
    if not isinstance(value, dict):
        raise ValueError("the content is not a JSON object")
    return value
