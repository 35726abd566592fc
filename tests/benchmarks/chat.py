"""What a chat completion costs over the response that serves it."""

from collections.abc import Iterable
from typing import Any

from azure_responses import AzureResponses
from tests.benchmarks.bodies import EVENT_COUNT, PROMPT
from tests.benchmarks.comparison import Comparison, Contender, Target, compare

__all__ = ["compare_chat"]

_CALL, _CHUNK = "our responses.create", "our typed event"
_ASKED: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": PROMPT}]}
_BODY: dict[str, Any] = {"model": "gpt-5-mini", "input": PROMPT}
_CALLS = 200


def compare_chat(stub: str) -> list[Comparison]:
    """A bridged call against a native one, and a bridged stream against its events."""
    return [_compare_calls(stub), _compare_streams(stub)]


def _compare_calls(stub: str) -> Comparison:
    with AzureResponses(f"{stub}/small", api_key="key") as client:

        def complete() -> None:
            for _ in range(_CALLS):
                client.chat.completions.create(**_ASKED)

        def respond() -> None:
            for _ in range(_CALLS):
                client.responses.create(**_BODY)

        contenders = [Contender("chat.completions.create", complete, _CALLS)]
        contenders.append(Contender(_CALL, respond, _CALLS))
        return compare("a bridged call", "call", contenders, [Target(_CALL, 1.15)])


def _compare_streams(stub: str) -> Comparison:
    with AzureResponses(f"{stub}/stream", api_key="key") as client:

        def read_chunks() -> None:
            # Opening and closing events make no chunk of their own; every delta makes one.
            assert _count(client.chat.completions.create(stream=True, **_ASKED)) >= EVENT_COUNT - 10

        def read_events() -> None:
            assert _count(client.responses.create(stream=True, **_BODY)) == EVENT_COUNT

        contenders = [
            Contender("chat completion chunk", read_chunks, EVENT_COUNT),
            Contender(_CHUNK, read_events, EVENT_COUNT),
        ]
        return compare("a bridged stream", "event", contenders, [Target(_CHUNK, 2.0)])


def _count(stream: Iterable[Any]) -> int:
    return sum(1 for _ in stream)
