"""What keys and tokens say about themselves."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.doctor.token_claims import examine_key, examine_token
from azure_responses.protocol.tokens import read_claims

_NOW = 1_800_000_000.0
_SCOPE = "https://cognitiveservices.azure.com/.default"
_PROJECT_SCOPE = "https://ai.azure.com/.default"


def _token(**claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{body}.signature"


def _good(**changes: Any) -> str:
    claims = {"aud": "https://cognitiveservices.azure.com", "exp": _NOW + 3600, "tid": "t-1"}
    return _token(**{**claims, **changes})


@pytest.mark.parametrize(
    ("key", "is_project", "suspicion", "fix"),
    [
        ("sk-proj-1", False, "of OpenAI", "Azure portal"),
        (_token(aud="x"), False, "a token was passed as a key", "azure_ad_token"),
        ("0123", True, "Entra ID tokens only", "sign in"),
    ],
)
def test_a_key_that_is_something_else_is_suspected(
    key: str, is_project: bool, suspicion: str, fix: str
) -> None:
    notes = examine_key(key, is_project=is_project)
    assert suspicion in (notes.suspicion or "")
    assert fix in (notes.fix or "")
    assert key not in str(notes)


def test_a_plain_key_is_described_by_its_length_alone() -> None:
    notes = examine_key("0123456789", is_project=False)
    assert notes.description == "a key of 10 characters"
    assert (notes.fault, notes.suspicion, notes.fix) == (None, None, None)


def test_a_good_token_is_described_by_its_claims() -> None:
    token = _good(oid="o-1", appid="a-1", roles=["One", "Two"])
    notes = examine_token(token, _SCOPE, _NOW)
    assert notes.description == (
        "a token for https://cognitiveservices.azure.com, expiring 2027-01-15 09:00 UTC "
        "(in 60 minutes), tenant t-1, principal o-1, application a-1, roles One, Two"
    )
    assert (notes.fault, notes.suspicion, notes.advice) == (None, None, None)


def test_many_roles_are_shortened() -> None:
    notes = examine_token(_good(roles=list("abcdefgh")), _SCOPE, _NOW)
    assert "roles a, b, c, d, e and others" in notes.description


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (30, "30 seconds"),
        (600, "10 minutes"),
        (5 * 3600, "5 hours"),
        (5 * 86400, "5 days"),
    ],
)
def test_an_expired_token_is_a_fault(ago: float, words: str) -> None:
    notes = examine_token(_good(exp=_NOW - ago), _SCOPE, _NOW)
    assert notes.fault == f"the token expired {words} ago"
    assert "new token" in (notes.fix or "")


def test_a_token_of_the_future_points_to_the_clock() -> None:
    notes = examine_token(_good(nbf=_NOW + 300), _SCOPE, _NOW)
    assert notes.fault == "the token is valid only in 5 minutes"
    assert "clock" in (notes.fix or "")


def test_a_token_about_to_expire_is_worth_advice() -> None:
    assert "about to expire" in (examine_token(_good(exp=_NOW + 60), _SCOPE, _NOW).advice or "")


@pytest.mark.parametrize(
    ("audience", "scope", "is_suspect"),
    [
        ("https://cognitiveservices.azure.com", _SCOPE, False),
        ("https://cognitiveservices.azure.com/", _SCOPE, False),
        ("https://ai.azure.com", _SCOPE, False),
        ("https://management.azure.com", _SCOPE, True),
        ("https://cognitiveservices.azure.com", _PROJECT_SCOPE, True),
        ("https://ai.azure.com", _PROJECT_SCOPE, False),
        (
            "https://cognitiveservices.azure.us",
            "https://cognitiveservices.azure.us/.default",
            False,
        ),
        (
            "https://cognitiveservices.azure.com",
            "https://cognitiveservices.azure.us/.default",
            True,
        ),
        # An application's id may stand for any of the above.
        ("00000000-1111-2222-3333-444444444444", _SCOPE, False),
        (["several"], _SCOPE, False),
    ],
)
def test_the_audience_is_compared_with_what_the_endpoint_takes(
    audience: Any, scope: str, is_suspect: bool
) -> None:
    notes = examine_token(_good(aud=audience), scope, _NOW)
    assert (notes.suspicion is not None) is is_suspect


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.!.c", "a..c", "a.WzFd.c"])
def test_what_is_no_jwt_has_no_claims(token: str) -> None:
    assert read_claims(token) is None
    assert "not a JWT" in examine_token(token, _SCOPE, _NOW).description


@pytest.mark.parametrize("expiry", [None, True, "soon", float("inf"), 1e300, -1e300])
def test_an_expiry_that_is_no_time_is_survived(expiry: Any) -> None:
    assert examine_token(_good(exp=expiry), _SCOPE, _NOW).description.startswith("a token for")


@given(
    st.dictionaries(
        st.sampled_from(["aud", "exp", "nbf", "tid", "oid", "roles", "appid"]),
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text())
        ),
    )
)
def test_no_claims_make_it_stumble_or_show_the_token(claims: dict[str, Any]) -> None:
    token = _token(**claims)
    assert token not in str(examine_token(token, _SCOPE, _NOW))
