"""Fields of the wrong type, over the wire."""

from typing import Any

import httpx
import pytest


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
