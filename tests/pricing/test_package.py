"""The package's own book, behind the functions at its front."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from azure_responses import pricing
from tests.pricing.bodies import body, usage


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    pricing.clear()
    yield
    pricing.clear()


def test_the_functions_share_one_book() -> None:
    pricing.configure({"deployments": {"prod": {"base_model": "my-model"}}})
    pricing.register_deployment("test", base_model="my-model")
    pricing.register("my-model", input=1, output=2)
    pricing.register_tool("web_search", 1)
    pricing.register_discount(1, model="gpt-5.1")
    for name in ("prod", "test"):
        cost = pricing.cost(body("x", usage(1000)), deployment=name)
        assert cost is not None
        assert cost.total == Decimal("0.001")
    free = pricing.cost(body())
    assert free is not None
    assert free.total == 0
    assert pricing.pricer(deployment="prod")(body("x", usage(1000))) == Decimal("0.001")


def test_a_ledger_prices_by_that_book_unless_given_another() -> None:
    pricing.register("my-model", input=1, output=2)
    assert pricing.Ledger().record(body("my-model", usage(1000))) == Decimal("0.001")
    assert pricing.Ledger(pricing.PriceBook()).record(body("my-model")) is None


def test_a_name_of_before_still_leads_to_its_class_and_warns() -> None:
    with pytest.warns(DeprecationWarning, match="PricedDeployment"):
        assert pricing.Deployment is pricing.PricedDeployment  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="Deploymnt"):
        pricing.Deploymnt  # type: ignore[attr-defined] # noqa: B018
