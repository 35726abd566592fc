import json
from decimal import Decimal

import pytest

from azure_responses.pricing.book import PriceBook
from azure_responses.pricing.call_record import to_record
from tests.pricing.bodies import body, reply, spilled, usage


def test_a_record_has_what_a_call_used_up_and_cost() -> None:
    response = reply(
        "gpt-5.1-2025-11-13",
        usage(100, cached=40, write=10, output=50, reasoning=30),
        service_tier="default",
        user="u",
        output=[{"type": "web_search_call", "id": "w", "action": {"type": "search"}}],
    )
    record = to_record(response, cost=Decimal("0.014650"), deployment="prod")
    assert json.loads(json.dumps(record)) == {
        "record": "azure_responses.call",
        "id": "resp_1",
        "model": "gpt-5.1-2025-11-13",
        "deployment": "prod",
        "served_deployment": "prod",
        "spillover_from": None,
        "region": "East US 2",
        "service_tier": "default",
        "status": "completed",
        "end_user": "u",
        "usage": usage(100, cached=40, write=10, output=50, reasoning=30),
        "tools": {"web_search": 1},
        "cost": "0.014650",
        "currency": "USD",
    }


def test_a_record_of_a_call_that_counted_nothing_says_so() -> None:
    record = to_record(body(status="failed") | {"usage": None}, end_user="u")
    assert record["usage"] is None
    assert record["cost"] is None
    assert record["end_user"] == "u"


@pytest.mark.parametrize("result", [reply(), spilled(), reply("gpt-99")])
def test_a_record_costs_what_its_reply_costs(result: object) -> None:
    book = PriceBook()
    book.register_deployment("ptu", provisioned=True, zone="us")
    assert book.cost(to_record(result)) == book.cost(result)
