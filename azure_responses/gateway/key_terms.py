"""What a key allows, read from the words of a configuration file or a command line."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from azure_responses.gateway.caller import Caller
from azure_responses.gateway.money import to_pico
from azure_responses.gateway.periods import read_expiry, read_period

__all__ = ["TERMS", "TermError", "read_terms"]

TERMS: Mapping[str, str] = {
    "name": "name",
    "key_alias": "name",
    "owner": "owner",
    "user_id": "owner",
    "models": "models",
    "rpm": "rpm",
    "rpm_limit": "rpm",
    "tpm": "tpm",
    "tpm_limit": "tpm",
    "budget": "budget",
    "max_budget": "budget",
    "budget_period": "budget_period",
    "budget_duration": "budget_period",
    "expires": "expires",
    "end_user": "end_user",
}
"""The terms by the names they may have; those with `_` second are LiteLLM's."""

_LONGEST = 200


class TermError(ValueError):
    """A term that cannot be used: `term` by the name it was given under, and what is wrong."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(f"{term} {reason}")
        self.term = term
        self.reason = reason


def read_terms(
    terms: Mapping[str, Any], *, key_id: str, now: float | None, created: float
) -> Caller:
    """The caller that a key with these terms makes; a term of None is not given.

    Args:
        terms: by the names in `TERMS`; models as a list or text with commas, a budget in dollars.
        now: unix seconds, for an expiry such as `30d`; None takes dates only, past ones too.
        created: unix seconds, from whose day the periods of a budget count.

    Raises:
        TermError: a value cannot be used.
    """
    fields: dict[str, Any] = {}
    for term, value in terms.items():
        if value is not None:
            fields[TERMS[term]] = _read(term, value, now)
    if fields.get("budget_period") is not None and "budget" not in fields:
        raise TermError("budget_period", "needs a budget")
    fields.setdefault("name", key_id)
    fields.setdefault("owner", key_id)
    return Caller(key_id=key_id, created=created, **fields)


def _read(term: str, value: Any, now: float | None) -> Any:
    try:
        match TERMS[term]:
            case "models":
                return _read_models(value)
            case "rpm" | "tpm":
                return _read_count(value)
            case "budget":
                return _read_budget(value)
            case "budget_period":
                return read_period(_read_text(value))
            case "expires":
                return read_expiry(_read_text(value), now)
            case _:
                return _read_text(value)
    except ValueError as error:
        raise TermError(term, str(error)) from error


def _read_text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value.strip()) <= _LONGEST:
        raise ValueError(f"is no text of up to {_LONGEST} characters")
    if not value.isprintable():
        raise ValueError("has characters that cannot be printed")
    return value.strip()


def _read_models(value: Any) -> tuple[str, ...]:
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list):
        raise ValueError("is no list of models")
    return tuple(_read_text(name) for name in names)


def _read_count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**53:
        raise ValueError("is no positive whole number")
    return value


def _read_budget(value: Any) -> int:
    try:
        dollars = Decimal("nan") if isinstance(value, bool) else Decimal(str(value))
    except InvalidOperation:
        dollars = Decimal("nan")
    if not dollars.is_finite() or not 0 < dollars <= 9_000_000:
        raise ValueError("is no positive number of US dollars")
    return to_pico(dollars)
