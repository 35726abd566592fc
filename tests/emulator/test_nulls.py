"""Null stands for what is missing."""

from azure_responses.emulator.nulls import drop_nulls


def test_fields_that_are_null_are_dropped_however_deep() -> None:
    given = {"a": None, "b": [{"c": None, "d": 0}, None], "e": {"f": False, "g": None}}
    assert drop_nulls(given) == {"b": [{"d": 0}, None], "e": {"f": False}}
