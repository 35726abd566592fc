"""The header that names the image deployment, with the tool and without it."""

from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.protocol.image_deployment import (
    IMAGE_HEADER,
    image_headers,
    read_image_deployment,
)
from azure_responses.types.tools import FunctionTool

_TOOL = {"type": "image_generation"}


@pytest.mark.parametrize("tools", [None, [], "image_generation", [{"type": "web_search"}], 3])
def test_a_request_without_the_tool_needs_no_header(tools: Any) -> None:
    assert image_headers("images", tools) == {}


def test_a_request_with_the_tool_gets_the_name_of_the_deployment() -> None:
    tools = [FunctionTool(type="function", name="f"), {**_TOOL, "model": "gpt-image-1"}]
    assert image_headers("images", tools) == {IMAGE_HEADER: "images"}
    assert image_headers(None, tools) == {}


def test_the_model_of_the_tool_chooses_among_several_deployments() -> None:
    setting = {"gpt-image-1": "images", "gpt-image-2": "better"}
    assert image_headers(setting, [{**_TOOL, "model": "gpt-image-2"}]) == {IMAGE_HEADER: "better"}
    assert image_headers({"gpt-image-1": "images"}, [_TOOL]) == {IMAGE_HEADER: "images"}
    for tool in (_TOOL, {**_TOOL, "model": "gpt-image-3"}):
        with pytest.raises(ConfigurationError, match="image_generation with"):
            image_headers(setting, [tool])


@pytest.mark.parametrize("given", ["", 3, [], {}, {"gpt-image-1": ""}, {1: "images"}])
def test_a_setting_that_names_no_deployment_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="image_deployment"):
        read_image_deployment(given)


def test_a_name_a_mapping_and_nothing_are_settings() -> None:
    for given in (None, "images", {"gpt-image-1": "images"}):
        assert read_image_deployment(given) == given
