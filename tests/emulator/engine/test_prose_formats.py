"""Formats that frameworks describe in prose: schemas, Python that ends, and ReAct steps."""

import json
from typing import Any

import pytest

from tests.emulator.engine.generations import ask, said

_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
_PERSON = {"name": "Grace Hopper", "age": 47}
_SAID = "My friend is called Grace Hopper and she is 47 years old."
# As instructor, llama-index, pydantic-ai and LangChain phrase it; the last has an example first.
_PHRASED = [
    "Give the parsed objects in json that match the following json_schema:\n\n{}\n\nReturn an "
    "instance of the JSON, not the schema itself",
    "Here's a JSON schema to follow:\n{}\n\nOutput a valid JSON object but do not repeat it.",
    "Always respond with a JSON object that's compatible with this schema:\n\n{}\n\nDon't include "
    "any text or Markdown fencing before or after.",
    'As an example, for the schema {{"properties": {{"foo": {{"type": "array"}}}}}} the object '
    '{{"foo": []}} is fine.\nHere is the output schema (no Markdown in your output):\n```\n{}\n```',
]


@pytest.mark.parametrize("phrase", _PHRASED)
@pytest.mark.parametrize("place", ["system", "user", "format"])
def test_a_schema_in_prose_is_filled(phrase: str, place: str) -> None:
    described = phrase.format(json.dumps(_SCHEMA, indent=2))
    given: dict[str, Any] = {}
    if place == "user":
        prompt = f"{_SAID}\n{described}"
    else:
        prompt, given["instructions"] = _SAID, described
    if place == "format":
        given["text"] = {"format": {"type": "json_object"}}
    assert json.loads(said(prompt, **given)) == _PERSON


@pytest.mark.parametrize("phrase", _PHRASED)
def test_what_stands_behind_a_schema_is_read_too(phrase: str) -> None:
    described = phrase.format(json.dumps(_SCHEMA, indent=2))
    assert json.loads(said(f"{described}\n\n{_SAID}")) == _PERSON
    assert json.loads(said(f"{_SAID[:-1]}, as JSON of this schema: {json.dumps(_SCHEMA)}"))


def test_a_schema_that_is_wanted_in_a_code_block_is_filled_in_one() -> None:
    described = _PHRASED[0].format(json.dumps(_SCHEMA))
    last = "Return the correct JSON response within a ```json codeblock, not the JSON_SCHEMA"
    items = [{"role": "user", "content": _SAID}, {"role": "user", "content": last}]
    answer = said(items, instructions=described)
    assert answer.startswith("```json\n")
    assert json.loads(answer.removeprefix("```json").removesuffix("```")) == _PERSON


def test_json_that_is_no_schema_changes_nothing() -> None:
    prompt = 'The schema {"a": 1} is broken. Reply with exactly: pong'
    assert said(prompt) == "pong"
    assert said("A schema { is not JSON. Reply with exactly: pong") == "pong"


_SMOLAGENTS = """You write code blobs.
Thought: I know it.
<code>
final_answer("Shanghai")
</code>
On top you have these tools:
<code>
def get_weather(city: str) -> str:
    \"\"\"The weather.\"\"\"
def final_answer(answer: any) -> any:
</code>"""


def test_smolagents_code_calls_a_tool_and_ends_with_the_final_answer() -> None:
    called = said("New task:\nUse get weather for Rome", instructions=_SMOLAGENTS)
    assert "<code>\nprint(get_weather(city='Rome'))\n</code>" in called
    observed = "Observation:\nExecution logs:\nsunny\nLast output from code snippet:\nNone"
    ended = said([{"role": "user", "content": observed}], instructions=_SMOLAGENTS)
    assert "<code>\nfinal_answer('sunny')\n</code>" in ended
    at_once = said("New task:\nWhat is the capital of France?", instructions=_SMOLAGENTS)
    assert "final_answer('The capital of France is Paris.')" in at_once


def test_code_in_markdown_fences_is_closed_as_older_smolagents_want_it() -> None:
    instructions = "```py\nfinal_answer(1)\n```<end_code>"
    answer = said("New task:\nWhat is 2 + 2?", instructions=instructions)
    assert answer.endswith("```py\nfinal_answer('2 + 2 = 4')\n```<end_code>")


_REACT = """> Tool Name: get_weather
Tool Description: get_weather(city: str)
The weather.
Tool Args: {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
Thought: I need to use a tool.
Action: tool name
Action Input: the input
Observation: tool response
Thought: I can answer.
Answer: [your answer here]"""


def test_a_react_agent_acts_and_answers() -> None:
    acted = said("What does get_weather say for Rome?", instructions=_REACT)
    assert acted.endswith('Action: get_weather\nAction Input: {"city": "Rome"}')
    ended = said("Observation: sunny", instructions=_REACT)
    assert ended.startswith("Thought: ")
    assert ended.endswith("\nAnswer: sunny")
    at_once = said("What is the capital of France?", instructions=_REACT)
    assert at_once.endswith("Answer: The capital of France is Paris.")


def test_a_react_prompt_in_one_message_ends_with_a_final_answer() -> None:
    prompt = (
        "Answer the question. Use the format:\nThought: think\nAction: act\nAction Input: input\n"
        "Final Answer: the answer\n\nBegin!\n\nQuestion: What is the capital of France?\nThought:"
    )
    assert said(prompt).endswith("\nFinal Answer: The capital of France is Paris.")


def test_arguments_that_are_no_json_are_left_out() -> None:
    instructions = _REACT.replace('{"type": "object"', "{type: object")
    acted = said("What does get_weather say?", instructions=instructions)
    assert acted.endswith("Action: get_weather\nAction Input: {}")


def test_where_a_call_is_required_the_one_that_ends_is_the_last() -> None:
    parameters = {"type": "object", "properties": {"answer": {"type": "string"}}}
    tools = [
        {"type": "function", "name": name, "parameters": parameters}
        for name in ("get_weather", "final_answer")
    ]
    call = {"type": "function_call", "call_id": "c", "name": "get_weather", "arguments": "{}"}
    items = [
        {"role": "user", "content": "What is the weather?"},
        call,
        {"type": "function_call_output", "call_id": "c", "output": "sunny"},
    ]
    (again,) = ask(items, tools=tools, tool_choice="required").response["output"]
    assert again["name"] == "final_answer"
    assert json.loads(again["arguments"]) == {"answer": "sunny"}
    items[1:] = [{"role": "user", "content": "Observation:\n12 degrees in Paris"}]
    (ended,) = ask(items, tools=tools, tool_choice="required").response["output"]
    assert ended["name"] == "final_answer"
    assert json.loads(ended["arguments"]) == {"answer": "12 degrees in Paris"}
