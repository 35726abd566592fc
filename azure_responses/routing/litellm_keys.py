"""What becomes of each key of a LiteLLM file: one table, and the messages that come from it.

The table has a row for every key of LiteLLM's documentation and source, and for our own keys
beside them. The readers take their messages about unknown keys from it, and
docs/moving-from-litellm.md prints it. Its rows stand in `litellm_entry_keys` (a model_list entry)
and `litellm_section_keys` (the other sections).
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Literal, NamedTuple, cast, get_args

from azure_responses.routing.litellm_entry_keys import ENTRY_ROWS
from azure_responses.routing.litellm_section_keys import SECTION_ROWS

__all__ = [
    "KeyFinding",
    "KeyRow",
    "Outcome",
    "keys_with",
    "look_at",
    "row_of",
    "section_of",
    "suggest",
    "table",
]

Outcome = Literal["works", "differs", "no counterpart", "refused", "own"]
"""`works`: as in LiteLLM. `differs`: it has an effect, and the text says how it differs. `no
counterpart`: a warning; what the key does is done otherwise or does not exist here. `refused`: an
error, since ignoring the key would change who may call, what a call costs, where it goes or what
content passes. `own`: a key of this package that LiteLLM does not have."""


class KeyRow(NamedTuple):
    """One key; `section` is "" at the top of a file, and `text` may be empty where it works."""

    section: str
    key: str
    outcome: Outcome
    text: str


class KeyFinding(NamedTuple):
    """What to say of a key that no reader reads."""

    is_error: bool
    message: str
    hint: str


@cache
def table() -> Mapping[tuple[str, str], KeyRow]:
    """Every row by section and key, in the order in which they are written.

    Raises:
        ValueError: a key stands there twice, or has an outcome that does not exist.
    """
    rows: dict[tuple[str, str], KeyRow] = {}
    for section, written in {**ENTRY_ROWS, **SECTION_ROWS}.items():
        for outcome, keys, text in written:
            for key in keys.split():
                if outcome not in get_args(Outcome) or (section, key) in rows:
                    raise ValueError(f"{section}: {key!r} is there twice, or is {outcome!r}.")
                rows[section, key] = KeyRow(section, key, cast(Outcome, outcome), text)
    return rows


def row_of(section: str, key: object) -> KeyRow | None:
    """The row of a key, or None for one that LiteLLM does not have."""
    return table().get((section, str(key)))


@cache
def keys_with(section: str, *outcomes: Outcome) -> frozenset[str]:
    """The keys of a section that end in one of the outcomes; in any of them without `outcomes`."""
    return frozenset(
        row.key
        for row in table().values()
        if row.section == section and (not outcomes or row.outcome in outcomes)
    )


def look_at(section: str, key: object, value: object = ...) -> KeyFinding | None:
    """What to say of a key that no reader takes, or None where the table does not have it.

    A refused key that is switched off (`false`, null or empty) asks for what happens anyway, so it
    is a warning.
    """
    row = row_of(section, key)
    if row is None:
        return None
    if row.outcome == "refused" and not _is_off(value):
        return KeyFinding(True, "LiteLLM has this key; it cannot be ignored here.", row.text)
    return KeyFinding(False, "LiteLLM has this key; it has no effect here.", row.text)


def section_of(key: object) -> str | None:
    """A section in which a key has an effect, for one that stands in another; None without any."""
    return next(
        (section for section in _SECTIONS if key in keys_with(section, "works", "differs", "own")),
        None,
    )


_SECTIONS = ("general_settings", "litellm_settings", "router_settings")


def _is_off(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | list | dict) and not value)


def suggest(section: str, key: object, also: Iterable[str] = ()) -> str | None:
    """The known key of a section that is written nearly like this one; `also` are further keys.

    A key that works is preferred to one that does not.
    """
    usable = keys_with(section, "works", "differs", "own").union(also)
    for known in (usable, keys_with(section)):
        if near := get_close_matches(str(key), sorted(known), n=1):
            return near[0]
    return None
