"""What an entry says of its model: provider, API and facts."""

from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.model_list import read_model_list, with_endpoint

_FOUNDRY = "https://r.services.ai.azure.com"
_PROJECT = f"{_FOUNDRY}/api/projects/p"


def _read(
    model: str,
    info: dict[str, Any] | None = None,
    environ: dict[str, str] | None = None,
    **rest: Any,
) -> Deployment:
    params = {"model": model, "api_base": _FOUNDRY, "api_key": "k", **rest}
    entry = {"model_name": "m", "litellm_params": params, "model_info": info or {}}
    return read_model_list([entry], environ or {})[0]


def test_a_row_of_litellm_for_a_foundry_model_is_read_unchanged() -> None:
    warnings: list[str] = []
    entry = {
        "model_name": "kimi",
        "litellm_params": {
            "model": "azure_ai/kimi-k2.5",
            "api_base": f"{_FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview",
            "api_key": "os.environ/AZURE_AI_API_KEY",
            "api_version": "2024-05-01-preview",
            "rpm": 60,
        },
    }
    (row,) = read_model_list([entry], {"AZURE_AI_API_KEY": "k"}, warnings.append)
    assert (row.model, row.api, row.agent, row.facts) == ("kimi-k2.5", "auto", None, {})
    assert row.connection["provider"] == "azure_ai"
    assert warnings == []


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("azure/gpt-5", None),
        ("gpt-5", None),
        ("azure_ai/kimi", "azure_ai"),
        ("azure_ai/claude-opus-5", "claude"),
        ("azure_ai/*", "azure_ai"),
    ],
)
def test_the_client_hears_of_the_provider(model: str, provider: str | None) -> None:
    assert _read(model).connection.get("provider") == provider


@pytest.mark.parametrize("provider", ["azure", "azure_ai"])
def test_the_provider_may_stand_beside_the_model(provider: str) -> None:
    row = _read("kimi", custom_llm_provider=provider)
    assert row.model == "kimi"
    assert row.connection.get("provider") == (None if provider == "azure" else provider)
    assert _read(f"{provider}/kimi", custom_llm_provider=provider).model == "kimi"


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("azure_ai/kimi", "AZURE_AI_API_BASE"),
        ("azure_ai/kimi", "AZURE_API_BASE"),
        ("azure_ai/claude-opus-5", "ANTHROPIC_FOUNDRY_BASE_URL"),
        ("azure/gpt-5", "AZURE_API_BASE"),
    ],
)
def test_the_endpoint_comes_from_the_variables_of_the_provider(model: str, variable: str) -> None:
    environ = {variable: "https://env.services.ai.azure.com"}
    assert _read(model, environ=environ, api_base=None).host == "env.services.ai.azure.com"
    entry = {"model_name": "m", "params": {"model": model}}
    assert with_endpoint(entry, environ)["params"]["api_base"] == environ[variable]
    with pytest.raises(ConfigurationError, match="no api_base"):
        _read(model, environ={"AZURE_AI_API_KEY": "k"}, api_base=None)


def test_an_entry_keeps_its_own_endpoint() -> None:
    entry = {"model_name": "m", "params": {"model": "azure_ai/kimi", "api_base": _FOUNDRY}}
    for given in (entry, {"model_name": "m"}, "no entry"):
        assert with_endpoint(given, {"AZURE_AI_API_BASE": "https://other.example.com"}) is given


def test_the_variables_of_foundry_are_not_for_models_of_openai() -> None:
    environ = {"AZURE_AI_API_BASE": _FOUNDRY}
    with pytest.raises(ConfigurationError, match="no api_base"):
        _read("azure/gpt-5", environ=environ, api_base=None)
    entry = {"model_name": "m", "params": {"model": "azure/gpt-5"}}
    assert with_endpoint(entry, environ) is entry


@pytest.mark.parametrize("api", ["responses", "chat", "messages", "auto"])
def test_an_entry_may_say_what_its_deployment_speaks(api: str) -> None:
    assert _read("azure_ai/prod", api=api).api == api
    assert _read("azure_ai/prod", info={"api": api}).api == api


@pytest.mark.parametrize("api", ["chat_completions", "Chat", 7, ["chat"]])
def test_an_api_that_does_not_exist_is_refused(api: Any) -> None:
    with pytest.raises(ConfigurationError, match="api is") as caught:
        _read("azure_ai/prod", api=api)
    assert caught.value.hint == "Write one of auto, responses, chat, messages."


def test_a_prefix_may_name_the_api() -> None:
    assert _read("azure/responses/gpt-4").api == "responses"
    assert _read("azure/responses/gpt-4", api="chat").api == "chat"


@pytest.mark.parametrize("model", ["azure/gpt-5.4", "azure_ai/gpt-6"])
def test_chat_is_refused_where_it_takes_no_tools_while_reasoning(model: str) -> None:
    with pytest.raises(ConfigurationError, match="no function tools"):
        _read(model, api="chat")
    assert _read(model, api="chat", facts={"chat_tools": "always"}).api == "chat"


