"""How clients are made, shown, copied and closed."""

import copy
import pickle
import subprocess
import sys
import uuid
from typing import Any

import httpx
import pytest

from azure_responses import AsyncAzureResponses, AzureResponses, ConfigurationError
from azure_responses.call_options import new_call_id
from azure_responses.emulator import Emulator
from tests.tree import PACKAGE

_CLIENTS = [AzureResponses, AsyncAzureResponses]
_ENDPOINT = "https://r.openai.azure.com"


@pytest.mark.parametrize("kind", _CLIENTS)
def test_a_repr_names_the_endpoint_and_never_the_secret(kind: Any) -> None:
    client = kind(_ENDPOINT, api_key="s3cret-key", deployment="d")
    assert "https://r.openai.azure.com/openai/v1" in repr(client)
    assert "api_key" in repr(client)
    assert "s3cret-key" not in repr(client)


@pytest.mark.parametrize("kind", _CLIENTS)
@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.deepcopy])
def test_a_client_is_neither_pickled_nor_copied(kind: Any, duplicate: Any) -> None:
    with pytest.raises(TypeError, match="cannot be pickled"):
        duplicate(kind(_ENDPOINT, api_key="k"))


@pytest.mark.parametrize("kind", _CLIENTS)
def test_a_secret_does_not_travel_over_plain_http(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="plain http"):
        kind("http://r.example.com", api_key="k")
    assert kind("http://r.example.com", api_key="k", allow_insecure=True)
    assert kind("http://localhost:8080", api_key="k")


@pytest.mark.parametrize("kind", _CLIENTS)
def test_an_http_client_of_the_wrong_kind_is_refused(kind: Any) -> None:
    wrong = httpx.AsyncClient() if kind is AzureResponses else httpx.Client()
    with pytest.raises(ConfigurationError, match="http_client"):
        kind(_ENDPOINT, api_key="k", http_client=wrong)


@pytest.mark.parametrize("kind", _CLIENTS)
def test_an_argument_that_does_not_exist_is_refused(kind: Any) -> None:
    with pytest.raises(TypeError, match="api_keyy"):
        kind(_ENDPOINT, api_keyy="k")
    with pytest.raises(TypeError, match="max_retrys"):
        kind(_ENDPOINT, api_key="k").with_options(max_retrys=1)


@pytest.mark.parametrize("kind", _CLIENTS)
def test_a_timeout_of_no_time_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="timeout is 0"):
        kind(_ENDPOINT, api_key="k", timeout=0)
    with pytest.raises(ConfigurationError, match="timeout is -1"):
        kind(_ENDPOINT, api_key="k").with_options(timeout=-1)


@pytest.mark.parametrize("kind", _CLIENTS)
@pytest.mark.parametrize("retries", [-1, 1.5, "2"])
def test_retries_are_a_whole_number_from_0(kind: Any, retries: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_retries"):
        kind(_ENDPOINT, api_key="k", max_retries=retries)


@pytest.mark.parametrize("kind", _CLIENTS)
def test_an_async_credential_is_for_the_async_client_only(kind: Any) -> None:
    credential = Emulator().async_token_credential()
    if kind is AsyncAzureResponses:
        assert kind(_ENDPOINT, credential=credential)
        return
    with pytest.raises(ConfigurationError, match="async"):
        kind(_ENDPOINT, credential=credential)


@pytest.mark.parametrize(
    "header", [{"x-a": "b\r\nx-evil: 1"}, {"x-a\r\nx-evil": "1"}, {"x a": "b"}, {"x-a": 1}]
)
def test_a_header_cannot_smuggle_in_another(header: Any) -> None:
    with pytest.raises(ConfigurationError, match="header"):
        AzureResponses(_ENDPOINT, api_key="k", default_headers=header)
    client = AzureResponses(_ENDPOINT, api_key="k")
    with pytest.raises(ConfigurationError, match="header"):
        client.responses.create(model="m", input="x", extra_headers=header)


def test_a_given_http_client_is_used_with_its_own_headers_and_left_open() -> None:
    emulator = Emulator()
    transport = emulator.httpx_transport()
    with httpx.Client(transport=transport, headers={"x-team": "blue"}) as http_client:
        with AzureResponses(
            emulator.endpoint, api_key=emulator.api_key, http_client=http_client
        ) as client:
            client.responses.create(model="gpt-4.1", input="hi")
        assert not http_client.is_closed
    assert next(iter(emulator.requests)).headers["x-team"] == "blue"


def test_a_credential_header_of_the_caller_replaces_ours() -> None:
    emulator = Emulator()
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(emulator.endpoint, api_key="wrong", http_client=http_client) as client,
    ):
        client.responses.create(
            model="gpt-4.1", input="hi", extra_headers={"Authorization": "Bearer emulator-key"}
        )
    headers = next(iter(emulator.requests)).headers
    assert "api-key" not in headers


