"""Message items: text, structured output and refusals."""

import hashlib
import json
import math
from dataclasses import replace
from functools import partial
from typing import Any

from azure_responses.emulator.engine.canned_answers import compose
from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.prompt_values import Hints
from azure_responses.emulator.engine.prose_formats import answer_in_prose_format, find_schema
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text, split_tokens

__all__ = [
    "is_reasoning_due",
    "list_logprobs",
    "write_answer",
    "write_message",
    "write_reasoning",
    "write_refusal",
]

# Recorded: a five-letter answer of gpt-5.1 costs a few tokens more than its text.
_MESSAGE_FRAME = 3
_LONGEST = 200_000
_REFUSAL = "I'm sorry, but I can't assist with that request."


def write_answer(builder: ResponseBuilder) -> OutputStep:
    """The message that answers the turn, in the format it asks for."""
    transcript, body = builder.transcript, builder.generation.request
    if find_trigger(transcript.prompt, "refuse") is not None:
        return write_refusal(builder, _REFUSAL)
    text = body.get("text") or {}
    given = text.get("format") or {}
    if given.get("type") == "json_schema":
        return write_message(
            builder, _write_json(build_instance(given["schema"], _source(builder)))
        )
    if given.get("type") == "json_object":
        return write_message(builder, _write_json(_write_object(builder)))
    length = find_trigger(transcript.prompt, "length")
    if length and length.isdecimal():
        return write_message(builder, " ".join(["word"] * min(int(length[:9]), _LONGEST)))
    described = answer_in_prose_format(transcript, partial(_compose_alone, builder))
    if described is not None:
        return write_message(builder, described)
    return write_message(
        builder, compose(transcript, builder.generation, text.get("verbosity") or "medium")
    )


def _compose_alone(builder: ResponseBuilder, question: str) -> str:
    """The answer to a question that comes with instructions about nothing but their form."""
    return compose(
        replace(builder.transcript, prompt=question, instructions=""), builder.generation
    )


def _source(builder: ResponseBuilder) -> str:
    """What structured output draws its values from: tool outputs first, then the prompt."""
    outputs = [result.output for result in builder.transcript.results]
    return "\n".join((*outputs, builder.transcript.prompt))


def _write_object(builder: ResponseBuilder) -> dict[str, Any]:
    schema = find_schema(builder.transcript)
    if schema is not None:
        built = build_instance(schema, _source(builder))
        return built if isinstance(built, dict) else {"answer": built}
    hints = Hints(f"{builder.transcript.prompt}\n{builder.transcript.instructions}")
    keys = [word for word in hints.quoted() if word.isidentifier()]
    if not keys:
        return {"answer": compose(builder.transcript, builder.generation)}
    wanted = {"type": "object", "properties": {key: {} for key in keys}, "required": keys}
    written: dict[str, Any] = build_instance(wanted, builder.transcript.prompt)
    return written


def _write_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write_message(
    builder: ResponseBuilder, text: str, annotations: list[dict[str, Any]] | None = None
) -> OutputStep:
    """An assistant message of one text part."""
    body = builder.generation.request
    logprobs = []
    if "message.output_text.logprobs" in (body.get("include") or ()):
        logprobs = list_logprobs(text, body.get("top_logprobs") or 0)
    part = {
        "type": "output_text",
        "annotations": annotations or [],
        "logprobs": logprobs,
        "text": text,
    }
    return OutputStep(_message(builder, part), tokens=count_text(text) + _MESSAGE_FRAME)


def write_refusal(builder: ResponseBuilder, text: str) -> OutputStep:
    """An assistant message that declines."""
    part = {"type": "refusal", "refusal": text}
    return OutputStep(_message(builder, part), tokens=count_text(text) + _MESSAGE_FRAME)


def _message(builder: ResponseBuilder, part: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": builder.identify("msg"),
        "type": "message",
        "status": "completed",
        "content": [part],
    }
    if builder.generation.model.has_phase and not builder.generation.dated:
        item["phase"] = "final_answer"
    return {**item, "role": "assistant"}


