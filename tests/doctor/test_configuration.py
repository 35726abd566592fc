"""Which step wrong arguments belong to."""

from typing import Any

import httpx
import pytest

from azure_responses.doctor.diagnose import (
    check_endpoint,
    describe_version,
    diagnose,
    read_configuration,
    sent_version,
)
from azure_responses.protocol.endpoint import resolve_endpoint

_URL = "https://r.openai.azure.com"


def test_good_arguments_have_no_fault() -> None:
    reading = read_configuration({}, _URL, {"api_key": "k"})
    assert reading.settings is not None
    assert (reading.step, reading.error) == (None, None)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "environ", "step", "words"),
    [
        (None, {}, {}, "endpoint", "No endpoint"),
        ("https://portal.azure.com/x", {}, {}, "endpoint", "portal"),
        ("ftp://r", {}, {}, "endpoint", "not an https URL"),
        ("http://r.example.com", {"api_key": "k"}, {}, "endpoint", "plain http"),
        (_URL, {"api_key": ""}, {}, "credential", "empty"),
        (_URL, {"api_key": "k", "azure_ad_token": "t"}, {}, "credential", "one credential"),
        (_URL, {"credential": object()}, {}, "credential", "get_token"),
        (_URL, {}, {"AZURE_OPENAI_API_KEY": "a b"}, "credential", "characters"),
        (_URL, {"api_version": "v2"}, {}, "api-version", "not an Azure API version"),
        (_URL, {}, {"OPENAI_API_VERSION": "v2"}, "api-version", "OPENAI_API_VERSION"),
        (f"{_URL}/openai/v1", {"api_version": "2025-04-01-preview"}, {}, "api-version", "v1"),
        (_URL, {"api_version": "2024-10-21", "strict_api_version": True}, {}, "api-version", "old"),
    ],
)
def test_what_is_wrong_is_put_down_to_its_step(
    endpoint: str | None, arguments: dict[str, Any], environ: dict[str, str], step: str, words: str
) -> None:
    reading = read_configuration(environ, endpoint, arguments)
    assert reading.step == step
    assert words in (reading.error.message if reading.error else "")
    assert (reading.settings is None) is (step == "endpoint")


def test_an_endpoint_is_shown_as_what_it_becomes_without_a_gateways_key() -> None:
    endpoint = resolve_endpoint(
        "https://gw.example.com/a/openai?subscription-key=secret", "preview"
    )
    finding = check_endpoint(endpoint, endpoint.url("responses"))
    assert finding.detail == (
        "POST https://gw.example.com/a/openai/v1/responses?api-version=preview "
        "(and subscription-key in the query)"
    )
    assert finding.ok is True


def test_an_endpoint_that_is_corrected_says_so() -> None:
    endpoint = resolve_endpoint(_URL, "2024-05-01-preview")
    finding = check_endpoint(endpoint, endpoint.url("responses"))
    assert "older than the Responses API" in (finding.fix or "")


def test_the_version_sent_is_the_querys_before_the_endpoints() -> None:
    endpoint = resolve_endpoint(_URL, "preview")
    assert sent_version(endpoint, None) == "preview"
    assert sent_version(endpoint, {"api-version": "2025-01-01"}) == "2025-01-01"
    assert describe_version(endpoint, "preview") == "preview on the v1 path (/openai/v1/responses)"
    assert describe_version(endpoint, None).startswith("no api-version on")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://r.services.ai.azure.com/api/projects/p", "on a Foundry project (/api/projects/p"),
        (
            "https://k.eastus2.models.ai.azure.com/v1",
            "a serverless endpoint (/v1/chat/completions)",
        ),
    ],
)
def test_the_path_is_described_by_its_kind(url: str, words: str) -> None:
    assert words in describe_version(resolve_endpoint(url), None)


def test_arguments_that_say_nothing_of_the_connection_are_no_fault() -> None:
    arguments = {"api": "chat", "facts": {}, "base_model": "kimi-k2.5", "drop_params": True}
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500))) as client:
        found = diagnose(_URL, api_key="k", http_client=client, **arguments)  # type: ignore[arg-type]
    assert found["endpoint"].ok
