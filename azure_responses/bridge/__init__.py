"""Chat completions on the Responses API, as pure functions.

`to_responses_request` turns the arguments of a chat completion into those of a response,
`to_chat_completion` the response into a completion, a `ChatStream` its events into chunks. Nothing
here does I/O or reads a clock: times are passed in. Names are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure_responses.bridge.chat_over_responses.chunks import accumulate_chunks
    from azure_responses.bridge.chat_over_responses.reasoning import (
        ReasoningCache,
        ReasoningKnowledge,
        is_reasoning_model_name,
        without_sampling,
    )
    from azure_responses.bridge.chat_over_responses.request import (
        BridgedRequest,
        to_responses_request,
    )
    from azure_responses.bridge.chat_over_responses.response import to_chat_completion
    from azure_responses.bridge.chat_over_responses.stream import ChatStream

__all__ = [
    "BridgedRequest",
    "ChatStream",
    "ReasoningCache",
    "ReasoningKnowledge",
    "accumulate_chunks",
    "is_reasoning_model_name",
    "to_chat_completion",
    "to_responses_request",
    "without_sampling",
]

_MODULES = {
    "BridgedRequest": "request",
    "ChatStream": "stream",
    "ReasoningCache": "reasoning",
    "ReasoningKnowledge": "reasoning",
    "accumulate_chunks": "chunks",
    "is_reasoning_model_name": "reasoning",
    "to_chat_completion": "response",
    "to_responses_request": "request",
    "without_sampling": "reasoning",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"azure_responses.bridge.chat_over_responses.{_MODULES[name]}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
