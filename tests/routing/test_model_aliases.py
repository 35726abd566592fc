"""Aliases of groups, as settings write them."""

from typing import Any

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.model_aliases import read_aliases


def test_aliases_of_every_setting_add_up_and_the_last_one_counts() -> None:
    options = {
        "model_group_alias": {"mine": "gpt", "quiet": {"model": "gpt", "hidden": True}},
        "aliases": {"mine": "o3", "shown": {"model": "gpt", "hidden": None}},
        "model_alias_map": {"old": "mine"},
        "num_retries": 2,
    }
    aliases, hidden = read_aliases(options)
    assert aliases == {"mine": "o3", "quiet": "gpt", "shown": "gpt", "old": "o3"}
    assert hidden == {"quiet", "old"}


def test_a_setting_without_a_value_has_no_aliases() -> None:
    assert read_aliases({"model_group_alias": None}) == ({}, frozenset())


def test_an_alias_may_stand_for_an_alias_of_another_setting() -> None:
    aliases, _ = read_aliases({"aliases": {"a": "b"}, "model_group_alias": {"b": "gpt"}})
    assert aliases == {"a": "gpt", "b": "gpt"}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("gpt", "which group 'gpt' stands for"),
        (["gpt"], "which group"),
        ({"a": None}, "which group 'a' stands for"),
        ({"a": ""}, "which group 'a' stands for"),
        ({"a": 5}, "which group 'a' stands for"),
        ({5: "gpt"}, "which group 5 stands for"),
        ({"a": {"hidden": True}}, "which group 'a' stands for"),
        ({"a": {"model": "gpt", "hidden": "true"}}, "hidden of 'a' is 'true'"),
        ({"a": {"model": "gpt", "hiden": True}}, "'a' has the unknown key 'hiden'"),
        ({"a": "b", "b": "a"}, "goes in circles: a → b → a"),
    ],
)
def test_an_alias_that_cannot_be_used_is_refused(value: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        read_aliases({"model_group_alias": value})
