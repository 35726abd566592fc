"""Which steps answer a turn."""

from azure_responses.emulator.engine.calls import write_calls
from azure_responses.emulator.engine.compact import write_compaction
from azure_responses.emulator.engine.draft import Draft
from azure_responses.emulator.engine.hosted import write_hosted
from azure_responses.emulator.engine.limits import block_output
from azure_responses.emulator.engine.messages import write_answer
from azure_responses.emulator.engine.reasoning import is_reasoning_due, write_reasoning
from azure_responses.emulator.engine.remote import answer_approval, list_remote
from azure_responses.emulator.engine.selection import Selection, select_tools
from azure_responses.emulator.engine.steps import Plan, Step
from azure_responses.emulator.engine.triggers import FAILURE_CODES, find_trigger
from azure_responses.emulator.tokens import count_items

__all__ = ["decide"]


def decide(draft: Draft) -> Plan:
    """The plan for a draft: reasoning first where the model reasons, then calls or a message."""
    prompt = draft.transcript.prompt
    if _is_compaction_asked(draft):
        return Plan([write_compaction(draft, draft.transcript.items)])
    failure = find_trigger(prompt, "fail")
    if failure is not None:
        return _fail(failure)
    selection = select_tools(draft)
    # Recorded: the tools of remote servers are listed before the model reasons.
    begun = [*_compact(draft), *list_remote(draft)]
    steps = [*begun, *_reason(draft, selection), *_act(draft, selection)]
    plan = Plan(steps)
    if find_trigger(prompt, "block-output") is not None:
        block_output(plan)
    elif find_trigger(prompt, "incomplete") is not None:
        block_output(plan)
        plan.reason, plan.is_blocked = "max_output_tokens", False
    return plan


def _is_compaction_asked(draft: Draft) -> bool:
    """Codex asks by an item of the input, and takes one compaction as the whole answer."""
    given = draft.turn.request.get("input")
    items = given if isinstance(given, list) else ()
    return any(item.get("type") == "compaction_trigger" for item in items)


def _compact(draft: Draft) -> list[Step]:
    for rule in draft.turn.request.get("context_management") or ():
        threshold = rule.get("compact_threshold") or draft.turn.model.max_input
        if count_items(draft.transcript.items) > threshold:
            return [write_compaction(draft, draft.transcript.items)]
    return []


def _fail(code: str) -> Plan:
    known = code if code in FAILURE_CODES else "server_error"
    message = "The emulated model failed as the prompt asked."
    return Plan(status="failed", error={"code": known, "message": message})


def _reason(draft: Draft, selection: Selection) -> list[Step]:
    if not is_reasoning_due(draft):
        return []
    tools = [*selection.called, *selection.hosted]
    if tools:
        names = ", ".join(str(tool.get("name") or tool["type"]) for tool in tools)
        return [write_reasoning(draft, f"I should call {names} for this.")]
    if draft.transcript.results:
        return [write_reasoning(draft, "I should put what the tools returned into words.")]
    return [write_reasoning(draft, "I should answer the user directly.")]


def _act(draft: Draft, selection: Selection) -> list[Step]:
    approved = answer_approval(draft)
    if approved is not None:
        return approved
    if selection.called:
        return write_calls(draft, selection.called)
    if selection.hosted:
        return write_hosted(draft, selection.hosted)
    return [write_answer(draft)]
