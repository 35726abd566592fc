"""The table of LiteLLM's keys: each key stands there once, and messages come from it."""

import subprocess
import sys
from typing import Any

import pytest

from azure_responses.routing import litellm_keys
from azure_responses.routing.litellm_keys import keys_with, look_at, row_of, suggest, table
from tests.tree import PACKAGE


def test_every_row_that_is_not_as_in_litellm_says_what_to_do() -> None:
    for row in table().values():
        if row.outcome in ("differs", "no counterpart", "refused"):
            assert row.text.endswith("."), row


def test_a_row_is_found_by_section_and_key() -> None:
    row = row_of("router_settings", "num_retries")
    assert row is not None
    assert row.outcome == "works"
    assert row_of("litellm_params", "nothing_like_it") is None


def test_keys_are_listed_by_their_outcome() -> None:
    assert "strategy" in keys_with("router_settings", "own")
    assert "strategy" not in keys_with("router_settings", "works", "differs")
    assert {"strategy", "num_retries", "client_ttl"} <= keys_with("router_settings")


def test_a_key_without_a_counterpart_is_a_warning_with_advice() -> None:
    finding = look_at("litellm_settings", "cache", True)
    assert finding is not None
    assert not finding.is_error
    assert "not cached" in finding.hint
    assert look_at("litellm_settings", "cash", True) is None


def test_a_refused_key_is_an_error_unless_it_is_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = ("refused", "only_here", "Remove it.")
    monkeypatch.setattr(litellm_keys, "ENTRY_ROWS", {"model_info": [row]})
    table.cache_clear()
    try:
        switched_on: tuple[Any, ...] = (True, 0, 5, "x", [1], ...)
        switched_off: tuple[Any, ...] = (None, False, "", [], {})
        on = [look_at("model_info", "only_here", value) for value in switched_on]
        off = [look_at("model_info", "only_here", value) for value in switched_off]
    finally:
        table.cache_clear()
    assert all(finding is not None and finding.is_error for finding in on)
    assert all(finding is not None and not finding.is_error for finding in off)


@pytest.mark.parametrize("row", [("refused", "twice twice", "Text."), ("ignored", "once", "Text.")])
def test_a_table_with_a_repeated_key_or_an_unknown_outcome_is_not_accepted(
    row: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(litellm_keys, "ENTRY_ROWS", {"model_info": [row]})
    table.cache_clear()
    try:
        with pytest.raises(ValueError, match="model_info"):
            table()
    finally:
        table.cache_clear()


def test_a_suggestion_prefers_a_key_that_works() -> None:
    assert suggest("router_settings", "num_retry") == "num_retries"
    assert suggest("router_settings", "client_tll") == "client_ttl"
    assert suggest("router_settings", "gropu", also=["group"]) == "group"
    assert suggest("router_settings", "qqqqqq") is None


def test_the_page_for_people_who_come_from_litellm_prints_the_table() -> None:
    script = PACKAGE.parent / "scripts" / "litellm-keys"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
