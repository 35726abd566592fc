"""Explicit arguments and the environment to settings."""

import itertools
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.environment import ENVIRONMENT, choose_webhook_secret, has_endpoint
from azure_responses.protocol.settings import Settings, resolve_settings

_HOST = "https://r.openai.azure.com"


class _Credential:
    def get_token(self, *scopes: str) -> object:
        raise NotImplementedError


def _settings(environ: dict[str, str] | None = None, **arguments: Any) -> Settings:
    if "endpoint" not in arguments and not has_endpoint(environ or {}):
        arguments["endpoint"] = _HOST
    return resolve_settings(environ or {}, **arguments)


def test_the_documented_variables_are_read_in_the_documented_order() -> None:
    assert dict(ENVIRONMENT) == {
        "endpoint": ("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
        "api_key": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
        "azure_ad_token": ("AZURE_OPENAI_AD_TOKEN", "AZURE_AD_TOKEN"),
        "api_version": ("AZURE_OPENAI_API_VERSION", "OPENAI_API_VERSION", "AZURE_API_VERSION"),
        "deployment": ("AZURE_OPENAI_DEPLOYMENT",),
    }


_VALUES = {
    "endpoint": ("https://a.example.com", "https://b.example.com"),
    "api_key": ("key-a", "key-b"),
    "azure_ad_token": ("token-a", "token-b"),
    "api_version": ("2025-03-01-preview", "2025-04-01-preview"),
    "deployment": ("dep-a", "dep-b"),
}


def _chosen(name: str, settings: Settings) -> str | None:
    if name == "endpoint":
        return settings.endpoint.origin
    if name in ("api_key", "azure_ad_token"):
        assert settings.secret.kind == name
        return str(settings.secret.value)
    return settings.endpoint.api_version if name == "api_version" else settings.deployment


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_each_variable_is_read_and_the_first_one_set_wins(name: str) -> None:
    first, second = _VALUES[name]
    variables = ENVIRONMENT[name]
    for variable in variables:
        assert _chosen(name, _settings({variable: first})) == first
    for earlier, later in itertools.pairwise(variables):
        assert _chosen(name, _settings({earlier: first, later: second})) == first
        assert _chosen(name, _settings({earlier: "  ", later: second})) == second


@pytest.mark.parametrize("name", ENVIRONMENT)
def test_an_explicit_argument_beats_every_variable(name: str) -> None:
    first, second = _VALUES[name]
    environ = dict.fromkeys(ENVIRONMENT[name], first)
    assert _chosen(name, _settings(environ, **{name: second})) == second


@pytest.mark.parametrize(
    ("explicit", "kind"),
    [
        ({"api_key": "k"}, "api_key"),
        ({"azure_ad_token": "t"}, "azure_ad_token"),
        ({"azure_ad_token_provider": lambda: "t"}, "azure_ad_token_provider"),
        ({"credential": _Credential()}, "credential"),
    ],
)
def test_an_explicit_credential_of_any_kind_beats_a_key_in_the_environment(
    explicit: dict[str, Any], kind: str
) -> None:
    environ = {"AZURE_OPENAI_API_KEY": "env", "AZURE_OPENAI_AD_TOKEN": "env"}
    secret = _settings(environ, **explicit).secret
    assert secret.kind == kind
    assert secret.value == explicit[kind]


def test_a_key_in_the_environment_comes_before_a_token() -> None:
    secret = _settings({"AZURE_AD_TOKEN": "t", "AZURE_API_KEY": "k"}).secret
    assert (secret.kind, secret.value) == ("api_key", "k")


def test_no_credential_at_all_leaves_it_to_the_default_one() -> None:
    assert _settings().secret.kind == "none"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("api_key", "credential"),
        ("api_key", "azure_ad_token"),
        ("azure_ad_token", "azure_ad_token_provider"),
        ("azure_ad_token_provider", "credential"),
    ],
)
def test_two_explicit_credentials_are_refused(first: str, second: str) -> None:
    values: dict[str, Any] = {
        "api_key": "secret-one",
        "azure_ad_token": "secret-two",
        "azure_ad_token_provider": lambda: "t",
        "credential": _Credential(),
    }
    with pytest.raises(ConfigurationError, match=f"{first} and {second}|{second} and {first}") as e:
        _settings(**{first: values[first], second: values[second]})
    assert "secret-" not in str(e.value)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"api_key": ""}, "api_key is empty"),
        ({"api_key": " \n"}, "api_key is empty"),
        ({"azure_ad_token": ""}, "azure_ad_token is empty"),
        ({"api_key": 7}, "api_key is a int"),
        ({"api_key": lambda: "t"}, "api_key is a function"),
        ({"api_key": "two words"}, "cannot stand in a header"),
        ({"api_key": "k\r\nx: y"}, "cannot stand in a header"),
        ({"api_key": "kéy"}, "cannot stand in a header"),
        ({"azure_ad_token": "t\x00"}, "cannot stand in a header"),
        ({"azure_ad_token_provider": "t"}, "not callable"),
        ({"credential": "key"}, "no get_token"),
        ({"credential": object()}, "no get_token"),
    ],
)
def test_an_unusable_credential_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        _settings(**arguments)
    assert caught.value.hint


