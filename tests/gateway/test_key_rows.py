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
    **dict.fromkeys(("rpm", "tpm", "budget", "budget_period", "expires", "revoked", "end_user")),
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


@pytest.mark.parametrize(("column", "value"), [
    ("models", "{"), ("models", "null"), ("models", None), ("models", {"a": 1}), ("models", [1]),
    ("digest", b"short"), ("digest", "d" * 32), ("digest", None), ("name", None), ("name", 1),
    ("owner", None), ("rpm", "many"), ("rpm", -1), ("tpm", 1.5), ("tpm", True), ("budget", -1),
    ("budget_period", 0), ("created", None), ("created", "today"), ("expires", "never"),
    ("revoked", True), ("end_user", 7), ("id", 7),
])  # fmt: skip
def test_a_column_that_cannot_be_read_is_named(column: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"the row .*: {column} "):
        read_row({**_ROW, column: value})
