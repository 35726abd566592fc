"""The price book, against figures worked out by hand from rows of Azure's price pages."""

import logging
import re
import threading
from decimal import Decimal
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.book import PriceBook, read_configuration
from azure_responses.types import DeletedResponse
from tests.pricing.bodies import body, reply, spilled, usage

D = Decimal


def _search(count: int = 1) -> list[dict[str, Any]]:
    return [{"type": "web_search_call", "action": {"type": "search"}} for _ in range(count)]


def _code(*containers: str) -> list[dict[str, Any]]:
    return [{"type": "code_interpreter_call", "container_id": name} for name in containers]


# Each row: what was asked, and the dollars it comes to. Prices are dollars per million tokens,
# written out with the row they are from.
_FIGURES: list[tuple[str, dict[str, Any], dict[str, Any], Decimal]] = [
    (
        "gpt-5.1: $1.25 in, $10 out",
        body("gpt-5.1", usage(1000, output=100)),
        {},
        D(1000) * D("1.25") / 10**6 + D(100) * 10 / 10**6,
    ),
    (
        "gpt-5.1 cached: $0.125, reasoning is output",
        body("gpt-5.1", usage(2000, cached=1500, output=300, reasoning=256)),
        {},
        D(500) * D("1.25") / 10**6 + D(1500) * D("0.125") / 10**6 + D(300) * 10 / 10**6,
    ),
    (
        "gpt-5.6-sol cache writes: $4 in, $0.40 cached, $5 written, $20 out",
        body("gpt-5.6-sol", usage(10_000, cached=4000, write=5000, output=100)),
        {},
        (D(1000) * 4 + D(4000) * D("0.4") + D(5000) * 5 + D(100) * 20) / 10**6,
    ),
    (
        "claude-opus-5 cache writes: $5 in, $0.50 cached, $6.25 written, $25 out",
        body("claude-opus-5", usage(1000, cached=200, write=300, output=100)),
        {},
        (D(500) * 5 + D(200) * D("0.5") + D(300) * D("6.25") + D(100) * 25) / 10**6,
    ),
    (
        "a deployment of any name by its base model: kimi-k2.5, $0.60 in, $0.10 cached, $3 out",
        body("prod", usage(1000, cached=400, output=100)),
        {"base_model": "azure_ai/kimi-k2.5"},
        (D(600) * D("0.6") + D(400) * D("0.1") + D(100) * 3) / 10**6,
    ),
    (
        "gpt-4.1 writes nothing extra: $2 in, $0.50 cached, $8 out",
        body("gpt-4.1", usage(1000, cached=200, write=300, output=10)),
        {},
        (D(800) * 2 + D(200) * D("0.5") + D(10) * 8) / 10**6,
    ),
    (
        "gpt-5 priority: $2.50 in, $20 out",
        body("gpt-5-2025-08-07", usage(1000, output=100), service_tier="priority"),
        {},
        (D(1000) * D("2.5") + D(100) * 20) / 10**6,
    ),
    (
        "gpt-5.6-sol flex: $2 in, $0.20 cached, $10 out",
        body("gpt-5.6-sol", usage(1000, cached=400, output=100), service_tier="flex"),
        {},
        (D(600) * 2 + D(400) * D("0.2") + D(100) * 10) / 10**6,
    ),
    (
        "gpt-5 batch: $0.625 in, $0.0625 cached, $5 out",
        {"custom_id": "1", "response": {"body": body("gpt-5", usage(1000, cached=400, output=10))}},
        {},
        (D(600) * D("0.625") + D(400) * D("0.0625") + D(10) * 5) / 10**6,
    ),
    (
        "gpt-4.1 batch lists no cached price: $1 in, at most standard's $0.50 cached",
        body("gpt-4.1", usage(1000, cached=400)),
        {"tier": "batch"},
        (D(600) * 1 + D(400) * D("0.5")) / 10**6,
    ),
    (
        "gpt-5.4 at 272,000 tokens: $2.50 in, $15 out",
        body("gpt-5.4", usage(272_000, output=1000)),
        {},
        (D(272_000) * D("2.5") + D(1000) * 15) / 10**6,
    ),
    (
        "gpt-5.4 above 272,000 tokens: $5 in, $0.50 cached, $22.50 out, all of it",
        body("gpt-5.4-2026-03-05", usage(272_001, cached=272_000, output=1000)),
        {},
        (D(1) * 5 + D(272_000) * D("0.5") + D(1000) * D("22.5")) / 10**6,
    ),
    (
        "gpt-5.4 priority above 272,000 tokens: $10 in, $45 out",
        body("gpt-5.4", usage(300_000, output=1000), service_tier="priority"),
        {},
        (D(300_000) * 10 + D(1000) * 45) / 10**6,
    ),
    (
        "gpt-5.1 in the EU data zone: $1.375 in, $11 out",
        body("gpt-5.1", usage(1000, output=100)),
        {"zone": "eu"},
        (D(1000) * D("1.375") + D(100) * 11) / 10**6,
    ),
    (
        "gpt-5.1 in the data zone of its region, US",
        body("gpt-5.1", usage(1000, output=100)),
        {"zone": "data-zone", "region": "East US 2"},
        (D(1000) * D("1.375") + D(100) * 11) / 10**6,
    ),
    (
        "o3-mini in Azure Government: $1.513 in, $6.05 out",
        body("o3-mini", usage(1000, output=100)),
        {"region": "usgovvirginia"},
        (D(1000) * D("1.513") + D(100) * D("6.05")) / 10**6,
    ),
    (
        "gpt-4o of May 2024 costs more than gpt-4o: $5 in, $15 out",
        body("gpt-4o-2024-05-13", usage(1000, output=100)),
        {"base_model": "gpt-4o"},
        (D(1000) * 5 + D(100) * 15) / 10**6,
    ),
    (
        "an arbitrary deployment name with a base model, o4-mini: $1.10 in, $4.40 out",
        body("team-a", usage(1000, output=100)),
        {"deployment": "team-a", "base_model": "azure/o4-mini"},
        (D(1000) * D("1.1") + D(100) * D("4.4")) / 10**6,
    ),
    (
        "model-router, $0.14 in, over the served gpt-4.1-nano, $0.10 in, $0.40 out",
        body("gpt-4.1-nano-2025-04-14", usage(1000, output=100)),
        {"deployment": "model-router"},
        D(1000) * D("0.14") / 10**6 + (D(1000) * D("0.1") + D(100) * D("0.4")) / 10**6,
    ),
    (
        "three web searches at $14 a thousand, pages opened are free",
        body(
            "gpt-5-mini",
            usage(1000),
            output=[*_search(3), {"type": "web_search_call", "action": {"type": "open_page"}}],
        ),
        {},
        D(1000) * D("0.25") / 10**6 + 3 * D(14) / 1000,
    ),
    (
        "a code interpreter session at $0.033, one for each container",
        body("gpt-5-mini", usage(1000), output=_code("a", "a", "b")),
        {},
        D(1000) * D("0.25") / 10**6 + 2 * D("0.033"),
    ),
    (
        "two file searches at $2.50 a thousand",
        body("gpt-5-mini", usage(1000), output=[{"type": "file_search_call"}] * 2),
        {},
        D(1000) * D("0.25") / 10**6 + 2 * D("2.5") / 1000,
    ),
    (
        "an image of gpt-image-1: $5 text in, $40 image out",
        body(
            "gpt-4.1-mini",
            usage(1000),
            output=[{"type": "image_generation_call"}],
            tools=[{"type": "image_generation", "model": "gpt-image-1"}],
            tool_usage={
                "image_gen": {"input_tokens": 50, "output_tokens": 1056, "total_tokens": 1106}
            },
        ),
        {},
        D(1000) * D("0.4") / 10**6 + (D(50) * 5 + D(1056) * 40) / 10**6,
    ),
]


