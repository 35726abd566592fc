"""The ASGI application: which path goes where."""

import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import to_json

from azure_responses.call_options import new_call_id
from azure_responses.errors import AzureResponsesError
from azure_responses.gateway.asgi_reply import (
    REPLY_BEGUN,
    ErrorResponse,
    Receive,
    Scope,
    Send,
    error_response,
    send_error,
    send_reply,
)
from azure_responses.gateway.body_reader import CallerLeft, Refused
from azure_responses.gateway.config_file import load_config
from azure_responses.gateway.gateway import Gateway
from azure_responses.gateway.metrics import CONTENT_TYPE_LATEST
from azure_responses.gateway.openapi import openapi_document
from azure_responses.gateway.outages import DatabaseError
from azure_responses.gateway.purge_api import PATH as PURGE_PATH
from azure_responses.gateway.purge_api import PurgeApi
from azure_responses.gateway.request_handler import RequestHandler
from azure_responses.gateway.request_headers import read_headers
from azure_responses.gateway.schema import GatewaySettings
from azure_responses.gateway.webhook_receiver import PATH as WEBHOOK_PATH
from azure_responses.gateway.websocket import WebSocketHandler
from azure_responses.openai_server.route import expects_anthropic

__all__ = ["HEALTH_PATHS", "GatewayApp", "create_app"]

LOGGER = logging.getLogger("azure_responses.gateway")

_LIVE = frozenset({"/health/liveliness", "/health/liveness"})
HEALTH_PATHS = _LIVE | {"/health/readiness", "/healthz", "/health"}
"""The paths of both spellings, and of Azure's samples."""

_ALIVE = b'"I\'m alive!"'
_SHUTTING_DOWN = b'{"status":"shutting_down"}'


Config = GatewaySettings | Mapping[str, Any] | str | Path | None

_JSON = (b"content-type", b"application/json")
_FROM_ANYWHERE = frozenset({*HEALTH_PATHS, WEBHOOK_PATH})


