"""Cursor paging."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.paging import list_page
from azure_responses.emulator.refusal import Refusal

ITEMS = [{"id": str(number)} for number in range(150)]


def ids(query: dict[str, str], **options: str) -> list[str]:
    page = list_page(ITEMS[:30], query, **options)  # type: ignore[arg-type]
    return [item["id"] for item in page["data"]]


def test_a_page_has_twenty_items_newest_first() -> None:
    page = list_page(ITEMS, {})
    assert (len(page["data"]), page["first_id"], page["last_id"]) == (20, "149", "130")
    assert (page["object"], page["has_more"]) == ("list", True)


def test_an_empty_page_has_no_ids() -> None:
    page = list_page([], {})
    assert (page["data"], page["first_id"], page["last_id"]) == ([], None, None)
    assert page["has_more"] is False


def test_cursors_cut_both_ends() -> None:
    assert ids({"order": "asc", "after": "3", "before": "6"}) == ["4", "5"]
    assert ids({"after": "6", "before": "3"}) == ["5", "4"]
    assert ids({"limit": "2"}, default_order="asc") == ["0", "1"]


@pytest.mark.parametrize(
    ("query", "param", "code"),
    [
        ({"limit": "0"}, "limit", "integer_below_min_value"),
        ({"limit": "101"}, "limit", "integer_above_max_value"),
        ({"limit": "x"}, "limit", "invalid_type"),
        ({"order": "up"}, "order", "invalid_value"),
        ({"after": "none"}, "after", None),
        ({"before": "none"}, "before", None),
    ],
)
def test_nonsense_is_refused(query: dict[str, str], param: str, code: str | None) -> None:
    with pytest.raises(Refusal) as caught:
        list_page(ITEMS, query)
    error = caught.value.body["error"]
    assert (caught.value.status, error["param"], error["code"]) == (400, param, code)


@given(st.integers(0, 150), st.integers(1, 100), st.sampled_from(["asc", "desc"]))
def test_walking_the_pages_visits_every_item_once(count: int, limit: int, order: str) -> None:
    query, seen = {"limit": str(limit), "order": order}, []
    while True:
        page = list_page(ITEMS[:count], query)
        seen += [item["id"] for item in page["data"]]
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    expected = [item["id"] for item in ITEMS[:count]]
    assert seen == (expected if order == "asc" else expected[::-1])