@pytest.mark.parametrize(
    ("asked", "known", "dollars"),
    [row[1:] for row in _FIGURES],
    ids=[row[0] for row in _FIGURES],
)
def test_a_cost_is_what_the_price_page_comes_to(
    asked: dict[str, Any], known: dict[str, Any], dollars: Decimal
) -> None:
    cost = PriceBook().cost(asked, **known)
    assert cost is not None
    assert cost.total == dollars
    assert cost.total == cost.input + cost.cached_input + cost.output + cost.tools
    assert cost.unpriced == ()


def test_the_parts_of_a_cost_are_told_apart() -> None:
    used = usage(1000, cached=400, write=100, output=50, reasoning=20)
    asked = body("gpt-5.6-sol", used, output=_search())
    cost = PriceBook().cost(asked, base_model="model-router")
    assert cost is not None
    assert cost.cache_write == D("0.0005")  # 100 x $5 / 1M
    assert cost.routing_fee == D("0.00014")  # 1000 x $0.14 / 1M
    assert cost.input == D("0.00264")  # 500 x $4 / 1M, and both of these
    assert cost.cached_input == D("0.00016")  # 400 x $0.40 / 1M
    assert cost.output == D("0.001")  # 50 x $20 / 1M
    assert cost.reasoning == D("0.0004")  # 20 x $20 / 1M
    assert cost.tools == D("0.014")
    assert cost.currency == "USD"


