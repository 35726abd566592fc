"""instructor: models filled by way of chat completions and of Responses."""

from importlib.metadata import version
from typing import Any

import instructor
from pydantic import BaseModel

from tests.real_clients.programs.errand import Errand, run

_TEXT: Any = [{"role": "user", "content": "Ada is 36 years old."}]


class Person(BaseModel):
    """Who is to be found in a text."""

    name: str
    age: int


def _fill(errand: Errand, mode: Any) -> Any:
    client: Any = instructor.from_openai(errand.client(), mode=mode)
    person, raw = client.chat.completions.create_with_completion(
        model="gpt-5-mini", messages=_TEXT, response_model=Person
    )
    return {"parsed": person.model_dump(), "tokens": raw.usage.total_tokens}


def tools(errand: Errand) -> Any:
    return {"version": version("instructor"), **_fill(errand, instructor.Mode.TOOLS)}


def json_schema(errand: Errand) -> Any:
    return _fill(errand, instructor.Mode.JSON_SCHEMA)


def responses(errand: Errand) -> Any:
    return _fill(errand, instructor.Mode.RESPONSES_TOOLS)


async def responses_async(errand: Errand) -> Any:
    client: Any = instructor.from_openai(
        errand.async_client(), mode=instructor.Mode.RESPONSES_TOOLS
    )
    person = await client.chat.completions.create(
        model="gpt-5-mini", messages=_TEXT, response_model=Person
    )
    return {"parsed": person.model_dump()}


def partial(errand: Errand) -> Any:
    client: Any = instructor.from_openai(errand.client(), mode=instructor.Mode.TOOLS)
    states = list(
        client.chat.completions.create_partial(
            model="gpt-5-mini", messages=_TEXT, response_model=Person
        )
    )
    return {"states": len(states), "parsed": states[-1].model_dump()}


if __name__ == "__main__":
    run(tools, json_schema, responses, responses_async, partial)
