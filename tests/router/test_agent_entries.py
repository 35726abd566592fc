"""Entries of Foundry agents: `azure_ai/agents/NAME[:VERSION]`."""

from typing import Any

import httpx
import pytest

from azure_responses import Router, UnsupportedOperationError
from azure_responses.emulator import EmulatedAgent, Emulator, Resource

AGENTS = [EmulatedAgent("kimi-helper"), EmulatedAgent("kimi-helper", version="2")]


@pytest.fixture
def emulator() -> Emulator:
    return Emulator([Resource("test", agents=AGENTS)])


def make_router(emulator: Emulator, **params: Any) -> Router:
    host = emulator.endpoint.replace(".openai.azure.com", ".services.ai.azure.com")
    entry = {
        "model_name": "helper",
        "litellm_params": {
            "model": "azure_ai/agents/kimi-helper:1",
            "api_base": f"{host}/api/projects/p",
            "credential": emulator.token_credential(),
            **params,
        },
    }
    return Router([entry], http_client=httpx.Client(transport=emulator.httpx_transport()))


def test_an_agent_answers_a_routed_call(emulator: Emulator) -> None:
    with make_router(emulator) as router:
        response = router.responses(model="helper", input="hi")
        assert response.output_text
        assert response.agent_reference is not None
        follow_up = router.responses(model="helper", input="on", previous_response_id=response.id)
        assert follow_up.output_text
        with router.responses(model="helper", input="hi", stream=True) as stream:
            assert stream.get_final_response().output_text
        sent = emulator.requests[-1].json()
        assert sent["agent_reference"]["version"] == "1"
        assert "model" not in sent


def test_what_an_agent_decides_is_refused_by_name(emulator: Emulator) -> None:
    refused = pytest.raises(UnsupportedOperationError, match="temperature")
    with make_router(emulator) as router, refused:
        router.responses(model="helper", input="hi", temperature=1)
    assert not len(emulator.requests)


def test_what_an_agent_decides_is_left_out_where_the_router_drops_parameters(
    emulator: Emulator,
) -> None:
    with make_router(emulator, drop_params=True) as router:
        with pytest.warns(UserWarning, match="temperature was left out"):
            response = router.responses(model="helper", input="hi", temperature=1)
        assert response.output_text


def test_options_of_the_call_reach_an_agent(emulator: Emulator) -> None:
    with make_router(emulator) as router:
        response = router.responses(model="helper", input="hi", extra_headers={"x-mine": "1"})
        assert response.output_text
        assert emulator.requests[-1].headers["x-mine"] == "1"
