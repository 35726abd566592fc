"""Prices in an entry of a model list."""

from decimal import Decimal
from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.pricing.custom_prices import CustomPrices
from azure_responses.routing.model_list import read_model_list


def read(
    params: dict[str, Any] | None = None,
    info: dict[str, Any] | None = None,
    model: str = "azure/d",
    environ: dict[str, str] | None = None,
    warnings: list[str] | None = None,
) -> CustomPrices | None:
    entry = {
        "model_name": "m",
        "litellm_params": {
            "model": model,
            "api_base": "https://r.openai.azure.com",
            **(params or {}),
        },
        "model_info": info or {},
    }
    told: list[str] = [] if warnings is None else warnings
    return read_model_list([entry], environ or {}, told.append)[0].prices


def base(prices: CustomPrices | None) -> dict[str, Decimal]:
    assert prices is not None
    return dict(prices.tokens["standard", 0])


BOTH = {"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6}


def test_an_entry_without_prices_has_none() -> None:
    assert read({"input_cost_per_token": None}, {"cost_center": 7, "mode": "chat"}) is None


@pytest.mark.parametrize("amount", ["0.000001", "1e-6", 1e-6])
def test_amounts_are_numbers_or_text(amount: Any) -> None:
    found = base(read({**BOTH, "input_cost_per_token": amount}))
    assert found == {"input": 1, "output": 4}


def test_amounts_come_from_the_environment() -> None:
    params = {**BOTH, "input_cost_per_token": "os.environ/PRICE"}
    assert base(read(params, environ={"PRICE": "3e-6"}))["input"] == 3


def test_the_params_come_before_model_info_key_by_key() -> None:
    found = read({"input_cost_per_token": 1e-6}, {**BOTH, "input_cost_per_token": 9e-6})
    assert base(found) == {"input": 1, "output": 4}
    assert base(read({"input_cost_per_token": None}, BOTH)) == {"input": 1, "output": 4}


@pytest.mark.parametrize("amount", [-1, "nan", float("inf"), True, "a lot", [1], ""])
@pytest.mark.parametrize("place", ["params", "info"])
def test_what_is_no_sum_of_money_is_refused(place: str, amount: Any) -> None:
    given = {"output_cost_per_token": amount}
    with pytest.raises(ConfigurationError, match=r"entry 1 \('m'\): output_cost_per_token is"):
        read(**{place: given})  # type: ignore[arg-type]


def test_tiers_and_sizes_are_read_in_both_spellings() -> None:
    found = read(
        {
            **BOTH,
            "input_cost_per_token_priority": 2e-6,
            "output_cost_per_token_flex": 2e-6,
            "input_cost_per_token_batches": 5e-7,
            "input_cost_per_token_above_272k_tokens": 2e-6,
            "cache_read_input_token_cost_above_272k_tokens_priority": 4e-7,
            "input_cost_per_token_priority_above_200_tokens": 3e-6,
            "output_cost_per_reasoning_token": 8e-6,
            "cache_creation_input_token_cost": 2e-6,
            "input_cost_per_token_cache_hit": 3e-7,
        }
    )
    assert found is not None
    assert found.tokens == {
        ("standard", 0): {
            "input": 1,
            "output": 4,
            "reasoning": 8,
            "cache_write": 2,
            "cached_input": Decimal("0.3"),
        },
        ("priority", 0): {"input": 2},
        ("flex", 0): {"output": 2},
        ("batch", 0): {"input": Decimal("0.5")},
        ("standard", 272_000): {"input": 2},
        ("priority", 272_000): {"cached_input": Decimal("0.4")},
        ("priority", 200): {"input": 3},
    }


def test_a_key_comes_before_its_other_name() -> None:
    names = ("input_cost_per_token_cache_hit", "cache_read_input_token_cost")
    for order in (names, names[::-1]):
        given = {name: (9e-6 if name == names[0] else 1e-6) for name in order}
        assert base(read(given)) == {"cached_input": 1}


def test_tiered_pricing_is_a_price_by_size() -> None:
    row = {"range": [0, 32_000], **BOTH}
    further = {"range": [32_000, 128_000], "input_cost_per_token": "2e-6"}
    found = read({"tiered_pricing": [row, further]})
    assert found is not None
    assert found.tokens == {
        ("standard", 0): {"input": 1, "output": 4},
        ("standard", 32_000): {"input": 2},
    }


@pytest.mark.parametrize(
    "rows",
    ["all", [1], [{"range": 5}], [{"range": []}], [{"range": [True, 1]}], [{"range": [0], "x": 1}]],
)
def test_tiered_pricing_of_another_form_is_refused(rows: Any) -> None:
    with pytest.raises(ConfigurationError, match="tiered_pricing"):
        read({"tiered_pricing": rows})


@pytest.mark.parametrize(("has", "lacks"), [("input", "output"), ("output", "input")])
def test_half_a_price_is_warned_of(has: str, lacks: str) -> None:
    warnings: list[str] = []
    read({f"{has}_cost_per_token": 1e-6}, warnings=warnings)
    assert len(warnings) == 1
    assert f"{lacks} tokens cost nothing" in warnings[0]


def test_embeddings_and_free_input_need_no_price_of_output() -> None:
    warnings: list[str] = []
    read({"input_cost_per_token": 1e-6}, {"mode": "embedding"}, warnings=warnings)
    read({"input_cost_per_token": 0}, warnings=warnings)
    read({"cache_read_input_token_cost": 1e-6}, warnings=warnings)
    assert warnings == []


def test_tools_are_priced_by_the_use() -> None:
    sizes = {f"search_context_size_{size}": 0.01 for size in ("low", "medium")}
    found = read(
        {"code_interpreter_cost_per_session": 0.03},
        {"file_search_cost_per_1k_calls": 0.0025, "search_context_cost_per_query": sizes},
    )
    assert found is not None
    assert found.tools == {
        "code_interpreter": Decimal("0.03"),
        "file_search": Decimal("0.0025"),
    }
    assert found.searches == {"low": Decimal("0.01"), "medium": Decimal("0.01")}
    flat = read({"search_context_cost_per_query": "0.02"})
    assert flat is not None
    assert set(flat.searches.values()) == {Decimal("0.02")}
    with pytest.raises(ConfigurationError, match="has no 'big'"):
        read({"search_context_cost_per_query": {"big": 1}})


def test_images_and_audio_have_prices() -> None:
    found = read({"input_cost_per_image_token": 1e-5, "output_cost_per_image_token": 4e-5})
    assert found is not None
    assert found.image_tokens == (Decimal(10), Decimal(40))
    found = read({"input_cost_per_image": 0.02, "output_cost_per_image": 0.04})
    assert found is not None
    assert found.image == Decimal("0.04")
    found = read({"input_cost_per_second": 0.0001}, model="azure/whisper")
    assert found is not None
    assert found.audio is not None
    assert found.audio.second == Decimal("0.0001")
    found = read({"input_cost_per_character": 0.00003}, {"mode": "audio_speech"})
    assert found is not None
    assert found.audio is not None
    assert found.audio.character == Decimal("0.00003")


def test_a_price_per_second_of_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="input_cost_per_second prices audio"):
        read({"input_cost_per_second": 0.0001})


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("input_cost_per_tokens", "input_cost_per_token"),
        ("off_peak_pricing", "all hours"),
        ("input_cost_per_pixel", "output_cost_per_image"),
        ("input_cost_per_token_priority_above_1k_tokens_flex", "cost_per"),
        ("zzzzzzzzzzzzzzz_cost_per_q", "Leave it out"),
    ],
)
@pytest.mark.parametrize("place", ["params", "info"])
def test_a_price_that_does_not_exist_is_refused(place: str, key: str, hint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(**{place: {key: 1}})  # type: ignore[arg-type]
    assert "entry 1" in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize(
    "key",
    [
        "output_cost_per_video_per_second",
        "ocr_cost_per_page",
        "cache_creation_input_token_cost_above_1hr",
        "vector_store_cost_per_gb_per_day",
        "input_cost_per_query",
    ],
)
def test_prices_of_what_is_not_served_have_no_effect(key: str) -> None:
    warnings: list[str] = []
    read({key: 1}, warnings=warnings)
    assert len(warnings) == 1
    assert key in warnings[0]


def test_discount_and_margin_are_fractions() -> None:
    found = read({"cost_discount": 0.05, "cost_margin": "0.1"})
    assert found is not None
    assert (found.discount, found.margin, found.fee) == (
        Decimal("0.05"),
        Decimal("0.1"),
        Decimal(0),
    )
    found = read({"cost_margin": {"percentage": 0.08, "fixed_amount": 0.0005}})
    assert found is not None
    assert (found.margin, found.fee) == (Decimal("0.08"), Decimal("0.0005"))
    with pytest.raises(ConfigurationError, match="more than all"):
        read({"cost_discount": 5})
    with pytest.raises(ConfigurationError, match="has no 'share'"):
        read({"cost_margin": {"share": 5}})
