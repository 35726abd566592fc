"""From a call to its response: plan the output, cut it to the limits, then write it down.

Compaction stands here too: it is an item of a response and a call of its own. Microsoft's Responses
page documents it since June 2026; shapes as recorded by langchain-openai.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from azure_responses.emulator.engine.generation import (
    GeneratedResponse,
    Generation,
    OutputPlan,
    OutputStep,
    ResponseBuilder,
)
from azure_responses.emulator.engine.input_items import check_input, fit_context, gather_items
from azure_responses.emulator.engine.item_events import MESSAGE_EVENTS, EventWriter, write_events
from azure_responses.emulator.engine.output_items import (
    is_reasoning_due,
    write_answer,
    write_message,
    write_reasoning,
)
from azure_responses.emulator.engine.remote_mcp import (
    answer_approval,
    ask_consent,
    list_remote_tools,
)
from azure_responses.emulator.engine.response_object import close_response, open_response
from azure_responses.emulator.engine.token_usage import (
    block_output,
    count_input,
    cut_to_limits,
    describe_usage,
)
from azure_responses.emulator.engine.tool_calls import (
    HOSTED_TOOLS,
    ToolSelection,
    select_tools,
    write_calls,
    write_hosted_calls,
)
from azure_responses.emulator.engine.transcript import Transcript, read_text, read_transcript
from azure_responses.emulator.engine.triggers import FAILURE_CODES, find_trigger, find_triggers
from azure_responses.emulator.tokens import count_items, count_text

__all__ = ["compact", "create_response", "route", "warm_up"]

_Item = Mapping[str, Any]
_ITEM_EVENTS = {
    **MESSAGE_EVENTS,
    **{kind: events for row in HOSTED_TOOLS.values() for kind, events in row.items.items()},
}
# Characters of each message that a compaction keeps: enough for the facts of a conversation.
_KEPT = 300


def create_response(generation: Generation) -> GeneratedResponse:
    """The response to a create call.

    Raises:
        ServiceError: for what only shows when answering: a blocked prompt, an input beyond the
            context window, encrypted content of another resource, outputs without their calls.
    """
    input_tokens = count_input(generation)
    items, input_tokens = fit_context(generation, gather_items(generation), input_tokens)
    transcript = read_transcript(generation.request, items)
    check_input(generation, transcript)
    generation = route(generation, transcript)
    builder = ResponseBuilder(generation, transcript)
    opened = open_response(generation, builder.identify("resp"))
    plan = _plan_output(builder)
    cut_to_limits(plan, generation)
    usage = describe_usage(generation, plan, input_tokens)
    output = [_finished(generation, step) for step in plan.steps]
    response = close_response(opened, generation, plan, output, usage)
    thoughts = tuple(step.thought for step in plan.steps if step.item["type"] == "reasoning")
    return GeneratedResponse(
        response, output, lambda: _announce(generation, plan, opened, response), thoughts
    )


def warm_up(generation: Generation) -> GeneratedResponse:
    """The response to a call over a WebSocket with `generate: false`: an id, and no output."""
    items = gather_items(generation)
    builder = ResponseBuilder(generation, read_transcript(generation.request, items))
    opened = open_response(generation, builder.identify("resp"))
    plan = OutputPlan()
    # Whether it is billed is not documented: all zero is an assumption.
    usage = describe_usage(generation, plan, 0)
    response = close_response(opened, generation, plan, [], usage)
    return GeneratedResponse(response, [], lambda: _announce(generation, plan, opened, response))


def route(generation: Generation, transcript: Transcript) -> Generation:
    """The call on the model that a router chooses, where the prompt names one."""
    chosen = find_trigger(transcript, "route")
    if not chosen or generation.model.routes_to is None:
        return generation
    return replace(generation, model=replace(generation.model, routes_to=chosen))


def _seal(generation: Generation, step: OutputStep, event: str) -> str:
    # Sealed text carries the time of its event: an item is added a second before it is done.
    nonce = f"{step.item['id']}:{event}"
    return generation.cipher.seal(
        step.sealed or {}, nonce, generation.created_at + (event != "added")
    )


def _finished(generation: Generation, step: OutputStep) -> dict[str, Any]:
    if step.sealed is None:
        return step.item
    return {**step.item, "encrypted_content": _seal(generation, step, "finished")}


def _announce(
    generation: Generation, plan: OutputPlan, opened: dict[str, Any], response: dict[str, Any]
) -> list[dict[str, Any]]:
    options = generation.request.get("stream_options") or {}
    is_obfuscated = options.get("include_obfuscation") is not False
    writer = EventWriter(generation.chunking, is_obfuscated, generation.dated)
    seal = partial(_seal, generation)
    return write_events(writer, plan.steps, opened, response, _ITEM_EVENTS, seal)


def _plan_output(builder: ResponseBuilder) -> OutputPlan:
    """Reasoning first where the model reasons, then calls or a message."""
    if _is_compaction_asked(builder):
        return OutputPlan([_write_compaction(builder, builder.transcript.items)])
    failure = find_trigger(builder.transcript, "fail")
    if failure is not None:
        return _fail(failure)
    consent = ask_consent(builder)
    if consent is not None:
        return OutputPlan([consent])
    selection = select_tools(builder)
    # Recorded: the tools of remote servers are listed before the model reasons.
    begun = [*_compact_input(builder), *list_remote_tools(builder)]
    plan = OutputPlan([*begun, *_reason(builder, selection), *_act(builder, selection)])
    if find_trigger(builder.transcript, "block-output") is not None:
        block_output(plan)
    elif find_trigger(builder.transcript, "incomplete") is not None:
        block_output(plan)
        plan.reason, plan.is_blocked = "max_output_tokens", False
    return plan


def _is_compaction_asked(builder: ResponseBuilder) -> bool:
    """Codex asks by an item of the input, and takes one compaction as the whole answer."""
    given = builder.body.get("input")
    items = given if isinstance(given, list) else ()
    return any(item.get("type") == "compaction_trigger" for item in items)


def _compact_input(builder: ResponseBuilder) -> list[OutputStep]:
    """A compaction where `context_management` asks for one beyond so many tokens."""
    for rule in builder.body.get("context_management") or ():
        threshold = rule.get("compact_threshold") or builder.generation.model.max_input
        if count_items(builder.transcript.items) > threshold:
            return [_write_compaction(builder, builder.transcript.items)]
    return []


def _fail(code: str) -> OutputPlan:
    # The service sends published codes only, and clients read no others.
    known = code if code in FAILURE_CODES else "server_error"
    message = "The emulated model failed as the prompt asked."
    return OutputPlan(status="failed", error={"code": known, "message": message})


def _reason(builder: ResponseBuilder, selection: ToolSelection) -> list[OutputStep]:
    if not is_reasoning_due(builder):
        return []
    tools = [*selection.called, *selection.hosted]
    plan = "I should answer the user directly."
    if tools:
        names = ", ".join(str(tool.get("name") or tool["type"]) for tool in tools)
        plan = f"I should call {names} for this."
    elif builder.transcript.results:
        plan = "I should put what the tools returned into words."
    asked: list[str | None] = [*find_triggers(builder.transcript, "reason")]
    return [write_reasoning(builder, plan, thought) for thought in asked or [None]]


def _act(builder: ResponseBuilder, selection: ToolSelection) -> list[OutputStep]:
    approved = answer_approval(builder)
    if approved is not None:
        return approved
    if selection.called:
        calls = write_calls(builder, selection.called)
        return [*_say(builder, "say"), *calls, *_say(builder, "say-after")]
    if selection.hosted:
        return write_hosted_calls(builder, selection.hosted)
    return [write_answer(builder)]


def _say(builder: ResponseBuilder, trigger: str) -> list[OutputStep]:
    text = find_trigger(builder.transcript, trigger)
    return [write_message(builder, text)] if text else []


def compact(generation: Generation) -> dict[str, Any]:
    """The `response.compaction` object: the users' messages as they were, then the sealed rest."""
    items = gather_items(generation)
    builder = ResponseBuilder(generation, read_transcript(generation.request, items))
    identifier = builder.identify("resp")
    step = _write_compaction(builder, items)
    sealed = generation.cipher.seal(
        step.sealed or {}, f"{step.item['id']}:compact", generation.created_at
    )
    kept = [_restate(builder, item) for item in items if item.get("role") == "user"]
    input_tokens = count_input(generation)
    return {
        "id": identifier,
        "object": "response.compaction",
        "created_at": generation.created_at,
        "output": [*kept, {**step.item, "encrypted_content": sealed}],
        "usage": {
            "input_tokens": input_tokens,
            "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
            "output_tokens": step.tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": input_tokens + step.tokens,
        },
    }


