from decimal import Decimal
from typing import Any

import pytest

from azure_responses.gateway.spend import to_pico
from azure_responses.gateway.virtual_keys import TermError, make_webhook_secret, read_terms


def _read(**terms: Any) -> Any:
    return read_terms(terms, key_id="key_1", now=1000.0, created=1000.0)


def test_terms_make_a_caller() -> None:
    caller = _read(
        name="bob", models="gpt-5*, o1-pro", rpm=5, tpm=100, budget="2.50", budget_period="30d",
        expires="1d", owner="team", end_user="someone",
    )  # fmt: skip
    assert caller.key_id == "key_1"
    assert caller.models == ("gpt-5*", "o1-pro")
    assert caller.budget == to_pico(Decimal("2.50"))
    assert caller.budget_period == 30
    assert caller.expires == 1000.0 + 86400
    assert (caller.owner, caller.end_user, caller.name) == ("team", "someone", "bob")


def test_litellm_s_names_mean_the_same() -> None:
    caller = _read(key_alias="bob", rpm_limit=5, tpm_limit=6, max_budget=1, budget_duration="7d")
    assert (caller.name, caller.rpm, caller.tpm, caller.budget_period) == ("bob", 5, 6, 7)


def test_webhooks_of_a_key_have_a_url_and_a_secret() -> None:
    secret = make_webhook_secret()
    caller = _read(webhook_url="https://hooks.example.com/a?b=c", webhook_secret=secret)
    assert caller.webhook_url == "https://hooks.example.com/a?b=c"
    assert caller.webhook_secret == secret != make_webhook_secret()
    assert secret not in repr(caller)


def test_a_key_without_terms_owns_its_responses_itself() -> None:
    caller = _read(models=None)
    assert (caller.name, caller.owner, caller.models) == ("key_1", "key_1", ())


@pytest.mark.parametrize(
    "terms",
    [
        {"rpm": 0},
        {"rpm": True},
        {"tpm": "many"},
        {"budget": "much"},
        {"budget": "NaN"},
        {"budget": "1e99"},
        {"budget": -1},
        {"budget": True},
        {"budget": 1, "budget_period": "1h"},
        {"budget_period": "1d"},
        {"models": 5},
        {"models": ["a", 5]},
        {"models": ","},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "a" * 300},
        {"expires": 5},
        {"webhook_url": "https://hooks.example.com"},
        {"webhook_secret": "short"},
        {"webhook_secret": "whsec_ not base64 at all, whatever it is"},
        {"webhook_url": "ftp://hooks.example.com", "webhook_secret": "a" * 32},
        {"expires": "1970-01-01"},
    ],
)
def test_a_term_that_cannot_be_used_is_named(terms: dict[str, Any]) -> None:
    with pytest.raises(TermError) as caught:
        _read(**terms)
    assert caught.value.term in terms
    assert caught.value.reason