@pytest.mark.parametrize(
    "arguments",
    [
        {"azure_endpoint": _ENDPOINT, "azure_deployment": "d"},
        {"endpoint": _ENDPOINT, "deployment": "d"},
        {"base_url": f"{_ENDPOINT}/openai/v1/", "deployment": "d"},
        {"endpoint": f"{_ENDPOINT}/openai/deployments/d/chat/completions"},
    ],
)
def test_the_names_of_openai_azureopenai_work(arguments: dict[str, Any]) -> None:
    client = AzureResponses(api_key="k", **arguments)
    assert "endpoint='https://r.openai.azure.com/openai/v1'" in repr(client)
    assert "deployment='d'" in repr(client)


def test_the_first_call_imports_azure_identity_only_without_a_key() -> None:
    code = (
        "import sys\n"
        "from azure_responses import AzureResponses\n"
        "AzureResponses('https://r.openai.azure.com', api_key='k')\n"
        "assert 'azure.identity' not in sys.modules\n"
        "AzureResponses('https://r.openai.azure.com')\n"
        "assert 'azure.identity' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=PACKAGE.parent)


def test_the_first_page_of_input_items_is_there_without_iterating() -> None:
    emulator = Emulator()
    with (
        httpx.Client(transport=emulator.httpx_transport()) as http_client,
        AzureResponses(
            emulator.endpoint, api_key=emulator.api_key, http_client=http_client
        ) as client,
    ):
        messages = [{"role": "user", "content": str(number)} for number in range(3)]
        raw = client.responses.with_raw_response.create(model="gpt-4.1", input=messages)
        assert repr(raw) == f"RawResponse(status_code=200, request_id={raw.request_id!r})"
        page = client.responses.input_items.list(raw.parse().id, limit=2)
        assert len(page.data) == 2
        assert page.has_more


def test_the_id_of_a_call_is_a_random_uuid() -> None:
    ids = {new_call_id() for _ in range(100)}
    assert len(ids) == 100
    for id_ in ids:
        found = uuid.UUID(id_)
        assert (found.version, found.variant, str(found)) == (4, uuid.RFC_4122, id_)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"api": "chats"}, "api is 'chats'"),
        ({"facts": "kimi"}, "facts is a str"),
        ({"facts": {"my-kimi": [1]}}, "facts of a model"),
        ({"facts": {"my-kimi": {"takes_nothing": True}}}, "'takes_nothing' is not a fact"),
        ({"hosted_history": "keep"}, "hosted_history is 'keep'"),
        ({"sealing_secret": 7}, "sealing_secret is a int"),
        ({"response_store": {}}, "response_store is of type dict"),
    ],
)
def test_a_wrong_argument_about_conversions_is_refused_at_once(
    argument: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        AzureResponses("https://r.services.ai.azure.com", api_key="k" * 32, **argument)
    assert caught.value.hint
