"""The prices of one entry, over the listed ones and beside those of other entries."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.pricing import PriceBook
from azure_responses.pricing.custom_prices import CustomPrices
from azure_responses.pricing.media import read_media_use
from azure_responses.pricing.prices import AudioPrice
from azure_responses.pricing.use import Tokens, ToolUse, Use

_BOOK = PriceBook()
_LISTED = "gpt-5.4"


def prices(**parts: Any) -> CustomPrices:
    return tokens({("standard", 0): parts})


def tokens(table: dict[tuple[str, int], dict[str, Any]], **rest: Any) -> CustomPrices:
    read = {at: {k: Decimal(v) for k, v in parts.items()} for at, parts in table.items()}
    return CustomPrices(tokens=read, **rest)


def total(
    custom: CustomPrices | None, counts: Tokens, model: str = "unheard-of", **use: Any
) -> Decimal | None:
    used = Use(model=model, tokens=counts, **use)
    found = _BOOK.total(used, "d", None, prices=custom)
    cost = _BOOK.price(used, "d", prices=custom)
    assert found == (None if cost is None else cost.total)
    if cost is not None:
        parts = cost.input, cost.cached_input, cost.output, cost.tools, cost.call_fee
        assert sum(parts) == cost.total
    return found


def test_an_unknown_model_has_the_price_of_its_entry() -> None:
    custom = prices(input=2, output=10)
    assert total(custom, Tokens(input=1_000_000, output=500_000)) == 7
    assert total(None, Tokens(input=1_000_000)) is None


def test_the_price_of_the_entry_comes_before_the_listed_one() -> None:
    assert total(prices(input=2, output=10), Tokens(input=1_000_000), _LISTED) == 2


def test_two_entries_of_one_deployment_have_each_its_price() -> None:
    first, second = prices(input=2, output=10), prices(input=4, output=20)
    counts = Tokens(input=1_000_000)
    assert [total(custom, counts) for custom in (first, second, first)] == [2, 4, 2]


def test_a_free_deployment_costs_nothing_in_every_tier() -> None:
    free = prices(input=0, output=0)
    counts = Tokens(input=10, cached=4, cache_write=2, output=5, reasoning=3)
    for tier in (None, "priority", "flex", "batch"):
        assert total(free, counts, _LISTED, tier=tier) == 0


@pytest.mark.parametrize(("part", "cost"), [("input", 1), ("output", 2)])
def test_without_the_other_price_such_tokens_cost_nothing(part: str, cost: int) -> None:
    counts = Tokens(input=1_000_000, output=2_000_000)
    assert total(prices(**{part: 1}), counts, _LISTED) == cost


def test_only_a_cache_price_changes_the_listed_price() -> None:
    listed = total(None, Tokens(input=1_000_000), _LISTED)
    assert listed is not None
    custom = prices(cached_input=1)
    assert total(custom, Tokens(input=1_000_000), _LISTED) == listed
    assert total(custom, Tokens(input=1_000_000, cached=1_000_000), _LISTED) == 1
    assert total(custom, Tokens(input=1_000_000)) is None


def test_cached_tokens_without_a_price_have_the_listed_one_at_most_that_of_input() -> None:
    cached = Tokens(input=1_000_000, cached=1_000_000)
    listed = total(None, cached, _LISTED)
    assert listed is not None
    assert total(prices(input=9, output=9), cached, _LISTED) == listed
    assert total(prices(input="0.01", output=9), cached, _LISTED) == Decimal("0.01")
    assert total(prices(input=9, output=9), cached) == 9
    assert total(prices(input=9, output=9, cached_input=10), cached) == 10


def test_written_tokens_cost_nothing_where_input_is_free() -> None:
    written = Tokens(input=1_000_000, cache_write=1_000_000)
    assert total(prices(input=0, output=9), written, "gpt-5.6") == 0
    assert total(prices(input=0, output=9, cache_write=3), written) == 3
    assert total(prices(input=2, output=9), written) == 2


def test_a_tier_has_its_own_price_then_the_listed_then_the_standard_one() -> None:
    counts = Tokens(input=1_000_000)
    custom = tokens({("standard", 0): {"input": 3, "output": 3}, ("priority", 0): {"input": 6}})
    assert total(custom, counts, tier="priority") == 6
    assert total(custom, Tokens(output=1_000_000), tier="priority") == 3
    assert total(custom, counts, tier="flex") == 3
    listed = total(None, counts, _LISTED, tier="flex")
    assert listed is not None
    assert total(custom, counts, _LISTED, tier="flex") == listed


def test_a_batch_costs_half_where_it_has_no_price() -> None:
    counts = Tokens(input=1_000_000, cached=500_000, output=1_000_000)
    assert total(prices(input=4, output=8, cached_input=2), counts, tier="batch") == Decimal("5.5")
    own = tokens({("standard", 0): {"input": 4, "output": 8}, ("batch", 0): {"input": 1}})
    assert total(own, Tokens(input=1_000_000, output=1_000_000), tier="batch") == 5
    assert total(prices(input=4, output=8), counts, _LISTED, tier="batch") is not None
    listed = total(None, Tokens(input=1_000_000), "gpt-4.1", tier="batch")
    only_cached = prices(cached_input=1)
    assert total(only_cached, Tokens(input=1_000_000), "gpt-4.1", tier="batch") == listed


def test_above_a_size_another_price_holds_for_all_tokens() -> None:
    custom = tokens(
        {("standard", 0): {"input": 1, "output": 2}, ("standard", 200_000): {"input": 3}}
    )
    assert total(custom, Tokens(input=200_000)) == Decimal("0.2")
    assert total(custom, Tokens(input=200_001, output=100)) == Decimal("0.600203")
    used = Use(model="m", tokens=Tokens(input=200_001))
    cost = _BOOK.price(used, prices=custom)
    assert cost is not None
    assert "above 200000" in cost.priced_as


def test_reasoning_may_have_a_price_of_its_own() -> None:
    counts = Tokens(output=1_000_000, reasoning=400_000)
    assert total(prices(input=1, output=10, reasoning=5), counts) == 8
    assert total(prices(input=1, output=10), counts) == 10
    cost = _BOOK.price(Use(tokens=counts), prices=prices(input=1, output=10, reasoning=5))
    assert cost is not None
    assert cost.reasoning == 2


def test_audio_tokens_need_a_price_of_their_own() -> None:
    heard, spoken = (
        Tokens(input=1_000_000, audio=500_000),
        Tokens(output=100, audio=100, audio_output=100),
    )
    plain = prices(input=2, output=4)
    assert total(plain, heard) is None
    assert total(plain, spoken) is None
    custom = prices(input=2, output=4, audio_input=10, audio_output=40)
    assert total(custom, heard) == 6
    assert total(custom, spoken) == Decimal("0.004")


def test_tools_have_the_price_of_the_entry() -> None:
    custom = tokens(
        {("standard", 0): {"input": 0, "output": 0}},
        tools={"file_search": Decimal("0.5"), "code_interpreter": Decimal(1)},
        searches={"low": Decimal(1), "medium": Decimal(2), "high": Decimal(3)},
    )
    used = ToolUse({"file_search": 2, "web_search": 1}, sessions=1, search_size="high")
    assert total(custom, Tokens(input=1), tools=used) == 5
    assert total(custom, Tokens(input=1), tools=ToolUse({"web_search": 1})) == 2
    assert total(prices(input=0, output=0), Tokens(input=1), tools=ToolUse({"file_search": 1}))


def test_what_stood_in_for_a_full_deployment_is_not_at_the_price_of_its_entry() -> None:
    counts = Tokens(input=1_000_000)
    listed = total(None, counts, _LISTED)
    spilled = {"is_spilled": True, "spilled_from": "ptu", "deployment": "standard"}
    assert total(prices(input=0, output=0), counts, _LISTED, **spilled) == listed


def test_the_model_router_takes_no_fee_besides_the_prices_of_the_entry() -> None:
    use = Use(model=_LISTED, tokens=Tokens(input=1_000_000))
    custom = prices(input=1, output=1)
    assert _BOOK.total(use, "model-router", prices=custom) == 1
    fee = _BOOK.total(use, "model-router", prices=prices(cached_input=1))
    assert fee == _BOOK.total(use, "model-router")


def test_discount_margin_and_fee_change_all_that_a_call_costs() -> None:
    custom = tokens(
        {("standard", 0): {"input": 1, "output": 1}},
        tools={"file_search": Decimal(1)},
        discount=Decimal("0.5"),
        margin=Decimal("0.1"),
        fee=Decimal("0.25"),
    )
    counts = Tokens(input=1_000_000)
    assert total(custom, counts) == Decimal("0.8")
    assert total(custom, counts, tools=ToolUse({"file_search": 1})) == Decimal("1.35")
    listed = total(None, counts, _LISTED)
    assert listed is not None
    assert total(CustomPrices(discount=Decimal("0.1")), counts, _LISTED) == listed * Decimal("0.9")
    assert total(CustomPrices(fee=Decimal(1)), counts) is None


def _image(count: int, usage: dict[str, Any] | None = None) -> Use:
    return read_media_use("images.generations", {"data": [{}] * count, "usage": usage})


def test_an_image_may_have_a_price() -> None:
    assert _BOOK.total(_image(3), "dall-e", prices=CustomPrices(image=Decimal("0.04"))) == Decimal(
        "0.12"
    )
    event = read_media_use("images.edits", {"type": "image_edit.completed", "b64_json": "…"})
    assert _BOOK.total(event, "dall-e", prices=CustomPrices(image=Decimal(1))) == 1
    assert _BOOK.total(_image(3), "dall-e", prices=CustomPrices()) is None


def test_images_may_be_priced_by_their_tokens() -> None:
    usage = {
        "input_tokens": 3_000_000,
        "input_tokens_details": {"image_tokens": 1_000_000},
        "output_tokens": 1_000_000,
        "total_tokens": 4_000_000,
    }
    custom = tokens(
        {("standard", 0): {"input": 1, "output": 4}}, image_tokens=(Decimal(2), Decimal(8))
    )
    assert _BOOK.total(_image(1, usage), "i", prices=custom) == 12
    assert _BOOK.total(_image(1, usage), "i", prices=prices(input=1, output=4)) == 7
    only_made = CustomPrices(image_tokens=(None, Decimal(5)))
    assert _BOOK.total(_image(1, usage), "i", prices=only_made) == 5
    cached = prices(input=1, output=4, cached_input="0.5")
    assert _BOOK.total(_image(1, usage), "i", prices=cached) == 7
    assert _BOOK.total(_image(1, usage), "i", prices=CustomPrices()) is None


def test_audio_may_be_priced_by_seconds_and_tokens() -> None:
    heard = read_media_use("audio.transcriptions", {"usage": {"type": "duration", "seconds": 90}})
    custom = CustomPrices(audio=AudioPrice(second=Decimal("0.01")))
    assert _BOOK.total(heard, "w", prices=custom) == Decimal("0.9")
    assert _BOOK.total(heard, "whisper", prices=CustomPrices()) == _BOOK.total(heard, "whisper")
    usage = {
        "type": "tokens",
        "input_tokens": 1_000_000,
        "input_token_details": {"audio_tokens": 500_000},
        "output_tokens": 1_000_000,
        "total_tokens": 2_000_000,
    }
    use = read_media_use("audio.transcriptions", {"usage": usage})
    assert _BOOK.total(use, "t", prices=prices(input=2, output=4, audio_input=6)) == 8
    assert _BOOK.total(use, "t", prices=prices(input=2, output=4)) == 6


def test_provisioned_deployments_still_cost_nothing() -> None:
    book = PriceBook()
    book.register_deployment("ptu", provisioned=True)
    heard = read_media_use("audio.transcriptions", {"usage": {"type": "duration", "seconds": 90}})
    assert book.total(heard, "ptu", prices=CustomPrices(fee=Decimal(1))) == 1
    counts = Use(model="m", tokens=Tokens(input=9))
    assert book.total(counts, "ptu", prices=prices(input=1, output=1)) == 0


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.decimals(0, 100, places=6))
def test_amounts_are_exact(given_: int, made: int, amount: Decimal) -> None:
    custom = prices(input=amount, output=amount)
    expected = (given_ + made) * amount / 1_000_000
    assert total(custom, Tokens(input=given_, output=made)) == expected


def test_a_call_that_names_no_model_has_the_price_of_its_entry() -> None:
    use = Use(tokens=Tokens(input=1_000_000))
    assert _BOOK.total(use, prices=prices(input=1, output=1)) == 1


def test_steps_of_the_entry_hold_for_other_tiers_too() -> None:
    custom = tokens(
        {
            ("standard", 0): {"input": 1, "output": 1},
            ("standard", 1_000): {"input": 2, "output": 2},
            ("priority", 1_000): {"input": 5},
        }
    )
    assert total(custom, Tokens(input=2_000), tier="priority") == Decimal("0.01")
    assert total(custom, Tokens(input=500), tier="priority") == Decimal("0.0005")
    assert total(custom, Tokens(input=1_001, output=1_000)) == Decimal("0.004002")
