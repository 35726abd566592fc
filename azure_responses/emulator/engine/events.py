"""The stream: the events of a whole answer, in the recorded order."""

from collections.abc import Callable
from typing import Any

from azure_responses.emulator.engine.scripts import open_item, write_item
from azure_responses.emulator.engine.steps import Step
from azure_responses.emulator.engine.writer import EventWriter

__all__ = ["write_events"]

_TERMINAL = {
    "completed": "response.completed",
    "incomplete": "response.incomplete",
    "failed": "response.failed",
}


def write_events(
    writer: EventWriter,
    steps: list[Step],
    opened: dict[str, Any],
    closed: dict[str, Any],
    seal: Callable[[Step, str], str],
) -> list[dict[str, Any]]:
    """All events, from `response.created` to the terminal one.

    `seal` gives a step's `encrypted_content` for the event named: each event encrypts it anew.
    """
    _open(writer, opened)
    for index, step in enumerate(steps):
        added = _sealed(open_item(step), step, seal, "added")
        writer.write("response.output_item.added", item=added, output_index=index)
        write_item(writer, index, step)
        done = _sealed(step.item, step, seal, "done")
        writer.write("response.output_item.done", item=done, output_index=index)
    writer.write(_TERMINAL[closed["status"]], response=closed)
    return writer.events


def _open(writer: EventWriter, response: dict[str, Any]) -> None:
    writer.write("response.created", response=response)
    if response["status"] == "queued":
        writer.write("response.queued", response=response)
        response = {**response, "status": "in_progress"}
    writer.write("response.in_progress", response=response)


def _sealed(
    item: dict[str, Any], step: Step, seal: Callable[[Step, str], str], event: str
) -> dict[str, Any]:
    if step.sealed is None:
        return item
    return {**item, "encrypted_content": seal(step, event)}
