"""What stands between the server and a request, from the outside in."""

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from azure_responses.gateway.asgi_reply import Receive, Scope, Send, send_error
from azure_responses.gateway.error_response import error_response

if TYPE_CHECKING:
    from azure_responses.gateway.gateway import Gateway

__all__ = ["BEGUN", "LAYERS", "App", "Layer"]

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Layer = Callable[[App, "Gateway"], App]

BEGUN = "azure_responses.reply_has_begun"
"""In the scope of a request: its reply has begun."""

LOGGER = logging.getLogger("azure_responses.gateway")


def keep_errors_inside(app: App, gateway: "Gateway") -> App:
    """What no code expected is logged here and told nobody: a 500 without details."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except Exception:
            call_id = gateway.new_call_id()
            LOGGER.exception("A request could not be answered (call %s)", call_id)
            gateway.metrics.refuse(500)
            if scope.get(BEGUN):
                # The server closes the connection, which is all that can still be said.
                raise
            error = error_response(
                500, "The gateway failed to answer.", code="server_error", type="server_error"
            )
            await send_error(send, error, call_id)

    return serve


def refuse_foreign_hosts(app: App, gateway: "Gateway") -> App:
    """Every path, with or without a key, is only for the hosts that the gateway answers for."""
    hosts = gateway.hosts
    if hosts is None:
        return app

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        error = hosts.check(scope["headers"], scope.get("http_version", "1.1"))
        if error is None:
            await app(scope, receive, send)
            return
        gateway.metrics.refuse(error.status)
        await send_error(send, error, gateway.new_call_id())

    return serve


LAYERS: tuple[Layer, ...] = (keep_errors_inside, refuse_foreign_hosts)
"""Authentication, limits and the rest are steps of `RequestHandler`, which all need its state."""
