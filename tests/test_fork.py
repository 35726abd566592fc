"""What a forked process shares with its parent: nothing that answers, locks or closes."""

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

import azure_responses
from azure_responses import (
    APIConnectionError,
    AsyncAzureResponses,
    AzureResponses,
    Router,
    StreamInterruptedError,
    fork,
)
from azure_responses.functions import _clients
from tests.doctor.sockets import make_certificate
from tests.echo_server import echo_server

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

_Ask = Callable[[str], str]


def begin_child(work: Callable[[], Any]) -> Callable[[], Any]:
    """Work in a forked process; what waits for its result."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover  (another process)
        try:
            result = ["ok", work()]
        except BaseException:
            result = ["failed", traceback.format_exc()]
        os.write(writer, json.dumps(result).encode())
        os._exit(0)
    os.close(writer)

    def wait() -> Any:
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        outcome, result = json.loads(said)
        assert outcome == "ok", result
        return result

    return wait


def in_child(work: Callable[[], Any]) -> Any:
    """The result of work in a forked process."""
    return begin_child(work)()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["plain", "tls"])
def url(
    request: pytest.FixtureRequest,
    certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """Where the echoing server is."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    with echo_server(certificate if request.param == "tls" else None) as served:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", served)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", "a-key-for-nothing")
        yield served


def _rows() -> list[dict[str, Any]]:
    params = {"model": "gpt-5", "api_key": "a-key-for-nothing"}
    return [
        {"model_name": "m", "params": {**params, "api_base": os.environ["AZURE_OPENAI_ENDPOINT"]}}
    ]


def _ask_function(word: str) -> str:
    return azure_responses.responses(model="m", input=word).output_text


def _ask_completion(word: str) -> str:
    messages = [{"role": "user", "content": word}]
    answer: Any = azure_responses.completion(model="m", messages=messages)
    return str(answer.choices[0].message.content)


def _ask_with(caller: AzureResponses | Router) -> _Ask:
    if isinstance(caller, Router):
        return lambda word: caller.responses(model="m", input=word).output_text
    return lambda word: caller.responses.create(model="m", input=word).output_text


@contextmanager
def _asking(kind: str) -> Iterator[_Ask]:
    with ExitStack() as stack:
        if kind == "client":
            yield _ask_with(stack.enter_context(AzureResponses()))
        elif kind == "http_client":
            http_client = stack.enter_context(httpx.Client())
            yield _ask_with(AzureResponses(http_client=http_client))
        elif kind == "router":
            yield _ask_with(stack.enter_context(Router(_rows())))
        else:
            stack.callback(_clients.clear, AzureResponses.close)
            yield _ask_function if kind == "responses()" else _ask_completion


def _count_foreign(ask: _Ask, name: str, calls: int) -> int:
    words = [f"word-{name}-{number}" for number in range(calls)]
    return sum(ask(word) != word for word in words)


