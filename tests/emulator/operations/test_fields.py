"""Fields of the wrong type, over the wire."""

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.emulator.operations.fields import list_page
from azure_responses.emulator.service_errors import ServiceError


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("conversations", {"metadata": 3}, "metadata"),
        ("vector_stores", {"metadata": "x"}, "metadata"),
        ("vector_stores", {"file_ids": 3}, "file_ids"),
        ("vector_stores", {"file_ids": [{}]}, "file_ids[0]"),
        ("containers", {"name": "x", "file_ids": {}}, "file_ids"),
        ("containers", {"name": "x", "expires_after": 3}, "expires_after"),
        ("containers", {"name": "x", "expires_after": {"minutes": None}}, "expires_after.minutes"),
        ("containers", {"name": "x", "expires_after": {"minutes": True}}, "expires_after.minutes"),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(
    client: httpx.Client, path: str, body: dict[str, Any], param: str
) -> None:
    reply = client.post(f"/openai/v1/{path}", json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["param"], error["code"]) == (400, param, "invalid_type")


def test_absent_fields_have_their_defaults(client: httpx.Client) -> None:
    container = client.post("/openai/v1/containers", json={"name": "x"}).json()
    assert container["expires_after"]["minutes"] == 20
    body = {"metadata": None, "file_ids": None}
    store = client.post("/openai/v1/vector_stores", json=body).json()
    assert (store["metadata"], store["file_counts"]["total"]) == ({}, 0)


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
    with pytest.raises(ServiceError) as caught:
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
