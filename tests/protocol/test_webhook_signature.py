"""Webhooks are signed, and nothing that was changed on the way is believed."""

import base64
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import InvalidWebhookSignatureError as TheirInvalidSignature
from openai import OpenAI

from azure_responses.errors import (
    AzureResponsesError,
    ConfigurationError,
    InvalidWebhookSignatureError,
)
from azure_responses.protocol.webhook_signature import sign, unwrap, verify
from azure_responses.types import ResponseCompletedWebhookEvent

_NOW = 1_790_000_000
_SECRET = "whsec_" + base64.b64encode(b"a secret of some length").decode()
_OTHER = "whsec_" + base64.b64encode(b"another secret").decode()
_BODY = json.dumps(
    {
        "object": "event",
        "id": "evt_1",
        "type": "response.completed",
        "created_at": _NOW,
        "data": {"id": "resp_1"},
    }
).encode()
_THEIRS = OpenAI(api_key="k")
_ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def _headers(secret: Any = _SECRET, body: str | bytes = _BODY, at: int = _NOW) -> dict[str, str]:
    return sign(body, "evt_1", at, secret)


def test_a_signed_webhook_is_unwrapped() -> None:
    event = unwrap(_BODY, _headers(), _SECRET, _NOW)
    assert isinstance(event, ResponseCompletedWebhookEvent)
    assert event.data.id == "resp_1"


# From the tests of the openai package (tests/lib/test_webhooks.py at 3.54): a real signature.
_PUBLISHED: dict[str, Any] = {
    "secret": "whsec_RdvaYFYUXuIFuEbvZHwMfYFhUf7aMYjYcmM24+Aj40c=",
    "body": '{"id": "evt_685c059ae3a481909bdc86819b066fb6", "object": "event", "created_at": '
    '1750861210, "type": "response.completed", "data": {"id": "resp_123"}}',
    "headers": {
        _ID: "wh_685c059ae39c8190af8c71ed1022a24d",
        _TIME: "1750861210",
        _SIGNATURE: "v1,gUAg4R2hWouRZqRQG4uJypNS8YK885G838+EHb4nKBY=",
    },
}


def test_a_signature_that_openai_published_fits() -> None:
    verify(_PUBLISHED["body"], _PUBLISHED["headers"], _PUBLISHED["secret"], 1750861210)


@given(st.text(min_size=1).map(str.encode), st.binary(min_size=1), st.booleans())
def test_the_openai_package_believes_what_is_signed_here(
    body: bytes, key: bytes, is_encoded: bool
) -> None:
    now = int(time.time())
    secret = "whsec_" + base64.b64encode(key).decode() if is_encoded else key.hex()
    headers = sign(body, "evt_1", now, secret)
    _THEIRS.webhooks.verify_signature(body, headers, secret=secret)
    with pytest.raises(TheirInvalidSignature):
        _THEIRS.webhooks.verify_signature(body + b" ", headers, secret=secret)


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview, lambda body: body.decode()])
def test_the_body_may_be_bytes_or_text(form: Any) -> None:
    verify(form(_BODY), _headers(), _SECRET, _NOW)


@pytest.mark.parametrize(
    "form",
    [
        lambda given: {name.upper(): value for name, value in given.items()},
        lambda given: {name.title(): value for name, value in given.items()},
        lambda given: list(given.items()),
        lambda given: [(name.encode(), value.encode()) for name, value in given.items()],
        lambda given: {**given, "content-type": "application/json", "x-odd": "é"},
    ],
)
def test_headers_are_read_in_every_usual_form(form: Any) -> None:
    verify(_BODY, form(_headers()), _SECRET, _NOW)


def test_one_of_several_signatures_has_to_fit() -> None:
    headers = _headers([_OTHER, _SECRET])
    verify(_BODY, headers, _SECRET, _NOW)
    verify(_BODY, headers, _OTHER, _NOW)
    headers[_SIGNATURE] = f"v1a,abc v2,abc {_headers()[_SIGNATURE]} v1,abc"
    verify(_BODY, headers, _SECRET, _NOW)