def test_an_unusable_key_in_the_environment_is_named_by_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="AZURE_API_KEY") as caught:
        _settings({"AZURE_API_KEY": "hush hush"})
    assert "hush" not in str(caught.value)


def test_white_space_around_a_key_is_dropped() -> None:
    assert _settings(api_key="  key\n").secret.value == "key"


def test_no_endpoint_is_an_error_that_names_both_ways() -> None:
    with pytest.raises(ConfigurationError, match="No endpoint") as caught:
        resolve_settings({})
    assert "AZURE_OPENAI_ENDPOINT" in (caught.value.hint or "")


def test_an_empty_endpoint_is_not_replaced_by_the_environment() -> None:
    with pytest.raises(ConfigurationError, match="not an https URL"):
        resolve_settings({"AZURE_OPENAI_ENDPOINT": _HOST}, endpoint="")


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"AZURE_OPENAI_ENDPOINT": " "}, False),
        ({"AZURE_OPENAI_ENDPOINT": _HOST}, True),
        ({"AZURE_API_BASE": _HOST}, True),
    ],
)
def test_has_endpoint(environ: dict[str, str], expected: bool) -> None:
    assert has_endpoint(environ) is expected


@pytest.mark.parametrize("name", ["endpoint", "azure_endpoint", "base_url"])
def test_the_endpoint_has_aliases(name: str) -> None:
    url = f"{_HOST}/openai/v1/"
    assert resolve_settings({}, **{name: url}).endpoint.url("models") == f"{url}models"  # type: ignore[arg-type]


def test_only_a_base_url_is_taken_literally() -> None:
    url = "https://gw.example.com/llm"
    assert resolve_settings({}, base_url=url).endpoint.path == "/llm"
    assert resolve_settings({}, endpoint=url).endpoint.path == "/llm/openai/v1"


def test_two_different_endpoints_are_refused_and_two_equal_ones_are_not() -> None:
    with pytest.raises(ConfigurationError, match="endpoint and base_url"):
        resolve_settings({}, endpoint=_HOST, base_url="https://other.example.com")
    assert resolve_settings({}, endpoint=_HOST, azure_endpoint=_HOST).endpoint.origin == _HOST


def test_the_deployment_has_an_alias_and_two_different_ones_are_refused() -> None:
    assert _settings(azure_deployment="d").deployment == "d"
    with pytest.raises(ConfigurationError, match="deployment and azure_deployment"):
        _settings(deployment="a", azure_deployment="b")


def test_a_deployment_in_the_url_beats_the_environment_and_loses_to_an_argument() -> None:
    url = f"{_HOST}/openai/deployments/pasted/chat/completions"
    environ = {"AZURE_OPENAI_DEPLOYMENT": "environment"}
    assert resolve_settings(environ, endpoint=url).deployment == "pasted"
    assert resolve_settings(environ, endpoint=url, deployment="given").deployment == "given"


_PASTED = f"{_HOST}/openai/responses?api-version=2025-04-01-preview"


@pytest.mark.parametrize("pasted", [_PASTED, _PASTED.replace("api-version", "API-Version")])
def test_a_version_in_the_url_beats_one_in_the_environment(pasted: str) -> None:
    environ = {"OPENAI_API_VERSION": "2025-03-01-preview"}
    assert resolve_settings(environ, endpoint=pasted).endpoint.api_version == "2025-04-01-preview"


