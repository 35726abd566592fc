from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.configuration import read_configuration


def test_every_section_becomes_calls() -> None:
    settings = {
        "prices": [{"model": "m", "input": 1, "output": 2, "zone": "us", "source": "contract"}],
        "deployments": {"prod": {"base_model": "m", "provisioned": True}},
        "tools": {"web_search": "0.01"},
        "discounts": {"*": 0.1, "m": 0.2},
    }
    assert list(read_configuration(settings)) == [
        ("register", {"model": "m", "input": 1, "output": 2, "zone": "us", "source": "contract"}),
        ("register_deployment", {"name": "prod", "base_model": "m", "provisioned": True}),
        ("register_tool", {"tool": "web_search", "price": "0.01"}),
        ("register_discount", {"fraction": 0.1}),
        ("register_discount", {"fraction": 0.2, "model": "m"}),
    ]


@pytest.mark.parametrize("settings", [{}, {"prices": None, "tools": None}])
def test_empty_sections_are_nothing(settings: dict[str, Any]) -> None:
    assert list(read_configuration(settings)) == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ([], r"pricing is \[\], not a mapping"),
        ({"price": []}, "pricing has no setting 'price'"),
        ({"prices": {"m": 1}}, "prices is {'m': 1}, not a list"),
        ({"prices": ["m"]}, "a price is 'm', not a mapping"),
        ({"prices": [{"model": "m", "cost": 1}]}, "a price has no setting 'cost'"),
        ({"prices": [{"model": "m", "input": 1}]}, "A price lacks output"),
        ({"deployments": ["prod"]}, "deployments is .* not a mapping"),
        ({"deployments": {"prod": "m"}}, "deployment prod is 'm', not a mapping"),
        ({"deployments": {"prod": {"model": "m"}}}, "deployment prod has no setting 'model'"),
        ({"tools": "free"}, "tools is 'free', not a mapping"),
    ],
)
def test_a_mistake_is_named(settings: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        list(read_configuration(settings))
