"""The items that a model writes itself: messages, refusals and reasoning."""

import hashlib
import json
import math
from dataclasses import replace
from functools import partial
from typing import Any

from azure_responses.emulator.engine.canned_answers import compose
from azure_responses.emulator.engine.generation import OutputStep, ResponseBuilder
from azure_responses.emulator.engine.json_instances import build_instance
from azure_responses.emulator.engine.prompt_values import PromptValues
from azure_responses.emulator.engine.prose_formats import answer_in_prose_format, find_schema
from azure_responses.emulator.engine.triggers import find_trigger
from azure_responses.emulator.tokens import count_text, split_tokens

__all__ = [
    "is_reasoning_due",
    "list_logprobs",
    "write_answer",
    "write_message",
    "write_reasoning",
]

# Recorded: a five-letter answer of gpt-5.1 costs a few tokens more than its text.
_MESSAGE_FRAME = 3
# Words that `[[azure:length:N]]` writes at most; more would fill the memory of a test.
_LONGEST = 200_000
_REFUSAL = "I'm sorry, but I can't assist with that request."


def write_answer(builder: ResponseBuilder) -> OutputStep:
    """The message that ends the output, in the format that the call asks for."""
    if find_trigger(builder.transcript, "refuse") is not None:
        return _write_part(builder, {"type": "refusal", "refusal": _REFUSAL}, _REFUSAL)
    return write_message(builder, _write_text(builder))


def _write_text(builder: ResponseBuilder) -> str:
    text = builder.body.get("text") or {}
    given = text.get("format") or {}
    if given.get("type") == "json_schema":
        return _write_json(build_instance(given["schema"], _source(builder)))
    if given.get("type") == "json_object":
        return _write_json(_write_object(builder))
    length = find_trigger(builder.transcript, "length")
    if length and length.isdecimal():
        return " ".join(["word"] * min(int(length[:9]), _LONGEST))
    described = answer_in_prose_format(builder.transcript, partial(_compose_alone, builder))
    if described is not None:
        return described
    verbosity = text.get("verbosity") or "medium"
    return compose(builder.transcript, builder.generation, verbosity)


def _compose_alone(builder: ResponseBuilder, question: str) -> str:
    """The answer to a question that comes with instructions about nothing but their form."""
    transcript = replace(builder.transcript, prompt=question, instructions="")
    return compose(transcript, builder.generation)


def _source(builder: ResponseBuilder) -> str:
    """What structured output draws its values from: tool outputs first, then the prompt."""
    outputs = [result.output for result in builder.transcript.results]
    return "\n".join((*outputs, builder.prompt))


def _write_object(builder: ResponseBuilder) -> dict[str, Any]:
    """The object of JSON mode, which has no schema of its own.

    Its keys are those of a schema in the prompt, else the quoted words, else `answer`.
    """
    schema = find_schema(builder.transcript)
    if schema is not None:
        built = build_instance(schema, _source(builder))
        return built if isinstance(built, dict) else {"answer": built}
    values = PromptValues(f"{builder.prompt}\n{builder.transcript.instructions}")
    keys = [word for word in values.quoted() if word.isidentifier()]
    if not keys:
        return {"answer": compose(builder.transcript, builder.generation)}
    wanted = {"type": "object", "properties": {key: {} for key in keys}, "required": keys}
    written: dict[str, Any] = build_instance(wanted, builder.prompt)
    return written


def _write_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def write_message(
    builder: ResponseBuilder, text: str, annotations: list[dict[str, Any]] | None = None
) -> OutputStep:
    """An assistant message of one text part."""
    logprobs = []
    if builder.includes("message.output_text.logprobs"):
        logprobs = list_logprobs(text, builder.body.get("top_logprobs") or 0)
    part = {
        "type": "output_text",
        "annotations": annotations or [],
        "logprobs": logprobs,
        "text": text,
    }
    return _write_part(builder, part, text)


def _write_part(builder: ResponseBuilder, part: dict[str, Any], text: str) -> OutputStep:
    item = builder.item("msg", "message", status="completed", content=[part])
    if builder.generation.model.has_phase and not builder.generation.dated:
        item["phase"] = "final_answer"
    item["role"] = "assistant"
    return OutputStep(item, tokens=count_text(text) + _MESSAGE_FRAME)


# Reasoning

# Recorded counts are multiples of 64; these are what short prompts cost at each effort.
_EFFORT_TOKENS = {"minimal": 0, "low": 64, "medium": 64, "high": 256, "xhigh": 512, "max": 1024}
_REASONING_UNIT = 64


def is_reasoning_due(builder: ResponseBuilder) -> bool:
    """True where the output begins with a reasoning item."""
    model = builder.generation.model
    if not model.reasoning or builder.effort == "none":
        return False
    # Recorded: o4-mini and gpt-5.1-codex-max answer a tool's output without a reasoning item.
    is_silent = model.name.startswith("o") or "codex" in model.name
    return not (is_silent and builder.transcript.results)


def write_reasoning(builder: ResponseBuilder, plan: str, asked: str | None = None) -> OutputStep:
    """The reasoning item; `plan` says what the model is about to do, `asked` what it thinks."""
    shown = " ".join(builder.prompt.split())[:200]
    thought = (
        asked or f'The user wrote: "{shown}". {plan} I will keep to what was asked and be brief.'
    )
    item = builder.item("rs", "reasoning")
    sealed = None
    if builder.includes("reasoning.encrypted_content"):
        # Filled in for each event: every one encrypts the thought anew.
        item["encrypted_content"] = ""
        sealed = {"thought": thought, "id": item["id"]}
    item["summary"] = _summarise(builder, thought, plan)
    tokens = _EFFORT_TOKENS.get(builder.effort or "medium", _REASONING_UNIT)
    if tokens:
        tokens = max(tokens, -(-count_text(thought) // _REASONING_UNIT) * _REASONING_UNIT)
    return OutputStep(item, sealed=sealed, tokens=tokens, reasoning_tokens=tokens, thought=thought)


def _summarise(builder: ResponseBuilder, thought: str, plan: str) -> list[dict[str, str]]:
    asked = builder.body.get("reasoning") or {}
    if not (asked.get("summary") or asked.get("generate_summary")) or builder.effort == "minimal":
        return []
    title = plan.split(".")[0].removeprefix("I should ").strip().capitalize()
    texts = [f"**{title}**\n\n{thought}"]
    if builder.effort in ("high", "xhigh", "max") and asked.get("summary") == "detailed":
        # Only a summary of several parts shows whether a client keeps them apart.
        check = "The answer follows from what was asked; nothing is left."
        texts.append(f"**Checking the answer**\n\n{check}")
    return [{"type": "summary_text", "text": text} for text in texts]


# Log probabilities: made up, but per token, in order and adding up to at most 1, as real ones are

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
    # Above one half: the token that was chosen is always the most likely one.
    chosen = 0.55 + 0.44 * int.from_bytes(digest, "big") / 0xFFFF
    likely = [(token, chosen)]
    left = 1 - chosen
    for other in [other for other in _ALTERNATIVES if other != token][: max(top - 1, 0)]:
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
