"""The openai package's clients over a router in this process.

Every test runs for the blocking and the awaited client, over httpx2, which openai 3.x brings, and
over httpx, which 2.x takes and 3.x still accepts.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isawaitable
from typing import Any

import httpx
import httpx2
import openai
import pytest
from pydantic import BaseModel

from azure_responses import AsyncAzureResponses, AzureResponses, ConfigurationError, Router
from azure_responses.emulator import Emulator, Fault, Latency, Resource
from azure_responses.openai_transport import async_transport, transport

_KEY = "azure-key"
_THEIRS = "sk-of-the-caller"
_PONG = "Reply with exactly: pong"
_AZURE: Any = {
    "azure_endpoint": "https://anything.openai.azure.com",
    "api_version": "2025-04-01-preview",
}
_WEATHER: Any = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_FUNCTION: Any = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather of a city.",
    "parameters": _WEATHER,
    "strict": True,
}


class _Person(BaseModel):
    name: str
    age: int


class _Watched(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """The emulator's transport, and what passes through it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.sent: list[dict[str, str]] = []
        self.pulled = 0
        self.closed = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(dict(request.headers))
        response: httpx.Response = self._inner.handle_request(request)
        response.stream = _Body(response.stream, self)
        return response

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(dict(request.headers))
        response: httpx.Response = await self._inner.handle_async_request(request)
        response.stream = _Body(response.stream, self)
        return response


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, inner: Any, watched: _Watched) -> None:
        self._inner = inner
        self._watched = watched

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            self._watched.pulled += 1
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            self._watched.pulled += 1
            yield piece

    def close(self) -> None:
        self._watched.closed += 1
        self._inner.close()

    async def aclose(self) -> None:
        self._watched.closed += 1
        await self._inner.aclose()


class _Host:
    """A program that uses the openai package, blocking or awaiting."""

    def __init__(self, library: Any, *, is_async: bool) -> None:
        self.library = library
        self.is_async = is_async
        resources = [Resource(name, keys=[_KEY]) for name in ("east", "west")]
        self.emulator = Emulator(resources, latency=Latency(queued=1, running=5))
        self.watched = _Watched(self.emulator.httpx_transport())
        self._runner = asyncio.Runner()
        self._closers: list[Callable[[], Any]] = []
        self.router = self.make_router()
        self.client = self.make_client()

    def make_router(self, **options: Any) -> Router:
        """A router of both resources."""
        options.setdefault("retry_delay", 0.0)
        http_client = httpx.Client(transport=self.watched)
        async_http_client = httpx.AsyncClient(transport=self.watched)
        self._closers += [http_client.close, async_http_client.aclose]
        rows = [_row(name) for name in ("east", "west")]
        return Router(rows, http_client=http_client, async_http_client=async_http_client, **options)

    def carrier(self, router: Any = None, **options: Any) -> Any:
        """An HTTP client of the library that calls the router."""
        given = router or self.router
        if self.is_async:
            client = self.library.AsyncClient(transport=async_transport(given, **options))
            self._closers.append(client.aclose)
        else:
            client = self.library.Client(transport=transport(given, **options))
            self._closers.append(client.close)
        return client

    def make_client(self, router: Any = None, *, azure: bool = False, **options: Any) -> Any:
        """An openai client that calls the router."""
        own = {name: options.pop(name) for name in ("owner",) if name in options}
        arguments = {"api_key": _THEIRS, "http_client": self.carrier(router, **own), **options}
        kind = "AzureOpenAI" if azure else "OpenAI"
        return getattr(openai, f"Async{kind}" if self.is_async else kind)(**arguments)

    def get(self, result: Any) -> Any:
        """What a call gives."""
        return self._runner.run(_wait(result)) if isawaitable(result) else result

    def iterate(self, stream: Any) -> Iterator[Any]:
        """The events of a stream, each read when it is asked for."""
        if not self.is_async:
            yield from stream
            return
        events = aiter(stream)
        while True:
            try:
                yield self._runner.run(_wait(anext(events)))
            except StopAsyncIteration:
                return

    def close(self) -> None:
        for close in reversed(self._closers):
            self.get(close())
        self.router.close()
        self._runner.close()

    @property
    def asked(self) -> list[tuple[str | None, int]]:
        """Which resource was asked, and what it answered."""
        return [(request.resource, request.status) for request in self.emulator.requests]


