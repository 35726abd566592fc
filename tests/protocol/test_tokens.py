"""How long a token may be used."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azure_responses.protocol.tokens import Token, read_expiry, refuses_audience


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (0.0, "fresh"),
        (3299.9, "fresh"),
        (3300.0, "stale"),
        (3589.9, "stale"),
        (3590.0, "expired"),
        (3600.0, "expired"),
        (9e9, "expired"),
    ],
)
def test_an_hour_of_life(now: float, state: str) -> None:
    assert Token("t", 3600.0, fetched_at=0.0).state(now) == state


@pytest.mark.parametrize(
    ("now", "state"), [(1000.0, "fresh"), (1049.9, "fresh"), (1050.0, "stale"), (1090.0, "expired")]
)
def test_a_short_life_is_stale_from_its_middle(now: float, state: str) -> None:
    assert Token("t", 1100.0, fetched_at=1000.0).state(now) == state


def test_a_token_without_an_expiry_is_never_kept() -> None:
    assert Token("t", None).state(0.0) == "expired"


def test_a_repr_shows_no_token() -> None:
    assert "hush" not in repr(Token("hush", 1.0))


def _jwt(claims: Any) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.c2ln"


@pytest.mark.parametrize(
    ("token", "expiry"),
    [
        (_jwt({"exp": 1700000000}), 1700000000.0),
        (_jwt({"exp": 1.5, "aud": "é" * 7}), 1.5),
        (_jwt({"exp": "1700000000"}), 1700000000.0),
        (_jwt({"exp": None}), None),
        (_jwt({"exp": "soon"}), None),
        (_jwt({"exp": 10**400}), None),
        (_jwt({"exp": float("inf")}), None),
        (_jwt({"exp": float("nan")}), None),
        (_jwt({}), None),
        (_jwt([1]), None),
        ("a.b", None),
        ("opaque", None),
        ("a.!.c", None),
        ("a.é.c", None),
        ("..", None),
    ],
)
def test_the_expiry_of_a_jwt(token: str, expiry: float | None) -> None:
    assert read_expiry(token) == expiry


@given(st.text())
def test_claims_of_any_length_are_read(subject: str) -> None:
    assert read_expiry(_jwt({"sub": subject, "exp": 7})) == 7.0


@given(st.text())
def test_any_text_has_an_expiry_or_none(text: str) -> None:
    read_expiry(text)
    read_expiry(f"a.{text}.b")


_AI = "https://ai.azure.com/.default"
_SAID = (
    "Unauthorized. Access token is missing, invalid, audience is incorrect ({}), or have expired."
)


@pytest.mark.parametrize(
    ("message", "scope", "is_refused"),
    [
        (_SAID.format("https://cognitiveservices.azure.com"), _AI, True),
        (_SAID.format("https://ai.azure.com"), _AI, False),
        (_SAID.format("https://cognitiveservices.azure.com/ or https://ai.azure.com/"), _AI, False),
        (_SAID.format("https://AI.azure.com/"), "https://ai.azure.com//.default", False),
        ("The audience is invalid.", _AI, True),
        ("The token has expired.", _AI, False),
        (_SAID.format("https://ai.azure.com.evil.example"), _AI, True),
    ],
)
def test_an_audience_is_refused_only_where_it_is_not_among_those_that_are_named(
    message: str, scope: str, is_refused: bool
) -> None:
    assert refuses_audience(message, scope) is is_refused