def test_one_of_several_secrets_has_to_fit() -> None:
    verify(_BODY, _headers(_SECRET), [_OTHER, _SECRET], _NOW)
    with pytest.raises(InvalidWebhookSignatureError, match="does not fit"):
        verify(_BODY, _headers(_SECRET), [_OTHER, "third"], _NOW)


@pytest.mark.parametrize("late", [-300, -1, 0, 0.5, 300])
def test_five_minutes_are_allowed_before_and_after(late: float) -> None:
    verify(_BODY, _headers(), _SECRET, _NOW + late)


@pytest.mark.parametrize(
    ("late", "words"), [(301, "301 seconds ago"), (300.6, "seconds ago"), (-301, "in the future")]
)
def test_a_webhook_from_another_time_is_refused(late: float, words: str) -> None:
    with pytest.raises(InvalidWebhookSignatureError, match=words) as caught:
        verify(_BODY, _headers(), _SECRET, _NOW + late)
    assert "clock" in str(caught.value.hint)


def test_the_tolerance_can_be_chosen() -> None:
    verify(_BODY, _headers(), _SECRET, _NOW + 5000, 5000)
    with pytest.raises(InvalidWebhookSignatureError):
        verify(_BODY, _headers(), _SECRET, _NOW + 2, 1)


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf"), "5", None])
def test_an_unusable_tolerance_is_refused(tolerance: Any) -> None:
    with pytest.raises(ConfigurationError, match="tolerance is"):
        verify(_BODY, _headers(), _SECRET, _NOW, tolerance)


@pytest.mark.parametrize("name", [_ID, _TIME, _SIGNATURE])
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_header_is_named(name: str, value: str | None) -> None:
    headers = _headers()
    del headers[name]
    if value is not None:
        headers[name] = value
    with pytest.raises(InvalidWebhookSignatureError, match=f"{name} is missing") as caught:
        verify(_BODY, headers, _SECRET, _NOW)
    assert caught.value.hint


@pytest.mark.parametrize("name", [_ID, _TIME, _SIGNATURE])
def test_a_header_that_occurs_twice_is_refused(name: str) -> None:
    headers = _headers()
    with pytest.raises(InvalidWebhookSignatureError, match="more than once"):
        verify(_BODY, [*headers.items(), (name.upper(), headers[name])], _SECRET, _NOW)


@pytest.mark.parametrize("time", ["x", "-1", "+1", "1.0", "1_0", "٣", " 1", "1e9", "9" * 13, "0x1"])
def test_a_time_that_is_not_in_seconds_is_refused(time: str) -> None:
    with pytest.raises(InvalidWebhookSignatureError, match="Unix seconds"):
        verify(_BODY, {**_headers(), _TIME: time}, _SECRET, _NOW)


@pytest.mark.parametrize("value", ["abc", "v2,abc", "v1", ",", "v1a,abc", "V1,abc"])
def test_a_signature_of_another_version_does_not_count(value: str) -> None:
    with pytest.raises(InvalidWebhookSignatureError, match="no signature of version v1"):
        verify(_BODY, {**_headers(), _SIGNATURE: value}, _SECRET, _NOW)


@given(st.integers(0, len(_BODY) - 1), st.integers(1, 255))
def test_a_body_of_which_one_byte_was_changed_is_refused(place: int, change: int) -> None:
    changed = bytearray(_BODY)
    changed[place] ^= change
    with pytest.raises(InvalidWebhookSignatureError, match="does not fit"):
        verify(bytes(changed), _headers(), _SECRET, _NOW)


@given(st.binary())
def test_another_body_is_refused(body: bytes) -> None:
    if body != _BODY:
        with pytest.raises(InvalidWebhookSignatureError):
            verify(body, _headers(), _SECRET, _NOW)


