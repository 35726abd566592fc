"""What the package shows."""

import sys

import pytest

import azure_responses.gateway
from azure_responses.gateway.app import create_app


def test_the_application_is_made_from_the_package() -> None:
    assert azure_responses.gateway.create_app is create_app


def test_what_is_missing_is_named_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("azure_responses.gateway.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ModuleNotFoundError, match=r"yaml: pip install .*\[gateway\]"):
        azure_responses.gateway.create_app  # noqa: B018


def test_there_is_nothing_else() -> None:
    with pytest.raises(AttributeError, match="made_up"):
        azure_responses.gateway.made_up  # noqa: B018
