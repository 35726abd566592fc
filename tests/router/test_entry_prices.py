"""What a routed call cost, by the entry that it went to and not by the deployment's name."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import httpx

from azure_responses import AsyncRouter, Router
from azure_responses.emulator import Emulator, Fault, Resource

_HALF = {"input_cost_per_token": "0.001", "output_cost_per_token": 0}
_FREE = {"input_cost_per_token": 0, "output_cost_per_token": 0}


def entry(emulator: Emulator, name: str, prices: Mapping[str, Any], **info: Any) -> dict[str, Any]:
    return {
        "model_name": name,
        "litellm_params": {
            "model": "azure/gpt-5-mini",
            "api_base": emulator.endpoint,
            "api_key": emulator.api_key,
            **prices,
        },
        "model_info": info,
    }


def make_entries(emulator: Emulator) -> list[dict[str, Any]]:
    return [
        entry(emulator, "contract", _HALF),
        entry(emulator, "free", _FREE),
        entry(emulator, "listed", {}),
        entry(emulator, "large", {}, base_model="gpt-5.4"),
        entry(emulator, "small", {}, base_model="gpt-4.1-nano"),
    ]


def test_each_entry_of_one_deployment_has_its_own_price() -> None:
    emulator = Emulator([Resource("test")])
    transport = httpx.Client(transport=emulator.httpx_transport())
    with Router(make_entries(emulator), http_client=transport) as router:
        costs = {}
        for group in ("contract", "free", "listed", "large", "small"):
            response = router.responses(model=group, input="hi")
            assert response.usage is not None
            costs[group] = response.cost
            if group == "contract":
                assert response.cost == response.usage.input_tokens * Decimal("0.001")
                again = router.retrieve(response.id)
                assert again.cost == response.cost
        assert costs["free"] == 0
        assert 0 < (costs["small"] or 0) < (costs["large"] or 0)
        assert costs["listed"] not in (None, costs["large"], costs["small"])


def test_streams_and_chat_completions_have_the_price_too() -> None:
    emulator = Emulator([Resource("test")])
    transport = httpx.Client(transport=emulator.httpx_transport())
    with Router(make_entries(emulator), http_client=transport) as router:
        with router.responses(model="contract", input="hi", stream=True) as stream:
            final = stream.get_final_response()
        assert final.usage is not None
        assert final.cost == final.usage.input_tokens * Decimal("0.001")
        messages = [{"role": "user", "content": "hi"}]
        made = router.completion(model="contract", messages=messages)
        assert made.usage is not None
        assert made.cost == made.usage.prompt_tokens * Decimal("0.001")


async def _call_async() -> None:
    emulator = Emulator([Resource("test")])
    client = httpx.AsyncClient(transport=emulator.httpx_transport())
    async with client, AsyncRouter(make_entries(emulator), async_http_client=client) as router:
        assert (await router.responses(model="free", input="hi")).cost == 0
        assert (await router.responses(model="contract", input="hi")).cost


def test_an_async_router_prices_by_the_entry_too() -> None:
    asyncio.run(_call_async())


def test_after_a_fallback_the_price_is_that_of_the_entry_that_answered() -> None:
    emulator = Emulator([Resource("down"), Resource("up")])
    entries = [entry(emulator, "m", _FREE), entry(emulator, "backup", _HALF)]
    entries[1]["litellm_params"]["api_base"] = "https://up.openai.azure.com"
    emulator.faults.add(Fault("http-500", resource="down"))
    transport = httpx.Client(transport=emulator.httpx_transport())
    with Router(
        entries, http_client=transport, fallbacks=[{"m": ["backup"]}], num_retries=0
    ) as router:
        response = router.responses(model="m", input="hi")
        assert response.route is not None
        assert response.route.fallbacks
        assert response.cost
