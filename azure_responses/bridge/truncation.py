"""A request without its oldest turns, for `truncation: "auto"`."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["without_oldest_turns"]

_Message = Mapping[str, Any]
_NUMBER = re.compile(r"\d[\d,]{2,}")
# What is left is smaller than it has to be: sizes are guessed from characters.
_MARGIN = 0.9


def without_oldest_turns(messages: Sequence[_Message], message: str) -> list[_Message] | None:
    """The messages with the oldest whole turns left out; None where only one turn is left.

    A turn begins with what the user says and ends before the user speaks again, so that calls and
    outputs stay together. System messages stay.

    Args:
        messages: of the request that was too long.
        message: of the refusal. If it says how many tokens there may be and how many there were,
            as much is left out as it takes; else half.
    """
    turns = _turns(messages)
    if len(turns) < 2:
        return None
    sizes = [sum(len(json.dumps(messages[at])) for at in turn) for turn in turns]
    excess = sum(sizes) * (1 - _share(message))
    dropped: set[int] = set()
    for turn, size in zip(turns[:-1], sizes, strict=False):
        if excess <= 0:
            break
        dropped.update(turn)
        excess -= size
    return [entry for at, entry in enumerate(messages) if at not in dropped]


def _turns(messages: Sequence[_Message]) -> list[list[int]]:
    """The places of the messages of each turn."""
    turns: list[list[int]] = []
    follows_tool = False
    for at, message in enumerate(messages):
        role = message["role"]
        if role in ("system", "developer"):
            continue
        # Pictures that a tool returned come in a message of the user, which begins no turn; nor
        # does one that holds the results themselves, as in Messages.
        if not turns or (role == "user" and not follows_tool and not _has_results(message)):
            turns.append([])
        turns[-1].append(at)
        follows_tool = role == "tool"
    return turns


def _has_results(message: _Message) -> bool:
    content = message["content"]
    return isinstance(content, list) and content[0].get("type") == "tool_result"


def _share(message: str) -> float:
    """How much of a request may stay."""
    # OpenAI's refusals name the limit first, Claude's the size of the request.
    numbers = sorted(int(found.replace(",", "")) for found in _NUMBER.findall(message)[:2])
    if len(numbers) < 2 or not 0 < numbers[0] < numbers[1]:
        return 0.5
    return numbers[0] / numbers[1] * _MARGIN