@pytest.mark.parametrize(
    ("model", "input", "known", "priced_as"),
    [
        ("gpt-5.1-2025-11-13", 10, {}, "gpt-5.1 (global, standard)"),
        ("gpt-5.4", 300_000, {"zone": "us"}, "gpt-5.4 (us, standard, above 272000)"),
        ("gpt-5.1", 10, {"provisioned": True}, "gpt-5.1 (global, provisioned)"),
        ("mine", 10, {"provisioned": True}, "mine (global, provisioned)"),
        (None, 10, {"provisioned": True}, "a model not named (global, provisioned)"),
    ],
)
def test_a_cost_says_which_row_set_it(
    model: str | None, input: int, known: dict[str, Any], priced_as: str
) -> None:
    cost = PriceBook().cost(body(model, usage(input)), **known)
    assert cost is not None
    assert cost.priced_as == priced_as


def test_provisioned_tokens_cost_nothing_more_and_tools_still_do() -> None:
    book = PriceBook()
    book.register_deployment("PTU", base_model="gpt-5.1", provisioned=True)
    cost = book.cost(reply(headers={"x-ms-deployment-name": "ptu"}, output=_search()))
    assert cost is not None
    assert cost.is_provisioned
    assert cost.total == cost.tools == D("0.014")


def test_what_spilled_over_is_priced_as_the_standard_deployment_it_went_to() -> None:
    book = PriceBook()
    book.register_deployment("ptu", base_model="gpt-5.1", provisioned=True, zone="us")
    for deployment in ("ptu", None):
        cost = book.cost(spilled("overflow"), deployment=deployment)
        assert cost is not None
        assert cost.total == D(1000) * D("1.375") / 10**6 + D(100) * 11 / 10**6
        assert cost.tier == "standard"


def test_a_deployment_that_took_the_overflow_has_its_own_terms() -> None:
    book = PriceBook()
    book.register_deployment("ptu", base_model="gpt-5.1", provisioned=True)
    book.register_deployment("overflow", base_model="gpt-5-mini")
    cost = book.cost(spilled("x"), deployment="ptu")
    assert cost is not None
    assert cost.priced_as == "gpt-5-mini (global, standard)"


def test_an_argument_wins_over_what_was_registered() -> None:
    book = PriceBook()
    book.register_deployment("prod", base_model="gpt-5.1", zone="us")
    cost = book.cost(reply("x"), zone="eu")
    assert cost is not None
    assert cost.priced_as == "gpt-5.1 (eu, standard)"


def test_a_container_whose_session_is_paid_for_costs_nothing() -> None:
    cost = PriceBook().cost(body(output=_code("a", "b")), paid_containers=["a"])
    assert cost is not None
    assert cost.tools == D("0.033")


_UNKNOWN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (body("gpt-99"), {}, "no price of gpt-99;"),
    (body("x"), {"deployment": "y"}, "no price of x or y;"),
    (body(None), {}, "no price of a model that the reply does not name"),
    (body("gpt-4o", service_tier="ultrafast"), {}, "gpt-4o has no price in zone global, tier ultr"),
    (body("gpt-5.1"), {"zone": "apac"}, "gpt-5.1 has no price in zone apac, .* has prices in eu, "),
    (body("gpt-5.1"), {"zone": "regional", "region": "uksouth"}, "no price in zone uksouth"),
    (body("gpt-5.4", usage(300_000)), {"zone": "eu", "tier": "priority"}, "300000 input tokens"),
    (body("gpt-5.1", usage(10, cached=11)), {}, "parts of the count exceed the whole"),
    (
        body("gpt-4o", {"prompt_tokens": 9, "prompt_tokens_details": {"audio_tokens": 4}}),
        {},
        "no price of audio tokens of gpt-4o",
    ),
]


