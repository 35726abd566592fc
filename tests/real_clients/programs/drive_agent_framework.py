"""Microsoft Agent Framework: its OpenAI clients, over Responses and over chat completions."""

from importlib.metadata import version
from typing import Any

from agent_framework import Agent
from agent_framework_openai import OpenAIChatClient, OpenAIChatCompletionClient
from pydantic import BaseModel

from tests.real_clients.programs.errand import Errand, run

_QUESTION = "What is the weather in Paris? Use get_weather."


class Person(BaseModel):
    """Who is to be found in a text."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees in {city}"


def _agent(errand: Errand, *, is_chat: bool = False, **options: Any) -> Any:
    kind: Any = OpenAIChatCompletionClient if is_chat else OpenAIChatClient
    return Agent(kind("gpt-5-mini", async_client=errand.async_client()), **options)


async def tools(errand: Errand) -> Any:
    result = await _agent(errand, tools=[get_weather]).run(_QUESTION)
    return {
        "version": version("agent-framework-openai"),
        "text": result.text,
        "tokens": result.usage_details["total_token_count"],
    }


async def streamed(errand: Errand) -> Any:
    stream = _agent(errand, tools=[get_weather]).run(_QUESTION, stream=True)
    texts = [update.text async for update in stream]
    # The last update brings the whole text once more, to replace the pieces.
    whole = await stream.get_final_response()
    return {"pieces": len([text for text in texts if text]), "text": whole.text}


async def turns(errand: Errand) -> Any:
    agent = _agent(errand)
    session = agent.create_session()
    await agent.run("My name is Ada.", session=session)
    texts = [(await agent.run("What is my name?", session=session)).text for _ in range(4)]
    return {"texts": texts}


async def structured(errand: Errand) -> Any:
    result = await _agent(errand).run("Ada is 36 years old.", options={"response_format": Person})
    return {"parsed": result.value.model_dump()}


async def chat(errand: Errand) -> Any:
    agent = _agent(errand, is_chat=True, tools=[get_weather])
    texts = [update.text async for update in agent.run(_QUESTION, stream=True)]
    return {"text": (await agent.run(_QUESTION)).text, "streamed": "".join(texts)}


if __name__ == "__main__":
    run(tools, streamed, turns, structured, chat)
