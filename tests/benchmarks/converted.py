"""What a response costs over a deployment that speaks chat completions."""

from collections.abc import Iterable
from importlib.util import find_spec
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
            *_litellm(stub),
        ]
        return compare("a converted call", "call", contenders, [Target(_CALL, 1.15)])


def _litellm(stub: str) -> list[Contender]:
    if not find_spec("litellm"):
        return []
    import litellm  # type: ignore[import-not-found, unused-ignore]

    # LiteLLM converts responses to chat for this provider, as ours are here.
    asked = {"api_base": f"{stub}/chat-small/v1", "api_key": "key", "input": PROMPT}

    def respond() -> None:
        for _ in range(_LITELLM_CALLS):
            litellm.responses(model="hosted_vllm/kimi-k2.5", **asked)

    return [Contender("litellm.responses", respond, _LITELLM_CALLS)]


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
