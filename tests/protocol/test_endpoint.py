"""Endpoint and API version to URL, row by row of the documented table."""

import pickle
from datetime import date
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.endpoint import Endpoint, resolve_endpoint

_HOSTS = [
    "r.openai.azure.com",
    "r.cognitiveservices.azure.com",
    "r.services.ai.azure.com",
    "r.openai.azure.us",
    "r.openai.azure.cn",
    "eastus2.api.cognitive.microsoft.com",
    "llm.internal.example.com:8443",
    "gw.example.com/team-a/openai-proxy",
]


def _url(endpoint: str, version: str | None = None) -> str:
    return resolve_endpoint(endpoint, version).url("responses")


@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize("tail", ["", "/", "/openai", "/openai/", "//"])
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, "/openai/v1/responses"),
        ("v1", "/openai/v1/responses"),
        ("latest", "/openai/v1/responses"),
        ("V1 ", "/openai/v1/responses"),
        ("preview", "/openai/v1/responses?api-version=preview"),
        ("2025-03-01-preview", "/openai/responses?api-version=2025-03-01-preview"),
        ("2025-04-01-preview", "/openai/responses?api-version=2025-04-01-preview"),
        ("2026-01-01", "/openai/responses?api-version=2026-01-01"),
    ],
)
def test_a_bare_host_takes_every_version(
    host: str, tail: str, version: str | None, expected: str
) -> None:
    endpoint = resolve_endpoint(f"https://{host}{tail}", version)
    assert endpoint.url("responses") == f"https://{host}{expected}"
    assert endpoint.warnings == ()


@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize("tail", ["/openai/v1", "/openai/v1/", "/openai/v1/responses"])
@pytest.mark.parametrize("version", [None, "v1", "latest", "preview"])
def test_a_v1_url_stays_a_v1_url(host: str, tail: str, version: str | None) -> None:
    query = "?api-version=preview" if version == "preview" else ""
    assert _url(f"https://{host}{tail}", version) == f"https://{host}/openai/v1/responses{query}"


def test_a_resource_is_one_whatever_its_version_and_two_behind_two_prefixes() -> None:
    forms = ("", "/openai/v1", "/openai/responses?api-version=2025-04-01-preview")
    one, other = (
        {resolve_endpoint(f"https://gw.example.com/{team}{form}").resource for form in forms}
        for team in ("team-a", "team-b")
    )
    assert one == {"https://gw.example.com/team-a"}
    assert other == {"https://gw.example.com/team-b"}


@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize("version", ["2025-04-01-preview", "2024-10-21"])
def test_a_dated_version_with_a_v1_url_is_refused(host: str, version: str) -> None:
    with pytest.raises(ConfigurationError, match="v1 URL") as caught:
        resolve_endpoint(f"https://{host}/openai/v1", version, version_source="OPENAI_API_VERSION")
    assert "OPENAI_API_VERSION" in caught.value.message
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "version",
    [
        "2023-03-15-preview",
        "2024-10-21",
        "2024-05-01-preview",
        "2025-01-01-preview",
        "2025-02-28",
    ],
)
@pytest.mark.parametrize("host", _HOSTS)
def test_a_version_older_than_the_responses_api_warns_and_uses_preview(
    host: str, version: str
) -> None:
    endpoint = resolve_endpoint(f"https://{host}", version)
    assert endpoint.url("responses") == f"https://{host}/openai/v1/responses?api-version=preview"
    (warning,) = endpoint.warnings
    assert version in warning
    assert "api_version='v1'" in warning


def test_an_old_version_is_refused_when_strict() -> None:
    with pytest.raises(ConfigurationError, match="2024-10-21") as caught:
        resolve_endpoint("https://r.openai.azure.com", "2024-10-21", strict_api_version=True)
    assert caught.value.hint == "Pass api_version='v1', or leave it out."


