"""What of a request may be logged."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.telemetry.client_log import (
    REDACTED,
    redact_headers,
    redact_parameters,
    redact_url,
)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://r.example/openai/v1/responses", "https://r.example/openai/v1/responses"),
        (
            "https://r.example/a?api-version=2025-04-01",
            "https://r.example/a?api-version=2025-04-01",
        ),
        ("https://r.example/a?subscription-key=s3cret", "https://r.example/a?subscription-key=***"),
        ("https://me:s3cret@r.example:8443/a", "https://r.example:8443/a"),
        ("https://r.example/a?code=", "https://r.example/a?code=***"),
        (
            "https://r.example/a?include[]=x&sig=s3cret#s3cret",
            "https://r.example/a?include[]=x&sig=***",
        ),
    ],
)
def test_a_url_keeps_only_what_is_known_to_be_harmless(url: str, expected: str) -> None:
    assert redact_url(url) == expected


def test_headers_keep_only_what_is_known_to_be_harmless() -> None:
    headers = {"API-Key": "s3cret", "x-team": "s3cret", "Accept": "application/json"}
    assert redact_headers(headers) == {
        "API-Key": REDACTED,
        "x-team": REDACTED,
        "Accept": "application/json",
    }


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("model", "prod", "prod"),
        ("temperature", 0.5, 0.5),
        ("include", ["reasoning.encrypted_content"], ["reasoning.encrypted_content"]),
        ("include", [{"text": "s3cret"}], "<1 entries>"),
        ("reasoning", {"effort": "low", "note": "s3cret"}, {"effort": "low", "note": REDACTED}),
        ("reasoning", "s3cret", "<6 characters>"),
        ("input", "s3cret", "<6 characters>"),
        ("input", [{"role": "user", "content": "s3cret"}], "<1 entries>"),
        ("metadata", {"a": "s3cret"}, "<1 entries>"),
        ("something_new", True, True),
        ("something_new", 12345, REDACTED),
        ("something_new", object(), REDACTED),
    ],
)
def test_parameters_show_sizes_in_the_place_of_content(
    name: str, value: Any, expected: Any
) -> None:
    assert redact_parameters({name: value}) == {name: expected}


@given(st.dictionaries(st.text(), st.text(min_size=3).map("s3cret".__add__)))
def test_no_parameter_of_an_unknown_name_is_shown(parameters: dict[str, str]) -> None:
    unknown = {f"x-{name}": value for name, value in parameters.items()}
    assert "s3cret" not in str(list(redact_parameters(unknown).values()))