async def _wait(result: Any) -> Any:
    return await result


def _row(name: str) -> dict[str, Any]:
    endpoint = f"https://{name}.openai.azure.com"
    params = {"model": "azure/gpt-5-mini", "api_base": endpoint, "api_key": _KEY}
    return {"model_name": "gpt", "litellm_params": params, "model_info": {"id": name}}


@pytest.fixture(
    params=[(httpx2, False), (httpx2, True), (httpx, False), (httpx, True)],
    ids=["httpx2-sync", "httpx2-async", "httpx-sync", "httpx-async"],
)
def host(request: pytest.FixtureRequest) -> Iterator[_Host]:
    library, is_async = request.param
    made = _Host(library, is_async=is_async)
    yield made
    made.close()


def test_a_response_is_created_and_its_call_named(host: _Host) -> None:
    response = host.get(host.client.responses.create(model="gpt", input=_PONG))
    assert response.output_text == "pong"
    assert response.model == "gpt"
    assert response._request_id
    assert [status for _, status in host.asked] == [200]


def test_the_callers_key_goes_nowhere(host: _Host) -> None:
    host.get(host.client.responses.create(model="gpt", input=_PONG))
    assert [headers["api-key"] for headers in host.watched.sent] == [_KEY]
    assert _THEIRS not in repr(host.watched.sent)


def test_follow_ups_reach_the_resource_that_knows_them(host: _Host) -> None:
    response = host.get(host.client.responses.create(model="gpt", input="My name is Ada."))
    for _ in range(4):
        response = host.get(
            host.client.responses.create(
                model="gpt", input="What is my name?", previous_response_id=response.id
            )
        )
        assert "Ada" in response.output_text
    assert len(set(host.asked)) == 1


def test_a_stored_response_is_retrieved_listed_and_deleted(host: _Host) -> None:
    responses = host.client.responses
    created = host.get(responses.create(model="gpt", input=_PONG))
    assert host.get(responses.retrieve(created.id)).output_text == "pong"
    items = host.get(responses.input_items.list(created.id))
    assert [item.content[0].text for item in items.data] == [_PONG]
    host.get(responses.delete(created.id))
    with pytest.raises(openai.NotFoundError):
        host.get(responses.retrieve(created.id))
    assert len({resource for resource, _ in host.asked}) == 1


def test_a_background_response_is_polled_and_cancelled(host: _Host) -> None:
    host.emulator.clock.freeze()
    responses = host.client.responses
    created = host.get(responses.create(model="gpt", input=_PONG, background=True))
    assert created.status == "queued"
    host.emulator.clock.advance(60)
    assert host.get(responses.retrieve(created.id)).status == "completed"
    other = host.get(responses.create(model="gpt", input=_PONG, background=True))
    assert host.get(responses.cancel(other.id)).status == "cancelled"


def test_events_reach_the_caller_before_the_next_are_produced(host: _Host) -> None:
    stream = host.get(host.client.responses.create(model="gpt", input="Say hello", stream=True))
    seen = [(event.type, host.watched.pulled) for event in host.iterate(stream)]
    kinds = [kind for kind, _ in seen]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert kinds.count("response.output_text.delta") > 1
    # What opens a response waits for its first output, which is event 2.
    behind = [pulled - place for place, (_, pulled) in enumerate(seen)]
    assert max(behind[2:]) <= 2
    assert seen[0][1] <= 4


def test_a_stream_left_early_is_closed_at_azure(host: _Host) -> None:
    stream = host.get(
        host.client.responses.create(model="gpt", input="[[azure:length:400]]", stream=True)
    )
    first = next(host.iterate(stream))
    assert first.type == "response.created"
    assert host.watched.closed == 0
    host.get(stream.close())
    assert host.watched.closed == 1
    assert host.watched.pulled < 10


@pytest.mark.parametrize("api", ["responses", "chat"])
def test_a_stream_never_read_is_closed_at_azure(host: _Host, api: str) -> None:
    client, messages = host.client, [{"role": "user", "content": "Say hello"}]
    if api == "chat":
        call = client.chat.completions.create(model="gpt", messages=messages, stream=True)
    else:
        call = client.responses.create(model="gpt", input="Say hello", stream=True)
    stream = host.get(call)
    assert host.watched.closed == 0
    host.get(stream.close())
    assert host.watched.closed == 1


