"""An exception that no code expected is a 500 without details, and a line of log with them."""

import asyncio
import logging
from typing import Any

import pytest

from azure_responses.gateway.app import GatewayApp
from azure_responses.gateway.asgi_reply import REPLY_BEGUN
from azure_responses.gateway.gateway import Gateway
from azure_responses.gateway.schema import GatewaySettings

ROW = {
    "model_name": "m",
    "params": {"model": "azure/m", "api_base": "https://r.openai.azure.com", "api_key": "k"},
}


@pytest.mark.parametrize("has_begun", [False, True])
def test_an_unexpected_error_is_answered_without_details(
    caplog: pytest.LogCaptureFixture, has_begun: bool
) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    gateway = Gateway(GatewaySettings(model_list=(ROW,), affinity_secrets=("s" * 32,)))
    # No server leaves out the headers, so no code expects that.
    scope = {"type": "http", "method": "POST", "path": "/v1/responses", REPLY_BEGUN: has_begun}
    call = GatewayApp(gateway)(scope, receive, send)
    with caplog.at_level(logging.ERROR, "azure_responses.gateway"):
        if has_begun:
            with pytest.raises(KeyError, match="headers"):
                asyncio.run(call)
            assert not sent
        else:
            asyncio.run(call)
            assert sent[0]["status"] == 500
            assert b"headers" not in sent[1]["body"]
    assert "could not be answered" in caplog.text
