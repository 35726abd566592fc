"""`responses` and `aresponses`, and the documents the project was started from."""

import asyncio
import json
import os
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trio

import azure_responses
from azure_responses import AzureResponses, ConfigurationError, functions
from azure_responses.emulator import EmulatedAgent, Emulator, Resource
from azure_responses.emulator.server import RunningServer

_SEEDS = Path(__file__).parent.parent.parent / "shared" / "seeds"
_STORY = "Tell me a three sentence bedtime story about a unicorn."


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A served emulator, and an environment that says nothing."""
    for variable in list(os.environ):
        if variable.startswith("AZURE_") or variable == "OPENAI_API_VERSION":
            monkeypatch.delenv(variable)
    with RunningServer(Emulator()) as running:
        yield running


def _where(server: RunningServer) -> dict[str, Any]:
    return {"api_base": server.url, "api_key": server.emulator.api_key}


@pytest.mark.parametrize("model", ["azure/o1-pro", "azure/responses/o1-pro", "o1-pro"])
def test_the_provider_prefix_is_optional(server: RunningServer, model: str) -> None:
    response = azure_responses.responses(model=model, input=_STORY, **_where(server))
    assert response.model == "o1-pro"
    assert response.output_text.count(".") == 3


@pytest.mark.parametrize(
    ("model", "deployment"),
    [
        ("azure_ai/kimi-k2.5", "kimi-k2.5"),
        ("azure_ai/claude-opus-4-8", "claude-opus-4-8"),
        ("azure/o_series/o3", "o3"),
    ],
)
def test_every_model_of_a_foundry_resource_is_called_by_litellms_name(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, model: str, deployment: str
) -> None:
    monkeypatch.setenv("AZURE_AI_API_BASE", server.url)
    monkeypatch.setenv("AZURE_AI_API_KEY", server.emulator.api_key)
    # Of another resource, which serves the models of OpenAI.
    monkeypatch.setenv("AZURE_API_KEY", "other")
    where = _where(server) if model.startswith("azure/") else {}
    response = azure_responses.responses(model=model, input=_STORY, max_output_tokens=900, **where)
    assert response.model == deployment
    assert response.output_text
    said = [{"role": "user", "content": _STORY}]
    completion = azure_responses.completion(
        model=model, messages=said, max_completion_tokens=900, **where
    )
    assert completion.choices[0].message.content


def test_an_agent_is_called_by_litellms_name(monkeypatch: pytest.MonkeyPatch) -> None:
    emulator = Emulator([Resource("emulator", agents=[EmulatedAgent("helpdesk")])])
    with RunningServer(emulator) as server:
        monkeypatch.setenv("AZURE_AI_API_BASE", f"{server.url}/api/projects/p")
        response = azure_responses.responses(
            model="azure_ai/agents/helpdesk:1",
            input="hi",
            credential=emulator.token_credential(),
            scope="https://ai.azure.com/.default",
        )
        body = json.loads(list(emulator.requests)[-1].body)
    assert response.output_text
    assert "model" not in body
    assert body["agent_reference"] == {
        "type": "agent_reference",
        "name": "helpdesk",
        "version": "1",
    }


def test_a_client_understands_litellms_name_of_a_foundry_model(server: RunningServer) -> None:
    with AzureResponses(server.url, api_key=server.emulator.api_key) as client:
        response = client.responses.create(model="azure_ai/kimi-k2.5", input=_STORY)
        assert response.model == "kimi-k2.5"
        said = [{"role": "user", "content": _STORY}]
        completion = client.chat.completions.create(model="azure_ai/kimi-k2.5", messages=said)
        assert completion.model == "kimi-k2.5"
    paths = {request.path for request in server.emulator.requests}
    assert paths == {"/openai/v1/chat/completions"}


def test_streaming_iterates_events(server: RunningServer) -> None:
    events = list(
        azure_responses.responses(model="o1-pro", input=_STORY, stream=True, **_where(server))
    )
    assert events[-1].type == "response.completed"


@pytest.mark.parametrize("start", [asyncio.run, trio.run])
def test_the_async_function_answers_and_streams(server: RunningServer, start: Any) -> None:
    async def main() -> None:
        where = _where(server)
        response = await azure_responses.aresponses(model="azure/o1-pro", input=_STORY, **where)
        stream = await azure_responses.aresponses(
            model="azure/o1-pro", input=_STORY, stream=True, **where
        )
        last = [event async for event in stream][-1]
        assert last.type == "response.completed"
        assert last.response.output_text == response.output_text

    start(main()) if start is asyncio.run else start(main)


def test_the_environment_says_where_and_as_whom(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_API_BASE", server.url)
    monkeypatch.setenv("AZURE_API_KEY", server.emulator.api_key)
    assert azure_responses.responses(model="azure/gpt-4.1", input="hi").output_text


def test_repeated_calls_share_a_client_until_something_changes(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = functions.ClientPool(azure_responses.AzureResponses)
    where = {"endpoint": server.url, "api_key": "a"}
    first = pool.get(where)
    assert pool.get(dict(where)) is first
    assert pool.get({**where, "api_key": "b"}) is not first
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT", "other")
    assert pool.get(where) is not first
    pool.clear(azure_responses.AzureResponses.close)
    monkeypatch.delenv("AZURE_OPENAI_DEPLOYMENT")
    assert pool.get(where) is not first
    pool.clear(azure_responses.AzureResponses.close)


def test_making_a_client_keeps_nobody_else_waiting() -> None:
    held, released = threading.Event(), threading.Event()

    def make(endpoint: str) -> object:
        if endpoint == "slow":
            held.set()
            assert released.wait(10)
        return object()

    pool = functions.ClientPool(make)
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(pool.get, {"endpoint": "slow"})
        assert held.wait(10)
        fast = threads.submit(pool.get, {"endpoint": "fast"}).result(10)
        released.set()
    assert pool.get({"endpoint": "slow"}) is slow.result()
    assert pool.get({"endpoint": "fast"}) is fast


def test_clients_made_at_the_same_time_are_one() -> None:
    together = threading.Barrier(2)

    def make(endpoint: str) -> object:
        together.wait(10)
        return object()

    pool = functions.ClientPool(make)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(pool.get, {"endpoint": "x"}) for _ in range(2)]
    assert both[0].result() is both[1].result()


def test_event_loops_by_turns_share_a_client(server: RunningServer) -> None:
    functions._async_clients.clear(lambda client: None)
    for _ in range(3):
        call = azure_responses.aresponses(model="gpt-5-mini", input="x", **_where(server))
        assert asyncio.run(call).status == "completed"
    assert len(functions._async_clients._clients) == 1


def test_the_pool_keeps_the_clients_used_last() -> None:
    pool = functions.ClientPool(lambda **arguments: object())
    first = pool.get({"endpoint": "0"})
    for number in range(1, 64):
        pool.get({"endpoint": str(number)})
    assert pool.get({"endpoint": "0"}) is first
    pool.get({"endpoint": "64"})
    assert pool.get({"endpoint": "0"}) is first


def test_without_an_endpoint_nothing_is_sent(server: RunningServer) -> None:
    with pytest.raises(ConfigurationError, match="endpoint"):
        azure_responses.responses(model="azure/o1-pro", input="hi", api_key="k")
    assert not list(server.emulator.requests)


def _seed_snippets(call: str) -> list[str]:
    """The Python blocks of the seeds that make such a call on Azure."""
    snippets = []
    for path in sorted(_SEEDS.glob("*.txt")):
        blocks = re.findall(r"```[^\n]*\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
        snippets += [block for block in blocks if re.search(call + r"\(\s*model=\"azure/", block)]
    return snippets


def _compiles(source: str) -> bool:
    try:
        compile(source, "seed", "exec")
    except SyntaxError:
        return False
    return True


@pytest.mark.filterwarnings("ignore:api_version '2023-03-15-preview':UserWarning")
def test_every_snippet_of_the_seeds_runs_but_for_package_name_and_host(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not _SEEDS.is_dir():
        pytest.skip("the documents the project was started from are not here")
    monkeypatch.setenv("AZURE_RESPONSES_OPENAI_API_KEY", server.emulator.api_key)
    snippets = _seed_snippets(r"\.responses")
    runnable = [snippet for snippet in snippets if _compiles(snippet)]
    # One of the documents lost its indentation on the way here; the same code is whole elsewhere.
    assert (len(snippets), len(runnable)) == (10, 8)
    for snippet in runnable:
        source = re.sub(r"\b(litellm|dheera_ai)\b(?=\.|$)", "azure_responses", snippet, flags=re.M)
        source = re.sub(r"https://[\w.]+\.openai\.azure\.com/?", server.url, source)
        exec(compile(source, "seed", "exec"), {"os": os})
        assert re.search(r"unicorn", capsys.readouterr().out)
    assert len(list(server.emulator.requests)) == len(runnable)


@pytest.mark.filterwarnings("ignore:AZURE_API_VERSION '2023-03-15-preview':UserWarning")
def test_the_seeds_chat_completions_run_but_for_package_name_host_and_key(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not _SEEDS.is_dir():
        pytest.skip("the documents the project was started from are not here")
    # The snippets set these; so they are put back.
    for name in ("AZURE_API_BASE", "AZURE_API_VERSION", "AZURE_API_KEY"):
        monkeypatch.setenv(name, "")
    snippets = _seed_snippets("completion")
    assert len(snippets) == 2
    for snippet in snippets:
        source = re.sub(r"\b(litellm|dheera_ai)\b", "azure_responses", snippet)
        source = re.sub(r"https://[\w.-]+\.openai\.azure\.com/?", server.url, source)
        source = source.replace("my-api-key", server.emulator.api_key)
        exec(compile(source, "seed", "exec"), {})
        assert "chat.completion" in capsys.readouterr().out


def test_completion_streams_chunks(server: RunningServer) -> None:
    messages = [{"role": "user", "content": "Reply with exactly: pong"}]
    stream = azure_responses.completion(
        model="azure/responses/my-custom-o1-pro", messages=messages, stream=True, **_where(server)
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text == "pong"


def test_acompletion_answers_and_streams(server: RunningServer) -> None:
    messages = [{"role": "user", "content": "Reply with exactly: pong"}]
    arguments: dict[str, Any] = {"model": "azure/gpt-4.1", "messages": messages, **_where(server)}

    async def main() -> None:
        completion = await azure_responses.acompletion(**arguments)
        assert completion.choices[0].message.content == "pong"
        stream = await azure_responses.acompletion(stream=True, **arguments)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(pieces) == "pong"

    asyncio.run(main())
