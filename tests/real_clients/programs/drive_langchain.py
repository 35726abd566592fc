"""langchain-openai: over Responses and over chat completions."""

from importlib.metadata import version
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import AzureChatOpenAI, ChatOpenAI
from pydantic import BaseModel

from tests.real_clients.programs.errand import Errand, run

_PONG = "Reply with exactly: pong"
_QUESTION = "What is the weather in Paris? Use get_weather."
_FORECAST = "What is the forecast for Rome, days: 3? Use get_forecast."


class Person(BaseModel):
    """Who is to be found in a text."""

    name: str
    age: int


def get_weather(city: str) -> str:
    """The weather of a city.

    Args:
        city: its name.
    """
    return f"12 degrees in {city}"


def get_forecast(city: str, days: int) -> str:
    """The weather of a city in the next days.

    Args:
        city: its name.
        days: how many.
    """
    return f"{days} days of sun in {city}"


def _model(errand: Errand, **options: Any) -> Any:
    carriers = {**errand.carriers}
    if errand.mode == "injected":
        carriers["http_async_client"] = errand.async_carriers["http_client"]
    return ChatOpenAI(
        model="gpt-5-mini",
        base_url=errand.base_url,
        api_key=errand.key,  # type: ignore[arg-type,unused-ignore]
        **carriers,
        **options,
    )


def _use_tools(model: Any) -> Any:
    bound = model.bind_tools([get_weather])
    messages: list[Any] = [HumanMessage(_QUESTION)]
    asked = bound.invoke(messages)
    call = asked.tool_calls[0]
    messages += [asked, ToolMessage(get_weather(**call["args"]), tool_call_id=call["id"])]
    return {"call": call["name"], "text": bound.invoke(messages).text}


def responses(errand: Errand) -> Any:
    answer = _model(errand, use_responses_api=True).invoke(_PONG)
    return {
        "version": version("langchain-openai"),
        "text": answer.text,
        "tokens": answer.usage_metadata["total_tokens"],
        "id": answer.response_metadata["id"][:5],
    }


def responses_tools(errand: Errand) -> Any:
    return _use_tools(_model(errand, use_responses_api=True))


def responses_stream(errand: Errand) -> Any:
    chunks = [chunk.text for chunk in _model(errand, use_responses_api=True).stream("Say hello")]
    return {"pieces": len([text for text in chunks if text]), "text": "".join(chunks)}


async def responses_async(errand: Errand) -> Any:
    model = _model(errand, use_responses_api=True)
    texts = [chunk.text async for chunk in model.astream(_PONG)]
    return {"text": (await model.ainvoke(_PONG)).text, "streamed": "".join(texts)}


def stored_turns(errand: Errand) -> Any:
    """LangChain itself finds the id of the response before, and sends what is new."""
    model = _model(errand, use_responses_api=True, use_previous_response_id=True)
    return _converse(model)


def replayed_turns(errand: Errand) -> Any:
    """Nothing is stored: each turn sends all before it, encrypted reasoning included."""
    model = _model(
        errand,
        use_responses_api=True,
        store=False,
        include=["reasoning.encrypted_content"],
        output_version="responses/v1",
    )
    return _converse(model)


def _converse(model: Any) -> Any:
    messages: list[Any] = [HumanMessage("My name is Ada.")]
    texts = []
    for _ in range(4):
        messages += [model.invoke(messages), HumanMessage("What is my name?")]
        texts.append(model.invoke(messages).text)
    return {"texts": texts}


def structured(errand: Errand) -> Any:
    parsed = [
        _model(errand, use_responses_api=uses)
        .with_structured_output(Person)
        .invoke("Ada is 36 years old.")
        .model_dump()
        for uses in (True, False)
    ]
    return {"parsed": parsed}


def chat(errand: Errand) -> Any:
    model = _model(errand, use_responses_api=False, stream_usage=True)
    chunks = list(model.stream(_PONG))
    used = [chunk.usage_metadata["total_tokens"] for chunk in chunks if chunk.usage_metadata]
    return {
        **_use_tools(model),
        "streamed": "".join(chunk.text for chunk in chunks),
        "tokens": used,
    }


def azure(errand: Errand) -> Any:
    texts = [
        _azure_model(errand, use_responses_api=uses).invoke(_PONG).text for uses in (True, False)
    ]
    return {"texts": texts}


def azure_tools(errand: Errand) -> Any:
    """On the deployment route LangChain sends `"model": null`."""
    return {_name_of(uses): _use_forecast(errand, uses) for uses in (True, False)}


def azure_structured(errand: Errand) -> Any:
    return {
        _name_of(uses): _azure_model(errand, use_responses_api=uses)
        .with_structured_output(Person)
        .invoke("Ada is 36 years old.")
        .model_dump()
        for uses in (True, False)
    }


def azure_stream(errand: Errand) -> Any:
    seen = {}
    for uses in (True, False):
        chunks = _azure_model(errand, use_responses_api=uses).stream("Say hello")
        texts = [chunk.text for chunk in chunks if chunk.text]
        seen[_name_of(uses)] = [len(texts), "".join(texts)]
    return seen


def azure_turns(errand: Errand) -> Any:
    """Every message goes back as it came, those of a tool loop too."""
    seen = {}
    for uses in (True, False):
        model = _azure_model(errand, use_responses_api=uses).bind_tools([get_forecast])
        messages: list[Any] = [HumanMessage("My name is Ada.")]
        messages += [model.invoke(messages), HumanMessage(_FORECAST)]
        _answer_calls(model, messages)
        messages.append(HumanMessage("What is my name?"))
        seen[_name_of(uses)] = model.invoke(messages).text
    return seen


def _name_of(uses_responses_api: bool) -> str:
    return "responses" if uses_responses_api else "chat"


def _use_forecast(errand: Errand, uses_responses_api: bool) -> Any:
    model = _azure_model(errand, use_responses_api=uses_responses_api)
    messages: list[Any] = [HumanMessage(_FORECAST)]
    calls = _answer_calls(model.bind_tools([get_forecast]), messages)
    return {"calls": calls, "text": messages[-1].text}


def _answer_calls(model: Any, messages: list[Any]) -> list[Any]:
    """Ask until the model calls nothing more; the arguments it called with."""
    arguments: list[Any] = []
    while True:
        messages.append(model.invoke(messages))
        if not messages[-1].tool_calls:
            return arguments
        for call in messages[-1].tool_calls:
            arguments.append(call["args"])
            result = get_forecast(**call["args"])
            messages.append(ToolMessage(result, tool_call_id=call["id"]))


def _azure_model(errand: Errand, **options: Any) -> Any:
    return AzureChatOpenAI(
        azure_endpoint=errand.endpoint,
        azure_deployment="gpt-5-mini",
        api_version="2025-04-01-preview",
        api_key=errand.key,  # type: ignore[arg-type,unused-ignore]
        **errand.carriers,
        **options,
    )


if __name__ == "__main__":
    run(
        responses,
        responses_tools,
        responses_stream,
        responses_async,
        stored_turns,
        replayed_turns,
        structured,
        chat,
        azure,
        azure_tools,
        azure_structured,
        azure_stream,
        azure_turns,
    )
