"""Clients that are made as openai.AzureOpenAI is, their attributes, and copies of them."""

import inspect
from typing import Any

import httpx
import openai
import pytest

from azure_responses import (
    AsyncAzureOpenAI,
    AsyncAzureResponses,
    AuthenticationError,
    AzureOpenAI,
    AzureResponses,
    ConfigurationError,
)
from azure_responses.call_options import ClientArguments, CopyArguments
from azure_responses.emulator import Emulator, Resource

_CLIENTS: list[Any] = [AzureResponses, AsyncAzureResponses]
_ENDPOINT = "https://r.openai.azure.com"
# What a copy of theirs may change and ours not, with the reason.
_NOT_HERE = {
    "self",
    "_extra_kwargs",
    # Azure's endpoint says where data stays.
    "data_residency",
}


def test_the_openai_packages_names_are_the_same_classes() -> None:
    assert AzureOpenAI is AzureResponses
    assert AsyncAzureOpenAI is AsyncAzureResponses


def test_every_argument_of_azure_openai_is_known() -> None:
    theirs = {*inspect.signature(openai.AzureOpenAI.__init__).parameters}
    ours = {*ClientArguments.__annotations__, "endpoint", "http_client"}
    assert theirs - ours == {"self"}
    copied = {*inspect.signature(openai.AzureOpenAI.copy).parameters}
    assert copied - {*CopyArguments.__annotations__} == _NOT_HERE


@pytest.mark.parametrize("kind", _CLIENTS)
def test_an_argument_that_means_nothing_to_azure_is_sent_or_refused(kind: Any) -> None:
    client = kind(
        azure_endpoint=_ENDPOINT,
        azure_deployment="d",
        api_version="2025-04-01-preview",
        api_key="k" * 32,
        organization="org-1",
        project="proj-1",
        timeout=openai.Timeout(20, connect=3),
        max_retries=4,
        default_headers={"X-A": "b"},
        default_query={"q": "1"},
        _strict_response_validation=False,
        _enforce_credentials=True,
    )
    assert client.default_headers["OpenAI-Organization"] == "org-1"
    assert client.default_headers["openai-project"] == "proj-1"
    assert client.default_headers["x-a"] == "b"
    assert (client.default_query, client.max_retries) == ({"q": "1"}, 4)
    assert client.timeout == httpx.Timeout(20, connect=3)
    assert (client.api_key, client.deployment) == ("k" * 32, "d")
    assert str(client.base_url) == f"{_ENDPOINT}/openai/"


@pytest.mark.parametrize("kind", _CLIENTS)
@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("websocket_base_url", "wss://elsewhere.example", "connect"),
        ("admin_api_key", "k", "leave it out"),
        ("workload_identity", {"a": 1}, "WorkloadIdentityCredential"),
        ("_strict_response_validation", True, "UnreadableResponseError"),
        ("api_key", lambda: "k", "azure_ad_token_provider"),
    ],
)
def test_an_argument_without_counterpart_is_refused_with_what_to_do(
    kind: Any, name: str, value: Any, hint: str
) -> None:
    with pytest.raises(ConfigurationError, match=name) as refused:
        kind(_ENDPOINT, **{name: value})
    assert hint in str(refused.value.hint)


@pytest.mark.parametrize("kind", _CLIENTS)
def test_attributes_say_what_a_client_is_made_of(kind: Any) -> None:
    client = kind(_ENDPOINT, azure_ad_token_provider=lambda: "t")
    assert client.api_key is None
    assert (client.timeout, client.max_retries) == (600.0, 2)
    assert (dict(client.default_headers), client.default_query) == ({}, {})
    assert client.base_url == httpx.URL(f"{_ENDPOINT}/openai/v1/")
    assert not client.is_closed()


def test_a_copy_adds_headers_or_replaces_them() -> None:
    client = AzureResponses(_ENDPOINT, api_key="k", default_headers={"a": "1"})
    assert dict(client.copy(default_headers={"b": "2"}).default_headers) == {"a": "1", "b": "2"}
    assert dict(client.copy(set_default_headers={"b": "2"}).default_headers) == {"b": "2"}
    assert client.copy(set_default_query={"q": "1"}).default_query == {"q": "1"}
    assert dict(client.copy(organization="o").default_headers) == {
        "a": "1",
        "openai-organization": "o",
    }


