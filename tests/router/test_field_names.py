"""Callers name fields as they like: no name collides with a parameter of a function of ours."""

import ast
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest

from azure_responses import AzureResponses, AzureResponsesError, Router
from azure_responses.emulator.server import RunningServer
from tests.gateway.gateways import config_of, serve
from tests.openai_server.servers import Asker, make_emulator, open_asker
from tests.router.both import emulate, rows_of, run
from tests.tree import modules

_ODD = (
    *("self", "cls", "request", "body", "arguments", "parameters", "options", "kwargs", "args"),
    *("stream", "timeout", "model", "messages", "input", "api_key", "api_base", "api_version"),
    *("extra_body", "extra_headers", "extra_query", "deployment", "credential", "owner", "history"),
    *("__class__", "__init__", "__dict__", "model_config", "model_dump", "_fields_set", "None"),
    *("", " ", "a b", "1", "-", "ключ", "\u0000", "\n", "a.b", "a[0]", "$ref", "x" * 100_000),
)


def _parameter_names() -> Iterator[str]:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.arguments):
                for each in (*node.posonlyargs, *node.args, *node.kwonlyargs):
                    yield each.arg


_NAMES = tuple(dict.fromkeys((*_ODD, *sorted(set(_parameter_names())))))
_RESPONSE: dict[str, Any] = {"model": "chat", "input": "Hi"}
_CHAT: dict[str, Any] = {"model": "chat", "messages": [{"role": "user", "content": "Hi"}]}
_ROUTES: dict[str, dict[str, Any]] = {"/v1/responses": _RESPONSE, "/v1/chat/completions": _CHAT}


def _with(level: str, named: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """A body for each route with these fields at a level below the body itself."""
    function = {"name": "f", "parameters": {"type": "object", "properties": named}}
    said = {"role": "user", "content": "Hi"}
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    levels: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "metadata": ({"metadata": named}, {"metadata": named}),
        "item": ({"input": [{**said, **named}]}, {"messages": [{**said, **named}]}),
        "part": (
            {"input": [{"role": "user", "content": [{"type": "input_text", **named}]}]},
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "", **named}]}]},
        ),
        "tool": (
            {"tools": [{"type": "function", **function, **named}]},
            {"tools": [{"type": "function", "function": function, **named}]},
        ),
        "function": (
            {"tools": [{"type": "function", **function}]},
            {"tools": [{"type": "function", "function": {**function, **named}}]},
        ),
        "call": (
            {"input": [{"type": "function_call", "name": "f", "arguments": "{}", **named}]},
            {"messages": [said, {"role": "assistant", "tool_calls": [{**call, **named}]}]},
        ),
        "arguments of a call": (
            {
                "input": [
                    {"type": "function_call", "name": "f", "arguments": json.dumps(named)},
                ]
            },
            {
                "messages": [
                    said,
                    {
                        "role": "assistant",
                        "tool_calls": [
                            {**call, "function": {"name": "f", "arguments": json.dumps(named)}}
                        ],
                    },
                ]
            },
        ),
        "reasoning": ({"reasoning": named}, {"reasoning": named, "reasoning_effort": named}),
        "text": ({"text": {"format": named}}, {"response_format": {"type": "text", **named}}),
        "schema": (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": named}}},
            {"response_format": {"type": "json_schema", "json_schema": {"schema": named}}},
        ),
        "tool_choice": ({"tool_choice": named}, {"tool_choice": named}),
        "stream_options": ({"stream_options": named}, {"stream_options": named}),
        "prompt": ({"prompt": {"variables": named}}, {"prompt": {"variables": named}}),
        "conversation": ({"conversation": named}, {"conversation": named}),
        "search": ({"tools": [{"type": "web_search", **named}]}, {"web_search_options": named}),
    }
    native, chat = levels[level]
    return {
        "/v1/responses": {**_RESPONSE, **native},
        "/v1/chat/completions": {**_CHAT, **chat},
    }


_LEVELS = (
    *("metadata", "item", "part", "tool", "function", "call", "arguments of a call"),
    *("reasoning", "text", "schema", "tool_choice", "stream_options", "prompt", "conversation"),
    *("search",),
)


def _check(found: Any, name: Any) -> None:
    assert found.status in (200, 400, 404), (name, found.content[:300])
    # An error says what is wrong, and does not grow with what was sent.
    assert found.status == 200 or found.json["error"]["message"], name
    assert found.summary.attempts or len(found.content) < 20_000, name


