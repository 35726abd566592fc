"""The families that a name stands for."""

import pytest

from azure_responses.emulator import EmulatedDeployment
from azure_responses.emulator.foundry_models import FAMILIES, find_foundry_model
from azure_responses.emulator.model_catalog import MODELS, find_deployed, find_model

_BOTH = {"responses", "chat"}


@pytest.mark.parametrize(
    ("name", "family", "apis"),
    [
        ("Kimi-K2.5", "kimi", {"chat"}),
        ("team-a-kimi-k2.6", "kimi", {"chat"}),
        ("DeepSeek-V3.2", "deepseek", _BOTH),
        ("DeepSeek-R1-0528", "deepseek", _BOTH),
        ("Mistral-Large-3", "mistral", {"chat"}),
        ("Ministral-3B", "mistral", {"chat"}),
        ("Codestral-2501", "mistral", {"chat"}),
        ("grok-4-fast-reasoning", "grok", _BOTH),
        ("grok-code-fast-1", "grok-3", _BOTH),
        ("Llama-3.3-70B-Instruct", "llama", _BOTH),
        ("MAI-DS-R1", "mai", _BOTH),
        ("gpt-oss-120b", "gpt-oss", _BOTH),
        ("gpt-4", "openai", {"chat"}),
        ("gpt-4-0613", "openai", {"chat"}),
        ("gpt-35-turbo", "openai", {"chat"}),
        ("gpt-6", "openai", _BOTH),
        ("claude-opus-4-8", "claude", {"messages"}),
        ("claude-x", "claude", {"messages"}),
    ],
)
def test_a_word_of_the_name_decides_what_a_deployment_answers(
    name: str, family: str, apis: set[str]
) -> None:
    model = find_model(name)
    assert (model.family, model.name, set(model.apis)) == (family, name, apis)


@pytest.mark.parametrize("name", ["prod", "domain-7", "gpt-4o", "codellamas", "gpt-4.5-preview"])
def test_other_names_stay_plain_models_of_openai(name: str) -> None:
    assert find_model(name).family == "openai"
    assert set(find_model(name).apis) == _BOTH


def test_no_model_of_the_catalogue_is_taken_for_a_family() -> None:
    assert [name for name in MODELS if find_foundry_model(name)] == []


def test_limits_of_the_families_are_consistent() -> None:
    for _, model in FAMILIES:
        assert 0 < model.max_output < model.context_window
        assert model.default_effort in model.efforts or not model.reasoning


@pytest.mark.parametrize("api", ["responses", "chat", "messages"])
def test_a_deployment_may_answer_one_api_alone(api: str) -> None:
    deployment = EmulatedDeployment("d", "gpt-4.1", api=api)  # type: ignore[arg-type]
    model = find_deployed(deployment)
    assert set(model.apis) == {api}
    assert model.snapshot == "gpt-4.1-2025-04-14"
    assert (model.family == "claude") is (api == "messages")


def test_an_unknown_api_is_refused() -> None:
    with pytest.raises(ValueError, match="api is one of responses, chat, messages"):
        EmulatedDeployment("d", api="assistants")  # type: ignore[arg-type]
