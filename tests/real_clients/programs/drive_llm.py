"""simonw's llm, with the plug-in; its calls are injected in either mode."""

import json
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llm
from llm.plugins import pm

from tests.real_clients.programs.errand import Errand, run

_QUESTION = "What is the weather in Paris? Use get_weather."
_SCHEMA = llm.schema_dsl("name, age int")


def get_weather(city: str) -> str:
    """The weather of a city."""
    return f"12 degrees in {city}"


def _model(errand: Errand, name: str = "azure/gpt-5-mini", *, is_async: bool = False) -> Any:
    folder = Path(os.environ["LLM_USER_PATH"])
    config = {"model_list": errand.rows, "router_settings": {"num_retries": 1}}
    (folder / "azure-responses.yaml").write_text(json.dumps(config), encoding="utf-8")
    return llm.get_async_model(name) if is_async else llm.get_model(name)


def prompt(errand: Errand) -> Any:
    model = _model(errand)
    response = model.prompt("Reply with exactly: pong")
    return {
        "version": version("llm"),
        "text": response.text(),
        "tokens": response.usage().output,
        "plain": _model(errand, "azure/gpt-4.1").prompt("Reply with exactly: pong").text(),
        "name": str(model),
        "elsewhere": _is_refused(model, chat_completions=True),
    }


def _is_refused(model: Any, **options: Any) -> bool:
    try:
        model.prompt("Say hello", **options).text()
    except ValueError:
        return True
    return False


def stream(errand: Errand) -> Any:
    pieces = list(_model(errand).prompt("Say hello", stream=True))
    return {"pieces": len([piece for piece in pieces if piece]), "text": "".join(pieces)}


async def awaited(errand: Errand) -> Any:
    model = _model(errand, is_async=True)
    return {"text": await model.prompt("Reply with exactly: pong").text()}


def tools(errand: Errand) -> Any:
    return {"text": _model(errand).chain(_QUESTION, tools=[get_weather]).text()}


def schema(errand: Errand) -> Any:
    response = _model(errand).prompt("Ada is 36 years old.", schema=_SCHEMA)
    return {"parsed": json.loads(response.text())}


def turns(errand: Errand) -> Any:
    conversation = _model(errand).conversation()
    conversation.prompt("My name is Ada.").text()
    return {"texts": [conversation.prompt("What is my name?").text() for _ in range(4)]}


def unusable(errand: Errand) -> Any:
    """A file that cannot be read leaves the rest of llm alone."""
    _model(errand)
    path = Path(os.environ["LLM_USER_PATH"]) / "azure-responses.yaml"
    path.write_text("model_list: [{}]", encoding="utf-8")
    found = [model.model_id for model in llm.get_models()]
    path.unlink()
    os.environ.update(
        AZURE_OPENAI_ENDPOINT=errand.rows[0]["litellm_params"]["api_base"],
        AZURE_OPENAI_API_KEY=errand.rows[0]["litellm_params"]["api_key"],
        AZURE_OPENAI_DEPLOYMENT="gpt-5-mini",
    )
    text = llm.get_model("azure/gpt-5-mini").prompt("Reply with exactly: pong").text()
    del os.environ["AZURE_OPENAI_DEPLOYMENT"]
    alone = [model.model_id for model in llm.get_models() if model.model_id.startswith("azure/")]
    return {"others": "gpt-5" in found, "text": text, "unset": alone}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as user_folder:
        os.environ["LLM_USER_PATH"] = user_folder
        from azure_responses import llm_plugin

        # Where the package is installed, its entry point has registered it.
        llm.get_models()
        if not pm.is_registered(llm_plugin):
            pm.register(llm_plugin)
        run(prompt, stream, awaited, tools, schema, turns, unusable)
