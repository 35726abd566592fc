"""What the package shows."""

import pytest

import azure_responses.gateway
from azure_responses.gateway.app import create_app


def test_the_application_is_made_from_the_package() -> None:
    assert azure_responses.gateway.create_app is create_app


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="made_up"):
        azure_responses.gateway.made_up  # noqa: B018
