"""Fixtures for the doctor's tests."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in list(os.environ):
        is_proxy = variable.upper().endswith("_PROXY")
        if variable.startswith("AZURE_") or variable == "OPENAI_API_VERSION" or is_proxy:
            monkeypatch.delenv(variable)