@pytest.mark.parametrize(
    ("model", "info", "given", "facts"),
    [
        ("azure_ai/kimi", {}, None, {}),
        ("azure_ai/kimi", {}, {"takes_strict": False}, {"takes_strict": False}),
        ("azure_ai/kimi", {"facts": {"takes_strict": False}}, None, {"takes_strict": False}),
        ("azure_ai/claude", {"max_output_tokens": 900}, None, {"max_output_tokens": 900}),
        (
            "azure_ai/claude",
            {"max_output_tokens": 900},
            {"max_output_tokens": 800},
            {"max_output_tokens": 800},
        ),
        ("azure_ai/claude", {"max_output_tokens": "many"}, None, {}),
        ("azure_ai/claude", {"max_output_tokens": 0}, None, {}),
        ("azure/o_series/prod", {}, None, {"family": "o-series"}),
        ("azure/o_series/o3", {}, None, {}),
        ("azure/o_series/prod", {"base_model": "azure/o3"}, None, {}),
        ("azure/gpt5_series/prod", {}, {"family": "gpt-6"}, {"family": "gpt-6"}),
        ("azure_ai/model_router/prod", {}, None, {"family": "model-router"}),
    ],
)
def test_an_entry_may_correct_what_is_known_of_its_model(
    model: str, info: dict[str, Any], given: Any, facts: dict[str, Any]
) -> None:
    assert _read(model, info=info, facts=given).facts == facts


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ("kimi", "facts is not a mapping"),
        ({"family": "kimmi"}, "'kimmi' is not known"),
        ({"takes_strickt": True}, "not a fact"),
    ],
)
def test_facts_that_no_model_can_have_name_the_entry(facts: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        _read("azure_ai/kimi", facts=facts)
    assert "model_list entry 1" in caught.value.message


@pytest.mark.parametrize(
    "base", [_PROJECT, f"{_PROJECT}/openai/v1", f"{_PROJECT}/agents/a/endpoint/protocols/openai"]
)
def test_an_agent_of_a_project_is_a_deployment(base: str) -> None:
    row = _read("azure_ai/agents/helpdesk:3", api_base=base)
    assert (row.model, row.agent, row.api) == ("agents/helpdesk:3", "helpdesk:3", "auto")


@pytest.mark.parametrize(
    ("base", "api"), [(_FOUNDRY, None), (_PROJECT, "chat"), (_PROJECT, "messages")]
)
def test_an_agent_needs_a_project_and_the_responses_api(base: str, api: str | None) -> None:
    with pytest.raises(ConfigurationError, match="an agent is called") as caught:
        _read("azure_ai/agents/helpdesk", api_base=base, api=api)
    assert "/api/projects/" in (caught.value.hint or "")


def test_an_agent_without_a_name_names_the_entry() -> None:
    with pytest.raises(ConfigurationError, match=r"model_list entry 1.*agent"):
        _read("azure_ai/agents/:3", api_base=_PROJECT)


@pytest.mark.parametrize("model", ["azure/", "azure_ai/", "azure/o_series/", "azure/responses/"])
def test_a_prefix_alone_names_no_deployment(model: str) -> None:
    with pytest.raises(ConfigurationError, match=r"model_list entry 1.*names no deployment"):
        _read(model)


@pytest.mark.parametrize(
    ("params", "info", "is_batch"),
    [
        ({}, {}, False),
        ({}, {"mode": "chat"}, False),
        ({}, {"mode": "batch"}, True),
        ({"batch": True}, {}, True),
        ({"batch": False}, {"batch": True}, False),
        ({}, {"batch": True}, True),
        ({"sku": "GlobalStandard"}, {}, False),
        ({}, {"sku": "Data Zone Batch"}, True),
        ({"sku": "GlobalBatch"}, {}, True),
    ],
)
def test_a_batch_deployment_takes_no_single_calls(
    params: dict[str, Any], info: dict[str, Any], is_batch: bool
) -> None:
    read = _read("azure/gpt", info, rpm=60, **params)
    assert read.is_batch is is_batch
    assert (read.weight == 0) is is_batch
    assert read.executes == "native"


def test_an_entry_may_have_the_gateway_execute_its_batches() -> None:
    assert _read("azure/gpt", execute="gateway").executes == "gateway"
    assert _read("azure/gpt", {"execute": "gateway"}).executes == "gateway"
    assert _read("azure/gpt", execute="native").executes == "native"


@pytest.mark.parametrize("params", [{"batch": "yes"}, {"execute": "azure"}])
def test_another_word_about_batches_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"'(yes|azure)'"):
        _read("azure/gpt", **params)


@pytest.mark.parametrize(
    ("params", "info", "is_websocket"),
    [
        ({}, {}, False),
        ({"websocket": True}, {}, True),
        ({}, {"websocket": True}, True),
        ({"websocket": False}, {"websocket": True}, False),
        ({"websocket": True, "api": "responses"}, {}, True),
    ],
)
def test_an_entry_says_that_its_deployment_is_called_over_websocket(
    params: dict[str, Any], info: dict[str, Any], is_websocket: bool
) -> None:
    assert _read("azure/gpt", info, **params).is_websocket is is_websocket


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"websocket": "yes"}, "websocket is 'yes'"),
        ({"websocket": True, "api": "chat"}, "where api is 'chat'"),
        ({"websocket": True, "api": "messages"}, "where api is 'messages'"),
    ],
)
def test_a_websocket_that_cannot_be_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _read("azure/gpt", **params)
