"""Formats that a prompt describes in prose: a JSON schema, or the steps of an agent.

Not every framework uses the service's own structured outputs and tools. instructor, llama-index,
LangChain and pydantic-ai can write the wanted schema into a message, smolagents wants Python that
ends in `final_answer(…)`, and ReAct agents want lines of thoughts, actions and answers.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.transcript import Transcript

__all__ = ["answer_in_prose_format", "find_schema"]

_Compose = Callable[[str], str]
_SCHEMA = re.compile(r"schema\b[^{}]{0,300}(?=\{)", re.IGNORECASE)
_DESCRIBES = ("properties", "$ref", "anyOf", "$defs", "items")
_FENCE = re.compile(r"```json|json code ?block|(?:in|with)(?:in)? a code ?block", re.IGNORECASE)
_UNFENCED = re.compile(
    r"\b(?:no|not|n't|without|never)\b[^.\n]{0,60}(?:markdown|fenc|```)", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n+")
# A sentence about the form of the answer says nothing of its values.
_OF_THE_FORM = re.compile(r"json|schema|markdown", re.IGNORECASE)
# Prompts may be megabytes long; schemas in them stand near the beginning.
_READ = 200_000
_MOST_SCHEMAS, _LONGEST_QUESTION = 20, 8000

_OBSERVED = re.compile(r"\A\s*Observations?:\s*(?P<text>.*)", re.DOTALL)
_TASK = re.compile(r"\A\s*New task:\s*", re.IGNORECASE)
_QUESTION = re.compile(r"^Question: *(.+)", re.MULTILINE)
_CODE_OPENS = re.compile(r"^\s*(?P<tag><code>|```(?:python|py)?)[ \t]*$", re.MULTILINE)
_FUNCTION = re.compile(r"^\s*def (?P<name>\w+)\((?P<parameters>[^)]{0,500})\)", re.MULTILINE)
_LISTED = re.compile(r"Tool Name: (?P<name>[\w.-]+)")
_ARGUMENTS = "Tool Args: "


def find_schema(transcript: Transcript) -> dict[str, Any] | None:
    """The last JSON schema that the instructions or the messages of the user describe."""
    said = (text for role, text in transcript.messages if role == "user")
    for text in (transcript.prompt, *said, transcript.instructions):
        schema = _read_schema(text[:_READ])
        if schema is not None:
            return schema
    return None


def _read_json(text: str, start: int = 0) -> tuple[Any, int]:
    """The JSON value that begins there, and where it ends; None, and -1, where none begins."""
    try:
        return json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, -1


def _read_schema(text: str) -> dict[str, Any] | None:
    # The last schema counts: LangChain explains the notation with an example before it.
    found: dict[str, Any] | None = None
    for place in list(_SCHEMA.finditer(text))[-_MOST_SCHEMAS:]:
        value, _ = _read_json(text, place.end())
        if isinstance(value, dict) and any(name in value for name in _DESCRIBES):
            found = value
    return found


def answer_in_prose_format(transcript: Transcript, compose: _Compose) -> str | None:
    """The answer in the format that the prompt describes; None where it describes none.

    `compose` answers a question as if nothing had been said of a format.
    """
    if "final_answer(" in transcript.instructions:
        return _write_code(transcript, compose)
    described = f"{transcript.instructions}\n{transcript.prompt}"
    if "Thought:" in described and "Action Input:" in described:
        return _write_steps(transcript, described, compose)
    schema = find_schema(transcript)
    return _write_instance(transcript, schema) if schema is not None else None


def _write_instance(transcript: Transcript, schema: dict[str, Any]) -> str:
    said = "\n".join(text for role, text in transcript.messages if role == "user")
    outputs = "\n".join(result.output for result in transcript.results)
    prose = _leave_out_schemas(f"{outputs}\n{said}"[:_READ])
    written = json.dumps(build_instance(schema, prose), ensure_ascii=False)
    asked = f"{transcript.instructions}\n{said}"
    # Some prompts mention a fence only to forbid it.
    is_fenced = _FENCE.search(asked) and not _UNFENCED.search(asked)
    return f"```json\n{written}\n```" if is_fenced else written


def _leave_out_schemas(text: str) -> str:
    """What a prompt says besides its schemas; what is to be read often stands behind them."""
    kept, position = "", 0
    for place in list(_SCHEMA.finditer(text))[:_MOST_SCHEMAS]:
        _, end = _read_json(text, place.end())
        if end >= 0 and position <= place.start():
            kept += f"{text[position : place.end()]}\n"
            position = end
    sentences = _SENTENCE_END.split(kept + text[position:])
    said = "\n".join(one for one in sentences if not _OF_THE_FORM.search(one))
    return said if said.strip() else _SCHEMA.split(text, maxsplit=1)[0]


def _write_code(transcript: Transcript, compose: _Compose) -> str:
    """A step of smolagents' agent that writes code, between the tags that its instructions name."""
    opening = _CODE_OPENS.search(transcript.instructions)
    tag = opening["tag"] if opening else "<code>"
    closing = "</code>" if tag == "<code>" else "```<end_code>"
    thought, code = _think_in_code(transcript, compose)
    return f"Thought: {thought}\n{tag}\n{code}\n{closing}"


def _think_in_code(transcript: Transcript, compose: _Compose) -> tuple[str, str]:
    # What the code printed comes back as a message of the user.
    observed = _OBSERVED.match(transcript.prompt)
    if observed:
        text = observed["text"].removeprefix("Execution logs:").split("Last output from")[0]
        return "I know the answer now.", f"final_answer({text.strip()!r})"
    question = _TASK.sub("", transcript.prompt)
    for function in _FUNCTION.finditer(transcript.instructions):
        if function["name"] != "final_answer" and _is_named(function["name"], question):
            called = _write_call(function["name"], function["parameters"], question)
            return f"I should call {function['name']}.", f"print({called})"
    return "I can answer this at once.", f"final_answer({compose(question)!r})"


def _write_call(name: str, parameters: str, question: str) -> str:
    names = [part.split(":")[0].strip() for part in parameters.split(",") if ":" in part]
    schema = {
        "type": "object",
        "properties": {one: {"type": "string"} for one in names},
        "required": names,
    }
    given: dict[str, Any] = build_instance(schema, question)
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _is_named(name: str, question: str) -> bool:
    words = name.replace("_", " ").lower()
    return words in question.replace("_", " ").lower()


def _write_steps(transcript: Transcript, described: str, compose: _Compose) -> str:
    """A step of a ReAct agent: an action, or the answer once something was observed."""
    # LangChain reads "Final Answer:", llama-index "Answer:"; the prompt says which.
    ending = "Final Answer" if "Final Answer:" in described else "Answer"
    observed = _OBSERVED.match(transcript.prompt)
    if observed:
        return f"Thought: I know the answer now.\n{ending}: {observed['text'].strip()}"
    asked = _QUESTION.findall(transcript.prompt[-_LONGEST_QUESTION:])
    question = asked[-1] if asked else transcript.prompt
    for tool in _LISTED.finditer(described):
        if _is_named(tool["name"], question):
            return _write_action(tool["name"], described[tool.end() :], question)
    thought = "I can answer without using any more tools."
    return f"Thought: {thought}\n{ending}: {compose(question)}"


def _write_action(name: str, described: str, question: str) -> str:
    schema, _ = _read_json(described.partition(_ARGUMENTS)[2][:_READ])
    given = json.dumps(build_instance(schema, question), ensure_ascii=False)
    return f"Thought: I need to use a tool.\nAction: {name}\nAction Input: {given}"
