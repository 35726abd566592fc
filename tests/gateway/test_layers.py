"""What nobody expected is a 500 without details, and a line of log with them."""

import asyncio
import logging
from typing import Any

import pytest

from azure_responses.gateway.gateway import Gateway
from azure_responses.gateway.layers import BEGUN, LAYERS
from azure_responses.gateway.schema import GatewaySettings

ROW = {
    "model_name": "m",
    "params": {"model": "azure/m", "api_base": "https://r.openai.azure.com", "api_key": "k"},
}


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_fault_of_ours_is_told_without_details(
    caplog: pytest.LogCaptureFixture, has_begun: bool
) -> None:
    sent: list[Any] = []

    async def broken(scope: Any, receive: Any, send: Any) -> None:
        scope[BEGUN] = has_begun
        raise ValueError("the inside story")

    async def receive() -> Any:
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    gateway = Gateway(GatewaySettings(model_list=(ROW,), affinity_secrets=("s" * 32,)))
    layer = LAYERS[0]
    call = layer(broken, gateway)({"type": "http"}, receive, send)
    with caplog.at_level(logging.ERROR, "azure_responses.gateway"):
        if has_begun:
            with pytest.raises(ValueError, match="inside"):
                asyncio.run(call)  # type: ignore[arg-type]
            assert not sent
        else:
            asyncio.run(call)  # type: ignore[arg-type]
            assert sent[0]["status"] == 500
            assert b"inside" not in sent[1]["body"]
    assert "could not be answered" in caplog.text
