"""Other names of groups, as settings write them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from azure_responses.errors import ConfigurationError

__all__ = ["ALIAS_KEYS", "read_aliases"]

# LiteLLM lists the first two kinds in GET /v1/models, and not the third.
ALIAS_KEYS = ("aliases", "model_group_alias", "model_alias_map")
"""The settings with aliases: ours, that of LiteLLM's router, that of its `litellm_settings`."""

_ITEM_KEYS = frozenset({"model", "hidden"})


class _Alias(NamedTuple):
    key: str
    name: str
    group: str
    is_hidden: bool


def read_aliases(options: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    """The groups by their aliases, and the aliases that lists of models leave out.

    An alias may stand for another alias. Where one name stands in several settings, the last one
    counts.

    Raises:
        ConfigurationError: an invalid value, or aliases that stand for each other.
    """
    found = {alias.name: alias for alias in _read_all(options)}
    aliases = {name: _follow(name, found) for name in found}
    return aliases, frozenset(name for name, alias in found.items() if alias.is_hidden)


def _read_all(options: Mapping[str, Any]) -> Iterator[_Alias]:
    for key in filter(ALIAS_KEYS.__contains__, options):
        value = options[key]
        if value is None:
            continue
        if not isinstance(value, Mapping):
            raise _unknown_group(key, value)
        for name, target in value.items():
            yield _read(key, name, target)


def _read(key: str, name: Any, target: Any) -> _Alias:
    """LiteLLM's `alias: group`, or `alias: {model: group, hidden: true}`."""
    item = target if isinstance(target, Mapping) else {"model": target}
    group, is_hidden = item.get("model"), item.get("hidden") or False
    if not isinstance(name, str) or not isinstance(group, str) or not group:
        raise _unknown_group(key, name)
    if not isinstance(is_hidden, bool):
        raise ConfigurationError(
            f"{key}: hidden of {name!r} is {is_hidden!r}; it is true or false.",
            hint="Write hidden: true without quotation marks.",
        )
    unknown = sorted(map(str, item.keys() - _ITEM_KEYS))
    if unknown:
        raise ConfigurationError(
            f"{key}: {name!r} has the unknown key {unknown[0]!r}.",
            hint="An alias has the keys model and hidden.",
        )
    return _Alias(key, name, group, is_hidden or key == "model_alias_map")


def _unknown_group(key: str, name: object) -> ConfigurationError:
    return ConfigurationError(
        f"{key} does not say which group {name!r} stands for.",
        hint=f"Write {key}={{'alias': 'group'}}.",
    )


def _follow(name: str, aliases: Mapping[str, _Alias]) -> str:
    """The group behind an alias, which may be another alias."""
    met = [name]
    while (group := aliases[met[-1]].group) in aliases and group != met[-1]:
        if group in met:
            raise ConfigurationError(
                f"{aliases[name].key} goes in circles: {' → '.join([*met, group])}.",
                hint="Have one of them stand for a group.",
            )
        met.append(group)
    return group
