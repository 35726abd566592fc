"""What a deployment speaks: as configured, by family, or as a refusal teaches."""

import pytest

from azure_responses.errors import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    NotFoundError,
)
from azure_responses.protocol.conversion import APIName
from azure_responses.protocol.deployment_apis import DeploymentAPIs, SpokenAPI, describe_api
from azure_responses.protocol.families import facts_of
from azure_responses.protocol.known_errors import refused_api

REFUSALS = [
    ("responses", 400, None, "This model is not supported by the Responses API", "chat"),
    ("responses", 400, "BadRequest", "Model not supported", "chat"),
    ("chat", 400, "OperationNotSupported", "The requested operation is unsupported.", "responses"),
    ("responses", 404, "api_not_supported", "API not supported", "messages"),
    ("chat", 404, "api_not_supported", "API not supported", "messages"),
    # The same words about another API, or with another status, mean something else.
    ("chat", 400, None, "This model is not supported by the Responses API", None),
    ("messages", 404, "api_not_supported", "API not supported", None),
    ("responses", 429, None, "Model not supported", None),
    ("responses", 400, None, "Tool of the model not supported here", None),
]


def family(deployment: str) -> APIName | None:
    return "chat" if "kimi" in deployment else None


@pytest.mark.parametrize(("spoken", "status", "code", "message", "expected"), REFUSALS)
def test_a_refusal_of_the_api_names_the_other_one(
    spoken: APIName, status: int, code: str | None, message: str, expected: APIName | None
) -> None:
    kind = NotFoundError if status == 404 else BadRequestError
    error = kind(message, status_code=status, code=code)
    assert refused_api(error, spoken) == expected


def test_a_lost_connection_teaches_nothing() -> None:
    assert refused_api(APIConnectionError("Model not supported"), "responses") is None


def test_the_configuration_wins_over_the_family_and_over_refusals() -> None:
    apis = DeploymentAPIs({"kimi": "responses"}, family)
    apis.learn("kimi", "chat")
    assert apis.of("kimi") == SpokenAPI("responses", "configured")
    assert apis.of("kimi-2") == SpokenAPI("chat", "family")
    assert not apis.of("kimi").may_be_wrong


def test_one_setting_is_for_all_deployments() -> None:
    assert DeploymentAPIs("messages", family).of("kimi").name == "messages"


@pytest.mark.parametrize("setting", ["auto", None, {"mine": "auto"}])
def test_auto_goes_by_family_and_else_assumes_responses(setting: object) -> None:
    apis = DeploymentAPIs(setting, family)  # type: ignore[arg-type]
    assert apis.of("kimi") == SpokenAPI("chat", "family")
    assert apis.of("mine") == SpokenAPI("responses", "assumed")
    assert apis.of("mine").may_be_wrong


def test_what_is_learned_is_kept_and_told() -> None:
    told: list[tuple[str, str]] = []
    apis = DeploymentAPIs("auto", family, lambda name, api: told.append((name, api)))
    apis.learn("mine", "chat")
    assert apis.of("mine") == SpokenAPI("chat", "learned")
    assert not apis.of("mine").may_be_wrong
    assert told == [("mine", "chat")]


def test_learning_needs_no_listener() -> None:
    apis = DeploymentAPIs("auto", family)
    apis.learn("mine", "chat")
    assert apis.of("mine").name == "chat"


def test_no_end_of_names_does_not_fill_the_memory() -> None:
    apis = DeploymentAPIs("auto", family)
    for number in range(1001):
        apis.of(f"name-{number}")
    assert apis.of("name-1000").name == "responses"
    assert len(apis._known) == 1000


@pytest.mark.parametrize("setting", ["chats", {"mine": "chats"}])
def test_an_api_that_does_not_exist_is_refused(setting: object) -> None:
    with pytest.raises(ConfigurationError, match="api is 'chats'"):
        DeploymentAPIs(setting, family)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoken", "name", "words"),
    [
        (SpokenAPI("chat", "family"), "kimi", "chat completions (as kimi does: anomalyco/opencode"),
        (SpokenAPI("messages", "configured"), "prod", "Messages (as configured)"),
        (SpokenAPI("chat", "learned"), "prod", "chat completions (as a refusal has shown)"),
        (SpokenAPI("responses", "assumed"), "prod", "the Responses API (assumed"),
    ],
)
def test_what_a_deployment_speaks_is_told_with_the_reason(
    spoken: SpokenAPI, name: str, words: str
) -> None:
    assert describe_api(spoken, facts_of(name)).startswith(words)