class GatewayApp:
    """The application, without an ASGI framework between the server and a call.

    Attributes:
        gateway: what it serves.
    """

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            try:
                await self._answer(scope, receive, send)
            except Exception:
                await self._fail(scope, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        elif kind == "websocket":
            await WebSocketHandler(self.gateway, self, scope, receive, send).run()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        error = self._refusal(scope)
        if error is not None:
            await self._refuse(error, send)
            return
        path = scope["path"]
        if path in (WEBHOOK_PATH, PURGE_PATH):
            await self._answer_operator(scope, receive, send)
            return
        if scope["method"] in ("GET", "HEAD"):
            if path in HEALTH_PATHS:
                await self._health(scope, send)
                return
            if path == "/metrics" and self.gateway.settings.metrics:
                await self._metrics(scope, send)
                return
            if path == "/openapi.json":
                await send_json(send, 200, openapi_document())
                return
        await RequestHandler(self.gateway, scope, receive, send).run()

    def _refusal(self, scope: Scope) -> ErrorResponse | None:
        """The refusal of a request for another host or from another address, or None."""
        gateway = self.gateway
        # Before the route: no path, with or without a key, is for a host of another site.
        if gateway.hosts is not None:
            error = gateway.hosts.check(scope["headers"], scope.get("http_version", "1.1"))
            if error is not None:
                return error
        # Probes come from the platform, and webhooks, which are signed, from Azure.
        if not gateway.settings.allowed_ips or scope["path"] in _FROM_ANYWHERE:
            return None
        return gateway.check_address(scope)

    async def _fail(self, scope: Scope, send: Send) -> None:
        """Log the exception that no code expected; the caller gets a 500 without details."""
        call_id = new_call_id()
        LOGGER.exception("A request could not be answered (call %s)", call_id)
        self.gateway.metrics.refuse(500)
        if scope.get(REPLY_BEGUN):
            # A status cannot be sent any more; the server closes the connection instead.
            raise
        error = error_response(
            500, "The gateway failed to answer.", code="server_error", type="server_error"
        )
        to_anthropic = expects_anthropic(scope["path"], {})
        await send_error(send, error, call_id, to_anthropic=to_anthropic)

    async def _refuse(self, error: ErrorResponse, send: Send) -> None:
        self.gateway.metrics.refuse(error.status)
        await send_error(send, error, new_call_id())

    async def _answer_operator(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a webhook or a purge: neither is a call, and both are short."""
        gateway = self.gateway
        if gateway.shutdown.is_draining:
            # The service sends a webhook again.
            await self._refuse(gateway.shutdown.refusal, send)
            return
        if scope["path"] == PURGE_PATH:
            perform = PurgeApi(gateway.access, gateway.router, gateway.batch_purge).answer
        else:
            perform = gateway.webhook_receiver.receive
        answer: bytes | ErrorResponse
        try:
            answer = await perform(scope["method"], read_headers(scope), receive)
        except Refused as refused:
            answer = refused.error
        except CallerLeft:
            return
        if isinstance(answer, ErrorResponse):
            await self._refuse(answer, send)
        else:
            await send_json(send, 200, answer)

    async def _health(self, scope: Scope, send: Send) -> None:
        gateway = self.gateway
        if scope["path"] in _LIVE:
            # Also while it shuts down: what restarts on a failing liveness probe would cut the
            # very calls that the process waits for. It only is not ready any more.
            await send_json(send, 200, _ALIVE)
        elif gateway.shutdown.is_draining:
            await send_json(send, 503, _SHUTTING_DOWN)
        else:
            state = {"db": gateway.database_state, "state": gateway.shared_state}
            found = {"status": "healthy", **state}
            if scope["path"] == "/health" and self._is_operator(scope):
                model = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("model")
                found |= await self._check_deployments(model)
            await send_json(send, 200, to_json(found))

    def _is_operator(self, scope: Scope) -> bool:
        """Whether the request has the master key; probes of a load balancer have none."""
        caller = self.gateway.access.authenticate(read_headers(scope), time.time())
        return not isinstance(caller, ErrorResponse) and caller.is_master

    async def _check_deployments(self, model: str | None) -> dict[str, Any]:
        """The last calls of the deployments; LiteLLM's names for the lists."""
        results = await self.gateway.checks.latest(model)
        shows_details = self.gateway.settings.health_check_details
        lists: dict[str, list[Any]] = {"healthy": [], "unhealthy": [], "skipped": []}
        for result in results:
            lists[result.state].append(result.to_dict(has_details=shows_details))
        return {
            **{f"{state}_endpoints": found for state, found in lists.items()},
            **{f"{state}_count": len(found) for state, found in lists.items()},
        }

    async def _metrics(self, scope: Scope, send: Send) -> None:
        gateway = self.gateway
        error = gateway.access.refuse_metrics(read_headers(scope), time.time())
        if error is not None:
            await self._refuse(error, send)
            return
        body = gateway.metrics.render(
            in_progress=gateway.concurrency.in_progress,
            queued=gateway.concurrency.waiting,
            websockets=gateway.websockets.open,
            cooling=gateway.cooling(),
        )
        headers = [
            (b"content-type", CONTENT_TYPE_LATEST.encode()),
            (b"content-length", b"%d" % len(body)),
        ]
        await send_reply(send, 200, headers, body)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.gateway.start()
                except (AzureResponsesError, DatabaseError) as error:
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.gateway.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def send_json(send: Send, status: int, body: bytes) -> None:
    """Send a JSON body."""
    await send_reply(send, status, [_JSON, (b"content-length", b"%d" % len(body))], body)


def create_app(
    config: Config = None, *, router_options: Mapping[str, Any] | None = None
) -> GatewayApp:
    """The gateway as an ASGI application.

    Args:
        config: the path of a configuration file, its content as a dict, or settings; None reads
            the environment.
        router_options: further arguments of `Router`.

    Raises:
        ConfigurationError: the configuration cannot be used.
    """
    return GatewayApp(Gateway(read_settings(config), router_options=router_options))


def read_settings(config: Config) -> GatewaySettings:
    """The settings of a configuration in any of its forms."""
    if isinstance(config, GatewaySettings):
        return config
    if isinstance(config, Mapping):
        return _read_mapping(config)
    return load_config(None if config is None else Path(config), os.environ)[0]


def _read_mapping(config: Mapping[str, Any]) -> GatewaySettings:
    import yaml

    from azure_responses.errors import ConfigurationError
    from azure_responses.gateway.config_file import read_config

    loaded = read_config(yaml.safe_dump(dict(config)), os.environ)
    if loaded.settings is None:
        lines = "\n".join(f"  {problem}" for problem in loaded.problems)
        raise ConfigurationError(f"The configuration cannot be used:\n{lines}")
    return loaded.settings
