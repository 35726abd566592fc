"""Which models those may call who are limited to some names."""

import pytest

from azure_responses.routing.model_rights import ModelRights
from tests.routing.fleet import deployment, fleet

BETA = ("beta",)
RIGHTS = ModelRights(
    fleet(
        "a",
        deployment("b", "o3", access_groups=BETA),
        deployment("c", "o4", access_groups=BETA),
        deployment("d", "*", access_groups=("any",)),
        aliases={"mine": "gpt", "newest": "o4"},
    )
)


@pytest.mark.parametrize(
    ("names", "model", "is_allowed"),
    [
        (["gpt"], "gpt", True),
        (["gpt"], "mine", True),
        (["mine"], "mine", True),
        (["mine"], "gpt", False),
        (["g*"], "gpt", True),
        (["g*"], "mine", True),
        (["n*"], "o4", False),
        (["n*"], "newest", True),
        (["beta"], "o3", True),
        (["beta"], "o4", True),
        (["beta"], "newest", True),
        (["beta"], "gpt", False),
        (["beta"], "anything", False),
        (["any"], "anything", True),
        (["any"], "o3", False),
        (["all-proxy-models"], "o3", True),
    ],
)
def test_a_name_covers_its_aliases_and_the_members_of_its_access_group(
    names: list[str], model: str, is_allowed: bool
) -> None:
    assert RIGHTS.allow(names, model) is is_allowed


def test_without_access_groups_only_names_count() -> None:
    rights = ModelRights(fleet("a"))
    assert not rights.allow(["beta"], "gpt")
    assert rights.unknown(["gpt", "gpt-5*", "all-proxy-models", "beta"]) == ["beta"]


def test_where_any_model_is_served_no_name_is_unknown() -> None:
    assert RIGHTS.unknown(["beta", "mine", "gpt", "gtp"]) == []
