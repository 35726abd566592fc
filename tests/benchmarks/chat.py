"""What a chat completion costs over the response that serves it."""

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from azure_responses import AzureResponses
from tests.benchmarks.bodies import EVENT_COUNT, PROMPT
from tests.benchmarks.comparison import Comparison, Contender, Target, compare

__all__ = ["compare_chat"]

_CALL, _CHUNK = "our responses.create", "our typed event"
_ASKED: dict[str, Any] = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": PROMPT}]}
_BODY: dict[str, Any] = {"model": "gpt-5-mini", "input": PROMPT}
_CALLS, _LITELLM_CALLS = 200, 20


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

        contenders = [
            Contender("chat.completions.create", complete, _CALLS),
            Contender(_CALL, respond, _CALLS),
            *_litellm(stub),
        ]
        return compare("a bridged call", "call", contenders, [Target(_CALL, 1.15)])


def _litellm(stub: str) -> list[Contender]:
    if not find_spec("litellm"):
        return []
    import litellm  # type: ignore[import-not-found, unused-ignore]

    asked = {
        **_ASKED,
        "model": f"azure/responses/{_ASKED['model']}",
        "api_base": f"{stub}/small",
        "api_key": "key",
        "api_version": "2025-04-01-preview",
    }

    def complete() -> None:
        for _ in range(_LITELLM_CALLS):
            litellm.completion(**asked)

    return [Contender("litellm.completion", complete, _LITELLM_CALLS)]


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
