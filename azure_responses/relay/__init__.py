"""The HTTP surface of OpenAI over a router: requests in, replies out, and no server.

`Relay` and `AsyncRelay` answer an `ApiRequest` with an `ApiReply`. Responses pass through as JSON
with only ids and the model's name replaced, so that fields and events this package has never heard
of survive; chat completions go through the bridge.
"""

from typing import TYPE_CHECKING, Any

from azure_responses.relay.call_summary import CallSummary
from azure_responses.relay.exchange import ApiReply, ApiRequest

if TYPE_CHECKING:
    from azure_responses.relay._async.relay import AsyncRelay
    from azure_responses.relay._sync.relay import Relay

__all__ = ["ApiReply", "ApiRequest", "AsyncRelay", "CallSummary", "Relay"]


def __getattr__(name: str) -> Any:
    # Each twin brings the router's shells of its kind, which the other has no use for.
    if name == "Relay":
        from azure_responses.relay._sync.relay import Relay

        return Relay
    if name == "AsyncRelay":
        from azure_responses.relay._async.relay import AsyncRelay

        return AsyncRelay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
