"""The openai package against the served emulator: the proof that it passes for the service."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

from azure_responses.emulator import Emulator, Fault, Latency
from azure_responses.emulator.server import RunningServer

openai = pytest.importorskip("openai", reason="the openai package is not installed")

VERSION = "2025-04-01-preview"
KINDS = ["dated", "v1", "preview", "token"]
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with Emulator().serve() as running:
        yield running


def options(server: RunningServer, kind: str) -> dict[str, Any]:
    """Arguments of `AzureOpenAI` (dated) or `OpenAI` (the others)."""
    emulator = server.emulator
    if kind == "dated":
        return {
            "azure_endpoint": server.url,
            "api_version": VERSION,
            "api_key": emulator.api_key,
            "max_retries": 0,
        }
    chosen: dict[str, Any] = {
        "base_url": f"{server.url}/openai/v1/",
        "api_key": emulator.api_key,
        "max_retries": 0,
    }
    if kind == "preview":
        chosen["default_query"] = {"api-version": "preview"}
    if kind == "token":
        credential = emulator.token_credential()
        chosen["api_key"] = lambda: credential.get_token("https://ai.azure.com/.default").token
    return chosen


@pytest.fixture(params=KINDS)
def client(server: RunningServer, request: pytest.FixtureRequest) -> Iterator[Any]:
    server.emulator.reset()
    make = openai.AzureOpenAI if request.param == "dated" else openai.OpenAI
    with make(**options(server, request.param)) as opened:
        yield opened


@pytest.fixture
def v1(server: RunningServer) -> Iterator[Any]:
    server.emulator.reset()
    with openai.OpenAI(**options(server, "v1")) as opened:
        yield opened


def test_create_retrieve_list_and_delete(client: Any) -> None:
    created = client.responses.create(model="gpt-5-mini", input="Say hello")
    assert created.output_text
    assert client.responses.retrieve(created.id).output_text == created.output_text
    items = list(client.responses.input_items.list(created.id))
    assert items[0].content[0].text == "Say hello"
    client.responses.delete(created.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(created.id)


def test_streaming_yields_typed_events_and_the_same_text(client: Any) -> None:
    with client.responses.create(model="gpt-5-mini", input="Say hello", stream=True) as stream:
        events = list(stream)
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert events[-1].type == "response.completed"
    assert text == events[-1].response.output_text


def test_the_stream_helper_accumulates(client: Any) -> None:
    with client.responses.stream(model="gpt-5-mini", input="Say hello") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[-1] == "response.completed"
    assert final.output_text


def test_turns_are_remembered(client: Any) -> None:
    first = client.responses.create(model="gpt-4.1", input="My name is Ada.")
    second = client.responses.create(
        model="gpt-4.1", input="What is my name?", previous_response_id=first.id
    )
    assert "Ada" in second.output_text


def test_a_tool_is_called_and_its_output_used(client: Any) -> None:
    question = {"role": "user", "content": "What is the weather in Paris? Use get_weather."}
    first = client.responses.create(
        model="gpt-4.1", input=[question], tools=[WEATHER], tool_choice="required"
    )
    (call,) = [item for item in first.output if item.type == "function_call"]
    assert "city" in json.loads(call.arguments)
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "14 degrees"}
    second = client.responses.create(
        model="gpt-4.1", input=[output], previous_response_id=first.id, tools=[WEATHER]
    )
    assert "14 degrees" in second.output_text


def test_structured_output_parses(v1: Any) -> None:
    import pydantic

    class City(pydantic.BaseModel):
        name: str
        inhabitants: int

    parsed = v1.responses.parse(model="gpt-4.1", input="Name a city.", text_format=City)
    assert isinstance(parsed.output_parsed, City)


def test_background_is_polled_and_resumed(v1: Any) -> None:
    created = v1.responses.create(model="gpt-5-mini", input="Say hello", background=True)
    assert created.status == "queued"
    assert v1.responses.retrieve(created.id).status == "completed"
    with v1.responses.create(
        model="gpt-5-mini", input="Say hello", background=True, stream=True
    ) as stream:
        events = list(stream)
    response_id = events[0].response.id
    with v1.responses.retrieve(response_id, stream=True, starting_after=2) as stream:
        assert [event.sequence_number for event in stream] == [
            event.sequence_number for event in events[3:]
        ]


def test_a_background_response_can_be_cancelled() -> None:
    emulator = Emulator(latency=Latency(running=60))
    with emulator.serve() as server, openai.OpenAI(**options(server, "v1")) as client:
        created = client.responses.create(model="gpt-5-mini", input="x", background=True)
        assert client.responses.cancel(created.id).status == "cancelled"
        assert client.responses.retrieve(created.id).status == "cancelled"


def test_models_files_stores_containers_and_conversations(v1: Any) -> None:
    assert "gpt-5-mini-2025-08-07" in [model.id for model in v1.models.list()]
    file = v1.files.create(file=("a.txt", b"The gate opens at nine."), purpose="assistants")
    assert v1.files.content(file.id).content == b"The gate opens at nine."
    store = v1.vector_stores.create(name="s", file_ids=[file.id])
    found = v1.vector_stores.search(store.id, query="gate")
    assert found.data[0].file_id == file.id
    container = v1.containers.create(name="box")
    assert v1.containers.retrieve(container.id).status == "running"
    conversation = v1.conversations.create(items=[{"role": "user", "content": "My name is Ada."}])
    reply = v1.responses.create(
        model="gpt-4.1", input="What is my name?", conversation=conversation.id
    )
    assert "Ada" in reply.output_text
    assert len(list(v1.conversations.items.list(conversation.id))) == 3


def test_chat_answers_and_streams(client: Any) -> None:
    messages = [{"role": "user", "content": "Say hello"}]
    whole = client.chat.completions.create(model="gpt-4.1", messages=messages)
    assert whole.choices[0].message.content
    with client.chat.completions.create(model="gpt-4.1", messages=messages, stream=True) as stream:
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content


def test_refusals_become_the_packages_errors(v1: Any) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        v1.responses.create(model="gpt-4.1", input="x", previous_response_id="resp_0")
    assert caught.value.code == "previous_response_not_found"
    with pytest.raises(openai.NotFoundError) as missing:
        v1.responses.input_tokens.count(model="gpt-4.1", input="x")
    assert missing.value.code == "unknown_url"
    with pytest.raises(openai.AuthenticationError):
        v1.with_options(api_key="wrong").responses.create(model="gpt-4.1", input="x")
    with pytest.raises(openai.BadRequestError, match="does not work with the specified model"):
        v1.chat.completions.create(model="gpt-5-codex", messages=[{"role": "user", "content": "x"}])


def test_the_wrong_version_fails_as_on_the_service(server: RunningServer) -> None:
    for version, error in (
        ("preview", openai.NotFoundError),
        ("2024-12-01-preview", openai.BadRequestError),
    ):
        chosen = {**options(server, "dated"), "api_version": version}
        with openai.AzureOpenAI(**chosen) as client, pytest.raises(error):
            client.responses.create(model="gpt-4.1", input="x")


def test_a_429_is_retried_after_the_time_it_names(server: RunningServer, v1: Any) -> None:
    server.emulator.faults.add(Fault("http-429", nth=1, retry_after=0.01))
    reply = v1.with_options(max_retries=1).responses.create(model="gpt-4.1", input="x")
    assert reply.output_text
    assert [entry.status for entry in server.emulator.requests] == [429, 200]


def test_a_broken_connection_is_retried(server: RunningServer, v1: Any) -> None:
    server.emulator.faults.add(Fault("reset-before-headers", nth=1))
    reply = v1.with_options(max_retries=1).responses.create(model="gpt-4.1", input="x")
    assert reply.output_text


def test_an_in_stream_429_raises_as_the_package_does(server: RunningServer, v1: Any) -> None:
    server.emulator.faults.add(Fault("stream-429-A"))
    stream = v1.responses.create(model="gpt-4.1", input="x", stream=True)
    with stream, pytest.raises(openai.APIError, match="token rate limit"):
        list(stream)


@pytest.mark.parametrize("kind", ["dated", "v1"])
def test_the_asynchronous_clients_do_the_same(server: RunningServer, kind: str) -> None:
    server.emulator.reset()
    make = openai.AsyncAzureOpenAI if kind == "dated" else openai.AsyncOpenAI

    async def pieces(stream: Any) -> AsyncIterator[str]:
        async for event in stream:
            if event.type == "response.output_text.delta":
                yield event.delta

    async def run() -> None:
        async with make(**options(server, kind)) as client:
            created = await client.responses.create(model="gpt-5-mini", input="Say hello")
            read = await client.responses.retrieve(created.id)
            assert read.output_text == created.output_text
            async with await client.responses.create(
                model="gpt-5-mini", input="Say hello", stream=True
            ) as stream:
                text = "".join([piece async for piece in pieces(stream)])
            assert text == created.output_text
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(create_one, client)

    async def create_one(client: Any) -> None:
        assert (await client.responses.create(model="gpt-4.1", input="x")).output_text

    anyio.run(run)


# --- models of other families, and agents ---------------------------------------------------------

CHAT_WEATHER = {
    "type": "function",
    "function": {key: value for key, value in WEATHER.items() if key != "type"},
}
PROMPT = "weather in Rome and Paris [[azure:reason:Two cities.]]"


@pytest.mark.parametrize("model", ["Kimi-K2.5", "DeepSeek-R1", "gpt-oss-120b"])
def test_chat_only_models_reason_and_call_tools(client: Any, model: str) -> None:
    messages: list[Any] = [{"role": "user", "content": PROMPT}]
    given = {"model": model, "tools": [CHAT_WEATHER]}
    called = client.chat.completions.create(messages=messages, **given).choices[0].message
    assert called.reasoning_content == "Two cities."
    places = [json.loads(call.function.arguments)["city"] for call in called.tool_calls]
    assert places == ["Rome", "Paris"]
    messages.append(called)
    messages += [
        {"role": "tool", "tool_call_id": call.id, "content": f"{place} is sunny"}
        for call, place in zip(called.tool_calls, places, strict=True)
    ]
    text = ""
    usage: Any = None
    for chunk in client.chat.completions.create(
        messages=messages, stream=True, stream_options={"include_usage": True}, **given
    ):
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
        usage = chunk.usage or usage
    assert "Paris is sunny" in text
    assert usage.completion_tokens_details.reasoning_tokens > 0


def test_the_stream_helper_adds_the_reasoning_up(v1: Any) -> None:
    messages = [{"role": "user", "content": PROMPT}]
    with v1.chat.completions.stream(
        model="Kimi-K2.5", messages=messages, tools=[CHAT_WEATHER]
    ) as stream:
        final = stream.get_final_completion().choices[0]
    assert final.message.reasoning_content == "Two cities."
    assert [call.id for call in final.message.tool_calls] == [
        "functions.get_weather:0",
        "functions.get_weather:1",
    ]


@pytest.mark.parametrize(
    ("model", "given", "error"),
    [
        ("grok-4", {"presence_penalty": 1}, "BadRequestError"),
        ("Mistral-Large-3", {"max_completion_tokens": 5}, "BadRequestError"),
        ("claude-opus-4-8", {}, "NotFoundError"),
        ("gpt-5.1-codex", {}, "BadRequestError"),
        ("DeepSeek-V4-Pro", {"prompt_cache_key": "k"}, "BadRequestError"),
    ],
)
def test_refusals_are_errors_of_the_package(
    v1: Any, model: str, given: dict[str, Any], error: str
) -> None:
    with pytest.raises(getattr(openai, error)):
        v1.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "Hello"}], **given
        )


def test_the_asynchronous_client_streams_a_chat_only_model(server: RunningServer) -> None:
    async def run() -> str:
        async with openai.AsyncOpenAI(**options(server, "v1")) as client:
            stream = await client.chat.completions.create(
                model="Kimi-K2.5",
                messages=[{"role": "user", "content": "what is 2+3"}],
                stream=True,
            )
            return "".join(
                [choice.delta.content or "" async for chunk in stream for choice in chunk.choices]
            )

    assert anyio.run(run) == "2 + 3 = 5"


@pytest.mark.parametrize("way", ["reference", "endpoint"])
def test_agents_answer_the_package(server: RunningServer, way: str) -> None:
    project = f"{server.url}/api/projects/p"
    reference = {"type": "agent_reference", "name": "support", "version": "1"}
    chosen: dict[str, Any] = {"base_url": f"{project}/openai/v1/"}
    body: dict[str, Any] = {"agent_reference": reference}
    if way == "endpoint":
        chosen = {
            "base_url": f"{project}/agents/support/endpoint/protocols/openai",
            "default_query": {"api-version": "v1"},
        }
        body = {}
    key = server.emulator.token_credential().get_token("https://ai.azure.com/.default").token
    with openai.OpenAI(api_key=key, max_retries=0, **chosen) as client:
        response = client.responses.create(input="what is 2+3", extra_body=body)
        assert response.output_text == "2 + 3 = 5"
        assert response.agent_reference == reference
        conversation = client.conversations.create()
        events = client.responses.create(
            input="Hello", conversation=conversation.id, stream=True, extra_body=body
        )
        assert [event.type for event in events][-1] == "response.completed"