@pytest.mark.parametrize("kind", ["client", "http_client", "router", "responses()", "completion()"])
def test_no_process_reads_the_answer_of_another(
    kind: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign, turns, calls = 0, 5, 5
    with _asking(kind) as ask:
        assert ask("word-first") == "word-first"
        for turn in range(turns):
            works = [partial(_count_foreign, ask, f"{turn}-{n}", calls) for n in range(4)]
            waiting = [begin_child(work) for work in works[1:]]
            foreign += works[0]() + sum(wait() for wait in waiting)
    with capsys.disabled():
        print(f" {foreign} foreign answers of {turns * 4 * calls}", end="")
    assert foreign == 0


def _connection(client: AzureResponses) -> str:
    answer = client.responses.create(model="m", input="word-connection")
    assert answer.headers is not None
    return answer.headers["x-connection"]


def test_a_child_opens_its_own_connection_and_the_parent_keeps_its_own(url: str) -> None:
    with AzureResponses() as client:
        before = _connection(client)
        assert in_child(lambda: _connection(client)) != before
        assert _connection(client) == before


def _close(client: AzureResponses) -> None:
    client.close()


def _collect(client: AzureResponses) -> None:
    import gc

    client.__dict__.clear()
    gc.collect()


@pytest.mark.parametrize("end", [_close, _collect])
def test_a_child_that_closes_or_collects_a_client_leaves_the_parents_connection_open(
    end: Callable[[AzureResponses], None], url: str
) -> None:
    with AzureResponses() as client:
        before = _connection(client)
        in_child(lambda: end(client))
        assert _connection(client) == before


def test_a_grandchild_has_its_own_connection_too(url: str) -> None:
    with AzureResponses() as client:

        def work() -> list[str]:
            own = _connection(client)
            return [own, in_child(lambda: _connection(client)), _connection(client)]

        before = _connection(client)
        child, grandchild, child_again = in_child(work)
        assert child == child_again
        assert len({before, child, grandchild}) == 3
        assert _connection(client) == before


def test_a_worker_of_multiprocessing_has_its_own_connections(url: str) -> None:
    with AzureResponses() as client:
        before = _connection(client)
        context = multiprocessing.get_context("fork")
        results = context.Queue()
        worker = context.Process(target=lambda: results.put(_connection(client)))
        worker.start()
        assert results.get(timeout=20) != before
        worker.join()
        assert _connection(client) == before


def test_a_stream_goes_on_in_the_parent_and_fails_in_the_child(url: str) -> None:
    seen: list[Any] = []
    with AzureResponses(on_response=seen.append, on_error=seen.append) as client:
        stream = client.responses.create(model="m", input="word-streamed", stream=True)
        assert next(stream).type == "response.created"

        def work() -> list[Any]:
            try:
                for _ in stream:
                    pass
            except (StreamInterruptedError, APIConnectionError) as error:
                return [type(error).__name__, len(seen)]
            finally:
                stream.close()
            return ["read on", len(seen)]

        assert in_child(work)[0] == "StreamInterruptedError"
        assert in_child(work)[1] == 0
        assert stream.get_final_response().output_text == "word-streamed"
        assert len(seen) == 1


def test_a_stream_of_a_router_is_for_the_parent_to_settle(url: str) -> None:
    with Router(_rows()) as router:
        stream: Any = router.responses(model="m", input="word-streamed", stream=True)
        board = router.parts.calls.routing.health
        (name,) = board.statuses

        def work() -> int:
            stream.close()
            router.responses(model="m", input="word-child")
            return board.statuses[name].in_flight

        assert board.statuses[name].in_flight == 1
        assert in_child(work) == 0
        assert stream.get_final_response().output_text == "word-streamed"
        assert board.statuses[name].in_flight == 0


def test_a_fork_in_the_middle_of_another_threads_call_disturbs_neither(url: str) -> None:
    with AzureResponses() as client, ThreadPoolExecutor(3) as threads:
        ask = _ask_with(client)
        counts = [threads.submit(_count_foreign, ask, f"thread-{n}", 60) for n in range(3)]
        foreign = [in_child(partial(_count_foreign, ask, f"child-{n}", 3)) for n in range(6)]
        assert foreign + [count.result() for count in counts] == [0] * 9


def test_no_lock_that_another_thread_holds_stops_a_child(url: str) -> None:
    with AzureResponses() as client, Router(_rows()) as router:
        before = _ask_function("word-first"), router.responses(model="m", input="x").output_text
        assert before
        held = list(fork._locks)
        for lock in held:
            lock.acquire()

        def work() -> str:
            chat: Any = client.chat.completions.create(
                model="m", messages=[{"role": "user", "content": "word-chat"}]
            )
            answer = router.responses(model="m", input="word-routed").output_text
            return " ".join((chat.choices[0].message.content, answer, _ask_function("word-f")))

        try:
            assert in_child(work) == "word-chat word-routed word-f"
        finally:
            for lock in held:
                lock.release()
            _clients.clear(AzureResponses.close)


async def _ask_async(client: AsyncAzureResponses, word: str) -> list[str]:
    answer = await client.responses.create(model="m", input=word)
    assert answer.headers is not None
    return [answer.output_text, answer.headers["x-connection"]]


_Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def _run_asyncio(work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return asyncio.run(main())


_BACKENDS: list[_Run] = [_run_asyncio, trio.run]


@pytest.mark.parametrize("run", _BACKENDS, ids=["asyncio", "trio"])
@pytest.mark.parametrize("brings_http_client", [False, True], ids=["own", "http_client"])
def test_a_child_of_an_async_program_runs_a_loop_and_connections_of_its_own(
    run: _Run, brings_http_client: bool, url: str
) -> None:
    async def main() -> None:
        http_client = httpx.AsyncClient() if brings_http_client else None
        async with AsyncAzureResponses(http_client=http_client) as client:
            word, before = await _ask_async(client, "word-parent")

            def work() -> Any:
                # The program's loop is not this process's.
                thread_answers: list[Any] = []
                thread = threading.Thread(
                    target=lambda: thread_answers.append(
                        run(lambda: _ask_async(client, "word-child"))
                    )
                )
                thread.start()
                thread.join()
                return thread_answers[0]

            child_word, child = in_child(work)
            assert (word, child_word) == ("word-parent", "word-child")
            assert child != before
            assert (await _ask_async(client, "word-parent"))[1] == before
        if http_client is not None:
            await http_client.aclose()

    run(main)


def test_a_child_may_run_a_new_loop_inside_the_coroutine_that_forked(url: str) -> None:
    async def main() -> None:
        async with AsyncAzureResponses() as client:
            _, before = await _ask_async(client, "word-parent")
            work = lambda: asyncio.run(_ask_async(client, "word-child"))  # noqa: E731
            word, child = in_child(work)
            assert word == "word-child"
            assert child != before
            assert (await _ask_async(client, "word-parent"))[1] == before

    asyncio.run(main())


_LEAVES = """
import asyncio, os, sys, time
from azure_responses import AsyncAzureResponses, AzureResponses

async def ask(client):
    return (await client.responses.create(model="m", input="word-x")).headers["x-connection"]

async def main(sync):
    client = AsyncAzureResponses()
    before = await ask(client)
    stream = await client.responses.create(model="m", input="word-x", stream=True)
    await anext(stream)
    child = os.fork()
    if child == 0:
        # Up through the parent's loop and out, as a worker leaves.
        sys.exit(0)
    _, status = os.waitpid(child, 0)
    async for event in stream:
        pass
    print(status, await ask(client) == before, event.type)
    await client.aclose()

sync = AzureResponses()
first = sync.responses.create(model="m", input="word-x").headers["x-connection"]
loop = asyncio.new_event_loop()
loop.run_until_complete(main(sync))
print(sync.responses.create(model="m", input="word-x").headers["x-connection"] == first)
sync.close()
loop.run_until_complete(loop.shutdown_asyncgens())
loop.close()
"""


def test_a_child_that_exits_says_no_goodbye_on_the_parents_connections(url: str) -> None:
    program = [sys.executable, "-c", _LEAVES]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.split("\n")[:2] == ["0 True response.completed", "True"]


def test_a_client_that_cannot_leave_does_not_keep_the_others_from_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        """Has nothing that could be left."""

    def refuse(_: Broken) -> None:
        raise LookupError

    broken, left = Broken(), Broken()
    fork.in_forked_child(broken, refuse)
    seen: list[Any] = []
    fork.in_forked_child(left, seen.append)

    def work() -> list[Any]:
        return [len(seen), caplog.text.count("could not be made ready")]

    assert in_child(work) == [1, 1]


def test_a_child_fetches_its_own_token_while_a_thread_of_the_parent_fetches_one(url: str) -> None:
    release, asked = threading.Event(), threading.Event()
    parent = os.getpid()

    def provide() -> str:
        asked.set()
        if os.getpid() == parent:
            release.wait(20)
        return f"token-of-{os.getpid()}"

    with (
        AzureResponses(url, azure_ad_token_provider=provide) as client,
        ThreadPoolExecutor() as run,
    ):
        ask = _ask_with(client)
        waiting = run.submit(ask, "word-parent")
        assert asked.wait(20)
        assert in_child(partial(ask, "word-child")) == "word-child"
        release.set()
        assert waiting.result(20) == "word-parent"
