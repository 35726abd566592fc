"""The HTTP surface of OpenAI over a router: requests in, replies out, and no server.

`OpenAIServer` and `AsyncOpenAIServer` answer an `ApiRequest` with an `ApiReply`. Responses pass
through as JSON with only ids and the model's name replaced, so that fields and events unknown to
this package survive; chat completions go through the bridge.
"""

from typing import TYPE_CHECKING, Any

from azure_responses.openai_server.call_summary import CallSummary
from azure_responses.openai_server.exchange import ApiReply, ApiRequest

if TYPE_CHECKING:
    from azure_responses.openai_server._async.server import AsyncOpenAIServer
    from azure_responses.openai_server._sync.server import OpenAIServer

__all__ = ["ApiReply", "ApiRequest", "AsyncOpenAIServer", "CallSummary", "OpenAIServer"]


def __getattr__(name: str) -> Any:
    # Each twin brings the router's shells of its kind, which the other has no use for.
    if name == "OpenAIServer":
        from azure_responses.openai_server._sync.server import OpenAIServer

        return OpenAIServer
    if name == "AsyncOpenAIServer":
        from azure_responses.openai_server._async.server import AsyncOpenAIServer

        return AsyncOpenAIServer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
