"""Prices of entries in the gateway: headers, the spend of keys, and budgets."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.emulator import EmulatedDeployment, Emulator, Resource
from tests.gateway.gateways import config_of, serve


@pytest.fixture
def url() -> Iterator[str]:
    deployments = [EmulatedDeployment(name, model="gpt-5-mini") for name in ("gpt", "house-model")]
    resource = Resource("one", keys=["key-of-one"], deployments=deployments)
    with Emulator([resource]).serve() as server:
        yield server.url


_BODY = {"model": "chat", "input": "hi", "max_output_tokens": 16}


def priced(url: str, **prices: Any) -> dict[str, Any]:
    config = config_of(url, "one")
    config["model_list"][0]["litellm_params"] |= prices
    return config


@pytest.mark.parametrize("place", ["litellm_params", "model_info"])
def test_a_budget_bites_with_a_price_of_the_entry(url: str, place: str) -> None:
    config = config_of(url, "one")
    entry = config["model_list"][0]
    # A deployment of which no price is known otherwise.
    entry["model_info"] = {"id": "one"}
    entry["litellm_params"]["model"] = "azure/house-model"
    entry[place] |= {"input_cost_per_token": "0.01", "output_cost_per_token": "1e-2"}
    config["virtual_keys"] = [{"key": "sk-alice-0123456789", "name": "alice", "budget": 0.01}]
    with serve(config) as gateway, gateway.client("sk-alice-0123456789") as client:
        first = client.post("/v1/responses", json=_BODY)
        usage = first.json()["usage"]
        expected = usage["total_tokens"] * Decimal("0.01")
        assert Decimal(first.headers["x-litellm-response-cost"]) == expected
        second = client.post("/v1/responses", json=_BODY)
        assert second.status_code == 429
        assert second.json()["error"]["code"] == "budget_exceeded"


def test_a_free_deployment_costs_nothing_and_is_priced(url: str) -> None:
    config = priced(url, input_cost_per_token=0, output_cost_per_token=0)
    config["virtual_keys"] = [{"key": "sk-alice-0123456789", "name": "alice", "budget": 0.0000001}]
    with serve(config) as gateway, gateway.client("sk-alice-0123456789") as client:
        for _ in range(2):
            reply = client.post("/v1/responses", json=_BODY)
            assert reply.status_code == 200
            assert Decimal(reply.headers["x-litellm-response-cost"]) == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 16}),
        ("/v1/responses", {"input": "hi"}),
    ],
)
def test_every_api_has_the_price(url: str, path: str, body: dict[str, Any]) -> None:
    config = priced(
        url, input_cost_per_token=0, output_cost_per_token=0, cost_margin={"fixed_amount": 2}
    )
    with serve(config) as gateway, gateway.client() as client:
        reply = client.post(path, json={"model": "chat", **body})
        assert Decimal(reply.headers["x-litellm-response-cost"]) == 2
