"""pydantic-ai: tools, structured output, streams and conversations."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.openai import (
    OpenAIChatModel,
    OpenAIResponsesModel,
    OpenAIResponsesModelSettings,
)
from pydantic_ai.providers.openai import OpenAIProvider

from tests.real_clients.programs.errand import Errand, run

_PONG = "Reply with exactly: pong"
_QUESTION = "What is the weather in Paris? Use get_weather."


class Person(BaseModel):
    """Who is to be found in a text."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees in {city}"


def _agent(errand: Errand, *, is_chat: bool = False, **options: Any) -> Any:
    kind: Any = OpenAIChatModel if is_chat else OpenAIResponsesModel
    model = kind("gpt-5-mini", provider=OpenAIProvider(openai_client=errand.async_client()))
    return Agent(model, **options)


async def tools(errand: Errand) -> Any:
    result = await _agent(errand, tools=[get_weather]).run(_QUESTION)
    usage = result.usage
    usage = usage() if callable(usage) else usage
    return {
        "version": version("pydantic-ai-slim"),
        "text": result.output,
        "tokens": usage.total_tokens,
        "requests": usage.requests,
    }


async def structured(errand: Errand) -> Any:
    parsed = []
    for is_chat in (False, True):
        agent = _agent(errand, is_chat=is_chat, output_type=Person)
        parsed.append((await agent.run("Ada is 36 years old.")).output.model_dump())
    return {"parsed": parsed}


async def streamed(errand: Errand) -> Any:
    seen = []
    for is_chat in (False, True):
        async with _agent(errand, is_chat=is_chat).run_stream("Say hello") as result:
            texts = [text async for text in result.stream_text(delta=True, debounce_by=None)]
        seen.append([len(texts), "".join(texts)])
    return {"seen": seen}


async def replayed_turns(errand: Errand) -> Any:
    """Each turn sends all before it, encrypted reasoning included."""
    settings = OpenAIResponsesModelSettings(
        openai_store=False, openai_include_encrypted_reasoning=True
    )
    return await _converse(_agent(errand, model_settings=settings))


async def stored_turns(errand: Errand) -> Any:
    """Each turn names the response before it."""
    settings = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    return await _converse(_agent(errand, model_settings=settings))


async def _converse(agent: Any) -> Any:
    result = await agent.run("My name is Ada.")
    texts = []
    for _ in range(4):
        history = result.all_messages()
        result = await agent.run("What is my name?", message_history=history)
        texts.append(result.output)
    return {"texts": texts}


async def chat(errand: Errand) -> Any:
    result = await _agent(errand, is_chat=True, tools=[get_weather]).run(_QUESTION)
    return {"text": result.output}


async def history(errand: Errand) -> Any:
    """Every turn sends back all messages, those of tool loops too, and calls a tool again."""
    agents = {"responses": _agent(errand, tools=[get_weather])}
    agents["chat"] = _agent(errand, is_chat=True, tools=[get_weather])
    return {name: await _ask_again(agent) for name, agent in agents.items()}


async def _ask_again(agent: Any) -> Any:
    messages: Any = []
    texts = []
    for asked in ("My name is Ada.", _QUESTION, "What is my name?", _QUESTION, "What is my name?"):
        result = await agent.run(asked, message_history=messages)
        messages = result.all_messages()
        texts.append(result.output)
    calls = [
        part for message in messages for part in message.parts if part.part_kind == "tool-call"
    ]
    return {"texts": texts, "calls": [call.args_as_dict() for call in calls]}


async def streamed_history(errand: Errand) -> Any:
    agent = _agent(errand, tools=[get_weather])
    messages: Any = []
    texts = []
    for asked in (_QUESTION, _QUESTION, "Reply with exactly: pong"):
        async with agent.run_stream(asked, message_history=messages) as result:
            texts.append(await result.get_output())
        messages = result.all_messages()
    return {"texts": texts}


if __name__ == "__main__":
    run(
        tools,
        structured,
        streamed,
        replayed_turns,
        stored_turns,
        chat,
        history,
        streamed_history,
    )