@pytest.mark.parametrize("version", ["2025", "newest", "2025-04-01-beta", "v2", "2025-4-1", "x=y"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(ConfigurationError, match="not an Azure API version"):
        resolve_endpoint("https://r.openai.azure.com", version)


_TARGET = "/openai/responses?api-version=2025-04-01-preview"


@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (None, _TARGET),
        ("v1", "/openai/v1/responses"),
        ("preview", "/openai/v1/responses?api-version=preview"),
        ("2025-03-01-preview", "/openai/responses?api-version=2025-03-01-preview"),
    ],
)
def test_a_target_uri_is_kept_unless_another_version_is_given(
    host: str, version: str | None, expected: str
) -> None:
    assert _url(f"https://{host}{_TARGET}", version) == f"https://{host}{expected}"


@pytest.mark.parametrize("host", _HOSTS)
@pytest.mark.parametrize(
    ("pasted", "version", "expected"),
    [
        ("2025-04-01-preview", None, "/openai/responses?api-version=2025-04-01-preview"),
        ("2024-12-01-preview", "v1", "/openai/v1/responses"),
        ("2024-12-01-preview", None, "/openai/v1/responses?api-version=preview"),
    ],
)
def test_a_chat_completions_url_keeps_its_root_and_names_the_deployment(
    host: str, pasted: str, version: str | None, expected: str
) -> None:
    endpoint = resolve_endpoint(
        f"https://{host}/openai/deployments/my%20gpt/chat/completions?api-version={pasted}", version
    )
    assert endpoint.url("responses") == f"https://{host}{expected}"
    assert endpoint.deployment == "my gpt"


@pytest.mark.parametrize(
    "tail",
    [
        "",
        "/",
        "/openai",
        "/openai/v1",
        "/openai/v1/",
        "/openai/v1/responses",
        "/openai/v1/responses/resp_1",
        "/openai/v1/chat/completions",
    ],
)
def test_a_project_endpoint_has_its_path_and_scope(tail: str) -> None:
    endpoint = resolve_endpoint(f"https://r.services.ai.azure.com/api/projects/P{tail}")
    assert endpoint.url("responses") == (
        "https://r.services.ai.azure.com/api/projects/P/openai/v1/responses"
    )
    assert endpoint.scope == "https://ai.azure.com/.default"
    assert endpoint.surface == "project"
    assert endpoint.warnings == ()


@pytest.mark.parametrize("version", ["preview", "2025-04-01-preview", "2024-10-21"])
@pytest.mark.parametrize("is_pasted", [True, False])
def test_a_project_endpoint_sends_no_version_and_says_so(version: str, is_pasted: bool) -> None:
    url = "https://r.services.ai.azure.com/api/projects/P/openai/v1"
    endpoint = (
        resolve_endpoint(f"{url}?api-version={version}")
        if is_pasted
        else resolve_endpoint(url, version)
    )
    assert endpoint.url("responses") == f"{url}/responses"
    assert endpoint.api_version is None
    (warning,) = endpoint.warnings
    assert version in warning


@pytest.mark.parametrize(
    "path",
    ["applications/my-app/protocols/openai", "agents/a1/endpoint/protocols/openai"],
)
@pytest.mark.parametrize("tail", ["", "/", "/responses"])
def test_an_agent_application_keeps_its_path_and_version(path: str, tail: str) -> None:
    root = f"https://r.services.ai.azure.com/api/projects/P/{path}"
    endpoint = resolve_endpoint(f"{root}{tail}?api-version=2025-11-15-preview")
    assert endpoint.url("responses") == f"{root}/responses?api-version=2025-11-15-preview"
    assert endpoint.scope == "https://ai.azure.com/.default"
    assert endpoint.warnings == ()


