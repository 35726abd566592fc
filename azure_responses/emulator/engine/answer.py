"""From a turn to an answer: decide what to say, then how the wire carries it."""

from functools import partial
from typing import Any

from azure_responses.emulator.engine.continuity import check_turn
from azure_responses.emulator.engine.decision import decide
from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.events import write_events
from azure_responses.emulator.engine.inputs import fit_context, gather_items
from azure_responses.emulator.engine.limits import cut_to_limits
from azure_responses.emulator.engine.response import close_response, open_response
from azure_responses.emulator.engine.steps import Plan, Step
from azure_responses.emulator.engine.transcript import read_transcript
from azure_responses.emulator.engine.turn import Answer, Turn
from azure_responses.emulator.engine.usage import count_input, describe_usage
from azure_responses.emulator.engine.writer import EventWriter

__all__ = ["answer"]


def answer(turn: Turn) -> Answer:
    """The answer to a create call.

    Raises:
        Refusal: for what only shows when answering: a blocked prompt, an input beyond the context
            window, encrypted content of another resource, outputs without their calls.
    """
    input_tokens = count_input(turn)
    items, input_tokens = fit_context(turn, gather_items(turn), input_tokens)
    transcript = read_transcript(turn.request, items)
    check_turn(turn, transcript)
    draft = Draft(turn, transcript)
    opened = open_response(turn, draft.identify("resp"))
    plan = decide(draft)
    cut_to_limits(plan, turn)
    usage = describe_usage(turn, plan, input_tokens)
    output = [_finished(turn, step) for step in plan.steps]
    response = close_response(opened, turn, plan, output, usage)
    return Answer(response, output, lambda: _announce(turn, plan, opened, response))


def _seal(turn: Turn, step: Step, event: str) -> str:
    nonce = f"{step.item['id']}:{event}"
    return turn.vault.seal(step.sealed or {}, nonce, turn.created_at + (event != "added"))


def _finished(turn: Turn, step: Step) -> dict[str, Any]:
    if step.sealed is None:
        return step.item
    return {**step.item, "encrypted_content": _seal(turn, step, "finished")}


def _announce(
    turn: Turn, plan: Plan, opened: dict[str, Any], response: dict[str, Any]
) -> list[dict[str, Any]]:
    options = turn.request.get("stream_options") or {}
    is_obfuscated = options.get("include_obfuscation") is not False
    writer = EventWriter(turn.chunking, is_obfuscated, turn.dated)
    seal = partial(_seal, turn)
    return write_events(writer, plan.steps, opened, response, seal)
