"""The async client offers what the sync client offers, with the same arguments."""

import inspect
from importlib import import_module
from typing import Any

import pytest

from azure_responses import (
    AsyncAzureResponses,
    AsyncRoutedStream,
    AsyncRouter,
    AsyncStream,
    AzureResponses,
    RoutedStream,
    Router,
    Stream,
    acompletion,
    aresponses,
    completion,
    responses,
)
from azure_responses._async import chat as async_chat
from azure_responses._async import chat_events as async_chat_events
from azure_responses._async import pages as async_pages
from azure_responses._async import resources as async_resources
from azure_responses._async import response_connection as async_connection
from azure_responses._async.credentials import AsyncCredentials
from azure_responses._async.watch import AsyncTelemetry, AsyncWatch
from azure_responses._sync import chat, chat_events, pages, resources, response_connection
from azure_responses._sync.credentials import Credentials
from azure_responses._sync.watch import Telemetry, Watch
from azure_responses.openai_server import AsyncOpenAIServer, OpenAIServer
from azure_responses.reply_body import AsyncStreamedReply, StreamedReply
from azure_responses.router._async.operations import AsyncRouterOperations
from azure_responses.router._sync.operations import RouterOperations
from azure_responses.router.awaited import AwaitedCalls

_PAIRS: list[tuple[type, type]] = [
    (AzureResponses, AsyncAzureResponses),
    (Stream, AsyncStream),
    (chat.Chat, async_chat.AsyncChat),
    (chat.Completions, async_chat.AsyncCompletions),
    (chat_events.ChatEventStream, async_chat_events.AsyncChatEventStream),
    (chat.ChatCompletionStream, async_chat.AsyncChatCompletionStream),
    (resources.Responses, async_resources.AsyncResponses),
    (resources.RawResponses, async_resources.AsyncRawResponses),
    (resources.InputItems, async_resources.AsyncInputItems),
    (resources.InputTokens, async_resources.AsyncInputTokens),
    (resources.Models, async_resources.AsyncModels),
    (response_connection.ResponseConnection, async_connection.AsyncResponseConnection),
    (pages.Pages, async_pages.AsyncPages),
    (pages.InputItemPages, async_pages.AsyncInputItemPages),
    (RoutedStream, AsyncRoutedStream),
    (RouterOperations, AsyncRouterOperations),
    (OpenAIServer, AsyncOpenAIServer),
    (Telemetry, AsyncTelemetry),
    (Watch, AsyncWatch),
    (Credentials, AsyncCredentials),
    (StreamedReply, AsyncStreamedReply),
]
# The resources of stored objects, module by module.
for _name in (
    "batches",
    "containers",
    "conversations",
    "files",
    "skills",
    "uploads",
    "vector_stores",
    "webhooks",
):
    _asynchronous = import_module(f"azure_responses._async.{_name}")
    _sync = import_module(f"azure_responses._sync.{_name}")
    _PAIRS += [
        (getattr(_sync, each.removeprefix("Async")), getattr(_asynchronous, each))
        for each in _asynchronous.__all__
    ]
# The one name that differs: closing is awaited, and asyncio's word for that is `aclose`.
_TWINS = {"close": "aclose"}


def _public(kind: type) -> dict[str, Any]:
    return {name: value for name, value in vars(kind).items() if not name.startswith("_")}


def _shape(function: Any) -> list[tuple[str, Any, Any]]:
    signature = inspect.signature(function)
    return [(p.name, p.kind, p.default) for p in signature.parameters.values()]


@pytest.mark.parametrize(("sync", "asynchronous"), _PAIRS)
def test_every_public_method_has_a_twin_with_the_same_parameters(
    sync: type, asynchronous: type
) -> None:
    ours, twins = _public(sync), _public(asynchronous)
    assert {_TWINS.get(name, name) for name in ours} == set(twins)
    for name, value in ours.items():
        if inspect.isfunction(value):
            assert _shape(value) == _shape(twins[_TWINS.get(name, name)]), name


@pytest.mark.parametrize(("sync", "asynchronous"), _PAIRS)
def test_every_public_member_has_a_docstring(sync: type, asynchronous: type) -> None:
    for kind in (sync, asynchronous):
        for name, value in _public(kind).items():
            target = getattr(value, "func", value)
            assert inspect.getdoc(target), f"{kind.__name__}.{name}"


def test_the_constructors_take_the_same_arguments() -> None:
    assert _shape(AzureResponses.__init__) == _shape(AsyncAzureResponses.__init__)


def test_an_async_router_has_the_methods_of_a_router_under_the_same_names() -> None:
    names = {name for name in dir(AsyncRouter) if not name.startswith("_")}
    # What a Router offers async programs besides; `calls` of either is of its own side.
    delegates = {name for name in dir(AwaitedCalls) if not name.startswith("_")}
    assert names - {"aclose", "async_calls"} == {
        name for name in dir(Router) if not name.startswith("_")
    } - delegates - {"aclose", "async_calls", "close"}
    assert _shape(Router.__init__) == _shape(AsyncRouter.__init__)


@pytest.mark.parametrize("name", [name for name in vars(AwaitedCalls) if name.startswith("a")])
def test_an_async_method_of_a_router_takes_what_the_async_router_takes(name: str) -> None:
    twin = "wait" if name == "await_" else name.removeprefix("a")
    assert _shape(getattr(Router, name)) == _shape(getattr(AsyncRouter, twin))


def test_the_functions_take_the_same_arguments() -> None:
    assert _shape(responses) == _shape(aresponses)
    assert _shape(completion) == _shape(acompletion)