def test_an_explicit_version_beats_one_in_the_url() -> None:
    assert resolve_settings({}, endpoint=_PASTED, api_version="v1").endpoint.surface == "v1"


def test_an_empty_version_in_the_url_leaves_it_to_the_environment() -> None:
    environ = {"OPENAI_API_VERSION": "preview"}
    endpoint = f"{_HOST}/openai/responses?api-version="
    assert resolve_settings(environ, endpoint=endpoint).endpoint.api_version == "preview"


def test_a_dated_version_in_the_environment_is_named_when_it_contradicts_a_v1_url() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_VERSION"):
        resolve_settings({"OPENAI_API_VERSION": "2024-10-21"}, endpoint=f"{_HOST}/openai/v1")


@pytest.mark.parametrize("arguments", [{"api_key": "k"}, {"azure_ad_token": "t"}, {}])
def test_a_secret_never_travels_over_plain_http(arguments: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="plain http"):
        resolve_settings({}, endpoint="http://r.openai.azure.com", **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:8080"])
def test_plain_http_to_this_machine_is_allowed(host: str) -> None:
    assert _settings(endpoint=f"http://{host}", api_key="k").endpoint.is_loopback


def test_plain_http_is_allowed_on_request() -> None:
    settings = _settings(endpoint="http://gw.example.com", api_key="k", allow_insecure=True)
    assert not settings.endpoint.is_encrypted


@pytest.mark.parametrize(
    ("endpoint", "scope"),
    [
        (_HOST, "https://cognitiveservices.azure.com/.default"),
        ("https://r.openai.azure.us", "https://cognitiveservices.azure.us/.default"),
        ("https://r.openai.azure.cn", "https://cognitiveservices.azure.cn/.default"),
        ("https://r.services.ai.azure.com/api/projects/p", "https://ai.azure.com/.default"),
    ],
)
def test_the_scope_follows_the_host_and_can_be_overridden(endpoint: str, scope: str) -> None:
    assert _settings(endpoint=endpoint).scope == scope
    assert _settings(endpoint=endpoint, scope="api://mine/.default").scope == "api://mine/.default"


def test_an_old_version_is_not_refused_unless_strictness_is_asked_for() -> None:
    assert len(_settings(api_version="2024-10-21").endpoint.warnings) == 1


def test_strictness_and_preview_path_reach_the_endpoint() -> None:
    with pytest.raises(ConfigurationError, match="older than the Responses API"):
        _settings(api_version="2024-10-21", strict_api_version=True)
    assert _settings(preview_path=True).endpoint.path == "/openai/v1/preview"


@pytest.mark.parametrize("name", ["api_key", "azure_ad_token"])
def test_no_secret_stands_in_a_repr(name: str) -> None:
    endpoint = "https://gw.example.com?subscription-key=whisper"
    settings = _settings({}, **{name: "hush-hush"}, endpoint=endpoint)
    assert "hush" not in repr(settings) + str(settings.secret)
    assert "whisper" not in repr(settings)


_AI = "https://ai.services.ai.azure.com"
_ENVIRON = {
    "AZURE_API_BASE": "https://api.openai.azure.com",
    "AZURE_API_KEY": "key-azure",
    "AZURE_API_VERSION": "2025-04-01-preview",
    "AZURE_AI_API_BASE": _AI,
    "AZURE_AI_API_KEY": "key-ai",
    "AZURE_AI_API_VERSION": "preview",
    "ANTHROPIC_FOUNDRY_RESOURCE": "claude",
    "ANTHROPIC_FOUNDRY_API_KEY": "key-claude",
}


def _without(*prefixes: str) -> dict[str, str]:
    return {name: value for name, value in _ENVIRON.items() if not name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("provider", "without", "origin", "key", "version"),
    [
        (None, (), "https://api.openai.azure.com", "key-azure", "2025-04-01-preview"),
        ("azure", (), "https://api.openai.azure.com", "key-azure", "2025-04-01-preview"),
        ("azure_ai", (), _AI, "key-ai", "preview"),
        ("azure_ai", ("AZURE_AI_API_BASE",), "https://api.openai.azure.com", "key-azure", None),
        ("azure_ai", ("AZURE_AI_API_KEY",), _AI, "key-azure", "preview"),
        ("azure_ai", ("AZURE_AI_",), "https://api.openai.azure.com", "key-azure", None),
        ("claude", (), _AI, "key-ai", "preview"),
        ("claude", ("AZURE_AI_",), "https://claude.services.ai.azure.com", "key-claude", None),
        ("claude", ("AZURE_AI_API_KEY",), _AI, "key-claude", "preview"),
        ("claude", ("AZURE_AI_", "ANTHROPIC"), "https://api.openai.azure.com", "key-azure", None),
        (None, ("AZURE_API_",), _AI, "key-ai", "preview"),
    ],
)
def test_each_provider_has_its_variables_and_falls_back_to_those_of_azure(
    provider: Any, without: tuple[str, ...], origin: str, key: str, version: str | None
) -> None:
    settings = resolve_settings(_without(*without), provider=provider)
    assert settings.endpoint.origin == origin
    assert settings.secret.value == key
    assert settings.endpoint.api_version == version


def test_an_explicit_endpoint_takes_the_key_of_its_provider() -> None:
    settings = resolve_settings(_ENVIRON, endpoint=_AI, provider="azure_ai")
    assert settings.secret.value == "key-ai"
    assert resolve_settings(_ENVIRON, endpoint=_AI).secret.value == "key-azure"


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://r.services.ai.azure.com/anthropic",
            "https://r.services.ai.azure.com/anthropic/v1/messages"),
        ("https://r.services.ai.azure.com/anthropic/",
            "https://r.services.ai.azure.com/anthropic/v1/messages"),
        ("https://gw.example.com/claude/", "https://gw.example.com/claude/v1/messages"),
        ("http://localhost:4000", "http://localhost:4000/v1/messages"),
    ],
)  # fmt: skip
def test_the_base_url_of_anthropics_client_is_completed_as_it_completes_it(
    base: str, url: str
) -> None:
    environ = {"ANTHROPIC_FOUNDRY_BASE_URL": base, "ANTHROPIC_FOUNDRY_API_KEY": "k"}
    endpoint = resolve_settings(environ, provider="claude").endpoint
    assert endpoint.messages_url() == url
    assert endpoint.messages_url(counts_tokens=True) == f"{url}/count_tokens"
    assert endpoint.api == "messages"