def test_an_agent_application_takes_another_version_when_given() -> None:
    url = "https://r.services.ai.azure.com/api/projects/P/applications/A/protocols/openai"
    endpoint = resolve_endpoint(f"{url}?api-version=2025-11-15-preview", "2026-01-01-preview")
    assert endpoint.api_version == "2026-01-01-preview"


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("r.openai.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("r.cognitiveservices.azure.com", "https://cognitiveservices.azure.com/.default"),
        ("r.services.ai.azure.com", "https://ai.azure.com/.default"),
        ("r.services.ai.azure.com/models", "https://ai.azure.com/.default"),
        ("r.services.ai.azure.com/anthropic", "https://ai.azure.com/.default"),
        ("kimi.eastus2.models.ai.azure.com", "https://ml.azure.com/.default"),
        ("gw.example.com", "https://cognitiveservices.azure.com/.default"),
        ("notazure.us", "https://cognitiveservices.azure.com/.default"),
        ("r.openai.azure.us", "https://cognitiveservices.azure.us/.default"),
        ("R.OPENAI.AZURE.US:443", "https://cognitiveservices.azure.us/.default"),
        ("r.openai.azure.cn", "https://cognitiveservices.azure.cn/.default"),
    ],
)
def test_the_scope_follows_the_cloud(host: str, scope: str) -> None:
    assert resolve_endpoint(f"https://{host}").scope == scope


def test_the_preview_path_is_sent_only_on_request() -> None:
    endpoint = resolve_endpoint("https://gw.example.com/a", "preview", preview_path=True)
    assert endpoint.url("responses") == "https://gw.example.com/a/openai/v1/preview/responses"


def test_the_preview_path_contradicts_a_dated_version() -> None:
    with pytest.raises(ConfigurationError, match="preview_path"):
        resolve_endpoint("https://r.example.com", "2025-04-01-preview", preview_path=True)


def test_a_pasted_preview_path_becomes_the_query_value() -> None:
    endpoint = resolve_endpoint("https://r.openai.azure.com/openai/v1/preview/responses")
    assert endpoint.url("responses") == (
        "https://r.openai.azure.com/openai/v1/responses?api-version=preview"
    )
    (warning,) = endpoint.warnings
    assert "preview_path=True" in warning


def test_a_base_url_with_an_unknown_path_is_used_as_it_is() -> None:
    endpoint = resolve_endpoint("https://gw.example.com/llm/v1/", literal=True)
    assert endpoint.url("responses") == "https://gw.example.com/llm/v1/responses"


@pytest.mark.parametrize(
    "url", ["https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1"]
)
def test_a_base_url_of_a_known_shape_is_read_like_an_endpoint(url: str) -> None:
    endpoint = resolve_endpoint(url, literal=True)
    assert endpoint.url("responses") == "https://r.openai.azure.com/openai/v1/responses"


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://gw.example.com/p?subscription-key=k", "?subscription-key=k"),
        (
            "https://gw.example.com/p/openai/responses?api-version=2025-04-01-preview&code=a%26b",
            "?code=a%26b&api-version=2025-04-01-preview",
        ),
        (
            "https://gw.example.com/p/api/projects/P/openai/v1?subscription-key=k",
            "?subscription-key=k",
        ),
    ],
)
def test_other_query_parameters_are_kept_on_every_call(endpoint: str, expected: str) -> None:
    resolved = resolve_endpoint(endpoint)
    for segments in (("responses",), ("responses", "resp_1", "cancel"), ("models",)):
        assert resolved.url(*segments).endswith("/".join(segments) + expected)


@pytest.mark.parametrize(
    ("version", "query"),
    [(None, ""), ("preview", "?api-version=preview")],
)
@pytest.mark.parametrize(
    ("segments", "path"),
    [
        (("responses", "resp_1"), "/responses/resp_1"),
        (("responses", "resp_1", "cancel"), "/responses/resp_1/cancel"),
        (("responses", "resp_1", "input_items"), "/responses/resp_1/input_items"),
        (("responses", "compact"), "/responses/compact"),
        (("models",), "/models"),
        (("responses", "a/b?c#d%e f"), "/responses/a%2Fb%3Fc%23d%25e%20f"),
        (("responses", "../models"), "/responses/..%2Fmodels"),
        (("responses", "%2e%2e"), "/responses/%252e%252e"),
        (("responses", "é\r\n"), "/responses/%C3%A9%0D%0A"),
    ],
)
def test_sub_resources_are_encoded_and_keep_the_version(
    segments: tuple[str, ...], path: str, version: str | None, query: str
) -> None:
    url = resolve_endpoint("https://r.openai.azure.com", version).url(*segments)
    assert url == f"https://r.openai.azure.com/openai/v1{path}{query}"