@pytest.mark.parametrize(("asked", "known", "warning"), _UNKNOWN)
def test_what_has_no_price_is_none_with_one_warning(
    asked: dict[str, Any],
    known: dict[str, Any],
    warning: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    book = PriceBook()
    for _ in range(3):
        assert book.cost(asked, **known) is None
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("azure_responses.pricing", logging.WARNING)
    assert re.search(warning, record.getMessage())


def test_each_model_is_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    book = PriceBook()
    for model in ("gpt-98", "gpt-99", "gpt-98"):
        book.cost(body(model))
    assert len(caplog.records) == 2


def test_a_tool_without_a_price_is_named_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    # No count of tokens, as on Azure's older versions: nothing to price the image by.
    asked = body("gpt-4.1-mini", output=[{"type": "image_generation_call"}, *_search()])
    book = PriceBook()
    for _ in range(2):
        cost = book.cost(asked)
        assert cost is not None
        assert cost.unpriced == ("image_generation",)
        assert cost.tools == D("0.014")
    (record,) = caplog.records
    assert "image_generation" in record.getMessage()


def test_an_image_model_that_is_not_known_is_named_by_argument() -> None:
    counted = {"image_gen": {"output_tokens": 1000, "total_tokens": 1000}}
    asked = body(tool_usage=counted)
    book = PriceBook()
    unknown, known = book.cost(asked), book.cost(asked, image_model="gpt-image-1-mini")
    assert unknown is not None
    assert unknown.unpriced == ("image_generation",)
    assert known is not None
    assert known.tools == D("0.008")  # 1000 x $8 / 1M


@pytest.mark.parametrize(
    "result",
    [
        DeletedResponse(id="resp_1", deleted=True),
        body(status="queued") | {"usage": None},
        body(status="failed") | {"usage": None},
    ],
)
def test_what_used_nothing_has_no_cost_and_no_warning(
    result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert PriceBook().cost(result) is None
    assert caplog.records == []


def test_a_registered_price_wins_and_the_listed_one_holds_elsewhere() -> None:
    book = PriceBook()
    book.register("gpt-5.1", input=1, output=9, cached_input="0.1", cache_write=2, zone="us")
    used = usage(1000, cached=100, write=100, output=10)
    there = book.cost(body("gpt-5.1-2025-11-13", used), zone="us")
    elsewhere = book.cost(body("gpt-5.1", used))
    assert there is not None
    assert there.total == (D(800) * 1 + D(100) * D("0.1") + D(100) * 2 + D(10) * 9) / 10**6
    assert elsewhere is not None
    assert elsewhere.total == (D(900) * D("1.25") + D(100) * D("0.125") + D(10) * 10) / 10**6


def test_a_price_may_be_registered_for_every_zone_by_tier_and_size() -> None:
    book = PriceBook()
    book.register("my-model", input=1, output=1)
    book.register("my-model", input=2, output=2, above=1000)
    book.register("my-model", input=3, output=3, tier="priority", above=1000)
    for size, tier, dollars in (
        (1000, "standard", 1),
        (1001, "standard", 2),
        (1001, "priority", 3),
    ):
        cost = book.cost(body("my-model", usage(size)), zone="apac", tier=tier)
        assert cost is not None
        assert cost.total == D(size) * dollars / 10**6
    assert book.cost(body("my-model", usage(5)), tier="priority") is None


def test_a_price_may_be_registered_for_a_region() -> None:
    book = PriceBook()
    book.register("gpt-5.1", input=3, output=3, zone="UK South")
    cost = book.cost(body(used=usage(1000)), zone="regional", region="UK South")
    assert cost is not None
    assert cost.total == D("0.003")


def test_a_price_registered_after_a_warning_is_used() -> None:
    book = PriceBook()
    assert book.cost(body("gpt-99")) is None
    book.register("gpt-99", input=1, output=1)
    assert book.cost(body("gpt-99")) is not None
    book.clear()
    assert book.cost(body("gpt-99")) is None


def test_discounts_lower_listed_prices_and_the_closest_one_holds() -> None:
    book = PriceBook()
    book.register_discount("0.1")
    book.register_discount("0.5", model="GPT-5.1")
    book.register_discount(1, tool="web_search")
    book.register("mine", input=1, output=1)
    totals = {
        model: book.cost(body(model, usage(1000), output=[*_search(), *_code("a")]))
        for model in ("gpt-5.1-2025-11-13", "gpt-5-mini", "mine")
    }
    assert {model: cost and cost.input for model, cost in totals.items()} == {
        "gpt-5.1-2025-11-13": D(1000) * D("1.25") / 10**6 * D("0.5"),
        "gpt-5-mini": D(1000) * D("0.25") / 10**6 * D("0.9"),
        "mine": D("0.001"),
    }
    assert {cost and cost.tools for cost in totals.values()} == {D("0.033") * D("0.9")}


def test_a_discount_holds_for_images() -> None:
    book = PriceBook()
    book.register_discount("0.5")
    counted = {"image_gen": {"output_tokens": 1000, "total_tokens": 1000}}
    cost = book.cost(body(tool_usage=counted), image_model="gpt-image-1")
    assert cost is not None
    assert cost.tools == D("0.02")  # half of 1000 x $40 / 1M


@pytest.mark.parametrize(("model", "dollars"), [("gpt-5.1", "0.02"), ("gpt-5-mini", "0.01")])
def test_a_tool_may_have_a_price_for_one_model(model: str, dollars: str) -> None:
    book = PriceBook()
    book.register_tool("web_search", "0.01")
    book.register_tool("web_search", "0.02", model="GPT-5.1")
    cost = book.cost(body(model, output=_search()))
    assert cost is not None
    assert cost.tools == D(dollars)


def test_a_model_whose_searches_cost_less_has_its_own_row() -> None:
    cost = PriceBook().cost(body("claude-opus-5", output=_search()))
    assert cost is not None
    assert cost.tools == D("0.01")


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("register", {"model": "m", "input": "x", "output": 1}, "input is 'x'"),
        ("register_tool", {"tool": "hammer", "price": 1}, "no price of 'hammer'"),
        ("register_tool", {"tool": "web_search", "price": -1}, "web_search is -1"),
        ("register_discount", {"fraction": 10}, "A discount of 10 is more than all"),
    ],
)
def test_what_makes_no_sense_is_refused(
    method: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        getattr(PriceBook(), method)(**arguments)


def test_a_configuration_is_registered_whole() -> None:
    book = PriceBook()
    book.configure(
        {
            "prices": [{"model": "mine", "input": 1, "output": 2}],
            "deployments": {"prod": {"base_model": "mine"}},
            "tools": {"web_search": 1},
            "discounts": {"*": 0.5, "code_interpreter": 1},
        }
    )
    cost = book.cost(reply("x", usage(1000), output=[*_search(), *_code("a")]))
    assert cost is not None
    assert cost.total == D("1.001")


def test_a_configuration_with_an_error_changes_nothing() -> None:
    book = PriceBook()
    with pytest.raises(ConfigurationError, match="no price of 'hammer'"):
        book.configure({"discounts": {"*": 1}, "tools": {"hammer": 1}})
    cost = book.cost(body(used=usage(1000)))
    assert cost is not None
    assert cost.total == D("0.00125")


def test_a_pricer_gives_a_result_its_cost() -> None:
    book = PriceBook()
    pricer = book.pricer(zone="us")
    response = reply("gpt-5.1", usage(1000))
    response.attach({}, pricer)
    assert response.cost == D("0.001375")
    assert pricer(reply("gpt-99")) is None


def test_prices_may_be_registered_while_calls_are_priced() -> None:
    book, stop, failures = PriceBook(), threading.Event(), []

    def price() -> None:
        while not stop.is_set():
            try:
                assert book.cost(body()) is not None
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=price) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(300):
        book.register("gpt-5.1", input=1, output=1, zone=f"zone-{number}")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


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
