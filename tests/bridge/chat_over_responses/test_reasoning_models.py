import pytest

from azure_responses.bridge import is_reasoning_model_name


@pytest.mark.parametrize(
    "name",
    [
        "o1-pro",
        "my-custom-o1-pro",
        "o3",
        "o4-mini-2025-04-16",
        "GPT-5",
        "gpt-5-mini",
        "gpt5-prod",
        "gpt-5.1-codex-max",
        "gpt-5.6-sol",
        "gpt-12",
        "codex-mini",
        "gpt-oss-120b",
        "team_gpt-5_eu",
    ],
)
def test_names_of_models_that_reason(name: str) -> None:
    assert is_reasoning_model_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-4.1",
        "gpt-35-turbo",
        "gpt-5-chat",
        "gpt-5.1-chat-latest",
        "foo1",
        "demo1",
        "o100",
        "computer-use-preview",
        "prod",
        "",
    ],
)
def test_names_of_others_and_names_that_say_nothing(name: str) -> None:
    assert not is_reasoning_model_name(name)