def test_a_dated_version_of_the_environment_is_not_sent_for_foundry_models() -> None:
    environ = {"AZURE_API_VERSION": "2024-05-01-preview", "AZURE_API_KEY": "k"}
    settings = resolve_settings(environ, endpoint=f"{_AI}/openai/v1", provider="azure_ai")
    assert settings.endpoint.url("responses") == f"{_AI}/openai/v1/responses"


def test_the_older_inference_path_reaches_the_endpoint() -> None:
    endpoint = _settings(endpoint=f"{_AI}/models", models_path=True).endpoint
    assert endpoint.chat_url("kimi").startswith(f"{_AI}/models/chat/completions?")


@pytest.mark.parametrize(
    ("endpoint", "other"),
    [
        (_HOST, "https://ai.azure.com/.default"),
        (_AI, "https://cognitiveservices.azure.com/.default"),
        (f"{_AI}/api/projects/p", "https://cognitiveservices.azure.com/.default"),
        ("https://r.openai.azure.us", None),
        ("https://k.eastus2.models.ai.azure.com", "https://cognitiveservices.azure.com/.default"),
    ],
)
def test_the_public_cloud_has_another_scope_unless_one_was_given(
    endpoint: str, other: str | None
) -> None:
    assert _settings(endpoint=endpoint).other_scope == other
    assert _settings(endpoint=endpoint, scope="api://mine/.default").other_scope is None


def test_the_deployment_may_have_litellms_prefix_of_foundry_models() -> None:
    assert _settings(deployment="azure_ai/kimi-k2.5").deployment == "kimi-k2.5"


def test_the_secret_of_webhooks_is_the_given_one_before_that_of_the_environment() -> None:
    environ = {"OPENAI_WEBHOOK_SECRET": "theirs", "AZURE_OPENAI_WEBHOOK_SECRET": " azure "}
    assert choose_webhook_secret(environ, "given") == "given"
    assert choose_webhook_secret(environ, None) == "azure"
    assert choose_webhook_secret({"OPENAI_WEBHOOK_SECRET": "theirs"}, None) == "theirs"
    assert choose_webhook_secret({}, None) is None
