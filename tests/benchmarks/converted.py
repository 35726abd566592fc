"""What a response costs over a deployment that speaks chat completions.

LiteLLM's `responses` over a chat model takes part where AZURE_RESPONSES_LITELLM names an
interpreter that has it.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure_responses import AzureResponses
from tests.benchmarks.bodies import EVENT_COUNT, PROMPT
from tests.benchmarks.comparison import Comparison, Contender, Target, compare

__all__ = ["compare_converted"]

_CALL, _EVENT = "our native call", "our native event"
_CALLS, _LITELLM_CALLS = 200, 20
# Neither is stored: a native response is not stored by us.
_NATIVE: dict[str, Any] = {"model": "gpt-5-mini", "input": PROMPT, "store": False}
_CONVERTED: dict[str, Any] = {"model": "kimi-k2.5", "input": PROMPT, "store": False}


def compare_converted(stub: str) -> list[Comparison]:
    """A converted call against a native one, and a converted stream against its events."""
    return [_compare_calls(stub), _compare_streams(stub)]


def _compare_calls(stub: str) -> Comparison:
    with (
        AzureResponses(f"{stub}/small", api_key="key") as native,
        AzureResponses(f"{stub}/chat-small", api_key="key", api="chat") as chat,
        _litellm(stub) as peers,
    ):

        def convert() -> None:
            for _ in range(_CALLS):
                chat.responses.create(**_CONVERTED)

        def respond() -> None:
            for _ in range(_CALLS):
                native.responses.create(**_NATIVE)

        contenders = [
            Contender("a response over chat", convert, _CALLS),
            Contender(_CALL, respond, _CALLS),
            *peers,
        ]
        return compare("a converted call", "call", contenders, [Target(_CALL, 1.15)])


@contextmanager
def _litellm(stub: str) -> Iterator[list[Contender]]:
    """LiteLLM in a process of its own; nothing without an interpreter that has it."""
    interpreter = os.environ.get("AZURE_RESPONSES_LITELLM")
    if not interpreter:
        print("LiteLLM: not measured (AZURE_RESPONSES_LITELLM names a Python that has it)")
        yield []
        return
    command = [interpreter, str(Path(__file__).with_name("litellm_responses.py")), stub, PROMPT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        asks, answers = process.stdin, process.stdout
        assert asks is not None
        assert answers is not None

        def respond() -> tuple[float, float]:
            asks.write(f"{_LITELLM_CALLS}\n")
            asks.flush()
            took = json.loads(answers.readline())
            return took["wall"], took["cpu"]

        version = json.loads(answers.readline())["version"]
        yield [Contender(f"litellm.responses {version}", respond, _LITELLM_CALLS)]
        asks.close()


def _compare_streams(stub: str) -> Comparison:
    with (
        AzureResponses(f"{stub}/stream", api_key="key") as native,
        AzureResponses(f"{stub}/chat-stream", api_key="key", api="chat") as chat,
    ):

        def convert() -> None:
            assert _count(chat.responses.create(stream=True, **_CONVERTED)) == EVENT_COUNT

        def read() -> None:
            assert _count(native.responses.create(stream=True, **_NATIVE)) == EVENT_COUNT

        contenders = [
            Contender("event of a converted chunk", convert, EVENT_COUNT),
            Contender(_EVENT, read, EVENT_COUNT),
        ]
        return compare("a converted stream", "event", contenders, [Target(_EVENT, 2.0)])


def _count(stream: Iterable[Any]) -> int:
    return sum(1 for _ in stream)
