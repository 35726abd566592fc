"""A row of the database that anybody may have written by hand."""

from typing import Any

import pytest

from azure_responses.gateway.key_table import ApiCaller, read_row

_ROW: dict[str, Any] = {
    "id": "key_a",
    "digest": b"d" * 32,
    "name": "ann",
    "owner": "ann",
    "models": ["gpt"],
    **dict.fromkeys(
        (
            "allowed_routes",
            "rpm",
            "tpm",
            "budget",
            "budget_period",
            "expires",
            "revoked",
            "end_user",
            "max_upload_bytes",
        )
    ),
    **dict.fromkeys(("webhook_url", "webhook_secret")),
    "created": 1.0,
}


@pytest.mark.parametrize("models", [["gpt"], '["gpt"]'])
@pytest.mark.parametrize("digest", [b"d" * 32, memoryview(b"d" * 32), bytearray(b"d" * 32)])
def test_a_row_is_read_in_the_types_of_either_driver(models: Any, digest: Any) -> None:
    key = read_row({**_ROW, "models": models, "digest": digest})
    assert key.digest == b"d" * 32
    assert key.caller == ApiCaller(
        key_id="key_a", name="ann", owner="ann", models=("gpt",), created=1.0
    )


def test_a_row_says_which_routes_its_key_may_call() -> None:
    assert read_row({**_ROW, "allowed_routes": '["/files"]'}).caller.allowed_routes == ("/files",)


@pytest.mark.parametrize(("column", "value"), [
    ("allowed_routes", "{"), ("allowed_routes", [1]),
    ("models", "{"), ("models", "null"), ("models", None), ("models", {"a": 1}), ("models", [1]),
    ("digest", b"short"), ("digest", "d" * 32), ("digest", None), ("name", None), ("name", 1),
    ("owner", None), ("rpm", "many"), ("rpm", -1), ("tpm", 1.5), ("tpm", True), ("budget", -1),
    ("budget_period", 0), ("created", None), ("created", "today"), ("expires", "never"),
    ("revoked", True), ("end_user", 7), ("id", 7),
])  # fmt: skip
def test_a_column_that_cannot_be_read_is_named(column: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"the row .*: {column} "):
        read_row({**_ROW, column: value})