def test_the_helper_of_a_stream_gathers_the_response(host: _Host) -> None:
    arguments = {"model": "gpt", "input": _PONG}
    if host.is_async:

        async def read() -> Any:
            async with host.client.responses.stream(**arguments) as stream:
                return await stream.get_final_response()

        final = host.get(read())
    else:
        with host.client.responses.stream(**arguments) as stream:
            final = stream.get_final_response()
    assert final.output_text == "pong"


def test_answers_are_parsed_into_models(host: _Host) -> None:
    question = "Ada is 36 years old."
    response = host.get(
        host.client.responses.parse(model="gpt", input=question, text_format=_Person)
    )
    assert isinstance(response.output_parsed, _Person)
    completion = host.get(
        host.client.chat.completions.parse(
            model="gpt",
            messages=[{"role": "user", "content": question}],
            response_format=_Person,
        )
    )
    assert isinstance(completion.choices[0].message.parsed, _Person)


def test_a_function_is_called_and_its_result_used(host: _Host) -> None:
    asked = host.get(
        host.client.responses.create(
            model="gpt", input="What is the weather in Paris?", tools=[_FUNCTION]
        )
    )
    call = next(item for item in asked.output if item.type == "function_call")
    assert call.name == "get_weather"
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "12 degrees"}
    answer = host.get(
        host.client.responses.create(
            model="gpt", input=[result], tools=[_FUNCTION], previous_response_id=asked.id
        )
    )
    assert "12 degrees" in answer.output_text


def test_chat_completions_call_functions_too(host: _Host) -> None:
    tool = {"type": "function", "function": {k: v for k, v in _FUNCTION.items() if k != "type"}}
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
    create = host.client.chat.completions.create
    asked = host.get(create(model="gpt", messages=messages, tools=[tool])).choices[0].message
    assert [call.function.name for call in asked.tool_calls] == ["get_weather"]
    messages += [
        asked.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": asked.tool_calls[0].id, "content": "12 degrees"},
    ]
    answer = host.get(create(model="gpt", messages=messages, tools=[tool]))
    assert "12 degrees" in answer.choices[0].message.content


def test_a_conversation_is_compacted(host: _Host) -> None:
    created = host.get(host.client.responses.create(model="gpt", input="My name is Ada."))
    compacted = host.get(
        host.client.responses.compact(model="gpt", previous_response_id=created.id)
    )
    assert compacted.object == "response.compaction"
    assert len(set(host.asked)) == 1