@pytest.mark.parametrize("bad", ["", ".", "..", "\ud800", None, 7, {"id": "resp_1"}])
def test_an_id_that_cannot_stand_in_a_path_is_refused(bad: object) -> None:
    endpoint = resolve_endpoint("https://r.openai.azure.com")
    with pytest.raises(ConfigurationError, match="cannot be part of a URL"):
        endpoint.url("responses", bad)  # type: ignore[arg-type]


@given(st.text(min_size=1))
def test_no_id_leaves_its_place_in_the_path(identifier: str) -> None:
    endpoint = resolve_endpoint("https://r.openai.azure.com", "preview")
    try:
        url = endpoint.url("responses", identifier, "cancel")
    except ConfigurationError:
        assert identifier in (".", "..")
        return
    start, _, rest = url.partition("/openai/v1/responses/")
    assert start == "https://r.openai.azure.com"
    encoded, slash, tail = rest.partition("/")
    assert (slash, tail) == ("/", "cancel?api-version=preview")
    assert encoded.isascii()
    assert not set(encoded) & set("/?#\\ \r\n")


def test_call_query_is_laid_over_the_endpoint_query() -> None:
    endpoint = resolve_endpoint("https://r.openai.azure.com", "preview")
    url = endpoint.url("models", query={"api-version": "v1", "include[]": ["a", "b"]})
    assert url.endswith("/models?api-version=v1&include%5B%5D=a&include%5B%5D=b")


@pytest.mark.parametrize(
    ("url", "is_encrypted", "is_loopback"),
    [
        ("https://r.openai.azure.com", True, False),
        ("http://r.openai.azure.com", False, False),
        ("http://localhost:8080", True, True),
        ("http://emulator.localhost", True, True),
        ("http://127.0.0.1:1", True, True),
        ("http://127.8.9.10", True, True),
        ("http://[::1]:8080/x", True, True),
        ("https://[::1]", True, True),
        ("http://localhost.example.com", False, False),
        ("http://127.0.0.1.example.com", False, False),
        ("http://notlocalhost", False, False),
        ("http://[::2]", False, False),
        ("http://0.0.0.0", False, False),
    ],
)
def test_only_https_and_loopback_may_carry_a_secret(
    url: str, is_encrypted: bool, is_loopback: bool
) -> None:
    endpoint = resolve_endpoint(url)
    assert (endpoint.is_encrypted, endpoint.is_loopback) == (is_encrypted, is_loopback)


def test_a_repr_shows_no_subscription_key() -> None:
    endpoint = resolve_endpoint("https://gw.example.com/p?subscription-key=hush-hush")
    assert "hush-hush" not in repr(endpoint)
    assert pickle.loads(pickle.dumps(endpoint)) == endpoint
    assert isinstance(endpoint, Endpoint)


def test_a_version_that_yaml_took_for_a_date_is_that_version() -> None:
    version: Any = date(2024, 10, 21)
    with pytest.raises(ConfigurationError, match="2024-10-21"):
        resolve_endpoint("https://r.openai.azure.com", version, strict_api_version=True)
    with pytest.raises(ConfigurationError, match="not an Azure API version"):
        resolve_endpoint("https://r.openai.azure.com", cast(Any, 5))


_FOUNDRY = "https://r.services.ai.azure.com"
_V1 = f"{_FOUNDRY}/openai/v1"
_MESSAGES = f"{_FOUNDRY}/anthropic/v1/messages"


