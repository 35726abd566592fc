"""The front of the plug-in, as programs without LiteLLM meet it."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

import azure_responses.litellm_plugin
from azure_responses.errors import ConfigurationError
from azure_responses.litellm_plugin.clients import is_installed, litellm, litellm_class

_without = pytest.mark.skipif(find_spec("litellm") is not None, reason="LiteLLM is installed here")


def test_its_names_are_there() -> None:
    names = azure_responses.litellm_plugin.__all__
    assert set(names) <= set(dir(azure_responses.litellm_plugin))
    with pytest.raises(AttributeError, match="has no attribute 'handle'"):
        _ = azure_responses.litellm_plugin.handle


@_without
def test_it_can_be_imported_where_there_is_nothing_to_plug_into() -> None:
    assert azure_responses.litellm_plugin.handler is azure_responses.litellm_plugin.handler
    assert not is_installed()
    assert litellm_class("CustomLLM") is object


@_without
def test_the_old_name_of_the_override_warns() -> None:
    takeover: Any = import_module("azure_responses.litellm_plugin.takeover")
    with pytest.warns(DeprecationWarning, match="azure_override"):
        assert takeover.handler is azure_responses.litellm_plugin.azure_override
    with pytest.raises(AttributeError, match="has no attribute 'handle'"):
        _ = takeover.handle
    assert azure_responses.litellm_plugin.azure_override is azure_responses.litellm_plugin.handler


@_without
def test_registering_without_litellm_names_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"pip install 'azure-responses\[litellm\]'"):
        azure_responses.litellm_plugin.register()
    with pytest.raises(ConfigurationError, match="needs litellm"):
        litellm()