# Recorded counts are multiples of 64; these are what short prompts cost at each effort.
_EFFORT_TOKENS = {"minimal": 0, "low": 64, "medium": 64, "high": 256, "xhigh": 512, "max": 1024}
_REASONING_UNIT = 64


def is_reasoning_due(builder: ResponseBuilder) -> bool:
    """True where the answer begins with a reasoning item."""
    model = builder.generation.model
    if not model.reasoning or builder.effort == "none":
        return False
    # Recorded: o4-mini and gpt-5.1-codex-max answer a tool's output without a reasoning item.
    is_silent = model.name.startswith("o") or "codex" in model.name
    return not (is_silent and builder.transcript.results)


def write_reasoning(builder: ResponseBuilder, plan: str) -> OutputStep:
    """The reasoning item; `plan` says what the model is about to do."""
    body = builder.generation.request
    thought = find_trigger(builder.transcript.prompt, "reason") or _think(builder, plan)
    item: dict[str, Any] = {"id": builder.identify("rs"), "type": "reasoning"}
    sealed = None
    if "reasoning.encrypted_content" in (body.get("include") or ()):
        item["encrypted_content"] = ""
        sealed = {"thought": thought, "id": item["id"]}
    item["summary"] = _summarise(builder, thought, plan)
    tokens = _count_reasoning(builder, thought)
    return OutputStep(item, sealed=sealed, tokens=tokens, reasoning_tokens=tokens)


def _think(builder: ResponseBuilder, plan: str) -> str:
    prompt = " ".join(builder.transcript.prompt.split())[:200]
    return f'The user wrote: "{prompt}". {plan} I will keep to what was asked and be brief.'


def _count_reasoning(builder: ResponseBuilder, thought: str) -> int:
    least = _EFFORT_TOKENS.get(builder.effort or "medium", _REASONING_UNIT)
    if not least:
        return 0
    return max(least, -(-count_text(thought) // _REASONING_UNIT) * _REASONING_UNIT)


def _summarise(builder: ResponseBuilder, thought: str, plan: str) -> list[dict[str, str]]:
    asked = builder.generation.request.get("reasoning") or {}
    if not (asked.get("summary") or asked.get("generate_summary")) or builder.effort == "minimal":
        return []
    title = plan.split(".")[0].removeprefix("I should ").strip().capitalize()
    parts = [{"type": "summary_text", "text": f"**{title}**\n\n{thought}"}]
    is_long = builder.effort in ("high", "xhigh", "max") and asked.get("summary") == "detailed"
    if is_long:
        text = "**Checking the answer**\n\nThe answer follows from what was asked; nothing is left."
        parts.append({"type": "summary_text", "text": text})
    return parts


_ALTERNATIVES = (
    " the", " a", " and", " is", " of", " to", " in", " it", " that", " for", "\n", ",", ".", " I",
    " you", " with", " on", " this", " was", " as", "The",
)  # fmt: skip


_MOST_LOGPROBS = 4096


def list_logprobs(text: str, top: int) -> list[dict[str, Any]]:
    """One entry per token of the text, each with its `top` most likely tokens.

    Text beyond the first 4,096 tokens has none: they would take thousands of times its memory.
    """
    tokens = split_tokens(text)[:_MOST_LOGPROBS]
    return [_token_entry(token, index, top) for index, token in enumerate(tokens)]


def _token_entry(token: str, index: int, top: int) -> dict[str, Any]:
    digest = hashlib.blake2b(f"{index}{token}".encode(), digest_size=2).digest()
    chosen = 0.55 + 0.44 * int.from_bytes(digest, "big") / 0xFFFF
    others = [other for other in _ALTERNATIVES if other != token][: max(top - 1, 0)]
    likely = [(token, chosen)]
    left = 1 - chosen
    for other in others:
        left /= 2
        likely.append((other, left))
    listed = [_describe_token(other, probability) for other, probability in likely[:top]]
    return {**_describe_token(token, chosen), "top_logprobs": listed}


def _describe_token(token: str, probability: float) -> dict[str, Any]:
    return {
        "token": token,
        "bytes": list(token.encode()),
        "logprob": round(math.log(probability), 8),
    }
