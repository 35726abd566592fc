"""Named credentials and defaults of the entries of a file."""

from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.router import Router
from azure_responses.routing.entry_defaults import read_credentials, with_defaults

CREDENTIALS: Any = {"east": {"api_key": "k", "api_base": "https://e"}}


def entry(**params: Any) -> dict[str, Any]:
    return {"model_name": "gpt", "litellm_params": params}


def test_an_entry_comes_before_its_credential_and_that_before_the_defaults() -> None:
    own = entry(api_key="own", litellm_credential_name="east", timeout=None)
    found = with_defaults(own, {"api_base": "d", "timeout": 3}, CREDENTIALS)
    assert found["litellm_params"] == {"api_key": "own", "api_base": "https://e", "timeout": 3}
    assert own["litellm_params"]["timeout"] is None


@pytest.mark.parametrize("given", [None, 3, {}, {"model_name": "x"}, {"params": "text"}])
def test_what_is_no_entry_is_left_to_the_reader(given: Any) -> None:
    assert with_defaults(given, {"timeout": 3}) is given


@pytest.mark.parametrize("name", ["west", 3])
def test_a_credential_that_does_not_exist_is_refused(name: Any) -> None:
    with pytest.raises(ConfigurationError, match="credential_list has east"):
        with_defaults(entry(litellm_credential_name=name), {}, CREDENTIALS)
    with pytest.raises(ConfigurationError, match="credential_list has none"):
        with_defaults(entry(litellm_credential_name=name), {})


def test_credentials_are_read_by_name() -> None:
    one = {"credential_name": "a", "credential_values": {"api_key": "k"}}
    assert read_credentials([one]) == {"a": {"api_key": "k"}}
    assert read_credentials(None) == {}
    with pytest.raises(ConfigurationError, match="twice"):
        read_credentials([one, one])


@pytest.mark.parametrize(
    "given", ["x", [3], [{"credential_name": "a"}], [{"credential_values": {}}]]
)
def test_a_wrong_list_of_credentials_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="credential_list"):
        read_credentials(given)


def test_a_router_takes_defaults_too() -> None:
    defaults = {"api_base": "https://r.openai.azure.com", "api_key": "k", "timeout": 7}
    with Router([entry(model="azure/gpt")], default_litellm_params=defaults) as router:
        (deployment,) = router.parts.reader.routing.deployments
    assert deployment.timeout == 7


def test_defaults_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="default_litellm_params is"):
        Router([entry(model="azure/gpt")], default_litellm_params=[1])  # type: ignore[arg-type]