def _write_compaction(builder: ResponseBuilder, items: Iterable[_Item]) -> OutputStep:
    """The compaction item; it seals what was said, shortened."""
    messages = [_shorten(item) for item in items if item.get("role") or item.get("call_id")]
    tokens = 4 + sum(count_text(_said(message)) for message in messages)
    item = {"id": builder.identify("cmp"), "type": "compaction", "encrypted_content": ""}
    return OutputStep(item, sealed={"messages": messages}, tokens=tokens)


def _said(item: _Item) -> str:
    return str(item.get("content") or item.get("arguments") or item.get("output"))


def _shorten(item: _Item) -> dict[str, Any]:
    if not item.get("role"):
        # Calls and their outputs stay: a compaction between a call and its output would else
        # leave the next response with nothing to answer.
        kept = {name: value for name, value in item.items() if name != "id"}
        return {
            name: value[:_KEPT] if isinstance(value, str) and name != "call_id" else value
            for name, value in kept.items()
        }
    text = read_text(item.get("content"))
    return {"type": "message", "role": item["role"], "content": text[:_KEPT]}


def _restate(builder: ResponseBuilder, item: _Item) -> dict[str, Any]:
    content = item.get("content")
    if isinstance(content, str):
        content = [{"type": "input_text", "text": content}]
    return {
        "id": item.get("id") or builder.identify("msg"),
        "type": "message",
        "status": "completed",
        "content": content,
        "role": "user",
    }
