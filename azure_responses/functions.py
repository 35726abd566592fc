"""Calls without a client: `responses` and `completion`, and their async twins.

Clients are kept per endpoint, credential and version, so that repeated calls reuse connections.
The twins are written by hand: nearly all they share is their signatures.
"""

import atexit
import os
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Generic, Literal, TypeVar, Unpack, overload

from azure_responses._async.chat_stream import AsyncChatCompletionStream
from azure_responses._async.client import AsyncAzureResponses
from azure_responses._async.stream import AsyncStream
from azure_responses._sync.chat_stream import ChatCompletionStream
from azure_responses._sync.client import AzureResponses
from azure_responses._sync.stream import Stream
from azure_responses.call_options import (
    CallOptions,
    CreateArguments,
    IdentityArguments,
    ServingArguments,
)
from azure_responses.fork import in_forked_child, new_lock
from azure_responses.parameter_help import shows_parameters
from azure_responses.protocol.environment import EVERY_VARIABLE
from azure_responses.protocol.model_name import read_model_name
from azure_responses.types.chat import ChatCompletion
from azure_responses.types.parameters import ChatParameters
from azure_responses.types.response import Response

__all__ = [
    "FunctionArguments",
    "FunctionChatArguments",
    "FunctionConnection",
    "acompletion",
    "aresponses",
    "completion",
    "responses",
]

C = TypeVar("C")

# Clients kept. A program that calls with ever new keys must not keep connections for all of them.
_CAPACITY = 64


class FunctionConnection(IdentityArguments, ServingArguments, total=False):
    """Where a function sends its call; the environment has the other arguments of the client."""

    api_base: str | None
    """Endpoint of the resource, in any form the portal or the docs show; None takes the
    environment's."""


class FunctionArguments(CreateArguments, FunctionConnection, total=False):
    """Every parameter of a response, the options of a call, and where to send it."""


class FunctionChatArguments(ChatParameters, CallOptions, FunctionConnection, total=False):
    """Every parameter of a chat completion, the options of a call, and where to send it."""


_CONNECTION_NAMES = frozenset(FunctionConnection.__annotations__)


class ClientPool(Generic[C]):
    """Keeps the clients that were made last, one for each set of connection arguments."""

    def __init__(self, make: Callable[..., C]) -> None:
        self._make = make
        self._clients: OrderedDict[Hashable, C] = OrderedDict()
        self._lock = new_lock()
        in_forked_child(self, ClientPool._leave_parent)

    def get(self, arguments: Mapping[str, Any]) -> C:
        """The client for these connection arguments and the environment as it is now."""
        key = _key(arguments)
        with self._lock:
            client = self._clients.get(key)
            if client is not None:
                self._clients.move_to_end(key)
                return client
        # Made outside of the lock: it reads certificates, for which callers of other clients need
        # not wait. Of two made at the same time the second is dropped before its first call.
        made = self._make(**arguments)
        with self._lock:
            client = self._clients.setdefault(key, made)
            if len(self._clients) > _CAPACITY:
                # Dropped, not closed: another thread may be using it.
                self._clients.popitem(last=False)
            return client

    def _leave_parent(self) -> None:
        # The clients themselves leave the parent's connections; but a credential that was made
        # for one of them has connections of its own, so all are made again.
        self._clients = OrderedDict()

    def clear(self, close: Callable[[C], None]) -> None:
        """Close and forget every client."""
        with self._lock:
            while self._clients:
                close(self._clients.popitem()[1])


def _key(arguments: Mapping[str, Any]) -> Hashable:
    # The environment is part of the key, because a program may change it between two calls.
    explicit = tuple(
        (name, value if isinstance(value, Hashable) else id(value))
        for name, value in sorted(arguments.items())
    )
    environment = tuple(
        os.environ.get(variable) for variables in EVERY_VARIABLE.values() for variable in variables
    )
    return explicit, environment


_clients: ClientPool[AzureResponses] = ClientPool(AzureResponses)
atexit.register(_clients.clear, AzureResponses.close)
# Not closed at exit: that needs the event loop of each client, and the loops have ended.
_async_clients: ClientPool[AsyncAzureResponses] = ClientPool(AsyncAzureResponses)