def test_chat_completions_are_streamed(host: _Host) -> None:
    stream = host.get(
        host.client.chat.completions.create(
            model="gpt",
            messages=[{"role": "user", "content": _PONG}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    chunks = list(host.iterate(stream))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "pong"
    assert chunks[-1].usage.total_tokens > 0


def test_the_models_are_the_groups_of_the_router(host: _Host) -> None:
    assert [model.id for model in host.get(host.client.models.list()).data] == ["gpt"]
    assert host.get(host.client.models.retrieve("gpt")).id == "gpt"


def test_azures_client_is_served_at_azures_paths(host: _Host) -> None:
    client = host.make_client(azure=True, **_AZURE)
    assert host.get(client.responses.create(model="gpt", input=_PONG)).output_text == "pong"
    messages: Any = [{"role": "user", "content": _PONG}]
    completion = host.get(client.chat.completions.create(model="gpt", messages=messages))
    assert completion.choices[0].message.content == "pong"
    bound = host.make_client(azure=True, azure_deployment="gpt", **_AZURE)
    completion = host.get(bound.chat.completions.create(model="ignored", messages=messages))
    assert completion.choices[0].message.content == "pong"


@pytest.mark.parametrize(
    ("fault", "kind", "status", "attempts"),
    [
        ("http-400", openai.BadRequestError, 400, 1),
        ("http-429", openai.RateLimitError, 429, 2),
        ("http-500", openai.InternalServerError, 500, 3),
        ("http-503", openai.InternalServerError, 503, 3),
    ],
)
def test_errors_are_the_packages_own_and_not_tried_again(
    host: _Host, fault: str, kind: type[openai.APIStatusError], status: int, attempts: int
) -> None:
    options = {"retry_after": 30.0} if fault == "http-429" else {}
    host.emulator.faults.add(Fault(fault, **options))  # type: ignore[arg-type]
    client = host.make_client(max_retries=5)
    with pytest.raises(kind) as caught:
        host.get(client.responses.create(model="gpt", input=_PONG, timeout=5.0))
    assert caught.value.status_code == status
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"]
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert len(host.asked) == attempts


def test_an_unknown_model_is_not_found(host: _Host) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        host.get(host.client.responses.create(model="nobody", input=_PONG))
    assert caught.value.code == "model_not_found"
    assert host.asked == []


@pytest.mark.parametrize("azure", [False, True], ids=["openai", "azure"])
def test_other_resources_are_refused_with_a_word_on_what_there_is(host: _Host, azure: bool) -> None:
    client = host.make_client(azure=azure, **(_AZURE if azure else {}))
    with pytest.raises(openai.NotFoundError, match="serves responses, chat completions") as caught:
        host.get(client.moderations.create(input="hi"))
    assert "openapi" not in caught.value.response.text
    with pytest.raises(openai.NotFoundError, match="serves responses, chat completions"):
        host.get(client.fine_tuning.jobs.cancel("job-1"))
    assert host.asked == []


def test_files_pass(host: _Host) -> None:
    named = {"x-azr-model": "gpt"}
    made = host.client.files.create(file=("a.txt", b"hi"), purpose="batch", extra_headers=named)
    file = host.get(made)
    assert host.get(host.client.files.content(file.id)).content == b"hi"
    host.get(host.client.files.delete(file.id))


def test_a_failure_in_the_middle_of_a_stream_is_an_event(host: _Host) -> None:
    host.emulator.faults.add(Fault("reset-mid-body", after_events=6))
    stream = host.get(host.client.responses.create(model="gpt", input="Say hello", stream=True))
    kinds = [event.type for event in host.iterate(stream)]
    assert kinds[-1] == "error"
    assert len(host.asked) == 1


def test_between_two_events_the_timeout_begins_anew(host: _Host) -> None:
    host.emulator.faults.add(Fault("stall", after_events=6))
    stream = host.get(
        host.client.responses.create(model="gpt", input="Say hello", stream=True, timeout=0.1)
    )
    last = list(host.iterate(stream))[-1]
    assert (last.type, last.code) == ("error", "timeout")
    assert len(host.asked) == 1


def test_the_timeout_is_the_deadline_of_the_call(host: _Host) -> None:
    host.emulator.faults.add(Fault("stall-before-headers"))
    client = host.make_client(max_retries=5)
    with pytest.raises(openai.APITimeoutError) as caught:
        host.get(client.responses.create(model="gpt", input=_PONG, timeout=0.1))
    assert "did not answer in time" in str(caught.value.__cause__)
    assert len(host.asked) == 1


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_timeout_of_nothing_is_over_at_once(host: _Host, seconds: int) -> None:
    host.emulator.faults.add(Fault("stall-before-headers"))
    with pytest.raises(openai.APITimeoutError):
        host.get(host.client.responses.create(model="gpt", input=_PONG, timeout=seconds))


def test_without_a_timeout_a_call_may_last(host: _Host) -> None:
    client = host.make_client(timeout=None)
    assert host.get(client.responses.create(model="gpt", input=_PONG)).output_text == "pong"


def test_a_connection_that_fails_is_a_connection_error(host: _Host) -> None:
    host.emulator.faults.add(Fault("connect-refused"))
    client = host.make_client(max_retries=5)
    with pytest.raises(openai.APIConnectionError, match="Connection refused"):
        host.get(client.responses.create(model="gpt", input=_PONG))
    assert len(host.asked) == 3


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("connect-refused", "ConnectError"), ("stall-before-headers", "ReadTimeout")],
)
def test_who_is_not_the_openai_package_gets_the_librarys_errors(
    host: _Host, fault: str, kind: str
) -> None:
    host.emulator.faults.add(Fault(fault))
    carrier = host.carrier()
    body = {"model": "gpt", "input": _PONG}
    with pytest.raises(getattr(host.library, kind)):
        host.get(carrier.post("http://router/v1/responses", json=body, timeout=0.1))


def test_ids_are_of_use_to_their_owner_alone(host: _Host) -> None:
    ours, theirs = host.make_client(owner="us"), host.make_client(owner="them")
    created = host.get(ours.responses.create(model="gpt", input=_PONG))
    assert host.get(ours.responses.retrieve(created.id)).output_text == "pong"
    with pytest.raises(openai.NotFoundError):
        host.get(theirs.responses.retrieve(created.id))


def test_a_client_is_enough(host: _Host) -> None:
    endpoint: Any = {"endpoint": "https://east.openai.azure.com", "api_key": _KEY}
    endpoint["max_retries"] = 1
    azure: Any
    if host.is_async:
        azure = AsyncAzureResponses(
            **endpoint, http_client=httpx.AsyncClient(transport=host.watched)
        )
    else:
        azure = AzureResponses(**endpoint, http_client=httpx.Client(transport=host.watched))
    client = host.make_client(azure)
    created = host.get(client.responses.create(model="gpt-5-mini", input="My name is Ada."))
    answer = host.get(
        client.responses.create(
            model="gpt-5-mini", input="What is my name?", previous_response_id=created.id
        )
    )
    assert "Ada" in answer.output_text
    host.emulator.faults.add(Fault("http-503"))
    before = len(host.asked)
    with pytest.raises(openai.InternalServerError):
        host.get(client.responses.create(model="gpt-5-mini", input=_PONG))
    # The client's one further attempt, and nobody else's.
    assert len(host.asked) - before == 2


def test_the_router_outlives_its_transport(host: _Host) -> None:
    carrier = host.carrier()
    if host.is_async:

        async def enter() -> None:
            async with carrier:
                pass

        host.get(enter())
    else:
        with carrier:
            pass
    assert host.get(host.client.responses.create(model="gpt", input=_PONG)).output_text == "pong"


def test_a_client_of_the_other_kind_is_refused() -> None:
    endpoint: Any = {"endpoint": "https://east.openai.azure.com", "api_key": _KEY}
    with AzureResponses(**endpoint) as client, pytest.raises(ConfigurationError) as caught:
        async_transport(client)  # type: ignore[arg-type]
    assert caught.value.hint == "Pass a Router or an AsyncAzureResponses, or use transport."
    with pytest.raises(ConfigurationError, match="A AsyncAzureResponses cannot"):
        transport(AsyncAzureResponses(**endpoint))  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as caught:
        transport("https://east.openai.azure.com")  # type: ignore[arg-type]
    assert caught.value.hint == "Pass a Router or an AzureResponses."


def test_requests_of_another_library_are_refused() -> None:
    with Router([_row("east")]) as router, pytest.raises(TypeError, match="not a request of httpx"):
        transport(router).handle_request(object())


def test_neither_httpx2_nor_openai_is_imported() -> None:
    program = (
        "import sys, azure_responses.openai_transport as t; t.RouterTransport; "
        "print(sorted({'httpx2', 'openai'} & set(sys.modules)))"
    )
    shown = subprocess.check_output([sys.executable, "-c", program], text=True, timeout=60)
    assert shown.strip() == "[]"


def test_one_async_client_serves_several_event_loops() -> None:
    emulator = Emulator()
    carrier = httpx.AsyncClient(transport=emulator.httpx_transport())
    params = {"model": "azure/gpt-5-mini", "api_base": emulator.endpoint, "api_key": "emulator-key"}
    router = Router([{"model_name": "gpt", "litellm_params": params}], async_http_client=carrier)
    http_client = httpx2.AsyncClient(transport=async_transport(router))
    client = openai.AsyncOpenAI(api_key=_THEIRS, http_client=http_client)

    async def ask() -> str:
        response = await client.responses.create(model="gpt", input=_PONG)
        return response.output_text

    assert [asyncio.run(ask()), asyncio.run(ask())] == ["pong", "pong"]


def test_a_cancelled_task_ends_the_call_at_azure() -> None:
    host = _Host(httpx2, is_async=True)

    async def ask() -> None:
        stream = await host.client.responses.create(model="gpt", input="Say hello", stream=True)
        async with asyncio.timeout(5), stream:
            async for _ in stream:
                asyncio.current_task().cancel()  # type: ignore[union-attr]

    with pytest.raises(asyncio.CancelledError):
        host.get(ask())
    assert host.watched.closed == 1
    host.close()
