"""What a purge must not take for a deleted response."""

import pytest

from azure_responses.errors import ConfigurationError, ResponseNotFoundError
from azure_responses.routing.purge_ledger import READABLE_AFTER, LedgerEntry, judge_missing
from azure_responses.routing.routing_errors import require_origin
from tests.routing.fleet import fleet


def _entry(resource: str, created: float = 1000.0) -> LedgerEntry:
    return LedgerEntry("resp_1", "tag-a", resource, "ann", None, created, 9e9)


def test_only_a_row_of_its_resource_leads_to_a_response() -> None:
    routing = fleet("a", "b")
    require_origin(routing, _entry("resource-b"))
    with pytest.raises(ConfigurationError, match="model_list"):
        require_origin(routing, _entry("resource-c"))


@pytest.mark.parametrize("age", [-5.0, 0.0, READABLE_AFTER - 1, READABLE_AFTER, 9e6])
def test_what_was_made_just_now_may_not_be_readable_yet(age: float) -> None:
    error = ResponseNotFoundError("not found", status_code=404)
    judged = judge_missing(error, _entry("resource-a"), 1000.0 + age)
    assert (judged is error) == (age >= READABLE_AFTER)
    assert isinstance(judged, ResponseNotFoundError) == (age >= READABLE_AFTER)