def test_a_copy_may_call_with_another_key_over_the_same_connections() -> None:
    emulator = Emulator([Resource("east", keys=["one", "two"])])
    with httpx.Client(transport=emulator.httpx_transport()) as http_client:
        client = AzureResponses(emulator.endpoint, api_key="one", http_client=http_client)
        other = client.with_options(api_key="two")
        assert other.responses.create(model="gpt-4.1", input="x").status == "completed"
        with pytest.raises(AuthenticationError):
            client.copy(api_key="three").responses.create(model="gpt-4.1", input="x")
        assert client.responses.create(model="gpt-4.1", input="x").status == "completed"
    assert [request.status for request in emulator.requests] == [200, 401, 200]


def test_a_copy_with_a_token_has_no_key() -> None:
    client = AzureResponses(_ENDPOINT, api_key="k" * 32)
    assert client.with_options(azure_ad_token="t" * 32).api_key is None
    with pytest.raises(ConfigurationError, match="api_key and credential"):
        client.with_options(api_key="k", credential=Emulator().token_credential())


def test_a_copy_may_call_another_resource_and_deployment() -> None:
    client = AzureResponses(f"{_ENDPOINT}/openai/deployments/d/chat/completions", api_key="k")
    other = client.copy(azure_endpoint="https://o.openai.azure.com", azure_deployment="e")
    assert (other.base_url.host, other.deployment) == ("o.openai.azure.com", "e")
    assert other.api_key == "k"
    dated = client.copy(api_version="2025-04-01-preview")
    assert str(dated.base_url) == f"{_ENDPOINT}/openai/"
    assert (client.deployment, dated.deployment) == ("d", "d")
    assert str(client.copy(base_url="https://b.example/openai/v1").base_url).startswith(
        "https://b.example/"
    )


def test_a_copy_does_not_read_the_environment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", _ENDPOINT)
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "from the environment".replace(" ", "-"))
    client = AzureResponses()
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", "another")
    copy = client.copy(api_version="2025-04-01-preview", drop_params=True)
    assert copy.base_url.host == "r.openai.azure.com"
    assert copy.api_key == "from-the-environment"


def test_a_copy_may_have_an_http_client_of_its_own() -> None:
    emulator = Emulator()
    client = AzureResponses(emulator.endpoint, api_key=emulator.api_key)
    with httpx.Client(transport=emulator.httpx_transport()) as http_client:
        other = client.copy(http_client=http_client)
        assert other.responses.create(model="gpt-4.1", input="x").status == "completed"
    with pytest.raises(ConfigurationError, match="http_client"):
        client.copy(http_client=httpx.AsyncClient())


def test_a_copy_with_other_callbacks_or_network_settings_has_them() -> None:
    emulator = Emulator()
    seen: list[Any] = []
    with httpx.Client(transport=emulator.httpx_transport()) as http_client:
        client = AzureResponses(emulator.endpoint, api_key="k", http_client=http_client)
        told = client.copy(
            api_key=emulator.api_key, on_response=seen.append, http_client=http_client
        )
        told.responses.create(model="gpt-4.1", input="x")
        assert len(seen) == 1
        told.copy(max_retries=0).responses.create(model="gpt-4.1", input="x")
    assert len(seen) == 2
    assert client.copy(verify=False).base_url == client.base_url


def test_closing_a_copy_leaves_the_client_open() -> None:
    client = AzureResponses(_ENDPOINT, api_key="k")
    with client.copy(max_retries=0) as copy:
        assert not copy.is_closed()
    assert copy.is_closed()
    assert not client.is_closed()
    client.close()
    assert client.is_closed()


@pytest.mark.anyio
async def test_an_async_client_is_closed_under_either_name() -> None:
    for name in ("close", "aclose"):
        client = AsyncAzureResponses(_ENDPOINT, api_key="k")
        await getattr(client, name)()
        assert client.is_closed()


@pytest.mark.parametrize("kind", _CLIENTS)
def test_what_the_openai_package_marks_as_not_given_is_left_out(kind: Any) -> None:
    given: dict[str, Any] = {"timeout": openai.NOT_GIVEN, "max_retries": openai.omit}
    client = kind(base_url=httpx.URL(f"{_ENDPOINT}/openai/v1"), api_key="k", **given)
    assert (client.timeout, client.max_retries) == (600.0, 2)
    assert str(client.base_url) == f"{_ENDPOINT}/openai/v1/"


@pytest.mark.parametrize("kind", _CLIENTS)
def test_a_resource_that_is_not_here_says_what_to_do(kind: Any) -> None:
    client = kind(_ENDPOINT, api_key="k")
    with pytest.raises(AttributeError, match="'embeddings': keep an openai client"):
        _ = client.embeddings
    with pytest.raises(AttributeError, match=r"has no attribute 'no_such'$"):
        _ = client.no_such
    assert not hasattr(client, "moderations")
