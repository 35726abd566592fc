"""What is decided about a background response whose cost is not known yet."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.gateway.key_table import MASTER
from azure_responses.gateway.open_response import (
    OpenResponse,
    closing_spent,
    first_poll,
    is_final,
    is_given_up,
    is_unfinished,
    next_poll,
    price_headers,
    summary_of,
)
from azure_responses.gateway.spend import Spent, spent_by
from tests.gateway.test_open_response_store import OPENED

USAGE = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100}
DAY = 86_400.0


def ended(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "resp_1", "model": "gpt-5-mini", "status": status, "background": True, **more}


def closed(response: dict[str, Any], held: int = 0) -> Spent:
    """The sums after a response was opened and has ended."""
    summary = summary_of(OPENED, response, {}, 2000.0)
    summary.price()
    total = OPENED.opening_spent()
    total.add(closing_spent(OPENED, spent_by(MASTER, summary, held)[1]))
    return total


def test_the_cost_takes_the_place_of_what_was_held() -> None:
    total = closed(ended("completed", usage=USAGE), held=7)
    assert total.cost > 0
    assert (total.calls, total.unpriced, total.failed, total.held) == (1, 0, 0, 0)
    assert (total.input_tokens, total.output_tokens) == (1000, 100)


def test_a_failed_response_costs_nothing() -> None:
    assert closed(ended("failed", usage=None)) == Spent(calls=1, failed=1)


def test_a_cancelled_response_without_tokens_stays_unpriced_and_held() -> None:
    assert closed(ended("cancelled", usage=None), held=7) == Spent(calls=1, unpriced=1, held=7)


def test_tokens_without_a_price_are_counted_as_unpriced() -> None:
    total = closed(ended("completed", model="nameless", usage=USAGE))
    assert (total.cost, total.unpriced, total.input_tokens) == (0, 1, 1000)


@given(st.integers(0, int(DAY)))
def test_a_response_is_polled_for_at_least_every_ten_minutes_until_a_day_is_over(
    age: int,
) -> None:
    now = OPENED.created + age
    following = next_poll(OPENED, now)
    assert now < following or age == DAY
    assert following - now <= 600.0
    assert age >= DAY or following <= OPENED.created + DAY


def test_polls_begin_after_half_a_minute_and_become_rare() -> None:
    assert first_poll(1000.0) == 1030.0
    times, now = [], 1030.0
    while now < 1000.0 + DAY:
        times.append(now)
        now = next_poll(OPENED, now)
    assert times[:4] == [1030.0, 1060.0, 1090.0, 1135.0]
    assert len(times) < 170
    assert now == 1000.0 + DAY


def test_a_response_is_given_up_after_a_day_or_when_it_stays_missing() -> None:
    assert not is_given_up(OPENED, 1000.0 + DAY - 1, is_missing=False)
    assert is_given_up(OPENED, 1000.0 + DAY, is_missing=False)
    assert not is_given_up(OPENED, 1030.0, is_missing=True)
    assert is_given_up(OPENED, 1120.0, is_missing=True)


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_what_goes_on_is_not_final(status: str) -> None:
    assert is_unfinished(ended(status))
    assert not is_final(ended(status))


@pytest.mark.parametrize("status", ["completed", "failed", "incomplete", "cancelled"])
def test_what_has_ended_is_final_if_it_was_in_the_background(status: str) -> None:
    assert is_final(ended(status))
    assert not is_unfinished(ended(status))
    assert not is_final({**ended(status), "background": False})
    assert not is_final(None)
    assert not is_unfinished(None)


def test_the_price_is_that_of_the_reply_which_made_the_response() -> None:
    made = price_headers({"x-ms-region": "Sweden Central", "x-request-id": "1"})
    assert made == {"x-ms-region": "Sweden Central"}
    opened = replace(OPENED, headers=made)
    summary = summary_of(opened, None, {"x-ms-region": "East US", "other": "1"}, 2000.0)
    assert summary.headers == {"x-ms-region": "Sweden Central", "other": "1"}
    assert summary.latency == 1000.0


def test_a_record_of_a_later_version_can_be_read() -> None:
    text = json.dumps({**asdict(OPENED), "colour": "blue"})
    assert OpenResponse.from_json(text) == OPENED