@pytest.mark.parametrize("deployment", ["kimi-k2.5", "my gpt/2"])
@pytest.mark.parametrize(
    ("pasted", "responses", "chat", "messages"),
    [
        (_FOUNDRY, f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/openai/", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_V1}/", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_V1}/responses", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_V1}/chat/completions", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/anthropic", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/anthropic/v1", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (_MESSAGES, f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_MESSAGES}/count_tokens", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/models", f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview",
            f"{_V1}/responses", f"{_V1}/chat/completions", _MESSAGES),
        ("https://r.openai.azure.com", "https://r.openai.azure.com/openai/v1/responses",
            "https://r.openai.azure.com/openai/v1/chat/completions", _MESSAGES),
        ("r.cognitiveservices.azure.com:443",
            "https://r.cognitiveservices.azure.com:443/openai/v1/responses",
            "https://r.cognitiveservices.azure.com:443/openai/v1/chat/completions",
            "https://r.services.ai.azure.com:443/anthropic/v1/messages"),
        (f"{_FOUNDRY}/api/projects/P", f"{_FOUNDRY}/api/projects/P/openai/v1/responses",
            f"{_FOUNDRY}/api/projects/P/openai/v1/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/api/projects/P/models/chat/completions",
            f"{_FOUNDRY}/api/projects/P/openai/v1/responses",
            f"{_FOUNDRY}/api/projects/P/openai/v1/chat/completions", _MESSAGES),
        (f"{_FOUNDRY}/api/projects/P/anthropic/v1/messages", f"{_V1}/responses",
            f"{_V1}/chat/completions", _MESSAGES),
        ("https://gw.example.com/team?code=k", "https://gw.example.com/team/openai/v1/responses?code=k",
            "https://gw.example.com/team/openai/v1/chat/completions?code=k",
            "https://gw.example.com/team/anthropic/v1/messages?code=k"),
        ("https://gw.example.com/team/anthropic", "https://gw.example.com/team/openai/v1/responses",
            "https://gw.example.com/team/openai/v1/chat/completions",
            "https://gw.example.com/team/anthropic/v1/messages"),
        ("https://gw.example.com/models", "https://gw.example.com/models/openai/v1/responses",
            "https://gw.example.com/models/openai/v1/chat/completions",
            "https://gw.example.com/models/anthropic/v1/messages"),
        (f"{_FOUNDRY}/openai/responses?api-version=preview",
            f"{_V1}/responses?api-version=preview",
            f"{_V1}/chat/completions?api-version=preview", _MESSAGES),
    ],
)  # fmt: skip
def test_any_pasted_form_gives_the_urls_of_all_three_apis(
    pasted: str, responses: str, chat: str, messages: str, deployment: str
) -> None:
    endpoint = resolve_endpoint(pasted)
    assert endpoint.url("responses") == responses
    assert endpoint.chat_url(deployment) == chat
    assert endpoint.messages_url() == messages
    path, mark, query = messages.partition("?")
    assert endpoint.messages_url(counts_tokens=True) == f"{path}/count_tokens{mark}{query}"


def test_chat_completions_of_a_dated_version_are_below_their_deployment() -> None:
    endpoint = resolve_endpoint("https://r.openai.azure.com", "2025-04-01-preview")
    assert endpoint.chat_url("my gpt") == (
        "https://r.openai.azure.com/openai/deployments/my%20gpt/chat/completions"
        "?api-version=2025-04-01-preview"
    )
    assert endpoint.messages_url() == _MESSAGES


@pytest.mark.parametrize(
    "tail",
    ["/models", "/models/", "/Models/chat/completions", "/models/info?api-version=2024-05-01"],
)
def test_the_older_inference_api_becomes_v1_of_the_same_resource_and_says_so(tail: str) -> None:
    endpoint = resolve_endpoint(f"{_FOUNDRY}{tail}")
    assert endpoint.url("responses") == f"{_V1}/responses"
    (warning,) = endpoint.warnings
    assert "models_path=True" in warning
    assert endpoint.api is None


