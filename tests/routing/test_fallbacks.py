"""Which groups stand in for which."""

import pytest

from azure_responses.errors import ConfigurationError
from azure_responses.routing.deployment_registry import FallbackKind, Fallbacks
from azure_responses.routing.settings import read_settings

_GROUPS = {"gpt", "backup", "long"}


def test_each_kind_has_its_own_chain_and_only_general_ones_a_default() -> None:
    options = {
        "fallbacks": [{"gpt": ["backup"]}],
        "context_window_fallbacks": [{"gpt": ["long"]}],
        "default_fallbacks": ["long"],
    }
    fallbacks = Fallbacks(read_settings(options), _GROUPS)
    assert fallbacks.chain("general", "gpt") == ("backup",)
    assert fallbacks.chain("general", "backup") == ("long",)
    assert fallbacks.chain("context window", "gpt") == ("long",)
    assert fallbacks.chain("context window", "backup") == ()
    assert fallbacks.chain("content policy", "gpt") == ()


def test_aliases_stand_for_their_groups() -> None:
    options = {"fallbacks": {"gpt": ["spare"]}, "aliases": {"spare": "backup"}}
    assert Fallbacks(read_settings(options), _GROUPS).chain("general", "gpt") == ("backup",)


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("fallbacks", "general"),
        ("context_window_fallbacks", "context window"),
        ("content_policy_fallbacks", "content policy"),
    ],
)
def test_a_chain_may_be_written_for_an_alias(key: str, kind: FallbackKind) -> None:
    chains = [{"chat": ["backup"]}, {"gpt": ["long"]}]
    fallbacks = Fallbacks(read_settings({key: chains, "aliases": {"chat": "gpt"}}), _GROUPS)
    assert fallbacks.chain(kind, "gpt") == ("backup", "long")


@pytest.mark.parametrize(
    "key", ["fallbacks", "context_window_fallbacks", "content_policy_fallbacks"]
)
def test_a_group_that_does_not_exist_is_refused(key: str) -> None:
    for chain in ({"gpt": ["bakcup"]}, {"bakcup": ["gpt"]}):
        with pytest.raises(ConfigurationError, match=rf"{key} .* Did you mean 'backup'"):
            Fallbacks(read_settings({key: [chain]}), _GROUPS)
    with pytest.raises(ConfigurationError, match="Add it to the model list"):
        Fallbacks(read_settings({"default_fallbacks": ["zzz"]}), _GROUPS)


def test_with_a_star_any_name_may_be_a_group() -> None:
    fallbacks = Fallbacks(read_settings({"fallbacks": {"o3": ["o4"]}}), {"*"})
    assert fallbacks.chain("general", "o3") == ("o4",)
