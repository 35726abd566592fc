from decimal import Decimal

import pytest

from azure_responses.pricing.bill import TokenCost, UnpriceableError
from azure_responses.pricing.catalogue import Catalogue
from azure_responses.pricing.charges import TOOLS, charge_routing, charge_tokens, charge_tools
from azure_responses.pricing.terms import Terms
from azure_responses.pricing.tool_use import ImageTokens, ToolUse
from azure_responses.pricing.use import Tokens

_TERMS = Terms(("gpt-5.1",), "global", "standard")


def test_provisioned_tokens_are_free_whatever_they_are() -> None:
    terms = Terms((), "global", "standard", is_provisioned=True)
    cost = charge_tokens(Tokens(input=10, audio=5), terms, None, Catalogue())
    assert cost == TokenCost()


def test_a_model_not_found_is_not_priced() -> None:
    with pytest.raises(UnpriceableError, match="register") as caught:
        charge_tokens(Tokens(input=10), _TERMS, None, Catalogue())
    assert caught.value.subject == "gpt-5.1"


def test_the_size_of_the_price_is_told() -> None:
    terms = Terms(("gpt-5.4",), "us", "standard")
    assert charge_tokens(Tokens(input=300_000), terms, "gpt-5.4", Catalogue()).above == 272_000
    assert charge_tokens(Tokens(input=10), terms, "gpt-5.4", Catalogue()).above == 0


def test_routing_is_charged_on_every_input_token() -> None:
    routed = Terms(("gpt-5.1",), "us", "priority", is_routed=True)
    tokens = Tokens(input=1000, cached=900)
    assert charge_routing(tokens, routed, Catalogue()) == Decimal("0.00014")
    assert charge_routing(tokens, _TERMS, Catalogue()) == 0


def test_every_tool_priced_by_the_use_has_a_listed_price() -> None:
    catalogue = Catalogue()
    assert [tool for tool in TOOLS if catalogue.find_tool(tool, None) is None] == []


def test_tools_are_summed() -> None:
    tools = ToolUse(web_searches=2, file_searches=4, containers=frozenset({"a", "b"}), sessions=1)
    amount, unpriced = charge_tools(tools, "gpt-5.1", None, ["b"], Catalogue())
    assert amount == 2 * Decimal("0.014") + 4 * Decimal("0.0025") + 2 * Decimal("0.033")
    assert unpriced == ()


@pytest.mark.parametrize(
    ("tools", "image_model"),
    [
        (ToolUse(images=1), "gpt-image-1"),
        (ToolUse(images=1, image_tokens=ImageTokens(image_output=5)), None),
        (ToolUse(images=1, image_tokens=ImageTokens(image_output=5)), "unheard-of"),
    ],
)
def test_an_image_needs_its_model_and_its_tokens(tools: ToolUse, image_model: str | None) -> None:
    assert charge_tools(tools, "gpt-5.1", image_model, (), Catalogue()) == (
        Decimal(0),
        ("image_generation",),
    )


def test_the_image_model_said_wins_over_the_one_the_tool_names() -> None:
    tools = ToolUse(image_tokens=ImageTokens(image_output=1000), image_model="gpt-image-1")
    amount, _ = charge_tools(tools, None, "gpt-image-1-mini", (), Catalogue())
    assert amount == Decimal("0.008")
    assert charge_tools(tools, None, None, (), Catalogue()) == (Decimal("0.04"), ())