@given(st.sampled_from([_ID, _TIME, _SIGNATURE]), st.text())
def test_another_value_of_a_header_is_refused(name: str, value: str) -> None:
    headers = _headers()
    if value != headers[name]:
        with pytest.raises(InvalidWebhookSignatureError):
            verify(_BODY, {**headers, name: value}, _SECRET, _NOW)


@given(st.sampled_from([_ID, _TIME, _SIGNATURE]), st.randoms(use_true_random=False))
def test_a_header_of_which_one_character_was_changed_is_refused(
    name: str, chance: random.Random
) -> None:
    headers = _headers()
    value = list(headers[name])
    place = chance.randrange(len(value))
    value[place] = chance.choice("abcXYZ019+/=,. \ud800é".replace(value[place], ""))
    with pytest.raises(InvalidWebhookSignatureError):
        verify(_BODY, {**headers, name: "".join(value)}, _SECRET, _NOW)


@given(st.integers(-299, 299).filter(bool))
def test_the_time_itself_is_signed(change: int) -> None:
    with pytest.raises(InvalidWebhookSignatureError, match="does not fit"):
        verify(_BODY, {**_headers(), _TIME: str(_NOW + change)}, _SECRET, _NOW)


@pytest.mark.parametrize("secret", ["", "   ", "whsec_", "whsec_=", [], [""]])
def test_an_empty_secret_verifies_nothing(secret: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        verify(_BODY, _headers(), secret, _NOW)
    assert "OPENAI_WEBHOOK_SECRET" in str(caught.value.hint)


@pytest.mark.parametrize("secret", ["whsec_QUJDR", "whsec_!!!!", "whsec_é"])
def test_a_secret_that_was_cut_is_named_without_being_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="not base64") as caught:
        verify(_BODY, _headers(), secret, _NOW)
    assert secret.removeprefix("whsec_") not in str(caught.value)


@pytest.mark.parametrize("secret", [b"abc", [7], [None], {"a": 1}.values()])
def test_a_secret_that_is_not_text_is_refused(secret: Any) -> None:
    with pytest.raises(ConfigurationError, match="secret is a"):
        verify(_BODY, _headers(), secret, _NOW)


def test_a_secret_may_lack_its_padding_and_stand_in_white_space() -> None:
    verify(_BODY, _headers(), f" {_SECRET.rstrip('=')}\n", _NOW)


@pytest.mark.parametrize("payload", [None, {}, 7, {"id": "evt_1"}])
def test_a_body_that_was_parsed_is_refused(payload: Any) -> None:
    with pytest.raises(ConfigurationError, match="payload of a webhook is a") as caught:
        verify(payload, _headers(), _SECRET, _NOW)
    assert "bytes" in str(caught.value.hint)


def test_a_body_that_is_not_text_is_refused() -> None:
    with pytest.raises(InvalidWebhookSignatureError, match="not text"):
        verify("\ud800", _headers(), _SECRET, _NOW)


@pytest.mark.parametrize("body", [b"[]", b"", b"<html>", b'{"a":'])
def test_a_signed_body_that_is_not_an_event_is_an_error_that_does_not_show_it(body: bytes) -> None:
    with pytest.raises(AzureResponsesError, match="not a JSON object") as caught:
        unwrap(body, _headers(body=body), _SECRET, _NOW)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("message_id", ["", "evt.1", "evt 1\n", "é"])
def test_what_cannot_be_told_apart_is_not_signed(message_id: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be signed"):
        sign(_BODY, message_id, _NOW, _SECRET)


def test_a_time_before_1970_is_not_signed() -> None:
    with pytest.raises(ConfigurationError, match="cannot be signed"):
        sign(_BODY, "evt_1", -1, _SECRET)


def test_an_invalid_signature_is_a_value_error_as_in_the_openai_package() -> None:
    assert issubclass(InvalidWebhookSignatureError, ValueError)