@pytest.mark.parametrize(("kind", "names"), [("sync", _NAMES), ("async", _ODD)])
def test_server_answer_whatever_a_field_is_called(kind: str, names: tuple[str, ...]) -> None:
    with open_asker(kind, make_emulator(), "east", "west") as ask:
        for name in names:
            for path, body in _ROUTES.items():
                for value in ("x", {"self": 1}) if name in _ODD else ("x",):
                    # The emulator refuses a key that is not the resource's, with a 401.
                    _check(ask("POST", path, {**body, name: value}), name[:50])


@pytest.mark.filterwarnings("ignore:messages:UserWarning")
@pytest.mark.parametrize("level", _LEVELS)
def test_server_answer_whatever_a_nested_field_is_called(level: str) -> None:
    with open_asker("sync", make_emulator(), "east", "west") as ask:
        groups: list[dict[str, Any]] = [
            dict.fromkeys(_NAMES, "x"),
            {key: {"self": 1} for key in _NAMES[:20]},
        ]
        groups += [{name: "x"} for name in _ODD]
        for named in groups:
            for path, body in _with(level, named).items():
                _check(_asked(ask, path, body), (level, next(iter(named))[:50]))


def _asked(ask: Asker, path: str, body: dict[str, Any]) -> Any:
    return ask("POST", path, {**body, "stream": True} if "tools" in body else body)


@pytest.mark.parametrize("path", _ROUTES)
def test_a_caller_cannot_say_where_or_as_whom_a_call_is_made(path: str) -> None:
    names = (
        *("api_base", "api_key", "api_version", "azure_endpoint", "azure_ad_token", "base_url"),
        *("azure_ad_token_provider", "credential", "endpoint", "default_headers", "default_query"),
        *("extra_body", "extra_headers", "extra_query", "timeout", "max_retries", "http_client"),
        *("azure_deployment", "scope", "proxy", "verify", "cert", "organization"),
    )
    with open_asker("sync", make_emulator(), "east") as ask:
        for name in names:
            for value in ("https://evil.example", {"api-key": "evil", "self": "x"}, None):
                found = ask("POST", path, {**_ROUTES[path], name: value})
                _check(found, name)
                assert value is None or found.status == 400, name


def test_a_gateway_answers_whatever_fields_and_headers_are_called() -> None:
    emulator = make_emulator()
    with (
        RunningServer(emulator) as served,
        serve(config_of(served.url, "east")) as running,
        running.client() as client,
    ):
        for path, body in _ROUTES.items():
            for name in ("self", "request", "arguments", "stream", "timeout", "cls", ""):
                headers = {name: "x"} if name and name != "timeout" else {}
                found = client.post(path, json={**body, name: "x"}, headers=headers)
                assert found.status_code == 400, (path, name, found.text)
                found = client.post(path, json={**body, "metadata": {name: "x"}}, headers=headers)
                assert found.status_code in (200, 400), (path, name, found.text)
        for name in ("self", "request", "stream"):
            found = client.post("/v1/responses", json={**_RESPONSE, "metadata": {name: "x"}})
            assert found.json()["metadata"] == {name: "x"}


def test_a_router_says_what_is_unknown(runner: str) -> None:
    emulator = emulate(1)

    async def scenario(router: Any) -> None:
        message = {"role": "user", "content": "Hi"}
        for name in _ODD:
            if name in ("stream", "timeout", "model", "messages"):
                continue
            given: dict[str, Any] = {"messages": [message], name: {"self": 1}}
            await _is_refused(router.completion, "gpt", given)
            await _is_refused(router.responses, "gpt", {"input": "Hi", "extra_body": {name: 1}})

    run(runner, emulator, scenario)


async def _is_refused(call: Any, model: str, given: dict[str, Any]) -> None:
    """Answered or refused in our own words, and never by a traceback of Python's."""
    with suppress(AzureResponsesError):
        await call(model=model, **given)


def test_a_client_sends_what_extra_body_holds() -> None:
    emulator = emulate(1)
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            "https://east.openai.azure.com", api_key=emulator.api_key, http_client=http_client
        ) as client,
    ):
        for name in _ODD:
            for call in (
                lambda extra: client.responses.create(model="gpt-5", input="Hi", extra_body=extra),
                lambda extra: client.chat.completions.create(
                    model="gpt-5", messages=[{"role": "user", "content": "Hi"}], extra_body=extra
                ),
            ):
                with suppress(AzureResponsesError):
                    call({name: {"self": 1}})
        odd: Any = {"self": 1}
        with pytest.raises(AzureResponsesError, match="'self' is a parameter of neither"):
            client.chat.completions.create(model="gpt-5", messages=[], **odd)


def test_a_router_explains_a_call_with_any_field() -> None:
    emulator = emulate(1)
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        Router(rows_of(emulator, 1), http_client=http_client) as router,
    ):
        for name in ("self", "request", "ask", "now"):
            assert router.explain(model="gpt", input="Hi", **{name: 1}).deployment == "east"
