"""Message items: text, structured output and refusals."""

import json
from dataclasses import replace
from functools import partial
from typing import Any

from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.hints import Hints
from azure_responses.emulator.engine.instances import build_instance
from azure_responses.emulator.engine.logprobs import list_logprobs
from azure_responses.emulator.engine.prose_formats import answer_in_prose_format, find_schema
from azure_responses.emulator.engine.replies import compose
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text

__all__ = ["write_answer", "write_message", "write_refusal"]

# Recorded: a five-letter answer of gpt-5.1 costs a few tokens more than its text.
_FRAME = 3
_LONGEST = 200_000
_REFUSAL = "I'm sorry, but I can't assist with that request."


def write_answer(draft: Draft) -> Step:
    """The message that answers the turn, in the format it asks for."""
    transcript, body = draft.transcript, draft.turn.request
    if find_trigger(transcript.prompt, "refuse") is not None:
        return write_refusal(draft, _REFUSAL)
    text = body.get("text") or {}
    given = text.get("format") or {}
    if given.get("type") == "json_schema":
        return write_message(draft, _write_json(build_instance(given["schema"], _source(draft))))
    if given.get("type") == "json_object":
        return write_message(draft, _write_json(_write_object(draft)))
    length = find_trigger(transcript.prompt, "length")
    if length and length.isdecimal():
        return write_message(draft, " ".join(["word"] * min(int(length[:9]), _LONGEST)))
    described = answer_in_prose_format(transcript, partial(_compose_alone, draft))
    if described is not None:
        return write_message(draft, described)
    return write_message(draft, compose(transcript, draft.turn, text.get("verbosity") or "medium"))


def _compose_alone(draft: Draft, question: str) -> str:
    """The answer to a question that comes with instructions about nothing but their form."""
    return compose(replace(draft.transcript, prompt=question, instructions=""), draft.turn)


def _source(draft: Draft) -> str:
    """What structured output draws its values from: tool outputs first, then the prompt."""
    outputs = [result.output for result in draft.transcript.results]
    return "\n".join((*outputs, draft.transcript.prompt))


def _write_object(draft: Draft) -> dict[str, Any]:
    schema = find_schema(draft.transcript)
    if schema is not None:
        built = build_instance(schema, _source(draft))
        return built if isinstance(built, dict) else {"answer": built}
    hints = Hints(f"{draft.transcript.prompt}\n{draft.transcript.instructions}")
    keys = [word for word in hints.quoted() if word.isidentifier()]
    if not keys:
        return {"answer": compose(draft.transcript, draft.turn)}
    wanted = {"type": "object", "properties": {key: {} for key in keys}, "required": keys}
    written: dict[str, Any] = build_instance(wanted, draft.transcript.prompt)
    return written


def _write_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write_message(draft: Draft, text: str, annotations: list[dict[str, Any]] | None = None) -> Step:
    """An assistant message of one text part."""
    body = draft.turn.request
    logprobs = []
    if "message.output_text.logprobs" in (body.get("include") or ()):
        logprobs = list_logprobs(text, body.get("top_logprobs") or 0)
    part = {
        "type": "output_text",
        "annotations": annotations or [],
        "logprobs": logprobs,
        "text": text,
    }
    return Step(_message(draft, part), tokens=count_text(text) + _FRAME)


def write_refusal(draft: Draft, text: str) -> Step:
    """An assistant message that declines."""
    part = {"type": "refusal", "refusal": text}
    return Step(_message(draft, part), tokens=count_text(text) + _FRAME)


def _message(draft: Draft, part: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": draft.identify("msg"),
        "type": "message",
        "status": "completed",
        "content": [part],
    }
    if draft.turn.model.has_phase and not draft.turn.dated:
        item["phase"] = "final_answer"
    return {**item, "role": "assistant"}
