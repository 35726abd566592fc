"""LiteLLM-style model strings."""

import pytest

from azure_responses.protocol.settings import read_deployment


@pytest.mark.parametrize(
    ("model", "deployment"),
    [
        ("gpt-5", "gpt-5"),
        ("azure/gpt-5", "gpt-5"),
        ("azure/responses/my-custom-o1-pro", "my-custom-o1-pro"),
        ("azure/azure/gpt-5", "azure/gpt-5"),
        ("azure/responses/azure/gpt-5", "azure/gpt-5"),
        ("azure/responses", "responses"),
        ("responses/gpt-5", "responses/gpt-5"),
        ("my/azure/gpt-5", "my/azure/gpt-5"),
        ("azure/", "azure/"),
        ("", ""),
    ],
)
def test_the_prefix_is_taken_off_once_from_the_front(model: str, deployment: str) -> None:
    assert read_deployment(model) == deployment
