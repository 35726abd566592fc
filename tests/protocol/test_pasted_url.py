"""Taking apart whatever URL a user pasted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.pasted_url import Shape, read_pasted_url


@pytest.mark.parametrize(
    ("url", "shape", "prefix"),
    [
        ("https://r.openai.azure.com", "root", ""),
        ("https://r.openai.azure.com///", "root", ""),
        ("https://r.openai.azure.com/OpenAI/", "root", ""),
        ("https://gw.example.com/a/b", "root", "/a/b"),
        ("https://gw.example.com/openai-proxy/openai", "root", "/openai-proxy"),
        ("https://gw.example.com/myopenai", "root", "/myopenai"),
        ("https://r.openai.azure.com/openai/v1", "v1", ""),
        ("https://r.openai.azure.com/OPENAI/V1/", "v1", ""),
        ("https://r.openai.azure.com/openai/v1/responses/resp_1/cancel", "v1", ""),
        ("https://r.openai.azure.com/openai/v1/preview", "v1", ""),
        ("https://gw.example.com/x/openai/v1/chat/completions", "v1", "/x"),
        ("https://r.openai.azure.com/openai/v10", "root", "/openai/v10"),
        ("https://r.openai.azure.com/openai/responses", "responses", ""),
        ("https://r.openai.azure.com/openai/responses/resp_1", "responses", ""),
        ("https://r.openai.azure.com/openai/deployments/d", "deployment", ""),
        ("https://gw.example.com/p/openai/deployments/d/responses", "deployment", "/p"),
        ("https://r.services.ai.azure.com/api/projects/P", "project", "/api/projects/P/openai/v1"),
        (
            "https://gw.example.com/f/API/Projects/P/openai/v1/",
            "project",
            "/f/API/Projects/P/openai/v1",
        ),
        (
            "https://r.services.ai.azure.com/api/projects/P/applications/A/protocols/openai",
            "agent",
            "/api/projects/P/applications/A/protocols/openai",
        ),
        ("https://r.services.ai.azure.com/models", "models", ""),
        ("https://r.services.ai.azure.com/models/chat/completions", "models", ""),
        ("https://gw.example.com/x/models/chat/completions", "models", "/x"),
        ("https://gw.example.com/models", "root", "/models"),
        ("https://r.services.ai.azure.com/anthropic/v1/messages", "messages", ""),
        ("https://gw.example.com/x/Anthropic/", "messages", "/x"),
        ("https://r.services.ai.azure.com/api/projects/P/anthropic", "messages", ""),
        ("https://gw.example.com/anthropic-proxy", "root", "/anthropic-proxy"),
        ("https://k.eastus2.models.ai.azure.com/v1/chat/completions", "serverless", "/v1"),
        ("https://K.EastUS2.inference.ai.azure.com", "serverless", ""),
        ("https://models.ai.azure.com.example.com", "root", ""),
    ],
)
def test_shapes(url: str, shape: Shape, prefix: str) -> None:
    pasted = read_pasted_url(url)
    assert (pasted.shape, pasted.prefix) == (shape, prefix)


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("r.openai.azure.com", "https://r.openai.azure.com", "r.openai.azure.com"),
        ("  https://r.openai.azure.com/ ", "https://r.openai.azure.com", "r.openai.azure.com"),
        ("HTTPS://R.OpenAI.Azure.COM:443", "https://r.openai.azure.com:443", "r.openai.azure.com"),
        ("http://[::1]:8080/", "http://[::1]:8080", "::1"),
        ("localhost:8080/openai", "https://localhost:8080", "localhost"),
    ],
)
def test_origins(url: str, origin: str, host: str) -> None:
    pasted = read_pasted_url(url)
    assert (pasted.origin, pasted.host) == (origin, host)


@pytest.mark.parametrize(
    ("query", "version", "rest"),
    [
        ("", None, {}),
        ("?api-version=", None, {}),
        ("?API-Version=preview", "preview", {}),
        ("?api-version=2024-10-21&api-version=preview", "preview", {}),
        ("?subscription-key=k&flag=", None, {"subscription-key": "k", "flag": ""}),
        ("?api-version=preview#section", "preview", {}),
    ],
)
def test_queries(query: str, version: str | None, rest: dict[str, str]) -> None:
    pasted = read_pasted_url(f"https://r.openai.azure.com/openai/responses{query}")
    assert (pasted.api_version, pasted.query) == (version, rest)


def test_a_preview_path_is_a_version_and_a_warning() -> None:
    pasted = read_pasted_url("https://r.openai.azure.com/openai/v1/preview/responses")
    assert pasted.api_version == "preview"
    assert len(pasted.warnings) == 1


def test_a_version_in_the_query_is_more_exact_than_a_preview_path() -> None:
    url = "https://r.openai.azure.com/openai/v1/preview?api-version=v1"
    assert read_pasted_url(url).api_version == "v1"


def test_a_deployment_is_decoded() -> None:
    url = "https://r.openai.azure.com/openai/deployments/gpt%2D5%20mini/chat/completions"
    assert read_pasted_url(url).deployment == "gpt-5 mini"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "not an https URL"),
        ("   ", "not an https URL"),
        ("https://", "not an https URL"),
        ("https:///openai/v1", "not an https URL"),
        ("ftp://r.openai.azure.com", "not an https URL"),
        ("file:///etc/passwd", "not an https URL"),
        ("https://r.openai.azure.com:port", "not a URL"),
        ("https://r.openai.azure.com:99999", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://user:pass@r.openai.azure.com", "user name or password"),
        ("https://key@r.openai.azure.com", "user name or password"),
        ("https://r.openai.azure.com/ open ai", "white space"),
        ("https://r.openai.azure.com\\@evil.example.com", "backslash"),
        ("https://r.openai.azure.com/\r\nHost: evil", "control character"),
        ("https://r.openai.azure.com/\x00", "control character"),
        ("https://portal.azure.com/#@tenant/resource/r", "page of the portal"),
        ("https://ai.azure.com/resource/overview?wsid=1", "page of the portal"),
    ],
)
def test_an_unusable_url_is_refused_with_a_way_out(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_pasted_url(url)
    assert caught.value.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://user:hush@r.openai.azure.com",
        "ftp://gw.example.com/?subscription-key=hush",
        "https://gw.example.com:x/?subscription-key=hush",
    ],
)
def test_a_refusal_repeats_no_secret(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_pasted_url(url)
    assert "hush" not in str(caught.value)


def test_a_repr_shows_no_subscription_key() -> None:
    assert "hush" not in repr(read_pasted_url("https://gw.example.com?subscription-key=hush"))


@given(st.text())
def test_any_text_is_read_or_refused_clearly(text: str) -> None:
    try:
        pasted = read_pasted_url(text)
    except ConfigurationError:
        return
    assert pasted.origin.startswith(("https://", "http://"))
    assert pasted.host
    assert not pasted.prefix.endswith("/")


@pytest.mark.parametrize(
    "url",
    [
        '"https://r.openai.azure.com"',
        "'https://r.openai.azure.com'",
        "https://<resource>.openai.azure.com",
        "https://{resource}.openai.azure.com",
        "https://r.openai.azure.com,",
        "https://*.openai.azure.com",
    ],
)
def test_quotes_and_what_was_to_be_filled_in_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="no host name has") as caught:
        read_pasted_url(url)
    assert caught.value.hint


@pytest.mark.parametrize("given", [5, b"https://r.openai.azure.com", None])
def test_what_is_no_text_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"a {type(given).__name__}, not a string"):
        read_pasted_url(given)


@pytest.mark.parametrize("path", ["/a/../b", "/a/./b", "/..", "/."])
def test_a_path_that_walks_is_refused(path: str) -> None:
    # httpx walks along, aiohttp sends it as it is.
    with pytest.raises(ConfigurationError, match="path"):
        read_pasted_url(f"https://gw.example.com{path}")


def test_a_url_becomes_ascii_once_for_both_clients() -> None:
    pasted = read_pasted_url('https://MÜNCHEN.example:8443/é%C3%A9/a"b/%2F')
    assert pasted.origin == "https://xn--mnchen-3ya.example:8443"
    assert pasted.prefix == "/%C3%A9%C3%A9/a%22b/%2F"


def test_a_host_that_has_no_ascii_form_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="host name"):
        read_pasted_url(f"https://{'ü' * 70}.example")
