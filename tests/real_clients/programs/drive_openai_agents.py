"""openai-agents: tool loops, streams and conversations of several turns."""

from importlib.metadata import version
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIConversationsSession,
    OpenAIResponsesModel,
    Runner,
    SQLiteSession,
    function_tool,
    set_tracing_disabled,
)
from pydantic import BaseModel

from tests.real_clients.programs.errand import Errand, run

# It would send what was asked and answered to OpenAI.
set_tracing_disabled(True)

_QUESTION = "What is the weather in Paris? Use get_weather."


class Person(BaseModel):
    """Who is to be found in a text."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees in {city}"


def _agent(errand: Errand, *, is_chat: bool = False, **options: Any) -> Any:
    kind: Any = OpenAIChatCompletionsModel if is_chat else OpenAIResponsesModel
    model = kind(model="gpt-5-mini", openai_client=errand.async_client())
    return Agent(name="Guide", model=model, **options)


def _weather_agent(errand: Errand, *, is_chat: bool = False) -> Any:
    return _agent(errand, is_chat=is_chat, tools=[function_tool(get_weather)])


async def tool_loop(errand: Errand) -> Any:
    result = await Runner.run(_weather_agent(errand), _QUESTION)
    return {
        "version": version("openai-agents"),
        "text": result.final_output,
        "items": [item.type for item in result.new_items],
        "tokens": result.context_wrapper.usage.total_tokens,
        "requests": result.context_wrapper.usage.requests,
    }


async def streamed(errand: Errand) -> Any:
    result = Runner.run_streamed(_weather_agent(errand), _QUESTION)
    kinds, deltas = [], []
    async for event in result.stream_events():
        kinds.append(event.type)
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            deltas.append(event.data.delta)
    return {"text": result.final_output, "deltas": "".join(deltas), "kinds": sorted(set(kinds))}


async def stored_turns(errand: Errand) -> Any:
    """Each turn names the response before it."""
    agent = _agent(errand)
    result = await Runner.run(agent, "My name is Ada.")
    texts = []
    for _ in range(4):
        result = await Runner.run(
            agent, "What is my name?", previous_response_id=result.last_response_id
        )
        texts.append(result.final_output)
    return {"texts": texts}


async def stored_tool_loop(errand: Errand) -> Any:
    """The turns of one tool loop name each other."""
    result = await Runner.run(_weather_agent(errand), _QUESTION, auto_previous_response_id=True)
    return {"text": result.final_output}


async def replayed_turns(errand: Errand) -> Any:
    """Nothing is stored: each turn sends all before it, encrypted reasoning included."""
    settings = ModelSettings(store=False, response_include=["reasoning.encrypted_content"])
    agent = _agent(errand, model_settings=settings)
    result = await Runner.run(agent, "My name is Ada.")
    texts = []
    for _ in range(4):
        items = [*result.to_input_list(), {"role": "user", "content": "What is my name?"}]
        result = await Runner.run(agent, items)
        texts.append(result.final_output)
    return {"texts": texts}


async def session_turns(errand: Errand) -> Any:
    """A session keeps every item with its id and status, and sends them all again."""
    agent, session = _weather_agent(errand), SQLiteSession("errand")
    texts = []
    for asked in ("My name is Ada.", _QUESTION, "What is my name?"):
        result = await Runner.run(agent, asked, session=session)
        texts.append(result.final_output)
    return {"texts": texts}


async def conversation_turns(errand: Errand) -> Any:
    """A conversation of the service keeps the items; each turn reads them and adds its own."""
    # Where there are several resources, the gateway has to be told at which it is made.
    client = errand.async_client().with_options(default_headers={"x-azr-model": "gpt-5-mini"})
    return await _turns_of_conversation(errand, client)


async def conversation_turns_of_ours(errand: Errand) -> Any:
    """The session over this package's client, which has the calls that a session makes."""
    from azure_responses import AsyncAzureResponses

    if errand.mode == "injected":
        # That client has a transport of its own.
        return await conversation_turns(errand)
    headers = {"x-azr-model": "gpt-5-mini"}
    async with AsyncAzureResponses(
        base_url=errand.base_url, api_key=errand.key, default_headers=headers
    ) as client:
        return await _turns_of_conversation(errand, client)


async def _turns_of_conversation(errand: Errand, client: Any) -> Any:
    agent, session = _weather_agent(errand), OpenAIConversationsSession(openai_client=client)
    texts = []
    for asked in ("My name is Ada.", _QUESTION, "What is my name?"):
        result = await Runner.run(agent, asked, session=session)
        texts.append(result.final_output)
    items = await session.get_items()
    await session.pop_item()
    left = len(await session.get_items())
    await session.clear_session()
    return {"texts": texts, "items": len(items), "left": left}


async def structured(errand: Errand) -> Any:
    result = await Runner.run(_agent(errand, output_type=Person), "Ada is 36 years old.")
    return {"parsed": result.final_output.model_dump()}


async def chat(errand: Errand) -> Any:
    agent = _weather_agent(errand, is_chat=True)
    result = await Runner.run(agent, _QUESTION)
    stream = Runner.run_streamed(agent, _QUESTION)
    async for _ in stream.stream_events():
        pass
    return {"text": result.final_output, "streamed": stream.final_output}


if __name__ == "__main__":
    run(
        tool_loop,
        streamed,
        stored_turns,
        stored_tool_loop,
        replayed_turns,
        session_turns,
        conversation_turns,
        conversation_turns_of_ours,
        structured,
        chat,
    )