def _split(arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Connection arguments and call arguments; the model without its provider prefix."""
    connection = {
        name: value
        for name, value in arguments.items()
        if name in _CONNECTION_NAMES and value is not None
    }
    call = {name: value for name, value in arguments.items() if name not in _CONNECTION_NAMES}
    if "api_base" in connection:
        connection["endpoint"] = connection.pop("api_base")
    if isinstance(call.get("model"), str):
        named = read_model_name(call["model"])
        call["model"] = named.deployment if named.agent is None else call["model"]
        if named.provider not in (None, "azure"):
            connection.setdefault("provider", named.provider)
    return connection, call


@overload
def responses(
    *, stream: Literal[False] = False, **arguments: Unpack[FunctionArguments]
) -> Response: ...
@overload
def responses(
    *, stream: Literal[True], **arguments: Unpack[FunctionArguments]
) -> Stream[Response]: ...
@shows_parameters(FunctionArguments)
def responses(
    *, stream: bool = False, **arguments: Unpack[FunctionArguments]
) -> Response | Stream[Response]:
    """Ask a deployment: `responses(model="azure/o1-pro", input="…", api_base=…, api_key=…)`.

    The `azure/` or `azure/responses/` before the name of the deployment is optional. The
    environment has the arguments that are absent. With `stream=True` the result is an iterator
    of typed events.

    Raises:
        AzureResponsesError: an error of the configuration, the service or the network.
    """
    connection, call = _split(arguments)
    return _clients.get(connection).responses.create(stream=stream, **call)


@overload
async def aresponses(
    *, stream: Literal[False] = False, **arguments: Unpack[FunctionArguments]
) -> Response: ...
@overload
async def aresponses(
    *, stream: Literal[True], **arguments: Unpack[FunctionArguments]
) -> AsyncStream[Response]: ...
@shows_parameters(FunctionArguments)
async def aresponses(
    *, stream: bool = False, **arguments: Unpack[FunctionArguments]
) -> Response | AsyncStream[Response]:
    """`responses`, awaited."""
    connection, call = _split(arguments)
    return await _async_clients.get(connection).responses.create(stream=stream, **call)


@overload
def completion(
    *, stream: Literal[False] | None = False, **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletion: ...
@overload
def completion(
    *, stream: Literal[True], **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletionStream: ...
@overload
def completion(
    *, stream: bool | None, **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletion | ChatCompletionStream: ...
@shows_parameters(FunctionChatArguments)
def completion(
    *, stream: bool | None = False, **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletion | ChatCompletionStream:
    """A chat completion, served by the Responses API.

    `completion(model="azure/responses/my-o1-pro", messages=[…], api_base=…, api_key=…)`; the
    prefix is optional. Takes every parameter of chat completions; with `stream=True` the result
    is an iterator of chunks.

    Raises:
        AzureResponsesError: an error of the configuration, the service or the network.
    """
    connection, call = _split(arguments)
    # `create` has an overload for each value of `stream`, and none for a value known only later.
    create: Callable[..., ChatCompletion | ChatCompletionStream]
    create = _clients.get(connection).chat.completions.create
    return create(stream=stream, **call)


@overload
async def acompletion(
    *, stream: Literal[False] | None = False, **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletion: ...
@overload
async def acompletion(
    *, stream: Literal[True], **arguments: Unpack[FunctionChatArguments]
) -> AsyncChatCompletionStream: ...
@overload
async def acompletion(
    *, stream: bool | None, **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletion | AsyncChatCompletionStream: ...
@shows_parameters(FunctionChatArguments)
async def acompletion(
    *, stream: bool | None = False, **arguments: Unpack[FunctionChatArguments]
) -> ChatCompletion | AsyncChatCompletionStream:
    """`completion`, awaited."""
    connection, call = _split(arguments)
    create: Callable[..., Awaitable[ChatCompletion | AsyncChatCompletionStream]]
    create = _async_clients.get(connection).chat.completions.create
    return await create(stream=stream, **call)