@pytest.mark.parametrize(
    ("pasted", "version", "sent"),
    [
        (f"{_FOUNDRY}/models", None, "2024-05-01-preview"),
        (_FOUNDRY, "v1", "2024-05-01-preview"),
        (f"{_FOUNDRY}/models/chat/completions?api-version=2024-05-01-preview", None,
            "2024-05-01-preview"),
        (f"{_FOUNDRY}/models", "2025-05-01", "2025-05-01"),
    ],
)  # fmt: skip
def test_the_older_inference_api_is_called_on_request(
    pasted: str, version: str | None, sent: str
) -> None:
    endpoint = resolve_endpoint(pasted, version, models_path=True)
    assert endpoint.chat_url("kimi") == f"{_FOUNDRY}/models/chat/completions?api-version={sent}"
    assert endpoint.api == "chat"
    assert endpoint.warnings == ()


@pytest.mark.parametrize(
    ("tail", "path"),
    [
        ("", "/chat/completions"),
        ("/", "/chat/completions"),
        ("/chat/completions", "/chat/completions"),
        ("/v1", "/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/chat/completions?api-version=2024-05-01-preview",
            "/chat/completions?api-version=2024-05-01-preview"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [None, "v1", "2024-10-21"])
def test_a_serverless_endpoint_speaks_chat_only(tail: str, path: str, version: str | None) -> None:
    host = "https://kimi-x.eastus2.models.ai.azure.com"
    endpoint = resolve_endpoint(host + tail, version)
    assert endpoint.chat_url("kimi") == host + path
    assert endpoint.api == "chat"
    with pytest.raises(ConfigurationError, match="chat completions only"):
        endpoint.messages_url()


def test_a_pasted_url_of_one_api_tells_which() -> None:
    assert resolve_endpoint(f"{_FOUNDRY}/anthropic").api == "messages"
    agent = f"{_FOUNDRY}/api/projects/P/agents/a1/endpoint/protocols/openai"
    assert resolve_endpoint(agent).api == "responses"
    assert resolve_endpoint(f"{_V1}/chat/completions").api is None


def test_messages_name_their_version_in_a_header() -> None:
    endpoint = resolve_endpoint(_FOUNDRY)
    assert endpoint.headers_of("messages") == {"anthropic-version": "2023-06-01"}
    assert endpoint.headers_of("chat") == endpoint.headers_of("responses") == {}


def test_the_older_inference_api_passes_on_what_it_does_not_know() -> None:
    for endpoint in (
        resolve_endpoint(f"{_FOUNDRY}/models", models_path=True),
        resolve_endpoint("https://kimi.eastus2.models.ai.azure.com"),
    ):
        assert endpoint.headers_of("chat") == {"extra-parameters": "pass-through"}


@pytest.mark.parametrize("tail", ["", "/openai/v1", "/anthropic", "/models"])
@pytest.mark.parametrize("version", ["2024-05-01-preview", "2025-04-01-preview"])
def test_no_dated_version_is_sent_for_models_that_are_not_of_openai(
    tail: str, version: str
) -> None:
    endpoint = resolve_endpoint(_FOUNDRY + tail, version, is_foundry=True)
    assert endpoint.url("responses") == f"{_V1}/responses"
    assert len(endpoint.warnings) == 1


def test_a_version_without_a_date_is_sent_for_every_model() -> None:
    endpoint = resolve_endpoint(_FOUNDRY, "preview", is_foundry=True)
    assert endpoint.url("responses") == f"{_V1}/responses?api-version=preview"
    assert endpoint.warnings == ()


_ROOTS = st.sampled_from([_FOUNDRY, "https://r.openai.azure.com", "https://gw.example.com/a/b"])
_TAILS = st.sampled_from(
    ["", "/", "/openai", "/openai/v1", "/openai/v1/chat/completions", "/openai/v1/responses/resp_1",
     "/anthropic", "/anthropic/v1/messages", "/models/chat/completions",
     "/openai/deployments/d/chat/completions"]
)  # fmt: skip


@given(_ROOTS, _TAILS, st.booleans(), st.sampled_from(["", "?api-version=2024-05-01-preview"]))
def test_all_forms_of_a_resource_lead_to_the_same_urls(
    root: str, tail: str, is_upper: bool, query: str
) -> None:
    pasted = root + (tail.upper() if is_upper else tail) + query
    wanted = resolve_endpoint(root)
    endpoint = resolve_endpoint(pasted, is_foundry=True)
    assert endpoint.resource == wanted.resource
    assert endpoint.url("responses") == wanted.url("responses")
    assert endpoint.chat_url("d") == wanted.chat_url("d")
    assert endpoint.messages_url() == wanted.messages_url()


@pytest.mark.parametrize(
    ("endpoint", "version", "path"),
    [
        ("r.openai.azure.com", None, "/openai/v1/images/edits"),
        ("r.openai.azure.com", "preview", "/openai/v1/images/edits?api-version=preview"),
        (
            "r.openai.azure.com",
            "2025-04-01-preview",
            "/openai/deployments/my%20d/images/edits?api-version=2025-04-01-preview",
        ),
        # Responses are called without this version, which lacks them.
        (
            "r.openai.azure.com",
            "2024-10-21",
            "/openai/deployments/my%20d/images/edits?api-version=2024-10-21",
        ),
        ("r.services.ai.azure.com/api/projects/p", None, "/api/projects/p/openai/v1/images/edits"),
    ],
)
def test_other_apis_have_the_deployment_in_the_path_of_dated_versions(
    endpoint: str, version: str | None, path: str
) -> None:
    found = resolve_endpoint(f"https://{endpoint}", version)
    url = found.deployment_url("my d", "images", "edits")
    assert url == f"https://{endpoint.partition('/')[0]}{path}"


@pytest.mark.parametrize(
    ("endpoint", "version", "expected"),
    [
        ("https://r.openai.azure.com", None, "wss://r.openai.azure.com/openai/v1/responses"),
        ("https://r.openai.azure.com", "preview", "wss://r.openai.azure.com/openai/v1/responses"),
        (
            "https://r.openai.azure.com/openai/v1/?api-version=preview&k=s",
            None,
            "wss://r.openai.azure.com/openai/v1/responses?k=s",
        ),
        (
            "https://gw.example.com:8443/team/openai/v1",
            None,
            "wss://gw.example.com:8443/team/openai/v1/responses",
        ),
        ("http://127.0.0.1:8080", None, "ws://127.0.0.1:8080/openai/v1/responses"),
        ("https://r.openai.azure.com", "2025-04-01-preview", None),
        ("https://r.services.ai.azure.com", None, None),
        ("https://r.services.ai.azure.com/api/projects/p", None, None),
        ("https://r.services.ai.azure.com/anthropic", None, None),
        ("https://r.eastus2.models.ai.azure.com", None, None),
    ],
)
def test_a_websocket_is_at_the_v1_url_of_a_resource(
    endpoint: str, version: str | None, expected: str | None
) -> None:
    assert resolve_endpoint(endpoint, version).websocket_url() == expected


@pytest.mark.parametrize(
    ("endpoint", "version", "expected"),
    [
        ("https://r.services.ai.azure.com", None, "/openai/v1/responses"),
        (
            "https://r.services.ai.azure.com/api/projects/p",
            None,
            "/api/projects/p/openai/v1/responses",
        ),
        ("https://r.services.ai.azure.com/anthropic", None, None),
        ("https://r.openai.azure.com", "2025-04-01-preview", None),
    ],
)
def test_a_websocket_that_no_page_names_can_be_tried(
    endpoint: str, version: str | None, expected: str | None
) -> None:
    found = resolve_endpoint(endpoint, version).websocket_url(is_undocumented_tried=True)
    assert found == (expected and f"wss://r.services.ai.azure.com{expected}")
