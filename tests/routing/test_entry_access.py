"""What an entry says of those who may call it."""

from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment import Deployment
from azure_responses.routing.model_list import read_model_list


def _read(info: Any = None, **params: Any) -> Deployment:
    params = {"model": "azure/gpt", "api_base": "https://a.openai.azure.com", **params}
    entry = {"model_name": "gpt", "litellm_params": params, "model_info": info}
    warnings: list[str] = []
    (read,) = read_model_list([entry], {}, warnings.append)
    assert warnings == []
    return read


@pytest.mark.parametrize(
    ("info", "params", "groups"),
    [
        ({"access_groups": ["beta", " all "]}, {}, ("beta", "all")),
        ({"access_groups": "beta"}, {"access_groups": ["beta", "dev"]}, ("beta", "dev")),
        ({"access_groups": None}, {"access_groups": []}, ()),
        (None, {}, ()),
    ],
)
def test_access_groups_stand_in_the_info_or_the_params(
    info: Any, params: dict[str, Any], groups: tuple[str, ...]
) -> None:
    assert _read(info, **params).access_groups == groups


@pytest.mark.parametrize("groups", [5, {"beta": True}, ["beta", 5], [""], True])
def test_access_groups_that_are_no_names_are_refused(groups: Any) -> None:
    with pytest.raises(ConfigurationError, match="access_groups is not a list of names"):
        _read({"access_groups": groups})
